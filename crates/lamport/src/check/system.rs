//! The state space of a system of processes, the same processes that [`engine`](crate::engine) puts on the network: every
//! interleaving of their timers and messages.
//!
//! A step is atomic: a process's timer expires or it receives a message, and it performs all resulting actions. Channels
//! are reliable and FIFO, as the algorithms assume and [`reliable_link`](crate::reliable_link) ensures, except for the
//! faults of the [`FaultBudget`].

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use smallvec::SmallVec;
use stateright::{Model, Property};

use super::{
    monitor::PropertyMonitor,
    path_event::{ChannelId, ExplainPath, PathRenderer},
};
use crate::{
    algorithms::Algorithm,
    bug::Bug,
    fault_event::MessageFault,
    ids::{Names, ProcessId},
    process::{Action, Clocked, Meaning, Message, Process, Stamped, TimerKind, To},
    property,
    run_event::MessageAction,
    verdict::{Exercise, SharedExercise},
};

/// The most processes.
pub const MOST_PROCESSES: usize = 8;

/// How many faults of each kind may occur on a path.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct FaultBudget {
    /// Messages lost.
    pub lost: u8,
    /// Messages duplicated.
    pub duplicated: u8,
    /// Messages received out of order.
    pub reordered: u8,
    /// Processes crashed.
    pub crashed: u8,
}

/// Processes and their network.
#[derive(Clone, Debug)]
pub struct System<P> {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The number of processes.
    pub processes: usize,
    /// The number of operations of each process.
    pub count: u16,
    /// The injected bug.
    pub bug: Option<Bug>,
    /// The faults that may occur.
    pub budget: FaultBudget,
    /// What happened on any path so far.
    pub exercise: Arc<SharedExercise>,
    /// The processes' type.
    pub process: PhantomData<P>,
}

/// A global state of the system.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct GlobalState<P: Process> {
    /// The processes; those that a step does not change are shared with the previous state.
    nodes: SmallVec<[Arc<Node<P>>; 4]>,
    /// The messages in flight, by channel and in the order of sending.
    network: SmallVec<[InFlight<P::Message>; 4]>,
    /// The faults that may still occur.
    budget: FaultBudget,
    /// The crashed processes, a bit for each.
    crashed: u16,
    monitor: PropertyMonitor,
}

/// A process with the state of its driver.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Node<P> {
    clocked: Clocked<P>,
    /// The timer, if it is set.
    timer: Option<TimerKind>,
    /// The number of operations that it has started.
    started: u16,
    /// The hash of these fields, computed once: a step changes one process only.
    hash: u64,
}

impl<P: Process> Node<P> {
    fn changed(&mut self) {
        let mut hasher = DefaultHasher::new();
        (&self.clocked, self.timer, self.started).hash(&mut hasher);
        self.hash = hasher.finish();
    }
}

impl<P> Hash for Node<P> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

/// A message in flight.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct InFlight<M> {
    from: ProcessId,
    to: ProcessId,
    /// Whether it is the copy of a duplicated message, which arrives at any later time, in no order.
    copy: bool,
    message: Stamped<M>,
}

impl<M> InFlight<M> {
    fn channel(&self) -> ChannelId {
        (self.from, self.to, self.copy)
    }
}

/// A step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The process's timer expires.
    Timer(ProcessId),
    /// A process receives the message at this position of a channel.
    Receive {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// How many messages of the channel were sent before it.
        position: usize,
        /// Whether it is the copy of a duplicated message.
        copy: bool,
        /// Whether the network duplicates it: a copy stays in flight.
        duplicated: bool,
    },
    /// The network loses the first message of a channel.
    Loss(ProcessId, ProcessId),
    /// The last message of a crashed sender's channel is lost, because no process retransmits it.
    LossInCrash(ProcessId, ProcessId),
    /// The process crashes and does not recover.
    Crash(ProcessId),
}

/// An event of a step.
enum StepEvent<'s, M> {
    /// The receive event of the step's message, at this time.
    Receive(u64),
    /// Another event.
    Event(u64, &'s Option<Meaning>, &'s Option<(To, M)>),
}

/// The timer that an action sets.
fn timer<M>(action: &Action<M>) -> Option<TimerKind> {
    match action {
        Action::SetTimer(timer) => Some(*timer),
        Action::Event { .. } => None,
    }
}

