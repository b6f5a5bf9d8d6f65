//! A ring that changes: nodes join, fail, leave and lie.

use std::sync::Arc;

use common::process::{Command, TimerKind, ids::ProcessId};
use naming::{
    compare::world::World,
    location::{
        chord::{
            Chord, Membership,
            fingers::Fingers,
            settings::{Rules, Settings},
        },
        circle::Circle,
    },
};

use super::{insert, look_up, p, refused, world};

/// Processes that wait for a command to join, but for these members.
fn waiting(processes: usize, members: &[ProcessId], rules: Rules) -> Settings {
    let settings = Settings {
        rules,
        maintain: true,
        ..Settings::whole(processes)
    };
    settings.members(members)
}

/// Rounds of maintenance.
fn rounds(world: &mut World<Chord>, count: usize) {
    for _ in 0..count {
        world.expire(TimerKind::Maintain);
    }
}

/// The processes in the order of the ring, as the successors of the first of these say.
fn ring(world: &World<Chord>, members: &[ProcessId]) -> Vec<ProcessId> {
    let mut ring = vec![members[0]];
    loop {
        let last = world.process(*ring.last().unwrap());
        let next = last.neighbours().successor().process;
        if next == members[0] || ring.len() > members.len() {
            return ring;
        }
        ring.push(next);
    }
}

/// These processes in the order of their identifiers, from the first on.
fn ordered(settings: &Settings, members: &[ProcessId]) -> Vec<ProcessId> {
    let mut all = members.to_vec();
    let first = settings.ids[members[0].index()];
    let distance = |process: &ProcessId| {
        settings
            .circle
            .distance(first, settings.ids[process.index()])
    };
    all.sort_by_key(distance);
    all
}

fn joins(world: &mut World<Chord>, process: ProcessId, contact: ProcessId) {
    world.command(process, Command::Join(contact)).unwrap();
}

#[test]
fn sixteen_processes_make_one_ring() {
    for rules in [Rules::Corrected, Rules::Published] {
        let settings = waiting(16, &[], rules);
        let mut world = world::<Chord>(16, &settings);
        joins(&mut world, p(1), p(1));
        for number in 2..=16 {
            joins(&mut world, p(number), p(number / 2));
            rounds(&mut world, 2);
        }
        rounds(&mut world, 70);
        let members: Vec<_> = ProcessId::all(16).collect();
        assert_eq!(
            ring(&world, &members),
            ordered(&settings, &members),
            "{rules:?}"
        );
        let whole = Settings::whole(16);
        for process in &members {
            let node = world.process(*process);
            let id = settings.ids[process.index()];
            let fingers = Fingers::converged(id, &whole);
            for index in 0..64 {
                let (is, should) = (node.fingers().get(index), fingers.get(index));
                let is = is.unwrap_or(node.neighbours().successor());
                assert_eq!(Some(is), should.or(Some(is)), "finger {index} of {process}");
            }
            assert_eq!(node.neighbours().successors.len(), 4);
        }
    }
}

#[test]
fn three_failures_of_sixteen_lose_nothing() {
    let settings = Settings {
        maintain: true,
        ..Settings::whole(16)
    };
    let mut world = world::<Chord>(16, &settings);
    let names: Vec<_> = (1..=40).map(|number| format!("server{number}")).collect();
    for name in &names {
        insert(&mut world, p(5), name);
    }
    // Three neighbours, which have the record, and two of its three copies, of some names.
    let order = ordered(&settings, &ProcessId::all(16).collect::<Vec<_>>());
    let at = order.iter().position(|process| *process == p(5)).unwrap();
    let down: Vec<_> = (1..4).map(|step| order[(at + step) % 16]).collect();
    down.iter().for_each(|process| world.fail(*process));
    let up: Vec<_> = order
        .iter()
        .copied()
        .filter(|process| !down.contains(process))
        .collect();
    for round in 0..8 {
        for name in &names {
            for asker in &up {
                let cost = look_up(&mut world, *asker, name);
                assert_eq!(
                    cost.found,
                    Some(p(5)),
                    "{name} from {asker} in round {round}"
                );
            }
        }
        rounds(&mut world, 1);
    }
    assert_eq!(ring(&world, &up), ordered(&settings, &up));
    // The copies are four again, once all three are known to have failed.
    rounds(&mut world, 6);
    let copies = |name: &String| {
        let name = naming::name::Name::new(name).unwrap();
        up.iter()
            .filter(|process| world.process(**process).record(&name).is_some())
            .count()
    };
    assert!(names.iter().all(|name| copies(name) >= 4));
}

