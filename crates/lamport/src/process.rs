//! What an algorithm of this lab is: a [`Process`], a state machine that is told what happens and answers by an
//! [`Outbox`]. It has no sockets, threads, randomness or time of its own, so whatever drives it (the simulator, real
//! sockets) drives the very same code.
//!
//! Between a process and whoever drives it stands [`Clocked`], the layer that van Steen & Tanenbaum (Distributed
//! Systems, section "Logical clocks") put the clock in: it moves the clock at every event and stamps every message.

use std::{fmt, hash::Hash};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    algorithms::Bug,
    clock::{LamportClock, Overflow, Timestamp},
};

/// A process by its number, from 0; shown as p1, p2, … where nobody gave it another name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ProcessId(pub u16);

impl ProcessId {
    /// Its place in a list of all processes.
    pub fn index(self) -> usize {
        self.0.into()
    }

    /// The process at this place in a list of all.
    ///
    /// # Panics
    /// Beyond the 65,536th.
    pub fn at(index: usize) -> Self {
        Self(index.try_into().expect("there are not so many processes"))
    }

    /// All of so many processes but this one.
    pub fn others(self, processes: usize) -> impl Iterator<Item = Self> {
        Self::all(processes).filter(move |other| *other != self)
    }

    /// So many processes, from the first.
    pub fn all(processes: usize) -> impl Iterator<Item = Self> + Clone {
        (0..processes).map(Self::at)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", u32::from(self.0) + 1)
    }
}

/// What the processes are called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names(Vec<String>);

impl Names {
    /// p1, p2, … as many as there are.
    pub fn numbered(processes: usize) -> Self {
        Self(
            ProcessId::all(processes)
                .map(|process| process.to_string())
                .collect(),
        )
    }

    /// These, in the order that everybody sorts them in: shorter ones first (so p2 before p10), then by their letters.
    /// A name that two have is returned instead.
    ///
    /// # Errors
    /// The name that is there twice.
    pub fn sorted(mut names: Vec<String>) -> Result<Self, String> {
        names.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(pair[0].clone()),
            None => Ok(Self(names)),
        }
    }

    /// The name of this process.
    pub fn of(&self, process: ProcessId) -> &str {
        self.0.get(process.index()).map_or("?", String::as_str)
    }

    /// The process of this name.
    pub fn process(&self, name: &str) -> Option<ProcessId> {
        self.0.iter().position(|own| own == name).map(ProcessId::at)
    }

    /// All names, by number.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many processes there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// What processes say to each other.
pub trait Message:
    Clone + fmt::Debug + Eq + Hash + Serialize + DeserializeOwned + Send + 'static
{
    /// The word for what kind of message it is: `request`.
    fn word(&self) -> &'static str;

    /// What it says beside that, for people; empty when nothing.
    fn text(&self) -> String {
        String::new()
    }
}

/// A message as it travels: with the time of the event of sending it (IR2a).
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Stamped<M> {
    /// The sender's time.
    pub time: u64,
    /// The message.
    pub content: M,
}

impl<M> Stamped<M> {
    /// The timestamp of its sending by this process.
    pub fn stamp(&self, from: ProcessId) -> Timestamp {
        Timestamp {
            time: self.time,
            process: from,
        }
    }
}

/// Whom a message is for. One that is for all is sent in one event, as in Lamport's paper, whatever number of copies the
/// network carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum To {
    /// Everybody else.
    All,
    /// One other process.
    One(ProcessId),
}

impl To {
    /// The receivers among so many processes, when this one sends.
    pub fn receivers(self, from: ProcessId, processes: usize) -> impl Iterator<Item = ProcessId> {
        from.others(processes)
            .filter(move |other| self == Self::All || self == Self::One(*other))
    }
}

/// What an event means to the algorithm: what is checked in the end.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Deed {
    /// It asks for the critical section; the event's timestamp is the request's.
    Request,
    /// It enters the critical section for its request of this timestamp.
    Enter(Timestamp),
    /// It leaves it.
    Leave(Timestamp),
    /// It multicasts this; the event's timestamp is the multicast's.
    Multicast(String),
    /// It delivers the multicast of this timestamp to its application, which then says this.
    Deliver(Timestamp, String),
    /// Something that concerns it alone.
    Local(String),
}

/// Why a process wants to be woken; how long that takes is the driver's to choose.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Pause {
    /// Until its application wants the next thing: left out when it is to begin nothing more.
    Think,
    /// Until its work in the critical section is done.
    Work,
}

/// One thing that a process does.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Act<M> {
    /// An event happens.
    Event {
        /// The clock's time after it.
        time: u64,
        /// What it means.
        deed: Option<Deed>,
        /// The message that is sent in it.
        send: Option<(To, M)>,
    },
    /// It wants its timer to go off; a new wish takes the place of an old one.
    Pause(Pause),
}

/// Where a process puts what it does. Each event moves the clock (IR1), and what is sent has its time.
#[derive(Debug)]
pub struct Outbox<'a, M> {
    me: ProcessId,
    clock: &'a mut LamportClock,
    acts: &'a mut Vec<Act<M>>,
}

