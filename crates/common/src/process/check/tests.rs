//! Commands, bounds and counterexamples, with a scheme that asks everybody; packed states are those of the model.

use std::{marker::PhantomData, sync::Arc};

use super::{
    super::{
        Command, Meaning, Value,
        fault_event::PathEvent,
        ids::{Names, ProcessId},
        property::Property,
        reliable_link::ChannelOrder,
        sample::{Broadcast, Settings},
        verdict::exercise::Exercise,
    },
    model::Model,
    monitor::{Monitor, Seen},
    packed::PackedSystem,
    path_event::ExplainPath,
    search::{Limits, Outcome, Progress, search, search_space},
    system::{FaultBudget, Step, System, TimerBounds},
};

/// Whether look-ups find what is inserted, and end.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
struct LookUps {
    violated: u32,
    inserted: Option<Value>,
    /// How many look-ups have not ended.
    pending: u8,
}

impl Monitor for LookUps {
    fn step(&mut self) {
        self.violated = 0;
    }

    fn see(&mut self, process: ProcessId, seen: &Seen) -> Exercise {
        match &seen.meaning {
            Some(Meaning::Insert(_, value)) => self.inserted = Some(value.clone()),
            Some(Meaning::LookUp(_)) => self.pending += 1,
            Some(Meaning::Found(_, value)) => {
                self.pending -= 1;
                if self
                    .inserted
                    .as_ref()
                    .is_some_and(|inserted| inserted != value)
                {
                    self.violated |= Property::LookUpsRight.bit();
                }
            }
            _ => {}
        }
        let meaning = seen.meaning.as_ref();
        meaning.map_or(Exercise::default(), |meaning| {
            Exercise::of_meaning(process, meaning)
        })
    }

    fn violates(&self, property: Property) -> bool {
        self.violated & property.bit() != 0
    }

    fn complete(&self, _: usize, _: u16) -> bool {
        self.pending == 0
    }
}

/// Two processes, of which the second has a name that the first looks up.
fn system(timeouts: u16, lost: u8) -> System<Broadcast, LookUps> {
    let (name, value) = ("a".to_owned(), "1".to_owned());
    System {
        monitor: LookUps::default(),
        properties: &[Property::LookUpsRight, Property::LookUpsEnd],
        processes: 2,
        bounds: TimerBounds {
            operations: 0,
            rounds: 0,
            timeouts,
            counts_anew: false,
        },
        commands: vec![
            (ProcessId(1), Command::Insert(name.clone(), value)),
            (ProcessId(0), Command::LookUp(name)),
        ],
        settings: Settings {
            gives_up: timeouts > 0,
            works: false,
        },
        budget: FaultBudget {
            lost,
            ..FaultBudget::default()
        },
        order: ChannelOrder::Fifo,
        is_reduced: false,
        is_timeless: true,
        time: Default::default(),
        exercise: Arc::default(),
        process: PhantomData,
    }
}

/// What the search finds, by the packed states and by the model's own, which are the same.
fn searched(system: &System<Broadcast, LookUps>) -> Outcome<Step> {
    let (limits, progress) = (Limits::none(2), Progress::default());
    let plain = search(system, limits, &progress, &|| false);
    let space = PackedSystem::new(system, &limits);
    let packed = search_space(&space, limits, &progress, &|| false);
    assert_eq!(plain.counts, packed.counts);
    let lengths = |outcome: &Outcome<Step>| -> Vec<_> {
        let paths = outcome.violations.iter();
        paths.map(|path| path.as_ref().map(Vec::len)).collect()
    };
    assert_eq!(lengths(&plain), lengths(&packed));
    packed
}

#[test]
fn commands_are_given_at_any_time_and_the_shortest_counterexample_is_told() {
    // The look-up may come before the insertion, and then never ends.
    let outcome = searched(&system(0, 0));
    assert!(outcome.violations[0].is_none() && outcome.violations[1].is_some());

    // A wait that ends before the reply arrives.
    let impatient = system(1, 0);
    let outcome = searched(&impatient);
    assert!(outcome.violations[1].is_none());
    let path = outcome.violations[0].as_ref().unwrap();
    assert_eq!(path.len(), 3, "{path:?}");
    let events = impatient.explain(path);
    let names = Names::numbered(2);
    let words: Vec<_> = events.iter().map(|event| event.words(&names)).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    assert!(
        words
            .iter()
            .any(|words| words.starts_with("p2 at 1 inserts a: 1")),
        "{words:?}"
    );
    assert_eq!(
        words[2], "p1 at 2 finds no a",
        "with the clock that states are without"
    );
    assert_eq!(impatient.lacks("look-ups right"), None);
}

#[test]
fn the_fault_budget_and_the_bounds_are_kept() {
    let patient = System {
        commands: vec![
            (
                ProcessId(1),
                Command::Insert("a".to_owned(), "1".to_owned()),
            ),
            (ProcessId(1), Command::LookUp("a".to_owned())),
            (ProcessId(0), Command::LookUp("a".to_owned())),
        ],
        ..system(0, 1)
    };
    let outcome = searched(&patient);
    let path = outcome.violations[1].as_ref().unwrap();
    let crashed = PathEvent::crashed(&patient.explain(path));
    assert!(crashed.is_empty());
    // The commands of a process come in their order.
    let mut steps = Vec::new();
    let state = patient.init_states().remove(0);
    patient.actions(&state, &mut steps);
    assert_eq!(
        steps,
        [
            Step::Command(ProcessId(0), 2),
            Step::Command(ProcessId(1), 0)
        ]
    );

    // So many rounds of periodic work, and no more.
    let rounds = |rounds| {
        let working = System {
            bounds: TimerBounds {
                operations: 0,
                rounds,
                timeouts: 0,
                counts_anew: false,
            },
            settings: Settings {
                gives_up: false,
                works: true,
            },
            commands: Vec::new(),
            ..system(0, 0)
        };
        searched(&working).counts.distinct
    };
    assert_eq!([0, 1, 2].map(rounds), [1, 4, 9]);
}

#[test]
#[should_panic(expected = "at most 8 processes, 16 commands and 8 properties")]
fn a_system_with_more_commands_than_a_state_has_bits_for_is_refused() {
    let large = system(0, 0);
    let command = (ProcessId(0), Command::Local);
    let large = System {
        commands: vec![command; 17],
        ..large
    };
    large.init_states();
}
