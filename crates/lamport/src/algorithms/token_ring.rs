//! Mutual exclusion by a token (van Steen & Tanenbaum, Distributed Systems, "A token-ring algorithm"; Le Lann 1977,
//! "Distributed Systems: Towards a Formal Approach"): the token goes round in a logical ring, and the process that has it may
//! enter. A process that does not want to enter passes it on when its timer of periodic work expires.
//! A token that is lost is made anew, as `regeneration` describes.

mod message;
mod regeneration;
mod words;

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};

use super::critical_section::{CriticalSection, CriticalSectionUser};
use crate::bug::{self, Bug};

pub use self::message::{Generation, Payload};

/// A process in the ring, which repeatedly requests the critical section.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct TokenRing {
    me: ProcessId,
    processes: usize,
    bug: Option<Bug>,
    /// This process's state with respect to the critical section.
    state: CriticalSection,
    /// Whether it has the token.
    has_token: bool,
    /// The latest generation that it knows; it discards tokens of earlier ones.
    generation: Generation,
    /// Whether it waits for its regeneration round to come back.
    regenerates: bool,
    /// How many rounds it has sent since it had the token last, and how many waits it lets end before the next one: twice as
    /// many each time, so that in the end a round comes back before.
    rounds: u8,
    patience: u16,
    /// The processes that its failure detector suspects: the ring leaves them out.
    suspected: Suspected,
}

impl TokenRing {
    /// The next process in the ring; this one itself if it is the only one.
    fn successor(&self) -> ProcessId {
        let place = |steps| ProcessId::at((self.me.index() + steps) % self.processes);
        let mut others = (1..=self.processes).map(place);
        let next = others.find(|other| !self.suspected.contains(*other));
        next.unwrap_or(self.me)
    }

    /// Has the token from now on: enters, or keeps it until the timer of periodic work expires.
    fn take_token(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.has_token = true;
        (self.regenerates, self.rounds, self.patience) = (false, 0, 0);
        match self.state {
            CriticalSection::Waiting(_) => {
                out.clear_timer(TimerKind::Timeout);
                self.state.enter(out)?;
            }
            CriticalSection::Outside if self.successor() != self.me => {
                out.set_timer(TimerKind::Maintain);
            }
            _ => {}
        }
        Ok(())
    }

    /// Passes the token on, if it has it and is not the only process.
    fn pass(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let next = self.successor();
        if next != self.me && std::mem::take(&mut self.has_token) {
            out.send(To::One(next), Payload::Token(self.generation))?;
        }
        Ok(())
    }
}

impl CriticalSectionUser for TokenRing {
    type Message = Payload;

    fn critical_section(&self) -> CriticalSection {
        self.state
    }

    fn request(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.state = CriticalSection::Waiting(out.local(Meaning::Request)?);
        if self.has_token || self.bug == Some(Bug::NoAcknowledgement) {
            out.clear_timer(TimerKind::Maintain);
            return self.state.enter(out);
        }
        out.set_timer(TimerKind::Timeout);
        Ok(())
    }

    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.state = CriticalSection::Outside;
        out.local(Meaning::Exit(request))?;
        out.set_timer(TimerKind::Think);
        match self.bug {
            Some(Bug::KeepToken) => Ok(()),
            _ => self.pass(out),
        }
    }
}

impl Process for TokenRing {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            processes,
            bug: *bug,
            state: CriticalSection::Outside,
            has_token: false,
            generation: Generation(0, ProcessId(0)),
            regenerates: false,
            rounds: 0,
            patience: 0,
            suspected: Suspected::default(),
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Think);
        if self.me == self.generation.1 {
            self.take_token(out)?;
        }
        Ok(())
    }

    fn receive(
        &mut self,
        _: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message.content {
            Payload::Token(generation) if generation >= self.generation => {
                self.generation = generation;
                self.take_token(out)
            }
            Payload::Token(_) => Ok(()),
            Payload::Regenerate(generation) => self.round(generation, out),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match (kind, self.state) {
            (TimerKind::Maintain, CriticalSection::Outside) => self.pass(out),
            (TimerKind::Timeout, CriticalSection::Waiting(_)) => {
                out.set_timer(TimerKind::Timeout);
                self.waited(out)
            }
            _ => self.next(kind, out),
        }
    }

    const DETECTS: bool = true;

    fn detect(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.notice(detection, out)
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.handle_command(command, out)
    }

    fn idle(&self) -> bool {
        self.state == CriticalSection::Outside
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        self.words(names)
    }
}

/// No process compares times.
impl Relevance for TokenRing {
    fn forget(&mut self) {
        self.state.forget_times();
    }
}
