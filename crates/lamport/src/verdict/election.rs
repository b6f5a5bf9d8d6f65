//! Elections (van Steen & Tanenbaum, "Election algorithms"): at most one process leads in a term, and in the end all that live
//! agree on one leader, the best of them. One automaton serves the verdict on runs and the model checker.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    process::{
        Meaning,
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

use super::stations::{Stations, Trees};

/// The best of the processes that have not crashed: the one with the greatest number. The leader in the end.
pub(crate) fn best(processes: usize, has_crashed: impl Fn(ProcessId) -> bool) -> Option<ProcessId> {
    let living = ProcessId::all(processes).filter(|process| !has_crashed(*process));
    living.max()
}

/// The elections of a path.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Leaders {
    /// The leader of each term, in the order of terms.
    of_term: SmallVec<[(u64, ProcessId); 4]>,
    /// The leader on which each process has agreed last.
    agreed: SmallVec<[Option<ProcessId>; 8]>,
    /// The processes that have started an election.
    started: SmallVec<[bool; 8]>,
}

impl Leaders {
    /// For this number of processes.
    pub(crate) fn new(processes: usize) -> Self {
        Self {
            of_term: SmallVec::new(),
            agreed: smallvec![None; processes],
            started: smallvec![false; processes],
        }
    }

    /// The next event with a meaning; returns whether it names a second leader of one term.
    pub(crate) fn step(&mut self, process: ProcessId, meaning: &Meaning) -> bool {
        match meaning {
            Meaning::Elect => self.started[process.index()] = true,
            Meaning::Leader(leader) => {
                self.agreed[process.index()] = Some(leader.process);
                let place = self
                    .of_term
                    .binary_search_by_key(&leader.time, |(term, _)| *term);
                match place {
                    Ok(place) => return self.of_term[place].1 != leader.process,
                    Err(place) => self.of_term.insert(place, (leader.time, leader.process)),
                }
            }
            _ => {}
        }
        false
    }

    /// The leader on which a process has agreed last.
    pub(crate) fn agreed(&self, process: ProcessId) -> Option<ProcessId> {
        self.agreed[process.index()]
    }

    /// The number of processes.
    pub(crate) fn processes(&self) -> usize {
        self.agreed.len()
    }

    /// The processes that live and have not agreed on the best for them, a bit for each, where a process that lives and takes part
    /// in an election has the same best.
    pub(crate) fn disagreeing(
        &self,
        best: &dyn Fn(ProcessId) -> Option<ProcessId>,
        has_crashed: &dyn Fn(ProcessId) -> bool,
    ) -> u64 {
        let living = ProcessId::all(self.processes()).filter(|process| !has_crashed(*process));
        let taking_part = living.clone().filter(|process| self.takes_part(*process));
        let elected: SmallVec<[Option<ProcessId>; 4]> = taking_part.map(best).collect();
        let disagreeing = living.filter(|process| {
            let best = best(*process);
            elected.contains(&best) && self.agreed(*process) != best
        });
        disagreeing.fold(0, |all, process| all | 1 << process.index())
    }

    /// Whether the process has started an election or agreed on a leader.
    pub(crate) fn takes_part(&self, process: ProcessId) -> bool {
        self.started[process.index()] || self.agreed(process).is_some()
    }
}

/// The leaders of a run.
#[derive(Debug)]
pub(super) struct Election {
    state: Leaders,
    /// The first event that names the leader of each term.
    first: BTreeMap<u64, usize>,
    /// The term of the last leader on which each process has agreed.
    terms: Vec<u64>,
    two: Option<(usize, usize)>,
    /// The network, where processes reach their neighbours only, and the trees in it.
    wireless: Option<(Stations, Trees)>,
}

impl Election {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            state: Leaders::new(processes),
            first: BTreeMap::new(),
            terms: vec![0; processes],
            two: None,
            wireless: None,
        }
    }

    /// In a wireless network.
    pub(super) fn wireless(processes: usize) -> Self {
        Self {
            wireless: Some((Stations::new(processes), Trees::new(processes))),
            ..Self::new(processes)
        }
    }
}

