//! The zones as they are answered from: every domain name with its records, in little memory.
//!
//! A hash table in shards. A shard holds its names and records one behind the other in one piece of memory, so a name costs
//! its bytes and a few more, and no allocation of its own. Copies of a [`Zone`] share their shards; a change copies only
//! the shards that it concerns. So those who answer keep a copy for as long as they like, and whoever changes the zones
//! never waits for them.
//!
//! A name exists when it has records or stands above one that has (RFC 4592 section 2.2.2: an empty non-terminal).

mod builder;
mod shard;

use std::{hash::BuildHasher, sync::Arc};

use domain::base::iana::Rtype;
use hashbrown::DefaultHashBuilder;

pub use self::builder::Builder;
use self::shard::Shard;
use super::owner::{Zones, parent};

/// How many names a shard is made for: a change copies one shard.
const NAMES_PER_SHARD: usize = 256;

/// What a domain name has: records of any type, one behind the other.
///
/// All are of class IN and have the zone's one lifetime. Each is its type and the length of its data, two bytes each in
/// network order, and the data with names uncompressed, as in a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Records<'a>(pub &'a [u8]);

impl<'a> Records<'a> {
    /// The data of every record of this type.
    pub fn of(self, rtype: Rtype) -> impl Iterator<Item = &'a [u8]> {
        self.filter(move |(found, _)| *found == rtype)
            .map(|(_, data)| data)
    }

    /// The data of the first record of this type.
    pub fn first(self, rtype: Rtype) -> Option<&'a [u8]> {
        self.of(rtype).next()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = (Rtype, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (&[a, b, c, d], rest) = self.0.split_first_chunk()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([c, d])))?;
        self.0 = rest;
        Some((Rtype::from_int(u16::from_be_bytes([a, b])), data))
    }
}

/// Appends a record to others.
pub fn push_record(records: &mut Vec<u8>, rtype: Rtype, data: &[u8]) {
    let length = u16::try_from(data.len()).expect("record data of at most 65,535 bytes");
    records.extend(rtype.to_int().to_be_bytes());
    records.extend(length.to_be_bytes());
    records.extend(data);
}

/// All zones, at one moment.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Which zones these are.
    pub zones: Arc<Zones>,
    /// How long every answer may be kept, in seconds.
    pub ttl: u32,
    /// The number of the zones' present state (RFC 1982), in every SOA record.
    pub serial: u32,
    shards: Vec<Arc<Shard>>,
    hasher: DefaultHashBuilder,
    names: usize,
}

impl Zone {
    /// Zones without any name.
    pub fn new(zones: Arc<Zones>, ttl: u32) -> Self {
        Self {
            zones,
            ttl,
            serial: 0,
            shards: vec![Arc::new(Shard::new())],
            hasher: DefaultHashBuilder::default(),
            names: 0,
        }
    }

    /// How many names exist.
    pub fn len(&self) -> usize {
        self.names
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names == 0
    }

