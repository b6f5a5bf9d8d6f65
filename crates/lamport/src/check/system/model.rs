//! The system as a model of stateright's, whose paths can be explained.

use std::{fmt, sync::Arc};

use common::process::{
    Action, Clocked, Message, Process,
    ids::{Names, ProcessId},
    timers::Timers,
};
use smallvec::SmallVec;
use stateright::{Model, Property};

use super::{GlobalState, InFlight, Node, Step, StepEvent, System};
use crate::{
    check::{
        monitor::PropertyMonitor,
        path_event::{ChannelId, ExplainPath, PathRenderer},
    },
    fault_event::MessageFault,
    property,
    run_event::MessageAction,
};

impl<P> Model for System<P>
where
    P: Process,
{
    type State = GlobalState<P>;
    type Action = Step;

    fn init_states(&self) -> Vec<GlobalState<P>> {
        let nodes = ProcessId::all(self.processes).map(|me| {
            let mut clocked = Clocked::<P>::new(me, self.processes, &self.settings);
            let mut actions = Vec::new();
            let _ = clocked.start(&mut actions);
            let no_event = actions
                .iter()
                .all(|action| !matches!(action, Action::Event { .. }));
            assert!(
                no_event,
                "no algorithm has an event before its timer expires"
            );
            let mut timers = Timers::default();
            actions.iter().for_each(|action| timers.apply(action));
            let mut node = Node {
                clocked,
                timers,
                started: 0,
                hash: 0,
            };
            node.changed();
            Arc::new(node)
        });
        vec![GlobalState {
            nodes: nodes.collect(),
            network: SmallVec::new(),
            budget: self.budget,
            crashed: 0,
            monitor: if self.is_reduced {
                PropertyMonitor::causal(self.algorithm, self.processes)
            } else {
                PropertyMonitor::new(self.algorithm, self.processes)
            },
        }]
    }

    fn actions(&self, state: &GlobalState<P>, steps: &mut Vec<Step>) {
        for (process, node) in state.running() {
            for kind in self.due(node).iter() {
                steps.push(Step::Timer(process, kind));
            }
            if state.budget.crashed > 0 {
                steps.push(Step::Crash(process));
            }
        }
        for (index, in_flight) in state.network.iter().enumerate() {
            let (from, to, copy) = in_flight.channel();
            let channel = |other: usize| state.network.get(other).map(InFlight::channel);
            let first = state
                .network
                .partition_point(|other| other.channel() < (from, to, copy));
            let position = index - first;
            if !copy {
                if position == 0 && state.budget.lost > 0 {
                    steps.push(Step::Loss(from, to));
                }
                if state.crashed >> from.index() & 1 == 1 && channel(index + 1) != channel(index) {
                    steps.push(Step::LossInCrash(from, to));
                }
            }
            if copy || position == 0 || state.budget.reordered > 0 {
                for duplicated in [false, true] {
                    if !duplicated || !copy && state.budget.duplicated > 0 {
                        steps.push(Step::Receive {
                            from,
                            to,
                            position,
                            copy,
                            duplicated,
                        });
                    }
                }
            }
        }
    }

    fn next_state(&self, state: &GlobalState<P>, step: Step) -> Option<GlobalState<P>> {
        let mut next = state.clone();
        self.take(&mut next, step, |_, _| ());
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // Every step advances a clock or uses up the fault budget, so every path is finite: a liveness property holds
        // if it holds in all final states.
        fn complete<P: Process>(system: &System<P>, state: &GlobalState<P>) -> bool {
            state.monitor.complete(system.processes, state.crashed) || system.makes_progress(state)
        }
        /// Properties are function pointers, so each has a function of its own.
        macro_rules! never_violated {
            ($($property:ident),*) => {
                |property: &property::Property| match *property {
                    $(property::Property::$property => {
                        fn holds<P: Process>(_: &System<P>, state: &GlobalState<P>) -> bool {
                            !state.monitor.violates(property::Property::$property)
                        }
                        Property::always(property.name(), holds::<P>)
                    })*
                    _ => Property::always(property.name(), complete::<P>),
                }
            };
        }
        let property = never_violated!(
            Clocks,
            MutualExclusion,
            TimestampOrder,
            SameSequence,
            CausalOrder,
            DeliveredOnce
        );
        let monitored = property::Property::monitored(self.algorithm);
        monitored.iter().map(property).collect()
    }

    fn format_action(&self, step: &Step) -> String {
        match *step {
            Step::Timer(process, _) => format!("the timer of {process} expires"),
            Step::Receive {
                from,
                to,
                position,
                copy,
                duplicated,
            } => {
                let message = match position {
                    _ if copy => format!("copy {} of a message", position + 1),
                    0 => "the first message".to_owned(),
                    position => format!("message {}, out of order,", position + 1),
                };
                let duplicated = if duplicated { ", duplicated" } else { "" };
                format!("{to} receives {message} from {from}{duplicated}")
            }
            Step::Loss(from, to) => {
                format!("the network loses the first message from {from} to {to}")
            }
            Step::LossInCrash(from, to) => {
                format!("the last message from {from} to {to} is lost in the crash of {from}")
            }
            Step::Crash(process) => format!("{process} crashes"),
        }
    }

    fn format_step(&self, state: &GlobalState<P>, step: Step) -> Option<String> {
        Some(self.words(state, &step))
    }
}

