//! What is to happen, in the order of time; of what happens at the same time, what was put in first.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

/// What is to happen.
#[derive(Debug)]
pub struct Agenda<T> {
    /// When, the how many-th that was put in, and where it is kept. Apart from what it is, which is far larger.
    order: BinaryHeap<Reverse<(Duration, u64, u32)>>,
    kept: Vec<Option<T>>,
    free: Vec<u32>,
    put: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Agenda<T> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            order: BinaryHeap::new(),
            kept: Vec::new(),
            free: Vec::new(),
            put: 0,
        }
    }

    /// This is to happen then.
    pub fn put(&mut self, at: Duration, next: T) {
        let place = self.free.pop().unwrap_or_else(|| {
            self.kept.push(None);
            u32::try_from(self.kept.len() - 1).expect("no agenda is so long")
        });
        self.kept[place as usize] = Some(next);
        self.order.push(Reverse((at, self.put, place)));
        self.put += 1;
    }

    /// How much is to happen.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// When the next thing is to happen.
    pub fn due(&self) -> Option<Duration> {
        self.order.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes out what is to happen next, and when.
    pub fn take(&mut self) -> Option<(Duration, T)> {
        let Reverse((at, _, place)) = self.order.pop()?;
        self.free.push(place);
        let next = self.kept[place as usize].take();
        Some((at, next.expect("each place is kept until its turn")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_order_of_time_and_then_of_putting_in() {
        let mut agenda = Agenda::new();
        for (at, what) in [(5, "c"), (1, "a"), (5, "d"), (3, "b")] {
            agenda.put(Duration::from_secs(at), what);
        }
        let (_, first) = agenda.take().unwrap();
        agenda.put(Duration::from_secs(5), "e");
        let rest = std::iter::from_fn(|| agenda.take()).map(|(_, what)| what);
        let all: String = [first].into_iter().chain(rest).collect();
        assert_eq!(all, "abcde");
    }
}
