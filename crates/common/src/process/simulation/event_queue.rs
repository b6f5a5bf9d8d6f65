//! A queue of future events, in the order of time; simultaneous ones in the order of insertion.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

/// Future events. The heap holds indices, because an event itself is far larger.
#[derive(Debug)]
pub struct EventQueue<T> {
    /// The time of each event, its number in the order of insertion, and its slot.
    heap: BinaryHeap<Reverse<(Duration, u64, u32)>>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    inserted: u64,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> EventQueue<T> {
    /// An empty queue.
    pub fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            inserted: 0,
        }
    }

    /// Inserts an event.
    pub fn insert(&mut self, at: Duration, event: T) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            u32::try_from(self.slots.len() - 1).expect("the queue has fewer than 2^32 events")
        });
        self.slots[slot as usize] = Some(event);
        self.heap.push(Reverse((at, self.inserted, slot)));
        self.inserted += 1;
    }

    /// The number of events.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether the queue is empty.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The time of the next event.
    pub fn due(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Removes the next event, and returns it with its time.
    pub fn pop(&mut self) -> Option<(Duration, T)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        self.free.push(slot);
        let event = self.slots[slot as usize].take();
        Some((at, event.expect("the slot of a queued event is filled")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_the_order_of_time_and_then_of_insertion() {
        let mut queue = EventQueue::new();
        for (at, event) in [(5, "c"), (1, "a"), (5, "d"), (3, "b")] {
            queue.insert(Duration::from_secs(at), event);
        }
        let (_, first) = queue.pop().unwrap();
        queue.insert(Duration::from_secs(5), "e");
        let rest = std::iter::from_fn(|| queue.pop()).map(|(_, event)| event);
        let all: String = [first].into_iter().chain(rest).collect();
        assert_eq!(all, "abcde");
    }
}
