//! One process as a program: its engine, driven by real sockets, real time and typed lines. What the lines mean is for the
//! program, which gives a [`Console`].
//!
//! | module | job |
//! | --- | --- |
//! | [`wire`] | the format of frames |
//! | [`transport`] | the transport of frames: datagrams, or lines on connections |
//! | `driver` | the engine's driver: sending, timers, events |
//! | [`peers`] | the other processes and their sessions |
//! | `origin`, `book` | from whom a frame is and whom it names; how the table of processes grows |

mod book;
mod driver;
mod origin;
pub mod peers;
pub mod transport;
pub mod wire;

use std::{
    io,
    net::SocketAddr,
    thread,
    time::{Duration, Instant},
};

use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

use self::{
    book::{ASK_AGAIN, AddressBook},
    driver::NodeDriver,
    origin::{Ends, Origin},
    peers::{PeerStatus, PeerTable, Peers},
    transport::{BoundSocket, FrameTransport, Incoming, spawn},
    wire::{Envelope, Rejected},
};
use super::{
    Command, Message as _, Process, Refusal,
    engine::Engine,
    faults::Faults,
    ids::{Names, ProcessId},
    reliable_link::ChannelOrder,
    workload::Workload,
};
use crate::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    net::canonical,
    shutdown::Shutdown,
    sys::terminal,
    text::plural,
    typed::{Line, Lines},
};

/// How many typed lines may wait.
const TYPED_AHEAD: usize = 64;

/// The longest typed line, in bytes.
const LONGEST_LINE: usize = 4096;

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

/// The settings of one process; `S` are those of the algorithm.
#[derive(Clone, Debug)]
pub struct Settings<S> {
    /// The algorithm's name on the network.
    pub algorithm: &'static str,
    /// Whether the other processes can continue with one that has restarted and lost its state.
    pub tolerates_restart: bool,
    /// The settings of the algorithm.
    pub process: S,
    /// In which order its channels deliver.
    pub order: ChannelOrder,
    /// The initial time of its clock.
    pub clock: u64,
    /// The random seed.
    pub seed: u64,
    /// The durations of its timers; without them no timer expires, and it does only what is typed.
    pub workload: Option<Workload>,
    /// When it ends by itself.
    pub lasting: Option<Duration>,
}

