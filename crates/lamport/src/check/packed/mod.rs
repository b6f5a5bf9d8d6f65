//! The processes' state space in few bytes: a state is the numbers of what it consists of, and each thread remembers what
//! follows from which numbers, so that most steps are a few look-ups.
//!
//! | module | job |
//! | --- | --- |
//! | `state` | a state, and its parts |
//! | `table` | numbers the parts |
//! | `unpack` | the numbers of the parts |
//! | `memo` | what a thread remembers |

mod memo;
mod state;
mod table;
mod unpack;

use std::{fmt, sync::Arc};

use smallvec::SmallVec;
use stateright::Model;

use self::{
    memo::Memo,
    state::{Packed, Row, due, is_empty, pack_monitor, pack_node, pack_row, receivers},
    table::Table,
};
use super::{
    monitor::{Known, PropertyMonitor, Seen},
    reduction::Saving,
    search::{Fingerprint, Space},
    system::{FaultBudget, GlobalState, InFlight, Node, Step, System},
};
use crate::{
    ids::ProcessId,
    process::{Stamped, To},
    property::Property,
    relevance::Relevance,
    verdict::Exercise,
};

/// How many results of each kind a thread remembers at most.
const REMEMBERED: usize = 1 << 18;

/// The messages that one step sends, in their order.
type Sent<M> = Vec<(To, Stamped<M>)>;

/// The state space of processes.
pub struct PackedSystem<'s, P: Relevance> {
    system: &'s System<P>,
    /// What a reduction saves.
    saving: Saving,
    properties: &'static [Property],
    nodes: Table<Arc<Node<P>>>,
    /// For each sender, its messages in flight.
    rows: Table<Row<P::Message>>,
    monitors: Table<PropertyMonitor>,
    messages: Table<Stamped<P::Message>>,
    sent: Table<Sent<P::Message>>,
    seen: Table<SmallVec<[Seen; 4]>>,
}

/// What a thread remembers.
pub struct Scratch<P: Relevance> {
    /// The state that was unpacked last.
    unpacked: Option<(Packed, GlobalState<P>)>,
    /// By a row and a receiver.
    takes: Memo<Taken>,
    /// By a node, and what it reacts to.
    reactions: Memo<Reacted>,
    /// By a row, and what is sent.
    sends: Memo<(u32, u64)>,
    /// By a monitor, and what it sees.
    sights: Memo<(u32, u64)>,
}

/// The first message is taken from a row.
#[derive(Clone, Copy)]
struct Taken {
    message: u32,
    row: u32,
    /// The difference of the hashes.
    hash: u64,
}

/// A node reacts.
#[derive(Clone, Copy)]
struct Reacted {
    node: u32,
    sent: u32,
    seen: u32,
    hash: u64,
}

impl<'s, P: Relevance> PackedSystem<'s, P> {
    /// The state space of this system.
    pub fn new(system: &'s System<P>) -> Self {
        Self {
            system,
            saving: Saving::default(),
            properties: Property::monitored(system.algorithm),
            nodes: Table::new(|_| size_of::<Node<P>>() + 256),
            rows: Table::new(|row| row.len() * size_of::<InFlight<P::Message>>() + 64),
            monitors: Table::new(|_| 512),
            messages: Table::new(|_| 64),
            sent: Table::new(|sent| sent.len() * (size_of::<P::Message>() + 64)),
            seen: Table::new(|_| 64),
        }
    }

    /// What the reduction saved.
    pub fn saving(&self) -> &Saving {
        &self.saving
    }

    /// Whether there are no faults and no reduction: then a step is a few look-ups.
    fn is_plain(&self) -> bool {
        !self.system.is_reduced && self.system.budget == FaultBudget::default()
    }

    fn n(&self) -> usize {
        self.system.processes
    }

    fn node(&self, node: Arc<Node<P>>) -> u32 {
        let is_due = self.system.is_due(&node);
        pack_node(self.nodes.number(node), is_due)
    }

