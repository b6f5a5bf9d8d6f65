//! The report on a run of nodes: its events, the verdict with its explanation, the figures, and the logs.

use std::time::Duration;

use common::{
    event::{Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    message::Carrier,
    process::{
        fault_event::PathEvent,
        ids::{Names, ProcessId},
        report::{Log, Report, line, log_path},
        verdict::check::Check,
    },
    text::{micros, plural, visible_path, whole_micros},
};

use super::{
    explain::Explanation,
    lab::Outcome,
    plot,
    settings::{Settings, names},
    workload::{NodeWorkload, OUTSIDE},
};
use crate::{algorithms::Algorithm, clock_plot};

/// Reports on a run that began at this time since 1970.
///
/// # Errors
/// When a file cannot be written (exit code 2).
pub(super) fn report(
    settings: &Settings,
    outcome: &Outcome,
    (checks, explanation): (&[Check], Option<&Explanation>),
    began: Duration,
    journal: &Journal,
) -> Result<Summary, Failure> {
    let report = |names| Report {
        ready: Event::new(Kind::Ready),
        names,
        over: Carrier::Memory,
        journal,
    };
    let history = &outcome.history;
    if settings.show.0 > 0 {
        report(&history.names).path(&history.path, settings.show.0);
    }
    for check in checks {
        journal.record(check.event());
    }
    if let Some(explanation) = explanation {
        journal.record(line(explanation.title.clone()));
        let report = report(&explanation.names);
        explanation
            .events
            .iter()
            .for_each(|event| report.event(event));
    }
    if let Some(folder) = &settings.logs {
        logs(settings, outcome, began, folder)?;
    }
    if let Some(path) = &settings.plot {
        let what = settings.workload.word();
        let algorithm = settings.workload.algorithm();
        if algorithm.is_some_and(Algorithm::reads_clock) {
            let events = PathEvent::run_events(&history.path);
            clock_plot::draw(
                path,
                what,
                &names(settings.nodes),
                &events,
                &settings.faults,
            )?;
        } else {
            plot::draw(path, &format!("{what}: {}", settings.command), outcome)?;
        }
        journal.record(Event::new(Kind::Write).text(visible_path(path)));
    }
    for words in outcome.statistics.words() {
        journal.record(line(words));
    }
    let violated = checks.iter().filter(|check| check.is_violated()).count();
    let properties = plural(checks.len() as u64, "property").replace("propertys", "properties");
    let text = format!(
        "{} of {}, seed {}: {}; in {}",
        plural(settings.nodes as u64, "node"),
        settings.workload.word(),
        settings.seed,
        match violated {
            0 if outcome.interrupted => "interrupted".to_owned(),
            0 => "no violation".to_owned(),
            count => format!("{count} of {properties} violated"),
        },
        micros(whole_micros(outcome.end))
    );
    let exit = match violated {
        0 => Exit::Done,
        _ => Exit::No,
    };
    let summary = Summary::done(text).exit(exit);
    let summary = summary.count("elapsed_us", whole_micros(outcome.end));
    let counts = outcome.statistics.counts().into_iter();
    let summary = counts.fold(summary, |summary, (name, count)| summary.count(name, count));
    let summary = summary
        .count("violated", violated as u64)
        .count("seed", settings.seed);
    journal.record(Event::report(&summary));
    Ok(summary.reported())
}

/// Writes the log of each node, of each client, and of each service that was asked.
fn logs(
    settings: &Settings,
    outcome: &Outcome,
    began: Duration,
    folder: &std::path::Path,
) -> Result<(), Failure> {
    let history = &outcome.history;
    let names: &Names = &history.names;
    let ready = Event::new(Kind::Ready);
    let name = format!("{}-seed-{}", settings.workload.word(), settings.seed);
    // Knowledge that passes through a service counts.
    let knows_services = settings.workload == NodeWorkload::Mutex;
    for process in ProcessId::all(names.count()) {
        let own = history.path.iter().filter(|event| match event {
            PathEvent::Event(event) => event.process == process,
            PathEvent::Fault(_, fault) => fault.process() == process,
        });
        let mut own = own.cloned().peekable();
        if !history.is_node(process) && own.peek().is_none() {
            continue;
        }
        let node = process.index();
        let is_service = history.is_service(process);
        let is_killed = history.is_node(process) && !outcome.is_up[node];
        let log = Log {
            clocks: &[],
            names,
            over: Carrier::Memory,
            run: &name,
            ready: match history.is_node(process) || is_service && knows_services {
                true => ready.clone().algorithm(&settings.workload.log_word()),
                false => ready.clone().algorithm(OUTSIDE),
            },
            // One that was cut short could have gone on.
            ended: (!is_killed && outcome.cut_short().is_none()).then_some(outcome.end),
            began,
        };
        log.write(&log_path(folder, names.of(process)), [process], own)?;
    }
    Ok(())
}
