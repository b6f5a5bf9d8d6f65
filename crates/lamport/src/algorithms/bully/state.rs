//! What a process of the bully algorithm waits for.

/// What a process waits for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum State {
    /// Nothing: it holds no election.
    Idle,
    /// An answer of any higher process.
    Answer,
    /// The announcement of the coordinator.
    Coordinator,
}

impl State {
    /// What it says of itself at the prompt.
    pub(super) fn words(self) -> Option<String> {
        let what = match self {
            Self::Idle => return None,
            Self::Answer => "an answer",
            Self::Coordinator => "the coordinator",
        };
        Some(format!("holds an election: waits for {what}"))
    }
}
