//! How each process begins, as the `ready` event in its log says.

use common::{
    event::{Kind, Record},
    process::ids::Names,
};

use crate::trace::Trace;

/// The count in the event `ready` of a path of the TLA+ module LamportMutex: the largest clock.
pub const MAX_CLOCK: &str = "max_clock";

/// The count of a process that does what a person types, and nothing by itself.
pub const TYPED: &str = "typed";

/// The count of a process whose clock does not begin at 0: its first value.
pub const CLOCK: &str = "clock";

/// The count of the processes of a lasso, whose loop is between two local events: 1, or 2 if each step begins with a clock
/// past all others.
pub const LASSO: &str = "lasso";

/// How one process begins.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Beginning {
    /// Whether it does what a person types.
    pub typed: bool,
    /// The initial value of its clock.
    pub clock: u64,
    /// Whether the log is that of a lasso: not 0; and whether clocks are advanced before each step: 2.
    pub lasso: u64,
}

/// How each process begins; and the largest clock, if the log is a path of the TLA+ module LamportMutex.
pub(super) fn beginnings(trace: &Trace, names: &Names) -> (Vec<Beginning>, Option<u8>) {
    let mut beginnings = vec![Beginning::default(); names.count()];
    let mut largest = None;
    for (id, event) in trace.events.iter().enumerate() {
        if event.kind != Kind::Ready {
            continue;
        }
        let Ok(record) = Record::parse(trace.text(event.text)) else {
            continue;
        };
        let count = |name: &str| record.event.counts.get(name).copied();
        let max_clock = count(MAX_CLOCK).and_then(|count| u8::try_from(count).ok());
        largest = largest.or(max_clock);
        if let Some(process) = names.process(&trace.process_of(id).node) {
            beginnings[process.index()] = Beginning {
                typed: count(TYPED).is_some_and(|typed| typed > 0),
                clock: count(CLOCK).unwrap_or(0),
                lasso: count(LASSO).unwrap_or(0),
            };
        }
    }
    (beginnings, largest)
}
