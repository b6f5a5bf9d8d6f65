//! Broadcast, forwarding pointers, homes, a hierarchy, and resolution: what each costs.

use common::process::{Command, ids::ProcessId};
use naming::location::{
    Scheme,
    broadcast::Broadcast,
    domains::Domains,
    entities::home,
    forwarding::{Forwarding, Shortening},
    hierarchy::{Fanout, Hierarchy},
    home::HomeBased,
    resolution::{Resolution, Settings},
};

use super::{insert, look_up, moves, p, refused, world};

const NODES: usize = 64;

/// A process that is none of these.
fn other(than: &[ProcessId]) -> ProcessId {
    let mut all = ProcessId::all(NODES);
    all.find(|process| !than.contains(process)).unwrap()
}

#[test]
fn a_broadcast_asks_all_processes() {
    let mut world = world::<Broadcast>(NODES, &());
    assert_eq!(insert(&mut world, p(7), "server7").messages, 0);
    let cost = look_up(&mut world, p(1), "server7");
    assert_eq!(
        (cost.messages, cost.hops, cost.found),
        (63 + 1, 1, Some(p(7)))
    );
    assert_eq!(
        moves(&mut world, p(7), "server7", p(9)).messages,
        0,
        "nobody has to know"
    );
    assert_eq!(look_up(&mut world, p(1), "server7").found, Some(p(9)));
    assert_eq!(
        look_up(&mut world, p(9), "server7").messages,
        0,
        "it is here"
    );
    // Nobody answers: asked three times.
    let cost = look_up(&mut world, p(1), "server8");
    assert_eq!((cost.messages, cost.found), (3 * 63, None));
}

#[test]
fn a_home_passes_a_look_up_on() {
    let mut world = world::<HomeBased>(NODES, &());
    let home = home("server7", NODES);
    let (asker, at) = (other(&[home]), other(&[home, p(1), p(2)]));
    insert(&mut world, home, "server7");
    let cost = look_up(&mut world, asker, "server7");
    assert_eq!((cost.messages, cost.hops, cost.found), (2, 1, Some(home)));
    assert_eq!(
        moves(&mut world, home, "server7", at).messages,
        2,
        "request and reply"
    );
    let cost = look_up(&mut world, asker, "server7");
    assert_eq!((cost.messages, cost.hops, cost.found), (3, 2, Some(at)));
    let cost = look_up(&mut world, home, "server7");
    assert_eq!(
        (cost.messages, cost.found),
        (2, Some(at)),
        "the home asks itself"
    );
    assert_eq!(look_up(&mut world, asker, "server8").found, None);
    // Without its home nobody finds it; home again all do.
    world.fail(home);
    assert_eq!(look_up(&mut world, asker, "server7").found, None);
    world.recover();
    moves(&mut world, at, "server7", home);
    assert_eq!(look_up(&mut world, asker, "server7").messages, 2);
}

#[test]
fn a_look_up_follows_the_chain_and_shortens_it() {
    for (shortening, hops) in [
        (Shortening::None, [6, 6, 6]),
        (Shortening::Chain, [6, 2, 1]),
    ] {
        let mut world = world::<Forwarding>(NODES, &shortening);
        let home = home("server7", NODES);
        insert(&mut world, home, "server7");
        let way: Vec<_> = ProcessId::all(NODES)
            .filter(|process| *process != home)
            .take(7)
            .collect();
        let (one, another, way) = (way[0], way[1], &way[2..]);
        let mut at = home;
        for next in way {
            assert_eq!(moves(&mut world, at, "server7", *next).messages, 0);
            at = *next;
        }
        // From the home five pointers; then by way of the home alone; then straight.
        let askers = [one, another, one];
        let found = askers.map(|asker| {
            let cost = look_up(&mut world, asker, "server7");
            assert_eq!(cost.found, Some(at));
            cost.hops
        });
        assert_eq!(found, hops, "{shortening:?}");
        // Back again: there is no circle.
        moves(&mut world, at, "server7", way[0]);
        for asker in ProcessId::all(NODES) {
            assert_eq!(look_up(&mut world, asker, "server7").found, Some(way[0]));
        }
        assert_eq!(look_up(&mut world, one, "server8").found, None);
        // A node in the middle fails: the chain is broken, or does not need it any more.
        let mut world = self::world::<Forwarding>(NODES, &shortening);
        insert(&mut world, home, "server7");
        moves(&mut world, home, "server7", way[0]);
        moves(&mut world, way[0], "server7", way[1]);
        look_up(&mut world, one, "server7");
        world.fail(way[0]);
        let found = look_up(&mut world, another, "server7").found;
        assert_eq!(found.is_some(), shortening == Shortening::Chain);
    }
}

#[test]
fn a_hierarchy_costs_as_much_as_the_distance() {
    let mut world = world::<Hierarchy>(NODES, &Fanout(4));
    let domains = Domains::new(NODES, 4);
    let at = p(22);
    insert(&mut world, at, "server7");
    for asker in ProcessId::all(NODES) {
        let cost = look_up(&mut world, asker, "server7");
        assert_eq!(cost.found, Some(at));
        let distance = u64::from(domains.distance(asker, at));
        // Up to the common domain, down to the entity, and the answer; hosts in common save messages.
        let most = if distance == 0 { 0 } else { 2 * distance + 1 };
        assert!(cost.messages <= most, "{cost:?} at distance {distance}");
        assert!(
            distance < 2 || cost.messages > 1,
            "{cost:?} at distance {distance}"
        );
    }
    // A move to a neighbour is known in their domain alone; one across the tree at the root.
    let near = moves(&mut world, at, "server7", p(23)).messages;
    let far = moves(&mut world, p(23), "server7", p(60)).messages;
    assert!(near <= 3 && far > near && far <= 7, "{near}, {far}");
    for asker in ProcessId::all(NODES) {
        assert_eq!(look_up(&mut world, asker, "server7").found, Some(p(60)));
    }
    assert_eq!(look_up(&mut world, p(1), "server8").found, None);
    // Nothing stays of an entity that is deleted.
    let before = world.processes().map(Scheme::entries).sum::<usize>();
    world
        .command(p(60), Command::Delete("server7".into()))
        .unwrap();
    let after = world.processes().map(Scheme::entries).sum::<usize>();
    assert_eq!((before, after), (4, 0), "a record a level");
    assert_eq!(look_up(&mut world, p(1), "server7").found, None);
}

