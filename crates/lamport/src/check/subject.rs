//! What is checked, in words, for the report.

use std::path::Path;

use common::{
    event::Event,
    process::{
        check::{
            report::{Checkable, network},
            search::{Counts, Limits},
        },
        verdict::{Verdict, run::RunUnderTest},
    },
    text::{plural, visible_path},
};

use super::{Settings, Subject, reduction};
use crate::{algorithms::wireless, reporting, simulate::replay::MAX_CLOCK, verdict};

impl Checkable for Settings {
    fn program(&self) -> &'static str {
        "lamport"
    }

    fn word(&self) -> &'static str {
        self.algorithm.word()
    }

    fn words(&self) -> String {
        let (processes, word) = (self.processes, self.algorithm.word());
        match self.subject {
            Subject::Module { max_clock } => {
                format!(
                    "the TLA+ module LamportMutex, {processes} processes, clocks up to {max_clock}"
                )
            }
            Subject::Processes { count, budget } => {
                let operations = plural(count.into(), "operation");
                let network = network(self.order, budget);
                format!("{processes} processes of {word}, {operations} each; {network}")
            }
        }
    }

    fn processes(&self) -> usize {
        self.processes
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn smaller(&self) -> &'static str {
        "--processes, --count, --max-clock"
    }

    fn verdict(&self, run: &RunUnderTest<'_>) -> Verdict {
        verdict::of(self.algorithm, run)
    }

    fn ready(&self) -> Event {
        let ready = reporting::ready(self.algorithm, self.order);
        match self.subject {
            Subject::Processes { .. } => ready,
            Subject::Module { max_clock } => ready
                .text(self.words())
                .counts([(MAX_CLOCK, max_clock.into())]),
        }
    }

    fn replay(&self, log: &Path) -> Option<String> {
        let processes = self.processes;
        let bug = self.bug;
        let bug = bug
            .map(|bug| format!(" --bug {}", bug.word()))
            .unwrap_or_default();
        let (algorithm, log) = (self.algorithm.word(), visible_path(log));
        let network = wireless::network::flags();
        Some(match self.subject {
            Subject::Processes { .. } => format!(
                "replay in the simulator: lamport simulate {algorithm} --processes {processes}{bug}{network} --replay {log}"
            ),
            Subject::Module { max_clock } => format!(
                "replay in the module: lamport check {algorithm} --processes {processes} --max-clock {max_clock}{bug} --replay {log}"
            ),
        })
    }

    fn unviolated(&self) -> Option<String> {
        self.bug.map(|bug| {
            format!(
                "no violation by the bug {} within these bounds; more operations or processes may show it",
                bug.word()
            )
        })
    }

    fn beyond(&self, counts: &Counts) -> String {
        let with_beyond = counts.generated + counts.beyond;
        match self.subject {
            Subject::Module { max_clock } => format!(
                " ({with_beyond} with the {} that lead to a clock beyond {max_clock})",
                counts.beyond
            ),
            Subject::Processes { .. } => String::new(),
        }
    }

    fn reduction(&self, saving: Option<(u64, u64)>) -> String {
        if let Some((possible, taken)) = saving {
            let factor = possible as f64 / taken.max(1) as f64;
            return format!(
                "; reduced: 1 of {factor:.1} possible steps taken (--reduction off explores every state)"
            );
        }
        match reduction::why_not(self) {
            Some(why) if matches!(self.subject, Subject::Processes { .. }) => {
                format!("; not reduced: {why}")
            }
            _ => String::new(),
        }
    }
}
