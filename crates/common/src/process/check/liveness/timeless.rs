//! Processes as a model with fairness: their states without the values of clocks, so that a path can come back to an earlier
//! state.
//!
//! Two states are the same if they differ in what makes no difference from now on ([`Relevance`]): the values of timestamps, but
//! for their order, and what a process does not compare any more. That is sound where channels are reliable and FIFO, and
//! timestamps are ordered by happened-before and then by process; see [`reduction`](crate::process::check::reduction). A step
//! that commutes with all others is taken alone. What follows a violation of safety is left out: an algorithm that violates it
//! is wrong anyway, and may have infinitely many states then.

use crate::process::{
    TimerKind,
    check::{
        liveness::fair::Fair,
        model::Model,
        monitor::Monitor,
        relevance::Relevance,
        system::{GlobalState, InFlight, MOST_PROCESSES, Node, Step, System},
    },
    ids::ProcessId,
};

/// The states of a system without the values of clocks.
#[derive(Debug)]
pub struct Timeless<'s, P: crate::process::Process, M> {
    system: &'s System<P, M>,
    /// Whether steps that commute with all others are taken alone.
    reduces: bool,
}

impl<'s, P: Relevance, M: Monitor> Timeless<'s, P, M> {
    /// The states of this system, which must be [reduced](System::is_reduced) and without faults, or
    /// [timeless](System::is_timeless) and without steps that are taken alone. Where paths are to come back to earlier states,
    /// the numbers of its operations have no bound.
    pub fn new(system: &'s System<P, M>, reduces: bool) -> Self {
        Self { system, reduces }
    }
}

/// The constraint that a process's timer of this kind expires.
fn expires(process: ProcessId, kind: TimerKind) -> u8 {
    (process.index() * TimerKind::COUNT + kind.index()) as u8
}

/// The constraint that the first message of a channel arrives.
fn arrives(from: ProcessId, to: ProcessId) -> u8 {
    (MOST_PROCESSES * TimerKind::COUNT + from.index() * MOST_PROCESSES + to.index()) as u8
}

/// The constraint that a process's failure detector says something.
fn detects(process: ProcessId) -> u8 {
    arrives(ProcessId::at(MOST_PROCESSES), process)
}

impl<P: Relevance, M: Monitor> Model for Timeless<'_, P, M> {
    type State = GlobalState<P, M>;
    type Action = Step;

    fn init_states(&self) -> Vec<GlobalState<P, M>> {
        self.system.init_states()
    }

    fn actions(&self, state: &GlobalState<P, M>, steps: &mut Vec<Step>) {
        self.system.actions(state, steps);
    }

    fn next_state(&self, state: &GlobalState<P, M>, step: Step) -> Option<GlobalState<P, M>> {
        let next = self.system.reduced_next(state, step);
        let mut properties = self.system.properties.iter();
        let is_safe = !properties.any(|property| next.monitor.violates(*property));
        is_safe.then_some(next)
    }

    fn properties(&self) -> Vec<&'static str> {
        self.system.properties()
    }

    fn violated(&self, state: &GlobalState<P, M>) -> u32 {
        self.system.violated(state)
    }
}

impl<P: Relevance, M: Monitor> Fair for Timeless<'_, P, M> {
    /// Every timer that is set expires, every message arrives, and every failure detector says what it has to say. Nobody needs
    /// to give a command, and no fault needs to occur.
    fn constraint(&self, step: &Step) -> Option<u8> {
        match *step {
            Step::Timer(process, kind) => Some(expires(process, kind)),
            Step::Receive { from, to, .. } => Some(arrives(from, to)),
            Step::Detect(process, _) => Some(detects(process)),
            Step::Command(..)
            | Step::Loss(..)
            | Step::LossInCrash(..)
            | Step::Crash(_)
            | Step::Tick => None,
        }
    }

    fn unfulfilled(&self, state: &GlobalState<P, M>) -> u64 {
        state.monitor.unfulfilled(state.crashed)
    }

    fn alone(&self, state: &GlobalState<P, M>, steps: &[Step]) -> Option<usize> {
        let commutes = |step: &Step| self.system.commutes(state, step);
        steps.iter().position(commutes).filter(|_| self.reduces)
    }

    fn bytes(&self, state: &GlobalState<P, M>) -> usize {
        // A step changes one process.
        size_of::<GlobalState<P, M>>()
            + size_of::<Node<P>>()
            + state.network.len() * size_of::<InFlight<P::Message>>()
            + 256
    }
}
