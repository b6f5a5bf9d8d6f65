//! The zones as they are answered from: every domain name with its records, in little memory.
//!
//! A hash table in shards. A shard holds its names and records one behind the other in one piece of memory, so a name costs
//! its bytes and a few more, and no allocation of its own. Copies of a [`Zone`] share their shards; a change copies only
//! the shards that it concerns. So those who answer keep a copy for as long as they like, and whoever changes the zones
//! never waits for them.
//!
//! A name exists when it has records or stands above one that has (RFC 4592 section 2.2.2: an empty non-terminal).

use std::{hash::BuildHasher, sync::Arc};

use domain::base::iana::Rtype;
use hashbrown::DefaultHashBuilder;

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
    /// Zones without any name, with room for so many.
    pub fn new(zones: Arc<Zones>, ttl: u32, names: usize) -> Self {
        let shards = (names / NAMES_PER_SHARD).next_power_of_two();
        let room = names.min(shards * NAMES_PER_SHARD) / shards;
        Self {
            zones,
            ttl,
            serial: 0,
            shards: (0..shards).map(|_| Arc::new(Shard::new(room))).collect(),
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
        if existed == exists || self.zones.all().iter().any(|zone| zone.as_slice() == name) {
            return;
        }
        let Some(above) = parent(name) else { return };
        let (shard, tag) = self.position(above);
        let Some((at, entry)) = self.shards[shard].find(tag, above) else {
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
        let shard = Arc::make_mut(&mut self.shards[shard]);
        let at = at + 1 + above.len();
        shard.bytes[at..at + 4].copy_from_slice(&children.to_le_bytes());
    }

    /// Spreads the names over four times as many shards.
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.shards);
        let shards = old.len() * 4;
        self.shards = (0..shards).map(|_| Arc::new(Shard::new(0))).collect();
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

/// Many names at once, faster than one by one: first all are written, each behind the others of its shard, and then
/// searched for, shard by shard.
#[derive(Debug)]
pub struct Builder {
    zone: Zone,
    shards: Vec<Shard>,
}

impl Builder {
    /// Zones to be filled with about so many names.
    pub fn new(zones: Arc<Zones>, ttl: u32, names: usize) -> Self {
        let mut zone = Zone::new(zones, ttl, names);
        let shards = std::mem::take(&mut zone.shards);
        let room = if names > NAMES_PER_SHARD {
            NAMES_PER_SHARD * 48
        } else {
            0
        };
        let empty = || Shard {
            bytes: Vec::with_capacity(room),
            ..Shard::new(0)
        };
        Self {
            shards: shards.iter().map(|_| empty()).collect(),
            zone,
        }
    }

    /// One more name with its records; records of a name that was there already are added to those.
    pub fn push(&mut self, name: &[u8], records: &[u8]) {
        let hash = self.zone.hasher.hash_one(name);
        let shard = hash as usize & (self.shards.len() - 1);
        self.shards[shard].append(name, 0, records);
    }

    /// The zones with all names; a name has at most so many records.
    pub fn finish(mut self, most: usize) -> Zone {
        let mut written = Vec::with_capacity(self.shards.len());
        for mut shard in self.shards {
            shard.index(|name| (self.zone.hasher.hash_one(name) >> 32) as u32, most);
            written.push(shard.bytes.len());
            self.zone.names += shard.names;
            self.zone.shards.push(Arc::new(shard));
        }
        // Names above others, which may be new themselves and come behind what was written.
        for (index, written) in written.into_iter().enumerate() {
            let mut at = 0;
            while at < written {
                let shard = &self.zone.shards[index];
                let Some(entry) = shard.entry(Slot {
                    tag: 0,
                    at: at as u32 + 1,
                }) else {
                    break;
                };
                let mut name = [0; 255];
                let name = &mut name[..entry.name.len()];
                name.copy_from_slice(entry.name);
                at += entry.len();
                // One that was merged with another is not counted twice.
                if entry.children != MERGED {
                    self.zone.child(name, false, true);
                }
            }
        }
        self.zone.grow_as_needed();
        self.zone
    }
}

/// In place of the number of children: this entry is none any more.
const MERGED: u32 = u32::MAX;

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// Half of the name's hash: where the search for it begins, and nearly never the same for another name.
    tag: u32,
    /// Where its entry begins, plus one; 0 when the slot is empty.
    at: u32,
}

/// Names and their records. An entry is the name's length (1 byte), the name, how many names exist right below it (4), the
/// length of its records (4) and the records.
#[derive(Clone, Debug)]
struct Shard {
    /// A power of two; searched from the tag's place on until an empty one.
    slots: Box<[Slot]>,
    bytes: Vec<u8>,
    names: usize,
    /// How many bytes belong to no name any more.
    waste: usize,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a [u8],
    children: u32,
    records: Records<'a>,
}

impl Entry<'_> {
    fn len(&self) -> usize {
        1 + self.name.len() + 8 + self.records.0.len()
    }
}

impl Shard {
    fn new(names: usize) -> Self {
        Self {
            slots: vec![Slot::default(); (names * 4 / 3).next_power_of_two()].into(),
            bytes: Vec::new(),
            names: 0,
            waste: 0,
        }
    }

