//! Elections (van Steen & Tanenbaum, "Election algorithms"): at most one process leads in a term, and in the end all that live
//! agree on one leader, the best of them.

use std::collections::{BTreeMap, btree_map::Entry};

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

/// The best of the processes that have not crashed: the one with the greatest number. The leader in the end.
pub(crate) fn best(processes: usize, has_crashed: impl Fn(ProcessId) -> bool) -> Option<ProcessId> {
    let living = ProcessId::all(processes).filter(|process| !has_crashed(*process));
    living.max()
}

/// The leaders of a run.
#[derive(Debug)]
pub(super) struct Election {
    /// The leader of each term, and the first event that says so.
    leaders: BTreeMap<u64, (ProcessId, usize)>,
    /// The processes that have started an election or agreed on a leader.
    takes_part: Vec<bool>,
    /// The last leader on which each process has agreed, with the term.
    agreed: Vec<Option<(u64, ProcessId)>>,
    two: Option<(usize, usize)>,
}

impl Election {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            leaders: BTreeMap::new(),
            takes_part: vec![false; processes],
            agreed: vec![None; processes],
            two: None,
        }
    }
}

impl Checker for Election {
    fn see(&mut self, index: usize, event: &RunEvent, _: &RunUnderTest<'_>, _: &Known) {
        let me = event.process.index();
        match event.meaning {
            Some(Meaning::Elect) => self.takes_part[me] = true,
            Some(Meaning::Leader(leader)) => {
                self.takes_part[me] = true;
                self.agreed[me] = Some((leader.time, leader.process));
                match self.leaders.entry(leader.time) {
                    Entry::Vacant(term) => drop(term.insert((leader.process, index))),
                    Entry::Occupied(term) => {
                        let (other, before) = *term.get();
                        if other != leader.process {
                            self.two.get_or_insert((before, index));
                        }
                    }
                }
            }
            _ => {}
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
                let terms = plural(self.leaders.len() as u64, "term");
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
        let processes = self.agreed.len();
        let best = best(processes, |process| run.crashed.contains(&process));
        let living: Vec<_> = ProcessId::all(processes)
            .filter(|process| run.expects(*process) != Expected::No)
            .collect();
        let mut taking_part = living.iter().filter(|it| self.takes_part[it.index()]);
        let (Some(best), Some(_)) = (best, taking_part.next()) else {
            let why = "no process that lives took part in an election";
            return Check::open(property, exercise.lacks(property).unwrap_or(why));
        };
        let name = |process: ProcessId| run.names.of(process);
        let others = living.iter().filter_map(|process| {
            let agreed = match self.agreed[process.index()] {
                Some((_, leader)) if leader == best => return None,
                Some((term, leader)) => format!("{} in term {term}", name(leader)),
                None => "no leader".to_owned(),
            };
            Some(format!("{} has {agreed}", name(*process)))
        });
        let others: Vec<_> = others.collect();
        let leader = name(best);
        if others.is_empty() {
            let found = format!("all that live have {leader} as their leader");
            return Check::held(run, exercise, property, found, &[]);
        }
        let others = others.join(", ");
        if !run.unfinished.is_empty() {
            let found = format!("{others} so far, not {leader}; {}", run.cut_short());
            return Check::open(property, found);
        }
        let found = format!("{others}, and not {leader}, the best that lives");
        Check::unfulfilled(property, found)
    }
}
