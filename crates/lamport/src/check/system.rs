//! All states of a system of processes, the very ones that [`engine`](crate::engine) puts on the network: every order in
//! which their timers can go off and their messages can arrive.
//!
//! A step is what happens to one process at once: its timer goes off, or it receives a message, and does all that it
//! does about it. Between two processes messages keep their order and none is lost, as the algorithms assume and
//! [`channel`](crate::channel) sees to; unless the network may do worse.

use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    marker::PhantomData,
    sync::Arc,
};

use smallvec::SmallVec;
use stateright::{Model, Property};

use super::{
    telling::{Channel, Fault, Teller, Tells},
    watch::{Rule, Watch},
};
use crate::{
    algorithms::{Algorithm, Bug},
    happening::What,
    process::{Act, Clocked, Deed, Message, Names, Pause, Process, ProcessId, Stamped, To},
};

/// The most processes.
pub const MOST_PROCESSES: usize = 8;

/// How often something may go wrong, in all.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct May {
    /// A message is lost.
    pub lose: u8,
    /// A message comes twice.
    pub double: u8,
    /// A message overtakes others in its channel.
    pub overtake: u8,
    /// A process stops for good.
    pub crash: u8,
}

/// Processes and their network.
#[derive(Clone, Copy, Debug)]
pub struct System<P> {
    /// What they run.
    pub algorithm: Algorithm,
    /// How many there are.
    pub processes: usize,
    /// How many things each begins.
    pub count: u16,
    /// The mistake that is put in.
    pub bug: Option<Bug>,
    /// What may go wrong.
    pub may: May,
    /// The processes' type.
    pub process: PhantomData<P>,
}

/// The system at one moment.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct GlobalState<P: Process> {
    /// The processes; those that a step does not touch are shared with the state before.
    nodes: SmallVec<[Arc<Node<P>>; 4]>,
    /// What is on its way: channel by channel, in the order of sending.
    network: SmallVec<[Flying<P::Message>; 4]>,
    /// What may still go wrong.
    may: May,
    /// Who has stopped, a bit for each.
    gone: u16,
    watch: Watch,
}

/// A process, and what its driver knows of it.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Node<P> {
    clocked: Clocked<P>,
    /// Why it wants to be woken.
    wish: Option<Pause>,
    /// How many things it has begun.
    begun: u16,
    /// The hash of all these: most states have most of their processes from the one before.
    hash: u64,
}

impl<P: Process> Node<P> {
    fn changed(&mut self) {
        let mut hasher = DefaultHasher::new();
        (&self.clocked, self.wish, self.begun).hash(&mut hasher);
        self.hash = hasher.finish();
    }
}

impl<P> Hash for Node<P> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

/// A message on its way.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Flying<M> {
    from: ProcessId,
    to: ProcessId,
    /// Whether it is the second of a doubled message: that one comes whenever it likes, whatever is sent after it.
    copy: bool,
    said: Stamped<M>,
}

impl<M> Flying<M> {
    fn channel(&self) -> Channel {
        (self.from, self.to, self.copy)
    }
}

/// What can happen next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The process's timer goes off.
    Timer(ProcessId),
    /// It receives the message at this place of the channel from another; and later once more, if it comes `again`.
    Receive {
        /// The sender.
        from: ProcessId,
        /// The receiver.
        to: ProcessId,
        /// How many messages it overtakes.
        place: usize,
        /// Whether it is the second of a doubled message.
        copy: bool,
        /// Whether the network has doubled it.
        again: bool,
    },
    /// The first message from one to another is lost.
    Lose(ProcessId, ProcessId),
    /// The last message from one that has stopped to another is lost with it, as nobody is left to send it again.
    Forget(ProcessId, ProcessId),
    /// The process stops for good.
    Crash(ProcessId),
}

/// What a step consists of, for whoever tells it.
enum Seen<'s, M> {
    /// The receipt of the step's message, at this time.
    Receipt(u64),
    /// An event.
    Event(u64, &'s Option<Deed>, &'s Option<(To, M)>),
}

/// A wish for the timer.
fn wish<M>(act: &Act<M>) -> Option<Pause> {
    match act {
        Act::Pause(pause) => Some(*pause),
        Act::Event { .. } => None,
    }
}

