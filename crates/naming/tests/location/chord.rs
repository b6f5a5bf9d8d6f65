//! Look-ups in a ring that does not change: the textbook's figure, and the paper's measurements.

use std::sync::Arc;

use common::process::ids::ProcessId;
use naming::location::{
    chord::{
        Chord,
        fingers::Fingers,
        settings::{LookUps, Settings},
    },
    circle::Circle,
};

use super::{insert, look_up, world};

/// The nodes of the figure "Resolving key 26 from node 1 and key 12 from node 28 in a Chord system" (van Steen & Tanenbaum,
/// section "Distributed hash tables").
const NODES: [u64; 9] = [1, 4, 9, 11, 14, 18, 20, 21, 28];

fn figure(look_ups: LookUps) -> Settings {
    Settings {
        look_ups,
        ..Settings::with_ids(Circle::new(5), Arc::new(NODES))
    }
}

/// A name with this identifier.
fn name_of(circle: Circle, id: u64) -> String {
    let names = (1..).map(|number| format!("server{number}"));
    names
        .into_iter()
        .find(|name| circle.id(name) == id)
        .unwrap()
}

#[test]
fn finger_tables_are_those_of_the_textbook() {
    let settings = figure(LookUps::Recursive);
    for (node, fingers) in [
        (1, [4, 4, 9, 9, 18]),
        (4, [9, 9, 9, 14, 20]),
        (9, [11, 11, 14, 18, 28]),
        (11, [14, 14, 18, 20, 28]),
        (14, [18, 18, 18, 28, 1]),
        (18, [20, 20, 28, 28, 4]),
        (20, [21, 28, 28, 28, 4]),
        (21, [28, 28, 28, 1, 9]),
        (28, [1, 1, 1, 4, 14]),
    ] {
        let table = Fingers::converged(node, &settings);
        let table: Vec<_> = (0..5).map(|index| table.get(index).unwrap().id).collect();
        assert_eq!(table, fingers, "node {node}");
    }
}

#[test]
fn look_ups_take_the_ways_of_the_textbook() {
    for look_ups in [LookUps::Recursive, LookUps::Iterative] {
        let settings = figure(look_ups);
        for (from, key, way) in [(1, 26, [18, 20, 21, 28]), (28, 12, [4, 9, 11, 14])] {
            let node = |id| ProcessId::at(NODES.iter().position(|node| *node == id).unwrap());
            let mut world = world::<Chord>(NODES.len(), &settings);
            let name = name_of(settings.circle, key);
            insert(&mut world, node(9), &name);
            let cost = look_up(&mut world, node(from), &name);
            assert_eq!(cost.found, Some(node(9)));
            let visited: Vec<_> = world
                .visited()
                .iter()
                .map(|node| NODES[node.index()])
                .collect();
            assert_eq!(visited, way, "{key} from {from}, {look_ups:?}");
            let messages = match look_ups {
                LookUps::Recursive => 4 + 1,
                LookUps::Iterative => 2 * 4,
            };
            assert_eq!((cost.hops, cost.messages), (4, messages));
        }
    }
}

/// How many of many look-ups had a path of each length, in several rings of this many nodes: the nodes on the way up to the one
/// before the name, as the paper counts, where neither the asker nor its successor has the record.
fn path_lengths(nodes: usize, rings: usize, look_ups: usize) -> Vec<u64> {
    let mut counts = Vec::new();
    for ring in 0..rings {
        let circle = Circle::new(64);
        let ids = (0..nodes).map(|node| circle.id(&format!("node{node} of ring{ring}")));
        let settings = Settings {
            look_ups: LookUps::Recursive,
            ..Settings::with_ids(circle, ids.collect())
        };
        let mut world = world::<Chord>(nodes, &settings);
        for number in 0..look_ups {
            let asker = ProcessId::at(number * 7919 % nodes);
            let hops = look_up(&mut world, asker, &format!("name{number}")).hops as usize;
            let Some(path) = hops.checked_sub(1).filter(|path| *path > 0) else {
                continue;
            };
            counts.resize(counts.len().max(path + 1), 0);
            counts[path] += 1;
        }
    }
    counts
}

fn mean(counts: &[u64]) -> f64 {
    let sum: u64 = (0..)
        .zip(counts)
        .map(|(path, count): (u64, _)| path * count)
        .sum();
    sum as f64 / counts.iter().sum::<u64>() as f64
}

/// Stoica et al. 2001, section 6.3: "the path length is about ½ log2 N".
#[test]
fn the_mean_path_is_half_of_the_logarithm() {
    for power in 6..=10 {
        let mean = mean(&path_lengths(1 << power, 4 << (10 - power), 1000));
        let ratio = mean / (f64::from(power) / 2.0);
        assert!(
            (0.95..1.05).contains(&ratio),
            "{mean} in a ring of 2^{power}"
        );
    }
}

/// The figure beside it, of a ring of 2^12: a bell around 6, of which 1 and 12 are the ends.
#[test]
fn paths_are_distributed_as_in_the_paper() {
    let counts = path_lengths(1 << 12, 1, 10_000);
    let share = |path: usize| counts[path] as f64 / counts.iter().sum::<u64>() as f64;
    let peak = (0..counts.len()).max_by_key(|path| counts[*path]).unwrap();
    assert!(
        (5..=6).contains(&peak) && (0.19..0.26).contains(&share(peak)),
        "{counts:?}"
    );
    for (near, far) in [(5, 4), (4, 3), (3, 2), (2, 1), (7, 8), (8, 9), (9, 10)] {
        assert!(share(near) > share(far), "{counts:?}");
    }
    assert!(share(1) < 0.01 && counts.len() <= 14, "{counts:?}");
}
