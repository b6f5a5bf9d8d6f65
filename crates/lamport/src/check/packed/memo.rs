//! What a thread remembers: the results of steps, by the numbers of what they depend on. A result that another one has
//! replaced is computed again.

/// A memory of as many results as it has places.
pub(super) struct Memo<V> {
    places: Vec<Option<(u64, V)>>,
    /// The number of places once it is used much.
    most: usize,
    used: usize,
}

impl<V: Copy> Memo<V> {
    /// An empty memory for this many results at most, a power of two.
    pub(super) fn new(most: usize) -> Self {
        Self {
            places: Vec::new(),
            most,
            used: 0,
        }
    }

    /// The result for this key; computed if it is not remembered.
    pub(super) fn get(&mut self, key: u64, compute: impl FnOnce() -> V) -> V {
        if self.places.is_empty() {
            self.places.resize(self.most.min(1 << 10), None);
        }
        let place = self.place(key);
        if let Some((known, value)) = self.places[place]
            && known == key
        {
            return value;
        }
        let value = compute();
        self.used += 1;
        if self.used > self.places.len() && self.places.len() < self.most {
            self.grow();
        }
        let place = self.place(key);
        self.places[place] = Some((key, value));
        value
    }

    fn place(&self, key: u64) -> usize {
        let mixed = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.places.len() - 1)
    }

    fn grow(&mut self) {
        let most = (4 * self.places.len()).min(self.most);
        let mut places = Vec::new();
        if places.try_reserve_exact(most).is_err() {
            return;
        }
        places.resize(most, None);
        let before = std::mem::replace(&mut self.places, places);
        for (key, value) in before.into_iter().flatten() {
            let place = self.place(key);
            self.places[place] = Some((key, value));
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
