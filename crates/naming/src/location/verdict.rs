//! The verdict on look-ups: a value that a look-up finds is a place where the entity was while the look-up went on, and every
//! look-up ends. One automaton serves the verdict on runs and the model checker.

use std::collections::{BTreeMap, BTreeSet};

use common::{
    process::{
        Meaning, Value,
        ids::ProcessId,
        property::Property,
        run_event::RunEvent,
        verdict::{
            check::Check,
            checker::{Checker, Known},
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};

/// Where the entities are, and where they were while look-ups go on. A look-up that finds nothing says nothing: its process has
/// given up.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct LookUps {
    places: BTreeMap<String, Value>,
    under_way: BTreeMap<(ProcessId, String), BTreeSet<Value>>,
}

impl LookUps {
    /// The next event with a meaning; returns whether it ends a look-up with a place where the entity was not.
    pub fn step(&mut self, process: ProcessId, meaning: &Meaning) -> bool {
        match meaning {
            Meaning::Insert(name, value) => {
                self.places.insert(name.clone(), value.clone());
                for ((_, looked_up), places) in &mut self.under_way {
                    if looked_up == name {
                        places.insert(value.clone());
                    }
                }
            }
            Meaning::Move(name, _) | Meaning::Delete(name) => {
                self.places.remove(name);
            }
            Meaning::LookUp(name) => {
                let place = self.places.get(name).cloned();
                let places = self.under_way.entry((process, name.clone())).or_default();
                places.extend(place);
            }
            Meaning::Found(name, value) => {
                let places = self.under_way.remove(&(process, name.clone()));
                let is_known = places.is_none_or(|places| places.contains(value));
                return !value.is_nothing() && !is_known;
            }
            _ => {}
        }
        false
    }

    /// Whether no look-up is under way, but for those of processes that need not end them.
    pub fn have_ended(&self, is_excused: impl Fn(ProcessId) -> bool) -> bool {
        self.first_under_way(is_excused).is_none()
    }

    fn first_under_way(&self, is_excused: impl Fn(ProcessId) -> bool) -> Option<(ProcessId, &str)> {
        let mut all = self.under_way.keys();
        let first = all.find(|(process, _)| !is_excused(*process));
        first.map(|(process, name)| (*process, name.as_str()))
    }
}

/// Checks the look-ups of a run.
#[derive(Debug, Default)]
pub struct LookUpChecker {
    state: LookUps,
    /// The event by which each look-up under way has started.
    started: BTreeMap<(ProcessId, String), usize>,
    wrong: Option<(usize, usize)>,
    found: u64,
    given_up: u64,
}

impl Checker for LookUpChecker {
    fn see(&mut self, index: usize, event: &RunEvent, _run: &RunUnderTest<'_>, _known: &Known) {
        let Some(meaning) = &event.meaning else {
            return;
        };
        if let Meaning::LookUp(name) = meaning {
            self.started.insert((event.process, name.clone()), index);
        }
        let is_wrong = self.state.step(event.process, meaning);
        if let Meaning::Found(name, value) = meaning {
            match value.is_nothing() {
                true => self.given_up += 1,
                false => self.found += 1,
            }
            let started = self.started.remove(&(event.process, name.clone()));
            if is_wrong {
                self.wrong.get_or_insert((started.unwrap_or(index), index));
            }
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let right = match self.wrong {
            Some(events) => {
                let reason = "the entity was not there while the look-up went on";
                Check::violated(run, Property::LookUpsRight, events, reason)
            }
            None => {
                let found = format!(
                    "{} with the place of the entity, {} without one",
                    plural(self.found, "look-up"),
                    self.given_up
                );
                Check::held(run, exercise, Property::LookUpsRight, found, &[])
            }
        };
        let excused = |process| run.expects(process) != Expected::Yes;
        let end = match self.state.first_under_way(excused) {
            Some((process, name)) => {
                let found = format!("{} still looks up {name}", run.names.of(process));
                Check::unfulfilled(Property::LookUpsEnd, found)
            }
            None => Check::held(run, exercise, Property::LookUpsEnd, "all ended", &[]),
        };
        vec![right, end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_right_if_the_entity_was_there_meanwhile() {
        let (p, q) = (ProcessId(0), ProcessId(1));
        let text = |text: &str| text.to_owned();
        let found = |at| Meaning::Found(text("a"), Value::from(at));
        let look_up = || Meaning::LookUp(text("a"));
        let mut look_ups = LookUps::default();
        let mut step = |process, meaning| look_ups.step(process, &meaning);
        assert!(!step(p, look_up()));
        assert!(!step(q, Meaning::Insert(text("a"), Value::Place(q))));
        assert!(
            !step(p, found(Some(q))),
            "it came while the look-up went on"
        );
        step(p, look_up());
        step(q, Meaning::Move(text("a"), p));
        step(p, Meaning::Insert(text("a"), Value::Place(p)));
        assert!(
            !step(p, found(Some(q))),
            "it was there when the look-up started"
        );
        step(p, look_up());
        assert!(step(p, found(Some(q))), "it was there before");
        step(p, look_up());
        assert!(!step(p, found(None)), "given up");
        assert!(look_ups.have_ended(|_| false));
        look_ups.step(q, &look_up());
        assert!(!look_ups.have_ended(|_| false) && look_ups.have_ended(|process| process == q));
    }
}
