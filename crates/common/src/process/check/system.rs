//! The state space of a system of processes, the same processes that [`engine`](crate::process::engine) puts on the network:
//! every interleaving of their timers, messages and commands.
//!
//! A step is atomic: a process's timer expires, or it receives a message or a command, and it performs all resulting actions. Channels
//! are reliable and FIFO, as the algorithms assume and [`reliable_link`](crate::process::reliable_link) ensures, except for the
//! faults of the [`FaultBudget`].

mod model;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    mem,
    sync::Arc,
};

use smallvec::SmallVec;

use super::{
    monitor::{Known, Monitor, Received, Seen},
    path_event::ChannelId,
    relevance::LATER,
    time::{ModelTime, TICK},
};
use crate::process::{
    Action, Command, Meaning, Process, Stamped, TimerKind, To,
    clock::LamportClock,
    clocked::Clocked,
    detector::Detection,
    ids::ProcessId,
    property::Property,
    reliable_link::ChannelOrder,
    timers::Timers,
    verdict::exercise::{Exercise, SharedExercise},
};

/// In a reduced search, the clock of a process before each step: later than every time in use.
const NOW: u64 = 1 << 32;

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
    /// Suspicions of processes that have not crashed, by failure detectors.
    pub suspected: u8,
}

/// No bound: how often a timer expires is not counted.
pub const UNBOUNDED: u16 = u16::MAX;

/// How often timers of each process may expire on a path; that of [`TimerKind::Work`] has no bound, as each entry sets it once.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TimerBounds {
    /// The operations that its application starts.
    pub operations: u16,
    /// The rounds of periodic work.
    pub rounds: u16,
    /// The waits for a reply that end without one. A wait can end at any time.
    pub timeouts: u16,
    /// Whether the rounds are counted anew when an operation starts, a wait ends, or a fault occurs, and the waits when a
    /// fault occurs: for periodic work that operations need, such as passing a token on.
    pub counts_anew: bool,
}

/// What is counted anew after a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Anew {
    /// The rounds of periodic work.
    Rounds,
    /// The rounds, and the waits that end.
    RoundsAndTimeouts,
}

impl TimerBounds {
    /// So many operations, without periodic work and without a wait that ends.
    pub fn operations(operations: u16) -> Self {
        Self {
            operations,
            rounds: 0,
            timeouts: 0,
            counts_anew: false,
        }
    }

    /// What each process counts anew after this step.
    #[inline]
    pub(super) fn anew(self, step: &Step) -> Option<Anew> {
        if !self.counts_anew {
            return None;
        }
        match step {
            Step::Timer(_, TimerKind::Think | TimerKind::Timeout) | Step::Command(..) => {
                Some(Anew::Rounds)
            }
            Step::Detect(..) => Some(Anew::Rounds),
            Step::Loss(..) | Step::LossInCrash(..) | Step::Crash(_) => {
                Some(Anew::RoundsAndTimeouts)
            }
            Step::Timer(..) | Step::Receive { .. } | Step::Tick => None,
        }
    }

    fn of(self, kind: TimerKind) -> u16 {
        match kind {
            TimerKind::Think => self.operations,
            TimerKind::Work => UNBOUNDED,
            TimerKind::Maintain => self.rounds,
            TimerKind::Timeout => self.timeouts,
        }
    }
}

/// The most commands of a system.
pub const MOST_COMMANDS: usize = 16;

/// The most properties of a system.
pub const MOST_PROPERTIES: usize = 8;

