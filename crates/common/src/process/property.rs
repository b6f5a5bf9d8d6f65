//! The properties of runs and logs: one list for the simulator, real processes, the model checker and the reader of logs.

use std::fmt;

/// A property of a run, or of its logs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Property {
    /// Every line is an event, and the events of each process are numbered without a gap.
    WellFormed,
    /// No two processes have one name at the same time.
    Names,
    /// Every message that is received was sent.
    Sent,
    /// No event happened before itself.
    Order,
    /// The clock condition (Lamport 1978): if a happened before b, the clock of a is less than that of b.
    Clocks,
    /// Each vector clock is that of the events that happened before (Fidge 1988, Mattern 1989).
    Vectors,
    /// The wall clocks of the machines agree with happened-before.
    Wall,
    /// Every channel delivers each message once, in the order of sending.
    Channels,
    /// At most one process is in the critical section (safety).
    MutualExclusion,
    /// Every request for the critical section is granted (liveness).
    Granted,
    /// Requests are granted in the order of their timestamps (fairness).
    TimestampOrder,
    /// All processes deliver the same multicasts in the same order (total order).
    SameSequence,
    /// No multicast is delivered before one that its sender had delivered or sent before (causal order).
    CausalOrder,
    /// No process delivers a multicast twice (integrity).
    DeliveredOnce,
    /// Every process delivers every multicast (liveness).
    AllDelivered,
    /// All replicas of the account have the same balance in the end.
    EqualAccounts,
    /// At most one process leads in a term (safety).
    OneLeader,
    /// In the end all processes that live agree on one leader, the best of them (liveness).
    Agreement,
    /// Type correctness of the TLA+ module LamportMutex: TypeOK.
    TypeCorrect,
    /// The bound on channels of the TLA+ module LamportMutex: BoundedNetwork.
    BoundedChannels,
    /// Every line of a node is a message of the protocol, and an answer that somebody waits for.
    Protocol,
    /// Every request of a client is answered, with an error only where the workload has it.
    Answered,
    /// Every event that the workload wants to know is reported.
    Reported,
    /// An echo is what was sent.
    Echo,
    /// No id is made twice.
    UniqueIds,
    /// What a node took is in the end at every node.
    NothingLost,
    /// A node has only what was added, once.
    NothingInvented,
    /// In the end every node has the sum of what was added.
    FinalValue,
    /// All operations on a key have an order that fits their results and their times (Herlihy & Wing 1990).
    Linearizable,
    /// No two processes decide differently on a transaction, and it is committed only by all votes (safety).
    Atomicity,
    /// Every process that takes part in a transaction decides on it (liveness).
    Decided,
    /// A look-up that ends has the value that the name has (safety).
    LookUpsRight,
    /// Every look-up ends (liveness).
    LookUpsEnd,
    /// The processes that are left form a ring again (liveness).
    RingHeals,
    /// Every member of a ring has a live successor, and these make one ring in the order of identifiers (safety; Zave 2017).
    OneRing,
    /// No message was received before the cut of a snapshot and sent after it (safety; Mattern 1989).
    ConsistentCut,
    /// The states of processes and channels that a snapshot records have together the money of all processes (safety).
    Conserved,
    /// Every snapshot that is initiated is completed (liveness).
    Completed,
    /// A clock that was set by a time server differs from it by at most the bound that the algorithm states (safety; Cristian
    /// 1989: half of the round trip).
    ClockError,
    /// After a round the clocks that were adjusted in it differ by at most the bounds that the algorithm states (safety).
    ClockSkew,
    /// No clock that agrees with most others is drawn away from them by one that does not (safety).
    Outliers,
    /// No clock is set back (safety).
    ClockMonotonic,
    /// Every process that asks for the time adjusts its clock (liveness).
    Synchronized,
}

impl Property {
    /// The number of properties.
    pub const COUNT: usize = 43;

    /// The properties of every log, in the order in which they are reported.
    pub const OF_LOGS: [Self; 7] = [
        Self::WellFormed,
        Self::Names,
        Self::Sent,
        Self::Order,
        Self::Clocks,
        Self::Vectors,
        Self::Wall,
    ];

    /// The name, the same in every program and log.
    pub fn name(self) -> &'static str {
        match self {
            Self::WellFormed => "well formed",
            Self::Names => "one name, one process",
            Self::Sent => "received was sent",
            Self::Order => "causes come first",
            Self::Clocks => "clock condition",
            Self::Vectors => "vector clocks",
            Self::Wall => "wall clocks",
            Self::Channels => "channels",
            Self::MutualExclusion => "mutual exclusion",
            Self::Granted => "every request granted",
            Self::TimestampOrder => "in timestamp order",
            Self::SameSequence => "same sequence",
            Self::CausalOrder => "causal order",
            Self::DeliveredOnce => "delivered once",
            Self::AllDelivered => "everything delivered",
            Self::EqualAccounts => "equal accounts",
            Self::OneLeader => "one leader a term",
            Self::Agreement => "agreement in the end",
            Self::TypeCorrect => "type correctness",
            Self::BoundedChannels => "at most 3 in a channel",
            Self::Protocol => "protocol",
            Self::Answered => "every request answered",
            Self::Reported => "every receive reported",
            Self::Echo => "echo as sent",
            Self::UniqueIds => "unique ids",
            Self::NothingLost => "nothing lost",
            Self::NothingInvented => "nothing invented",
            Self::FinalValue => "final value",
            Self::Linearizable => "linearizable",
            Self::Atomicity => "atomicity",
            Self::Decided => "every process decides",
            Self::LookUpsRight => "look-ups right",
            Self::LookUpsEnd => "every look-up ends",
            Self::RingHeals => "ring heals",
            Self::OneRing => "one ring",
            Self::ConsistentCut => "consistent cut",
            Self::Conserved => "money conserved",
            Self::Completed => "snapshots completed",
            Self::ClockError => "error within bound",
            Self::ClockSkew => "skew after each round",
            Self::Outliers => "outliers left out",
            Self::ClockMonotonic => "no clock set back",
            Self::Synchronized => "every round ends",
        }
    }

    /// The liveness properties (something happens eventually): the end of a run decides them, and not an event.
    pub const LIVENESS: [Self; 8] = [
        Self::Granted,
        Self::AllDelivered,
        Self::Agreement,
        Self::Decided,
        Self::LookUpsEnd,
        Self::RingHeals,
        Self::Completed,
        Self::Synchronized,
    ];

    /// Whether it is a liveness property.
    pub fn is_liveness(self) -> bool {
        Self::LIVENESS.contains(&self)
    }

    /// Its bit in a set of properties that a model checker monitors. Those of every log, the first ones, and those of nodes, from
    /// [`Self::Protocol`] on, are none of these: their bits are for the last ones.
    pub fn bit(self) -> u32 {
        let number = self as u32;
        match number.checked_sub(Self::OneRing as u32 + 1) {
            Some(after) => 1 << (Self::Protocol as u32 + after),
            None => 1 << (number % u32::BITS),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
