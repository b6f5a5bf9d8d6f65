//! What ordered multicast promises.

use std::collections::HashMap;

use common::text::plural;

use super::{Case, Check, Judge, causality::Knowledge};
use crate::{
    algorithms::Algorithm,
    clock::Timestamp,
    happening::Happening,
    process::{Deed, ProcessId},
};

/// Everything delivered everywhere, in an order that the algorithm promises.
#[derive(Debug)]
pub(super) struct Delivery {
    algorithm: Algorithm,
    /// Of each multicast the process, and of totally ordered ones nothing more: how many of each process's multicasts
    /// its sender had delivered, itself included; and where it was sent.
    multicasts: HashMap<Timestamp, (Vec<u64>, usize)>,
    /// How many of each process's multicasts each process has delivered.
    delivered: Vec<Vec<u64>>,
    /// What was delivered as the how many-th by whoever did so first, and where.
    sequence: Vec<(Timestamp, usize)>,
    /// How many each process has delivered, and what it said of the last.
    done: Vec<(usize, String)>,
    /// All multicasts of each process in their order, where they were sent.
    of_each: Vec<Vec<usize>>,
    broken: Option<((usize, usize), &'static str)>,
}

impl Delivery {
    pub(super) fn new(processes: usize, algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            multicasts: HashMap::new(),
            delivered: vec![vec![0; processes]; processes],
            sequence: Vec::new(),
            done: vec![(0, String::new()); processes],
            of_each: vec![Vec::new(); processes],
            broken: None,
        }
    }

    /// The same at the same place of everybody's sequence.
    fn in_sequence(&mut self, place: usize, me: usize, multicast: Timestamp) {
        match self.sequence.get(self.done[me].0) {
            None => self.sequence.push((multicast, place)),
            Some((same, _)) if *same == multicast => {}
            Some((_, other)) => {
                let so = "both are the next of their process, and not the same";
                self.broken.get_or_insert(((*other, place), so));
            }
        }
    }

    /// After all that its sender had delivered.
    fn after_its_causes(&mut self, place: usize, me: usize, multicast: Timestamp) {
        let from = multicast.process.index();
        if let Some((before, _)) = self.multicasts.get(&multicast) {
            let mut earlier = before.iter().zip(&self.delivered[me]).enumerate();
            let missing = earlier.find(|(process, (had, has))| {
                let had = **had - u64::from(*process == from);
                had > **has
            });
            if let Some((process, (_, has))) = missing
                && let Some(cause) = self.of_each[process].get(*has as usize)
            {
                let so = "the first was delivered by the sender of the second before it sent, and not here yet";
                self.broken.get_or_insert(((*cause, place), so));
            }
        }
        self.delivered[me][from] += 1;
    }
}

impl Judge for Delivery {
    fn see(&mut self, place: usize, happening: &Happening, case: &Case<'_>, _: &Knowledge) {
        let me = happening.process.index();
        match &happening.deed {
            Some(Deed::Multicast(_)) => {
                let stamp = Timestamp {
                    time: happening.time,
                    process: happening.process,
                };
                let before = if self.algorithm == Algorithm::Causal {
                    let mut before = self.delivered[me].clone();
                    before[me] += 1;
                    before
                } else {
                    Vec::new()
                };
                self.multicasts.insert(stamp, (before, place));
                self.of_each[me].push(place);
            }
            Some(Deed::Deliver(multicast, said)) => {
                if case.gone.contains(&multicast.process) {
                    // It may have been killed before it had written that it sent it.
                    let unknown = (Vec::new(), place);
                    self.multicasts.entry(*multicast).or_insert(unknown);
                }
                if self.algorithm == Algorithm::Causal {
                    self.after_its_causes(place, me, *multicast);
                } else {
                    self.in_sequence(place, me, *multicast);
                }
                self.done[me].0 += 1;
                self.done[me].1.clone_from(said);
            }
            _ => {}
        }
    }

    fn conclude(self: Box<Self>, case: &Case<'_>) -> Vec<Check> {
        let total = self.algorithm == Algorithm::Total;
        let rule = if total {
            "same sequence"
        } else {
            "causal order"
        };
        let (multicasts, processes) = (self.multicasts.len(), self.done.len());
        let all = plural(multicasts as u64, "multicast");
        let order = match self.broken {
            Some((events, so)) => Check::broken(case, rule, events, so),
            None if total => Check::good(
                rule,
                format!("all {processes} replicas delivered in the same order"),
            ),
            None => Check::good(
                rule,
                "nothing was delivered before what it follows from".into(),
            ),
        };
        // Of one that is gone nobody expects anything more.
        let here = |process: &ProcessId| !case.gone.contains(process);
        let short: Vec<_> = ProcessId::all(processes)
            .filter(here)
            .map(|process| (process, self.done[process.index()].0))
            .filter(|(_, delivered)| *delivered != multicasts)
            .map(|(process, delivered)| format!("{} {delivered}", case.names.of(process)))
            .collect();
        let everywhere = if short.is_empty() {
            Check::good(
                "everything delivered",
                format!(
                    "{all}, each at all {} processes",
                    processes.saturating_sub(case.gone.len())
                ),
            )
        } else {
            Check::missing(
                "everything delivered",
                format!("of {all} delivered {}", short.join(", ")),
            )
        };
        let mut checks = vec![order, everywhere];
        if total && short.is_empty() && multicasts > 0 && case.gone.len() < processes {
            let account = |said: &str| said.rsplit(": ").next().unwrap_or_default().to_owned();
            let accounts: Vec<_> = ProcessId::all(processes)
                .filter(here)
                .map(|process| account(&self.done[process.index()].1))
                .collect();
            let replicas = accounts.len();
            checks.push(if accounts.iter().all(|account| *account == accounts[0]) {
                Check::good(
                    "equal accounts",
                    format!("{} in the end on all {replicas} replicas", accounts[0]),
                )
            } else {
                Check::missing(
                    "equal accounts",
                    format!("in the end {}", accounts.join(", ")),
                )
            });
        }
        checks
    }
}
