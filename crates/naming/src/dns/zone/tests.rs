use std::{collections::BTreeMap, sync::Arc};

use domain::base::iana::Rtype;

use super::{builder::Builder, *};
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
    let mut zone = empty();
    let (mut builder, mut shards) = Builder::new(empty().zones, 60, 10);
    for number in 0..5000_u32 {
        let owner = name(&format!("n{}.x{}.lab.", number % 3000, number % 2));
        let records = record(&number.to_be_bytes());
        shards[builder.add(owner.as_slice())].append(owner.as_slice(), 0, &records);
        let mut all = zone.get(owner.as_slice()).unwrap_or_default().0.to_vec();
        if all.len() < 36 {
            all.extend(&records);
        }
        zone.set(owner.as_slice(), &all);
    }
    let mut built = builder.finish(shards, 3);
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

#[test]
fn many_names_are_built_on_a_thread_as_few_are_on_none() {
    let zones = empty().zones;
    let name = |number: u32| {
        let mut name = b"\x07".to_vec();
        name.extend(format!("s{number:06}").bytes());
        name.extend(b"\x03lab\x00");
        name
    };
    // Each name twice, the second time in a later batch.
    let produce = |push: Push<'_>| {
        for round in 0..2_u8 {
            for number in 0..20_000 {
                let mut record = Vec::new();
                push_record(&mut record, Rtype::A, &[10, 0, 0, round]);
                push(&name(number), &record);
            }
        }
        Ok::<(), ()>(())
    };
    let [many, few] = [40_000, 1].map(|names| build(&zones, 60, names, 50, produce).unwrap());
    let all = |zone: &Zone| {
        let mut all = Vec::new();
        zone.each(|name, records| all.push((name.to_vec(), records.0.to_vec())));
        all.sort_unstable();
        all
    };
    assert_eq!(all(&many).len(), 20_000);
    assert!(all(&many) == all(&few) && many.names == few.names);
    let refused = build(&zones, 60, 40_000, 50, |_| Err("no"));
    assert_eq!(refused.err(), Some("no"));
}
