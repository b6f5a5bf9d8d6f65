//! The command `run`, and `chord --ring`: real processes of a location scheme on this machine, over UDP, and the verdict on their
//! look-ups. Each process is this program, on [`common::process::node`]; it learns on its standard input who its peers are, and what
//! it is to do. The verdict is made from the processes' logs.
//!
//! | module | job |
//! | --- | --- |
//! | [`node`], `console` | one process, and the lines of its supervisor |
//! | `state` | what a process tells its supervisor of itself |
//! | [`settings`] | the settings of a run |
//! | `supervisor`, `workload` | the processes from their start to their end; what they insert, look up and move, and which are killed |
//! | `ring` | what only Chord has |
//! | `logs` | their logs as one run |

mod console;
mod logs;
pub mod node;
mod ring;
pub mod settings;
mod state;
mod supervisor;
mod workload;

use common::{
    event::Event,
    exit::{Exit, Failure, Summary},
    journal::Journal,
    process::{
        children::start::{RunLogs, run_children},
        property::Property,
        verdict::{Verdict, check::Check, run::RunUnderTest},
    },
    shutdown::Shutdown,
    text::plural,
};

use self::{
    logs::LoggedRun,
    settings::RunSettings,
    supervisor::{Outcome, Supervisor},
};
use crate::location::verdict::{LookUpChecker, Promise};

/// Runs the processes and checks their look-ups; exit code 1 when a property is violated.
///
/// # Errors
/// When the processes cannot be run (exit code 2), or form no ring (exit code 1).
pub fn run(
    settings: &RunSettings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let logs = RunLogs::create(settings.logs.as_deref(), "naming", &settings.names)?;
    let command = |process| settings.command(process, &logs.of(settings.names.of(process)));
    let outcome = run_children("naming", &settings.names, command, |children, outputs| {
        Supervisor::new(settings, children, outputs, journal, shutdown).run()
    });
    let summary = outcome.and_then(|outcome| check(settings, &logs, outcome, journal));
    logs.end(&summary, journal);
    summary
}

fn check(
    settings: &RunSettings,
    logs: &RunLogs,
    outcome: Outcome,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let logged = LoggedRun::read(&settings.names, |name| logs.of(name))?;
    let run = RunUnderTest {
        places: Some(&logged),
        ..RunUnderTest::new(&settings.names, &logged.events).crashed(&outcome.crashed)
    };
    let promise = Promise::new(settings.scheme, settings.group);
    let checker = LookUpChecker::new(promise, outcome.faults.clone());
    let mut verdict = Verdict::of(&run, vec![Box::new(checker)]);
    if settings.scheme.is_ring() {
        verdict.checks.push(heals(&outcome));
    }
    for check in &verdict.checks {
        journal.record(check.event());
    }
    let (crashed, moves) = (outcome.crashed.len() as u64, logged.moves);
    let moved = match moves {
        0 => String::new(),
        moves => format!("{}, ", plural(moves, "move")),
    };
    let text = format!(
        "{} over UDP, {crashed} killed: {}, {moved}{}",
        plural(settings.names.count() as u64, "process"),
        plural(outcome.names as u64, "name"),
        plural(logged.sent, "message")
    );
    let exit = match verdict.holds() {
        true => Exit::Done,
        false => Exit::No,
    };
    let summary = Summary::done(text)
        .exit(exit)
        .count("names", outcome.names as u64)
        .count("moves", moves)
        .count("sent", logged.sent)
        .count("crashed", crashed);
    let summary = match outcome.healed {
        Some(healed) => summary.count("healed_us", healed.as_micros() as u64),
        None => summary,
    };
    journal.record(Event::report(&summary));
    Ok(summary.reported())
}

/// Whether the processes that are left form a ring.
fn heals(outcome: &Outcome) -> Check {
    let property = Property::RingHeals;
    match (&outcome.broken, outcome.healed) {
        // Both sides have taken the other for failed, and do not look for it again.
        (Some(broken), _) if !outcome.faults.partitions.is_empty() => {
            Check::open(property, format!("{broken}; the network was partitioned"))
        }
        (Some(broken), _) => Check::unfulfilled(property, broken.clone()),
        (None, Some(healed)) => Check::ok(
            property,
            format!("whole {} ms after the last crash", healed.as_millis()),
        ),
        (None, None) => Check::open(property, "no process crashed"),
    }
}
