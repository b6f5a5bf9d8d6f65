//! One process as a program: its engine, driven by real sockets, real time and typed commands.
//!
//! | module | job |
//! | --- | --- |
//! | [`wire`] | the format of frames |
//! | `transport` | the transport of frames: datagrams, or lines on connections |
//! | `driver` | the engine's driver: sending, timers, events |
//! | `peers` | the other processes and their sessions |
//! | `prompt` | typed lines |
//! | `settings` | the settings of the process |
//! | [`stdio`] | the process on standard input and output, in place of sockets and typed lines |
//! | [`command`] | the command `node` |

pub mod command;
mod driver;
mod peers;
mod prompt;
mod settings;
pub mod stdio;
mod transport;
pub mod wire;

use std::{
    fmt::Write as _,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    process::{Process, Refusal},
    shutdown::Shutdown,
    sys::terminal,
    text::{plural, visible},
    typed::{Line, Lines},
};
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

use self::{
    driver::NodeDriver,
    peers::{PeerStatus, Peers},
    prompt::Typed,
    transport::{FrameTransport, Incoming, spawn},
    wire::{Envelope, Rejected},
};
pub use self::{peers::PeerTable, settings::Settings, transport::BoundSocket};
use crate::{algorithms::with_process, bug::Bug, engine::Engine, faults::Faults};

/// How many typed lines may wait.
const TYPED_AHEAD: usize = 64;

/// The longest typed line, in bytes.
const LONGEST_LINE: usize = 4096;

/// Where a process listens unless it is told otherwise: on a free port of this machine.
pub const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// How long a process that ends waits for acknowledgements of its messages.
const GRACE: Duration = Duration::from_secs(1);

/// The longest wait for input.
const TICK: Duration = Duration::from_millis(500);

/// The input on standard input.
enum Input {
    /// A line, or a line that is too long.
    Line(Line),
    /// The end of the input.
    End,
    /// An error while reading.
    Failed(io::Error),
}

/// Runs one process until it is asked to end. `network` reads typed lines, and returns the peers and the faults; None when
/// the process ends before it knows them.
///
/// # Errors
/// When it cannot run (exit code 2), or its clock is at the end of its range (exit code 1).
pub fn run(
    settings: &Settings,
    bound: &BoundSocket,
    input: terminal::Input,
    network: impl FnOnce(
        &mut dyn FnMut() -> Option<String>,
    ) -> Result<Option<(PeerTable, Faults)>, Failure>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let failed = |error| Failure::could_not_run("start", why(&error));
    let closing = &Shutdown::new().map_err(failed)?;
    thread::scope(|scope| {
        let ended = (|| {
            let (sender, inputs) = bounded(TYPED_AHEAD);
            spawn(scope, "typed".into(), move || {
                read_typed(input, &sender, closing)
            })?;
            let mut first = || loop {
                select! {
                    recv(inputs) -> input => match input {
                        Ok(Input::Line(Line::Text(text))) => {
                            return Some(String::from_utf8_lossy(&text).into_owned());
                        }
                        Ok(Input::Line(Line::TooLong)) => {}
                        _ => return None,
                    },
                    recv(shutdown.channel()) -> _ => return None,
                }
            };
            let Some((table, faults)) = network(&mut first)? else {
                return Ok(Summary::done("ended before it started"));
            };
            let transport = FrameTransport::start(scope, bound, table.addresses.clone(), closing)?;
            with_process!(settings.algorithm, P => {
                let mut node = Node::<P>::new(settings, &table, &faults, &transport, journal);
                node.run(&inputs, &transport.incoming, shutdown)
            })
        })();
        closing.request();
        ended
    })
}

fn read_typed(typed: terminal::Input, inputs: &Sender<Input>, closing: &Shutdown) {
    let mut lines = Lines::new(typed, LONGEST_LINE);
    loop {
        let (input, last) = match lines.next(closing) {
            Ok(Some(line)) => (Input::Line(line), false),
            Ok(None) => (Input::End, true),
            Err(error) => (Input::Failed(error), true),
        };
        if !closing.put(inputs, input) || last {
            return;
        }
    }
}

