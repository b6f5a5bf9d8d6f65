//! A shard: names and their records in one piece of memory, and an open-addressing hash table to find them.

use super::records::{Records, first_records};

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slot {
    /// Half of the name's hash: where the search begins, and nearly unique.
    tag: u32,
    /// Where its entry begins, plus one; 0 when the slot is empty.
    at: u32,
}

/// Names and their records. An entry is the name's length (1 byte), the name, the number of its children (4), the length of
/// its records (4) and the records.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    /// A power of two of them; searched from the tag's slot on until an empty one.
    pub(super) slots: Box<[Slot]>,
    pub(super) bytes: Vec<u8>,
    pub(super) names: usize,
    /// How many bytes belong to removed entries.
    waste: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) name: &'a [u8],
    pub(super) children: u32,
    pub(super) records: Records<'a>,
}

impl Entry<'_> {
    pub(super) fn len(&self) -> usize {
        1 + self.name.len() + 8 + self.records.0.len()
    }
}

impl Shard {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Slot::default()].into(),
            bytes: Vec::new(),
            names: 0,
            waste: 0,
        }
    }

    /// A shard with room for this many bytes of entries.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::new()
        }
    }

    pub(super) fn entry(&self, slot: Slot) -> Option<Entry<'_>> {
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
    pub(super) fn find(&self, tag: u32, name: &[u8]) -> Option<(usize, Entry<'_>)> {
        let index = self.slot(tag, name)?;
        let slot = self.slots[index];
        Some((slot.at as usize - 1, self.entry(slot)?))
    }

    pub(super) fn slot(&self, tag: u32, name: &[u8]) -> Option<usize> {
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

    /// Inserts a name that does not exist yet.
    pub(super) fn insert(&mut self, tag: u32, name: &[u8], children: u32, records: &[u8]) {
        // A quarter of the slots stays empty: a search ends at an empty one.
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

    /// Appends an entry; returns its position as a slot has it.
    pub(super) fn append(&mut self, name: &[u8], children: u32, records: &[u8]) -> u32 {
        let at = self.bytes.len() as u32 + 1;
        self.bytes.reserve(1 + name.len() + 8 + records.len());
        self.bytes.push(name.len() as u8);
        self.bytes.extend(name);
        self.bytes.extend(children.to_le_bytes());
        self.bytes.extend((records.len() as u32).to_le_bytes());
        self.bytes.extend(records);
        at
    }

    /// Makes the slots for all entries. Entries of the same name are merged into one, with the first `most` records where
    /// there are more; returns the name of each entry that was merged.
    pub(super) fn index(&mut self, tag: impl Fn(&[u8]) -> u32, most: usize) -> Vec<Vec<u8>> {
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
        let mut merged = Vec::new();
        for slot in entries {
            let entry = self.entry(slot).expect("an entry");
            let Some(first) = self.slot(slot.tag, entry.name) else {
                self.place(slot);
                self.names += 1;
                continue;
            };
            let before = self.entry(self.slots[first]).expect("an entry");
            let mut records = [before.records.0, entry.records.0].concat();
            if let Some(first) = first_records(&records, most) {
                records = first;
            }
            let name = entry.name.to_vec();
            self.waste += entry.len() + before.len();
            self.slots[first].at = self.append(&name, 0, &records);
            merged.push(name);
        }
        if self.waste > 0 {
            self.compact();
        }
        merged
    }

    /// Releases the memory reserved for further entries.
    pub(super) fn shrink_to_fit(&mut self) {
        self.bytes.shrink_to_fit();
    }

    /// Sets the number of children of a name; whether the name exists.
    pub(super) fn set_children(&mut self, tag: u32, name: &[u8], children: u32) -> bool {
        let Some((at, _)) = self.find(tag, name) else {
            return false;
        };
        let at = at + 1 + name.len();
        self.bytes[at..at + 4].copy_from_slice(&children.to_le_bytes());
        true
    }

    pub(super) fn place(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut index = slot.tag as usize & mask;
        while self.slots[index].at > 0 {
            index = (index + 1) & mask;
        }
        self.slots[index] = slot;
    }

    /// Removes a name; whether it existed.
    pub(super) fn remove(&mut self, tag: u32, name: &[u8]) -> bool {
        let Some(mut hole) = self.slot(tag, name) else {
            return false;
        };
        let length = self.entry(self.slots[hole]).map_or(0, |entry| entry.len());
        let mask = self.slots.len() - 1;
        // An entry that a search would no longer find behind the hole moves into it (Knuth, volume 3, section 6.4,
        // algorithm R).
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

    pub(super) fn compact(&mut self) {
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
