//! The monitor of look-ups: the automaton of the verdict, as part of each state.

use common::process::{
    check::monitor::{Monitor, Seen},
    ids::ProcessId,
    property::Property,
    verdict::exercise::Exercise,
};

use crate::location::verdict::{Ended, FoundBy, LookUps};

/// The automaton, and whether its last step was wrong.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Watch {
    look_ups: LookUps,
    /// Whether a look-up must find an entity that is at one place all the while.
    must_find: bool,
    is_wrong: bool,
}

impl Watch {
    /// A monitor of look-ups that find an entity in this way; without faults, and without a wait that ends early, they must.
    pub fn new(found_by: FoundBy, must_find: bool) -> Self {
        Self {
            look_ups: LookUps::new(found_by),
            must_find,
            is_wrong: false,
        }
    }
}

impl Monitor for Watch {
    fn step(&mut self) {
        self.is_wrong = false;
    }

    fn see(&mut self, process: ProcessId, seen: &Seen) -> Exercise {
        let Some(meaning) = &seen.meaning else {
            return Exercise::default();
        };
        self.is_wrong |= match self.look_ups.step(process, meaning) {
            Some(Ended::Wrong) => true,
            Some(Ended::Nothing) => self.must_find,
            Some(Ended::Right | Ended::Moving) | None => false,
        };
        Exercise::of_meaning(process, meaning)
    }

    fn violates(&self, property: Property) -> bool {
        property == Property::LookUpsRight && self.is_wrong
    }

    fn complete(&self, _processes: usize, crashed: u16) -> bool {
        self.look_ups
            .have_ended(|process| crashed >> process.index() & 1 == 1)
    }
}
