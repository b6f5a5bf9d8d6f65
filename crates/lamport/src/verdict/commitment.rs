//! Distributed commit (Skeen 1981; van Steen & Tanenbaum, "Distributed commit"): no two processes decide differently, nobody
//! commits without all votes, and every process that takes part decides. One automaton serves the verdict on runs and the
//! model checker.

use std::collections::BTreeSet;

use common::{
    process::{
        Meaning, Outcome,
        ids::ProcessId,
        property::Property,
        run_event::RunEvent,
        verdict::{
            check::Check,
            checker::{Checker, Known},
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};
use smallvec::{SmallVec, smallvec};

/// Why a decision violates atomicity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotAtomic {
    /// Another process has decided otherwise.
    Differs,
    /// Not all participants have voted to commit.
    Early,
}

/// What became of a transaction.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
struct Fate {
    /// How many have voted to commit it.
    votes: u32,
    committed: bool,
    aborted: bool,
}

/// The transactions of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Commitment {
    fates: SmallVec<[Fate; 2]>,
    /// For each process the transaction on which it has not decided, but in which it takes part.
    open: SmallVec<[Option<u32>; 4]>,
}

impl Commitment {
    /// For this number of processes.
    pub fn new(processes: usize) -> Self {
        Self {
            fates: SmallVec::new(),
            open: smallvec![None; processes],
        }
    }

    /// The next event with a meaning.
    ///
    /// # Errors
    /// When a decision violates atomicity.
    pub fn step(&mut self, process: ProcessId, meaning: &Meaning) -> Result<(), NotAtomic> {
        let open = &mut self.open[process.index()];
        match *meaning {
            Meaning::Begin(transaction) => *open = Some(transaction),
            Meaning::Vote(transaction, vote) => {
                *open = Some(transaction);
                self.fate(transaction).votes += u32::from(vote == Outcome::Commit);
            }
            Meaning::Decide(transaction, outcome) => {
                *open = None;
                let participants = self.open.len() as u32 - 1;
                let fate = self.fate(transaction);
                let (decided, other) = match outcome {
                    Outcome::Commit => (&mut fate.committed, fate.aborted),
                    Outcome::Abort => (&mut fate.aborted, fate.committed),
                };
                *decided = true;
                if other {
                    return Err(NotAtomic::Differs);
                }
                if outcome == Outcome::Commit && fate.votes < participants {
                    return Err(NotAtomic::Early);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn fate(&mut self, transaction: u32) -> &mut Fate {
        let place = (transaction as usize).saturating_sub(1);
        if self.fates.len() <= place {
            self.fates.resize(place + 1, Fate::default());
        }
        &mut self.fates[place]
    }

    /// The transaction in which the process takes part, while it has not decided.
    pub fn open(&self, process: ProcessId) -> Option<u32> {
        self.open[process.index()]
    }

    /// How many transactions there are of which this is true of what somebody has decided.
    fn count(&self, outcome: Outcome) -> u64 {
        let decided = self.fates.iter().filter(|fate| match outcome {
            Outcome::Commit => fate.committed,
            Outcome::Abort => fate.aborted,
        });
        decided.count() as u64
    }
}

/// Checks the transactions of a run.
#[derive(Debug)]
pub(super) struct CommitmentChecker {
    state: Commitment,
    /// For each process the transactions in which it takes part, and on which it has not decided: nodes of other programs may take
    /// part in several at once.
    open: Vec<BTreeSet<u32>>,
    /// The event by which each transaction was first decided, with what came of it.
    decided: Vec<Option<usize>>,
    broken: Option<((usize, usize), &'static str)>,
}

impl CommitmentChecker {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            state: Commitment::new(processes),
            open: vec![BTreeSet::new(); processes],
            decided: Vec::new(),
            broken: None,
        }
    }
}

/// Beyond this number a log names no transaction of a run.
const MOST_TRANSACTIONS: u32 = 10_000_000;

impl Checker for CommitmentChecker {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, _known: &Known) {
        let Some(meaning) = &event.meaning else {
            return;
        };
        let transaction = match meaning {
            Meaning::Begin(transaction)
            | Meaning::Vote(transaction, _)
            | Meaning::Decide(transaction, _) => *transaction,
            _ => return,
        };
        if !(1..=MOST_TRANSACTIONS).contains(&transaction) {
            return;
        }
        let place = transaction as usize - 1;
        if self.decided.len() <= place {
            self.decided.resize(place + 1, None);
        }
        let broken = self.state.step(event.process, meaning).err();
        let open = &mut self.open[event.process.index()];
        if !matches!(meaning, Meaning::Decide(..)) {
            open.insert(transaction);
            return;
        }
        open.remove(&transaction);
        let first = *self.decided[place].get_or_insert(index);
        let mut processes = ProcessId::all(run.names.count());
        let why = match broken {
            Some(NotAtomic::Differs) => "they decide differently",
            // A vote may be among the events that are missing in a log.
            Some(NotAtomic::Early) if !processes.any(|process| run.is_incomplete(process)) => {
                "not all participants have voted to commit"
            }
            _ => return,
        };
        self.broken.get_or_insert(((first, index), why));
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let atomic = match self.broken {
            Some((events, why)) => Check::violated(run, Property::Atomicity, events, why),
            None => {
                let committed = plural(self.state.count(Outcome::Commit), "transaction");
                let aborted = self.state.count(Outcome::Abort);
                let found = format!("{committed} committed, {aborted} aborted");
                Check::held(run, exercise, Property::Atomicity, found, &[])
            }
        };
        vec![atomic, self.decided(run, exercise)]
    }
}

impl CommitmentChecker {
    fn decided(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::Decided;
        let open = |expected| {
            let all = ProcessId::all(run.names.count());
            let open = all.filter(|process| run.expects(*process) == expected);
            let open = open.filter_map(|process| {
                let open = &self.open[process.index()];
                let (first, more) = (open.first()?, open.len() - 1);
                let more = match more {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                Some(format!("{} on {first}{more}", run.names.of(process)))
            });
            open.collect::<Vec<_>>().join(", ")
        };
        let (never, not_yet) = (open(Expected::Yes), open(Expected::Unknown));
        if let Some(undone) = Check::undone(run, property, "not decided", (&never, &not_yet)) {
            return undone;
        }
        let all = self.decided.iter().flatten().count() as u64;
        let found = format!("all {}", plural(all, "transaction"));
        Check::held(run, exercise, property, found, &[])
    }
}
