//! The system as a model whose paths can be explained.

use std::fmt;

use super::{GlobalState, InFlight, Step, StepEvent, System};
use crate::process::{
    Message, Process,
    check::{
        model::Model,
        monitor::Monitor,
        path_event::{ChannelId, ExplainPath, PathRenderer},
    },
    detector::Detection,
    fault_event::{MessageFault, PathEvent},
    ids::{Names, ProcessId},
    run_event::MessageAction,
};

impl<P, M> Model for System<P, M>
where
    P: Process,
    M: Monitor,
{
    type State = GlobalState<P, M>;
    type Action = Step;

    fn init_states(&self) -> Vec<GlobalState<P, M>> {
        vec![self.begin(|_, _| ())]
    }

    fn actions(&self, state: &GlobalState<P, M>, steps: &mut Vec<Step>) {
        for (process, node) in state.running() {
            for kind in self.due(node).iter() {
                steps.push(Step::Timer(process, kind));
            }
            if let Some(index) = self.next_command(process, state.given) {
                steps.push(Step::Command(process, index));
            }
            if state.budget.crashed > 0 {
                steps.push(Step::Crash(process));
            }
            let detections = node.detections(self.processes, state.crashed, state.budget);
            steps.extend(detections.map(|detection| Step::Detect(process, detection)));
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
            if self.may_receive(position, copy, state.budget) {
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
        if self.time_may_pass(&state.nodes[0]) {
            steps.push(Step::Tick);
        }
    }

    fn next_state(&self, state: &GlobalState<P, M>, step: Step) -> Option<GlobalState<P, M>> {
        let mut next = state.clone();
        self.take(&mut next, step, |_, _| ());
        Some(next)
    }

    fn properties(&self) -> Vec<&'static str> {
        let properties = self.properties.iter();
        properties.map(|property| property.name()).collect()
    }

    /// A liveness property holds if it holds in all final states. With clocks every path is finite, because every step advances
    /// one or uses up a bound or the fault budget; without, a path can come back to an earlier state, which a search for
    /// [lassos](crate::process::check::liveness) finds.
    fn violated(&self, state: &GlobalState<P, M>) -> u32 {
        let incomplete =
            !self.makes_progress(state) && !state.monitor.complete(self.processes, state.crashed);
        let properties = self.properties.iter().enumerate();
        properties.fold(0, |violated, (number, property)| {
            let is_violated = match property.is_liveness() {
                true => incomplete,
                false => state.monitor.violates(*property),
            };
            violated | u32::from(is_violated) << number
        })
    }

    fn format_action(&self, step: &Step) -> String {
        match *step {
            Step::Timer(process, _) => format!("the timer of {process} expires"),
            Step::Command(process, index) => {
                format!("{process} gets the command {:?}", self.commands[index].1)
            }
            Step::Detect(process, Detection::Suspect(other)) => {
                format!("{process} suspects {other}")
            }
            Step::Detect(process, Detection::Trust(other)) => {
                format!("{process} trusts {other} again")
            }
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
            Step::Tick => "time passes".to_owned(),
        }
    }

    fn format_step(&self, state: &GlobalState<P, M>, step: Step) -> Option<String> {
        Some(self.words(state, &step))
    }
}

impl<P, M> ExplainPath for System<P, M>
where
    P: Process,
    M: Monitor,
{
    fn names(&self) -> Names {
        Names::numbered(self.processes)
    }

    fn lacks(&self, property: &str) -> Option<&'static str> {
        let mut properties = self.properties.iter().copied();
        let property = properties.find(|known| known.name() == property)?;
        self.exercise.so_far().lacks(property)
    }

    fn in_flight(&self, state: &GlobalState<P, M>) -> Vec<ChannelId> {
        state.network.iter().map(InFlight::channel).collect()
    }

    fn explain_step(
        &self,
        state: &mut GlobalState<P, M>,
        step: &Step,
        renderer: &mut PathRenderer,
    ) {
        let mut received = None;
        match *step {
            Step::Timer(..) | Step::Command(..) | Step::Detect(..) | Step::Tick => {}
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
                if self.reordered(position, copy) > 0 {
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
            StepEvent::Receive(time, meaning) => {
                if let Some((position, duplicated, in_flight)) = &received {
                    let message = &in_flight.message;
                    let (word, text) = (message.content.word(), message.content.text());
                    renderer.receive(
                        in_flight.channel(),
                        *position,
                        *duplicated,
                        time,
                        meaning.clone(),
                        (word, &text),
                    );
                }
            }
            event => render(me, event, renderer),
        });
    }

    /// With the clocks that the processes have, also where states are without them.
    fn explain(&self, path: &[Step]) -> Vec<PathEvent> {
        let timed = Self {
            is_timeless: false,
            ..self.clone()
        };
        let mut renderer = PathRenderer::new(self.processes);
        let mut state = timed.begin(|me, event| render(me, event, &mut renderer));
        for step in path {
            renderer.step();
            timed.explain_step(&mut state, step, &mut renderer);
        }
        renderer.events
    }
}

/// Passes an event that is no receive event to the renderer.
fn render<M: Message>(me: ProcessId, event: StepEvent<'_, M>, renderer: &mut PathRenderer) {
    match event {
        StepEvent::Receive(..) => {}
        StepEvent::Event(time, meaning, Some((to, message))) => {
            let (word, text) = (message.word(), message.text());
            renderer.send(me, time, meaning.clone(), *to, word, &text);
        }
        StepEvent::Event(time, meaning, None) => {
            renderer.event(me, time, MessageAction::Local, meaning.clone());
        }
    }
}

/// In words, for the explorer.
impl<P: Process, M> fmt::Debug for GlobalState<P, M> {
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
                node.started()
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
