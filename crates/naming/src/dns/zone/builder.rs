//! All names of the zones at once.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::HashMap;

use super::{NAMES_PER_SHARD, Zone, Zones, shard::Shard};

/// Many names at once, faster than one by one: first all are written, each behind the others of its shard, and then
/// searched for, shard by shard. The names above them are counted on the way.
#[derive(Debug)]
pub struct Builder {
    zone: Zone,
    shards: Vec<Shard>,
    /// How many names there are right below each name.
    above: HashMap<Vec<u8>, u32>,
    /// The same of the name above the last one in each zone, which often is above the next one too.
    last: [(Vec<u8>, u32); 3],
}

impl Builder {
    /// Zones to be filled with about so many names.
    pub fn new(zones: Arc<Zones>, ttl: u32, names: usize) -> Self {
        let mut zone = Zone::new(zones, ttl);
        zone.shards.clear();
        let shards = (names / NAMES_PER_SHARD).next_power_of_two();
        Self {
            shards: (0..shards).map(|_| Shard::new()).collect(),
            zone,
            above: HashMap::new(),
            last: Default::default(),
        }
    }

    /// One more name with its records; records of a name that was there already are added to those.
    pub fn push(&mut self, name: &[u8], records: &[u8]) {
        let hash = self.zone.hasher.hash_one(name);
        let shard = hash as usize & (self.shards.len() - 1);
        self.shards[shard].append(name, 0, records);
        let above = self.zone.above(name);
        let zones = self.zone.zones.all();
        let zone = zones
            .iter()
            .position(|zone| above.ends_with(zone.as_slice()));
        let (last, count) = &mut self.last[zone.unwrap_or(0)];
        if above != last {
            *self.above.entry_ref(last.as_slice()).or_insert(0) += std::mem::take(count);
            last.clear();
            last.extend(above);
        }
        *count += 1;
    }

    /// The zones with all names; a name has at most so many records.
    pub fn finish(mut self, most: usize) -> Zone {
        for (last, count) in &self.last {
            *self.above.entry_ref(last.as_slice()).or_insert(0) += count;
        }
        let (zone, above) = (&mut self.zone, &mut self.above);
        for mut shard in self.shards {
            let tag = |name: &[u8]| (zone.hasher.hash_one(name) >> 32) as u32;
            for twice in shard.index(tag, most) {
                *above.entry_ref(zone.above(&twice)).or_insert(1) -= 1;
            }
            zone.names += shard.names;
            zone.shards.push(Arc::new(shard));
        }
        // The longest first: a name that is only above others counts for the one above it.
        let mut lengths: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 256];
        for name in above.keys() {
            lengths[name.len()].push(name.clone());
        }
        for length in (1..lengths.len()).rev() {
            for name in std::mem::take(&mut lengths[length]) {
                let children = above[&name];
                let (shard, tag) = zone.position(&name);
                let shard = Arc::make_mut(&mut zone.shards[shard]);
                if shard.set_children(tag, &name, children) {
                    continue;
                }
                shard.insert(tag, &name, children, &[]);
                zone.names += 1;
                let higher = zone.above(&name);
                let count = above.entry_ref(higher).or_insert(0);
                *count += 1;
                if *count == 1 && !higher.is_empty() {
                    lengths[higher.len()].push(higher.to_vec());
                }
            }
        }
        self.zone.grow_as_needed();
        self.zone
    }
}
