//! The interface of an algorithm: a [`Process`] is a state machine that reacts to inputs and puts its actions into an
//! [`Outbox`]. It has no sockets, threads, randomness or time of its own, so that the simulator, the model checker and
//! the real sockets drive the same code.
//!
//! Between a process and its driver stands [`Clocked`], the layer into which van Steen & Tanenbaum (Distributed Systems,
//! section "Logical clocks") put the clock: it advances the clock at every event and timestamps every message.
//!
//! | module | job |
//! | --- | --- |
//! | [`clock`], [`ids`], [`timers`] | Lamport's clock; processes and their names; which timers are set |
//! | [`physical`] | physical clocks: what a process reads, and what its driver knows of them |
//! | [`detector`] | failure detectors: perfect, and eventually perfect by heartbeats |
//! | [`reliable_link`], [`engine`] | reliable FIFO channels; a process with its channels, for any driver |
//! | [`run_event`], [`fault_event`], [`words`] | the events of a run, its faults, and an event in words |
//! | [`property`], [`happened_before`], [`verdict`] | the properties, the relation, and the verdict on a run |
//! | [`report`], [`view`] | the output of a run, its logs; what a person sees of it |
//! | `check` | the model checker (feature `check`) |
//! | `node` | the driver with real sockets (feature `node`) |
//! | `children` | nodes that a program starts (feature `children`) |
//! | `simulation`, `faults`, `workload` | the driver in simulated time, the faults of a network, and what applications do (feature `simulation`) |

#[cfg(feature = "check")]
pub mod check;
#[cfg(feature = "children")]
pub mod children;
pub mod clock;
pub mod detector;
pub mod engine;
pub mod fault_event;
#[cfg(feature = "simulation")]
pub mod faults;
pub mod happened_before;
pub mod ids;
#[cfg(feature = "node")]
pub mod node;
pub mod physical;
pub mod property;
pub mod reliable_link;
pub mod report;
pub mod run_event;
#[cfg(all(test, feature = "check", feature = "simulation"))]
mod sample;
#[cfg(feature = "simulation")]
pub mod simulation;
pub mod timers;
pub mod verdict;
pub mod view;
pub mod words;
#[cfg(feature = "simulation")]
pub mod workload;

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::{
    clock::{LamportClock, Overflow, Timestamp},
    detector::Detection,
    ids::{Names, ProcessId},
    physical::{ClockAction, ClockEvent, Reading, SoftwareClock},
};

/// A message of an algorithm.
pub trait Message:
    Clone + fmt::Debug + Eq + Hash + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The message's type: `request`.
    fn word(&self) -> &'static str;

    /// The message's payload as text; empty where there is none.
    fn text(&self) -> String {
        String::new()
    }

    /// Calls a function with each process that the message names, so that processes that number one another differently understand
    /// it. Without this only those with the same table do.
    fn each_process(&mut self, _: &mut dyn FnMut(&mut ProcessId)) {}
}

/// A message with the time of its send event (IR2a).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Stamped<M> {
    /// The sender's time.
    pub time: u64,
    /// The message.
    pub content: M,
}

impl<M> Stamped<M> {
    /// The timestamp of its send event, given the sender.
    #[inline]
    pub fn stamp(&self, from: ProcessId) -> Timestamp {
        Timestamp {
            time: self.time,
            process: from,
        }
    }
}

/// The destination of a message. A multicast is one event, as in Lamport's paper, whatever number of copies the network
/// carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum To {
    /// All other processes.
    All,
    /// One other process.
    One(ProcessId),
}

impl To {
    /// The receivers in a group of N processes, when `from` sends.
    #[inline]
    pub fn receivers(self, from: ProcessId, processes: usize) -> impl Iterator<Item = ProcessId> {
        from.others(processes)
            .filter(move |other| self == Self::All || self == Self::One(*other))
    }
}

