//! The interface of an algorithm: a [`Process`] is a state machine that reacts to inputs and puts its actions into an
//! [`Outbox`]. It has no sockets, threads, randomness or time of its own, so that the simulator, the model checker and
//! the real sockets drive the same code.
//!
//! Between a process and its driver stands [`Clocked`](clocked::Clocked), the layer into which van Steen & Tanenbaum (Distributed Systems,
//! section "Logical clocks") put the clock: it advances the clock at every event and timestamps every message.
//!
//! | module | job |
//! | --- | --- |
//! | [`clock`], [`ids`], [`timers`] | Lamport's clock; processes and their names; which timers are set |
//! | `meaning`, `outbox`, `clocked` | what an event means; the actions of a process; a process with its clock |
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
pub mod clocked;
pub mod detector;
pub mod engine;
pub mod fault_event;
#[cfg(feature = "simulation")]
pub mod faults;
pub mod happened_before;
pub mod ids;
mod meaning;
#[cfg(feature = "node")]
pub mod node;
mod outbox;
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

use std::{fmt, hash::Hash};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::{
    clock::{Overflow, Timestamp},
    detector::Detection,
    ids::{Names, ProcessId},
};
pub use self::{
    meaning::{Meaning, Outcome, Value},
    outbox::{Action, Outbox, TimerKind, To},
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