/// What the lines mean that a process reads on its standard input.
pub trait Console<P: Process> {
    /// Handles a line.
    fn line(&mut self, line: &str, node: &mut Node<'_, P>);

    /// Called after everything that the process does.
    fn after(&mut self, _node: &mut Node<'_, P>) {}

    /// Whether the process ends with its input: it comes from its supervisor, which has ended.
    fn ends_with_input(&self) -> bool;
}

/// Runs one process until it is asked to end. `network` reads typed lines, and returns the peers and the faults; None when
/// the process ends before it knows them.
///
/// # Errors
/// When it cannot run (exit code 2), or its clock is at the end of its range (exit code 1).
pub fn run<P: Process>(
    settings: &Settings<P::Settings>,
    (bound, input): (&BoundSocket, terminal::Input),
    console: &mut dyn Console<P>,
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
            let mut node = Node::<P>::new(settings, table, &faults, &transport, journal);
            node.run(console, &inputs, &transport.incoming, shutdown)
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
#[derive(Debug)]
pub struct Node<'a, P: Process> {
    settings: &'a Settings<P::Settings>,
    engine: Engine<P>,
    driver: NodeDriver<'a>,
    peers: Peers,
    /// When it last asked who is at an address.
    asked: Option<Duration>,
    /// When it was asked to end.
    ending: Option<Instant>,
    /// The number of rejected frames; not each is reported.
    rejected: u64,
}

impl<'a, P: Process> Node<'a, P> {
    fn new(
        settings: &'a Settings<P::Settings>,
        table: PeerTable,
        faults: &'a Faults,
        transport: &'a FrameTransport<'a>,
        journal: &'a Journal,
    ) -> Self {
        let driver = NodeDriver::new(
            (settings.algorithm, settings.seed, settings.workload),
            table.me,
            faults,
            transport,
            journal,
        );
        let engine =
            Engine::new(table.me, table.capacity(), &settings.process).with_order(settings.order);
        Self {
            settings,
            engine: engine
                .with_clock(settings.clock)
                .with_hardware_clock(driver.clock.clone())
                .with_heartbeats(Duration::ZERO),
            driver,
            peers: Peers::new(settings.tolerates_restart, table),
            asked: None,
            ending: None,
            rejected: 0,
        }
    }

    fn run(
        &mut self,
        console: &mut dyn Console<P>,
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
            if self.ending.is_some() {
                self.engine.end_heartbeats();
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
            self.driver.send_delayed(now, &self.peers);
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
                    Ok(Input::Line(line)) => self.typed(&line, console),
                    Ok(Input::Failed(error)) => {
                        let failure = Failure::could_not_run("standard input", why(&error));
                        self.driver.journal.record(Event::error(Level::Warn, failure));
                        inputs = &no_input;
                    }
                    Ok(Input::End) | Err(_) => {
                        inputs = &no_input;
                        if console.ends_with_input() {
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
            console.after(self);
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

    /// A frame is discarded.
    fn reject(&mut self, from: SocketAddr, why: &Rejected) {
        self.report(from, why, "discarded");
    }

    /// Of a message one process at least is not known.
    fn reject_part(&mut self, from: SocketAddr, why: &Rejected) {
        self.report(from, why, "not known here");
    }

    fn report(&mut self, from: SocketAddr, why: &Rejected, outcome: &str) {
        self.rejected += 1;
        if self.peers.is_first(from, why) {
            let event = Event::error(Level::Warn, format_args!("{from}: {why}; {outcome}"));
            self.driver.journal.record(event.peer(from));
        }
    }

    fn receive(&mut self, from: SocketAddr, bytes: &[u8]) {
        self.receive_frame(canonical(from), bytes);
        let book = self.peers.book.as_mut();
        for address in book.map(AddressBook::questions).unwrap_or_default() {
            let driver = &mut self.driver.with(&mut self.peers);
            driver.ask::<P::Message>(address);
        }
    }

    fn receive_frame(&mut self, from: SocketAddr, bytes: &[u8]) {
        let mut envelope = match Envelope::<P::Message>::read(bytes, self.settings.algorithm) {
            Ok(envelope) => envelope,
            Err(why) => return self.reject(from, &why),
        };
        let now = self.driver.now();
        let ends = Ends {
            from: &envelope.from,
            to: &envelope.to,
            session: envelope.session,
            knows: envelope.knows,
        };
        let other = match self.peers.origin(ends, from, now) {
            Ok(Origin::Peer(other)) => other,
            Ok(Origin::Stranger) => {
                let (driver, to) = (
                    &mut self.driver.with(&mut self.peers),
                    (&*envelope.from, envelope.session),
                );
                return driver.answer::<P::Message>(to, from);
            }
            Ok(Origin::Own) => return,
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
                self.number_processes((other, from), &mut envelope, now);
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

    /// Gives the processes that a message names the numbers that they have here.
    fn number_processes(
        &mut self,
        sender: (ProcessId, SocketAddr),
        envelope: &mut Envelope<'_, P::Message>,
        now: Duration,
    ) {
        let (numbers, mut rejected) = self.peers.named(sender, &envelope.processes, now);
        if let Some(packet) = &mut envelope.frame.packet {
            packet.message.content.each_process(&mut |process| {
                let number = numbers.get(process.index()).copied();
                *process = number.unwrap_or_else(|| {
                    rejected.get_or_insert(Rejected::NoProcess);
                    ProcessId::NOBODY
                });
            });
        }
        if let Some(why) = rejected {
            self.reject_part(sender.1, &why);
        }
    }

    fn typed(&mut self, line: &Line, console: &mut dyn Console<P>) {
        match line {
            Line::Text(text) => console.line(&String::from_utf8_lossy(text), self),
            Line::TooLong => self.print_error(format!("line longer than {LONGEST_LINE} bytes")),
        }
    }

    /// Gives the process a command.
    ///
    /// # Errors
    /// When the process rejects it.
    pub fn command(&mut self, command: Command) -> Result<(), Refusal> {
        let now = self.driver.now();
        let driver = &mut self.driver.with(&mut self.peers);
        self.engine.command(now, command, driver)
    }

    /// This process.
    pub fn me(&self) -> ProcessId {
        self.driver.me
    }

    /// The names of all processes.
    pub fn names(&self) -> &Names {
        &self.peers.table.names
    }

    /// The process that is known to be at this address.
    pub fn process_at(&self, address: SocketAddr) -> Option<ProcessId> {
        let mut all = ProcessId::all(self.names().count());
        all.find(|process| self.peers.address_of(*process) == Some(address))
    }

    /// Asks which process is at this address, unless it has just asked: the answer makes it known.
    pub fn ask(&mut self, address: SocketAddr) {
        let now = self.driver.now();
        if self
            .asked
            .is_none_or(|asked| now.saturating_sub(asked) >= ASK_AGAIN)
        {
            self.asked = Some(now);
            let driver = &mut self.driver.with(&mut self.peers);
            driver.ask::<P::Message>(address);
        }
    }

    /// Where another process is that has this one's name, if one was met.
    pub fn namesake(&self) -> Option<SocketAddr> {
        self.peers.book.as_ref()?.taken
    }

    /// The process itself.
    pub fn process(&self) -> &P {
        self.engine.process()
    }

    /// Whether all processes that respond have acknowledged its messages, and it has no operation.
    pub fn is_quiet(&self) -> bool {
        self.engine.is_idle()
    }

    /// The time since it started.
    pub fn elapsed(&self) -> Duration {
        self.driver.now()
    }

    /// The process's clock.
    pub fn time(&self) -> u64 {
        self.engine.time()
    }

    /// The process's queue, a line for each entry.
    pub fn queue(&self) -> Vec<String> {
        self.engine.queue(&self.peers.table.names)
    }

    /// How many events it has had.
    pub fn events(&self) -> u64 {
        self.driver.events
    }

    /// Whether no operation of it is unfinished, and no timer of one is set.
    pub fn is_idle(&self) -> bool {
        self.engine.is_idle() && !self.driver.has_operation()
    }

    /// The processes that have not acknowledged a message of this one and are reported as unresponsive.
    pub fn unresponsive(&self) -> impl Iterator<Item = ProcessId> {
        self.engine.unresponsive()
    }

    /// Starts no further operation.
    pub fn finish(&mut self) {
        self.driver.finish();
    }

    /// Partitions of the network have no effect until [`Self::start_partitions`].
    pub fn hold_partitions(&mut self) {
        self.driver.hold_partitions();
    }

    /// The times of partitions are those from now on, and not those since the process started.
    pub fn start_partitions(&mut self) {
        self.driver.start_partitions();
    }

    /// Ends the process, once its messages are acknowledged or a grace time is over.
    pub fn end(&mut self) {
        self.ending.get_or_insert_with(Instant::now);
    }

    /// Prints a line in reply to a typed one.
    pub fn print(&self, text: impl Into<String>) {
        self.driver
            .journal
            .record(Event::new(Kind::Output).text(text));
    }

    /// Warns in reply to a typed line.
    pub fn print_error(&self, text: String) {
        self.driver.journal.record(Event::error(Level::Warn, text));
    }
}