impl<P: Process> System<P> {
    /// Takes a step, and passes its events to `show`.
    fn take(
        &self,
        state: &mut GlobalState<P>,
        step: Step,
        mut show: impl FnMut(ProcessId, StepEvent<'_, P::Message>),
    ) {
        state.monitor.step();
        let mut exercise = Exercise::default();
        let (me, received) = match step {
            Step::Timer(process) => (process, None),
            Step::Receive {
                from,
                to,
                position,
                copy,
                duplicated,
            } => {
                let Some(index) = state.index((from, to, copy), position) else {
                    return;
                };
                state.budget.reordered -= u8::from(position > 0 && !copy);
                state.budget.duplicated -= u8::from(duplicated);
                let message = state.network.remove(index).message;
                if duplicated {
                    state.enqueue(from, to, true, message.clone());
                }
                (to, Some((from, message)))
            }
            Step::Loss(from, to) => {
                if let Some(index) = state.index((from, to, false), 0) {
                    state.network.remove(index);
                    state.budget.lost -= 1;
                }
                return;
            }
            Step::LossInCrash(from, to) => {
                let last = state.end((from, to, false)).checked_sub(1);
                if let Some(last) = last
                    && state.network[last].channel() == (from, to, false)
                {
                    state.network.remove(last);
                }
                return;
            }
            Step::Crash(process) => {
                state.crashed |= 1 << process.index();
                state.budget.crashed -= 1;
                // No process receives these messages.
                state.network.retain(|in_flight| in_flight.to != process);
                return;
            }
        };
        let mut actions = Vec::new();
        let node = Arc::make_mut(&mut state.nodes[me.index()]);
        let mut before = node.clocked.clock.time();
        // A clock cannot overflow here: paths are short.
        match received {
            None => {
                node.started += u16::from(node.timer == Some(TimerKind::Think));
                node.timer = None;
                let _ = node.clocked.timer(&mut actions);
            }
            Some((from, message)) => {
                let sent = message.time;
                if let Ok(time) = node.clocked.receive(from, message, &mut actions) {
                    exercise |= state.monitor.see(me, (before, time), Some(sent), None);
                    before = time;
                    show(me, StepEvent::Receive(time));
                }
            }
        }
        node.timer = actions.iter().rev().find_map(timer).or(node.timer);
        node.changed();
        for action in actions {
            match action {
                Action::SetTimer(_) => {}
                Action::Event {
                    time,
                    meaning,
                    send,
                } => {
                    exercise |= state
                        .monitor
                        .see(me, (before, time), None, meaning.as_ref());
                    before = time;
                    show(me, StepEvent::Event(time, &meaning, &send));
                    if let Some((to, content)) = send {
                        exercise |= Exercise::SENT;
                        state.send(me, to, &Stamped { time, content });
                    }
                }
            }
        }
        self.exercise.add(exercise);
    }

    /// Whether the process's timer can expire.
    fn is_due(&self, node: &Node<P>) -> bool {
        match node.timer {
            None => false,
            Some(TimerKind::Work) => true,
            Some(TimerKind::Think) => node.started < self.count,
        }
    }

    /// Whether the system makes progress without further faults.
    fn makes_progress(&self, state: &GlobalState<P>) -> bool {
        !state.network.is_empty() || state.running().any(|(_, node)| self.is_due(node))
    }
}

impl<P: Process> GlobalState<P> {
    /// The processes that have not crashed.
    fn running(&self) -> impl Iterator<Item = (ProcessId, &Node<P>)> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(index, _)| self.crashed >> index & 1 == 0)
            .map(|(index, node)| (ProcessId::at(index), &**node))
    }

    /// The index of the message at this position of the channel.
    fn index(&self, channel: ChannelId, position: usize) -> Option<usize> {
        let first = self
            .network
            .partition_point(|in_flight| in_flight.channel() < channel);
        let index = first + position;
        let message = self.network.get(index);
        message
            .is_some_and(|in_flight| in_flight.channel() == channel)
            .then_some(index)
    }

    /// The index after the channel's last message.
    fn end(&self, channel: ChannelId) -> usize {
        self.network
            .partition_point(|in_flight| in_flight.channel() <= channel)
    }

    fn enqueue(
        &mut self,
        from: ProcessId,
        to: ProcessId,
        copy: bool,
        message: Stamped<P::Message>,
    ) {
        let end = self.end((from, to, copy));
        self.network.insert(
            end,
            InFlight {
                from,
                to,
                copy,
                message,
            },
        );
    }

    fn send(&mut self, from: ProcessId, to: To, message: &Stamped<P::Message>) {
        for to in to.receivers(from, self.nodes.len()) {
            if self.crashed >> to.index() & 1 == 0 {
                self.enqueue(from, to, false, message.clone());
            }
        }
    }
}

impl<P> Model for System<P>
where
    P: Process,
{
    type State = GlobalState<P>;
    type Action = Step;

    fn init_states(&self) -> Vec<GlobalState<P>> {
        let nodes = ProcessId::all(self.processes).map(|me| {
            let mut clocked = Clocked::<P>::new(me, self.processes, self.bug);
            let mut actions = Vec::new();
            let _ = clocked.start(&mut actions);
            let no_event = actions
                .iter()
                .all(|action| matches!(action, Action::SetTimer(_)));
            assert!(
                no_event,
                "no algorithm has an event before its timer expires"
            );
            let mut node = Node {
                clocked,
                timer: actions.iter().rev().find_map(timer),
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
            monitor: PropertyMonitor::new(self.algorithm, self.processes),
        }]
    }

    fn actions(&self, state: &GlobalState<P>, steps: &mut Vec<Step>) {
        for (process, node) in state.running() {
            if self.is_due(node) {
                steps.push(Step::Timer(process));
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
            Step::Timer(process) => format!("the timer of {process} expires"),
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
            Step::Timer(_) => {}
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
