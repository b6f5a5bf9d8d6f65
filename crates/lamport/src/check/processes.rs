//! The search of the processes' state space: reduced where that is sound, and again without the reduction where it found a
//! violation, so that the counterexample is a shortest path of the processes.

use std::sync::Arc;

use common::process::check::{
    command::Searched,
    packed::PackedSystem,
    relevance::Relevance,
    search::{Limits, Progress, search_space},
    system::{Step, System},
};

use super::{Settings, monitor::PropertyMonitor, reduction};

/// Searches the states of a system.
pub fn search_processes<P>(
    settings: &Settings,
    system: &System<P, PropertyMonitor>,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Searched<Step>
where
    P: Relevance,
{
    let mut suspected = 0;
    if settings.reduction && reduction::why_not(settings).is_none() {
        let reduced = System {
            exercise: Arc::default(),
            ..settings.reduced(system)
        };
        let limits = Limits {
            until_violation: true,
            ..settings.limits
        };
        let space = PackedSystem::new(&reduced, &limits);
        let outcome = search_space(&space, limits, progress, stop);
        let violated = outcome.violations.iter().enumerate();
        suspected = violated.fold(0, |violated, (number, path)| {
            violated | u32::from(path.is_some()) << number
        });
        if suspected == 0 {
            system.exercise.add(reduced.exercise.so_far());
            return Searched {
                outcome,
                saving: Some(space.saving().steps()),
                suspected,
            };
        }
    }
    let space = PackedSystem::new(system, &settings.limits);
    Searched {
        suspected,
        ..search_space(&space, settings.limits, progress, stop).into()
    }
}
