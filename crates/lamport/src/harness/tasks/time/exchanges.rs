//! The messages of a node to the time server, and back: the round trips that it can have measured.

use std::collections::VecDeque;

use common::process::physical::Reading;

/// How many messages to the server are known, the last ones.
const MOST: usize = 1024;

/// An answer may come this many adjustments after the message was sent, if it was sent at most so long before, in nanoseconds: a node may
/// have asked several times.
const MOST_ADJUSTMENTS: u64 = 16;
const LONG: i64 = 2_000_000_000;

/// A message to the server.
#[derive(Clone, Copy, Debug)]
struct Asked {
    /// The node's last reading of its clock before.
    reading: Reading,
    /// How often it had set its clock.
    adjustments: u64,
    /// Whether a message of the server has arrived since.
    is_answered: bool,
}

/// The messages of one node to the time server, of which an answer may still count: it may come after another one.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchanges {
    asked: VecDeque<Asked>,
    adjustments: u64,
}

impl Exchanges {
    /// The node sends a message to the server, after this reading. Without one it has nothing to measure from.
    pub(super) fn asked(&mut self, reading: Reading) {
        if reading == Reading::default() {
            return;
        }
        if self.asked.len() == MOST {
            self.asked.pop_front();
        }
        self.asked.push_back(Asked {
            reading,
            adjustments: self.adjustments,
            is_answered: false,
        });
    }

    /// A message of the server arrives.
    pub(super) fn answered(&mut self) {
        let asked = self.asked.iter_mut();
        asked.for_each(|asked| asked.is_answered = true);
    }

    /// The longest round trip that ends at this reading; None without any. By the node's clock, too, which may have jumped.
    pub(super) fn longest(&self, end: Reading) -> Option<i64> {
        let answered = self.asked.iter().filter(|asked| asked.is_answered);
        let passed = answered.map(|asked| {
            let passed = end.true_time() - asked.reading.true_time();
            passed.max(end.hardware - asked.reading.hardware)
        });
        passed.max()
    }

    /// When the first of them began, in true time.
    pub(super) fn since(&self) -> i64 {
        let first = self.asked.front();
        first.map_or(i64::MAX, |asked| asked.reading.true_time())
    }

    /// The node has set its clock at this reading: what it asked before the adjustment before is over, or soon.
    pub(super) fn adjusted(&mut self, end: Reading) {
        self.adjustments += 1;
        let adjustments = self.adjustments;
        self.asked.retain(|asked| {
            let since = adjustments - asked.adjustments;
            let passed = end.true_time() - asked.reading.true_time();
            since <= 1 || since <= MOST_ADJUSTMENTS && passed <= LONG
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hardware: i64) -> Reading {
        Reading { hardware, error: 7 }
    }

    #[test]
    fn a_round_trip_is_as_long_as_an_exchange_that_was_seen() {
        let mut exchanges = Exchanges::default();
        exchanges.asked(Reading::default());
        exchanges.answered();
        assert_eq!(exchanges.longest(at(50)), None, "it has read no clock");
        exchanges.asked(at(10));
        assert_eq!(exchanges.longest(at(50)), None, "no answer");
        exchanges.answered();
        exchanges.asked(at(30));
        assert_eq!(exchanges.longest(at(50)), Some(40));
        // Another answer may come after the clock was set by the first one, and then no more.
        exchanges.adjusted(at(60));
        assert_eq!(exchanges.longest(at(60)), Some(50));
        exchanges.answered();
        exchanges.asked(at(55));
        exchanges.adjusted(at(LONG + 20));
        exchanges.answered();
        assert_eq!(exchanges.longest(at(60)), Some(30));
        exchanges.adjusted(at(LONG + 40));
        assert_eq!(exchanges.longest(at(60)), Some(5));
        assert_eq!(exchanges.since(), 48);
        // By a clock that has jumped ahead.
        let jumped = Reading {
            hardware: 1_060,
            error: 1_007,
        };
        assert_eq!(exchanges.longest(jumped), Some(1_005));
    }
}
