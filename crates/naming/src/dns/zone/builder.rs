//! The table built from all names at once.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::HashMap;

use super::{
    shard::Shard,
    table::{NAMES_PER_SHARD, Zone},
};
use crate::dns::owner::Zones;

/// Builds the table from many names, faster than one by one: first all are appended to their shards, then each shard is
/// indexed. The parents of the names are counted along the way.
#[derive(Debug)]
pub(super) struct Builder {
    zone: Zone,
    shards: Vec<Shard>,
    /// The number of children of each name.
    parents: HashMap<Vec<u8>, u32>,
    /// The same of the parent of the last name in each zone, which often is the parent of the next one too.
    last: [(Vec<u8>, u32); 3],
}

impl Builder {
    /// Zones to be filled with about this many names.
    pub(super) fn new(zones: Arc<Zones>, ttl: u32, names: usize) -> Self {
        let mut zone = Zone::new(zones, ttl);
        zone.shards.clear();
        let shards = (names / NAMES_PER_SHARD).next_power_of_two();
        Self {
            shards: (0..shards).map(|_| Shard::new()).collect(),
            zone,
            parents: HashMap::new(),
            last: Default::default(),
        }
    }

    /// Adds a name with its records; a name that was added before gets these as well.
    pub(super) fn push(&mut self, name: &[u8], records: &[u8]) {
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
            *self.parents.entry_ref(last.as_slice()).or_insert(0) += std::mem::take(count);
            last.clear();
            last.extend(above);
        }
        *count += 1;
    }

    /// The zones with all names, and at most `most` records for each.
    pub(super) fn finish(mut self, most: usize) -> Zone {
        for (last, count) in &self.last {
            *self.parents.entry_ref(last.as_slice()).or_insert(0) += count;
        }
        let (zone, parents) = (&mut self.zone, &mut self.parents);
        for mut shard in self.shards {
            let tag = |name: &[u8]| (zone.hasher.hash_one(name) >> 32) as u32;
            for duplicate in shard.index(tag, most) {
                *parents.entry_ref(zone.above(&duplicate)).or_insert(1) -= 1;
            }
            zone.names += shard.names;
            zone.shards.push(Arc::new(shard));
        }
        // The longest first: an empty non-terminal counts as a child of its parent.
        let mut lengths: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 256];
        for name in parents.keys() {
            lengths[name.len()].push(name.clone());
        }
        for length in (1..lengths.len()).rev() {
            for name in std::mem::take(&mut lengths[length]) {
                let children = parents[&name];
                let (shard, tag) = zone.position(&name);
                let shard = Arc::make_mut(&mut zone.shards[shard]);
                if shard.set_children(tag, &name, children) {
                    continue;
                }
                shard.insert(tag, &name, children, &[]);
                zone.names += 1;
                let higher = zone.above(&name);
                let count = parents.entry_ref(higher).or_insert(0);
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
