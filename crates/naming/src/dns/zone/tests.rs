use std::{collections::BTreeMap, sync::Arc};

use domain::base::iana::Rtype;

use super::*;
use crate::dns::owner::{Owner, Zones};

fn record(data: &[u8]) -> Vec<u8> {
    let mut records = Vec::new();
    push_record(&mut records, Rtype::A, data);
    records
}

fn empty() -> Zone {
    Zone::new(Arc::new(Zones::new("lab.").unwrap()), 60)
}

fn name(text: &str) -> Owner {
    text.parse().unwrap()
}

#[test]
fn empty_non_terminals_are_added_and_removed() {
    let mut zone = empty();
    let get = |zone: &Zone, text: &str| {
        zone.get(name(text).as_slice())
            .map(std::iter::Iterator::count)
    };
    zone.set(name("a.b.c.lab.").as_slice(), &record(&[1, 2, 3, 4]));
    zone.set(name("d.b.c.lab.").as_slice(), &record(&[1, 2, 3, 4]));
    assert_eq!(get(&zone, "a.b.c.lab."), Some(1));
    assert_eq!(
        (get(&zone, "b.c.lab."), get(&zone, "lab."), get(&zone, ".")),
        (Some(0), Some(0), None)
    );
    assert_eq!(zone.names, 5);
    let copy = zone.clone();
    zone.set(name("a.b.c.lab.").as_slice(), &[]);
    assert_eq!(
        (get(&zone, "a.b.c.lab."), get(&zone, "c.lab."), zone.names),
        (None, Some(0), 4)
    );
    zone.set(name("d.b.c.lab.").as_slice(), &[]);
    assert_eq!((get(&zone, "lab."), zone.names), (None, 0));
    // A copy of the zones does not change.
    assert_eq!((get(&copy, "a.b.c.lab."), copy.names), (Some(1), 5));
}

#[test]
fn a_built_table_is_that_of_single_insertions() {
    let (mut zone, mut builder) = (empty(), Builder::new(empty().zones, 60, 10));
    for number in 0..5000_u32 {
        let owner = name(&format!("n{}.x{}.lab.", number % 3000, number % 2));
        let records = record(&number.to_be_bytes());
        builder.push(owner.as_slice(), &records);
        let mut all = zone.get(owner.as_slice()).unwrap_or_default().0.to_vec();
        if all.len() < 36 {
            all.extend(&records);
        }
        zone.set(owner.as_slice(), &all);
    }
    let mut built = builder.finish(3);
    assert_eq!(built.names, zone.names);
    let all = |zone: &Zone| {
        let mut all = BTreeMap::new();
        zone.each(|name, records| drop(all.insert(name.to_vec(), records.0.to_vec())));
        all
    };
    assert_eq!(all(&built), all(&zone));
    for owner in all(&zone).keys() {
        built.set(owner, &[]);
    }
    assert_eq!((built.names, built.get(b"\x03lab\0")), (0, None));
}

#[test]
fn the_table_holds_what_a_map_holds() {
    let mut zone = empty();
    let mut map = BTreeMap::new();
    let mut state = 1_u64;
    for _ in 0..60_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (which, length) = (state >> 50, (state >> 40) as usize % 8);
        let owner = name(&format!("n{which}.x{}.lab.", which % 7));
        let records = if length == 0 {
            Vec::new()
        } else {
            record(&vec![which as u8; length])
        };
        zone.set(owner.as_slice(), &records);
        match records.is_empty() {
            true => drop(map.remove(&owner)),
            false => drop(map.insert(owner, records)),
        }
    }
    let mut count = 0;
    zone.each(|owner, records| {
        count += 1;
        assert_eq!(
            map.get(&Owner::from_wire(owner)).map(Vec::as_slice),
            Some(records.0)
        );
    });
    assert_eq!(count, map.len());
    for (owner, records) in &map {
        assert_eq!(zone.get(owner.as_slice()), Some(Records(records)));
    }
    assert!(zone.shards.len() > 4, "{}", zone.shards.len());
}
