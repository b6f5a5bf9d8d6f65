//! The algorithms, each a [`Process`](common::process::Process) in a file of its own.
//!
//! | module | algorithm | from |
//! | --- | --- | --- |
//! | [`events`] | events and messages only | Lamport 1978 |
//! | [`mutex`] | mutual exclusion by a replicated queue of requests | Lamport 1978 |
//! | [`ricart_agrawala`] | mutual exclusion by permission of all processes | Ricart & Agrawala 1981 |
//! | [`central`] | mutual exclusion by a coordinator | van Steen & Tanenbaum, "Mutual exclusion" |
//! | [`token_ring`] | mutual exclusion by a token that goes round | van Steen & Tanenbaum, "A token-ring algorithm"; Le Lann 1977 |
//! | [`maekawa`] | mutual exclusion by quorums that share a process | Maekawa 1985, Sanders 1987 |
//! | [`total`] | totally ordered multicast, for the replicas of a [`bank`] account | van Steen & Tanenbaum, "Logical clocks" |
//! | [`bully`] | election of the highest process | Garcia-Molina 1982 |
//! | [`ring`] | election in a ring | Chang & Roberts 1979 |
//! | [`wireless`] | election of the best process in a network whose processes reach their neighbours only | Vasudevan, Kurose & Towsley 2004 |
//! | [`two_phase`] | two-phase commit | Gray 1978 |
//! | [`three_phase`] | three-phase commit | Skeen 1981 |
//! | [`snapshot`] | distributed snapshots by markers, of the [`branch`]es of a bank | Chandy & Lamport 1985 |
//! | [`vector_snapshot`] | distributed snapshots by vector time | Mattern 1989 |
//! | [`cristian`] | the time from a time server | Cristian 1989 |
//! | [`berkeley`] | the average of all clocks | Gusella & Zatti 1989 |
//! | [`ntp`] | the Network Time Protocol's four timestamps | RFC 5905 |
//! | [`causal`] | causally ordered multicast | Birman, Schiper & Stephenson 1991 |
//!
//! `driving` has the timers, loads and clocks with which drivers run them.

pub mod bank;
pub mod berkeley;
pub mod branch;
pub mod bully;
pub mod causal;
pub mod central;
pub mod commitment;
pub mod cristian;
mod critical_section;
mod driving;
mod election;
pub mod events;
pub mod maekawa;
pub mod mutex;
pub mod ntp;
#[cfg(test)]
mod old_snapshots;
pub mod ricart_agrawala;
pub mod ring;
pub mod snapshot;
pub mod three_phase;
pub mod time_client;
pub mod token_ring;
pub mod total;
pub mod two_phase;
pub mod vector_snapshot;
pub mod wireless;

use clap::ValueEnum;
use common::process::property::Property;

use crate::bug::Bug;

/// The algorithms by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Algorithm {
    /// Send, receive and local events
    Events,
    /// Lamport's mutual exclusion: request, acknowledgement, release; 3(N-1) messages an entry
    Mutex,
    /// Ricart and Agrawala's mutual exclusion: request and reply; 2(N-1) messages an entry
    RicartAgrawala,
    /// Mutual exclusion by a coordinator, p1: request, grant, release; 3 messages an entry
    Central,
    /// Mutual exclusion by a token that goes round in a ring: 1 to any number of messages an entry
    TokenRing,
    /// Maekawa's mutual exclusion by quorums: 3 to 5 messages for each other member of a quorum, of about 2√N processes
    Maekawa,
    /// Totally ordered multicast: the replicas of a bank account
    Total,
    /// Causally ordered multicast, by vector clocks
    Causal,
    /// Election of the highest process that lives: the bully algorithm
    Bully,
    /// Election of the highest process that lives, in a ring
    Ring,
    /// Election of the best process in a wireless network, over a tree of neighbours
    Wireless,
    /// Two-phase commit: votes, decision; blocked when the coordinator, p1, crashes
    TwoPhase,
    /// Three-phase commit: not blocked, if no suspicion is wrong
    ThreePhase,
    /// Chandy and Lamport's snapshots of a bank: markers, over FIFO channels
    Snapshot,
    /// Mattern's snapshots of a bank: vector time and counters, over channels in any order
    VectorSnapshot,
    /// Cristian's algorithm: clients ask the time server p1, and add half of the round trip
    Cristian,
    /// The Berkeley algorithm: the coordinator p1 averages the clocks of all that agree
    Berkeley,
    /// NTP's four timestamps: clients ask the time server p1
    Ntp,
}

