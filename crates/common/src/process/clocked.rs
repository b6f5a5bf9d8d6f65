//! A process with its clock, which advances at every event and timestamps every message.

use std::hash::{Hash, Hasher};

use super::{
    Action, Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind,
    clock::{LamportClock, Overflow},
    detector::Detection,
    ids::ProcessId,
    physical::Reading,
};

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
