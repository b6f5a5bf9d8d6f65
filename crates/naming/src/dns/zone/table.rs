//! The table of all names, in shards.

use std::{hash::BuildHasher, sync::Arc};

use hashbrown::DefaultHashBuilder;

use super::{records::Records, shard::Shard};
use crate::dns::{
    history::History,
    owner::{Owner, Zones, parent},
};

/// The intended number of names in a shard: a change copies one shard.
pub(super) const NAMES_PER_SHARD: usize = 256;

/// All zones.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Which zones these are.
    pub zones: Arc<Zones>,
    /// The TTL of every record, in seconds.
    pub ttl: u32,
    /// The serial of each zone (RFC 1982), in the order of [`Zones::all`]; its SOA record has it too.
    pub serials: [u32; 3],
    /// The recent changes of each zone, in the same order.
    pub histories: [History; 3],
    pub(super) shards: Vec<Arc<Shard>>,
    pub(super) hasher: DefaultHashBuilder,
    /// How many names there are, with empty non-terminals.
    pub names: usize,
}

impl Zone {
    /// Zones without any name.
    pub fn new(zones: Arc<Zones>, ttl: u32) -> Self {
        Self {
            zones,
            ttl,
            serials: [0; 3],
            histories: Default::default(),
            shards: vec![Arc::new(Shard::new())],
            hasher: DefaultHashBuilder::default(),
            names: 0,
        }
    }

    /// The serial of the zone with this apex; 0 for none of the zones.
    pub fn serial(&self, apex: &Owner) -> u32 {
        let index = self.zones.all().into_iter().position(|zone| zone == apex);
        index.map_or(0, |index| self.serials[index])
    }

    /// The records of a name, in lowercase; None when it does not exist.
    pub fn get(&self, name: &[u8]) -> Option<Records<'_>> {
        let (shard, tag) = self.position(name);
        self.shards[shard]
            .find(tag, name)
            .map(|(_, entry)| entry.records)
    }

    /// Replaces the records of a name. The empty non-terminals above it are added and removed with it.
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

    /// Calls `visit` with every name that has records, in no order.
    pub fn each<'a>(&'a self, visit: impl FnMut(&'a [u8], Records<'a>)) {
        self.each_of(0, 1, visit);
    }

    /// Calls `visit` with the names of one of `parts` parts of about the same size.
    pub fn each_of<'a>(
        &'a self,
        part: usize,
        parts: usize,
        mut visit: impl FnMut(&'a [u8], Records<'a>),
    ) {
        for shard in self.shards.iter().skip(part).step_by(parts) {
            for slot in &shard.slots {
                if let Some(entry) = shard.entry(*slot)
                    && !entry.records.is_empty()
                {
                    visit(entry.name, entry.records);
                }
            }
        }
    }

    /// The parent of a name; a zone's apex has none.
    pub(super) fn above<'n>(&self, name: &'n [u8]) -> &'n [u8] {
        if self.zones.all().iter().any(|zone| zone.as_slice() == name) {
            return &[];
        }
        parent(name).unwrap_or_default()
    }

    pub(super) fn position(&self, name: &[u8]) -> (usize, u32) {
        self.position_among(self.shards.len(), name)
    }

    /// The number of the shard of a name among so many, and its tag there.
    pub(super) fn position_among(&self, shards: usize, name: &[u8]) -> (usize, u32) {
        let hash = self.hasher.hash_one(name);
        (hash as usize & (shards - 1), (hash >> 32) as u32)
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

    pub(super) fn grow_as_needed(&mut self) {
        while self.names > self.shards.len() * NAMES_PER_SHARD * 4 {
            self.grow();
        }
    }

    /// Counts a name that was added or removed with its parent.
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
