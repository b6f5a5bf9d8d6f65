//! The verdict on the look-ups of a ring whose records were replicated before: each finds the place of the entity, each ends,
//! and no record is lost.

use std::collections::{BTreeMap, VecDeque};

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

/// Checks the look-ups of a ring.
#[derive(Debug)]
pub(super) struct RingChecker {
    /// The names that were replicated, with the last event by which each was found, or not.
    names: BTreeMap<String, Option<(usize, bool)>>,
    /// Where the entities are.
    places: BTreeMap<String, Value>,
    /// The events by which look-ups have started that are under way.
    under_way: BTreeMap<(ProcessId, String), VecDeque<usize>>,
    wrong: Option<((usize, usize), &'static str)>,
    found: u64,
}

impl RingChecker {
    /// The checker of a run in which these names were replicated before they were looked up.
    pub(super) fn new(names: &[String]) -> Self {
        Self {
            names: names.iter().map(|name| (name.clone(), None)).collect(),
            places: BTreeMap::new(),
            under_way: BTreeMap::new(),
            wrong: None,
            found: 0,
        }
    }

    fn found(&mut self, index: usize, process: ProcessId, name: &str, value: &Value) {
        let under_way = self.under_way.get_mut(&(process, name.to_owned()));
        let started = under_way.and_then(VecDeque::pop_front).unwrap_or(index);
        self.found += 1;
        let is_found = !value.is_nothing();
        let is_known = match self.names.get_mut(name) {
            Some(last) => {
                *last = Some((index, is_found));
                true
            }
            None => false,
        };
        let why = match self.places.get(name) {
            _ if !is_found && is_known => "the name is in the ring",
            Some(place) if is_found && place != value => "the entity is not there",
            None if is_found => "no entity has this name",
            _ => return,
        };
        self.wrong.get_or_insert(((started, index), why));
    }

    /// Whether each name was found when it was looked up for the last time.
    fn lost(&self, run: &RunUnderTest<'_>) -> Check {
        let property = Property::NothingLost;
        let last = self.names.iter();
        let mut lost = last.clone().filter_map(|(name, last)| match last {
            Some((event, false)) => Some((name, *event)),
            _ => None,
        });
        if let Some((name, event)) = lost.next() {
            let more = lost.count();
            let others = match more {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            let found = format!("{name}{others}; {}", run.sentence(event));
            return Check::unfulfilled(property, found);
        }
        let unknown = last.filter(|(_, last)| last.is_none()).count() as u64;
        let names = plural(self.names.len() as u64, "name");
        match unknown {
            0 => Check::ok(property, format!("{names} found in the end")),
            unknown => Check::open(property, format!("{unknown} of {names} not looked up")),
        }
    }
}

impl Checker for RingChecker {
    fn see(&mut self, index: usize, event: &RunEvent, _run: &RunUnderTest<'_>, _known: &Known) {
        match &event.meaning {
            Some(Meaning::Insert(name, value)) => {
                self.places.insert(name.clone(), value.clone());
            }
            Some(Meaning::LookUp(name)) => {
                let key = (event.process, name.clone());
                self.under_way.entry(key).or_default().push_back(index);
            }
            Some(Meaning::Found(name, value)) => self.found(index, event.process, name, value),
            _ => {}
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        let right = match self.wrong {
            Some((events, reason)) => Check::violated(run, Property::LookUpsRight, events, reason),
            None => {
                let found = plural(self.found, "look-up");
                Check::held(run, exercise, Property::LookUpsRight, found, &[])
            }
        };
        let mut open = self.under_way.iter();
        let open = open.find_map(|((process, _), started)| {
            let started = started.front().copied()?;
            (run.expects(*process) == Expected::Yes).then_some(started)
        });
        let end = match open {
            Some(started) => {
                let found = format!("one has not ended; {}", run.sentence(started));
                Check::unfulfilled(Property::LookUpsEnd, found)
            }
            None => Check::held(run, exercise, Property::LookUpsEnd, "all ended", &[]),
        };
        vec![right, end, self.lost(run)]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use common::{
        event::Verdict as Word,
        process::{ids::Names, run_event::MessageAction, verdict::Verdict},
    };

    use super::*;

    fn verdict(meanings: &[(u32, Meaning)]) -> Vec<(Word, String)> {
        let names = Names::numbered(2);
        let events = meanings
            .iter()
            .enumerate()
            .map(|(at, (process, meaning))| RunEvent {
                process: ProcessId(*process),
                at: Duration::from_micros(at as u64),
                time: at as u64,
                what: MessageAction::Local,
                meaning: Some(meaning.clone()),
            });
        let events: Vec<_> = events.collect();
        let run = RunUnderTest::new(&names, &events).crashed(&[ProcessId(1)]);
        let checker = RingChecker::new(&["a".to_owned()]);
        let verdict = Verdict::of(&run, vec![Box::new(checker)]);
        let checks = verdict.checks.into_iter();
        checks.map(|check| (check.verdict, check.found)).collect()
    }

    #[test]
    fn the_first_wrong_look_up_is_named() {
        let (name, look) = (
            || "a".to_owned(),
            |process| (process, Meaning::LookUp("a".to_owned())),
        );
        let found = |process, value: &str| {
            let value = Value::from(value.to_owned());
            (process, Meaning::Found(name(), value))
        };
        let put = (0, Meaning::Insert(name(), Value::Text("p1".to_owned())));
        let ok = verdict(&[put.clone(), look(1), look(0), found(0, "p1")]);
        let words: Vec<_> = ok
            .iter()
            .map(|(word, found)| (*word, found.as_str()))
            .collect();
        // p2 crashed: nobody expects it to end its look-up.
        assert_eq!(
            words,
            [
                (Word::Ok, "1 look-up"),
                (Word::Ok, "all ended"),
                (Word::Ok, "1 name found in the end")
            ]
        );
        let lost = verdict(&[put.clone(), look(0), found(0, ""), look(0)]);
        let words = [
            "the name is in the ring; p1 at 1 looks up a; p1 at 2 finds no a",
            "one has not ended; p1 at 3 looks up a",
            "a; p1 at 2 finds no a",
        ];
        for ((word, found), expected) in lost.iter().zip(words) {
            assert_eq!((*word, found.as_str()), (Word::Fail, expected));
        }
        let wrong = verdict(&[put.clone(), look(0), found(0, "p2")]);
        assert!(
            wrong[0].1.starts_with("the entity is not there; "),
            "{wrong:?}"
        );
        assert_eq!(wrong[2].0, Word::Ok);
        assert!(verdict(&[put]).iter().all(|(word, _)| *word == Word::Open));
    }
}
