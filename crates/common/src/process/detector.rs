//! Failure detectors (Chandra & Toueg, "Unreliable failure detectors for reliable distributed systems", 1996): what tells a
//! process which of the others have crashed. A process that has one ([`Process::DETECTS`](super::Process::DETECTS)) gets each
//! change as an input, and has an event with it.
//!
//! | detector | who has it | a process that crashed | a process that lives |
//! | --- | --- | --- | --- |
//! | perfect | the simulator and the model checker, which know the crashes | is suspected by all in the end | is not suspected |
//! | eventually perfect | [`Heartbeats`]: real processes, and the simulator if it is asked to; the model checker with wrong suspicions | the same | is suspected by none in the end |

#[cfg(all(test, feature = "check", feature = "simulation"))]
mod tests;

use std::time::Duration;

use super::ids::ProcessId;

/// The time between two heartbeats.
pub const HEARTBEAT: Duration = Duration::from_millis(100);

/// How long a process may be silent before the first suspicion. Each that was wrong makes it longer by as much, so that wrong
/// ones come to an end where delays have a bound, whatever it is.
pub const SILENCE: Duration = Duration::from_millis(500);

/// What a failure detector says of another process.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Detection {
    /// It has crashed, as far as is known.
    Suspect(ProcessId),
    /// It lives: an earlier suspicion was wrong, or it has recovered.
    Trust(ProcessId),
}

impl Detection {
    /// The other process.
    pub fn process(self) -> ProcessId {
        match self {
            Self::Suspect(process) | Self::Trust(process) => process,
        }
    }

    /// The word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Suspect(_) => "suspect",
            Self::Trust(_) => "trust",
        }
    }
}

/// The processes that a process suspects.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Suspected(Vec<ProcessId>);

impl Suspected {
    /// What the failure detector says.
    pub fn see(&mut self, detection: Detection) {
        let found = self.0.binary_search(&detection.process());
        match (detection, found) {
            (Detection::Suspect(process), Err(place)) => self.0.insert(place, process),
            (Detection::Trust(_), Ok(place)) => drop(self.0.remove(place)),
            _ => {}
        }
    }

    /// Whether this process is suspected.
    pub fn contains(&self, process: ProcessId) -> bool {
        self.0.binary_search(&process).is_ok()
    }

    /// The suspected processes, in their order.
    pub fn iter(&self) -> impl Iterator<Item = ProcessId> {
        self.0.iter().copied()
    }
}

/// An eventually perfect failure detector, if messages are not lost for ever and their delays have some bound: each process
/// sends heartbeats to all others, and suspects those from which no frame has arrived for a time.
#[derive(Debug)]
pub struct Heartbeats {
    others: Vec<Other>,
    /// When the next heartbeats are sent.
    next: Duration,
    /// When it last looked.
    looked: Duration,
}

#[derive(Debug)]
struct Other {
    process: ProcessId,
    heard: Duration,
    /// How long it may be silent.
    silence: Duration,
    suspected: bool,
}

impl Heartbeats {
    /// The detector of the process `me` in a group of N, from now on.
    pub fn new(me: ProcessId, processes: usize, now: Duration) -> Self {
        let other = |process| Other {
            process,
            heard: now,
            silence: SILENCE,
            suspected: false,
        };
        Self {
            others: me.others(processes).map(other).collect(),
            next: now,
            looked: now,
        }
    }

    /// A frame has arrived from this process.
    pub fn heard(&mut self, now: Duration, from: ProcessId) -> Option<Detection> {
        let other = self.others.iter_mut().find(|it| it.process == from)?;
        other.heard = now;
        let was_suspected = std::mem::take(&mut other.suspected);
        was_suspected.then(|| {
            other.silence += SILENCE;
            Detection::Trust(from)
        })
    }

    /// Whether heartbeats are to be sent now; and those that are suspected from now on.
    pub fn look(&mut self, now: Duration) -> (bool, Vec<Detection>) {
        // A process that was stopped itself, or had no processor, has not listened.
        let has_listened = now.saturating_sub(self.looked) < SILENCE / 2;
        self.looked = now;
        let mut suspected = Vec::new();
        for other in &mut self.others {
            if !has_listened {
                other.heard = now;
            } else if !other.suspected && now.saturating_sub(other.heard) >= other.silence {
                other.suspected = true;
                suspected.push(Detection::Suspect(other.process));
            }
        }
        let sends = now >= self.next;
        if sends {
            self.next = now + HEARTBEAT;
        }
        (sends, suspected)
    }

    /// When to look next.
    pub fn due(&self) -> Duration {
        let trusted = self.others.iter().filter(|other| !other.suspected);
        let silent = trusted.map(|other| other.heard + other.silence).min();
        silent.map_or(self.next, |silent| silent.min(self.next))
    }

    /// Whether a process that is not suspected yet has missed heartbeats.
    pub fn is_in_doubt(&self) -> bool {
        let mut trusted = self.others.iter().filter(|other| !other.suspected);
        trusted.any(|other| self.looked.saturating_sub(other.heard) > 2 * HEARTBEAT)
    }
}