/// A process with its engine and its driver.
struct Node<'a, P: Process<Settings = Option<Bug>>> {
    settings: &'a Settings,
    engine: Engine<P>,
    driver: NodeDriver<'a>,
    peers: Peers<'a>,
    /// When it was asked to end.
    ending: Option<Instant>,
    /// The number of rejected frames; not each is reported.
    rejected: u64,
}

impl<'a, P: Process<Settings = Option<Bug>>> Node<'a, P> {
    fn new(
        settings: &'a Settings,
        table: &'a PeerTable,
        faults: &'a Faults,
        transport: &'a FrameTransport<'a>,
        journal: &'a Journal,
    ) -> Self {
        let engine = Engine::new(table.me, table.names.count(), &settings.bug);
        Self {
            settings,
            engine: engine.with_clock(settings.clock),
            driver: NodeDriver::new(settings, table, faults, transport, journal),
            peers: Peers::new(settings.algorithm, table),
            ending: None,
            rejected: 0,
        }
    }

    fn run(
        &mut self,
        inputs: &Receiver<Input>,
        incoming: &Receiver<Incoming>,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let no_input = crossbeam::channel::never();
        let mut inputs = inputs;
        let no_stop = crossbeam::channel::never();
        let mut stopping = shutdown.channel();
        let now = self.driver.now();
        self.engine
            .start(now, &mut self.driver.with(&mut self.peers));
        loop {
            let now = self.driver.now();
            let lasted = self.settings.lasting.is_some_and(|lasting| now >= lasting);
            if self.ending.is_none() && (self.engine.has_ended() || lasted) {
                self.ending = Some(Instant::now());
            }
            if let Some(since) = self.ending
                && (self.engine.is_idle() || since.elapsed() >= GRACE)
            {
                break;
            }
            while let Some(kind) = self.driver.expired(now) {
                self.engine
                    .timer(now, kind, &mut self.driver.with(&mut self.peers));
            }
            if self.engine.due().is_some_and(|due| due <= now) {
                self.engine
                    .poll(now, &mut self.driver.with(&mut self.peers));
            }
            self.driver.send_delayed(now);
            let lasting = self.settings.lasting.filter(|_| self.ending.is_none());
            let due = [self.engine.due(), self.driver.due(), lasting];
            let due = due.into_iter().flatten().min();
            let wait = due.map_or(TICK, |due| due.saturating_sub(self.driver.now()).min(TICK));
            select! {
                recv(incoming) -> frame => if let Ok((from, frame)) = frame {
                    match frame {
                        Ok(bytes) => self.receive(from, &bytes),
                        Err(why) => self.reject(from, &why),
                    }
                },
                recv(inputs) -> input => match input {
                    Ok(Input::Line(line)) => self.typed(line),
                    Ok(Input::Failed(error)) => {
                        let failure = Failure::could_not_run("standard input", why(&error));
                        self.driver.journal.record(Event::error(Level::Warn, failure));
                        inputs = &no_input;
                    }
                    Ok(Input::End) | Err(_) => {
                        inputs = &no_input;
                        // Its supervisor has ended.
                        if self.settings.workload.is_some() {
                            self.ending.get_or_insert_with(Instant::now);
                        }
                    }
                },
                recv(stopping) -> _ => {
                    stopping = &no_stop;
                    self.ending.get_or_insert_with(Instant::now);
                },
                default(wait) => {}
            }
        }
        Ok(self.summary())
    }

    fn summary(&self) -> Summary {
        let driver = &self.driver;
        let text = format!(
            "{}, clock at {}",
            plural(driver.events, "event"),
            self.engine.time()
        );
        let exit = if self.engine.has_ended() {
            Exit::No
        } else {
            Exit::Done
        };
        Summary::done(text)
            .exit(exit)
            .count("events", driver.events)
            .count("rejected", self.rejected)
            .count("frames_sent", driver.frames)
    }

    fn reject(&mut self, from: std::net::SocketAddr, why: &Rejected) {
        self.rejected += 1;
        if self.peers.is_first(from, why) {
            let event = Event::error(Level::Warn, format_args!("{from}: {why}; discarded"));
            self.driver.journal.record(event.peer(from));
        }
    }

