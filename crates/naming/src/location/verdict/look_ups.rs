//! Where the entities are, and where they were while look-ups go on: the automaton that the verdict on runs and the model checker
//! have in common.

use std::collections::{BTreeMap, BTreeSet};

use common::process::{Meaning, Value, ids::ProcessId};

/// What a look-up finds an entity by.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum FoundBy {
    /// The entity itself, wherever it goes: a look-up comes to it, and nobody else has to learn of a move.
    #[default]
    Entity,
    /// The entity itself, once a directory has stored its new place.
    Directory,
    /// A record, from which the look-up is answered: until the new place is stored, it has the old one.
    Record,
}

/// How a look-up has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ended {
    /// With a place where the entity was while it went on; or without one, where no entity had the name.
    Right,
    /// Without a place; the entity moved meanwhile, or its place was not stored yet.
    Moving,
    /// Without a place, and the entity was at one place all the while.
    Nothing,
    /// With a place where the entity was not while it went on.
    Wrong,
}

/// An entity.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct Entity {
    /// Where it is; None while it is on its way, or when it does not exist any more.
    at: Option<Value>,
    exists: bool,
    /// Whether its place is stored where it has to be.
    is_stored: bool,
    /// What a look-up may find that starts now.
    places: BTreeSet<Value>,
}

/// The look-ups of one name by one process that are under way, all of them as one that started with the first: which of them an
/// answer is for is not known.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct UnderWay {
    count: u32,
    places: BTreeSet<Value>,
    /// Whether the entity was at one place, which is stored, all the while.
    is_steady: bool,
    /// Whether no entity had the name at some time.
    was_absent: bool,
}

/// The entities, and the look-ups that are under way.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct LookUps {
    found_by: FoundBy,
    entities: BTreeMap<String, Entity>,
    under_way: BTreeMap<(ProcessId, String), UnderWay>,
}

impl LookUps {
    /// No entities, which look-ups will find in this way.
    pub fn new(found_by: FoundBy) -> Self {
        Self {
            found_by,
            ..Self::default()
        }
    }

    /// The next event with a meaning; when it ends a look-up, how.
    pub fn step(&mut self, process: ProcessId, meaning: &Meaning) -> Option<Ended> {
        match meaning {
            Meaning::Insert(name, value) => self.arrives(name, value),
            Meaning::Move(name, _) => self.departs(name, true),
            Meaning::Delete(name) => self.departs(name, false),
            Meaning::Store(name, value) => self.stored(name, value),
            Meaning::LookUp(name) => self.starts(process, name),
            Meaning::Found(name, value) => return Some(self.ends(process, name, value)),
            _ => {}
        }
        None
    }

    fn arrives(&mut self, name: &str, value: &Value) {
        let by_record = self.found_by == FoundBy::Record;
        let entity = self.entities.entry(name.to_owned()).or_default();
        entity.at = Some(value.clone());
        entity.exists = true;
        entity.is_stored = self.found_by == FoundBy::Entity;
        if !by_record {
            entity.places.clear();
        }
        entity.places.insert(value.clone());
        for look_up in self.of_name(name) {
            look_up.places.insert(value.clone());
            look_up.is_steady = false;
        }
    }

    fn departs(&mut self, name: &str, exists: bool) {
        let by_record = self.found_by == FoundBy::Record;
        let entity = self.entities.entry(name.to_owned()).or_default();
        entity.at = None;
        entity.exists = exists;
        entity.is_stored = false;
        if !by_record {
            entity.places.clear();
        }
        for look_up in self.of_name(name) {
            look_up.is_steady = false;
            look_up.was_absent |= !exists;
        }
    }

    fn stored(&mut self, name: &str, value: &Value) {
        let Some(entity) = self.entities.get_mut(name) else {
            return;
        };
        // That of an earlier place comes late.
        let is_present = match &entity.at {
            Some(at) => at == value,
            None => !entity.exists && value.is_nothing(),
        };
        if is_present {
            entity.is_stored = true;
            entity.places.retain(|place| place == value);
        }
    }

    fn of_name(&mut self, name: &str) -> impl Iterator<Item = &mut UnderWay> {
        let under_way = self.under_way.iter_mut();
        under_way
            .filter_map(move |((_, looked_up), look_up)| (looked_up == name).then_some(look_up))
    }

    fn starts(&mut self, process: ProcessId, name: &str) {
        let entity = self.entities.get(name);
        let key = (process, name.to_owned());
        let look_up = self.under_way.entry(key).or_insert_with(|| UnderWay {
            count: 0,
            places: entity
                .map(|entity| entity.places.clone())
                .unwrap_or_default(),
            is_steady: entity.is_some_and(|entity| entity.at.is_some() && entity.is_stored),
            was_absent: entity.is_none_or(|entity| !entity.exists),
        });
        look_up.count += 1;
    }

    fn ends(&mut self, process: ProcessId, name: &str, value: &Value) -> Ended {
        let key = (process, name.to_owned());
        let Some(look_up) = self.under_way.get_mut(&key) else {
            return Ended::Wrong;
        };
        look_up.count -= 1;
        let ended = match value {
            Value::Nothing if look_up.was_absent => Ended::Right,
            Value::Nothing if look_up.is_steady => Ended::Nothing,
            Value::Nothing => Ended::Moving,
            value if look_up.places.contains(value) => Ended::Right,
            _ => Ended::Wrong,
        };
        if look_up.count == 0 {
            self.under_way.remove(&key);
        }
        ended
    }

