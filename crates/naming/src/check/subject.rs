//! What is checked, in words, for the report.

use std::time::Duration;

use common::{
    event::{Event, Kind},
    process::{
        check::{
            report::{Checkable, network},
            search::Limits,
        },
        faults::Crash,
        ids::ProcessId,
        reliable_link::ChannelOrder,
        verdict::{Verdict, run::RunUnderTest},
    },
    text::plural,
};

use super::Settings;
use crate::location::verdict::{self, RunFaults};

impl Checkable for Settings {
    fn program(&self) -> &'static str {
        "naming"
    }

    fn word(&self) -> &'static str {
        self.scheme.word()
    }

    fn words(&self) -> String {
        let mut words = format!(
            "{} of {}",
            plural(self.group.processes as u64, "process"),
            self.scheme
        );
        if self.scheme.is_ring() {
            let (rules, list) = (self.group.rules.word(), self.group.successors);
            words += &format!(", {rules} rules, successor lists of {list}");
            if self.joins > 0 {
                let joins = if self.joins == 1 { "joins" } else { "join" };
                words += &format!(", of which {} {joins}", self.joins);
            }
            if self.rounds > 0 {
                let rounds = plural(self.rounds.into(), "round");
                words += &format!(", {rounds} of maintenance");
            }
        }
        if self.look_ups > 0 {
            let look_ups = plural(self.look_ups.into(), "look-up");
            let moves = plural(self.moves.into(), "move");
            words += &format!(", {look_ups} each, {moves}");
            let waits = plural(self.early.into(), "wait");
            words += &format!(", {waits} each that may end early");
        }
        format!("{words}; {}", network(ChannelOrder::Fifo, self.budget))
    }

    fn processes(&self) -> usize {
        self.group.processes
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn smaller(&self) -> &'static str {
        "--processes, --count, --moves, --early, --rounds"
    }

    fn verdict(&self, run: &RunUnderTest<'_>) -> Verdict {
        let crash = |process: &ProcessId| Crash {
            process: *process,
            from: Duration::ZERO,
            until: Duration::MAX,
        };
        let faults = RunFaults {
            crashes: run.crashed.iter().map(crash).collect(),
            ..RunFaults::default()
        };
        verdict::of(self.promise(), faults, run)
    }

    fn ready(&self) -> Event {
        Event::new(Kind::Ready).algorithm(self.scheme.word())
    }
}
