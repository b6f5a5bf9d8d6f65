//! The states of a scheme's processes, where a wait for an answer does not end at any time: the first ones of each process may, the
//! others end when no message is under way. A round of maintenance begins when none to or from its process is: as Zave's proof
//! assumes, no process is taken to have failed that has not. Of a ring, the ring itself is looked at in each state.

use common::process::{
    Process, TimerKind,
    check::{
        model::Model,
        monitor::Monitor as _,
        path_event::{ChannelId, ExplainPath, PathRenderer},
        system::{GlobalState, Step, System},
    },
    fault_event::PathEvent,
    ids::{Names, ProcessId},
    property::Property,
};

use super::watch::Watch;
use crate::location::chord::{
    Chord, Membership,
    invariant::{self, broken},
};

/// A state of the processes.
pub type State<P> = GlobalState<P, Watch>;

/// Says how the ring of a state is broken, if it is.
pub type Broken<P> = fn(&State<P>) -> Option<String>;

/// The processes of a scheme and their network.
#[derive(Debug)]
pub struct SchemeModel<P: Process> {
    /// The processes.
    pub system: System<P, Watch>,
    /// How many waits of each process may end while a message is under way.
    pub early: u16,
    /// How many rounds of maintenance there are, of all processes together.
    pub rounds: u16,
    /// What looks at the ring; None where it is no property.
    pub broken: Option<Broken<P>>,
}

impl<P: Process> SchemeModel<P> {
    fn may_expire(&self, state: &State<P>, process: ProcessId, kind: TimerKind) -> bool {
        let expired = |process: usize| state.nodes[process].expired[kind.index()];
        let is_quiet = || {
            let mut in_flight = state.network.iter();
            !in_flight.any(|message| message.from == process || message.to == process)
        };
        match kind {
            TimerKind::Timeout => expired(process.index()) < self.early || state.network.is_empty(),
            TimerKind::Maintain => {
                let rounds: u16 = (0..state.nodes.len()).map(expired).sum();
                rounds < self.rounds && is_quiet()
            }
            TimerKind::Think | TimerKind::Work => true,
        }
    }
}

impl<P: Process> SchemeModel<P> {
    /// Whether nothing but faults can happen: no round of maintenance is left, though the timers are set.
    fn is_final(&self, state: &State<P>) -> bool {
        let mut steps = Vec::new();
        self.actions(state, &mut steps);
        let is_fault = |step: &Step| matches!(step, Step::Crash(_) | Step::Loss(..));
        steps.iter().all(is_fault)
    }
}

impl<P: Process> Model for SchemeModel<P> {
    type State = State<P>;
    type Action = Step;

    fn init_states(&self) -> Vec<State<P>> {
        self.system.init_states()
    }

    fn actions(&self, state: &State<P>, steps: &mut Vec<Step>) {
        self.system.actions(state, steps);
        steps.retain(|step| match step {
            Step::Timer(process, kind) => self.may_expire(state, *process, *kind),
            _ => true,
        });
    }

    fn next_state(&self, state: &State<P>, step: Step) -> Option<State<P>> {
        self.system.next_state(state, step)
    }

    fn properties(&self) -> Vec<&'static str> {
        self.system.properties()
    }

    fn violated(&self, state: &State<P>) -> u32 {
        let bit = |property| {
            let mut properties = self.system.properties.iter();
            let number = properties.position(|known| *known == property);
            number.map_or(0, |number| 1 << number)
        };
        let mut violated = self.system.violated(state);
        if self.rounds > 0 && self.is_final(state) {
            let is_complete = state.monitor.complete(self.system.processes, state.crashed);
            if !is_complete {
                violated |= bit(Property::LookUpsEnd);
            }
        }
        let is_broken = self.broken.is_some_and(|broken| broken(state).is_some());
        if is_broken {
            violated |= bit(Property::OneRing);
        }
        violated
    }

    fn format_action(&self, step: &Step) -> String {
        self.system.format_action(step)
    }
}

impl<P: Process> ExplainPath for SchemeModel<P> {
    fn names(&self) -> Names {
        self.system.names()
    }

    fn lacks(&self, property: &str) -> Option<&'static str> {
        self.system.lacks(property)
    }

    fn finding(&self, property: &str, path: &[Step]) -> Option<String> {
        let broken = self
            .broken
            .filter(|_| property == Property::OneRing.name())?;
        let mut state = self.init_states().pop()?;
        for step in path {
            state = self.next_state(&state, *step)?;
        }
        broken(&state)
    }

    fn in_flight(&self, state: &State<P>) -> Vec<ChannelId> {
        self.system.in_flight(state)
    }

    fn explain_step(&self, state: &mut State<P>, step: &Step, renderer: &mut PathRenderer) {
        self.system.explain_step(state, step, renderer);
    }

    fn explain(&self, path: &[Step]) -> Vec<PathEvent> {
        self.system.explain(path)
    }
}

/// How the ring of the members that have not crashed is broken, if it is.
pub fn broken_ring(state: &State<Chord>) -> Option<String> {
    let nodes = state.nodes.iter().enumerate();
    let live = nodes.filter(|(index, _)| state.crashed >> index & 1 == 0);
    let processes = live.map(|(_, node)| &node.clocked.process);
    let members = processes.filter(|process| *process.membership() == Membership::Member);
    let members: Vec<_> = members.map(Chord::neighbours).collect();
    let circle = state.nodes.first()?.clocked.process.circle();
    Some(match broken(circle, &members)? {
        invariant::Broken::NoSuccessor(peer) => format!("{} has no live successor", peer.process),
        broken => broken.to_string(),
    })
}
