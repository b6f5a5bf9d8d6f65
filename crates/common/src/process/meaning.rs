//! What an event means to an algorithm.

use serde::{Deserialize, Serialize};

use super::{
    clock::Timestamp,
    detector::Detection,
    ids::{Names, ProcessId},
    physical::ClockEvent,
};

/// The meaning of an event to the algorithm: the properties are checked on these.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum Meaning {
    /// The process requests the critical section; the event's timestamp is the request's.
    Request,
    /// It enters the critical section for its request with this timestamp.
    Enter(Timestamp),
    /// It exits the critical section that it entered for the request with this timestamp.
    Exit(Timestamp),
    /// It multicasts this payload; the event's timestamp is the multicast's.
    Multicast(String),
    /// It delivers the multicast with this timestamp to its application; with the application's output.
    Deliver(Timestamp, String),
    /// A local event.
    Local(String),
    /// It starts to look up this name.
    LookUp(String),
    /// Its look-up of this name ends with this value.
    Found(String, Value),
    /// It inserts this name with this value.
    Insert(String, Value),
    /// It hands this name, and the entity that has it, over to this process.
    Move(String, ProcessId),
    /// It removes this name: the entity that has it does not exist any more.
    Delete(String),
    /// Look-ups of this name go by this value from now on, which this process keeps.
    Store(String, Value),
    /// It joins the other processes.
    Join,
    /// It leaves the other processes, and hands over what it has.
    Leave,
    /// Its failure detector suspects another process, or trusts it again.
    Detect(Detection),
    /// It starts an election.
    Elect,
    /// It takes this process as the leader of this term, the time of the timestamp.
    Leader(Timestamp),
    /// In a wireless network: it has this capacity, and reaches these processes.
    Station(u32, Vec<ProcessId>),
    /// It takes this process as its parent in the tree of this term, the time of the timestamp.
    Parent(Timestamp),
    /// It begins the transaction with this number.
    Begin(u32),
    /// It votes on the transaction with this number.
    Vote(u32, Outcome),
    /// It decides on the transaction with this number.
    Decide(u32, Outcome),
    /// It transfers this amount of money: the transfer with this number of this process, the time and the process of the timestamp.
    Transfer(Timestamp, u32),
    /// It receives the transfer with this number of this process: its balance grows by this amount.
    Credit(Timestamp, u32),
    /// It records its own state, this balance, for the snapshot with this number of this initiator.
    Record(Timestamp, i64),
    /// It records, for this snapshot, this amount as in transit to it in the channel from this process.
    RecordChannel(Timestamp, ProcessId, u32),
    /// Its snapshot is complete, and has this amount in all processes and channels together.
    Complete(Timestamp, i64),
    /// It asks others for their time, reports its own, measures that of another, or adjusts its clock.
    Clock(Box<ClockEvent>),
}

/// What a transaction comes to, or what a vote is for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// All of it is done.
    Commit,
    /// Nothing of it is done.
    Abort,
}

impl Outcome {
    /// Its word, in messages and logs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Abort => "abort",
        }
    }

    /// The outcome with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Commit, Self::Abort];
        all.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// What a name stands for.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// Nothing: the name does not exist, or was not found.
    #[default]
    Nothing,
    /// The process where its entity is.
    Place(ProcessId),
    /// A text; in a log, the name of a process too.
    Text(String),
}

impl Value {
    /// Whether the name stands for nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }

    /// The value as text; empty for nothing.
    pub fn text<'a>(&'a self, names: &'a Names) -> &'a str {
        match self {
            Self::Nothing => "",
            Self::Place(process) => names.of(*process),
            Self::Text(text) => text,
        }
    }
}

impl From<Option<ProcessId>> for Value {
    fn from(place: Option<ProcessId>) -> Self {
        place.map_or(Self::Nothing, Self::Place)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        match text.is_empty() {
            true => Self::Nothing,
            false => Self::Text(text),
        }
    }
}

impl Meaning {
    /// The meaning's word in the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Enter(_) => "enter",
            Self::Exit(_) => "exit",
            Self::Multicast(_) => "multicast",
            Self::Deliver(..) => "deliver",
            Self::Local(_) => "local",
            Self::LookUp(_) => "look-up",
            Self::Found(..) => "found",
            Self::Insert(..) => "insert",
            Self::Move(..) => "move",
            Self::Delete(_) => "delete",
            Self::Store(..) => "store",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Detect(detection) => detection.word(),
            Self::Elect => "elect",
            Self::Leader(_) => "leader",
            Self::Station(..) => "station",
            Self::Parent(_) => "parent",
            Self::Begin(_) => "begin",
            Self::Vote(..) => "vote",
            Self::Decide(..) => "decide",
            Self::Transfer(..) => "transfer",
            Self::Credit(..) => "credit",
            Self::Record(..) => "record",
            Self::RecordChannel(..) => "record-channel",
            Self::Complete(..) => "complete",
            Self::Clock(event) => event.word(),
        }
    }
}
