//! The clock of a node, by what the node says of it: to what it is set, what it shows, and what it may show.

use common::process::physical::{Nanos, Reading};

/// How far what a clock shows may be from what is expected: a node may compute with fractions.
const SLACK: i64 = 1_000_000;

/// A clock that is not what it is set to comes nearer by this part of the time that passes, at least.
const SLOWEST: i64 = 20;

/// A node's clock. All times are nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// The last round of which the node knows.
    pub(super) round: u32,
    /// The last reading of its hardware clock.
    pub(super) last: Reading,
    /// How far it is set ahead of the hardware clock; None before it is set.
    ahead: Option<i64>,
    /// The reading at which it was set last.
    adjusted: Option<Reading>,
    /// The least that it can have shown at the last reading that the node has stated. A later one does not count: the node may have
    /// set its clock before, and not have said so yet.
    pub(super) shown: i64,
    /// The least and the most by which what it shows may be ahead of the hardware clock, and the stated reading at which that is so.
    range: (i64, i64),
    stated: Option<Reading>,
    /// The last reading before its client asked what it shows.
    before: Reading,
    /// Whether the node was asked to synchronize, and has not read its clock since.
    begins: bool,
    /// Whether it was asked, and has not set its clock since.
    waits: bool,
}

impl Clock {
    /// The node is asked to synchronize.
    pub(super) fn begin(&mut self) {
        (self.begins, self.waits) = (true, true);
    }

    /// The node is asked what its clock shows.
    pub(super) fn asked(&mut self) {
        self.before = self.last;
    }

    /// The node reads its hardware clock; returns whether it begins to synchronize.
    pub(super) fn read(&mut self, reading: Reading) -> bool {
        match self.last == Reading::default() {
            true => self.shown = reading.hardware,
            false => {
                // The hardware clock has jumped back, and what the clock shows must not.
                let back = self.last.error - reading.error;
                if back > SLACK {
                    self.range.1 += back;
                }
            }
        }
        self.last = reading;
        std::mem::take(&mut self.begins)
    }

    /// The node states something about this reading, until which the clock has come nearer to what it is set to.
    fn until(&mut self, reading: Reading) {
        let stated = self.stated.unwrap_or(reading);
        let passed = reading.true_time() - stated.true_time();
        let nearer = passed.max(0) / SLOWEST;
        let set = self.ahead.unwrap_or(0);
        let (least, most) = self.range;
        self.range = (set.min(least + nearer), set.max(most - nearer));
        self.stated = Some(reading);
    }

    /// Whether the node was asked to synchronize, and has not set its clock.
    pub(super) fn waits(&self) -> bool {
        self.waits
    }

    /// Whether a reading is later than the one at which it was set last.
    pub(super) fn is_after_adjustment(&self, reading: Reading) -> bool {
        let adjusted = self.adjusted.map(Reading::true_time);
        adjusted < Some(reading.true_time())
    }

    /// The time to which it is set.
    pub(super) fn set(&self, reading: Reading) -> i64 {
        reading.hardware + self.ahead.unwrap_or(0)
    }

    /// It is set to this time.
    pub(super) fn adjust(&mut self, reading: Reading, time: i64) {
        self.until(reading);
        self.shown = self.shown.max(reading.hardware + self.range.0);
        let ahead = time - reading.hardware;
        (self.ahead, self.adjusted) = (Some(ahead), Some(reading));
        self.range = (self.range.0.min(ahead), self.range.1.max(ahead));
        self.waits = false;
    }

