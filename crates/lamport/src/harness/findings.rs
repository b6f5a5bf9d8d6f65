//! The verdict on a run of nodes: on the protocol, the answers, the workload, and the properties of its algorithm.

use common::{
    process::{
        To,
        fault_event::PathEvent,
        ids::ProcessId,
        property::Property,
        run_event::{MessageAction, RunEvent},
        verdict::{Verdict, check::Check, run::RunUnderTest},
    },
    text::plural,
};

use super::{
    history::History,
    lab::{Answers, Outcome},
    settings::{Settings, names},
    task::End,
    workload::NodeWorkload,
};
use crate::{algorithms::Algorithm, verdict};

/// The events in which two violate a property, and the two.
pub(super) type Violation = Option<(Vec<RunEvent>, (usize, usize))>;

/// The result for each property.
pub(super) fn checks(settings: &Settings, outcome: &Outcome) -> (Vec<Check>, Violation) {
    let history = &outcome.history;
    let end = End {
        history,
        is_whole: &outcome.is_whole,
        is_up: &outcome.is_up,
    };
    let mut checks = vec![match &outcome.breach {
        Some(breach) => Check::unfulfilled(Property::Protocol, breach.words.clone()),
        None => Check::ok(
            Property::Protocol,
            "every line is a message of the protocol",
        ),
    }];
    // What a run that was cut short lacks, it might have had later.
    let cut = outcome.cut_short();
    let mut found = vec![answered(settings, outcome, &end)];
    let mut violation = None;
    if let Some(algorithm) = settings.workload.algorithm() {
        let events = PathEvent::run_events(&history.path);
        let (verdict, places) = verdict(
            settings.workload,
            algorithm,
            &events,
            outcome,
            cut.is_some(),
        );
        let ends = verdict.first_violation();
        violation = ends.map(|(one, other)| (events, (places[one], places[other])));
        let ours = |check: &Check| check.property != Property::EqualAccounts;
        found.extend(verdict.checks.into_iter().filter(ours));
    }
    for check in outcome.task.conclude(&end) {
        // The workload may know of a property what no event shows.
        let mut known = found.iter_mut();
        match known.find(|known| known.property == check.property) {
            Some(known) if known.is_violated() => {}
            Some(known) => *known = check,
            None => found.push(check),
        }
    }
    for mut check in found {
        if let Some(why) = cut {
            let lacks = check.is_violated() && is_about_the_end(check.property);
            check = match check.is_violated() {
                true if lacks => Check::open(check.property, why),
                true => check,
                false => Check::open(check.property, format!("{}, so far; {why}", check.found)),
            };
        }
        checks.push(check);
    }
    (checks, violation)
}

/// Whether the end of the run decides it.
fn is_about_the_end(property: Property) -> bool {
    let ends = [
        Property::Reported,
        Property::NothingLost,
        Property::FinalValue,
        Property::Answered,
    ];
    property.is_liveness() || ends.contains(&property)
}

/// Whether every request was answered.
fn answered(settings: &Settings, outcome: &Outcome, end: &End<'_>) -> Check {
    let property = Property::Answered;
    if let Some(refused) = &outcome.refused {
        return Check::unfulfilled(property, refused.clone());
    }
    let all: u64 = outcome.answers.iter().map(|answers| answers.asked).sum();
    let unanswered: u64 = outcome
        .answers
        .iter()
        .map(|answers| answers.unanswered)
        .sum();
    // A store may leave it open what became of an operation, while its nodes do not reach each other.
    let is_lenient = settings.workload == NodeWorkload::LinKv;
    let is_silent = |answers: &&(usize, &Answers)| {
        let answers = answers.1;
        answers.unanswered > 0 && (!is_lenient || answers.answered == 0)
    };
    let nodes: Vec<_> = outcome.answers.iter().enumerate().collect();
    let silent: Vec<_> = nodes
        .iter()
        .filter(is_silent)
        .map(|(node, answers)| {
            let Answers {
                asked, unanswered, ..
            } = answers;
            format!(
                "{} left {unanswered} of its {} unanswered",
                end.name(*node),
                plural(*asked, "request")
            )
        })
        .collect();
    let served: u64 = outcome.answers.iter().map(|answers| answers.served).sum();
    let refused: u64 = outcome.answers.iter().map(|it| it.answered).sum();
    match silent.as_slice() {
        [] if all == 0 => Check::open(property, "no request was made"),
        [] if served == 0 && refused == all => {
            let found = format!("all {} were refused", plural(all, "request"));
            Check::unfulfilled(property, found)
        }
        [] if unanswered > 0 => Check::ok(
            property,
            format!(
                "{} of {} without an answer, whose results are open",
                unanswered,
                plural(all, "request")
            ),
        ),
        [] => Check::ok(property, format!("all {}", plural(all, "request"))),
        silent => Check::unfulfilled(property, silent.join(", ")),
    }
}

/// The verdict by the properties of an algorithm, and the places of the events that it is on.
fn verdict(
    workload: NodeWorkload,
    algorithm: Algorithm,
    all: &[RunEvent],
    outcome: &Outcome,
    is_cut: bool,
) -> (Verdict, Vec<usize>) {
    let history = &outcome.history;
    let nodes = outcome.is_whole.len();
    // Clients and services pass knowledge on, but neither deliver nor state clocks.
    let takes_all = workload == NodeWorkload::Mutex;
    let names = if takes_all {
        history.names.clone()
    } else {
        names(nodes)
    };
    let event = |(place, event): (usize, &RunEvent)| {
        let event = match takes_all {
            true => Some(event.clone()),
            false => of_nodes(history, event.clone()),
        };
        Some((place, event?))
    };
    let (places, events): (Vec<_>, Vec<_>) = all.iter().enumerate().filter_map(event).unzip();
    let killed = outcome
        .is_whole
        .iter()
        .enumerate()
        .filter(|(_, whole)| !**whole);
    let killed: Vec<_> = killed.map(|(node, _)| ProcessId::at(node)).collect();
    let unfinished: Vec<_> = if is_cut {
        ProcessId::all(nodes)
            .filter(|node| !killed.contains(node))
            .collect()
    } else {
        Vec::new()
    };
    let run = RunUnderTest::new(&names, &events);
    let run = run.crashed(&killed).unfinished(&unfinished);
    let verdict = verdict::of_nodes(algorithm, &run, workload == NodeWorkload::Clocks);
    (verdict, places)
}

/// The event of a node, whose clients and services are no processes.
fn of_nodes(history: &History, mut event: RunEvent) -> Option<RunEvent> {
    if !history.is_node(event.process) {
        return None;
    }
    let other = match &event.what {
        MessageAction::Send {
            to: To::One(to), ..
        } => Some(*to),
        MessageAction::Receive { from, .. } => Some(*from),
        _ => None,
    };
    if other.is_some_and(|other| !history.is_node(other)) {
        event.what = MessageAction::Local;
    }
    Some(event)
}
