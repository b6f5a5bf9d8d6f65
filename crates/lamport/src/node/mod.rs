//! One process as a program of its own: its engine, driven by real sockets, the time of day and whoever types.
//!
//! | module | job |
//! | --- | --- |
//! | [`wire`] | frames as bytes |
//! | `carrier` | what carries them: datagrams, or lines on connections |
//! | `hands` | what an engine asks for: sending, timers, telling |
//! | `peers` | who the others are, and whether they still are who they were |
//! | `prompt` | what is typed |
//! | [`command`] | what the program is told of it |

mod carrier;
pub mod command;
mod hands;
mod peers;
mod prompt;
pub mod wire;

use std::{
    fs::File,
    io, thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
    text::{plural, visible},
    typed::{Line, Lines},
};
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

pub use self::{carrier::Bound, peers::Others};
use self::{
    carrier::{Carrier, Incoming, start},
    hands::Hands,
    peers::{Peers, Standing},
    prompt::Typed,
    wire::{Envelope, Refused},
};
use crate::{
    algorithms::{Algorithm, with_process},
    engine::Engine,
    faults::Faults,
    process::{Process, Refusal},
    workload::Workload,
};

/// How many lines may be typed ahead.
const TYPED_AHEAD: usize = 64;

/// The longest line that is typed, in bytes.
const LONGEST_LINE: usize = 4096;

/// How long it stays when it is to end, for what it sent to arrive.
const GRACE: Duration = Duration::from_secs(1);

/// The longest that nothing is looked at.
const TICK: Duration = Duration::from_millis(500);

/// What a process is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What it runs.
    pub algorithm: Algorithm,
    /// The mistake that is put in.
    pub bug: Option<crate::algorithms::Bug>,
    /// Where its clock starts.
    pub clock: u64,
    /// What chance is decided by.
    pub seed: u64,
    /// What it begins by itself; None when it does what is typed.
    pub workload: Option<Workload>,
    /// When it ends by itself.
    pub lasting: Option<Duration>,
}

/// What comes from outside, beside frames.
enum Word {
    /// A line, or that one was too long.
    Line(Line),
    /// There will be no more.
    End,
    /// It cannot be read.
    Failed(io::Error),
}

/// Runs one process until it is told to end. `network` makes of what is typed first who the others are and what the
/// network does to frames; None when it ends before that.
///
/// # Errors
/// When it cannot run (exit code 2), or its clock is at its end (exit code 1).
pub fn run(
    settings: &Settings,
    bound: &Bound,
    input: File,
    network: impl FnOnce(
        &mut dyn FnMut() -> Option<String>,
    ) -> Result<Option<(Others, Faults)>, Failure>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let failed = |error| Failure::could_not_run("start", why(&error));
    let closing = &Shutdown::new().map_err(failed)?;
    thread::scope(|scope| {
        let ended = (|| {
            let (sender, words) = bounded(TYPED_AHEAD);
            start(scope, "typed".into(), move || {
                read_typed(input, &sender, closing)
            })?;
            let mut first = || loop {
                select! {
                    recv(words) -> word => match word {
                        Ok(Word::Line(Line::Text(text))) => {
                            return Some(String::from_utf8_lossy(&text).into_owned());
                        }
                        Ok(Word::Line(Line::TooLong)) => {}
                        _ => return None,
                    },
                    recv(shutdown.channel()) -> _ => return None,
                }
            };
            let Some((others, faults)) = network(&mut first)? else {
                return Ok(Summary::done("ended before it began"));
            };
            let carrier = Carrier::start(scope, bound, others.addresses.clone(), closing)?;
            with_process!(settings.algorithm, P => {
                let mut node = Node::<P>::new(settings, &others, &faults, &carrier, journal);
                node.run(&words, &carrier.incoming, shutdown)
            })
        })();
        closing.request();
        ended
    })
}

fn read_typed(input: File, words: &Sender<Word>, closing: &Shutdown) {
    let mut lines = Lines::new(input, LONGEST_LINE);
    loop {
        let (word, last) = match lines.next(closing) {
            Ok(Some(line)) => (Word::Line(line), false),
            Ok(None) => (Word::End, true),
            Err(error) => (Word::Failed(error), true),
        };
        if !closing.put(words, word) || last {
            return;
        }
    }
}