/// The meaning of an event to the algorithm: the properties are checked on these.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Meaning {
    /// The process requests the critical section; the event's timestamp is the request's.
    Request,
    /// It enters the critical section for its request with this timestamp.
    Enter(Timestamp),
    /// It exits the critical section that it entered for the request with this timestamp.
    Exit(Timestamp),
    /// It multicasts this payload; the event's timestamp is the multicast's.
    Multicast(String),
    /// It delivers the multicast with this timestamp to its application; with the application's output.
    Deliver(Timestamp, String),
    /// A local event.
    Local(String),
    /// It starts to look up this name.
    LookUp(String),
    /// Its look-up of this name ends with this value.
    Found(String, Value),
    /// It inserts this name with this value.
    Insert(String, Value),
    /// It hands this name, and the entity that has it, over to this process.
    Move(String, ProcessId),
    /// It removes this name: the entity that has it does not exist any more.
    Delete(String),
    /// Look-ups of this name go by this value from now on, which this process keeps.
    Store(String, Value),
    /// It joins the other processes.
    Join,
    /// It leaves the other processes, and hands over what it has.
    Leave,
    /// Its failure detector suspects another process, or trusts it again.
    Detect(Detection),
    /// It starts an election.
    Elect,
    /// It takes this process as the leader of this term, the time of the timestamp.
    Leader(Timestamp),
    /// In a wireless network: it has this capacity, and reaches these processes.
    Station(u32, Vec<ProcessId>),
    /// It takes this process as its parent in the tree of this term, the time of the timestamp.
    Parent(Timestamp),
    /// It begins the transaction with this number.
    Begin(u32),
    /// It votes on the transaction with this number.
    Vote(u32, Outcome),
    /// It decides on the transaction with this number.
    Decide(u32, Outcome),
    /// It transfers this amount of money: the transfer with this number of this process, the time and the process of the timestamp.
    Transfer(Timestamp, u32),
    /// It receives the transfer with this number of this process: its balance grows by this amount.
    Credit(Timestamp, u32),
    /// It records its own state, this balance, for the snapshot with this number of this initiator.
    Record(Timestamp, i64),
    /// It records, for this snapshot, this amount as in transit to it in the channel from this process.
    RecordChannel(Timestamp, ProcessId, u32),
    /// Its snapshot is complete, and has this amount in all processes and channels together.
    Complete(Timestamp, i64),
    /// It asks others for their time, reports its own, measures that of another, or adjusts its clock.
    Clock(Box<ClockEvent>),
}

/// What a transaction comes to, or what a vote is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All of it is done.
    Commit,
    /// Nothing of it is done.
    Abort,
}

impl Outcome {
    /// Its word, in messages and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        }
    }

    /// The outcome with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Commit, Self::Abort];
        all.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// What a name stands for.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// Nothing: the name does not exist, or was not found.
    #[default]
    Nothing,
    /// The process where its entity is.
    Place(ProcessId),
    /// A text; in a log, the name of a process too.
    Text(String),
}

impl Value {
    /// Whether the name stands for nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    /// The value as text; empty for nothing.
    pub fn text<'a>(&'a self, names: &'a Names) -> &'a str {
        match self {
            Self::Nothing => "",
            Self::Place(process) => names.of(*process),
            Self::Text(text) => text,
        }
    }
}

impl From<Option<ProcessId>> for Value {
    fn from(place: Option<ProcessId>) -> Self {
        place.map_or(Self::Nothing, Self::Place)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        match text.is_empty() {
            true => Self::Nothing,
            false => Self::Text(text),
        }
    }
}

