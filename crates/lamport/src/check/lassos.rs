//! Lassos of the algorithms: where there is one, that the reduction makes no difference, and that a replay of the log says the same.

use common::{
    process::{
        check::{
            liveness::{Outcome, explain::Marks},
            search::{End, Limits, Progress},
            system::Step,
        },
        ids::ProcessId,
        property::Property,
        verdict::Verdict,
    },
    testing::Folder,
};

use super::{
    liveness::{Counterexample, MARKS, search, system},
    *,
};
use crate::{
    algorithms::with_process,
    simulate::replay::{self, Script},
};

fn settings(algorithm: Algorithm, processes: usize, bug: Option<Bug>) -> Settings {
    Settings {
        algorithm,
        processes,
        bug,
        subject: Subject::Processes {
            count: system::UNBOUNDED,
            budget: FaultBudget::default(),
        },
        order: ChannelOrder::Fifo,
        reduction: true,
        limits: Limits::none(2),
    }
}

/// The result of a search, and the counterexample.
fn found(settings: &Settings) -> (Outcome<Step>, Option<Counterexample>) {
    with_process!(settings.algorithm, P => {
        let system = system::<P>(settings);
        let outcome = search(settings, &system, &Progress::default(), &|| false);
        let lasso = outcome.lasso.as_ref();
        let found = lasso.map(|lasso| {
            let process = ProcessId::at(lasso.obligation as usize);
            let explained = system.explain_lasso(lasso, Marks { process, texts: MARKS });
            Counterexample::new(lasso, explained)
        });
        (outcome, found)
    })
}

/// The verdict on a log that was replayed.
fn replayed(
    settings: &Settings,
    bug: Option<Bug>,
    file: &std::path::Path,
) -> Result<Verdict, Failure> {
    let Settings { algorithm, .. } = *settings;
    let script = Script::of_processes(None, algorithm, file)?;
    let replayed = replay::repeat(algorithm, bug, &script)?;
    Ok(replayed.verdict(algorithm, &script))
}

#[test]
fn nobody_waits_for_ever_but_with_an_unfair_queue() {
    use Algorithm::{Central, Mutex, RicartAgrawala};
    use Bug::UnfairQueue;
    for (algorithm, processes, bug, starving) in [
        (Central, 2, None, None),
        (Central, 3, None, None),
        (Central, 4, None, None),
        // Each release leaves only one other process to be granted.
        (Central, 3, Some(UnfairQueue), None),
        (Central, 4, Some(UnfairQueue), Some(3)),
        (Central, 5, Some(UnfairQueue), Some(3)),
        (RicartAgrawala, 2, None, None),
        (RicartAgrawala, 3, None, None),
        (Mutex, 2, None, None),
    ] {
        let settings = settings(algorithm, processes, bug);
        let (reduced, counterexample) = found(&settings);
        let (all, _) = found(&Settings {
            order: ChannelOrder::Fifo,
            reduction: false,
            ..settings
        });
        let case = format!("{algorithm:?} {processes} {bug:?}: {reduced:?} {all:?}");
        let process = reduced.lasso.as_ref().map(|lasso| lasso.obligation);
        assert_eq!(process, starving, "{case}");
        assert_eq!(all.lasso.is_some(), starving.is_some(), "{case}");
        assert!(reduced.counts.distinct <= all.counts.distinct, "{case}");
        if starving.is_none() {
            assert_eq!(
                (reduced.end, all.end),
                (End::Complete, End::Complete),
                "{case}"
            );
        }
        assert_eq!(counterexample.is_some(), starving.is_some());
    }
}

#[test]
fn the_search_depends_on_no_number_of_threads() {
    let settings = settings(Algorithm::Central, 5, Some(Bug::UnfairQueue));
    let (one, _) = found(&Settings {
        limits: Limits::none(1),
        ..settings
    });
    for workers in [2, 5] {
        let (several, _) = found(&Settings {
            limits: Limits::none(workers),
            ..settings
        });
        assert_eq!((one.counts, &one.lasso), (several.counts, &several.lasso));
    }
}

