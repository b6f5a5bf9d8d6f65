//! What a process of a run says of itself.

/// What a process says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Whether it has nothing to do, and waits for none but those below.
    pub(super) idle: bool,
    /// How many events it has had.
    pub(super) events: u64,
    /// The names of the processes that have not acknowledged its messages for long.
    pub(super) unresponsive: Vec<String>,
}

impl State {
    /// `idle 12`, `busy 12`, or `idle 12 p2 p3` when p2 and p3 do not respond.
    pub(super) fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            idle: words.next()? == "idle",
            events: words.next()?.parse().ok()?,
            unresponsive: words.map(Into::into).collect(),
        })
    }
}