impl Meaning {
    /// The meaning's word in the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Enter(_) => "enter",
            Self::Exit(_) => "exit",
            Self::Multicast(_) => "multicast",
            Self::Deliver(..) => "deliver",
            Self::Local(_) => "local",
            Self::LookUp(_) => "look-up",
            Self::Found(..) => "found",
            Self::Insert(..) => "insert",
            Self::Move(..) => "move",
            Self::Delete(_) => "delete",
            Self::Store(..) => "store",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Detect(detection) => detection.word(),
            Self::Elect => "elect",
            Self::Leader(_) => "leader",
            Self::Station(..) => "station",
            Self::Parent(_) => "parent",
            Self::Begin(_) => "begin",
            Self::Vote(..) => "vote",
            Self::Decide(..) => "decide",
            Self::Transfer(..) => "transfer",
            Self::Credit(..) => "credit",
            Self::Record(..) => "record",
            Self::RecordChannel(..) => "record-channel",
            Self::Complete(..) => "complete",
            Self::Clock(event) => event.word(),
        }
    }
}

/// What a process sets a timer for; the driver chooses the duration. A process has one timer of each kind.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TimerKind {
    /// The time until the application starts its next operation; never expires when no operation is left.
    Think,
    /// The time that the application works in the critical section.
    Work,
    /// The time until the next round of periodic work, such as the stabilisation of a ring.
    Maintain,
    /// The time that the process waits for a reply.
    Timeout,
}

impl TimerKind {
    /// The number of kinds.
    pub const COUNT: usize = 4;

    /// All kinds, each at its index.
    pub const ALL: [Self; Self::COUNT] = [Self::Think, Self::Work, Self::Maintain, Self::Timeout];

    /// Whether an operation that has started goes on with it; with the others a next one starts.
    #[inline]
    pub fn goes_on(self) -> bool {
        matches!(self, Self::Work | Self::Timeout)
    }

    /// Its index in a list with an entry for each kind.
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }
}

/// One action of a process.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Action<M> {
    /// An event.
    Event {
        /// The clock's time after the event.
        time: u64,
        /// The meaning of the event.
        meaning: Option<Meaning>,
        /// The message that the event sends.
        send: Option<(To, M)>,
    },
    /// The process sets its timer of this kind; this replaces an earlier setting of the same kind.
    SetTimer(TimerKind),
    /// The timer of this kind does not expire.
    ClearTimer(TimerKind),
}

/// Collects a process's actions. Each event advances the clock (IR1), and a message carries the event's time.
#[derive(Debug)]
pub struct Outbox<'a, M> {
    me: ProcessId,
    clock: &'a mut LamportClock,
    reading: Reading,
    actions: &'a mut Vec<Action<M>>,
}

impl<M> Outbox<'_, M> {
    /// A local event.
    ///
    /// # Errors
    /// At the end of the clock's range, as all of these.
    pub fn local(&mut self, meaning: Meaning) -> Result<Timestamp, Overflow> {
        self.event(Some(meaning), None)
    }

    /// Sends a message.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn send(&mut self, to: To, message: M) -> Result<Timestamp, Overflow> {
        self.event(None, Some((to, message)))
    }

    /// Sends a message in an event with this meaning.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn send_as(&mut self, meaning: Meaning, to: To, message: M) -> Result<Timestamp, Overflow> {
        self.event(Some(meaning), Some((to, message)))
    }

    /// Sets the timer of this kind, in place of an earlier setting of the same kind.
    pub fn set_timer(&mut self, kind: TimerKind) {
        self.actions.push(Action::SetTimer(kind));
    }

    /// Clears the timer of this kind, if it is set.
    pub fn clear_timer(&mut self, kind: TimerKind) {
        self.actions.push(Action::ClearTimer(kind));
    }

    /// What the hardware clock shows, in nanoseconds; only of processes that [read one](Process::READS_CLOCK).
    pub fn reading(&self) -> i64 {
        self.reading.hardware
    }

    /// What the process does with its software clock in this round, as an event's meaning. The driver's part of it, how far the
    /// hardware clock is from true time, is for the verdict.
    pub fn clock_event(&self, round: u32, clock: &SoftwareClock, action: ClockAction) -> Meaning {
        let reading = self.reading;
        Meaning::Clock(Box::new(ClockEvent {
            round,
            action,
            reading,
            set: clock.set(reading.hardware),
            shown: clock.shown(reading.hardware),
        }))
    }

    fn event(
        &mut self,
        meaning: Option<Meaning>,
        send: Option<(To, M)>,
    ) -> Result<Timestamp, Overflow> {
        let time = self.clock.tick()?;
        self.actions.push(Action::Event {
            time,
            meaning,
            send,
        });
        Ok(Timestamp {
            time,
            process: self.me,
        })
    }
}

