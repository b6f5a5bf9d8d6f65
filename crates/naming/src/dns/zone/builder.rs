//! The table built from all names at once.

use std::sync::Arc;

use common::parallel;
use hashbrown::HashMap;

use super::{
    shard::Shard,
    table::{NAMES_PER_SHARD, Zone},
};
use crate::dns::owner::Zones;

/// Room for the entries of a shard of the intended size: a shard that grows from nothing is copied a dozen times.
const BYTES_PER_SHARD: usize = NAMES_PER_SHARD * 64;

/// How many shards a thread indexes at once; for no more, one thread is fastest.
const SHARDS_AT_ONCE: usize = 64;

/// The entries of all names, by shard: they are appended first, and indexed at the end.
pub(super) type Shards = Vec<Shard>;

/// Builds the table from many names, faster than one by one. What is to be known of the names beside their entries: which
/// shard each belongs to, and how many children their parents have. The entries can be appended on another thread.
#[derive(Debug)]
pub(super) struct Builder {
    zone: Zone,
    shards: usize,
    /// The number of children of each name.
    parents: HashMap<Vec<u8>, u32>,
    /// The same of the parent of the last name in each zone, which often is the parent of the next one too.
    last: [(Vec<u8>, u32); 3],
}

impl Builder {
    /// Zones to be filled with about this many names, and the shards for these.
    pub(super) fn new(zones: Arc<Zones>, ttl: u32, names: usize) -> (Self, Shards) {
        let mut zone = Zone::new(zones, ttl);
        zone.shards.clear();
        let shards = (names / NAMES_PER_SHARD).next_power_of_two();
        let builder = Self {
            zone,
            shards,
            parents: HashMap::new(),
            last: Default::default(),
        };
        let empty = |_| Shard::with_capacity(BYTES_PER_SHARD);
        (builder, (0..shards).map(empty).collect())
    }

    /// The number of the shard to which a name with its records is appended; a name that was added before gets these as
    /// well.
    pub(super) fn add(&mut self, name: &[u8]) -> usize {
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
        self.zone.position_among(self.shards, name).0
    }

    /// The zones with all names, and at most `most` records for each.
    pub(super) fn finish(mut self, mut shards: Shards, most: usize) -> Zone {
        for (last, count) in &self.last {
            *self.parents.entry_ref(last.as_slice()).or_insert(0) += count;
        }
        let (zone, parents) = (&mut self.zone, &mut self.parents);
        let position = |name: &[u8]| zone.position_among(self.shards, name);
        let tag = |name: &[u8]| position(name).1;
        let pieces = shards.chunks_mut(SHARDS_AT_ONCE);
        let duplicates = parallel::each("index", parallel::processors(), pieces, |shards| {
            let duplicates = shards.iter_mut().flat_map(|shard| shard.index(tag, most));
            duplicates.collect::<Vec<_>>()
        });
        for duplicate in duplicates.iter().flatten() {
            *parents.entry_ref(zone.above(duplicate)).or_insert(1) -= 1;
        }
        // The longest first: an empty non-terminal counts as a child of its parent.
        let mut lengths: Vec<Vec<Vec<u8>>> = vec![Vec::new(); 256];
        for name in parents.keys() {
            lengths[name.len()].push(name.clone());
        }
        for length in (1..lengths.len()).rev() {
            for name in std::mem::take(&mut lengths[length]) {
                let children = parents[&name];
                let (shard, tag) = position(&name);
                let shard = &mut shards[shard];
                if shard.set_children(tag, &name, children) {
                    continue;
                }
                shard.insert(tag, &name, children, &[]);
                let higher = zone.above(&name);
                let count = parents.entry_ref(higher).or_insert(0);
                *count += 1;
                if *count == 1 && !higher.is_empty() {
                    lengths[higher.len()].push(higher.to_vec());
                }
            }
        }
        for mut shard in shards {
            shard.shrink_to_fit();
            zone.names += shard.names;
            zone.shards.push(Arc::new(shard));
        }
        self.zone.grow_as_needed();
        self.zone
    }
}