    fn entry(&self, slot: Slot) -> Option<Entry<'_>> {
        let from = (slot.at as usize).checked_sub(1)?;
        let (length, rest) = self.bytes[from..].split_first()?;
        let (name, rest) = rest.split_at(usize::from(*length));
        let (children, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first_chunk()?;
        Some(Entry {
            name,
            children: u32::from_le_bytes(*children),
            records: Records(&rest[..u32::from_le_bytes(*length) as usize]),
        })
    }

    /// Where a name's entry begins, and the entry.
    fn find(&self, tag: u32, name: &[u8]) -> Option<(usize, Entry<'_>)> {
        let index = self.slot(tag, name)?;
        let slot = self.slots[index];
        Some((slot.at as usize - 1, self.entry(slot)?))
    }

    fn slot(&self, tag: u32, name: &[u8]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut index = tag as usize & mask;
        loop {
            let slot = self.slots[index];
            if slot.at == 0 {
                return None;
            }
            if slot.tag == tag {
                let from = slot.at as usize - 1;
                if usize::from(self.bytes[from]) == name.len()
                    && &self.bytes[from + 1..=from + name.len()] == name
                {
                    return Some(index);
                }
            }
            index = (index + 1) & mask;
        }
    }

    /// Takes a name that is not there yet.
    fn insert(&mut self, tag: u32, name: &[u8], children: u32, records: &[u8]) {
        // One slot stays empty, or a search would not end.
        if (self.names + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![Slot::default(); self.slots.len() * 2].into();
            for slot in std::mem::replace(&mut self.slots, larger) {
                if slot.at > 0 {
                    self.place(slot);
                }
            }
        }
        let at = self.append(name, children, records);
        self.names += 1;
        self.place(Slot { tag, at });
    }

    /// Writes an entry behind the others; returns where, as a slot has it.
    fn append(&mut self, name: &[u8], children: u32, records: &[u8]) -> u32 {
        let at = self.bytes.len() as u32 + 1;
        self.bytes.push(name.len() as u8);
        self.bytes.extend(name);
        self.bytes.extend(children.to_le_bytes());
        self.bytes.extend((records.len() as u32).to_le_bytes());
        self.bytes.extend(records);
        at
    }

    /// Makes the slots for all entries. Those of one name become one, with at most so many records.
    fn index(&mut self, tag: impl Fn(&[u8]) -> u32, most: usize) {
        let (mut at, mut entries) = (0, Vec::new());
        while let Some(entry) = self.entry(Slot {
            tag: 0,
            at: at as u32 + 1,
        }) {
            entries.push(Slot {
                tag: tag(entry.name),
                at: at as u32 + 1,
            });
            at += entry.len();
        }
        self.slots = vec![Slot::default(); (entries.len() * 4 / 3 + 1).next_power_of_two()].into();
        for slot in entries {
            let entry = self.entry(slot).expect("an entry");
            let Some(first) = self.slot(slot.tag, entry.name) else {
                self.place(slot);
                self.names += 1;
                continue;
            };
            let (name, more) = (entry.name.to_vec(), entry.records.0.to_vec());
            let before = self.entry(self.slots[first]).expect("an entry");
            let mut records = before.records.0.to_vec();
            let room = most.saturating_sub(before.records.count());
            for (rtype, data) in Records(&more).take(room) {
                push_record(&mut records, rtype, data);
            }
            for (of, old) in [(&name, slot), (&name, self.slots[first])] {
                let children = old.at as usize + of.len();
                self.waste += self.entry(old).map_or(0, |entry| entry.len());
                self.bytes[children..children + 4].copy_from_slice(&MERGED.to_le_bytes());
            }
            self.slots[first].at = self.append(&name, 0, &records);
        }
        self.bytes.shrink_to_fit();
    }

    fn place(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut index = slot.tag as usize & mask;
        while self.slots[index].at > 0 {
            index = (index + 1) & mask;
        }
        self.slots[index] = slot;
    }

    /// Takes a name out; whether it was there.
    fn remove(&mut self, tag: u32, name: &[u8]) -> bool {
        let Some(mut hole) = self.slot(tag, name) else {
            return false;
        };
        let length = self.entry(self.slots[hole]).map_or(0, |entry| entry.len());
        let mask = self.slots.len() - 1;
        // What would no longer be found behind the hole moves into it (Knuth, volume 3, section 6.4, algorithm R).
        let mut index = hole;
        loop {
            index = (index + 1) & mask;
            let slot = self.slots[index];
            if slot.at == 0 {
                break;
            }
            let home = slot.tag as usize & mask;
            if (index.wrapping_sub(home) & mask) >= (index.wrapping_sub(hole) & mask) {
                self.slots[hole] = slot;
                hole = index;
            }
        }
        self.slots[hole] = Slot::default();
        self.names -= 1;
        self.waste += length;
        if self.waste > self.bytes.len() / 2 {
            self.compact();
        }
        true
    }

    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.waste);
        let mut slots = std::mem::take(&mut self.slots);
        for slot in &mut slots {
            if let Some(entry) = self.entry(*slot) {
                let from = slot.at as usize - 1;
                let length = entry.len();
                slot.at = bytes.len() as u32 + 1;
                bytes.extend(&self.bytes[from..from + length]);
            }
        }
        self.slots = slots;
        self.bytes = bytes;
        self.waste = 0;
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
        Zone::new(Arc::new(Zones::new("lab.").unwrap()), 60, 0)
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
