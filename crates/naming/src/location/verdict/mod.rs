//! The verdict on look-ups: what a look-up finds is a place where the entity was while it went on, every look-up ends, and nothing
//! is lost that the scheme promises to keep. One checker serves simulated runs and real processes, and the model checker steps the
//! same automaton.
//!
//! | module | job |
//! | --- | --- |
//! | [`look_ups`] | the automaton: where the entities are, and were while look-ups go on |
//! | [`promise`] | which faults excuse that a scheme finds nothing |

pub mod look_ups;
pub mod promise;

use std::{collections::BTreeMap, time::Duration};

use common::{
    process::{
        Meaning, Value,
        ids::ProcessId,
        property::Property,
        run_event::RunEvent,
        verdict::{
            Verdict,
            channels::Channels,
            check::Check,
            checker::{Checker, Known},
            clocks::Clocks,
            exercise::Exercise,
            run::{Expected, RunUnderTest},
        },
    },
    text::plural,
};

use self::promise::Asked;
pub use self::{
    look_ups::{Ended, FoundBy, LookUps},
    promise::{Promise, RunFaults},
};

/// The verdict on a run whose events are all known: clocks, channels, look-ups.
pub fn of(promise: Promise, faults: RunFaults, run: &RunUnderTest<'_>) -> Verdict {
    let processes = run.names.count();
    let clocks = Clocks::new(run.events.len(), processes);
    let look_ups = LookUpChecker::new(promise, faults);
    Verdict::of(
        run,
        vec![
            Box::new(clocks),
            Box::new(Channels::new(processes)),
            Box::new(look_ups),
        ],
    )
}

/// How many names of a kind are listed.
const LISTED: usize = 3;

/// A look-up that has ended.
#[derive(Clone, Debug)]
struct Last {
    event: usize,
    ended: Ended,
    is_found: bool,
    /// Which fault excuses that it found nothing.
    excuse: Option<String>,
}

/// Checks the look-ups of a run.
#[derive(Debug)]
pub struct LookUpChecker {
    promise: Promise,
    faults: RunFaults,
    state: LookUps,
    /// By which event the first look-up under way has started, and when; and how many are under way.
    started: BTreeMap<(ProcessId, String), (usize, Duration, u32)>,
    /// Where each entity has been, and is going.
    places: BTreeMap<String, Vec<ProcessId>>,
    /// The look-up of each name that has ended last.
    last: BTreeMap<String, Last>,
    wrong: Option<((usize, usize), &'static str)>,
    ended: u64,
    /// How many of them say nothing, each with the reason.
    excused: BTreeMap<String, u64>,
}

impl LookUpChecker {
    /// The checker of a run of a scheme that makes this promise, in which these faults happen.
    pub fn new(promise: Promise, faults: RunFaults) -> Self {
        Self {
            promise,
            faults,
            state: LookUps::new(promise.found_by()),
            started: BTreeMap::new(),
            places: BTreeMap::new(),
            last: BTreeMap::new(),
            wrong: None,
            ended: 0,
            excused: BTreeMap::new(),
        }
    }

    fn goes_to(&mut self, name: &str, process: ProcessId) {
        let places = self.places.entry(name.to_owned()).or_default();
        if places.last() != Some(&process) {
            places.push(process);
        }
    }

    fn starts(&mut self, index: usize, event: &RunEvent, name: &str) {
        let key = (event.process, name.to_owned());
        self.started.entry(key).or_insert((index, event.at, 0)).2 += 1;
    }

    /// A look-up has ended: notes whether it is wrong, or what excuses it.
    fn ends(
        &mut self,
        (index, event): (usize, &RunEvent),
        (name, value): (&str, &Value),
        ended: Ended,
        run: &RunUnderTest<'_>,
    ) {
        let key = (event.process, name.to_owned());
        let mut started = (index, event.at);
        if let Some((first, at, count)) = self.started.get_mut(&key) {
            started = (*first, *at);
            *count -= 1;
            if *count == 0 {
                self.started.remove(&key);
            }
        }
        let asked = Asked {
            asker: event.process,
            name,
            places: self.places.get(name).map_or(&[], Vec::as_slice),
            from: started.1,
            until: event.at,
            is_moving: ended == Ended::Moving,
        };
        let (promise, faults) = (&self.promise, &self.faults);
        let is_found = !value.is_nothing();
        let excuse = match ended {
            Ended::Right => None,
            Ended::Wrong => promise.excuse_old(&asked, faults, run.names),
            Ended::Nothing | Ended::Moving => promise.excuse(&asked, faults, run.names),
        };
        self.ended += 1;
        let why = match (ended, &excuse) {
            (Ended::Right, _) => None,
            (Ended::Wrong, Some(excuse)) => Some(format!("with an old place: {excuse}")),
            (Ended::Nothing | Ended::Moving, Some(excuse)) => {
                Some(format!("without a place: {excuse}"))
            }
            (Ended::Moving, None) => Some("without a place: the entity moved meanwhile".to_owned()),
            (Ended::Wrong, None) => {
                let reason = "the entity was not there while the look-up went on";
                self.wrong.get_or_insert(((started.0, index), reason));
                None
            }
            (Ended::Nothing, None) => {
                let reason = "the entity was at one place all the while, and no fault excuses it";
                self.wrong.get_or_insert(((started.0, index), reason));
                None
            }
        };
        if let Some(why) = why {
            *self.excused.entry(why).or_default() += 1;
        }
        let last = Last {
            event: index,
            ended,
            is_found,
            excuse,
        };
        self.last.insert(name.to_owned(), last);
    }