#[test]
fn who_joins_gets_its_records_and_who_leaves_hands_them_on() {
    let settings = waiting(8, &[p(1), p(2), p(3)], Rules::Corrected);
    let mut world = world::<Chord>(8, &settings);
    let names: Vec<_> = (1..=30).map(|number| format!("server{number}")).collect();
    for name in &names {
        insert(&mut world, p(2), name);
    }
    let found = |world: &mut World<Chord>, asker| {
        names
            .iter()
            .all(|name| look_up(world, asker, name).found == Some(p(2)))
    };
    for number in 4..=8 {
        joins(&mut world, p(number), p(1));
        assert!(
            found(&mut world, p(number)) && found(&mut world, p(1)),
            "p{number} has joined"
        );
        rounds(&mut world, 3);
    }
    for number in [1, 3, 4, 5, 6, 7] {
        world.command(p(number), Command::Leave).unwrap();
        assert_eq!(world.process(p(number)).membership(), &Membership::Left);
        assert!(found(&mut world, p(8)), "p{number} has left");
        rounds(&mut world, 3);
    }
    assert_eq!(ring(&world, &[p(2), p(8)]), [p(2), p(8)]);
    let why = refused(&mut world, p(1), Command::LookUp("server1".into()));
    assert_eq!(why, "it is not in the ring: join it first");
}

#[test]
fn an_identifier_that_is_taken_is_refused() {
    let ids: Arc<[u64]> = Arc::new([3, 9, 20, 9]);
    let settings = Settings::with_ids(Circle::new(5), ids).members(&[p(1), p(2), p(3)]);
    for contact in [p(1), p(2), p(3)] {
        let mut world = world::<Chord>(4, &settings);
        joins(&mut world, p(4), contact);
        assert_eq!(
            world.process(p(4)).membership(),
            &Membership::Taken(p(2)),
            "by way of {contact}"
        );
        let why = refused(&mut world, p(4), Command::LookUp("server1".into()));
        assert_eq!(why, "its identifier is taken: join with another");
    }
}

#[test]
fn a_ring_of_one_finds_what_it_has_and_takes_others() {
    let settings = waiting(2, &[], Rules::Corrected);
    let mut world = world::<Chord>(2, &settings);
    joins(&mut world, p(1), p(1));
    insert(&mut world, p(1), "server1");
    rounds(&mut world, 3);
    assert_eq!(look_up(&mut world, p(1), "server1").found, Some(p(1)));
    assert_eq!(look_up(&mut world, p(1), "server2").found, None);
    joins(&mut world, p(2), p(1));
    rounds(&mut world, 3);
    assert_eq!(look_up(&mut world, p(2), "server1").found, Some(p(1)));
    // And back.
    world.fail(p(2));
    rounds(&mut world, 6);
    assert_eq!(world.process(p(1)).neighbours().successors, []);
    assert_eq!(look_up(&mut world, p(1), "server1").found, Some(p(1)));
}

#[test]
fn a_contact_that_does_not_answer_is_asked_again() {
    let settings = waiting(3, &[p(1), p(2)], Rules::Corrected);
    let mut world = world::<Chord>(3, &settings);
    world.fail(p(1));
    joins(&mut world, p(3), p(1));
    assert_eq!(world.process(p(3)).membership(), &Membership::Joining(p(1)));
    for _ in 0..16 {
        world.expire(TimerKind::Timeout);
    }
    assert_eq!(world.process(p(3)).membership(), &Membership::Outside);
    joins(&mut world, p(3), p(2));
    rounds(&mut world, 8);
    assert_eq!(ring(&world, &[p(2), p(3)]), [p(2), p(3)]);
}

#[test]
fn a_node_that_fails_in_the_middle_of_a_look_up_is_gone_round() {
    let settings = Settings::whole(64);
    let mut world = world::<Chord>(64, &settings);
    insert(&mut world, p(1), "server7");
    let asker = p(33);
    look_up(&mut world, asker, "server7");
    let way = world.visited().to_vec();
    assert!(way.len() > 1);
    for node in way {
        let mut world = self::world::<Chord>(64, &settings);
        insert(&mut world, p(1), "server7");
        if node == p(1) {
            continue;
        }
        world.fail(node);
        assert_eq!(
            look_up(&mut world, asker, "server7").found,
            Some(p(1)),
            "without {node}"
        );
    }
}

#[test]
fn a_peer_that_lies_about_its_successor_is_gone_round() {
    let honest = Settings {
        maintain: true,
        ..Settings::whole(16)
    };
    let order = ordered(&honest, &ProcessId::all(16).collect::<Vec<_>>());
    // One says that the node behind it is not there.
    let others = honest.ring.iter().filter(|peer| peer.process != order[2]);
    let lying = Settings {
        ring: others.copied().collect(),
        ..honest.clone()
    };
    let mut world = world::<Chord>(16, &honest);
    world.replace(order[1], &lying);
    let names: Vec<_> = (1..=40).map(|number| format!("server{number}")).collect();
    for name in &names {
        insert(&mut world, order[9], name);
    }
    for name in &names {
        for asker in &order {
            let found = look_up(&mut world, *asker, name).found;
            assert_eq!(found, Some(order[9]), "{name} from {asker}");
        }
    }
    // Maintenance brings it back to the truth.
    assert_eq!(ring(&world, &order).len(), 15);
    rounds(&mut world, 4);
    assert_eq!(ring(&world, &order), order);
}
