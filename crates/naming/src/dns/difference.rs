//! The differences between two states of the zones: what the serials follow (RFC 1982), and what IXFR sends (RFC 1995).
//!
//! A zone is a set of records, so an order that changes is no difference. The SOA record is left out: its serial follows
//! from the others.

use std::{cmp::Ordering, collections::BTreeMap};

use domain::base::iana::Rtype;

pub use super::history::{Difference, OwnRecords};
use super::{
    owner::{Owner, Zones},
    zone::{Records, Zone},
};

impl Difference {
    fn compare(&mut self, owner: &Owner, before: Records<'_>, after: Records<'_>) {
        let (before, after) = (set(before), set(after));
        let only = |these: &[&[u8]], others: &[&[u8]]| {
            let mut only = Vec::new();
            for record in these {
                if others.binary_search(record).is_err() {
                    only.extend(*record);
                }
            }
            only
        };
        for (records, to) in [
            (only(&before, &after), &mut self.removed),
            (only(&after, &before), &mut self.added),
        ] {
            if !records.is_empty() {
                to.push((owner.clone(), records));
            }
        }
    }
}

/// The differences of all zones, in the order of [`Zones::all`].
pub type Differences = [Difference; 3];

/// The records, in order and each once, without the SOA.
fn set(records: Records<'_>) -> Vec<&[u8]> {
    let soa = Rtype::SOA.to_int().to_be_bytes();
    let mut set: Vec<_> = records
        .whole()
        .filter(|record| !record.starts_with(&soa))
        .collect();
    set.sort_unstable();
    set.dedup();
    set
}

/// The records that names had before a change of the zones.
#[derive(Debug, Default)]
pub struct Before(BTreeMap<Owner, Vec<u8>>);

impl Before {
    /// Replaces the records of a name, and notes those that it had first.
    pub fn set(&mut self, zone: &mut Zone, name: &[u8], records: &[u8]) {
        let owner = Owner::from_wire(name);
        let before = zone.get(name).unwrap_or_default();
        self.0.entry(owner).or_insert_with(|| before.0.to_vec());
        zone.set(name, records);
    }

    /// What has changed since.
    pub fn differences(&self, zone: &Zone) -> Differences {
        let mut differences = Differences::default();
        for (owner, before) in &self.0 {
            let after = zone.get(owner.as_slice()).unwrap_or_default();
            if let Some(index) = zone.zones.index(owner.as_slice()) {
                differences[index].compare(owner, Records(before), after);
            }
        }
        differences
    }

    /// Gives the names their records back.
    pub fn restore(self, zone: &mut Zone) {
        for (owner, before) in self.0 {
            zone.set(owner.as_slice(), &before);
        }
    }
}

/// The differences between two states with the same zones.
pub fn between(before: &Zone, after: &Zone) -> Differences {
    let mut differences = Differences::default();
    let mut compare = |zones: &Zones, name: &[u8], before, after| {
        if let Some(index) = zones.index(name) {
            differences[index].compare(&Owner::from_wire(name), before, after);
        }
    };
    before.each(|name, records| {
        let now = after.get(name).unwrap_or_default();
        if now != records {
            compare(&before.zones, name, records, now);
        }
    });
    after.each(|name, records| {
        // The others were compared.
        if before.get(name).is_none_or(Records::is_empty) {
            compare(&before.zones, name, Records::default(), records);
        }
    });
    for difference in &mut differences {
        difference.removed.sort_unstable();
        difference.added.sort_unstable();
    }
    differences
}

/// Compares two serials (RFC 1982 section 3.2); None when they are half of all numbers apart.
pub fn compare_serials(one: u32, other: u32) -> Option<Ordering> {
    match one.wrapping_sub(other) {
        0 => Some(Ordering::Equal),
        0x8000_0000 => None,
        1..0x8000_0000 => Some(Ordering::Greater),
        _ => Some(Ordering::Less),
    }
}

/// The serial after this one: never 0, which some servers take for none.
pub fn next_serial(serial: u32) -> u32 {
    serial.wrapping_add(1).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::dns::zone::push_record;

    fn records(addresses: &[[u8; 4]]) -> Vec<u8> {
        let mut records = Vec::new();
        for address in addresses {
            push_record(&mut records, Rtype::A, address);
        }
        records
    }

    #[test]
    fn a_difference_is_one_of_sets() {
        let mut zone = Zone::new(Arc::new(Zones::new("lab.").unwrap()), 60);
        let name = |text: &str| text.parse::<Owner>().unwrap();
        let (one, two) = (name("one.lab."), name("1.0.0.10.in-addr.arpa."));
        zone.set(one.as_slice(), &records(&[[1; 4], [2; 4]]));
        let old = zone.clone();
        let mut before = Before::default();
        before.set(&mut zone, one.as_slice(), &records(&[[2; 4], [1; 4]]));
        assert_eq!(before.differences(&zone), Differences::default());
        assert_eq!(between(&old, &zone), Differences::default());
        before.set(&mut zone, one.as_slice(), &records(&[[2; 4], [3; 4]]));
        before.set(&mut zone, two.as_slice(), &records(&[[9; 4]]));
        let differences = before.differences(&zone);
        assert_eq!(differences, between(&old, &zone));
        let [names, v4, v6] = differences;
        assert_eq!(names.removed, [(one.clone(), records(&[[1; 4]]))]);
        assert_eq!(names.added, [(one, records(&[[3; 4]]))]);
        assert_eq!(v4.added, [(two, records(&[[9; 4]]))]);
        assert!(v4.removed.is_empty() && v6.is_empty());
        before.restore(&mut zone);
        assert_eq!(between(&old, &zone), Differences::default());
    }

    #[test]
    fn serials_are_compared_in_a_circle() {
        for (one, other, order) in [
            (1, 1, Some(Ordering::Equal)),
            (2, 1, Some(Ordering::Greater)),
            (1, u32::MAX, Some(Ordering::Greater)),
            (u32::MAX, 1, Some(Ordering::Less)),
            (0, 0x8000_0000, None),
        ] {
            assert_eq!(compare_serials(one, other), order, "{one} {other}");
        }
        assert_eq!((next_serial(7), next_serial(u32::MAX)), (8, 1));
    }
}