/// Processes and their network.
#[derive(Clone, Debug)]
pub struct System<P: Process, M> {
    /// The monitor of the initial state.
    pub monitor: M,
    /// The properties that it monitors, at most [`MOST_PROPERTIES`].
    pub properties: &'static [Property],
    /// The number of processes, at most [`MOST_PROCESSES`].
    pub processes: usize,
    /// How often timers may expire.
    pub bounds: TimerBounds,
    /// Commands, at most [`MOST_COMMANDS`]. Each is given once, at any time; those of a process in this order.
    pub commands: Vec<(ProcessId, Command)>,
    /// The settings of the processes.
    pub settings: P::Settings,
    /// The time that passes, where the processes read hardware clocks.
    pub time: ModelTime,
    /// The faults that may occur.
    pub budget: FaultBudget,
    /// In which order channels deliver.
    pub order: ChannelOrder,
    /// Whether only what makes a difference is kept of a state; see [`reduction`](super::reduction).
    pub is_reduced: bool,
    /// Whether states are without clocks and times of messages, which make no difference where neither a process nor a
    /// property compares times.
    pub is_timeless: bool,
    /// What happened on any path so far.
    pub exercise: Arc<SharedExercise>,
    /// The processes' type.
    pub process: PhantomData<P>,
}

/// A global state of the system.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct GlobalState<P: Process, M> {
    /// The processes; those that a step does not change are shared with the previous state.
    pub nodes: SmallVec<[Arc<Node<P>>; 4]>,
    /// The messages in flight, by channel and in the order of sending.
    pub network: SmallVec<[InFlight<P::Message>; 4]>,
    /// The faults that may still occur.
    pub budget: FaultBudget,
    /// The crashed processes, a bit for each.
    pub crashed: u16,
    /// The monitor of the path to it.
    pub monitor: M,
    /// The commands that were given, a bit for each.
    pub given: u16,
}

/// A process with the state of its driver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Node<P> {
    /// The process and its clock.
    pub clocked: Clocked<P>,
    /// The timers that are set.
    pub timers: Timers,
    /// How often the timer of each kind has expired; that of one without a bound is not counted.
    pub expired: [u16; TimerKind::COUNT],
    /// The processes that its failure detector suspects, a bit for each.
    pub suspected: u16,
    /// The hash of these fields, computed once: a step changes one process only.
    pub(super) hash: u64,
}

impl<P: Process> Node<P> {
    /// A process with these timers set, none of which has expired.
    pub fn new(clocked: Clocked<P>, timers: Timers) -> Self {
        let mut node = Self {
            clocked,
            timers,
            expired: [0; TimerKind::COUNT],
            suspected: 0,
            hash: 0,
        };
        node.changed();
        node
    }

    /// How many operations its application has started.
    pub fn started(&self) -> u16 {
        self.expired[TimerKind::Think.index()]
    }

    /// Counts anew.
    pub(super) fn count_anew(&mut self, anew: Anew) {
        self.expired[TimerKind::Maintain.index()] = 0;
        if anew == Anew::RoundsAndTimeouts {
            self.expired[TimerKind::Timeout.index()] = 0;
        }
        self.changed();
    }

    /// A tick passes.
    pub(super) fn tick(&mut self) {
        self.clocked.reading.hardware += TICK;
        self.changed();
    }

