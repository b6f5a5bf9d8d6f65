//! Packs and unpacks a state, and computes what follows from its parts.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{
    numbering::{PackedSystem, Scratch, Sent},
    state::{self, FAULTS, MONITOR, Packed, Row, pack_list, pack_monitor, pack_node, pack_row},
    unpack,
    work::{Changed, NumberedInput, Reacted, Take, TakeKind, Taken},
};
use crate::process::{
    check::{
        monitor::{Known, Monitor},
        relevance::Relevance,
        system::{GlobalState, InFlight, Input, Node},
    },
    ids::ProcessId,
    verdict::exercise::Exercise,
};

impl<P: Relevance, M: Monitor> PackedSystem<'_, P, M> {
    pub(super) fn node(&self, node: Arc<Node<P>>) -> u32 {
        let due = self.system.due(&node);
        pack_node(self.nodes.number(node), due)
    }

    pub(super) fn row(&self, row: Row<P::Message>) -> u32 {
        let receivers = row
            .iter()
            .fold(0, |mask, message| mask | 1 << message.to.index());
        pack_row(self.rows.number(row), receivers)
    }

    pub(super) fn monitor(&self, monitor: M) -> u32 {
        let properties = self.properties.iter().enumerate();
        let violated = properties.fold(0, |violated, (number, property)| {
            violated | u32::from(monitor.violates(*property)) << number
        });
        pack_monitor(self.monitors.number(monitor), violated)
    }

    pub(super) fn pack(&self, state: GlobalState<P, M>, before: Option<&Packed>) -> Packed {
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
            // Most rows stay as they were.
            packed.rows[index] = match before.map(|before| before.rows[index]) {
                Some(known) if *self.rows.value(unpack::row(known)) == row => known,
                _ => self.row(row),
            };
        }
        packed.monitor = self.monitor(state.monitor);
        packed.set_faults(state.budget, state.crashed);
        packed.set_given(state.given);
        packed.hash = self.hash(&packed);
        packed
    }

    pub(super) fn hash(&self, packed: &Packed) -> u64 {
        let mut hash = packed.faults().wrapping_mul(state::factor(FAULTS));
        for index in 0..self.n() {
            let node = self.nodes.hash(unpack::node(packed.nodes[index]));
            let row = self.rows.hash(unpack::row(packed.rows[index]));
            hash = hash
                .wrapping_add(node.wrapping_mul(state::factor(index)))
                .wrapping_add(row.wrapping_mul(state::factor(state::MOST + index)));
        }
        let monitor = self.monitors.hash(unpack::monitor(packed.monitor));
        hash.wrapping_add(monitor.wrapping_mul(state::factor(MONITOR)))
    }

    pub(super) fn unpack(&self, packed: &Packed) -> GlobalState<P, M> {
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
            given: packed.given(),
        }
    }

    /// The unpacked state, remembered for the next steps from it.
    pub(super) fn unpacked<'a>(
        &self,
        packed: &Packed,
        scratch: &'a mut Scratch<P, M>,
    ) -> &'a mut GlobalState<P, M> {
        let is_known = matches!(&scratch.unpacked, Some((known, _)) if known == packed);
        if !is_known {
            scratch.unpacked = None;
        }
        let unpacked = scratch
            .unpacked
            .get_or_insert_with(|| (*packed, self.unpack(packed)));
        &mut unpacked.1
    }

    /// The numbers of the messages of a step.
    fn sent(&self, sent: Sent<P::Message>) -> u32 {
        let is_empty = sent.is_empty();
        pack_list(self.sent.number(sent), is_empty)
    }

    /// The difference between a new row and the one before.
    fn changed_row(&self, before: u32, row: Row<P::Message>) -> Changed {
        let part = self.row(row);
        let hash = self.rows.hash(unpack::row(part));
        Changed {
            part,
            hash: hash.wrapping_sub(self.rows.hash(unpack::row(before))),
        }
    }

    /// Takes a message from the row.
    pub(super) fn take(&self, before: u32, take: Take) -> Taken {
        let mut row = self.rows.value(unpack::row(before)).clone();
        let copy = take.kind == TakeKind::Copy;
        let channel = |in_flight: &InFlight<P::Message>| (in_flight.to, in_flight.copy);
        let first = row.partition_point(|other| channel(other) < (take.to, copy));
        let end = |row: &Row<P::Message>, copy: bool| {
            row.partition_point(|other| channel(other) <= (take.to, copy))
        };
        let place = match take.kind {
            TakeKind::Last => end(&row, copy).checked_sub(1),
            TakeKind::All => None,
            _ => Some(first + take.position),
        };
        let mut message = 0;
        if let Some(place) = place.filter(|place| *place < row.len()) {
            let mut taken = row.remove(place);
            if take.kind == TakeKind::Duplicated {
                taken.copy = true;
                row.insert(end(&row, true), taken.clone());
            }
            message = self.messages.number(taken.message);
        }
        if take.kind == TakeKind::All {
            row.retain(|in_flight| in_flight.to != take.to);
        }
        Taken {
            row: self.changed_row(before, row),
            message,
        }
    }

    /// A node reacts to a timer or to a message.
    pub(super) fn react(&self, node: u32, input: NumberedInput) -> Reacted {
        let before = self.nodes.hash(unpack::node(node));
        let mut node = (**self.nodes.value(unpack::node(node))).clone();
        let (input, mut exercise) = match input {
            NumberedInput::Anew(_) | NumberedInput::Tick => {
                match input {
                    NumberedInput::Anew(anew) => node.count_anew(anew),
                    _ => node.tick(),
                }
                let node = self.node(Arc::new(node));
                let hash = self.nodes.hash(unpack::node(node)).wrapping_sub(before);
                return Reacted {
                    node,
                    hash,
                    ..Reacted::default()
                };
            }
            NumberedInput::Timer(kind) => (Input::Timer(kind), Exercise::default()),
            NumberedInput::Command(index) => {
                let command = self.system.commands[index].1.clone();
                (Input::Command(command), Exercise::default())
            }
            NumberedInput::Detect(detection) => (Input::Detect(detection), Exercise::default()),
            NumberedInput::Message(from, message) => {
                let message = self.messages.value(message).clone();
                let input = Input::Message(from, message, Known::Nothing);
                (input, Exercise::RECEIVED)
            }
        };
        let mut sent = Sent::new();
        let mut seen = SmallVec::<[_; 4]>::new();
        for happened in self.system.react(&mut node, input) {
            if let Some((to, content)) = happened.send {
                let (_, time) = happened.seen.clock;
                sent.push((to, self.system.stamped(time, content)));
                exercise |= Exercise::SENT;
            }
            seen.extend(M::relevant(happened.seen));
        }
        self.system.exercise.add(exercise);
        let node = self.node(Arc::new(node));
        let nothing_seen = seen.is_empty();
        Reacted {
            node,
            sent: self.sent(sent),
            seen: pack_list(self.seen.number(seen), nothing_seen),
            hash: self.nodes.hash(unpack::node(node)).wrapping_sub(before),
        }
    }

    /// A process sends these messages to all that have not crashed.
    pub(super) fn send(&self, before: u32, from: ProcessId, sent: u32, crashed: u16) -> Changed {
        let mut row = self.rows.value(unpack::row(before)).clone();
        for (to, message) in self.sent.value(unpack::list(sent)) {
            for to in to.receivers(from, self.n()) {
                if crashed >> to.index() & 1 == 1 {
                    continue;
                }
                let end = row.partition_point(|other| (other.to, other.copy) <= (to, false));
                row.insert(
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
        self.changed_row(before, row)
    }

    /// The monitor sees what a process does in a step.
    pub(super) fn see(&self, before: u32, me: ProcessId, seen: u32) -> Changed {
        let mut monitor = self.monitors.value(unpack::monitor(before)).clone();
        monitor.step();
        if seen == state::CRASHED {
            monitor.crash(me);
        } else if seen != state::NOTHING {
            for seen in self.seen.value(unpack::list(seen)) {
                self.system.exercise.add(monitor.see(me, seen));
            }
        }
        let part = self.monitor(monitor);
        let hash = self.monitors.hash(unpack::monitor(part));
        Changed {
            part,
            hash: hash.wrapping_sub(self.monitors.hash(unpack::monitor(before))),
        }
    }
}