    fn right(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let property = Property::LookUpsRight;
        if let Some((events, reason)) = self.wrong {
            return Check::violated(run, property, events, reason);
        }
        let mut found = plural(self.ended, "look-up");
        for (why, count) in &self.excused {
            found += &format!("; {count} {why}");
        }
        match self.ended > 0 && self.excused.values().sum::<u64>() == self.ended {
            true => Check::open(property, found),
            false => Check::held(run, exercise, property, found, &[]),
        }
    }

    fn all_end(&self, run: &RunUnderTest<'_>, exercise: Exercise) -> Check {
        let excused = |process| run.expects(process) != Expected::Yes;
        let open = self.state.first_under_way(excused);
        let started = open.and_then(|(process, name)| {
            let started = self.started.get(&(process, name.to_owned()))?;
            Some(started.0)
        });
        match started {
            Some(started) => {
                let found = format!("one has not ended; {}", run.sentence(started));
                Check::unfulfilled(Property::LookUpsEnd, found)
            }
            None => Check::held(run, exercise, Property::LookUpsEnd, "all ended", &[]),
        }
    }

    /// Why the entity that the last look-up did not find is not lost; None when it is.
    fn excuse_of_last(&self, name: &str, last: &Last) -> Option<String> {
        let moved = last.ended == Ended::Moving && self.state.is_stored(name);
        let moved = moved.then(|| "moved when it was looked up last".to_owned());
        last.excuse.clone().or(moved)
    }