    /// Whether no look-up is under way, but for those of processes that need not end them.
    pub fn have_ended(&self, is_excused: impl Fn(ProcessId) -> bool) -> bool {
        self.first_under_way(is_excused).is_none()
    }

    /// The first look-up that is under way, but for those of processes that need not end them.
    pub(super) fn first_under_way(
        &self,
        is_excused: impl Fn(ProcessId) -> bool,
    ) -> Option<(ProcessId, &str)> {
        let mut all = self.under_way.keys();
        let first = all.find(|(process, _)| !is_excused(*process));
        first.map(|(process, name)| (*process, name.as_str()))
    }

    /// Whether an entity with this name exists.
    pub(super) fn exists(&self, name: &str) -> bool {
        self.entities.get(name).is_some_and(|entity| entity.exists)
    }

    /// Whether the entity is at a place, and that place is stored.
    pub(super) fn is_stored(&self, name: &str) -> bool {
        let entity = self.entities.get(name);
        entity.is_some_and(|entity| entity.at.is_some() && entity.is_stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        text.to_owned()
    }

    fn found(value: &str) -> Meaning {
        Meaning::Found(text("a"), text(value).into())
    }

    fn insert(value: &str) -> Meaning {
        Meaning::Insert(text("a"), text(value).into())
    }

    fn look_up() -> Meaning {
        Meaning::LookUp(text("a"))
    }

    const P: ProcessId = ProcessId(0);
    const Q: ProcessId = ProcessId(1);

    #[test]
    fn a_value_is_right_if_the_entity_was_there_meanwhile() {
        let mut look_ups = LookUps::default();
        let mut step = |process, meaning| look_ups.step(process, &meaning);
        step(P, look_up());
        step(Q, insert("p2"));
        assert_eq!(
            step(P, found("p2")),
            Some(Ended::Right),
            "it came while the look-up went on"
        );
        step(P, look_up());
        step(Q, Meaning::Move(text("a"), P));
        step(P, insert("p1"));
        assert_eq!(
            step(P, found("p2")),
            Some(Ended::Right),
            "it was there when the look-up started"
        );
        step(P, look_up());
        assert_eq!(
            step(P, found("p2")),
            Some(Ended::Wrong),
            "it was there before"
        );
        assert_eq!(
            step(P, found("p1")),
            Some(Ended::Wrong),
            "none was under way"
        );
        assert!(look_ups.have_ended(|_| false));
        look_ups.step(Q, &look_up());
        assert!(!look_ups.have_ended(|_| false) && look_ups.have_ended(|process| process == Q));
    }

    #[test]
    fn what_finds_nothing_is_right_where_there_was_nothing() {
        let mut look_ups = LookUps::new(FoundBy::Directory);
        let mut step = |process, meaning| look_ups.step(process, &meaning);
        step(P, look_up());
        assert_eq!(step(P, found("")), Some(Ended::Right));
        step(Q, insert("p2"));
        step(P, look_up());
        step(Q, Meaning::Store(text("a"), text("p2").into()));
        assert_eq!(
            step(P, found("")),
            Some(Ended::Moving),
            "not stored when it started"
        );
        step(P, look_up());
        assert_eq!(step(P, found("")), Some(Ended::Nothing));
        step(P, look_up());
        step(Q, Meaning::Move(text("a"), P));
        assert_eq!(step(P, found("")), Some(Ended::Moving));
        step(P, insert("p1"));
        // That of the earlier place comes late.
        step(Q, Meaning::Store(text("a"), text("p2").into()));
        step(P, look_up());
        assert_eq!(step(P, found("")), Some(Ended::Moving));
        step(P, look_up());
        step(P, Meaning::Delete(text("a")));
        assert_eq!(step(P, found("")), Some(Ended::Right));
    }

    #[test]
    fn a_record_has_the_old_place_until_the_new_one_is_stored() {
        let mut look_ups = LookUps::new(FoundBy::Record);
        let mut step = |meaning| look_ups.step(P, &meaning);
        let store = |value| Meaning::Store(text("a"), text(value).into());
        step(insert("p1"));
        step(store("p1"));
        step(Meaning::Move(text("a"), Q));
        step(insert("p2"));
        step(look_up());
        assert_eq!(step(found("p1")), Some(Ended::Right), "the move goes on");
        step(look_up());
        step(store("p2"));
        assert_eq!(
            step(found("p1")),
            Some(Ended::Right),
            "it overlaps the move"
        );
        step(look_up());
        assert_eq!(step(found("p1")), Some(Ended::Wrong), "the move is over");
    }

    #[test]
    fn look_ups_of_one_name_by_one_process_end_in_any_order() {
        let mut look_ups = LookUps::default();
        let mut step = |meaning| look_ups.step(P, &meaning);
        step(insert("p1"));
        step(look_up());
        step(Meaning::Move(text("a"), Q));
        step(insert("p2"));
        step(look_up());
        // Of the second, then of the first one.
        assert_eq!(step(found("p2")), Some(Ended::Right));
        assert_eq!(step(found("p1")), Some(Ended::Right));
        assert_eq!(step(found("p1")), Some(Ended::Wrong));
    }
}
