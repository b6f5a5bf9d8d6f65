//! What a snapshot must record, by what the processes have done: the balance of each, and in each channel the transfers that its sender
//! sent before it recorded its state and its receiver received after.

use std::collections::{BTreeMap, HashMap};

use common::process::{
    Meaning,
    clock::Timestamp,
    ids::{Names, ProcessId},
};

use crate::algorithms::branch;

/// A snapshot that is not complete.
#[derive(Debug)]
struct Book {
    id: Timestamp,
    recorded: Vec<bool>,
    /// Of each channel, by its sender and receiver: what was in transit, less what is recorded.
    channels: BTreeMap<(ProcessId, ProcessId), i64>,
}

/// The books of the bank.
#[derive(Debug)]
pub(super) struct Books {
    balances: Vec<i64>,
    /// The transfers in transit, with the open snapshots that their senders had recorded.
    in_transit: HashMap<Timestamp, Vec<Timestamp>>,
    open: Vec<Book>,
}

impl Books {
    /// For this number of processes.
    pub(super) fn new(processes: usize) -> Self {
        Self {
            balances: vec![branch::initial(); processes],
            in_transit: HashMap::new(),
            open: Vec::new(),
        }
    }

    fn book(&mut self, id: Timestamp) -> &mut Book {
        let place = self.open.iter().position(|book| book.id == id);
        let place = place.unwrap_or_else(|| {
            self.open.push(Book {
                id,
                recorded: vec![false; self.balances.len()],
                channels: BTreeMap::new(),
            });
            self.open.len() - 1
        });
        &mut self.open[place]
    }

    /// The next event with a meaning; what is wrong with it, in words.
    pub(super) fn see(
        &mut self,
        process: ProcessId,
        meaning: &Meaning,
        names: &Names,
    ) -> Option<String> {
        let me = process.index();
        match *meaning {
            Meaning::Transfer(transfer, amount) => {
                self.balances[me] -= i64::from(amount);
                let after = self.open.iter().filter(|book| book.recorded[me]);
                self.in_transit
                    .insert(transfer, after.map(|book| book.id).collect());
            }
            Meaning::Credit(transfer, amount) => {
                self.balances[me] += i64::from(amount);
                let after = self.in_transit.remove(&transfer)?;
                let crossed = self.open.iter_mut();
                let crossed = crossed.filter(|it| it.recorded[me] && !after.contains(&it.id));
                for book in crossed {
                    let channel = (transfer.process, process);
                    *book.channels.entry(channel).or_default() += i64::from(amount);
                }
            }
            Meaning::Record(id, balance) => {
                self.book(id).recorded[me] = true;
                let has = self.balances[me];
                if balance != has {
                    return Some(format!(
                        "a balance of {balance} is recorded in place of {has}"
                    ));
                }
            }
            Meaning::RecordChannel(id, from, amount) => {
                let channels = &mut self.book(id).channels;
                *channels.entry((from, process)).or_default() -= i64::from(amount);
            }
            Meaning::Complete(id, _) => {
                let place = self.open.iter().position(|book| book.id == id);
                let book = place.map(|place| self.open.swap_remove(place));
                return Self::incomplete(book, names);
            }
            _ => {}
        }
        None
    }

    /// What a snapshot lacks that its initiator completes.
    fn incomplete(book: Option<Book>, names: &Names) -> Option<String> {
        let Some(book) = book else {
            return Some("no process has recorded its state".to_owned());
        };
        let mut recorded = ProcessId::all(book.recorded.len()).zip(&book.recorded);
        if let Some((process, _)) = recorded.find(|(_, recorded)| !**recorded) {
            let name = names.of(process);
            return Some(format!("{name} has not recorded its state"));
        }
        let mut channels = book.channels.iter();
        let ((from, to), left) = channels.find(|(_, left)| **left != 0)?;
        let count = book.recorded.len();
        let name = |process: &ProcessId| match process.index() < count {
            true => names.of(*process),
            false => "another process",
        };
        let (from, to, by) = (name(from), name(to), left.abs());
        let which = if *left > 0 { "too little" } else { "too much" };
        Some(format!(
            "in transit from {from} to {to} {by} {which} is recorded"
        ))
    }
}