/// Calls the expression with the type of an algorithm's processes.
macro_rules! with_process {
    ($algorithm:expr, $P:ident => $body:expr) => {
        match $algorithm {
            $crate::algorithms::Algorithm::Events => {
                type $P = $crate::algorithms::events::Events;
                $body
            }
            $crate::algorithms::Algorithm::Mutex => {
                type $P = $crate::algorithms::mutex::Mutex;
                $body
            }
            $crate::algorithms::Algorithm::RicartAgrawala => {
                type $P = $crate::algorithms::ricart_agrawala::RicartAgrawala;
                $body
            }
            $crate::algorithms::Algorithm::Central => {
                type $P = $crate::algorithms::central::Central;
                $body
            }
            $crate::algorithms::Algorithm::TokenRing => {
                type $P = $crate::algorithms::token_ring::TokenRing;
                $body
            }
            $crate::algorithms::Algorithm::Maekawa => {
                type $P = $crate::algorithms::maekawa::Maekawa;
                $body
            }
            $crate::algorithms::Algorithm::Total => {
                type $P = $crate::algorithms::total::Total;
                $body
            }
            $crate::algorithms::Algorithm::Causal => {
                type $P = $crate::algorithms::causal::Causal;
                $body
            }
            $crate::algorithms::Algorithm::Bully => {
                type $P = $crate::algorithms::bully::Bully;
                $body
            }
            $crate::algorithms::Algorithm::Ring => {
                type $P = $crate::algorithms::ring::Ring;
                $body
            }
            $crate::algorithms::Algorithm::Wireless => {
                type $P = $crate::algorithms::wireless::Wireless;
                $body
            }
            $crate::algorithms::Algorithm::TwoPhase => {
                type $P = $crate::algorithms::two_phase::TwoPhase;
                $body
            }
            $crate::algorithms::Algorithm::ThreePhase => {
                type $P = $crate::algorithms::three_phase::ThreePhase;
                $body
            }
            $crate::algorithms::Algorithm::Snapshot => {
                type $P = $crate::algorithms::snapshot::Snapshot;
                $body
            }
            $crate::algorithms::Algorithm::VectorSnapshot => {
                type $P = $crate::algorithms::vector_snapshot::VectorSnapshot;
                $body
            }
            $crate::algorithms::Algorithm::Cristian => {
                type $P = $crate::algorithms::cristian::Cristian;
                $body
            }
            $crate::algorithms::Algorithm::Berkeley => {
                type $P = $crate::algorithms::berkeley::Berkeley;
                $body
            }
            $crate::algorithms::Algorithm::Ntp => {
                type $P = $crate::algorithms::ntp::Ntp;
                $body
            }
        }
    };
}
pub(crate) use with_process;

