//! The recent changes of a zone, from which IXFR answers (RFC 1995). Bounded: a secondary that is further behind gets the
//! whole zone.

use std::sync::Arc;

use super::owner::Owner;

/// How many changes there are at most.
const MOST_CHANGES: usize = 256;

/// How large the changes are together at most, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// The records of a name.
pub type OwnRecords = (Owner, Vec<u8>);

/// The difference between two states of one zone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// The records that only the older state has.
    pub removed: Vec<OwnRecords>,
    /// The records that only the newer state has.
    pub added: Vec<OwnRecords>,
}

impl Difference {
    /// Whether the two states are the same.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty()
    }

    /// About how many bytes it takes in memory and in a message.
    pub fn size(&self) -> usize {
        let all = self.removed.iter().chain(&self.added);
        all.map(|(owner, records)| 64 + owner.as_slice().len() + records.len())
            .sum()
    }
}

/// A change from one serial to the next.
#[derive(Debug)]
pub struct Change {
    /// The serial before.
    pub from: u32,
    /// The serial after.
    pub to: u32,
    /// What was removed and added.
    pub difference: Difference,
}

/// The recent changes of a zone, the oldest first. Copies share the changes.
#[derive(Clone, Debug, Default)]
pub struct History(Arc<Vec<Arc<Change>>>);

impl History {
    /// Adds the newest change; the oldest go where there are too many.
    pub fn push(&mut self, change: Change) {
        let mut room = MOST_BYTES.checked_sub(change.difference.size());
        let mut kept = vec![Arc::new(change)];
        for older in self.0.iter().rev().take(MOST_CHANGES - 1) {
            room = room.and_then(|room| room.checked_sub(older.difference.size()));
            if room.is_none() {
                break;
            }
            kept.push(Arc::clone(older));
        }
        if kept[0].difference.size() > MOST_BYTES {
            kept.clear();
        }
        kept.reverse();
        self.0 = Arc::new(kept);
    }

    /// The changes since this serial; None when it is not one of the recent ones.
    pub fn since(&self, serial: u32) -> Option<&[Arc<Change>]> {
        let first = self.0.iter().position(|change| change.from == serial)?;
        Some(&self.0[first..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_changes_go() {
        let mut history = History::default();
        let change = |from: u32, bytes: usize| Change {
            from,
            to: from + 1,
            difference: Difference {
                removed: vec![("lab.".parse().unwrap(), vec![0; bytes])],
                added: Vec::new(),
            },
        };
        for serial in 0..1000 {
            history.push(change(serial, 10));
        }
        let since = |history: &History, serial| history.since(serial).map(<[_]>::len);
        assert_eq!(since(&history, 999), Some(1));
        assert_eq!(since(&history, 744), Some(256));
        assert_eq!(since(&history, 743), None);
        history.push(change(1000, MOST_BYTES / 2));
        history.push(change(1001, MOST_BYTES / 2));
        assert_eq!(
            (since(&history, 1001), since(&history, 1000)),
            (Some(1), None)
        );
        history.push(change(1002, 2 * MOST_BYTES));
        assert_eq!(since(&history, 1002), None);
    }
}
