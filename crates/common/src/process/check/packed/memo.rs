//! What a thread remembers: the results of steps, by the numbers of what they depend on. A result that another one has
//! replaced is computed again.

use std::hash::{BuildHasherDefault, Hasher};

/// Hashes a key, which is one number.
#[derive(Default)]
pub(super) struct Mixer(u64);

pub(super) type ByNumber = BuildHasherDefault<Mixer>;

impl Hasher for Mixer {
    fn write(&mut self, _: &[u8]) {
        unreachable!("keys are numbers");
    }
    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = mix(number);
    }
    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// Spreads the bits of a key over the number.
#[inline]
pub(super) fn mix(key: u64) -> u64 {
    let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

/// The key of no result.
const NONE: u64 = u64::MAX;

/// A memory of as many results as it has places.
pub(super) struct Memo<V> {
    places: Vec<Place<V>>,
    /// The number of places once it is used much.
    most: usize,
    used: usize,
}

/// A result and its key, in one line of the cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Place<V> {
    key: u64,
    value: V,
}

impl<V: Copy + Default> Memo<V> {
    /// An empty memory for this many results at most, a power of two.
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Vec::new(),
            most,
            used: 0,
        }
    }

    /// The bytes that it has reserved.
    pub(super) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<Place<V>>()
    }

    /// The result for this key; computed if it is not remembered.
    pub(super) fn get(&mut self, key: u64, compute: impl FnOnce() -> V) -> V {
        if let Some(place) = self.places.get(self.place(key))
            && place.key == key
        {
            return place.value;
        }
        let value = compute();
        self.remember(key, value);
        value
    }

    #[cold]
    fn remember(&mut self, key: u64, value: V) {
        self.used += 1;
        if self.used > self.places.len() && self.places.len() < self.most {
            self.grow();
        }
        let place = self.place(key);
        if let Some(place) = self.places.get_mut(place) {
            *place = Place { key, value };
        }
    }

    fn place(&self, key: u64) -> usize {
        mix(key) as usize & self.places.len().wrapping_sub(1)
    }

    fn grow(&mut self) {
        let most = (4 * self.places.len()).clamp(1 << 10, self.most.max(1 << 10));
        let mut places = Vec::new();
        if places.try_reserve_exact(most).is_err() {
            return;
        }
        let nothing = Place {
            key: NONE,
            value: V::default(),
        };
        places.resize(most, nothing);
        let before = std::mem::replace(&mut self.places, places);
        for known in before.into_iter().filter(|known| known.key != NONE) {
            let place = self.place(known.key);
            self.places[place] = known;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_is_right_whether_or_not_it_is_remembered() {
        let mut memo = Memo::new(1 << 12);
        let mut computed = 0;
        for round in 0..3 {
            for key in 0..3_000 {
                let value = memo.get(key, || {
                    computed += 1;
                    key * 3
                });
                assert_eq!(value, key * 3, "{round}");
            }
        }
        assert!(computed < 7_000, "{computed}");
        for key in 3_000..100_000 {
            assert_eq!(memo.get(key, || key + 1), key + 1);
        }
        assert!(memo.places.len() <= 1 << 12);
    }
}