impl Checker for Election {
    fn see(&mut self, index: usize, event: &RunEvent, _: &RunUnderTest<'_>, _: &Known) {
        let Some(meaning) = &event.meaning else {
            return;
        };
        if let Some((stations, trees)) = &mut self.wireless {
            stations.see(event.process, meaning);
            trees.see(event.process, meaning);
        }
        let is_second = self.state.step(event.process, meaning);
        if let Meaning::Leader(leader) = meaning {
            self.terms[event.process.index()] = leader.time;
            let first = *self.first.entry(leader.time).or_insert(index);
            if is_second {
                self.two.get_or_insert((first, index));
            }
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let one = match self.two {
            Some(events) => Check::violated(
                run,
                Property::OneLeader,
                events,
                "two processes lead in one term",
            ),
            None => {
                let terms = plural(self.first.len() as u64, "term");
                let found = format!("at most one process leads, in {terms}");
                Check::held(run, exercise, Property::OneLeader, found, &[])
            }
        };
        vec![one, self.agreement(run, exercise)]
    }
}

impl Election {
    fn agreement(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::Agreement;
        let processes = self.terms.len();
        let living: Vec<_> = ProcessId::all(processes)
            .filter(|process| run.expects(*process) != Expected::No)
            .collect();
        let has_crashed = |process| run.crashed.contains(&process);
        let all = best(processes, has_crashed);
        // The leader that a process must have: all of a part of the network the same one.
        let best = |process: ProcessId| match &self.wireless {
            Some((stations, _)) => Some(stations.best(process, &has_crashed)),
            None => all,
        };
        let taking_part = living.iter().filter(|it| self.state.takes_part(**it));
        let elected: BTreeSet<_> = taking_part.filter_map(|it| best(*it)).collect();
        if elected.is_empty() {
            let why = "no process that lives took part in an election";
            return Check::open(property, exercise.lacks(property).unwrap_or(why));
        }
        let name = |process: ProcessId| run.names.of(process);
        let others = living.iter().filter_map(|process| {
            let best = best(*process).filter(|best| elected.contains(best))?;
            let agreed = match self.state.agreed(*process) {
                Some(leader) if leader == best => return None,
                Some(leader) => {
                    format!("{} in term {}", name(leader), self.terms[process.index()])
                }
                None => "no leader".to_owned(),
            };
            Some((format!("{} has {agreed}", name(*process)), best))
        });
        let (others, bests): (Vec<_>, BTreeSet<_>) = others.unzip();
        let leaders = |all: &BTreeSet<ProcessId>| {
            let all: Vec<_> = all.iter().map(|it| name(*it)).collect();
            all.join(" or ")
        };
        if others.is_empty() {
            let leader = leaders(&elected);
            let found = match &self.wireless {
                None => format!("all that live have {leader} as their leader"),
                Some((_, trees)) => {
                    let term = living.iter().map(|it| self.terms[it.index()]).max();
                    let term = term.unwrap_or_default();
                    let tree = trees.text(term, run.names);
                    let tree = tree.map(|tree| format!("; the tree of term {term}: {tree}"));
                    let tree = tree.unwrap_or_default();
                    format!("all that are connected have {leader} as their leader{tree}")
                }
            };
            return Check::held(run, exercise, property, found, &[]);
        }
        let (others, leader) = (others.join(", "), leaders(&bests));
        let (mut unknown, why) = match &self.wireless {
            Some((stations, _)) => {
                let unknown = living.iter().filter(|it| !stations.knows(**it));
                (unknown.collect(), "the best that is connected")
            }
            None => (Vec::new(), "the best that lives"),
        };
        if let Some(unknown) = unknown.pop() {
            let unknown = name(*unknown);
            let found = format!("{others}; what {unknown} reaches is not known");
            return Check::open(property, found);
        }
        if !run.unfinished.is_empty() {
            let found = format!("{others} so far, not {leader}; {}", run.cut_short());
            return Check::open(property, found);
        }
        let found = format!("{others}, and not {leader}, {why}");
        Check::unfulfilled(property, found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::{
        event::Verdict,
        process::{clock::Timestamp, ids::Names, run_event::MessageAction},
    };

    use super::*;
    use crate::algorithms::Algorithm;

    /// A process, by its number from 1, and the term and the leader that it takes; or its election.
    type Taken = (u32, Option<(u64, u32)>);

    /// Events of processes.
    fn events(of: &[Taken]) -> Vec<RunEvent> {
        let event = |(time, (process, leader)): (u64, &Taken)| RunEvent {
            process: ProcessId(process - 1),
            at: Duration::from_millis(time),
            time,
            what: MessageAction::Local,
            meaning: Some(leader.map_or(Meaning::Elect, |(time, leader)| {
                let process = ProcessId(leader - 1);
                Meaning::Leader(Timestamp { time, process })
            })),
        };
        (1..).zip(of).map(event).collect()
    }

    #[test]
    fn the_living_must_agree_on_the_best_of_them() {
        let [p2, p3] = [ProcessId(1), ProcessId(2)];
        let all = [(1, None), (3, Some((1, 3))), (1, Some((1, 3)))];
        let with = |more: &[Taken]| events(&[&all, more].concat());
        let names = Names::numbered(3);
        let none: &[ProcessId] = &[];
        let cases = [
            (
                with(&[(2, Some((1, 3)))]),
                none,
                none,
                Verdict::Ok,
                "all that live have p3 as their leader",
            ),
            (
                with(&[]),
                none,
                none,
                Verdict::Fail,
                "p2 has no leader, and not p3, the best that lives",
            ),
            (
                with(&[]),
                none,
                &[p2][..],
                Verdict::Open,
                "p2 has no leader so far, not p3; the log of p2 ends without a stop",
            ),
            (
                with(&[]),
                &[p2][..],
                none,
                Verdict::Ok,
                "all that live have p3 as their leader",
            ),
            // The leader has crashed.
            (
                with(&[(2, Some((1, 3)))]),
                &[p3][..],
                none,
                Verdict::Fail,
                "p1 has p3 in term 1, p2 has p3 in term 1, and not p2, the best that lives",
            ),
            (
                with(&[(2, Some((2, 2))), (1, Some((2, 2)))]),
                &[p3][..],
                none,
                Verdict::Ok,
                "all that live have p2 as their leader",
            ),
            (
                events(&[(3, None)]),
                &[p3][..],
                none,
                Verdict::Open,
                "no process that lives took part in an election",
            ),
            (
                events(&[]),
                none,
                none,
                Verdict::Open,
                "no election was started",
            ),
        ];
        for (events, crashed, unfinished, verdict, found) in cases {
            let run = RunUnderTest::new(&names, &events);
            let run = run.crashed(crashed).unfinished(unfinished);
            let checks = crate::verdict::of(Algorithm::Bully, &run).checks;
            let agreement = checks.last().unwrap();
            assert_eq!(
                (agreement.verdict, agreement.found.as_str()),
                (verdict, found)
            );
        }
    }

    #[test]
    fn two_leaders_of_one_term_are_found_in_the_logs_of_others_too() {
        let names = Names::numbered(3);
        for (second, verdict) in [((1, 2), Verdict::Fail), ((2, 2), Verdict::Ok)] {
            let events = events(&[(3, Some((1, 3))), (1, Some(second)), (2, Some((2, 2)))]);
            let run = RunUnderTest::new(&names, &events);
            let checks = crate::verdict::of(Algorithm::Ring, &run).checks;
            let mut one = checks
                .iter()
                .filter(|it| it.property == Property::OneLeader);
            let one = one.next().unwrap();
            let expected = (verdict == Verdict::Fail).then_some((0, 1));
            assert_eq!((one.verdict, one.events), (verdict, expected));
        }
    }
}
