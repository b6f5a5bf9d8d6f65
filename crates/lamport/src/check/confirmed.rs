//! Every path that the search reports is replayed from its log, and judged the same: all combinations of an algorithm, a bug and
//! a fault budget with two processes.

use clap::ValueEnum;
use common::{
    parallel,
    process::{
        check::{
            path_event::ExplainPath,
            report::CheckedPath,
            search::{End, Limits, Outcome, Progress, search},
            system::FaultBudget,
        },
        fault_event::{Fault, MessageFault, PathEvent},
        verdict::Verdict,
    },
    testing::Folder,
};

use super::*;
use crate::simulate::replay::{self, Script};

/// A combination, with two processes.
#[derive(Clone, Copy, Debug)]
struct Case {
    algorithm: Algorithm,
    bug: Option<Bug>,
    subject: Subject,
}

/// All combinations, and the bugs of the module.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for &algorithm in Algorithm::value_variants() {
        let bugs = algorithm.bugs().iter().copied().map(Some);
        for bug in bugs.chain([None]) {
            for faults in 0..16_u8 {
                let budget = FaultBudget {
                    lost: faults & 1,
                    duplicated: faults >> 1 & 1,
                    reordered: faults >> 2 & 1,
                    crashed: faults >> 3 & 1,
                    suspected: 0,
                };
                let count = algorithm.checked_operations() as u16;
                cases.push(Case {
                    algorithm,
                    bug,
                    subject: Subject::Processes { count, budget },
                });
            }
        }
    }
    for bug in Algorithm::Mutex.bugs() {
        cases.push(Case {
            algorithm: Algorithm::Mutex,
            bug: Some(*bug),
            subject: Subject::Module { max_clock: 4 },
        });
    }
    cases
}

/// The paths to the violations, by the name of the property, and whether all states were visited.
fn found(settings: &Settings) -> (Vec<(&'static str, Option<CheckedPath>)>, bool) {
    fn paths<M: ExplainPath>(
        model: &M,
        outcome: &Outcome<M::Action>,
    ) -> Vec<(&'static str, Option<CheckedPath>)> {
        let properties = model.properties();
        let violations = properties.iter().zip(&outcome.violations);
        let found = violations.map(|(property, path)| {
            let path = path.as_ref().map(|path| CheckedPath {
                steps: path.len(),
                events: model.explain(path),
                finding: None,
            });
            (*property, path)
        });
        found.collect()
    }
    with_model!(settings, model => {
        let outcome = search(&model, settings.limits, &Progress::default(), &|| false);
        (paths(&model, &outcome), outcome.end == End::Complete)
    })
}

/// The verdict on a log, with the path that was replayed.
fn replayed(settings: &Settings, file: &std::path::Path) -> (Vec<PathEvent>, Verdict) {
    let Settings { algorithm, bug, .. } = *settings;
    let script = Script::of_processes(None, algorithm, file).unwrap();
    assert_eq!(script.names.count(), settings.processes);
    match script.max_clock {
        Some(max_clock) => {
            let (replayed, verdict) = super::replay::repeat(&script, bug, max_clock).unwrap();
            (replayed.path, verdict)
        }
        None => {
            let replayed = replay::repeat(algorithm, bug, &script).unwrap();
            let verdict = replayed.verdict(algorithm, &script);
            (replayed.path, verdict)
        }
    }
}

/// A log does not say whether the network or a crash lost a message.
fn as_logged(path: &[PathEvent]) -> Vec<PathEvent> {
    let logged = path.iter().map(|event| match event {
        PathEvent::Fault(at, Fault::Message(MessageFault::LostInCrash, message)) => {
            PathEvent::Fault(*at, Fault::Message(MessageFault::Lost, *message))
        }
        other => other.clone(),
    });
    logged.collect()
}

#[test]
fn every_path_is_judged_the_same_by_its_replay() {
    let folder = Folder::new();
    let cases = cases();
    let paths = parallel::each(
        "confirmed",
        parallel::processors(),
        cases.into_iter().enumerate(),
        |(number, case)| {
            let settings = Settings {
                algorithm: case.algorithm,
                processes: 2,
                bug: case.bug,
                subject: case.subject,
                order: ChannelOrder::Fifo,
                reduction: false,
                // The first states have the shortest paths; some combinations have millions.
                limits: Limits {
                    most: 10_000,
                    ..Limits::none(1)
                },
            };
            let (found, complete) = found(&settings);
            let mut paths = 0;
            for (property, path) in &found {
                let Some(path) = path else { continue };
                paths += 1;
                let file = folder.path(&format!("{number}-{paths}.jsonl"));
                let file = std::path::Path::new(&file);
                path.write(&settings, property, file).unwrap();
                let (replayed, verdict) = replayed(&settings, file);
                assert_eq!(as_logged(&replayed), as_logged(&path.events), "{case:?}");
                let violated = verdict.checks.iter().filter(|check| check.is_violated());
                let violated: Vec<_> = violated.map(|check| check.property.name()).collect();
                assert!(
                    violated.contains(property),
                    "{case:?}: {property}: {verdict:?}"
                );
                for other in violated {
                    let known = found.iter().find(|(known, _)| *known == other);
                    let is_found = known.is_some_and(|(_, path)| path.is_some());
                    assert!(
                        is_found || !complete,
                        "{case:?}: {property}: {other}: {verdict:?}"
                    );
                }
            }
            paths
        },
    );
    assert!(paths.iter().sum::<i32>() > 300, "{paths:?}");
}
