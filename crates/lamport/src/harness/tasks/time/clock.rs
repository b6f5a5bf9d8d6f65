//! The clock of a node, by what the node says of it: to what it is set, what it shows, and what it may show.

use common::process::physical::{Nanos, Reading};

/// How far what a clock shows may be from what is expected: a node may compute with fractions.
const SLACK: i64 = 1_000_000;

/// A node's clock. All times are nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// The last round of which the node knows.
    pub(super) round: u32,
    /// The last reading of its hardware clock.
    pub(super) last: Reading,
    /// How far it is set ahead of the hardware clock; None before it is set.
    ahead: Option<i64>,
    /// What it showed last.
    pub(super) shown: i64,
    /// The least and the most by which what it shows may be ahead of the hardware clock.
    range: (i64, i64),
    /// Whether the node was asked to synchronize, and has not read its clock since.
    begins: bool,
    /// The reading at which it began to synchronize, if it has not set its clock since; and that at which it began before.
    since: Option<Reading>,
    before: Reading,
}

impl Clock {
    /// The node is asked to synchronize.
    pub(super) fn begin(&mut self) {
        self.begins = true;
    }

    /// The node reads its hardware clock; returns whether it begins to synchronize. Before it says anything of its clock, that is the
    /// hardware clock.
    pub(super) fn read(&mut self, reading: Reading) -> bool {
        let before = std::mem::replace(&mut self.last, reading);
        // The hardware clock has jumped back, and what the clock shows must not.
        let back = before.error - reading.error;
        if before != Reading::default() && back > SLACK {
            self.range.1 += back;
        }
        if self.ahead.is_none() {
            self.shown = self.shown.max(reading.hardware);
        }
        let begins = std::mem::take(&mut self.begins);
        if begins && self.since.is_none() {
            self.since = Some(reading);
        }
        begins
    }

    /// The reading at which the node began what has led to the present adjustment.
    pub(super) fn asked(&self) -> Reading {
        self.since.unwrap_or(self.before)
    }

    /// Whether it has begun to synchronize, and not set its clock.
    pub(super) fn waits(&self) -> bool {
        self.since.is_some()
    }

    /// Whether the node has never set it.
    pub(super) fn is_never_set(&self) -> bool {
        self.ahead.is_none()
    }

    /// The time to which it is set.
    pub(super) fn set(&self, reading: Reading) -> i64 {
        reading.hardware + self.ahead.unwrap_or(0)
    }

    /// It is set to this time.
    pub(super) fn adjust(&mut self, reading: Reading, time: i64) {
        let ahead = time - reading.hardware;
        self.ahead = Some(ahead);
        self.range = (self.range.0.min(ahead), self.range.1.max(ahead));
        self.before = self.asked();
        self.since = None;
    }

    /// It shows this time.
    ///
    /// # Errors
    /// When it is not on its way to the time to which it is set.
    pub(super) fn show(&mut self, reading: Reading, time: i64) -> Result<(), String> {
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

    #[test]
    fn a_clock_shows_what_it_is_set_to_or_is_on_its_way() {
        let mut clock = Clock::default();
        clock.read(at(100));
        assert_eq!(clock.shown, 100 * MS);
        clock.show(at(100), 100 * MS).unwrap();
        // Set back by 40 ms: it may run slower, or stand, or be there.
        clock.adjust(at(110), 70 * MS);
        assert_eq!(clock.set(at(120)), 80 * MS);
        let fails = clock.clone().show(at(120), 130 * MS).unwrap_err();
        assert_eq!(
            fails,
            "expected as time between the reading less 40 ms and the reading, as its clock is set, found the reading and 10 ms"
        );
        clock.show(at(120), 115 * MS).unwrap();
        // It has been slower: it does not become faster again.
        assert!(clock.clone().show(at(130), 130 * MS).is_err());
        clock.show(at(130), 115 * MS).unwrap();
        clock.show(at(200), 160 * MS).unwrap();
        let fails = clock.clone().show(at(210), 100 * MS).unwrap_err();
        assert!(
            fails.ends_with("expected as time the reading less 40 ms, as its clock is set, found the reading less 110 ms"),
            "{fails}"
        );
        // The hardware clock jumps back by 100 ms: it stands, or is slower.
        assert!(clock.clone().show(at(100), 160 * MS).is_err());
        let jumped = Reading {
            hardware: 100 * MS,
            error: -60 * MS,
        };
        clock.read(jumped);
        clock.clone().show(jumped, 160 * MS).unwrap();
        clock.clone().show(jumped, 130 * MS).unwrap();
        assert!(clock.clone().show(jumped, 170 * MS).is_err());
    }

    #[test]
    fn a_request_lasts_until_the_clock_is_set() {
        let mut clock = Clock::default();
        assert!(!clock.read(at(10)));
        clock.begin();
        assert!(clock.read(at(20)) && clock.waits());
        // Its client has given up, and asks again.
        clock.begin();
        assert!(clock.read(at(60)));
        assert_eq!(clock.asked(), at(20));
        clock.adjust(at(70), 0);
        assert!(!clock.waits());
        assert_eq!(clock.asked(), at(20));
    }
}
