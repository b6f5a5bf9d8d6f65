//! How long a receiver lets datagrams gather before it reads them.
//!
//! To wake a sleeping program costs the kernel more than to hand it a datagram. Where they come fast, a receiver that
//! reads all there are, and then leaves the socket alone for a moment, is woken a thousand times a second at most,
//! whatever the rate; network cards do the same with interrupts. Where they come slowly it is woken for each.

use std::time::{Duration, Instant};

/// How many must come in a moment to be worth it.
const WORTH: f64 = 5.0;

/// After how many reads the rate is looked at.
const LOOK: u32 = 32;

/// The longest moment.
const MOMENT: Duration = Duration::from_millis(1);

/// What the kernel keeps of one datagram beside its data, in bytes, roughly.
const BESIDE: usize = 1024;

/// Which part of the receive buffer may fill in a moment: one in so many.
const PART: usize = 16;

/// How fast datagrams come, and how much of the receive buffer they take.
#[derive(Debug)]
pub(super) struct Gathering {
    /// Bytes that may gather.
    room: usize,
    fast: bool,
    /// Reads, and bytes read, since that moment.
    reads: u32,
    used: usize,
    since: Instant,
    /// This thread's processor time at that moment.
    worked: Duration,
}

impl Gathering {
    /// For a receive buffer of so many bytes.
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

    /// Whether they come fast: the socket is read until it is empty.
    pub(super) fn fast(&self) -> bool {
        self.fast
    }

    /// So many bytes were read.
    pub(super) fn read(&mut self, length: usize, now: impl FnOnce() -> Instant) {
        self.reads += 1;
        self.used += length + BESIDE;
        if !self.fast && self.reads >= LOOK {
            let now = now();
            self.fast = self.come_in(MOMENT, now) >= WORTH;
            if !self.fast {
                self.begin(now, self.worked);
            }
        }
    }

    /// The socket is empty: for how long to leave it alone; None: as long as it stays so. `worked` is the processor
    /// time that this thread has taken so far.
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
        let moment = passed
            .mul_f64(self.room as f64 / self.used.max(1) as f64)
            .min(MOMENT);
        // Whoever works most of the time is hardly ever woken, and has no time to lose.
        let busy = worked.saturating_sub(self.worked) * 2 > passed;
        self.fast = self.come_in(moment, now) >= WORTH && !busy;
        self.begin(now, worked);
        self.fast.then_some(moment)
    }

    /// How many come in such a time.
    fn come_in(&self, time: Duration, now: Instant) -> f64 {
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

    /// What happens when so many datagrams of this length come a second: the moments of the last of many rounds.
    fn moment(rate: f64, length: usize, buffer: usize) -> Option<Duration> {
        let mut gathering = Gathering::new(buffer);
        let mut now = gathering.since;
        let mut moment = None;
        let mut owed = 0.0;
        for _ in 0..200 {
            let passed = moment.unwrap_or(Duration::from_secs_f64(1.0 / rate));
            now += passed;
            owed += passed.as_secs_f64() * rate;
            while owed >= 1.0 {
                owed -= 1.0;
                gathering.read(length, || now);
            }
            moment = gathering.empty(now, || Duration::ZERO);
        }
        moment
    }

    #[test]
    fn only_what_comes_fast_gathers() {
        let large = 8 << 20;
        assert_eq!(moment(100.0, 64, large), None);
        assert_eq!(moment(4_000.0, 64, large), None);
        for rate in [6_000.0, 50_000.0, 200_000.0] {
            assert_eq!(moment(rate, 64, large), Some(MOMENT), "{rate}");
        }
    }

    #[test]
    fn no_more_gathers_than_there_is_room_for() {
        let (rate, length, large) = (100_000.0, 20_000, 8 << 20);
        let moment_of = |buffer| moment(rate, length, buffer);
        let gathered = moment_of(large).unwrap().as_secs_f64() * rate * (length + BESIDE) as f64;
        let share = gathered / large as f64;
        assert!(share < 1.25 / PART as f64, "{share}");
        // Where only a few have room, they are read as fast as can be.
        assert_eq!(moment(30_000.0, 200_000, large), None);
        // A small buffer is read as fast as can be.
        assert_eq!(moment_of(425_984), None);
        assert_eq!(moment(50_000.0, 64, 10_000), None);
    }

    #[test]
    fn it_ends_when_they_come_slowly_again() {
        let mut gathering = Gathering::new(8 << 20);
        let mut now = gathering.since;
        for _ in 0..LOOK {
            gathering.read(64, || now);
        }
        assert!(gathering.fast());
        now += Duration::from_millis(1);
        assert_eq!(gathering.empty(now, || Duration::ZERO), Some(MOMENT));
        now += Duration::from_millis(1);
        gathering.read(64, || now);
        assert_eq!(gathering.empty(now, || Duration::ZERO), None);
        assert!(!gathering.fast());
    }

    #[test]
    fn whoever_is_busy_reading_loses_no_moment() {
        let mut gathering = Gathering::new(8 << 20);
        let mut now = gathering.since;
        let mut worked = Duration::ZERO;
        for (share, gathers) in [(0.4, true), (0.4, true), (0.6, false)] {
            for _ in 0..100 {
                now += Duration::from_micros(10);
                worked += Duration::from_micros(10).mul_f64(share);
                gathering.read(64, || now);
            }
            let moment = gathering.empty(now, || worked);
            assert_eq!(moment.is_some(), gathers, "{share}");
        }
    }
}