/// A process and all that drives it.
struct Node<'a, P: Process> {
    settings: &'a Settings,
    engine: Engine<P>,
    hands: Hands<'a>,
    peers: Peers<'a>,
    /// Since when it ends.
    ending: Option<Instant>,
    /// Frames that were refused, of which not each is told.
    refused: u64,
}

impl<'a, P: Process> Node<'a, P> {
    fn new(
        settings: &'a Settings,
        others: &'a Others,
        faults: &'a Faults,
        carrier: &'a Carrier<'a>,
        journal: &'a Journal,
    ) -> Self {
        let engine = Engine::new(others.me, others.names.count(), settings.bug);
        Self {
            settings,
            engine: engine.with_clock(settings.clock),
            hands: Hands::new(settings, others, faults, carrier, journal),
            peers: Peers::new(settings.algorithm, others),
            ending: None,
            refused: 0,
        }
    }

    fn run(
        &mut self,
        words: &Receiver<Word>,
        incoming: &Receiver<Incoming>,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let nobody = crossbeam::channel::never();
        let mut words = words;
        let never = crossbeam::channel::never();
        let mut stopping = shutdown.channel();
        let now = self.hands.now();
        self.engine
            .start(now, &mut self.hands.with(&mut self.peers));
        loop {
            let now = self.hands.now();
            let lasted = self.settings.lasting.is_some_and(|lasting| now >= lasting);
            if self.ending.is_none() && (self.engine.has_ended() || lasted) {
                self.ending = Some(Instant::now());
            }
            if let Some(since) = self.ending
                && (self.engine.is_idle() || since.elapsed() >= GRACE)
            {
                break;
            }
            if self.hands.timer_is_due(now) {
                self.engine
                    .timer(now, &mut self.hands.with(&mut self.peers));
            }
            if self.engine.due().is_some_and(|due| due <= now) {
                self.engine.poll(now, &mut self.hands.with(&mut self.peers));
            }
            self.hands.send_delayed(now);
            let lasting = self.settings.lasting.filter(|_| self.ending.is_none());
            let due = [self.engine.due(), self.hands.due(), lasting];
            let due = due.into_iter().flatten().min();
            let pause = due.map_or(TICK, |due| due.saturating_sub(self.hands.now()).min(TICK));
            select! {
                recv(incoming) -> came => if let Ok((from, came)) = came {
                    match came {
                        Ok(bytes) => self.receive(from, &bytes),
                        Err(refused) => self.refuse(from, &refused),
                    }
                },
                recv(words) -> word => match word {
                    Ok(Word::Line(line)) => self.typed(line),
                    Ok(Word::Failed(error)) => {
                        let failure = Failure::could_not_run("standard input", why(&error));
                        self.hands.journal.record(Event::error(Level::Warn, failure));
                        words = &nobody;
                    }
                    Ok(Word::End) | Err(_) => {
                        words = &nobody;
                        // Whoever managed it is gone.
                        if self.settings.workload.is_some() {
                            self.ending.get_or_insert_with(Instant::now);
                        }
                    }
                },
                recv(stopping) -> _ => {
                    stopping = &never;
                    self.ending.get_or_insert_with(Instant::now);
                },
                default(pause) => {}
            }
        }
        Ok(self.summary())
    }

    fn summary(&self) -> Summary {
        let hands = &self.hands;
        let text = format!(
            "{}, the clock at {}",
            plural(hands.happened, "event"),
            self.engine.time()
        );
        let exit = if self.engine.has_ended() {
            Exit::No
        } else {
            Exit::Done
        };
        Summary::done(text)
            .exit(exit)
            .count("events", hands.happened)
            .count("refused", self.refused)
            .count("frames_sent", hands.frames)
    }

    fn refuse(&mut self, from: std::net::SocketAddr, refused: &Refused) {
        self.refused += 1;
        if self.peers.tell_of(from, refused) {
            let event = Event::error(
                Level::Warn,
                format_args!("{from}: {refused}; it is passed over"),
            );
            self.hands.journal.record(event.peer(from));
        }
    }

