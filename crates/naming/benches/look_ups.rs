//! Look-ups in memory, beside the standard library's HashMap of strings: `cargo bench -p naming`.
//!
//! Every name is looked up once, in an order that no cache can predict. The two sides are measured in turn, and the ratio is
//! the median of those of the rounds. `--quick`, or a test run of the benchmarks, shows only that it runs.

use std::{collections::HashMap, hint::black_box, net::IpAddr};

use common::testing::measuring::Table;
use naming::{
    name::{Path, Place},
    space::Space,
    value::Value,
};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

/// The names, of one component or three, in no order.
fn names(count: usize, depth: usize) -> Vec<String> {
    // A generator of full period: every number once.
    let all = count.next_power_of_two();
    let next = |last: &usize| Some((last.wrapping_mul(5) + 12_345) % all);
    let numbers = std::iter::successors(Some(1), next).take(all);
    let names = numbers
        .filter(|number| *number < count)
        .map(|number| match depth {
            1 => format!("server{number}"),
            _ => format!("region{}/rack{}/server{number}", number % 16, number % 1024),
        });
    names.collect()
}

fn space(names: &[String]) -> Space {
    let mut space = Space::default();
    for name in names {
        let place: Place = name.parse().expect("a name");
        space
            .register(&place, Value::from(ADDRESS).into())
            .expect("each name once");
    }
    space
}

fn main() {
    let table = Table::new("ours / std's HashMap of strings", "names", "std");
    let sizes: &[(usize, usize)] = if table.quick {
        &[(1_000, 1)]
    } else {
        &[(10_000, 201), (1_000_000, 11)]
    };
    for &(count, rounds) in sizes {
        let flat = names(count, 1);
        let (ours, theirs) = (
            space(&flat),
            flat.iter()
                .map(|name| (name.clone(), ADDRESS))
                .collect::<HashMap<_, _>>(),
        );
        table.compare(
            "flat / HashMap",
            flat.len(),
            rounds,
            &mut || {
                flat.iter().for_each(|name| {
                    black_box(ours.flat(name).is_ok());
                })
            },
            &mut || {
                flat.iter().for_each(|name| {
                    black_box(theirs.get(name.as_str()));
                })
            },
        );
        structured(&table, count, rounds);
    }
}

fn structured(table: &Table, count: usize, rounds: usize) {
    type Level<T> = HashMap<String, T>;
    let names = names(count, 3);
    let paths: Vec<Path> = names
        .iter()
        .map(|name| name.parse().expect("a path"))
        .collect();
    let space = space(&names);
    let parts: Vec<Vec<String>> = names
        .iter()
        .map(|name| name.split('/').map(str::to_owned).collect())
        .collect();
    let mut nested: Level<Level<Level<IpAddr>>> = HashMap::new();
    for name in &parts {
        let [region, rack, server] = [0, 1, 2].map(|level| name[level].clone());
        nested
            .entry(region)
            .or_default()
            .entry(rack)
            .or_default()
            .insert(server, ADDRESS);
    }
    table.compare(
        "depth 3 / HashMaps in HashMaps",
        names.len(),
        rounds,
        &mut || {
            paths.iter().for_each(|path| {
                black_box(space.structured(path, &Path::ROOT).is_ok());
            })
        },
        &mut || {
            for name in &parts {
                let found = nested.get(&name[0]).and_then(|level| level.get(&name[1]));
                black_box(found.and_then(|level| level.get(&name[2])));
            }
        },
    );
}
