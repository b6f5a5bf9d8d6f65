//! The processes' state space in few bytes: a state is the numbers of what it consists of, and each thread remembers what
//! follows from which numbers, so that most steps are a few look-ups.
//!
//! | module | job |
//! | --- | --- |
//! | `state` | a state, and its parts |
//! | `table` | numbers the parts |
//! | `unpack` | the numbers of the parts |
//! | `numbering` | all numbers, and what a thread remembers |
//! | `work` | a step that is being taken, and what follows from the parts |
//! | `parts` | packs and unpacks a state, and computes what follows from its parts |
//! | `steps` | the steps from a state, many of them side by side |
//! | `memo` | what a thread remembers |
//! | `shared` | what one thread computes for all |

mod memo;
mod numbering;
mod parts;
mod shared;
mod state;
mod steps;
mod table;
mod unpack;
mod work;

use std::{mem, sync::atomic::Ordering};

pub use self::numbering::{PackedSystem, Scratch};
use self::{
    memo::Memo,
    state::{Packed, due, is_empty},
    work::Move,
};
use super::{
    model::Model,
    monitor::Monitor,
    search::{Fingerprint, Space, Successor},
    system::Step,
};
use crate::process::{check::relevance::Relevance, ids::ProcessId};

impl<P: Relevance, M: Monitor> Space for PackedSystem<'_, P, M> {
    type State = Packed;
    type Step = Step;
    type Scratch = Scratch<P, M>;

    fn scratch(&self) -> Scratch<P, M> {
        Scratch {
            unpacked: None,
            takes: Memo::new(self.most),
            reactions: Memo::new(self.most),
            sends: Memo::new(self.most),
            sights: Memo::new(self.most),
            moves: Vec::new(),
            counted: 0,
        }
    }

    fn initial(&self) -> Vec<Packed> {
        let states = self.system.init_states().into_iter();
        states.map(|state| self.pack(state, None)).collect()
    }

    fn steps(&self, packed: &Packed, scratch: &mut Scratch<P, M>, steps: &mut Vec<Step>) {
        if self.system.is_reduced {
            let state = self.unpacked(packed, scratch);
            self.system.reduced_steps(state, &self.saving, steps);
        } else {
            self.each_step(packed, |step| steps.push(step));
        }
    }

    fn next(&self, packed: &Packed, step: &Step, scratch: &mut Scratch<P, M>) -> Option<Packed> {
        if self.system.is_reduced {
            let state = self.unpacked(packed, scratch);
            let next = self.system.reduced_next(state, *step);
            return Some(self.pack(next, Some(packed)));
        }
        let mut next = [Successor {
            from: 0,
            choice: 0,
            state: *packed,
        }];
        self.take_all(&mut [Move::new(*step)], &mut next, scratch);
        Some(next[0].state)
    }

    fn successors(
        &self,
        states: &[(Fingerprint, Packed)],
        scratch: &mut Scratch<P, M>,
        found: &mut Vec<Successor<Packed>>,
    ) -> bool {
        if self.system.is_reduced {
            return false;
        }
        let mut moves = mem::take(&mut scratch.moves);
        for (from, (_, state)) in (0..).zip(states) {
            let mut choice = 0;
            self.each_step(state, |step| {
                moves.push(Move::new(step));
                found.push(Successor {
                    from,
                    choice,
                    state: *state,
                });
                choice += 1;
            });
        }
        self.take_all(&mut moves, found, scratch);
        moves.clear();
        scratch.moves = moves;
        let bytes = scratch.bytes();
        let grown = bytes - mem::replace(&mut scratch.counted, bytes);
        if grown > 0 {
            self.remembered.fetch_add(grown as u64, Ordering::Relaxed);
        }
        true
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
        let can_run =
            |index: usize| crashed >> index & 1 == 0 && !due(packed.nodes[index]).is_empty();
        let given = packed.given();
        let gets_command = |index: usize| {
            let next = self.system.next_command(ProcessId::at(index), given);
            crashed >> index & 1 == 0 && next.is_some()
        };
        let will_detect = |index: usize| {
            let node = || self.nodes.value(unpack::node(packed.nodes[index]));
            P::DETECTS && crashed >> index & 1 == 0 && node().will_detect(self.n(), crashed)
        };
        let goes_on = |index: usize| {
            !is_empty(packed.rows[index])
                || can_run(index)
                || gets_command(index)
                || will_detect(index)
        };
        let time_passes = || {
            let node = || self.nodes.value(unpack::node(packed.nodes[0]));
            P::READS_CLOCK && self.system.time_may_pass(node())
        };
        if (0..self.n()).any(goes_on) || time_passes() {
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
            + self.reactions.bytes()
            + self.remembered.load(Ordering::Relaxed)
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