    fn row(&self, row: Row<P::Message>) -> u32 {
        let receivers = row
            .iter()
            .fold(0, |mask, message| mask | 1 << message.to.index());
        pack_row(self.rows.number(row), receivers)
    }

    fn monitor(&self, monitor: PropertyMonitor) -> u32 {
        let properties = self.properties.iter().enumerate();
        let violated = properties.fold(0, |violated, (number, property)| {
            violated | u32::from(monitor.violates(*property)) << number
        });
        pack_monitor(self.monitors.number(monitor), violated)
    }

    fn pack(&self, state: GlobalState<P>, before: Option<&Packed>) -> Packed {
        let mut packed = Packed::default();
        let mut network = state.network.into_iter().peekable();
        for (index, node) in state.nodes.into_iter().enumerate() {
            let known = before.map(|before| before.nodes[index]);
            packed.nodes[index] = match known {
                Some(known) if Arc::ptr_eq(self.nodes.value(unpack::node(known)), &node) => known,
                _ => self.node(node),
            };
            let mut row = Row::new();
            while let Some(next) = network.next_if(|next| next.from.index() == index) {
                row.push(next);
            }
            packed.rows[index] = self.row(row);
        }
        packed.monitor = self.monitor(state.monitor);
        packed.set_faults(state.budget, state.crashed);
        packed.hash = self.hash(&packed);
        packed
    }

    fn hash(&self, packed: &Packed) -> u64 {
        let mut hash = packed
            .faults()
            .wrapping_mul(state::factor(2 * state::MOST + 1));
        for index in 0..self.n() {
            let node = self.nodes.hash(unpack::node(packed.nodes[index]));
            let row = self.rows.hash(unpack::row(packed.rows[index]));
            hash = hash
                .wrapping_add(node.wrapping_mul(state::factor(index)))
                .wrapping_add(row.wrapping_mul(state::factor(state::MOST + index)));
        }
        let monitor = self.monitors.hash(unpack::monitor(packed.monitor));
        hash.wrapping_add(monitor.wrapping_mul(state::factor(2 * state::MOST)))
    }

    fn unpack(&self, packed: &Packed) -> GlobalState<P> {
        let (budget, crashed) = packed.budget_and_crashed();
        let all = 0..self.n();
        let rows = all
            .clone()
            .map(|index| self.rows.value(unpack::row(packed.rows[index])));
        GlobalState {
            nodes: all
                .map(|index| Arc::clone(self.nodes.value(unpack::node(packed.nodes[index]))))
                .collect(),
            network: rows.flatten().cloned().collect(),
            budget,
            crashed,
            monitor: self.monitors.value(unpack::monitor(packed.monitor)).clone(),
        }
    }