/// A command to a process, of a person at the prompt or of a workload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Have a local event.
    Local,
    /// Send this text to a process.
    Send(ProcessId, String),
    /// Request the critical section.
    Lock,
    /// Exit the critical section.
    Unlock,
    /// Multicast this payload.
    Multicast(String),
    /// Look up this name.
    LookUp(String),
    /// Insert this name with this value.
    Insert(String, String),
    /// Hand this name, and the entity that has it, over to this process.
    Move(String, ProcessId),
    /// Remove this name.
    Delete(String),
    /// Begin a transaction.
    Begin,
    /// Vote on the transaction under way.
    Vote(Outcome),
    /// Join the processes that this one belongs to.
    Join(ProcessId),
    /// Leave the other processes.
    Leave,
    /// Start an election.
    Elect,
    /// Transfer this amount of money to this process.
    Transfer(ProcessId, u32),
    /// Initiate a snapshot of all processes and channels.
    Snapshot,
    /// Ask for the time, and adjust the clock.
    Synchronize,
}

/// Why a process rejects a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The algorithm has no such command.
    Unknown,
    /// The command is invalid, or invalid in the process's state; with the reason.
    Invalid(String),
    /// The clock is at the end of its range.
    Overflow(Overflow),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("the algorithm has no such command"),
            Self::Invalid(why) => f.write_str(why),
            Self::Overflow(overflow) => overflow.fmt(f),
        }
    }
}

impl From<Overflow> for Refusal {
    fn from(overflow: Overflow) -> Self {
        Self::Overflow(overflow)
    }
}

/// An algorithm, as one of the processes that run it.
pub trait Process: Clone + fmt::Debug + Eq + Hash + Send + Sync + Sized + 'static {
    /// The messages of the algorithm.
    type Message: Message;

    /// What all processes of a run are told before they start: an injected bug, the parameters of the algorithm.
    type Settings: Clone + fmt::Debug + Send + Sync + 'static;

    /// The process `me` in a group of N.
    fn new(me: ProcessId, processes: usize, settings: &Self::Settings) -> Self;

    /// Whether a receive event moves the clock past the message's time (IR2b): always, but with a bug that leaves it out.
    fn advances_past_messages(_settings: &Self::Settings) -> bool {
        true
    }

    /// Starts the process.
    ///
    /// # Errors
    /// At the end of the clock's range, as all of these: then the process can have no further event.
    fn start(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// Whether it does something before it receives a message that has arrived.
    const ACTS_BEFORE_RECEIVING: bool = false;

    /// A message has arrived, and is received next: what the process does before that event, whose meaning it returns. A snapshot
    /// records the state before the message that causes it.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn before_receiving(
        &mut self,
        _from: ProcessId,
        _message: &Stamped<Self::Message>,
        _out: &mut Outbox<'_, Self::Message>,
    ) -> Result<Option<Meaning>, Overflow> {
        Ok(None)
    }

    /// Receives a message.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Self::Message>,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow>;

    /// The timer of this kind has expired, and is not set any more.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn timer(
        &mut self,
        kind: TimerKind,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow>;

    /// Whether it has a failure detector.
    const DETECTS: bool = false;

    /// Whether it reads a hardware clock.
    const READS_CLOCK: bool = false;

    /// Its failure detector suspects another process, or trusts it again; the event with that is before what it does.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn detect(
        &mut self,
        _detection: Detection,
        _out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow> {
        Ok(())
    }

    /// Handles a command.
    ///
    /// # Errors
    /// When the process rejects it.
    fn command(
        &mut self,
        command: Command,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal>;

    /// Whether no operation of this process, and none that it coordinates, is unfinished.
    fn idle(&self) -> bool;

    /// The process's queue, and what it waits for: a line for each entry, in their order.
    fn queue(&self, names: &Names) -> Vec<String>;
}