impl Algorithm {
    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Mutex => "mutex",
            Self::RicartAgrawala => "ricart-agrawala",
            Self::Central => "central",
            Self::TokenRing => "token-ring",
            Self::Maekawa => "maekawa",
            Self::Total => "total",
            Self::Causal => "causal",
            Self::Bully => "bully",
            Self::Ring => "ring",
            Self::Wireless => "wireless",
            Self::TwoPhase => "two-phase",
            Self::ThreePhase => "three-phase",
            Self::Snapshot => "snapshot",
            Self::VectorSnapshot => "vector-snapshot",
            Self::Cristian => "cristian",
            Self::Berkeley => "berkeley",
            Self::Ntp => "ntp",
        }
    }

    /// The bugs that can be injected into it.
    pub fn bugs(self) -> &'static [Bug] {
        match self {
            Self::Events => &[Bug::NoAdvance],
            Self::Mutex => &[
                Bug::NoTieBreak,
                Bug::NoAcknowledgement,
                Bug::NoAdvance,
                Bug::UnfairQueue,
            ],
            Self::RicartAgrawala | Self::Total => {
                &[Bug::NoTieBreak, Bug::NoAcknowledgement, Bug::NoAdvance]
            }
            Self::Central => &[Bug::NoAcknowledgement, Bug::NoAdvance, Bug::UnfairQueue],
            Self::TokenRing => &[
                Bug::KeepToken,
                Bug::NoRound,
                Bug::NoAcknowledgement,
                Bug::NoAdvance,
            ],
            Self::Maekawa => &[
                Bug::NoRelinquish,
                Bug::NoTieBreak,
                Bug::NoAcknowledgement,
                Bug::NoAdvance,
            ],
            Self::Causal => &[Bug::NoHoldBack, Bug::NoAdvance],
            Self::Bully => &[Bug::NoAcknowledgement, Bug::NoTimeout, Bug::OldTerms],
            Self::Ring => &[Bug::NoDiscard, Bug::NoRemoval, Bug::OldTerms],
            Self::Wireless => &[Bug::NoAcknowledgement, Bug::LateParent, Bug::NoTimeout],
            Self::TwoPhase => &[Bug::NoAcknowledgement, Bug::NoBlocking, Bug::NoAdvance],
            Self::ThreePhase => &[Bug::NoAcknowledgement, Bug::NoAdvance],
            Self::Snapshot => &[Bug::NoMarker, Bug::LateRecord, Bug::NoChannelState],
            Self::VectorSnapshot => &[Bug::NoPiggyback, Bug::NoCounters],
            Self::Cristian => &[Bug::NoHalving, Bug::StaleReply, Bug::SetBack],
            Self::Berkeley => &[
                Bug::AverageOutliers,
                Bug::NoHalving,
                Bug::StaleReply,
                Bug::SetBack,
            ],
            Self::Ntp => &[Bug::WrongSign, Bug::StaleReply, Bug::SetBack],
        }
    }

    /// The properties that the model checker monitors for it. The checker models the channels itself, so they need
    /// no check.
    pub fn monitored(self) -> &'static [Property] {
        match self {
            Self::Events => &[Property::Clocks],
            Self::Mutex | Self::RicartAgrawala => &[
                Property::Clocks,
                Property::MutualExclusion,
                Property::Granted,
                Property::TimestampOrder,
            ],
            Self::Central | Self::TokenRing | Self::Maekawa => &[
                Property::Clocks,
                Property::MutualExclusion,
                Property::Granted,
            ],
            Self::Total => &[
                Property::Clocks,
                Property::SameSequence,
                Property::DeliveredOnce,
                Property::AllDelivered,
            ],
            Self::Causal => &[
                Property::Clocks,
                Property::CausalOrder,
                Property::DeliveredOnce,
                Property::AllDelivered,
            ],
            Self::Bully | Self::Ring | Self::Wireless => {
                &[Property::OneLeader, Property::Agreement]
            }
            Self::TwoPhase | Self::ThreePhase => {
                &[Property::Clocks, Property::Atomicity, Property::Decided]
            }
            Self::Snapshot | Self::VectorSnapshot => &[
                Property::ConsistentCut,
                Property::Conserved,
                Property::Completed,
            ],
            Self::Cristian | Self::Ntp => &[
                Property::ClockError,
                Property::ClockMonotonic,
                Property::Synchronized,
            ],
            Self::Berkeley => &[
                Property::ClockSkew,
                Property::Outliers,
                Property::ClockMonotonic,
                Property::Synchronized,
            ],
        }
    }

    /// The liveness property of which the model checker searches for a lasso that violates it.
    ///
    /// # Errors
    /// Why there can be none.
    pub fn lasso_property(self) -> Result<Property, &'static str> {
        match self {
            Self::Mutex
            | Self::RicartAgrawala
            | Self::Central
            | Self::TokenRing
            | Self::Maekawa => Ok(Property::Granted),
            Self::Events => Err("it has no liveness property"),
            // Terms grow with the elections, whose number is bounded; messages can go round in one.
            Self::Bully | Self::Ring | Self::Wireless => Ok(Property::Agreement),
            Self::TwoPhase | Self::ThreePhase => Err(
                "transactions are numbered, so no path comes back to an earlier state; without --liveness the final states of --count transactions are checked",
            ),
            Self::Snapshot | Self::VectorSnapshot => Err(
                "snapshots and transfers are numbered, so no path comes back to an earlier state; without --liveness the final states of --count operations are checked",
            ),
            Self::Cristian | Self::Berkeley | Self::Ntp => Err(
                "time passes, so no path comes back to an earlier state; without --liveness the final states of --count rounds are checked",
            ),
            Self::Total | Self::Causal => Err(
                "its processes count multicasts, so no path comes back to an earlier state; without --liveness the final states of --count multicasts are checked",
            ),
        }
    }

    /// The commands that a person can give to its processes.
    pub fn commands(self) -> &'static [&'static str] {
        match self {
            Self::Events => &["send PEER TEXT", "local"],
            Self::Mutex
            | Self::RicartAgrawala
            | Self::Central
            | Self::TokenRing
            | Self::Maekawa => &["lock", "unlock"],
            Self::Total => &["multicast +100", "multicast +1%"],
            Self::Causal => &["multicast TEXT"],
            Self::Bully | Self::Ring | Self::Wireless => &["elect"],
            Self::TwoPhase | Self::ThreePhase => &["begin", "commit", "abort"],
            Self::Snapshot | Self::VectorSnapshot => &["transfer PEER AMOUNT", "snapshot"],
            Self::Cristian | Self::Berkeley | Self::Ntp => &["sync"],
        }
    }

    /// Whether its processes elect a leader.
    pub fn elects(self) -> bool {
        matches!(self, Self::Bully | Self::Ring | Self::Wireless)
    }

    /// Whether its processes commit transactions.
    pub fn commits(self) -> bool {
        matches!(self, Self::TwoPhase | Self::ThreePhase)
    }

    /// Whether neither its processes nor its properties compare logical times, so that states of a model need none.
    pub fn is_timeless(self) -> bool {
        self.elects() || self.reads_clock() || matches!(self, Self::Snapshot | Self::VectorSnapshot)
    }

    /// Whether its processes read hardware clocks.
    pub fn reads_clock(self) -> bool {
        with_process!(self, P => <P as common::process::Process>::READS_CLOCK)
    }

    /// Whether its processes have a failure detector.
    pub fn has_detector(self) -> bool {
        with_process!(self, P => <P as common::process::Process>::DETECTS)
    }
}
