//! What happened at all: a property that nothing exercised is open, and not ok.

use std::{
    ops::{BitOr, BitOrAssign},
    sync::atomic::{AtomicU64, Ordering},
};

use crate::process::{
    Meaning, ids::ProcessId, physical::ClockAction, property::Property, run_event::MessageAction,
};

/// What happened in a run, or on any path of a search: a set, one bit for each thing that a property is about.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Exercise(u64);

/// The processes that entered, a bit for each, from this bit on.
const ENTERED: u32 = 16;

/// The processes that delivered.
const DELIVERED: u32 = 40;

/// The bits for processes; the last one is for all further processes.
const PROCESSES: usize = 23;

impl Exercise {
    /// A message was sent.
    pub const SENT: Self = Self(1);
    /// A message was received.
    pub const RECEIVED: Self = Self(1 << 1);
    /// A process requested the critical section.
    pub const REQUESTED: Self = Self(1 << 2);
    /// Two entries followed each other, so that their requests could be compared.
    pub const ENTRIES_COMPARED: Self = Self(1 << 3);
    /// A process multicast.
    pub const MULTICAST: Self = Self(1 << 4);
    /// A multicast was delivered that another one had happened before.
    pub const CAUSE_DELIVERED: Self = Self(1 << 5);
    /// A process looked up a name.
    pub const LOOKED_UP: Self = Self(1 << 6);
    /// A look-up ended.
    pub const FOUND: Self = Self(1 << 7);

    /// An election was started.
    pub const ELECTED: Self = Self(1 << 8);
    /// A process agreed on a leader.
    pub const LED: Self = Self(1 << 9);
    /// A transaction began.
    pub const BEGUN: Self = Self(1 << 10);
    /// A process decided on a transaction.
    pub const DECIDED: Self = Self(1 << 11);
    /// A process asked for the time.
    pub const POLLED: Self = Self(1 << 39);
    /// A process adjusted its clock.
    pub const ADJUSTED: Self = Self(1 << 15);

    /// A process initiated a snapshot, or recorded its state for one.
    pub const RECORDED: Self = Self(1 << 12);
    /// A snapshot was completed.
    pub const COMPLETED: Self = Self(1 << 13);
    /// A process received a transfer of money.
    pub const CREDITED: Self = Self(1 << 14);

    /// An event with this meaning.
    #[inline]
    pub fn of_meaning(process: ProcessId, meaning: &Meaning) -> Self {
        let by = |first: u32| Self(1 << (first as usize + process.index().min(PROCESSES - 1)));
        match meaning {
            Meaning::Request => Self::REQUESTED,
            Meaning::Enter(_) => by(ENTERED),
            Meaning::Multicast(_) => Self::MULTICAST,
            Meaning::Deliver(..) => by(DELIVERED),
            Meaning::LookUp(_) => Self::LOOKED_UP,
            Meaning::Found(..) => Self::FOUND,
            Meaning::Elect => Self::ELECTED,
            Meaning::Leader(_) => Self::LED,
            Meaning::Begin(_) => Self::BEGUN,
            Meaning::Decide(..) => Self::DECIDED,
            Meaning::Record(..) => Self::RECORDED,
            Meaning::Complete(..) => Self::COMPLETED,
            Meaning::Credit(..) => Self::CREDITED,
            Meaning::Clock(clock) => match clock.action {
                ClockAction::Poll => Self::POLLED,
                ClockAction::Adjust { .. } => Self::ADJUSTED,
                _ => Self::default(),
            },
            _ => Self::default(),
        }
    }

    /// An event that does this with messages.
    #[inline]
    pub fn of_message(action: &MessageAction) -> Self {
        match action {
            MessageAction::Send { .. } => Self::SENT,
            MessageAction::Receive { .. } => Self::RECEIVED,
            MessageAction::Local => Self::default(),
        }
    }

    #[inline]
    fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// How many processes have a bit from `first` on.
    fn processes(self, first: u32) -> u32 {
        (self.0 >> first & ((1 << PROCESSES) - 1)).count_ones()
    }