/// A process with its clock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Clocked<P> {
    /// The process's id.
    pub me: ProcessId,
    /// The process's clock.
    pub clock: LamportClock,
    /// The algorithm.
    pub process: P,
    /// What its hardware clock shows at the next input, if it reads one.
    pub reading: Reading,
    /// Whether a receive event moves the clock past the message's time (IR2b).
    advances: bool,
}

/// Without the hardware clock of a process that reads none.
impl<P: Process> Hash for Clocked<P> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (self.me, &self.clock, &self.process, self.advances).hash(hasher);
        if P::READS_CLOCK {
            self.reading.hash(hasher);
        }
    }
}

impl<P: Process> Clocked<P> {
    /// The process `me` in a group of N, with its clock at 0.
    pub fn new(me: ProcessId, processes: usize, settings: &P::Settings) -> Self {
        Self {
            me,
            clock: LamportClock::new(),
            process: P::new(me, processes, settings),
            reading: Reading::default(),
            advances: P::advances_past_messages(settings),
        }
    }

    /// Starts the process.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn start(&mut self, actions: &mut Vec<Action<P::Message>>) -> Result<(), Overflow> {
        self.drive(actions, P::start)
    }

    /// A message has arrived: what the process does before it receives it. Returns the meaning of the receive event. The clock
    /// moves up to the message's time first, as what the process does depends on the message.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn before_receiving(
        &mut self,
        from: ProcessId,
        message: &Stamped<P::Message>,
        actions: &mut Vec<Action<P::Message>>,
    ) -> Result<Option<Meaning>, Overflow> {
        if !P::ACTS_BEFORE_RECEIVING {
            return Ok(None);
        }
        if self.advances && message.time > self.clock.time() {
            self.clock = LamportClock::at(message.time);
        }
        self.drive(actions, |process, out| {
            process.before_receiving(from, message, out)
        })
    }

    /// Receives a message: the clock moves past the message's time (IR2b) before the process handles it. Returns the time
    /// of the receive event; the actions follow it.
    ///
    /// # Errors
    /// At the end of the clock's range. When the clock cannot move past the message's time, the message is not received.
    pub fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<P::Message>,
        actions: &mut Vec<Action<P::Message>>,
    ) -> Result<u64, Overflow> {
        let received = if self.advances {
            self.clock.receive(message.time)?
        } else {
            self.clock.tick()?
        };
        self.drive(actions, |process, out| process.receive(from, message, out))?;
        Ok(received)
    }

    /// The timer of this kind has expired.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn timer(
        &mut self,
        kind: TimerKind,
        actions: &mut Vec<Action<P::Message>>,
    ) -> Result<(), Overflow> {
        self.drive(actions, |process, out| process.timer(kind, out))
    }

    /// The failure detector suspects another process, or trusts it again: an event, which the process handles.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn detect(
        &mut self,
        detection: Detection,
        actions: &mut Vec<Action<P::Message>>,
    ) -> Result<(), Overflow> {
        self.drive(actions, |process, out| {
            out.local(Meaning::Detect(detection))?;
            process.detect(detection, out)
        })
    }

    /// Handles a command.
    ///
    /// # Errors
    /// When the process rejects it.
    pub fn command(
        &mut self,
        command: Command,
        actions: &mut Vec<Action<P::Message>>,
    ) -> Result<(), Refusal> {
        self.drive(actions, |process, out| process.command(command, out))
    }

    fn drive<T>(
        &mut self,
        actions: &mut Vec<Action<P::Message>>,
        step: impl FnOnce(&mut P, &mut Outbox<'_, P::Message>) -> T,
    ) -> T {
        let mut out = Outbox {
            me: self.me,
            clock: &mut self.clock,
            reading: self.reading,
            actions,
        };
        step(&mut self.process, &mut out)
    }
}