    pub(super) fn changed(&mut self) {
        let mut hasher = DefaultHasher::new();
        let [think, work, maintain, timeout] = self.expired.map(u64::from);
        let expired = think | work << 16 | maintain << 32 | timeout << 48;
        (&self.clocked, self.timers, expired).hash(&mut hasher);
        if P::DETECTS {
            self.suspected.hash(&mut hasher);
        }
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
pub struct InFlight<M> {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
    /// Whether it is the copy of a duplicated message, which arrives at any later time, in no order.
    pub copy: bool,
    /// The message.
    pub message: Stamped<M>,
    /// In a reduced search, what the sender knew of the last entry to the critical section.
    pub known: Known,
}

impl<M> InFlight<M> {
    /// Its channel.
    pub fn channel(&self) -> ChannelId {
        (self.from, self.to, self.copy)
    }
}

/// A step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The process's timer of this kind expires.
    Timer(ProcessId, TimerKind),
    /// A process gets the command with this index.
    Command(ProcessId, usize),
    /// The process's failure detector says this.
    Detect(ProcessId, Detection),
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
    /// Time passes.
    Tick,
}

/// An event of a step.
pub(super) enum StepEvent<'s, M> {
    /// The receive event of the step's message, at this time.
    Receive(u64, &'s Option<Meaning>),
    /// Another event.
    Event(u64, &'s Option<Meaning>, &'s Option<(To, M)>),
}

/// An event of a process whose timer expires or that receives a message.
pub(super) struct Happened<M> {
    /// What the monitor sees.
    pub(super) seen: Seen,
    /// The message that the event sends.
    pub(super) send: Option<(To, M)>,
}

/// What a process reacts to.
pub(super) enum Input<M> {
    /// Its timer of this kind expires.
    Timer(TimerKind),
    /// It gets this command.
    Command(Command),
    /// Its failure detector says this.
    Detect(Detection),
    /// It receives a message of this process, and what the sender knew.
    Message(ProcessId, Stamped<M>, Known),
}

impl<P: Process, M> System<P, M> {
    /// How many faults it is that the message at this position of a channel, which is a copy or not, is received next.
    #[inline]
    pub(super) fn reordered(&self, position: usize, copy: bool) -> u8 {
        u8::from(position > 0 && !copy && self.order == ChannelOrder::Fifo)
    }

