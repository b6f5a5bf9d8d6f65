//! Every interleaving of the messages of three processes: what a look-up finds is where the entity was meanwhile.

use std::{marker::PhantomData, sync::Arc};

use common::process::{
    Command,
    check::{
        search::{End, Limits, Progress, search},
        system::{FaultBudget, System, TimerBounds},
    },
    ids::ProcessId,
    property::Property,
    reliable_link::ChannelOrder,
};
use naming::check::watch::Watch;
use naming::location::{
    Scheme,
    broadcast::Broadcast,
    chord::{
        Chord,
        settings::{LookUps as LookUpsBy, Settings as Ring},
    },
    entities::home,
    forwarding::{Forwarding, Shortening},
    hierarchy::{Fanout, Hierarchy},
    home::HomeBased,
    schemes::{Group, LocationScheme},
    verdict::Promise,
};

const NODES: usize = 3;

const RINGS: [(LocationScheme, LookUpsBy); 2] = [
    (LocationScheme::Chord, LookUpsBy::Recursive),
    (LocationScheme::ChordIterative, LookUpsBy::Iterative),
];

/// What happens, in any order that the processes allow.
struct Case {
    /// How many look-ups a process makes.
    look_ups: usize,
    /// Whether the entity, which comes into being at home, moves.
    moves: bool,
    /// How many waits of each process end without an answer.
    timeouts: u16,
    budget: FaultBudget,
    properties: &'static [Property],
}

/// The number of states; no property is violated in any.
fn explore<P: Scheme>(scheme: LocationScheme, settings: P::Settings, case: &Case) -> u64 {
    let name = || "server1".to_owned();
    let at = home(&name(), NODES);
    let next = ProcessId((at.0 + 1) % 3);
    let last = ProcessId((at.0 + 2) % 3);
    let mut commands = vec![(at, Command::Insert(name(), String::new()))];
    commands.extend(case.moves.then(|| (at, Command::Move(name(), next))));
    commands.extend((0..case.look_ups).map(|_| (last, Command::LookUp(name()))));
    let system = System::<P, Watch> {
        monitor: Watch::new(
            Promise::new(scheme, Group::of(NODES)).found_by(),
            case.timeouts == 0,
        ),
        properties: case.properties,
        processes: NODES,
        bounds: TimerBounds {
            operations: 0,
            rounds: 0,
            timeouts: case.timeouts,
            counts_anew: false,
        },
        commands,
        settings,
        budget: case.budget,
        order: ChannelOrder::Fifo,
        is_reduced: false,
        is_timeless: true,
        time: Default::default(),
        exercise: Arc::default(),
        process: PhantomData,
    };
    let limits = Limits {
        most: 500_000,
        ..Limits::none(2)
    };
    let outcome = search(&system, limits, &Progress::default(), &|| false);
    assert_eq!(outcome.end, End::Complete, "{scheme}: {:?}", outcome.counts);
    for (property, violation) in system.properties.iter().zip(&outcome.violations) {
        assert!(violation.is_none(), "{scheme}: {property}: {violation:?}");
    }
    outcome.counts.distinct
}

fn explore_all(case: &Case) {
    let states = [
        explore::<Broadcast>(LocationScheme::Broadcast, (), case),
        explore::<HomeBased>(LocationScheme::Home, (), case),
        explore::<Forwarding>(LocationScheme::ForwardingShortened, Shortening::Chain, case),
        explore::<Forwarding>(LocationScheme::Forwarding, Shortening::None, case),
        explore::<Hierarchy>(LocationScheme::Hierarchical, Fanout(2), case),
    ];
    assert!(states.iter().all(|states| *states > 10), "{states:?}");
}

#[test]
fn what_a_look_up_finds_is_where_the_entity_was_meanwhile() {
    explore_all(&Case {
        look_ups: 2,
        moves: true,
        timeouts: 1,
        budget: FaultBudget::default(),
        properties: &[Property::LookUpsRight],
    });
}

#[test]
fn a_look_up_that_nothing_disturbs_finds_the_entity() {
    let case = Case {
        look_ups: 2,
        moves: true,
        timeouts: 0,
        budget: FaultBudget::default(),
        properties: &[Property::LookUpsRight],
    };
    explore_all(&case);
    // The record of a ring has the old place until the new one is stored.
    let case = Case {
        look_ups: 1,
        ..case
    };
    for (scheme, look_ups) in RINGS {
        let ring = Ring {
            look_ups,
            ..Ring::whole(NODES)
        };
        assert!(explore::<Chord>(scheme, ring, &case) > 10);
    }
}

#[test]
fn a_look_up_ends_when_its_waits_do() {
    explore_all(&Case {
        look_ups: 1,
        moves: false,
        timeouts: 6,
        budget: FaultBudget::default(),
        properties: &[Property::LookUpsRight, Property::LookUpsEnd],
    });
}

#[test]
fn messages_that_are_lost_or_duplicated_make_no_answer_wrong() {
    let case = Case {
        look_ups: 1,
        moves: false,
        timeouts: 2,
        budget: FaultBudget {
            lost: 1,
            duplicated: 1,
            ..FaultBudget::default()
        },
        properties: &[Property::LookUpsRight],
    };
    explore_all(&case);
    let budget = FaultBudget {
        lost: 1,
        ..FaultBudget::default()
    };
    let case = Case {
        timeouts: 1,
        budget,
        ..case
    };
    for (scheme, look_ups) in RINGS {
        let ring = Ring {
            look_ups,
            ..Ring::whole(NODES)
        };
        assert!(explore::<Chord>(scheme, ring, &case) > 10);
    }
}