impl<P: Process> System<P> {
    /// Takes the step, and shows what it consists of.
    fn take(
        &self,
        state: &mut GlobalState<P>,
        step: Step,
        mut show: impl FnMut(ProcessId, Seen<'_, P::Message>),
    ) {
        state.watch.step();
        let (me, received) = match step {
            Step::Timer(process) => (process, None),
            Step::Receive {
                from,
                to,
                place,
                copy,
                again,
            } => {
                let Some(index) = state.index((from, to, copy), place) else {
                    return;
                };
                state.may.overtake -= u8::from(place > 0 && !copy);
                state.may.double -= u8::from(again);
                let said = state.network.remove(index).said;
                if again {
                    state.put(from, to, true, said.clone());
                }
                (to, Some((from, said)))
            }
            Step::Lose(from, to) => {
                if let Some(index) = state.index((from, to, false), 0) {
                    state.network.remove(index);
                    state.may.lose -= 1;
                }
                return;
            }
            Step::Forget(from, to) => {
                let last = state.end((from, to, false)).checked_sub(1);
                if let Some(last) = last
                    && state.network[last].channel() == (from, to, false)
                {
                    state.network.remove(last);
                }
                return;
            }
            Step::Crash(process) => {
                state.gone |= 1 << process.index();
                state.may.crash -= 1;
                // Nobody will receive it.
                state.network.retain(|flying| flying.to != process);
                return;
            }
        };
        let mut acts = Vec::new();
        let node = Arc::make_mut(&mut state.nodes[me.index()]);
        let mut before = node.clocked.clock.time();
        // A clock that is at its end does not happen here: there are few events.
        match received {
            None => {
                node.begun += u16::from(node.wish == Some(Pause::Think));
                node.wish = None;
                let _ = node.clocked.timer(&mut acts);
            }
            Some((from, said)) => {
                let sent = said.time;
                if let Ok(time) = node.clocked.receive(from, said, &mut acts) {
                    state.watch.see(me, (before, time), Some(sent), None);
                    before = time;
                    show(me, Seen::Receipt(time));
                }
            }
        }
        node.wish = acts.iter().rev().find_map(wish).or(node.wish);
        node.changed();
        for act in acts {
            match act {
                Act::Pause(_) => {}
                Act::Event { time, deed, send } => {
                    state.watch.see(me, (before, time), None, deed.as_ref());
                    before = time;
                    show(me, Seen::Event(time, &deed, &send));
                    if let Some((to, content)) = send {
                        state.send(me, to, &Stamped { time, content });
                    }
                }
            }
        }
    }

    /// Whether the process's timer can go off.
    fn is_due(&self, node: &Node<P>) -> bool {
        match node.wish {
            None => false,
            Some(Pause::Work) => true,
            Some(Pause::Think) => node.begun < self.count,
        }
    }

    /// Whether something has to happen sooner or later, if nothing goes wrong any more.
    fn goes_on(&self, state: &GlobalState<P>) -> bool {
        !state.network.is_empty() || state.here().any(|(_, node)| self.is_due(node))
    }
}

impl<P: Process> GlobalState<P> {
    /// The processes that have not stopped.
    fn here(&self) -> impl Iterator<Item = (ProcessId, &Node<P>)> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(index, _)| self.gone >> index & 1 == 0)
            .map(|(index, node)| (ProcessId::at(index), &**node))
    }

    /// Where the message at this place of the channel stands.
    fn index(&self, channel: Channel, place: usize) -> Option<usize> {
        let first = self
            .network
            .partition_point(|flying| flying.channel() < channel);
        let index = first + place;
        let there = self.network.get(index);
        there
            .is_some_and(|flying| flying.channel() == channel)
            .then_some(index)
    }

    /// Where the channel ends.
    fn end(&self, channel: Channel) -> usize {
        self.network
            .partition_point(|flying| flying.channel() <= channel)
    }

    fn put(&mut self, from: ProcessId, to: ProcessId, copy: bool, said: Stamped<P::Message>) {
        let end = self.end((from, to, copy));
        self.network.insert(
            end,
            Flying {
                from,
                to,
                copy,
                said,
            },
        );
    }

    fn send(&mut self, from: ProcessId, to: To, said: &Stamped<P::Message>) {
        for to in to.receivers(from, self.nodes.len()) {
            if self.gone >> to.index() & 1 == 0 {
                self.put(from, to, false, said.clone());
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
            let mut acts = Vec::new();
            let _ = clocked.start(&mut acts);
            // Nothing is looked for here but the wish.
            let silent = acts.iter().all(|act| matches!(act, Act::Pause(_)));
            assert!(silent, "no algorithm has events before its timer goes off");
            let mut node = Node {
                clocked,
                wish: acts.iter().rev().find_map(wish),
                begun: 0,
                hash: 0,
            };
            node.changed();
            Arc::new(node)
        });
        vec![GlobalState {
            nodes: nodes.collect(),
            network: SmallVec::new(),
            may: self.may,
            gone: 0,
            watch: Watch::new(self.algorithm, self.processes),
        }]
    }

    fn actions(&self, state: &GlobalState<P>, steps: &mut Vec<Step>) {
        for (process, node) in state.here() {
            if self.is_due(node) {
                steps.push(Step::Timer(process));
            }
            if state.may.crash > 0 {
                steps.push(Step::Crash(process));
            }
        }
        for (index, flying) in state.network.iter().enumerate() {
            let (from, to, copy) = flying.channel();
            let channel = |other: usize| state.network.get(other).map(Flying::channel);
            let first = state
                .network
                .partition_point(|other| other.channel() < (from, to, copy));
            let place = index - first;
            if !copy {
                if place == 0 && state.may.lose > 0 {
                    steps.push(Step::Lose(from, to));
                }
                if state.gone >> from.index() & 1 == 1 && channel(index + 1) != channel(index) {
                    steps.push(Step::Forget(from, to));
                }
            }
            if copy || place == 0 || state.may.overtake > 0 {
                for again in [false, true] {
                    if !again || !copy && state.may.double > 0 {
                        steps.push(Step::Receive {
                            from,
                            to,
                            place,
                            copy,
                            again,
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
        fn never<P: Process>(
            rule: Rule,
            holds: fn(&System<P>, &GlobalState<P>) -> bool,
        ) -> Property<System<P>> {
            Property::always(rule.name(), holds)
        }
        // Every step moves a clock or uses up something that may go wrong, so no run goes on for ever: what has to happen
        // sooner or later has happened when nothing is left to happen.
        fn complete<P: Process>(system: &System<P>, state: &GlobalState<P>) -> bool {
            state.watch.complete(state.gone) || system.goes_on(state)
        }
        let property = |rule: &Rule| match *rule {
            rule @ Rule::Clock => never(rule, |_, state| !state.watch.broke(Rule::Clock)),
            rule @ Rule::Exclusion => never(rule, |_, state| !state.watch.broke(Rule::Exclusion)),
            rule @ Rule::InOrder => never(rule, |_, state| !state.watch.broke(Rule::InOrder)),
            rule @ Rule::SameSequence => {
                never(rule, |_, state| !state.watch.broke(Rule::SameSequence))
            }
            rule @ Rule::CausalOrder => {
                never(rule, |_, state| !state.watch.broke(Rule::CausalOrder))
            }
            rule @ (Rule::Granted | Rule::Delivered) => never(rule, complete),
        };
        Rule::of(self.algorithm).iter().map(property).collect()
    }

    fn format_action(&self, step: &Step) -> String {
        match *step {
            Step::Timer(process) => format!("{process} does what it wants next"),
            Step::Receive {
                from,
                to,
                place,
                copy,
                again,
            } => {
                let which = match place {
                    _ if copy => format!("copy {} of a message", place + 1),
                    0 => "the first message".to_owned(),
                    place => format!("message {}, before those ahead of it,", place + 1),
                };
                let again = if again { ", and will once more" } else { "" };
                format!("{to} receives {which} from {from}{again}")
            }
            Step::Lose(from, to) => format!("the first message from {from} to {to} is lost"),
            Step::Forget(from, to) => {
                format!("the last message from {from} to {to} is lost with {from}")
            }
            Step::Crash(process) => format!("{process} stops for good"),
        }
    }

    fn format_step(&self, state: &GlobalState<P>, step: Step) -> Option<String> {
        Some(self.words(state, &step))
    }
}

impl<P: Process> Tells for System<P> {
    fn names(&self) -> Names {
        Names::numbered(self.processes)
    }

    fn flying(&self, state: &GlobalState<P>) -> Vec<Channel> {
        state.network.iter().map(Flying::channel).collect()
    }

    fn tell_step(&self, state: &mut GlobalState<P>, step: &Step, teller: &mut Teller) {
        let mut coming = None;
        match *step {
            Step::Timer(_) => {}
            Step::Lose(from, to) => teller.fault(Fault::Lost(from, to)),
            Step::Forget(from, to) => teller.fault(Fault::Forgotten(from, to)),
            Step::Crash(process) => teller.fault(Fault::Crashed(process)),
            Step::Receive {
                from,
                to,
                place,
                copy,
                again,
            } => {
                if place > 0 && !copy {
                    teller.fault(Fault::Overtakes(from, to));
                }
                if again {
                    teller.fault(Fault::Doubled(from, to));
                }
                let index = state.index((from, to, copy), place);
                coming = index.map(|index| (place, again, state.network[index].clone()));
            }
        }
        self.take(state, *step, |me, seen| match seen {
            Seen::Receipt(time) => {
                if let Some((place, again, flying)) = &coming {
                    let said = &flying.said;
                    let (word, text) = (said.content.word(), said.content.text());
                    teller.receive(flying.channel(), *place, *again, time, word, &text);
                }
            }
            Seen::Event(time, deed, Some((to, message))) => {
                let (word, text) = (message.word(), message.text());
                teller.send(me, time, deed.clone(), *to, word, &text);
            }
            Seen::Event(time, deed, None) => {
                teller.happened(me, time, What::Local, deed.clone());
            }
        });
    }
}

/// In words: whoever explores reads it.
impl<P: Process> fmt::Debug for GlobalState<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Names::numbered(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let process = ProcessId::at(index);
            let gone = if self.gone >> index & 1 == 1 {
                ", stopped"
            } else {
                ""
            };
            let time = node.clocked.clock.time();
            writeln!(f, "{process}: clock {time}, has begun {}{gone}", node.begun)?;
            for line in node.clocked.process.queue(&names) {
                writeln!(f, "    {line}")?;
            }
        }
        for flying in &self.network {
            let Flying {
                from,
                to,
                copy,
                said,
            } = flying;
            let copy = if *copy { "a copy of " } else { "" };
            let (word, text) = (said.content.word(), said.content.text());
            let space = if text.is_empty() { "" } else { " " };
            writeln!(
                f,
                "{from} > {to}: {copy}{word} of {}{space}{text}",
                said.time
            )?;
        }
        Ok(())
    }
}