#[test]
fn the_root_of_a_hierarchy_takes_what_is_far_away_with_it() {
    let mut world = world::<Hierarchy>(NODES, &Fanout(4));
    let root = Domains::new(NODES, 4).host(3, 0);
    let at = other(&[root]);
    insert(&mut world, at, "server7");
    world.fail(root);
    let near = ProcessId(at.0 ^ 1);
    let far = ProcessId(at.0 ^ 63);
    assert!(near != root && far != root);
    assert_eq!(look_up(&mut world, near, "server7").found, Some(at));
    assert_eq!(look_up(&mut world, far, "server7").found, None);
}

#[test]
fn resolution_goes_down_the_tree_iteratively_or_recursively() {
    let home = home("server7", NODES);
    let domains = Domains::new(NODES, 4);
    let server = |level| domains.host(level, domains.domain(level, home));
    let servers: Vec<ProcessId> = (0..=domains.root()).rev().map(server).collect();
    let mut distinct = servers.clone();
    distinct.dedup();
    let asker = other(&servers);
    let settings = |recursive, cache| Settings {
        recursive,
        cache,
        fanout: 4,
    };
    let mut delays = Vec::new();
    for recursive in [false, true] {
        let mut world = world::<Resolution>(NODES, &settings(recursive, 0));
        insert(&mut world, home, "server7");
        for _ in 0..2 {
            let cost = look_up(&mut world, asker, "server7");
            assert_eq!(cost.found, Some(home));
            let hops = distinct.len();
            assert_eq!(
                (cost.hops as usize, cost.messages as usize),
                (hops, 2 * hops)
            );
            assert_eq!(world.visited(), distinct);
            delays.push(cost.delay);
        }
    }
    // The asker is as far from the servers as it may be; they are near one another.
    assert!(delays[2] < delays[0], "{delays:?}");
}

#[test]
fn caches_save_the_way_and_may_be_stale() {
    let home = home("server7", NODES);
    let servers = |recursive| Settings {
        recursive,
        cache: 100,
        fanout: 4,
    };
    for recursive in [false, true] {
        let mut world = world::<Resolution>(NODES, &servers(recursive));
        insert(&mut world, home, "server7");
        let far = ProcessId(home.0 ^ 63);
        let another = ProcessId(home.0 ^ 62);
        let first = look_up(&mut world, far, "server7").messages;
        assert_eq!(
            look_up(&mut world, far, "server7").messages,
            0,
            "its own cache"
        );
        let next = look_up(&mut world, another, "server7").messages;
        match recursive {
            // The servers have cached what they asked for, for all askers.
            true => assert_eq!((next, next < first), (2, true)),
            false => assert!(next + 2 >= first, "{next} after {first}"),
        }
        let to = ProcessId(home.0 ^ 1);
        moves(&mut world, home, "server7", to);
        assert_eq!(
            look_up(&mut world, far, "server7").found,
            Some(home),
            "stale"
        );
        world.expire(common::process::TimerKind::Maintain);
        assert_eq!(look_up(&mut world, far, "server7").found, Some(to));
    }
}

#[test]
fn one_process_alone_finds_what_it_has() {
    fn alone<P: Scheme>(settings: &P::Settings) {
        let mut world = world::<P>(1, settings);
        insert(&mut world, p(1), "server7");
        let cost = look_up(&mut world, p(1), "server7");
        assert_eq!((cost.messages, cost.found), (0, Some(p(1))));
        let cost = look_up(&mut world, p(1), "server8");
        assert_eq!((cost.messages, cost.found), (0, None));
    }
    alone::<Broadcast>(&());
    alone::<HomeBased>(&());
    alone::<Forwarding>(&Shortening::Chain);
    alone::<Hierarchy>(&Fanout(4));
    alone::<Resolution>(&Settings {
        recursive: true,
        cache: 0,
        fanout: 4,
    });
    alone::<naming::location::chord::Chord>(&naming::location::chord::settings::Settings::whole(1));
}

#[test]
fn commands_that_make_no_sense_are_refused() {
    let mut world = world::<Broadcast>(NODES, &());
    insert(&mut world, p(7), "server7");
    let mut why = |command| refused(&mut world, p(7), command);
    let text = String::from;
    assert_eq!(
        why(Command::Insert(text("server7"), text(""))),
        "server7 is here already"
    );
    assert_eq!(
        why(Command::Move(text("server8"), p(1))),
        "server8 is not here"
    );
    assert_eq!(
        why(Command::Move(text("server7"), p(7))),
        "it is here already"
    );
    assert_eq!(
        why(Command::Move(text("server7"), p(65))),
        "no such process"
    );
    assert_eq!(why(Command::Delete(text("server8"))), "server8 is not here");
    assert!(why(Command::LookUp(text("a/b"))).contains("has a /"));
    assert!(why(Command::Insert(text("server9"), text("10.0.0.1"))).contains("where it is"));
}
