//! The state of a process with respect to the critical section, the same for all algorithms of mutual exclusion: it
//! requests the critical section, waits, is inside, and exits.

use common::process::{
    Command, Meaning, Message, Outbox, Refusal, TimerKind,
    check::relevance::{Use, Visit},
    clock::{Overflow, Timestamp},
};

/// The state of a process with respect to the critical section.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub(super) enum CriticalSection {
    /// It has not requested the critical section.
    #[default]
    Outside,
    /// It has sent the request with this timestamp, and waits.
    Waiting(Timestamp),
    /// It is in the critical section, granted by this request.
    Inside(Timestamp),
}

impl CriticalSection {
    /// Enters the critical section, if the process waits for it; the timer ends the application's work in it.
    pub(super) fn enter<M>(&mut self, out: &mut Outbox<'_, M>) -> Result<(), Overflow> {
        if let Self::Waiting(request) = *self {
            *self = Self::Inside(request);
            out.local(Meaning::Enter(request))?;
            out.set_timer(TimerKind::Work);
        }
        Ok(())
    }

    /// Forgets the time of a request that is granted.
    pub(super) fn forget(&mut self) {
        if let Self::Inside(request) = self {
            request.time = 0;
        }
    }

    /// Forgets the time of the request: no process compares times.
    pub(super) fn forget_times(&mut self) {
        if let Self::Waiting(request) | Self::Inside(request) = self {
            request.time = 0;
        }
    }

    /// Visits the time of a request that waits.
    pub(super) fn times(&mut self, visit: Visit<'_>) {
        if let Self::Waiting(request) = self {
            visit(&mut request.time, Use::Compared);
        }
    }

    /// The request, and the state in words.
    pub(super) fn words(self) -> Option<(Timestamp, &'static str)> {
        match self {
            Self::Outside => None,
            Self::Waiting(request) => Some((request, "waiting")),
            Self::Inside(request) => Some((request, "in the critical section")),
        }
    }
}

/// A process that requests the critical section and exits it.
pub(super) trait CriticalSectionUser {
    type Message: Message;

    /// The process's state.
    fn critical_section(&self) -> CriticalSection;

    /// Requests the critical section.
    fn request(&mut self, out: &mut Outbox<'_, Self::Message>) -> Result<(), Overflow>;

    /// Exits the critical section that was granted by this request.
    fn release(
        &mut self,
        request: Timestamp,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow>;

    /// The application's next step, when its timer of this kind has expired.
    fn next(
        &mut self,
        kind: TimerKind,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Overflow> {
        match (kind, self.critical_section()) {
            (TimerKind::Think, CriticalSection::Outside) => self.request(out),
            (TimerKind::Work, CriticalSection::Inside(request)) => self.release(request, out),
            _ => Ok(()),
        }
    }

    /// Handles a person's command.
    fn handle_command(
        &mut self,
        command: Command,
        out: &mut Outbox<'_, Self::Message>,
    ) -> Result<(), Refusal> {
        let why = match (command, self.critical_section()) {
            (Command::Lock, CriticalSection::Outside) => return Ok(self.request(out)?),
            (Command::Unlock, CriticalSection::Inside(request)) => {
                return Ok(self.release(request, out)?);
            }
            (Command::Unlock, CriticalSection::Outside) => {
                "not in the critical section: type lock to request it"
            }
            (Command::Lock | Command::Unlock, CriticalSection::Waiting(_)) => {
                "still waiting for the critical section"
            }
            (Command::Lock, CriticalSection::Inside(_)) => {
                "already in the critical section: type unlock to exit it"
            }
            _ => return Err(Refusal::Unknown),
        };
        Err(Refusal::Invalid(why.to_owned()))
    }
}
