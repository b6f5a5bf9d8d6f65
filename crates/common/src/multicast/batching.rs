//! How long a receiver lets datagrams accumulate in the kernel before it reads them.
//!
//! To wake a sleeping program costs the kernel more than to hand it a datagram. At a high rate a receiver reads all
//! datagrams that have arrived and then pauses, so that the kernel wakes it at most a thousand times a second, whatever
//! the rate; network cards do the same with interrupts. At a low rate it is woken for each datagram.

use std::time::{Duration, Instant};

/// A pause must save the wake-ups of this number of datagrams.
const WORTH: f64 = 5.0;

/// After how many reads the rate is measured.
const READS: u32 = 32;

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_millis(1);

/// What the kernel stores with one datagram's data, in bytes, roughly.
const OVERHEAD: usize = 1024;

/// The part of the receive buffer that may fill during a pause: one in 16.
const PART: usize = 16;

/// Measures how fast datagrams arrive, and decides how long to pause.
#[derive(Debug)]
pub(super) struct Batching {
    /// How many bytes may accumulate.
    room: usize,
    /// Whether datagrams arrive fast.
    fast: bool,
    /// Reads, and bytes read, since that moment.
    reads: u32,
    used: usize,
    since: Instant,
    /// The processor time of this thread at that moment.
    worked: Duration,
}

impl Batching {
    /// For a receive buffer of `receive_buffer` bytes.
    pub(super) fn new(receive_buffer: usize) -> Self {
        Self {
            room: receive_buffer / PART,
            fast: false,
            reads: 0,
            used: 0,
            since: Instant::now(),
            worked: Duration::ZERO,
        }
    }

    /// Whether datagrams arrive fast: then the receiver reads the socket until it is empty.
    pub(super) fn fast(&self) -> bool {
        self.fast
    }

    /// A read returned `length` bytes.
    pub(super) fn read(&mut self, length: usize, now: impl FnOnce() -> Instant) {
        self.reads += 1;
        self.used += length + OVERHEAD;
        if !self.fast && self.reads >= READS {
            let now = now();
            self.fast = self.arrivals_in(LONGEST_PAUSE, now) >= WORTH;
            if !self.fast {
                self.begin(now, self.worked);
            }
        }
    }

    /// The socket is empty: how long to pause; None: until a datagram arrives. `worked` is the processor time that this
    /// thread has used so far.
    pub(super) fn empty(
        &mut self,
        now: Instant,
        worked: impl FnOnce() -> Duration,
    ) -> Option<Duration> {
        if !self.fast {
            return None;
        }
        let worked = worked();
        let passed = now - self.since;
        // As long as the room takes to fill at this rate.
        let pause = passed
            .mul_f64(self.room as f64 / self.used.max(1) as f64)
            .min(LONGEST_PAUSE);
        // A thread that works most of the time is hardly ever woken, and needs that time.
        let busy = worked.saturating_sub(self.worked) * 2 > passed;
        self.fast = self.arrivals_in(pause, now) >= WORTH && !busy;
        self.begin(now, worked);
        self.fast.then_some(pause)
    }

    /// How many datagrams arrive in such a time.
    fn arrivals_in(&self, time: Duration, now: Instant) -> f64 {
        let passed = (now - self.since).as_secs_f64().max(1e-9);
        f64::from(self.reads) / passed * time.as_secs_f64()
    }

    fn begin(&mut self, now: Instant, worked: Duration) {
        (self.reads, self.used, self.since, self.worked) = (0, 0, now, worked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The pause, after many rounds, when `rate` datagrams of `length` bytes arrive a second.
    fn pause(rate: f64, length: usize, buffer: usize) -> Option<Duration> {
        let mut batching = Batching::new(buffer);
        let mut now = batching.since;
        let mut pause = None;
        let mut due = 0.0;
        for _ in 0..200 {
            let passed: Duration = pause.unwrap_or(Duration::from_secs_f64(1.0 / rate));
            now += passed;
            due += passed.as_secs_f64() * rate;
            while due >= 1.0 {
                due -= 1.0;
                batching.read(length, || now);
            }
            pause = batching.empty(now, || Duration::ZERO);
        }
        pause
    }

    #[test]
    fn only_fast_arrivals_cause_pauses() {
        let large = 8 << 20;
        assert_eq!(pause(100.0, 64, large), None);
        assert_eq!(pause(4_000.0, 64, large), None);
        for rate in [6_000.0, 50_000.0, 200_000.0] {
            assert_eq!(pause(rate, 64, large), Some(LONGEST_PAUSE), "{rate}");
        }
    }

    #[test]
    fn no_more_accumulates_than_the_buffer_has_room_for() {
        let (rate, length, large) = (100_000.0, 20_000, 8 << 20);
        let pause_of = |buffer| pause(rate, length, buffer);
        let accumulated =
            pause_of(large).unwrap().as_secs_f64() * rate * (length + OVERHEAD) as f64;
        let share = accumulated / large as f64;
        assert!(share < 1.25 / PART as f64, "{share}");
        // Where the buffer holds only a few, there is no pause.
        assert_eq!(pause(30_000.0, 200_000, large), None);
        // Nor where the buffer is small.
        assert_eq!(pause_of(425_984), None);
        assert_eq!(pause(50_000.0, 64, 10_000), None);
    }

    #[test]
    fn the_pauses_end_when_the_rate_drops() {
        let mut batching = Batching::new(8 << 20);
        let mut now = batching.since;
        for _ in 0..READS {
            batching.read(64, || now);
        }
        assert!(batching.fast());
        now += Duration::from_millis(1);
        assert_eq!(batching.empty(now, || Duration::ZERO), Some(LONGEST_PAUSE));
        now += Duration::from_millis(1);
        batching.read(64, || now);
        assert_eq!(batching.empty(now, || Duration::ZERO), None);
        assert!(!batching.fast());
    }

    #[test]
    fn a_busy_reader_does_not_pause() {
        let mut batching = Batching::new(8 << 20);
        let mut now = batching.since;
        let mut worked = Duration::ZERO;
        for (share, pauses) in [(0.4, true), (0.4, true), (0.6, false)] {
            for _ in 0..100 {
                now += Duration::from_micros(10);
                worked += Duration::from_micros(10).mul_f64(share);
                batching.read(64, || now);
            }
            let pause = batching.empty(now, || worked);
            assert_eq!(pause.is_some(), pauses, "{share}");
        }
    }
}