impl<M> Outbox<'_, M> {
    /// Something happens that no message goes with.
    ///
    /// # Errors
    /// At the end of the clock's range, as all of these.
    pub fn local(&mut self, deed: Deed) -> Result<Timestamp, Overflow> {
        self.event(Some(deed), None)
    }

    /// A message is sent.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn send(&mut self, to: To, message: M) -> Result<Timestamp, Overflow> {
        self.event(None, Some((to, message)))
    }

    /// A message is sent, and that is what the event means.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn send_as(&mut self, deed: Deed, to: To, message: M) -> Result<Timestamp, Overflow> {
        self.event(Some(deed), Some((to, message)))
    }

    /// The timer shall go off.
    pub fn pause(&mut self, pause: Pause) {
        self.acts.push(Act::Pause(pause));
    }

    fn event(&mut self, deed: Option<Deed>, send: Option<(To, M)>) -> Result<Timestamp, Overflow> {
        let time = self.clock.tick()?;
        self.acts.push(Act::Event { time, deed, send });
        Ok(Timestamp {
            time,
            process: self.me,
        })
    }
}

/// What a person, or an application, asks of a process.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// Something happens here.
    Local,
    /// Send this text.
    Send(ProcessId, String),
    /// Ask for the critical section.
    Lock,
    /// Leave it.
    Unlock,
    /// Multicast this.
    Multicast(String),
}

/// Why a process does not do what it was asked to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The algorithm has no such thing.
    Unknown,
    /// Not now, or not so.
    No(String),
    /// Its clock is at the end of its range.
    Overflow(Overflow),
}

impl From<Overflow> for Refusal {
    fn from(overflow: Overflow) -> Self {
        Self::Overflow(overflow)
    }
}

/// An algorithm, as one of the processes that run it.
pub trait Process: Clone + fmt::Debug + Eq + Hash + Send + Sized + 'static {
    /// What the processes say to each other.
    type Message: Message;

    /// The process `me` of so many, with a mistake put in where one is wanted.
    fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self;

    /// The run begins.
    ///
    /// # Errors
    /// At the end of the clock's range, as all of these: then the process can do nothing more.
    fn start(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// A message has come.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Self::Message>,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow>;

    /// The timer has gone off: it does its application's next step.
    ///
    /// # Errors
    /// At the end of the clock's range.
    fn timer(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// Somebody asks something of it.
    ///
    /// # Errors
    /// When it does not do it.
    fn command(
        &mut self,
        command: Command,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal>;

    /// Whether nothing that it began, or holds for others, is unfinished.
    fn idle(&self) -> bool;

    /// What waits in it, in words, the first first; what it waits for.
    fn queue(&self, names: &Names) -> Vec<String>;
}

/// A process with its clock.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Clocked<P> {
    /// Which process it is.
    pub me: ProcessId,
    /// Its clock.
    pub clock: LamportClock,
    /// The algorithm.
    pub process: P,
    /// Whether a receipt moves the clock past the message's time, as it must.
    advances: bool,
}

impl<P: Process> Clocked<P> {
    /// The process `me` of so many, its clock at 0.
    pub fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            me,
            clock: LamportClock::new(),
            process: P::new(me, processes, bug),
            advances: bug != Some(Bug::NoAdvance),
        }
    }

    /// The run begins.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn start(&mut self, acts: &mut Vec<Act<P::Message>>) -> Result<(), Overflow> {
        self.drive(acts, P::start)
    }

    /// A message has come: the clock moves past its time (IR2b) before the process sees it. The acts begin after the
    /// event of receiving, whose time is what this returns.
    ///
    /// # Errors
    /// At the end of the clock's range. When the clock cannot move past the message's time, nothing has happened.
    pub fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<P::Message>,
        acts: &mut Vec<Act<P::Message>>,
    ) -> Result<u64, Overflow> {
        let received = if self.advances {
            self.clock.receive(message.time)?
        } else {
            self.clock.tick()?
        };
        self.drive(acts, |process, out| process.receive(from, message, out))?;
        Ok(received)
    }

    /// The timer has gone off.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn timer(&mut self, acts: &mut Vec<Act<P::Message>>) -> Result<(), Overflow> {
        self.drive(acts, P::timer)
    }

    /// Somebody asks something of it.
    ///
    /// # Errors
    /// When it does not do it.
    pub fn command(
        &mut self,
        command: Command,
        acts: &mut Vec<Act<P::Message>>,
    ) -> Result<(), Refusal> {
        self.drive(acts, |process, out| process.command(command, out))
    }

    fn drive<T>(
        &mut self,
        acts: &mut Vec<Act<P::Message>>,
        step: impl FnOnce(&mut P, &mut Outbox<'_, P::Message>) -> T,
    ) -> T {
        let mut out = Outbox {
            me: self.me,
            clock: &mut self.clock,
            acts,
        };
        step(&mut self.process, &mut out)
    }
}
