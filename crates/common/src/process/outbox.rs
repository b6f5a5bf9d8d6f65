//! The actions of a process, as it puts them into its outbox.

use super::{
    clock::{LamportClock, Overflow, Timestamp},
    ids::ProcessId,
    meaning::Meaning,
    physical::{ClockAction, ClockEvent, Reading, SoftwareClock},
};

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
    pub(super) me: ProcessId,
    pub(super) clock: &'a mut LamportClock,
    pub(super) reading: Reading,
    pub(super) actions: &'a mut Vec<Action<M>>,
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

    /// What the hardware clock shows, in nanoseconds; only of processes that [read one](super::Process::READS_CLOCK).
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
