//! Distributed snapshots (Chandy & Lamport 1985, Mattern 1989) of a bank: the cut that a snapshot records is consistent, what it
//! records has all the money, and every snapshot is completed. One automaton serves the verdict on runs and the model checker.

mod books;

use common::{
    process::{
        Meaning,
        clock::Timestamp,
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

use self::books::Books;

use crate::algorithms::branch;

/// What an event violates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wrong {
    /// It receives, before the cut of this snapshot, a message that was sent after it.
    Inconsistent(Timestamp),
    /// It completes a snapshot with another amount than there is: the amount that was recorded, as far as is known, and the one
    /// that it reports.
    NotConserved(i64, i64),
}

/// A snapshot that is not complete.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Cut {
    /// Its number and its initiator.
    id: Timestamp,
    /// The processes that have recorded their states.
    recorded: SmallVec<[bool; 8]>,
    /// The money that is recorded, in processes and channels.
    money: i64,
}

/// The snapshots of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Cuts {
    processes: usize,
    open: SmallVec<[Cut; 2]>,
    /// The transfers in transit that were sent after the sender had recorded an open snapshot, with these snapshots.
    after: SmallVec<[(Timestamp, SmallVec<[Timestamp; 2]>); 2]>,
}

impl Cuts {
    /// For this number of processes.
    pub(crate) fn new(processes: usize) -> Self {
        Self {
            processes,
            open: SmallVec::new(),
            after: SmallVec::new(),
        }
    }

    /// The money that all processes have together.
    fn total(&self) -> i64 {
        branch::initial() * self.processes as i64
    }

    fn cut(&mut self, id: Timestamp) -> Option<&mut Cut> {
        self.open.iter_mut().find(|cut| cut.id == id)
    }

