//! A cache of bounded size: what came first goes first.

use std::collections::{BTreeMap, VecDeque};

/// A cache.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Cache<K, V> {
    most: usize,
    known: BTreeMap<K, V>,
    order: VecDeque<K>,
}

impl<K: Clone + Ord, V> Cache<K, V> {
    /// A cache of at most this many entries; with 0 it keeps nothing.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            known: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// What it has for the key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.known.get(key)
    }

    /// Keeps a value, in place of an earlier one for the key or of the oldest entry.
    pub fn insert(&mut self, key: K, value: V) {
        if self.most == 0 {
            return;
        }
        if self.known.insert(key.clone(), value).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.known.clear();
        self.order.clear();
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_goes_first() {
        let mut cache = Cache::new(2);
        for (key, value) in [("a", 1), ("b", 2), ("a", 3), ("c", 4)] {
            cache.insert(key, value);
        }
        assert_eq!(
            (cache.get(&"a"), cache.get(&"b"), cache.get(&"c")),
            (None, Some(&2), Some(&4))
        );
        assert_eq!(cache.len(), 2);
        let mut nothing = Cache::new(0);
        nothing.insert("a", 1);
        assert!(nothing.is_empty());
    }
}
