//! Mutual exclusion by a token (van Steen & Tanenbaum, Distributed Systems, "A token-ring algorithm"; Le Lann 1977,
//! "Distributed Systems: Towards a Formal Approach"): the token goes round in a logical ring, and the process that has it may
//! enter. A process that does not want to enter passes it on when its timer of periodic work expires.
//!
//! A token can be lost: with a message, or with the process that has it. A process that has waited for too long, or whose
//! failure detector suspects a process that may have had the token, sends a regeneration round through the ring. Whoever
//! passes it on promises to discard all tokens of an earlier generation; a process that has the token ends the round, and
//! the token belongs to its generation from then on. A round that comes back has met no token, and none that is late can
//! be used any more: its process makes the new one.
//!
//! That is safe however long messages take. It is safe with crashes if no process is suspected that has not crashed.

use common::process::{
    Command, Meaning, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    check::relevance::Relevance,
    clock::{Overflow, Timestamp},
    detector::{Detection, Suspected},
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::critical_section::{CriticalSection, CriticalSectionUser};
use crate::bug::{self, Bug};

/// How often the waits between two rounds are doubled.
const MOST_DOUBLED: u8 = 12;

/// The generation of a token: the rounds before it, and the process that makes it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct Generation(u64, ProcessId);

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

/// The algorithm's messages.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The receiver has the token.
    Token(Generation),
    /// Tokens of earlier generations are to be discarded, if there is none.
    Regenerate(Generation),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Regenerate(_) => "regenerate",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Token(Generation(0, _)) => String::new(),
            Self::Token(Generation(rounds, by)) | Self::Regenerate(Generation(rounds, by)) => {
                format!("generation {rounds} of {by}")
            }
        }
    }
}

impl TokenRing {
    /// The next process in the ring; this one itself if it is the only one.
    fn successor(&self) -> ProcessId {
        let places = 1..=self.processes;
        let mut others =
            places.map(|place| ProcessId::at((self.me.index() + place) % self.processes));
        let next = others.find(|other| !self.suspected.contains(*other));
        next.unwrap_or(self.me)
    }

    /// Has the token from now on: enters, or keeps it until the timer of periodic work expires.
    fn take_token(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.has_token = true;
        self.regenerates = false;
        (self.rounds, self.patience) = (0, 0);
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

    /// A wait for the token has ended without it.
    fn waited(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if self.patience > 0 {
            self.patience -= 1;
            return Ok(());
        }
        self.patience = (1 << self.rounds) - 1;
        self.rounds = (self.rounds + 1).min(MOST_DOUBLED);
        self.regenerate(out)
    }

    /// Starts a regeneration round.
    fn regenerate(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.generation = Generation(self.generation.0 + 1, self.me);
        self.regenerates = true;
        let next = self.successor();
        if next == self.me || self.bug == Some(Bug::NoRound) {
            return self.take_token(out);
        }
        out.send(To::One(next), Payload::Regenerate(self.generation))?;
        Ok(())
    }

    /// Another process's regeneration round, or this one's, comes by.
    fn round(
        &mut self,
        generation: Generation,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if generation == self.generation && generation.1 == self.me && self.regenerates {
            return self.take_token(out);
        }
        // A round whose process has crashed comes back to nobody.
        if generation > self.generation && !self.suspected.contains(generation.1) {
            self.generation = generation;
            self.regenerates = false;
            if !self.has_token {
                out.send(To::One(self.successor()), Payload::Regenerate(generation))?;
            }
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
        let request = out.local(Meaning::Request)?;
        self.state = CriticalSection::Waiting(request);
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
        match self.me == self.generation.1 {
            true => self.take_token(out),
            false => Ok(()),
        }
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

    /// The ring leaves out a process that is suspected. It may have had the token, or have been about to make one.
    fn detect(
        &mut self,
        detection: Detection,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let before = self.successor();
        self.suspected.see(detection);
        match detection {
            Detection::Suspect(other) if !self.has_token => {
                match before == other || self.generation.1 == other {
                    true => self.regenerate(out),
                    false => Ok(()),
                }
            }
            // Now there may be a process to pass the token on to.
            Detection::Trust(_) if self.has_token && self.state == CriticalSection::Outside => {
                out.set_timer(TimerKind::Maintain);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        self.handle_command(command, out)
    }

    fn idle(&self) -> bool {
        self.state == CriticalSection::Outside
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let name = names.of(self.me);
        let request = self.state.words();
        let request =
            request.map(|(request, state)| format!("{name}: request of {}, {state}", request.time));
        let token = self.has_token.then(|| format!("{name}: has the token"));
        let round = self
            .regenerates
            .then(|| format!("{name}: regeneration round"));
        request.into_iter().chain(token).chain(round).collect()
    }
}

/// No process compares times.
impl Relevance for TokenRing {
    fn forget(&mut self) {
        self.state.forget_times();
    }
}