    /// Why the property says nothing about what happened; None if it was exercised.
    pub fn lacks(self, property: Property) -> Option<&'static str> {
        let unless = |has: bool, why| (!has).then_some(why);
        let entered = self.processes(ENTERED);
        let delivered = self.processes(DELIVERED);
        // The log of a sender may be missing.
        let has_multicast = self.has(Self::MULTICAST) || delivered > 0;
        let multicast = unless(has_multicast, "no process multicast anything");
        let delivery = unless(delivered > 0, "no process delivered anything");
        match property {
            Property::Clocks | Property::Channels => match self.has(Self::RECEIVED) {
                true => None,
                false if self.has(Self::SENT) => Some("no message was received"),
                false => Some("no message was sent"),
            },
            Property::MutualExclusion | Property::TimestampOrder if entered == 0 => {
                Some("no process entered the critical section")
            }
            Property::MutualExclusion => {
                unless(entered > 1, "only one process entered the critical section")
            }
            Property::TimestampOrder => unless(
                self.has(Self::ENTRIES_COMPARED),
                "the critical section was entered only once",
            ),
            Property::Granted => unless(
                self.has(Self::REQUESTED),
                "no process requested the critical section",
            ),
            Property::AllDelivered => multicast,
            Property::OneLeader => unless(self.has(Self::LED), "no process agreed on a leader"),
            // The log of the process that started it may be missing.
            Property::Agreement if self.has(Self::LED) => None,
            Property::Agreement => unless(self.has(Self::ELECTED), "no election was started"),
            Property::Decided | Property::Atomicity => match self.has(Self::BEGUN) {
                false => Some("no transaction began"),
                true => unless(self.has(Self::DECIDED), "no process decided"),
            },
            Property::ConsistentCut => match self.has(Self::RECORDED) {
                false => Some("no snapshot was initiated"),
                true => unless(self.has(Self::CREDITED), "no transfer was received"),
            },
            Property::Conserved | Property::Completed if !self.has(Self::RECORDED) => {
                Some("no snapshot was initiated")
            }
            Property::Conserved => unless(self.has(Self::COMPLETED), "no snapshot was completed"),
            Property::ClockError
            | Property::ClockSkew
            | Property::Outliers
            | Property::ClockMonotonic => {
                unless(self.has(Self::ADJUSTED), "no process adjusted its clock")
            }
            // The log of the process that asked may be missing.
            Property::Synchronized if self.has(Self::ADJUSTED) => None,
            Property::Synchronized => {
                unless(self.has(Self::POLLED), "no process asked for the time")
            }
            Property::LookUpsEnd => {
                unless(self.has(Self::LOOKED_UP), "no process looked up a name")
            }
            Property::LookUpsRight if self.has(Self::LOOKED_UP) => {
                unless(self.has(Self::FOUND), "no look-up ended")
            }
            Property::LookUpsRight => Some("no process looked up a name"),
            Property::DeliveredOnce => multicast.or(delivery),
            Property::SameSequence => multicast
                .or(delivery)
                .or(unless(delivered > 1, "only one process delivered anything")),
            Property::CausalOrder => multicast.or(delivery).or(unless(
                self.has(Self::CAUSE_DELIVERED),
                "no multicast happened before another that was delivered",
            )),
            _ => None,
        }
    }
}

impl BitOr for Exercise {
    type Output = Self;

    #[inline]
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Exercise {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// What happened on the paths of all threads of a search.
#[derive(Debug, Default)]
pub struct SharedExercise(AtomicU64);

impl SharedExercise {
    /// Adds what happened in one step.
    #[inline]
    pub fn add(&self, step: Exercise) {
        // Nearly always known, and reading takes the line of the cache from no other processor.
        if self.0.load(Ordering::Relaxed) & step.0 != step.0 {
            self.0.fetch_or(step.0, Ordering::Relaxed);
        }
    }

    /// What happened so far.
    pub fn so_far(&self) -> Exercise {
        Exercise(self.0.load(Ordering::Relaxed))
    }
}
