//! A lasso as events of the processes, with the clocks that states are without.

use std::sync::Arc;

use super::{Lasso, timeless::Timeless};
use crate::process::{
    Meaning, Process,
    check::{
        model::Model,
        monitor::Monitor,
        path_event::{ExplainPath, PathRenderer},
        relevance::Relevance,
        system::{GlobalState, Step, System},
    },
    clock::LamportClock,
    fault_event::PathEvent,
    ids::ProcessId,
    run_event::MessageAction,
};

/// The events of a path and of one time round its loop.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LassoEvents {
    /// All events, and the marks.
    pub events: Vec<PathEvent>,
    /// Whether each step begins with a clock that is past all others, as by further local events: its events have the order of
    /// their times. Where no process compares times, clocks are as the processes advance them.
    pub is_advanced: bool,
}

/// Where a lasso's loop begins and ends: a local event of a process with such a text.
#[derive(Clone, Copy, Debug)]
pub struct Marks<'m> {
    /// The process that waits.
    pub process: ProcessId,
    /// The texts of the events.
    pub texts: [&'m str; 2],
}

impl<P: Relevance, M: Monitor> System<P, M> {
    /// The events of a lasso that was found in this system without the values of clocks.
    pub fn explain_lasso(&self, lasso: &Lasso<Step>, marks: Marks<'_>) -> LassoEvents {
        let is_advanced = self.compares_times(lasso);
        let timed = Self {
            is_reduced: false,
            is_timeless: false,
            ..self.clone()
        };
        let mut renderer = PathRenderer::new(self.processes);
        let mut state = timed.init_states().swap_remove(0);
        let mark = |state: &mut GlobalState<P, M>, renderer: &mut PathRenderer, text: &str| {
            // A time of its own: what else has the same one has no order in a log.
            renderer.step();
            let clock = latest(state);
            let clocked = &mut Arc::make_mut(&mut state.nodes[marks.process.index()]).clocked;
            if is_advanced {
                clocked.clock = LamportClock::at(clock);
            }
            if let Ok(time) = clocked.clock.tick() {
                let meaning = Meaning::Local(text.to_owned());
                renderer.event(marks.process, time, MessageAction::Local, Some(meaning));
            }
        };
        let steps = lasso.path.iter().chain(&lasso.cycle);
        for (number, step) in steps.enumerate() {
            if number == lasso.path.len() {
                mark(&mut state, &mut renderer, marks.texts[0]);
            }
            renderer.step();
            if let (true, Some(me)) = (is_advanced, process(step)) {
                let clock = latest(&state);
                Arc::make_mut(&mut state.nodes[me.index()]).clocked.clock = LamportClock::at(clock);
            }
            timed.explain_step(&mut state, step, &mut renderer);
        }
        if !lasso.cycle.is_empty() {
            mark(&mut state, &mut renderer, marks.texts[1]);
        }
        LassoEvents {
            events: renderer.events,
            is_advanced,
        }
    }

    /// Whether a process compares times anywhere on the lasso.
    fn compares_times(&self, lasso: &Lasso<Step>) -> bool {
        let timeless = Timeless::new(self, false);
        let mut state = timeless.init_states().swap_remove(0);
        let mut compares = false;
        for step in lasso.path.iter().chain(&lasso.cycle) {
            for node in &state.nodes {
                let process: &mut P = &mut node.clocked.process.clone();
                process.times(&mut |_, _| compares = true);
            }
            if let Some(next) = timeless.next_state(&state, *step) {
                state = next;
            }
        }
        compares
    }
}

/// The process that takes a step.
fn process(step: &Step) -> Option<ProcessId> {
    match *step {
        Step::Timer(process, _) | Step::Command(process, _) | Step::Detect(process, _) => {
            Some(process)
        }
        Step::Receive { to, .. } => Some(to),
        Step::Loss(..) | Step::LossInCrash(..) | Step::Crash(_) | Step::Tick => None,
    }
}

/// The latest clock of a process.
fn latest<P: Process, M>(state: &GlobalState<P, M>) -> u64 {
    let clocks = state.nodes.iter().map(|node| node.clocked.clock.time());
    clocks.max().unwrap_or(0)
}
