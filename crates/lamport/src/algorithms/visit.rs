//! A process's way through the critical section, whatever the algorithm that lets it in: it asks, waits, is inside, and
//! leaves.

use crate::{
    clock::{Overflow, Timestamp},
    process::{Command, Deed, Message, Outbox, Pause, Refusal},
};

/// Where a process is on its way.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum Visit {
    /// It wants nothing.
    #[default]
    Outside,
    /// It has asked, by the request of this timestamp.
    Waits(Timestamp),
    /// It is in the critical section.
    Inside(Timestamp),
}

impl Visit {
    /// It enters, if it waits: its application has the critical section for a while.
    pub(super) fn enter<M>(&mut self, out: &mut Outbox<'_, M>) -> Result<(), Overflow> {
        if let Self::Waits(request) = *self {
            *self = Self::Inside(request);
            out.local(Deed::Enter(request))?;
            out.pause(Pause::Work);
        }
        Ok(())
    }

    /// What it is about, for people.
    pub(super) fn words(self) -> Option<(Timestamp, &'static str)> {
        match self {
            Self::Outside => None,
            Self::Waits(request) => Some((request, "waits")),
            Self::Inside(request) => Some((request, "is in the critical section")),
        }
    }
}

/// A process that asks for the critical section and leaves it.
pub(super) trait Visitor {
    type Message: Message;

    /// Where it is.
    fn visit(&self) -> Visit;

    /// It asks.
    fn request(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// It leaves, as it was inside by this request.
    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow>;

    /// What its application wants next.
    fn next(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow> {
        match self.visit() {
            Visit::Outside => self.request(out),
            Visit::Waits(_) => Ok(()),
            Visit::Inside(request) => self.release(request, out),
        }
    }

    /// What somebody asks of it.
    fn obey(
        &mut self,
        command: Command,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal> {
        let why = match (command, self.visit()) {
            (Command::Lock, Visit::Outside) => return Ok(self.request(out)?),
            (Command::Unlock, Visit::Inside(request)) => return Ok(self.release(request, out)?),
            (Command::Unlock, Visit::Outside) => {
                "it has not asked for the critical section; lock asks"
            }
            (Command::Lock | Command::Unlock, Visit::Waits(_)) => {
                "it has asked for the critical section, and waits for it"
            }
            (Command::Lock, Visit::Inside(_)) => "it is in the critical section; unlock leaves",
            _ => return Err(Refusal::Unknown),
        };
        Err(Refusal::No(why.to_owned()))
    }
}