    /// The unpacked state, remembered for the next steps from it.
    fn unpacked<'a>(&self, packed: &Packed, scratch: &'a mut Scratch<P>) -> &'a mut GlobalState<P> {
        let is_known = matches!(&scratch.unpacked, Some((known, _)) if known == packed);
        if !is_known {
            scratch.unpacked = None;
        }
        let unpacked = scratch
            .unpacked
            .get_or_insert_with(|| (*packed, self.unpack(packed)));
        &mut unpacked.1
    }

    /// The first message to this receiver is taken from the row.
    fn take(&self, row: u32, to: ProcessId) -> Taken {
        let mut rest = self.rows.value(unpack::row(row)).clone();
        let first = rest.iter().position(|message| message.to == to);
        let first = first.expect("a receiver has a message");
        let message = rest.remove(first).message;
        let before = self.rows.hash(unpack::row(row));
        let row = self.row(rest);
        Taken {
            message: self.messages.number(message),
            row,
            hash: self.rows.hash(unpack::row(row)).wrapping_sub(before),
        }
    }

    /// A node's timer expires, or it receives a message.
    fn react(&self, node: u32, received: Option<(ProcessId, u32)>) -> Reacted {
        let before = self.nodes.hash(unpack::node(node));
        let mut node = (**self.nodes.value(unpack::node(node))).clone();
        let received = received.map(|(from, message)| {
            let message = self.messages.value(message).clone();
            (from, message, Known::Nothing)
        });
        let mut sent = Sent::new();
        let mut seen = SmallVec::new();
        for happened in self.system.react(&mut node, received) {
            if let Some((to, content)) = happened.send {
                let (_, time) = happened.seen.clock;
                sent.push((to, Stamped { time, content }));
            }
            seen.push(happened.seen);
        }
        if !sent.is_empty() {
            self.system.exercise.add(Exercise::SENT);
        }
        let node = self.node(Arc::new(node));
        Reacted {
            node,
            sent: self.sent.number(sent),
            seen: self.seen.number(seen),
            hash: self.nodes.hash(unpack::node(node)).wrapping_sub(before),
        }
    }

    /// A process sends these messages.
    fn send(&self, row: u32, from: ProcessId, sent: u32) -> (u32, u64) {
        let before = self.rows.hash(unpack::row(row));
        let mut messages = self.rows.value(unpack::row(row)).clone();
        for (to, message) in self.sent.value(sent) {
            for to in to.receivers(from, self.n()) {
                let end = messages.partition_point(|other| other.to <= to);
                messages.insert(
                    end,
                    InFlight {
                        from,
                        to,
                        copy: false,
                        message: message.clone(),
                        known: Known::Nothing,
                    },
                );
            }
        }
        let row = self.row(messages);
        (row, self.rows.hash(unpack::row(row)).wrapping_sub(before))
    }

    /// The monitor sees what a process does.
    fn see(&self, monitor: u32, me: ProcessId, seen: u32) -> (u32, u64) {
        let before = self.monitors.hash(unpack::monitor(monitor));
        let mut monitor = self.monitors.value(unpack::monitor(monitor)).clone();
        monitor.step();
        for seen in self.seen.value(seen) {
            self.system.exercise.add(monitor.see(me, seen));
        }
        let monitor = self.monitor(monitor);
        let hash = self.monitors.hash(unpack::monitor(monitor));
        (monitor, hash.wrapping_sub(before))
    }

    /// A step without faults.
    fn plain_next(&self, before: &Packed, step: &Step, scratch: &mut Scratch<P>) -> Packed {
        let mut next = *before;
        let (me, received) = match *step {
            Step::Receive { from, to, .. } => {
                let row = &mut next.rows[from.index()];
                let key = u64::from(*row) << 3 | to.index() as u64;
                let taken = scratch.takes.get(key, || self.take(*row, to));
                *row = taken.row;
                next.change(state::MOST + from.index(), taken.hash);
                (to, Some((from, taken.message)))
            }
            Step::Timer(process) => (process, None),
            _ => unreachable!("there are no faults"),
        };
        let index = me.index();
        let input = received.map_or(0, |(from, message)| {
            u64::from(message) << 4 | (from.index() as u64 + 1)
        });
        let node = next.nodes[index];
        let key = input << 32 | u64::from(node);
        let reacted = scratch.reactions.get(key, || self.react(node, received));
        next.nodes[index] = reacted.node;
        next.change(index, reacted.hash);
        let about =
            |number: u32, of: u32| u64::from(number) | u64::from(of) << 32 | (index as u64) << 60;
        let row = next.rows[index];
        let key = about(row, reacted.sent);
        let (row, hash) = scratch.sends.get(key, || self.send(row, me, reacted.sent));
        next.rows[index] = row;
        next.change(state::MOST + index, hash);
        let monitor = next.monitor;
        let key = about(monitor, reacted.seen);
        let (monitor, hash) = scratch
            .sights
            .get(key, || self.see(monitor, me, reacted.seen));
        next.monitor = monitor;
        next.change(2 * state::MOST, hash);
        next
    }
}