    /// Whether each entity that exists was found when it was looked up for the last time.
    fn nothing_lost(&self, run: &RunUnderTest<'_>) -> Check {
        let property = Property::NothingLost;
        let exist = self.places.keys().filter(|name| self.state.exists(name));
        let (mut lost, mut first_lost) = (Vec::new(), None);
        let mut excused: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        let (mut names, mut unknown) = (0, 0);
        for name in exist {
            names += 1;
            match self.last.get(name) {
                None => unknown += 1,
                Some(last) if last.is_found => {}
                Some(last) => match self.excuse_of_last(name, last) {
                    Some(why) => excused.entry(why).or_default().push(name),
                    None => {
                        first_lost.get_or_insert(last.event);
                        lost.push(name.as_str());
                    }
                },
            }
        }
        if let Some(event) = first_lost {
            let found = format!("{}; {}", listed(&lost), run.sentence(event));
            return Check::unfulfilled(property, found);
        }
        if names == 0 {
            return Check::open(property, "no entity has a name");
        }
        let count = plural(names, "name");
        let not_found: u64 = excused.values().map(|names| names.len() as u64).sum();
        let mut reasons: Vec<String> = excused
            .iter()
            .map(|(why, names)| format!("{}: {why}", listed(names)))
            .collect();
        if unknown > 0 {
            reasons.push(format!("{unknown} not looked up"));
        }
        match reasons.is_empty() {
            true => Check::ok(property, format!("{count} found in the end")),
            false => {
                let found = names - unknown - not_found;
                let reasons = reasons.join("; ");
                Check::open(
                    property,
                    format!("{found} of {count} found in the end; {reasons}"),
                )
            }
        }
    }
}

/// The first names, and how many more there are.
fn listed(names: &[&str]) -> String {
    let first = names[..names.len().min(LISTED)].join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

impl Checker for LookUpChecker {
    fn see(&mut self, index: usize, event: &RunEvent, run: &RunUnderTest<'_>, _known: &Known) {
        let Some(meaning) = &event.meaning else {
            return;
        };
        match meaning {
            Meaning::Insert(name, _) => self.goes_to(name, event.process),
            Meaning::Move(name, to) => self.goes_to(name, *to),
            Meaning::LookUp(name) => self.starts(index, event, name),
            // What it has stored may go with it.
            Meaning::Store(..) if self.faults.ends_soon(event.process, event.at) => return,
            _ => {}
        }
        let ended = self.state.step(event.process, meaning);
        if let (Meaning::Found(name, value), Some(ended)) = (meaning, ended) {
            self.ends((index, event), (name, value), ended, run);
        }
    }

    fn conclude(self: Box<Self>, run: &RunUnderTest<'_>, exercise: Exercise) -> Vec<Check> {
        vec![
            self.right(run, exercise),
            self.all_end(run, exercise),
            self.nothing_lost(run),
        ]
    }
}

#[cfg(test)]
mod tests {
    use common::{
        event::Verdict as Word,
        process::{faults::Crash, ids::Names, run_event::MessageAction, verdict::Verdict},
    };

    use super::*;
    use crate::location::schemes::{Group, LocationScheme};

    /// The verdict on a run of two processes with an event each second, in which the second one may crash.
    fn verdict(
        scheme: LocationScheme,
        crashes: Option<u64>,
        meanings: &[(u32, Meaning)],
    ) -> Vec<(Word, String)> {
        let names = Names::numbered(2);
        let events = (0..).zip(meanings);
        let events = events.map(|(at, (process, meaning))| RunEvent {
            process: ProcessId(*process),
            at: Duration::from_secs(at),
            time: at,
            what: MessageAction::Local,
            meaning: Some(meaning.clone()),
        });
        let events: Vec<_> = events.collect();
        let crashed: Vec<_> = crashes.map(|_| ProcessId(1)).into_iter().collect();
        let run = RunUnderTest::new(&names, &events).crashed(&crashed);
        let crash = |from| Crash {
            process: ProcessId(1),
            from: Duration::from_secs(from),
            until: Duration::MAX,
        };
        let faults = RunFaults {
            crashes: crashes.map(crash).into_iter().collect(),
            ..RunFaults::default()
        };
        let promise = Promise::new(scheme, Group::of(2));
        let checker = LookUpChecker::new(promise, faults);
        let verdict = Verdict::of(&run, vec![Box::new(checker)]);
        let checks = verdict.checks.into_iter();
        checks.map(|check| (check.verdict, check.found)).collect()
    }

    fn look(process: u32) -> (u32, Meaning) {
        (process, Meaning::LookUp("a".to_owned()))
    }

    fn found(process: u32, value: &str) -> (u32, Meaning) {
        (
            process,
            Meaning::Found("a".to_owned(), value.to_owned().into()),
        )
    }

    fn insert(process: u32) -> (u32, Meaning) {
        let value = ProcessId(process).to_string();
        (process, Meaning::Insert("a".to_owned(), value.into()))
    }

    fn assert_checks(found: &[(Word, String)], expected: [(Word, &str); 3]) {
        let found = found.iter().map(|(word, found)| (*word, found.as_str()));
        assert_eq!(found.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_first_wrong_look_up_is_named() {
        use Word::{Fail, Ok, Open};
        let of = |meanings: &[_]| verdict(LocationScheme::Broadcast, Some(2), meanings);
        // p2 crashed: nobody expects it to end its look-up.
        assert_checks(
            &of(&[insert(0), look(1), look(0), found(0, "p1")]),
            [
                (Ok, "1 look-up"),
                (Ok, "all ended"),
                (Ok, "1 name found in the end"),
            ],
        );
        let nothing = "the entity was at one place all the while, and no fault excuses it; \
                       p1 at 1 looks up a; p1 at 2 finds no a";
        assert_checks(
            &of(&[insert(0), look(0), found(0, ""), look(0)]),
            [
                (Fail, nothing),
                (Fail, "one has not ended; p1 at 3 looks up a"),
                (Fail, "a; p1 at 2 finds no a"),
            ],
        );
        let wrong = "the entity was not there while the look-up went on; \
                     p1 at 1 looks up a; p1 at 2 finds a: p2";
        let checks = of(&[insert(0), look(0), found(0, "p2")]);
        assert_eq!(checks[0], (Fail, wrong.to_owned()));
        assert_eq!(checks[2].0, Ok);
        assert!(of(&[insert(0)]).iter().all(|(word, _)| *word == Open));
    }

    #[test]
    fn what_a_fault_takes_with_it_is_open() {
        use Word::{Fail, Ok, Open};
        let events = [insert(1), look(0), found(0, "p2"), look(0), found(0, "")];
        assert_checks(
            &verdict(LocationScheme::Broadcast, Some(3), &events),
            [
                (Ok, "2 look-ups; 1 without a place: p2 crashed"),
                (Ok, "all ended"),
                (Open, "0 of 1 name found in the end; a: p2 crashed"),
            ],
        );
        // Not before the crash, and not without one.
        for crashes in [Some(5), None] {
            let checks = verdict(LocationScheme::Broadcast, crashes, &events);
            assert_eq!((checks[0].0, checks[2].0), (Fail, Fail), "{checks:?}");
        }
    }

    #[test]
    fn what_is_never_stored_is_lost() {
        use Word::{Fail, Ok, Open};
        let events = [insert(1), look(0), found(0, "")];
        let checks = verdict(LocationScheme::Home, None, &events);
        assert_eq!((checks[0].0, checks[2].0), (Open, Fail), "{checks:?}");
        let stored = (0, Meaning::Store("a".to_owned(), "p2".to_owned().into()));
        let events = [&events[..], &[stored, look(0), found(0, "p2")]].concat();
        let checks = verdict(LocationScheme::Home, None, &events);
        assert_eq!((checks[0].0, checks[2].0), (Ok, Ok), "{checks:?}");
    }
}