    /// The next event with a meaning.
    ///
    /// # Errors
    /// What it violates.
    pub(crate) fn step(&mut self, process: ProcessId, meaning: &Meaning) -> Result<(), Wrong> {
        let me = process.index();
        match *meaning {
            Meaning::Transfer(transfer, _) => {
                // Those that all have recorded are cut for good.
                let open = self.open.iter().filter(|cut| cut.recorded[me]);
                let open = open.filter(|cut| !cut.is_recorded()).map(|cut| cut.id);
                let after: SmallVec<_> = open.collect();
                if !after.is_empty() {
                    self.after.push((transfer, after));
                }
            }
            Meaning::Credit(transfer, _) => {
                let mut sent = self.after.iter();
                let Some(place) = sent.position(|sent| sent.0 == transfer) else {
                    return Ok(());
                };
                let (_, after) = self.after.remove(place);
                let before = |id: &Timestamp| {
                    let mut open = self.open.iter();
                    open.any(|cut| cut.id == *id && !cut.recorded[me])
                };
                if let Some(id) = after.into_iter().find(before) {
                    return Err(Wrong::Inconsistent(id));
                }
            }
            Meaning::Record(id, balance) => {
                if self.cut(id).is_none() {
                    self.open.push(Cut {
                        id,
                        recorded: smallvec![false; self.processes],
                        money: 0,
                    });
                }
                let Some(cut) = self.cut(id) else {
                    return Ok(());
                };
                cut.recorded[me] = true;
                cut.money = cut.money.saturating_add(balance);
                if cut.is_recorded() {
                    self.forget(id);
                }
            }
            Meaning::RecordChannel(id, _, amount) => {
                if let Some(cut) = self.cut(id) {
                    cut.money = cut.money.saturating_add(amount.into());
                }
            }
            Meaning::Complete(id, money) => {
                let total = self.total();
                let recorded = self.cut(id).map(|cut| cut.money);
                self.open.retain(|cut| cut.id != id);
                self.forget(id);
                let recorded = recorded.unwrap_or(money);
                if recorded != total || money != total {
                    return Err(Wrong::NotConserved(recorded, money));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// No transfer can be received before this cut any more.
    fn forget(&mut self, id: Timestamp) {
        for (_, after) in &mut self.after {
            after.retain(|other| *other != id);
        }
        self.after.retain(|(_, after)| !after.is_empty());
    }

    /// The snapshots of this process that are not complete, by their numbers.
    pub(crate) fn pending(&self, initiator: ProcessId) -> impl Iterator<Item = u64> {
        let own = self
            .open
            .iter()
            .filter(move |cut| cut.id.process == initiator && cut.recorded[initiator.index()]);
        own.map(|cut| cut.id.time)
    }
}

impl Cut {
    fn is_recorded(&self) -> bool {
        self.recorded.iter().all(|it| *it)
    }
}

/// Checks the snapshots of a run.
#[derive(Debug)]
pub(super) struct SnapshotChecker {
    state: Cuts,
    /// How many snapshots were initiated, and how many were completed.
    recorded: u64,
    complete: u64,
    inconsistent: Option<((usize, usize), Timestamp)>,
    not_conserved: Option<(usize, i64)>,
    /// What snapshots must record, and the first event at which one does not.
    books: Books,
    wrongly_recorded: Option<(usize, String)>,
    /// Whether all events of the run are known.
    is_whole: Option<bool>,
}

impl SnapshotChecker {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            state: Cuts::new(processes),
            recorded: 0,
            complete: 0,
            inconsistent: None,
            not_conserved: None,
            books: Books::new(processes),
            wrongly_recorded: None,
            is_whole: None,
        }
    }
}

impl Checker for SnapshotChecker {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, known: &Known) {
        let Some(meaning) = &event.meaning else {
            return;
        };
        let processes = self.state.processes;
        let is_known = match meaning {
            Meaning::Transfer(about, _)
            | Meaning::Credit(about, _)
            | Meaning::Record(about, _)
            | Meaning::RecordChannel(about, ..)
            | Meaning::Complete(about, _) => about.process.index() < processes,
            _ => false,
        };
        if !is_known {
            return;
        }
        if let Meaning::Record(id, _) = meaning {
            self.recorded += u64::from(id.process == event.process);
        }
        self.complete += u64::from(matches!(meaning, Meaning::Complete(..)));
        let known_to_all = || ProcessId::all(processes).all(|it| !run.is_incomplete(it));
        let is_whole = *self.is_whole.get_or_insert_with(known_to_all);
        if is_whole && let Some(why) = self.books.see(event.process, meaning, run.names) {
            self.wrongly_recorded.get_or_insert((index, why));
        }
        match self.state.step(event.process, meaning) {
            Ok(()) => {}
            Err(Wrong::Inconsistent(id)) => {
                let send = known.send.unwrap_or(index);
                self.inconsistent.get_or_insert(((send, index), id));
            }
            Err(Wrong::NotConserved(recorded, reported)) => {
                // What is recorded may be among the events that are missing in a log.
                let money = match is_whole && reported == self.state.total() {
                    true => recorded,
                    false => reported,
                };
                if money != self.state.total() {
                    self.not_conserved.get_or_insert((index, money));
                }
            }
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let consistent = match self.inconsistent {
            Some((events, id)) => {
                let initiator = run.names.of(id.process);
                let why = format!(
                    "a transfer was received before the cut of snapshot {} of {initiator} and sent after it",
                    id.time
                );
                Check::violated(run, Property::ConsistentCut, events, &why)
            }
            None => {
                let cuts = plural(self.recorded, "cut");
                let found =
                    format!("no transfer was received before a cut and sent after it, in {cuts}");
                Check::held(run, exercise, Property::ConsistentCut, found, &[])
            }
        };
        let total = self.state.total();
        let conserved = match (&self.wrongly_recorded, self.not_conserved) {
            (Some((event, why)), later) if later.is_none_or(|later| *event < later.0) => {
                Check::violated(run, Property::Conserved, (*event, *event), why)
            }
            (wrongly, Some((event, money))) => {
                let mut why = format!("{money} are recorded in place of {total}");
                if let Some((_, cause)) = wrongly.as_ref().filter(|cause| cause.0 == event) {
                    why += &format!(": {cause}");
                }
                Check::violated(run, Property::Conserved, (event, event), &why)
            }
            _ => {
                let snapshots = plural(self.complete, "snapshot");
                let found = format!("{total} in processes and channels together, in {snapshots}");
                Check::held(run, exercise, Property::Conserved, found, &[])
            }
        };
        vec![consistent, conserved, self.completed(run, exercise)]
    }
}

impl SnapshotChecker {
    fn completed(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::Completed;
        let pending = |expected| {
            let all = ProcessId::all(self.state.processes);
            let pending = all.filter(|process| run.expects(*process) == expected);
            let pending = pending.flat_map(|process| {
                let numbers = self.state.pending(process);
                numbers.map(move |number| format!("{number} of {}", run.names.of(process)))
            });
            pending.collect::<Vec<_>>().join(", ")
        };
        let (never, not_yet) = (pending(Expected::Yes), pending(Expected::Unknown));
        if let Some(undone) = Check::undone(run, property, "not completed", (&never, &not_yet)) {
            return undone;
        }
        let initiated = match pending(Expected::No) {
            none if none.is_empty() => String::new(),
            begun => format!("; without {begun}, whose initiator crashed"),
        };
        let found = format!("{}{initiated}", plural(self.complete, "snapshot"));
        Check::held(run, exercise, property, found, &[])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::{
        event::Verdict,
        process::{To, ids::Names, run_event::MessageAction, verdict::check::Check},
    };

    use super::*;
    use crate::algorithms::Algorithm;

    const P1: ProcessId = ProcessId(0);
    const P2: ProcessId = ProcessId(1);

    fn id(process: ProcessId) -> Timestamp {
        Timestamp { time: 1, process }
    }

    fn events(of: &[(ProcessId, Meaning)]) -> Vec<RunEvent> {
        let event = |(time, (process, meaning)): (u64, &(ProcessId, Meaning))| RunEvent {
            process: *process,
            at: Duration::from_millis(time),
            time,
            what: match meaning {
                Meaning::Transfer(..) => MessageAction::Send {
                    to: To::All,
                    number: 1,
                    word: "transfer".into(),
                    text: String::new(),
                },
                Meaning::Credit(transfer, _) => MessageAction::Receive {
                    from: transfer.process,
                    to: To::All,
                    number: 1,
                    word: "transfer".into(),
                    text: String::new(),
                },
                _ => MessageAction::Local,
            },
            meaning: Some(meaning.clone()),
        };
        (1..).zip(of).map(event).collect()
    }

    fn checks(of: &[(ProcessId, Meaning)], crashed: &[ProcessId]) -> [Check; 3] {
        let (names, events) = (Names::numbered(2), events(of));
        let run = RunUnderTest::new(&names, &events).crashed(crashed);
        let mut checks = crate::verdict::of(Algorithm::Snapshot, &run).checks;
        let own = checks.split_off(2);
        own.try_into().unwrap()
    }

    #[test]
    fn a_cut_through_which_a_transfer_goes_backward_is_inconsistent() {
        let own = id(P1);
        let transfer = Meaning::Transfer(id(P1), 30);
        let credit = Meaning::Credit(id(P1), 30);
        let recorded = |balance| Meaning::Record(own, balance);
        let late = [
            (P1, recorded(1000)),
            (P1, transfer.clone()),
            (P2, credit.clone()),
            (P2, recorded(1030)),
            (P1, Meaning::Complete(own, 2030)),
        ];
        let [cut, money, completed] = checks(&late, &[]);
        assert_eq!((cut.verdict, cut.events), (Verdict::Fail, Some((1, 2))));
        assert_eq!((money.verdict, money.events), (Verdict::Fail, Some((4, 4))));
        assert_eq!(completed.found, "1 snapshot");
        // The other way round it is in transit.
        let crosses = [
            (P1, transfer),
            (P1, recorded(970)),
            (P2, recorded(1000)),
            (P2, credit),
            (P2, Meaning::RecordChannel(own, P1, 30)),
            (P1, Meaning::Complete(own, 2000)),
        ];
        for check in checks(&crosses, &[]) {
            assert_eq!(check.verdict, Verdict::Ok, "{check:?}");
        }
        // What the log of a crashed process lacks is no violation, but what the initiator reports counts.
        let crashed = [&crosses[..4], &crosses[5..]].concat();
        assert_eq!(checks(&crashed, &[P2])[1].verdict, Verdict::Ok);
        assert_eq!(checks(&crashed, &[])[1].verdict, Verdict::Fail);
    }

    #[test]
    fn an_incomplete_snapshot_is_no_violation_if_its_initiator_crashed() {
        let begun = [(P1, Meaning::Record(id(P1), 1000))];
        for (crashed, verdict, found) in [
            (&[][..], Verdict::Fail, "not completed: 1 of p1"),
            (
                &[P2],
                Verdict::Fail,
                "not completed: 1 of p1; p2 did not terminate normally",
            ),
            (
                &[P1],
                Verdict::Ok,
                "0 snapshots; without 1 of p1, whose initiator crashed",
            ),
        ] {
            let [_, money, completed] = checks(&begun, crashed);
            assert_eq!(
                (completed.verdict, completed.found.as_str()),
                (verdict, found)
            );
            assert_eq!(money.verdict, Verdict::Open);
        }
    }
}