impl<P: Relevance> fmt::Debug for PackedSystem<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PackedSystem")
    }
}

impl<P: Relevance> fmt::Debug for Scratch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

impl<P> Space for PackedSystem<'_, P>
where
    P: Relevance + Sync,
    P::Message: Sync,
{
    type State = Packed;
    type Step = Step;
    type Scratch = Scratch<P>;

    fn scratch(&self) -> Scratch<P> {
        Scratch {
            unpacked: None,
            takes: Memo::new(REMEMBERED),
            reactions: Memo::new(REMEMBERED),
            sends: Memo::new(REMEMBERED),
            sights: Memo::new(REMEMBERED),
        }
    }

    fn initial(&self) -> Vec<Packed> {
        let states = self.system.init_states().into_iter();
        states.map(|state| self.pack(state, None)).collect()
    }

    fn steps(&self, packed: &Packed, scratch: &mut Scratch<P>, steps: &mut Vec<Step>) {
        if !self.is_plain() {
            let state = self.unpacked(packed, scratch);
            if self.system.is_reduced {
                self.system.reduced_steps(state, &self.saving, steps);
            } else {
                self.system.actions(state, steps);
            }
            return;
        }
        let all = 0..self.n();
        let timers = all.clone().filter(|index| due(packed.nodes[*index]));
        steps.extend(timers.map(|index| Step::Timer(ProcessId::at(index))));
        for from in all.clone() {
            let receivers = receivers(packed.rows[from]);
            let receivers = all.clone().filter(|to| receivers >> to & 1 == 1);
            steps.extend(receivers.map(|to| Step::Receive {
                from: ProcessId::at(from),
                to: ProcessId::at(to),
                position: 0,
                copy: false,
                duplicated: false,
            }));
        }
    }

    fn next(&self, packed: &Packed, step: &Step, scratch: &mut Scratch<P>) -> Option<Packed> {
        if self.is_plain() {
            return Some(self.plain_next(packed, step, scratch));
        }
        let state = self.unpacked(packed, scratch);
        let next = if self.system.is_reduced {
            self.system.reduced_next(state, *step)
        } else {
            self.system.next_state(state, *step)?
        };
        Some(self.pack(next, Some(packed)))
    }

    fn fingerprint(&self, packed: &Packed) -> Fingerprint {
        Fingerprint::new(packed.hash).unwrap_or(Fingerprint::MIN)
    }

    fn is_within(&self, _: &Packed) -> bool {
        true
    }

    fn properties(&self) -> usize {
        self.properties.len()
    }

    fn violated(&self, packed: &Packed) -> u32 {
        let violated = unpack::violated(packed.monitor);
        let (_, crashed) = packed.budget_and_crashed();
        let can_run = |index: usize| crashed >> index & 1 == 0 && due(packed.nodes[index]);
        let goes_on = |index: usize| !is_empty(packed.rows[index]) || can_run(index);
        if (0..self.n()).any(goes_on) {
            return violated;
        }
        let monitor = self.monitors.value(unpack::monitor(packed.monitor));
        if monitor.complete(self.n(), crashed) {
            return violated;
        }
        let properties = self.properties.iter().enumerate();
        let liveness = properties.filter(|(_, property)| property.is_liveness());
        liveness.fold(violated, |violated, (number, _)| violated | 1 << number)
    }

    fn bytes(&self) -> u64 {
        self.nodes.bytes()
            + self.rows.bytes()
            + self.monitors.bytes()
            + self.messages.bytes()
            + self.sent.bytes()
            + self.seen.bytes()
    }

    fn is_full(&self) -> bool {
        self.nodes.is_full()
            || self.rows.is_full()
            || self.monitors.is_full()
            || self.messages.is_full()
            || self.sent.is_full()
            || self.seen.is_full()
    }
}
