//! The steps from packed states. Many are taken side by side: a step is a chain of look-ups, each of which needs the one
//! before it; those of other steps need not wait for it.

use super::{
    numbering::{PackedSystem, Scratch},
    state::{CRASHED, MONITOR, MOST, NOTHING, Packed, due, receivers},
    unpack,
    work::{Move, NumberedInput, Reacted, Take, TakeKind},
};
use crate::process::{
    check::{
        monitor::Monitor,
        relevance::Relevance,
        search::Successor,
        system::{FaultBudget, Step},
    },
    ids::ProcessId,
};

impl<P: Relevance, M: Monitor> PackedSystem<'_, P, M> {
    /// The steps from a state, in the order of the system's model.
    pub(super) fn each_step(&self, packed: &Packed, mut add: impl FnMut(Step)) {
        let all = 0..self.n();
        let (budget, crashed) = packed.budget_and_crashed();
        for index in all.clone().filter(|index| crashed >> index & 1 == 0) {
            let process = ProcessId::at(index);
            for kind in due(packed.nodes[index]).iter() {
                add(Step::Timer(process, kind));
            }
            if let Some(index) = self.system.next_command(process, packed.given()) {
                add(Step::Command(process, index));
            }
            if budget.crashed > 0 {
                add(Step::Crash(process));
            }
            if P::DETECTS {
                let node = self
                    .nodes
                    .value(unpack::node(packed.nodes[process.index()]));
                let detections = node.detections(self.n(), crashed, budget);
                detections.for_each(|detection| add(Step::Detect(process, detection)));
            }
        }
        for from in all.clone() {
            let receivers = receivers(packed.rows[from]);
            let from = ProcessId::at(from);
            if self.is_reliable() {
                for to in all.clone().filter(|to| receivers >> to & 1 == 1) {
                    add(Step::Receive {
                        from,
                        to: ProcessId::at(to),
                        position: 0,
                        copy: false,
                        duplicated: false,
                    });
                }
            } else if receivers != 0 {
                self.steps_of_row(packed.rows[from.index()], from, budget, crashed, &mut add);
            }
        }
        if P::READS_CLOCK {
            let node = self.nodes.value(unpack::node(packed.nodes[0]));
            if self.system.time_may_pass(node) {
                add(Step::Tick);
            }
        }
    }

    /// The steps of the messages of one sender, with faults.
    fn steps_of_row(
        &self,
        row: u32,
        from: ProcessId,
        budget: FaultBudget,
        crashed: u16,
        add: &mut impl FnMut(Step),
    ) {
        let row = self.rows.value(unpack::row(row));
        let channel = |index: usize| {
            row.get(index)
                .map(|in_flight| (in_flight.to, in_flight.copy))
        };
        let mut position = 0;
        for (index, in_flight) in row.iter().enumerate() {
            let (to, copy) = (in_flight.to, in_flight.copy);
            let follows = index > 0 && channel(index - 1) == Some((to, copy));
            position = if follows { position + 1 } else { 0 };
            if !copy {
                if position == 0 && budget.lost > 0 {
                    add(Step::Loss(from, to));
                }
                if crashed >> from.index() & 1 == 1 && channel(index + 1) != Some((to, copy)) {
                    add(Step::LossInCrash(from, to));
                }
            }
            if self.system.may_receive(position, copy, budget) {
                for duplicated in [false, true] {
                    if !duplicated || !copy && budget.duplicated > 0 {
                        add(Step::Receive {
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

    /// Takes each step in its state.
    pub(super) fn take_all(
        &self,
        moves: &mut [Move],
        states: &mut [Successor<Packed>],
        scratch: &mut Scratch<P, M>,
    ) {
        for (step, next) in moves.iter_mut().zip(&mut *states) {
            self.take_message(step, &mut next.state, scratch);
        }
        for (step, next) in moves.iter_mut().zip(&mut *states) {
            let next = &mut next.state;
            let Some((me, input)) = step.reacts else {
                continue;
            };
            let reacted = self.react_at(me.index(), input, next, scratch);
            (step.sent, step.seen) = (reacted.sent, reacted.seen);
        }
        for (step, next) in moves.iter().zip(&mut *states) {
            if let Some(anew) = self.system.bounds.anew(&step.step) {
                let input = NumberedInput::Anew(anew);
                self.all_react(&mut next.state, input, scratch);
            } else if P::READS_CLOCK && step.step == Step::Tick {
                self.all_react(&mut next.state, NumberedInput::Tick, scratch);
            }
        }
        for (step, next) in moves.iter().zip(&mut *states) {
            let next = &mut next.state;
            let Some((me, _)) = step.reacts.filter(|_| step.sent != NOTHING) else {
                continue;
            };
            let row = next.rows[me.index()];
            let (_, crashed) = next.budget_and_crashed();
            let key = u64::from(unpack::row(row))
                | u64::from(unpack::list(step.sent)) << 24
                | (me.index() as u64) << 48
                | u64::from(crashed) << 52;
            let send = || self.send(row, me, step.sent, crashed);
            let changed = scratch.sends.get(key, send);
            next.rows[me.index()] = changed.part;
            next.change(MOST + me.index(), changed.hash);
        }
        for (step, next) in moves.iter().zip(&mut *states) {
            let next = &mut next.state;
            let monitor = next.monitor;
            if step.seen == NOTHING && unpack::violated(monitor) == 0 {
                continue;
            }
            let me = match step.step {
                Step::Crash(process) => process,
                _ => step.reacts.map_or(ProcessId(0), |(me, _)| me),
            };
            let key = u64::from(unpack::monitor(monitor))
                | u64::from(step.seen) << 24
                | (me.index() as u64) << 48;
            let changed = scratch.sights.get(key, || self.see(monitor, me, step.seen));
            next.monitor = changed.part;
            next.change(MONITOR, changed.hash);
        }
    }

    /// The process at this index reacts to an input.
    #[inline]
    fn react_at(
        &self,
        index: usize,
        input: NumberedInput,
        next: &mut Packed,
        scratch: &mut Scratch<P, M>,
    ) -> Reacted {
        let node = next.nodes[index];
        let key = input.key() << 24 | u64::from(unpack::node(node));
        let react = || self.reactions.get(key, || self.react(node, input));
        let reacted = scratch.reactions.get(key, react);
        next.nodes[index] = reacted.node;
        next.change(index, reacted.hash);
        reacted
    }

    /// All processes count anew, or time passes for them.
    fn all_react(&self, next: &mut Packed, input: NumberedInput, scratch: &mut Scratch<P, M>) {
        for index in 0..self.n() {
            self.react_at(index, input, next, scratch);
        }
    }

    /// What the network does in a step.
    fn take_message(&self, step: &mut Move, next: &mut Packed, scratch: &mut Scratch<P, M>) {
        let (mut budget, mut crashed) = next.budget_and_crashed();
        let mut take = |next: &mut Packed, from: ProcessId, to, kind, position| {
            let take = Take { to, kind, position };
            let row = next.rows[from.index()];
            let taken = scratch.takes.get(take.key(row), || self.take(row, take));
            next.rows[from.index()] = taken.row.part;
            next.change(MOST + from.index(), taken.row.hash);
            taken.message
        };
        match step.step {
            Step::Command(process, index) => {
                next.give(index);
                step.reacts = Some((process, NumberedInput::Command(index)));
            }
            Step::Detect(process, detection) => {
                step.reacts = Some((process, NumberedInput::Detect(detection)));
                budget.take_detection(detection, crashed);
                next.change_faults(budget, crashed);
            }
            Step::Timer(process, kind) => {
                step.reacts = Some((process, NumberedInput::Timer(kind)));
            }
            Step::Receive {
                from,
                to,
                position,
                copy,
                duplicated,
            } => {
                let kind = match (copy, duplicated) {
                    (true, _) => TakeKind::Copy,
                    (false, true) => TakeKind::Duplicated,
                    (false, false) => TakeKind::Message,
                };
                let message = take(next, from, to, kind, position);
                step.reacts = Some((to, NumberedInput::Message(from, message)));
                let reordered = self.system.reordered(position, copy);
                if duplicated || reordered > 0 {
                    budget.reordered -= reordered;
                    budget.duplicated -= u8::from(duplicated);
                    next.change_faults(budget, crashed);
                }
            }
            Step::Loss(from, to) => {
                take(next, from, to, TakeKind::Message, 0);
                budget.lost -= 1;
                next.change_faults(budget, crashed);
            }
            Step::Tick => {}
            Step::LossInCrash(from, to) => {
                take(next, from, to, TakeKind::Last, 0);
            }
            Step::Crash(process) => {
                step.seen = CRASHED;
                crashed |= 1 << process.index();
                budget.crashed -= 1;
                next.change_faults(budget, crashed);
                // No process receives these messages.
                for from in ProcessId::all(self.n()) {
                    if receivers(next.rows[from.index()]) >> process.index() & 1 == 1 {
                        take(next, from, process, TakeKind::All, 0);
                    }
                }
            }
        }
    }
}