    /// It shows this time.
    ///
    /// # Errors
    /// When the reading is from before the client asked, or the time is not on its way to the one to which the clock is set.
    pub(super) fn show(&mut self, reading: Reading, time: i64) -> Result<(), String> {
        let is_first = self.before == Reading::default();
        if !is_first && reading.true_time() <= self.before.true_time() {
            return Err("expected a reading since the request in now_ok".to_owned());
        }
        self.until(reading);
        let ahead = time - reading.hardware;
        let (least, most) = self.range;
        if !(least - SLACK..=most + SLACK).contains(&ahead) {
            let words = |of: i64| match of {
                0 => "the reading".to_owned(),
                of if of < 0 => format!("the reading less {}", Nanos(-of)),
                of => format!("the reading and {}", Nanos(of)),
            };
            let between = match least == most {
                true => words(least),
                false => format!("between {} and {}", words(least), words(most)),
            };
            return Err(format!(
                "expected as time {between}, as its clock is set, found {}",
                words(ahead)
            ));
        }
        self.shown = time;
        let set = self.ahead.unwrap_or(0);
        self.range = (ahead.min(set), ahead.max(set));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn at(millis: i64) -> Reading {
        Reading {
            hardware: millis * MS,
            error: 40 * MS,
        }
    }

    /// What is wrong with this time at this reading.
    fn wrong(clock: &Clock, millis: i64, time: i64) -> String {
        let mut clock = clock.clone();
        clock.asked();
        clock.read(at(millis));
        let shown = clock.show(at(millis), time * MS);
        shown.err().unwrap_or_default()
    }

    #[test]
    fn a_clock_shows_what_it_is_set_to_or_comes_nearer() {
        let mut clock = Clock::default();
        clock.read(at(100));
        assert_eq!(clock.shown, 100 * MS);
        clock.show(at(100), 100 * MS).unwrap();
        // Set back by 40 ms at 110: it may run slower, or stand, or be there.
        clock.read(at(110));
        clock.adjust(at(110), 70 * MS);
        assert_eq!((clock.set(at(120)), clock.shown), (80 * MS, 110 * MS));
        assert_eq!(
            wrong(&clock, 120, 130),
            "expected as time between the reading less 40 ms and the reading less 500 µs, as its clock is set, found the reading and 10 ms"
        );
        assert!(wrong(&clock, 120, 115).is_empty());
        assert!(wrong(&clock, 150, 110).is_empty());
        // It must come nearer by a twentieth of the time.
        assert!(wrong(&clock, 510, 489).is_empty(), "20 ms in 400 ms");
        assert!(!wrong(&clock, 510, 495).is_empty());
        assert!(wrong(&clock, 1310, 1270).is_empty());
        assert!(!wrong(&clock, 1310, 1310).is_empty());
    }

    #[test]
    fn a_reading_from_before_the_request_says_nothing() {
        let mut clock = Clock::default();
        clock.read(at(10));
        clock.asked();
        let fails = clock.show(at(10), 10 * MS).unwrap_err();
        assert_eq!(fails, "expected a reading since the request in now_ok");
        clock.read(at(11));
        clock.show(at(11), 11 * MS).unwrap();
        assert!(clock.is_after_adjustment(at(11)));
        clock.adjust(at(11), 11 * MS);
        assert!(!clock.is_after_adjustment(at(11)));
    }

    #[test]
    fn a_clock_whose_hardware_jumps_back_stands_or_is_slower() {
        let mut clock = Clock::default();
        clock.read(at(100));
        clock.show(at(100), 100 * MS).unwrap();
        assert!(clock.clone().show(at(50), 100 * MS).is_err());
        let jumped = Reading {
            hardware: 50 * MS,
            error: -10 * MS,
        };
        clock.read(jumped);
        clock.clone().show(jumped, 100 * MS).unwrap();
        clock.clone().show(jumped, 70 * MS).unwrap();
        assert!(clock.clone().show(jumped, 120 * MS).is_err());
    }

    #[test]
    fn a_node_waits_until_its_clock_is_set() {
        let mut clock = Clock::default();
        assert!(!clock.read(at(10)) && !clock.waits());
        clock.begin();
        assert!(clock.read(at(20)) && clock.waits());
        assert!(!clock.read(at(25)));
        clock.adjust(at(25), 0);
        assert!(!clock.waits());
    }
}
