//! The result of a replay: the run, its verdict and its report.

use std::{ops::Range, time::Duration};

use common::{
    event::Event,
    exit::{Exit, Summary},
    journal::Journal,
    message::Carrier,
    process::{
        Meaning,
        fault_event::PathEvent,
        ids::ProcessId,
        property::Property,
        reliable_link::ChannelOrder,
        report::{Report, Show, line},
        verdict::{Verdict, check::Check, run::RunUnderTest},
    },
    text::plural,
};

use super::script::Script;
use crate::{algorithms::Algorithm, reporting, verdict};

/// A log that was replayed.
#[derive(Debug)]
pub struct Replayed {
    /// The events of the processes, and the faults of the log.
    pub path: Vec<PathEvent>,
    /// Whether every channel delivered its messages in order, each once.
    pub in_order: bool,
    /// The events of the loop that repeats for ever, if it is a lasso.
    pub cycle: Option<Range<usize>>,
    /// The event with which the last step would go on, if the log ends before it.
    pub missing: Option<String>,
}

impl Replayed {
    /// The verdict on the run. Faults of the network are no violation by the processes.
    pub fn verdict(&self, algorithm: Algorithm, script: &Script) -> Verdict {
        let events = PathEvent::run_events(&self.path);
        let crashed = PathEvent::crashed(&self.path);
        let run = RunUnderTest::new(&script.names, &events)
            .unfinished(&script.unfinished)
            .crashed(&crashed);
        let mut verdict = verdict::of(algorithm, &run);
        let keep = |check: &Check| self.in_order || check.property != Property::Channels;
        verdict.checks.retain(keep);
        let never = match algorithm.elects() {
            true => self.never_agreed(algorithm, script),
            false => self.never_granted(script),
        };
        if let Some(violated) = never {
            let same = |check: &&mut Check| check.property == violated.property;
            if let Some(check) = verdict.checks.iter_mut().find(same) {
                *check = violated;
            }
        }
        verdict
    }

    /// The disagreement all round the loop of a lasso: the one in which it begins, if no process takes a leader in it.
    fn never_agreed(&self, algorithm: Algorithm, script: &Script) -> Option<Check> {
        let cycle = self.cycle.clone()?;
        let is_leader = |event: &PathEvent| {
            let PathEvent::Event(event) = event else {
                return false;
            };
            matches!(event.meaning, Some(Meaning::Leader(_)))
        };
        if self.path[cycle.clone()].iter().any(is_leader) {
            return None;
        }
        let events = PathEvent::run_events(&self.path[..cycle.start]);
        let crashed = PathEvent::crashed(&self.path[..cycle.start]);
        let run = RunUnderTest::new(&script.names, &events).crashed(&crashed);
        let checks = verdict::of(algorithm, &run).checks.into_iter();
        let mut checks = checks.filter(|check| check.property == Property::Agreement);
        let mut check = checks.next().filter(Check::is_violated)?;
        check.found = format!("in the loop, which repeats for ever: {}", check.found);
        Some(check)
    }

    /// The requests that are pending all round the loop of a lasso.
    fn never_granted(&self, script: &Script) -> Option<Check> {
        let cycle = self.cycle.clone()?;
        let mut pending = vec![None; script.names.count()];
        for (number, event) in self.path[..cycle.end].iter().enumerate() {
            let PathEvent::Event(event) = event else {
                continue;
            };
            let pending = &mut pending[event.process.index()];
            match event.meaning {
                Some(Meaning::Request) if number < cycle.start => *pending = Some(event.time),
                Some(Meaning::Enter(_)) => *pending = None,
                _ => {}
            }
        }
        let never = ProcessId::all(pending.len()).zip(pending);
        let never = never.filter_map(|(process, time)| {
            Some(format!("{}'s of {}", script.names.of(process), time?))
        });
        let never: Vec<_> = never.collect();
        let found = format!(
            "not granted in the loop, which repeats for ever: {}",
            never.join(", ")
        );
        (!never.is_empty()).then(|| Check::unfulfilled(Property::Granted, found))
    }

    /// Prints the run, its verdict and its counts.
    pub fn report(
        &self,
        algorithm: Algorithm,
        script: &Script,
        verdict: &Verdict,
        Show(show): Show,
        journal: &Journal,
    ) -> Summary {
        let report = Report {
            ready: reporting::ready(algorithm, ChannelOrder::Fifo),
            names: &script.names,
            over: Carrier::Memory,
            journal,
        };
        let end = self.path.iter().map(PathEvent::at);
        let end = end.max().unwrap_or(Duration::ZERO);
        let network = match self.in_order {
            true => "over reliable FIFO channels",
            false => "with messages lost, duplicated or reordered",
        };
        let same = plural(script.events() as u64, "event");
        report.record(end, line(format!("replayed the same {same}, {network}")));
        if let Some(cycle) = &self.cycle {
            let events = plural(cycle.len() as u64, "event");
            let text = format!(
                "the loop of {events} leads back to the same state, but for the values of clocks"
            );
            report.record(end, line(text));
        }
        if let Some(missing) = &self.missing {
            report.record(end, line(format!("the log ends before {missing}")));
        }
        if show > 0 {
            report.path(&self.path, show);
        }
        for check in &verdict.checks {
            report.record(end, check.event());
        }
        let exit = if verdict.holds() {
            Exit::Done
        } else {
            Exit::No
        };
        let summary = Summary::done(reporting::words(algorithm, &verdict.figures)).exit(exit);
        let summary = reporting::counted(&verdict.figures, summary);
        report.record(end, Event::report(&summary));
        summary.reported()
    }
}