    fn receive(&mut self, from: std::net::SocketAddr, bytes: &[u8]) {
        let envelope = match Envelope::<P::Message>::read(bytes, self.settings.algorithm.word()) {
            Ok(envelope) => envelope,
            Err(why) => return self.reject(from, &why),
        };
        let now = self.driver.now();
        let other = match self.peers.sender(&envelope.from, &envelope.to) {
            Ok(other) => other,
            Err(why) => return self.reject(from, &why),
        };
        let status = self.peers.status(other, envelope.session, envelope.knows);
        if status == PeerStatus::Restarted {
            self.engine.restarted(other);
        }
        if let Some(text) = self.peers.warning(other, status) {
            let event = Event::error(Level::Warn, text);
            self.driver.journal.record(event.peer(&*envelope.from));
        }
        match status {
            PeerStatus::Known | PeerStatus::Restarted => {
                let driver = &mut self.driver.with(&mut self.peers);
                self.engine.receive(now, other, envelope.frame, driver);
            }
            // The peer learns this process's session. A frame without a packet is not answered, else the two would
            // answer each other for ever.
            PeerStatus::StaleSession | PeerStatus::StateLost if envelope.frame.packet.is_some() => {
                self.driver
                    .with(&mut self.peers)
                    .announce_session::<P::Message>(other);
            }
            PeerStatus::StaleSession | PeerStatus::StateLost | PeerStatus::Former => {}
        }
    }

    fn typed(&mut self, line: Line) {
        let text = match &line {
            Line::Text(text) => String::from_utf8_lossy(text),
            Line::TooLong => {
                return self.print_error(format!("line longer than {LONGEST_LINE} bytes"));
            }
        };
        if self.settings.workload.is_some() {
            return self.managed(text.trim());
        }
        match prompt::parse(&text, self.driver.names, self.driver.me) {
            Err(why) => self.print_error(why),
            Ok(Typed::Command(command)) => {
                let now = self.driver.now();
                let driver = &mut self.driver.with(&mut self.peers);
                match self.engine.command(now, command, driver) {
                    Ok(()) | Err(Refusal::Overflow(_)) => {}
                    Err(Refusal::Invalid(why)) => self.print_error(why),
                    Err(Refusal::Unknown) => {
                        let commands = self.settings.algorithm.commands().join(", ");
                        let word = self.settings.algorithm.word();
                        self.print_error(format!(
                            "not a command of {word}; its commands: {commands}"
                        ));
                    }
                }
            }
            Ok(Typed::Clock) => self.print(format!("clock: {}", self.engine.time())),
            Ok(Typed::Queue) => {
                let queue = self.engine.queue(self.driver.names);
                if queue.is_empty() {
                    self.print("the queue is empty");
                }
                queue.into_iter().for_each(|line| self.print(line));
            }
            Ok(Typed::Help) => {
                prompt::help(self.settings.algorithm)
                    .into_iter()
                    .for_each(|line| self.print(line));
            }
            Ok(Typed::Quit) => self.ending = Some(Instant::now()),
            Ok(Typed::Nothing) => self.print(""),
        }
    }

    /// Handles a line of the supervisor.
    fn managed(&mut self, line: &str) {
        match line {
            "finish" => self.driver.finish(),
            "state" => {
                let idle = self.engine.is_idle() && !self.driver.has_operation();
                let mut state = String::from(if idle { "idle" } else { "busy" });
                let _ = write!(state, " {}", self.driver.events);
                for peer in self.engine.unresponsive() {
                    let _ = write!(state, " {}", self.driver.names.of(peer));
                }
                self.print(state);
            }
            "stop" => self.ending = Some(Instant::now()),
            _ => self.print_error(format!("unknown line '{}'", visible(line.as_bytes()))),
        }
    }

    /// Prints a line in reply to a typed command.
    fn print(&self, text: impl Into<String>) {
        self.driver
            .journal
            .record(Event::new(Kind::Output).text(text));
    }

    fn print_error(&self, text: String) {
        self.driver.journal.record(Event::error(Level::Warn, text));
    }
}