    fn receive(&mut self, from: std::net::SocketAddr, bytes: &[u8]) {
        let envelope = match Envelope::<P::Message>::read(bytes, self.settings.algorithm.word()) {
            Ok(envelope) => envelope,
            Err(refused) => return self.refuse(from, &refused),
        };
        let now = self.hands.now();
        let other = match self.peers.sender(&envelope.from, &envelope.to) {
            Ok(other) => other,
            Err(refused) => return self.refuse(from, &refused),
        };
        let standing = self.peers.standing(other, envelope.session, envelope.knows);
        if standing == Standing::Restarted {
            self.engine.restarted(other);
        }
        if let Some(text) = self.peers.tell_of_standing(other, standing) {
            self.hands.journal.record(Event::error(Level::Warn, text));
        }
        match standing {
            Standing::Known | Standing::Restarted => {
                let driver = &mut self.hands.with(&mut self.peers);
                self.engine.receive(now, other, envelope.frame, driver);
            }
            // So that it learns who is here; but what only says so is not answered, else two would go on for ever.
            Standing::Unknowing | Standing::Forgetful if envelope.frame.packet.is_some() => {
                self.hands
                    .with(&mut self.peers)
                    .introduce::<P::Message>(other);
            }
            Standing::Unknowing | Standing::Forgetful | Standing::Former => {}
        }
    }

    fn typed(&mut self, line: Line) {
        let text = match &line {
            Line::Text(text) => String::from_utf8_lossy(text),
            Line::TooLong => {
                return self.say_no(format!("longer than {LONGEST_LINE} bytes"));
            }
        };
        if self.settings.workload.is_some() {
            return self.managed(text.trim());
        }
        match prompt::understand(&text, self.hands.names, self.hands.me) {
            Err(why) => self.say_no(why),
            Ok(Typed::Do(command)) => {
                let now = self.hands.now();
                let driver = &mut self.hands.with(&mut self.peers);
                match self.engine.command(now, command, driver) {
                    Ok(()) | Err(Refusal::Overflow(_)) => {}
                    Err(Refusal::No(why)) => self.say_no(why),
                    Err(Refusal::Unknown) => {
                        let has = self.settings.algorithm.commands().join(", ");
                        let word = self.settings.algorithm.word();
                        self.say_no(format!("{word} has no such thing; it has {has}"));
                    }
                }
            }
            Ok(Typed::Clock) => self.say(format!("the clock is at {}", self.engine.time())),
            Ok(Typed::Queue) => {
                let queue = self.engine.queue(self.hands.names);
                if queue.is_empty() {
                    self.say("nothing waits");
                }
                queue.into_iter().for_each(|line| self.say(line));
            }
            Ok(Typed::Help) => {
                prompt::help(self.settings.algorithm)
                    .into_iter()
                    .for_each(|line| self.say(line));
            }
            Ok(Typed::Quit) => self.ending = Some(Instant::now()),
            Ok(Typed::Nothing) => self.say(""),
        }
    }

    /// What whoever manages this process says.
    fn managed(&mut self, word: &str) {
        match word {
            "finish" => self.hands.finish(),
            "state" => {
                let idle = self.engine.is_idle() && !self.hands.will_begin();
                let idle = if idle { "idle" } else { "busy" };
                self.say(format!("{idle} {}", self.hands.happened));
            }
            "stop" => self.ending = Some(Instant::now()),
            _ => self.say_no(format!("'{}' is not understood", visible(word.as_bytes()))),
        }
    }

    /// Answers whoever typed.
    fn say(&self, text: impl Into<String>) {
        self.hands
            .journal
            .record(Event::new(Kind::Local).text(text));
    }

    fn say_no(&self, text: String) {
        self.hands.journal.record(Event::error(Level::Warn, text));
    }
}

/// A number that this process takes when it starts: not the one that a process of its name had before.
pub fn new_session() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    // The keys of a new hasher are random. 0 stands for nobody.
    (RandomState::new().hash_one(std::process::id()) as u32).max(1)
}