    /// Whether the message at this position may be received next, given the faults that may still occur.
    #[inline]
    pub(super) fn may_receive(&self, position: usize, copy: bool, budget: FaultBudget) -> bool {
        self.reordered(position, copy) <= budget.reordered
    }
}

impl<P: Process, M: Monitor> System<P, M> {
    /// Takes a step, and passes its events to `show`.
    pub(super) fn take(
        &self,
        state: &mut GlobalState<P, M>,
        step: Step,
        show: impl FnMut(ProcessId, StepEvent<'_, P::Message>),
    ) {
        state.monitor.step();
        if let Some(anew) = self.bounds.anew(&step) {
            let nodes = state.nodes.iter_mut();
            nodes.for_each(|node| Arc::make_mut(node).count_anew(anew));
        }
        let exercise = Exercise::default();
        let (me, input) = match step {
            Step::Timer(process, kind) => (process, Input::Timer(kind)),
            Step::Command(process, index) => {
                state.given |= 1 << index;
                (process, Input::Command(self.commands[index].1.clone()))
            }
            Step::Detect(process, detection) => {
                state.budget.take_detection(detection, state.crashed);
                (process, Input::Detect(detection))
            }
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
                state.budget.reordered -= self.reordered(position, copy);
                state.budget.duplicated -= u8::from(duplicated);
                let InFlight { message, known, .. } = state.network.remove(index);
                if duplicated {
                    state.enqueue((from, to, true), message.clone(), known);
                }
                (to, Input::Message(from, message, known))
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
            Step::Tick => {
                let nodes = state.nodes.iter_mut();
                nodes.for_each(|node| Arc::make_mut(node).tick());
                return;
            }
            Step::Crash(process) => {
                state.crashed |= 1 << process.index();
                state.monitor.crash(process);
                state.budget.crashed -= 1;
                // No process receives these messages.
                state.network.retain(|in_flight| in_flight.to != process);
                return;
            }
        };
        let node = Arc::make_mut(&mut state.nodes[me.index()]);
        if self.is_reduced {
            node.clocked.clock = LamportClock::at(NOW);
        }
        let input = match input {
            Input::Message(from, mut message, known) if message.time == LATER => {
                message.time = NOW;
                Input::Message(from, message, known)
            }
            input => input,
        };
        let happened = self.react(node, input);
        self.happen(state, me, happened, exercise, show);
    }

    /// The initial state: each process has started. Passes the events of that to `show`.
    ///
    /// # Panics
    /// When the system has more processes, commands or properties than a state has bits for.
    pub(super) fn begin(
        &self,
        mut show: impl FnMut(ProcessId, StepEvent<'_, P::Message>),
    ) -> GlobalState<P, M> {
        assert!(
            self.processes <= MOST_PROCESSES
                && self.commands.len() <= MOST_COMMANDS
                && self.properties.len() <= MOST_PROPERTIES,
            "a system of at most {MOST_PROCESSES} processes, {MOST_COMMANDS} commands and {MOST_PROPERTIES} properties"
        );
        let mut started = Vec::new();
        let nodes = ProcessId::all(self.processes).map(|me| {
            let mut node = Node {
                clocked: Clocked::new(me, self.processes, &self.settings),
                timers: Timers::default(),
                expired: [0; TimerKind::COUNT],
                suspected: 0,
                hash: 0,
            };
            node.clocked.reading = self.time.reading(me);
            let mut actions = Vec::new();
            let _ = node.clocked.start(&mut actions);
            let mut events = SmallVec::new();
            self.perform(&mut node, actions, 0, &mut events);
            started.push((me, events));
            Arc::new(node)
        });
        let mut state = GlobalState {
            nodes: nodes.collect(),
            network: SmallVec::new(),
            budget: self.budget,
            crashed: 0,
            monitor: self.monitor.clone(),
            given: 0,
        };
        for (me, events) in started {
            self.happen(&mut state, me, events, Exercise::default(), &mut show);
        }
        state
    }

    /// Events of a process happen: the monitor sees them, and their messages are sent.
    fn happen(
        &self,
        state: &mut GlobalState<P, M>,
        me: ProcessId,
        happened: impl IntoIterator<Item = Happened<P::Message>>,
        mut exercise: Exercise,
        mut show: impl FnMut(ProcessId, StepEvent<'_, P::Message>),
    ) {
        for Happened { seen, send } in happened {
            exercise |= state.monitor.see(me, &seen);
            let (_, time) = seen.clock;
            if seen.is_probe {
                continue;
            }
            if seen.received.is_some() {
                show(me, StepEvent::Receive(time, &seen.meaning));
                continue;
            }
            show(me, StepEvent::Event(time, &seen.meaning, &send));
            if self.is_reduced && matches!(seen.meaning, Some(Meaning::Enter(_))) {
                // Nothing in flight is about this entry.
                for in_flight in &mut state.network {
                    in_flight.known = Known::Nothing;
                }
            }
            if let Some((to, content)) = send {
                exercise |= Exercise::SENT;
                let known = state.monitor.known(me);
                state.send(me, to, &self.stamped(time, content), known);
            }
        }
        self.exercise.add(exercise);
    }

    /// What happens when a process reacts to this input.
    pub(super) fn react(
        &self,
        node: &mut Node<P>,
        input: Input<P::Message>,
    ) -> SmallVec<[Happened<P::Message>; 4]> {
        let mut actions = Vec::new();
        let mut events = SmallVec::new();
        let mut before = node.clocked.clock.time();
        let receive = |clock, received, meaning, is_probe| {
            let seen = Seen {
                clock,
                received: Some(received),
                meaning,
                is_probe,
            };
            Happened { seen, send: None }
        };
        // A clock cannot overflow here: paths are short.
        match input {
            Input::Timer(kind) => {
                if self.bounds.of(kind) != UNBOUNDED {
                    node.expired[kind.index()] += 1;
                }
                node.timers.clear(kind);
                let _ = node.clocked.timer(kind, &mut actions);
            }
            // A command that the process refuses changes nothing.
            Input::Command(command) => drop(node.clocked.command(command, &mut actions)),
            Input::Detect(detection) => {
                node.take_detection(detection);
                let _ = node.clocked.detect(detection, &mut actions);
            }
            Input::Message(from, message, known) => {
                let sent = message.time;
                if self.is_reduced {
                    // A clock that is behind the message moves past it, too.
                    let mut behind = node.clocked.clone();
                    behind.clock = LamportClock::new();
                    let mut message = message.clone();
                    message.time = NOW;
                    if let Ok(time) = behind.receive(from, message, &mut actions) {
                        let received = Received { sent: NOW, known };
                        events.push(receive((0, time), received, None, true));
                    }
                    actions.clear();
                }
                let mut meaning = None;
                if P::ACTS_BEFORE_RECEIVING {
                    let arrived = node.clocked.before_receiving(from, &message, &mut actions);
                    meaning = arrived.unwrap_or_default();
                    self.perform(node, mem::take(&mut actions), before, &mut events);
                    before = node.clocked.clock.time();
                }
                if let Ok(time) = node.clocked.receive(from, message, &mut actions) {
                    let received = Received { sent, known };
                    events.push(receive((before, time), received, meaning, false));
                    before = time;
                }
            }
        }
        self.perform(node, actions, before, &mut events);
        events
    }

    /// What happens by the actions of a process whose clock was at this time before.
    fn perform(
        &self,
        node: &mut Node<P>,
        actions: Vec<Action<P::Message>>,
        mut before: u64,
        events: &mut SmallVec<[Happened<P::Message>; 4]>,
    ) {
        actions.iter().for_each(|action| node.timers.apply(action));
        if self.is_timeless {
            node.clocked.clock = LamportClock::new();
        }
        node.changed();
        for action in actions {
            if let Action::Event {
                time,
                meaning,
                send,
            } = action
            {
                let seen = Seen {
                    clock: (before, time),
                    received: None,
                    meaning,
                    is_probe: false,
                };
                before = time;
                events.push(Happened { seen, send });
            }
        }
    }

    /// A message that is sent at this time, as it is in flight.
    pub(super) fn stamped(&self, time: u64, content: P::Message) -> Stamped<P::Message> {
        let time = if self.is_timeless { 0 } else { time };
        Stamped { time, content }
    }

    /// The process's timers that can expire.
    pub(super) fn due(&self, node: &Node<P>) -> Timers {
        let mut due = node.timers;
        for kind in node.timers.iter() {
            if node.expired[kind.index()] >= self.bounds.of(kind) {
                due.clear(kind);
            }
        }
        due
    }

    /// The command that this process gets next, of those that were not given.
    #[inline]
    pub(super) fn next_command(&self, process: ProcessId, given: u16) -> Option<usize> {
        let mut commands = self.commands.iter().enumerate();
        let next = commands.find(|(index, (to, _))| *to == process && given >> index & 1 == 0);
        next.map(|(index, _)| index)
    }

    /// Whether time may pass, in a state with this node.
    #[inline]
    pub(super) fn time_may_pass(&self, node: &Node<P>) -> bool {
        P::READS_CLOCK && self.time.may_pass(node.clocked.reading)
    }

    /// Whether the system makes progress without further faults.
    pub(super) fn makes_progress(&self, state: &GlobalState<P, M>) -> bool {
        !state.network.is_empty()
            || self.time_may_pass(&state.nodes[0])
            || state.running().any(|(process, node)| {
                !self.due(node).is_empty()
                    || self.next_command(process, state.given).is_some()
                    || node.will_detect(self.processes, state.crashed)
            })
    }
}

impl<P: Process, M: Monitor> GlobalState<P, M> {
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

    fn enqueue(&mut self, (from, to, copy): ChannelId, message: Stamped<P::Message>, known: Known) {
        let end = self.end((from, to, copy));
        self.network.insert(
            end,
            InFlight {
                from,
                to,
                copy,
                message,
                known,
            },
        );
    }

    fn send(&mut self, from: ProcessId, to: To, message: &Stamped<P::Message>, known: Known) {
        for to in to.receivers(from, self.nodes.len()) {
            if self.crashed >> to.index() & 1 == 0 {
                self.enqueue((from, to, false), message.clone(), known);
            }
        }
    }
}