    /// The records of a name, in small letters; None when it does not exist.
    pub fn get(&self, name: &[u8]) -> Option<Records<'_>> {
        let (shard, tag) = self.position(name);
        self.shards[shard]
            .find(tag, name)
            .map(|(_, entry)| entry.records)
    }

    /// Gives a name these records in place of those that it has. Names above it come and go with it.
    pub fn set(&mut self, name: &[u8], records: &[u8]) {
        let (shard, tag) = self.position(name);
        let before = self.shards[shard].find(tag, name).map(|(_, entry)| entry);
        let (existed, children) = (before.is_some(), before.map_or(0, |entry| entry.children));
        if before.map_or(records.is_empty(), |entry| entry.records.0 == records) {
            return;
        }
        let exists = !records.is_empty() || children > 0;
        self.write(shard, tag, name, children, records, exists);
        self.child(name, existed, exists);
        self.grow_as_needed();
    }

    /// Every name that has records, in no order.
    pub fn each<'a>(&'a self, mut visit: impl FnMut(&'a [u8], Records<'a>)) {
        for shard in &self.shards {
            for slot in &shard.slots {
                if let Some(entry) = shard.entry(*slot)
                    && !entry.records.is_empty()
                {
                    visit(entry.name, entry.records);
                }
            }
        }
    }

    /// The name above this one; nothing above a zone's own name.
    fn above<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        if self.zones.all().iter().any(|zone| zone.as_slice() == name) {
            return &[];
        }
        parent(name).unwrap_or_default()
    }

    fn position(&self, name: &[u8]) -> (usize, u32) {
        let hash = self.hasher.hash_one(name);
        (hash as usize & (self.shards.len() - 1), (hash >> 32) as u32)
    }

    fn write(
        &mut self,
        shard: usize,
        tag: u32,
        name: &[u8],
        children: u32,
        records: &[u8],
        exists: bool,
    ) {
        let shard = Arc::make_mut(&mut self.shards[shard]);
        let existed = shard.remove(tag, name);
        if exists {
            shard.insert(tag, name, children, records);
        }
        self.names = self.names + usize::from(exists) - usize::from(existed);
    }

    fn grow_as_needed(&mut self) {
        while self.names > self.shards.len() * NAMES_PER_SHARD * 4 {
            self.grow();
        }
    }

    /// Tells the name above that one below it came or went.
    fn child(&mut self, name: &[u8], existed: bool, exists: bool) {
        let above = self.above(name);
        if existed == exists || above.is_empty() {
            return;
        }
        let (shard, tag) = self.position(above);
        let Some((_, entry)) = self.shards[shard].find(tag, above) else {
            self.write(shard, tag, above, 1, &[], true);
            return self.child(above, false, true);
        };
        let children = if exists {
            entry.children + 1
        } else {
            entry.children - 1
        };
        if children == 0 && entry.records.is_empty() {
            self.write(shard, tag, above, 0, &[], false);
            return self.child(above, true, false);
        }
        Arc::make_mut(&mut self.shards[shard]).set_children(tag, above, children);
    }

    /// Spreads the names over four times as many shards.
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.shards);
        let shards = old.len() * 4;
        self.shards = (0..shards).map(|_| Arc::new(Shard::new())).collect();
        for shard in old {
            for entry in shard.slots.iter().filter_map(|slot| shard.entry(*slot)) {
                let (to, tag) = self.position(entry.name);
                Arc::make_mut(&mut self.shards[to]).insert(
                    tag,
                    entry.name,
                    entry.children,
                    entry.records.0,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn record(data: &[u8]) -> Vec<u8> {
        let mut records = Vec::new();
        push_record(&mut records, Rtype::A, data);
        records
    }

    fn empty() -> Zone {
        Zone::new(Arc::new(Zones::new("lab.").unwrap()), 60)
    }

    fn name(text: &str) -> super::super::owner::Owner {
        text.parse().unwrap()
    }

    #[test]
    fn names_above_come_and_go_with_those_below() {
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
        assert_eq!(zone.len(), 5);
        let kept = zone.clone();
        zone.set(name("a.b.c.lab.").as_slice(), &[]);
        assert_eq!(
            (get(&zone, "a.b.c.lab."), get(&zone, "c.lab."), zone.len()),
            (None, Some(0), 4)
        );
        zone.set(name("d.b.c.lab.").as_slice(), &[]);
        assert_eq!((get(&zone, "lab."), zone.len()), (None, 0));
        // Whoever has the zones of a moment keeps them.
        assert_eq!((get(&kept, "a.b.c.lab."), kept.len()), (Some(1), 5));
    }

    #[test]
    fn many_at_once_are_the_same_as_one_by_one() {
        let (mut zone, mut builder) = (empty(), Builder::new(empty().zones, 60, 10));
        for number in 0..5000_u32 {
            let owner = name(&format!("n{}.x{}.lab.", number % 3000, number % 2));
            let records = record(&number.to_be_bytes());
            builder.push(owner.as_slice(), &records);
            let mut all = zone.get(owner.as_slice()).unwrap_or_default().0.to_vec();
            if all.len() < 24 {
                all.extend(&records);
            }
            zone.set(owner.as_slice(), &all);
        }
        let mut built = builder.finish(3);
        assert_eq!(built.len(), zone.len());
        let all = |zone: &Zone| {
            let mut all = BTreeMap::new();
            zone.each(|name, records| drop(all.insert(name.to_vec(), records.0.to_vec())));
            all
        };
        assert_eq!(all(&built), all(&zone));
        for owner in all(&zone).keys() {
            built.set(owner, &[]);
        }
        assert_eq!((built.len(), built.get(b"\x03lab\0")), (0, None));
    }

    #[test]
    fn it_holds_what_a_map_holds() {
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
                map.get(&super::super::owner::Owner::from_wire(owner))
                    .map(Vec::as_slice),
                Some(records.0)
            );
        });
        assert_eq!(count, map.len());
        for (owner, records) in &map {
            assert_eq!(zone.get(owner.as_slice()), Some(Records(records)));
        }
        assert!(zone.shards.len() > 4, "{}", zone.shards.len());
    }
}