impl<P: Process> ExplainPath for System<P> {
    fn names(&self) -> Names {
        Names::numbered(self.processes)
    }

    fn lacks(&self, property: &str) -> Option<&'static str> {
        let monitored = property::Property::monitored(self.algorithm).iter();
        let property = monitored.copied().find(|known| known.name() == property)?;
        self.exercise.so_far().lacks(property)
    }

    fn in_flight(&self, state: &GlobalState<P>) -> Vec<ChannelId> {
        state.network.iter().map(InFlight::channel).collect()
    }

    fn explain_step(&self, state: &mut GlobalState<P>, step: &Step, renderer: &mut PathRenderer) {
        let mut received = None;
        match *step {
            Step::Timer(..) => {}
            Step::Loss(from, to) => renderer.fault(MessageFault::Lost, (from, to, false), 0),
            Step::LossInCrash(from, to) => {
                let channel = (from, to, false);
                renderer.fault(MessageFault::LostInCrash, channel, renderer.last(channel));
            }
            Step::Crash(process) => renderer.crash(process),
            Step::Receive {
                from,
                to,
                position,
                copy,
                duplicated,
            } => {
                if position > 0 && !copy {
                    renderer.fault(MessageFault::Reordered, (from, to, copy), position);
                }
                if duplicated {
                    renderer.fault(MessageFault::Duplicated, (from, to, copy), position);
                }
                let index = state.index((from, to, copy), position);
                received = index.map(|index| (position, duplicated, state.network[index].clone()));
            }
        }
        self.take(state, *step, |me, event| match event {
            StepEvent::Receive(time) => {
                if let Some((position, duplicated, in_flight)) = &received {
                    let message = &in_flight.message;
                    let (word, text) = (message.content.word(), message.content.text());
                    renderer.receive(
                        in_flight.channel(),
                        *position,
                        *duplicated,
                        time,
                        word,
                        &text,
                    );
                }
            }
            StepEvent::Event(time, meaning, Some((to, message))) => {
                let (word, text) = (message.word(), message.text());
                renderer.send(me, time, meaning.clone(), *to, word, &text);
            }
            StepEvent::Event(time, meaning, None) => {
                renderer.event(me, time, MessageAction::Local, meaning.clone());
            }
        });
    }
}

/// In words, for the explorer.
impl<P: Process> fmt::Debug for GlobalState<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Names::numbered(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let process = ProcessId::at(index);
            let crashed = if self.crashed >> index & 1 == 1 {
                ", crashed"
            } else {
                ""
            };
            let time = node.clocked.clock.time();
            writeln!(
                f,
                "{process}: clock {time}, {} started{crashed}",
                node.started
            )?;
            for line in node.clocked.process.queue(&names) {
                writeln!(f, "    {line}")?;
            }
        }
        for in_flight in &self.network {
            let InFlight {
                from,
                to,
                copy,
                message,
                ..
            } = in_flight;
            let copy = if *copy { "a copy of " } else { "" };
            let (word, text) = (message.content.word(), message.content.text());
            let space = if text.is_empty() { "" } else { " " };
            writeln!(
                f,
                "{from} > {to}: {copy}{word} of {}{space}{text}",
                message.time
            )?;
        }
        Ok(())
    }
}
