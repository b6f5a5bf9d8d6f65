//! What a check of processes violates, for the tests: with the lengths of the shortest paths, which the verdict on runs confirms.

use common::process::{
    check::{
        path_event::ExplainPath,
        search::{Limits, Progress, search},
        system::FaultBudget,
    },
    fault_event::PathEvent,
    ids::Names,
    verdict::run::RunUnderTest,
};

use super::{Settings, Subject};
use crate::{algorithms::with_process, verdict};

/// No fault, and one of each kind.
pub(super) const NONE: FaultBudget = FaultBudget {
    lost: 0,
    duplicated: 0,
    reordered: 0,
    crashed: 0,
    suspected: 0,
};
pub(super) const LOST: FaultBudget = FaultBudget { lost: 1, ..NONE };
pub(super) const DUPLICATED: FaultBudget = FaultBudget {
    duplicated: 1,
    ..NONE
};
pub(super) const REORDERED: FaultBudget = FaultBudget {
    reordered: 1,
    ..NONE
};
pub(super) const CRASHED: FaultBudget = FaultBudget { crashed: 1, ..NONE };
pub(super) const SUSPECTED: FaultBudget = FaultBudget {
    suspected: 1,
    ..NONE
};

/// The violated properties with the lengths of their paths: all, or the first. The verdict on each path is the same.
pub(super) fn violations(settings: &Settings, until_violation: bool) -> Vec<(&'static str, usize)> {
    let Subject::Processes { count, budget } = settings.subject else {
        panic!("processes are checked");
    };
    with_process!(settings.algorithm, P => {
        let model = settings.system::<P>(count, budget);
        let limits = Limits { until_violation, ..settings.limits };
        let outcome = search(&model, limits, &Progress::default(), &|| false);
        let found = model.properties.iter().zip(&outcome.violations);
        let found = found.filter_map(|(property, path)| {
            let path = path.as_ref()?;
            let events = model.explain(path);
            let (crashed, events) = (PathEvent::crashed(&events), PathEvent::run_events(&events));
            let names = Names::numbered(settings.processes);
            let run = RunUnderTest::new(&names, &events).crashed(&crashed).order(settings.order);
            let checks = verdict::of(settings.algorithm, &run).checks;
            let same = checks.iter().any(|check| check.property == *property && check.is_violated());
            assert!(same, "{settings:?}: {checks:?}");
            Some((property.name(), path.len()))
        });
        found.collect()
    })
}