/// An election of each of three processes, and a crash.
fn election(algorithm: Algorithm, bug: Option<Bug>) -> Settings {
    let budget = FaultBudget {
        crashed: 1,
        ..FaultBudget::default()
    };
    Settings {
        subject: Subject::Processes { count: 1, budget },
        reduction: false,
        ..settings(algorithm, 3, bug)
    }
}

#[test]
fn an_election_has_an_end_but_where_a_crashed_process_stays_in_the_ring() {
    for (algorithm, bug, has_lasso) in [
        (Algorithm::Bully, None, false),
        (Algorithm::Ring, None, false),
        // The one that is asked for an answer has crashed: nothing is possible any more.
        (Algorithm::Bully, Some(Bug::NoTimeout), true),
        (Algorithm::Ring, Some(Bug::NoRemoval), true),
    ] {
        let (outcome, counterexample) = found(&election(algorithm, bug));
        let is_complete = outcome.end == End::Complete;
        assert_eq!(counterexample.is_some(), has_lasso, "{algorithm:?} {bug:?}");
        assert!(has_lasso || is_complete, "{algorithm:?} {bug:?}");
        if let Some(found) = counterexample {
            let goes_round = bug == Some(Bug::NoRemoval);
            assert_eq!(found.cycle > 0, goes_round, "{algorithm:?} {bug:?}");
        }
    }
}

/// Writes the lasso of these settings, and replays it.
fn confirmed(
    settings: &Settings,
    is_advanced: bool,
    (property, starts, why): (Property, &str, &str),
) {
    let folder = Folder::new();
    let file = folder.path("lasso.jsonl");
    let file = std::path::Path::new(&file);
    let (_, counterexample) = found(settings);
    let counterexample = counterexample.expect("a lasso");
    assert_eq!(counterexample.is_advanced, is_advanced);
    counterexample.write(settings, file).unwrap();
    let verdict = replayed(settings, settings.bug, file).unwrap();
    let mut violated = verdict.checks.iter().filter(|check| check.is_violated());
    let check = violated.next().expect("a violation");
    assert_eq!(check.property, property, "{verdict:?}");
    assert!(check.found.starts_with(starts), "{verdict:?}");
    assert_eq!(violated.count(), 0, "{verdict:?}");
    // Without the bug the processes do something else.
    let other = replayed(settings, None, file).unwrap_err().to_string();
    assert!(other.contains("but in the replay"), "{other}");

    // A loop that is cut short does not lead back.
    let log = std::fs::read_to_string(file).unwrap();
    let lines: Vec<_> = log.lines().collect();
    let mark = |text: &str| lines.iter().position(|line| line.contains(text)).unwrap();
    let (begin, end) = (mark(MARKS[0]), mark(MARKS[1]));
    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let node = event(lines[end])["node"].clone();
    // The last event of the loop is another process's: without it the rest is still possible.
    let last = (begin..end)
        .rev()
        .find(|line| event(lines[*line])["node"] != node)
        .unwrap();
    let at = event(lines[last])["time"].clone();
    let cut = lines
        .iter()
        .enumerate()
        .filter(|(number, line)| *number < begin || *number >= end || event(line)["time"] != at);
    let cut: String = cut.map(|(_, line)| format!("{line}\n")).collect();
    std::fs::write(file, cut).unwrap();
    let cut = replayed(settings, settings.bug, file)
        .unwrap_err()
        .to_string();
    assert!(cut.contains(why), "{cut}");
}

#[test]
fn a_lasso_is_replayed_and_its_loop_leads_back() {
    let granted = (
        Property::Granted,
        "not granted in the loop, which repeats for ever: p",
        "the loop ends in another state than it began with",
    );
    let unfair = |algorithm, processes| settings(algorithm, processes, Some(Bug::UnfairQueue));
    confirmed(&unfair(Algorithm::Central, 4), false, granted);
    // Where the order of times makes a difference, each step begins with a clock past all others.
    confirmed(&unfair(Algorithm::Mutex, 3), true, granted);
    let agreement = (
        Property::Agreement,
        "in the loop, which repeats for ever: p1 has no leader, p3 has no leader, and not p3",
        "in the replay no process has sent it",
    );
    let orphan = election(Algorithm::Ring, Some(Bug::NoRemoval));
    confirmed(&orphan, false, agreement);
}
