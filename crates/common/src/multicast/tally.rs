//! What became of one sender's messages: how many were received, lost, duplicated and reordered, and their delay.
//!
//! It follows from the sequence numbers and times in the stamps (RFC 4737 for reordering; RFC 3550, section 6.4.1 and
//! appendix A, for jitter and for sequence numbers that jump).

use std::net::SocketAddr;

use crate::{
    event::Anomaly,
    text::{micros, plural},
};

/// How far back, in messages, a late message is distinguished from a duplicate.
const WINDOW: usize = 1 << 16;

/// How far ahead a sequence number may jump; beyond that the next one must confirm it.
const JUMP: u64 = 1 << 24;

/// A longer delay is a difference between the two clocks.
const LONGEST_DELAY: i64 = 60 * 60 * 1_000_000;

/// What one message is, compared with those received before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Arrival {
    /// The next one, or one further ahead: those between them may still arrive.
    InOrder,
    /// A message that was sent later arrived before it (RFC 4737 section 3.3).
    Reordered,
    /// It was received before.
    Duplicate,
    /// So late that it may be a duplicate.
    TooLate,
    /// Its sequence number jumps ahead, and no other has confirmed it.
    Implausible,
}

impl Arrival {
    /// Its anomaly in the log; None for a message in order.
    pub fn anomaly(self) -> Option<Anomaly> {
        match self {
            Self::InOrder => None,
            Self::Reordered => Some(Anomaly::Reordered),
            Self::Duplicate => Some(Anomaly::Duplicate),
            Self::TooLate => Some(Anomaly::TooLate),
            Self::Implausible => Some(Anomaly::ImplausibleNumber),
        }
    }
}

/// What became of the messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Datagrams received, of any kind.
    pub received: u64,
    /// Sequence numbers between the first and the highest received that were never received.
    pub lost: u64,
    /// Datagrams received again.
    pub duplicates: u64,
    /// Datagrams received after one that was sent later.
    pub reordered: u64,
    /// Datagrams so late that they may be duplicates.
    pub too_late: u64,
    /// Datagrams whose sequence number jumped ahead and was never confirmed.
    pub implausible: u64,
}

impl Counts {
    /// Adds the counts of another sender.
    pub(super) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.lost = self.lost.saturating_add(other.lost);
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.too_late += other.too_late;
        self.implausible += other.implausible;
    }

    /// The counts with their names in the log.
    pub fn named(&self) -> [(&'static str, u64); 6] {
        [
            ("received", self.received),
            ("lost", self.lost),
            ("duplicates", self.duplicates),
            ("reordered", self.reordered),
            ("too_late", self.too_late),
            ("implausible", self.implausible),
        ]
    }

    /// The counts in words; the rare ones only where they are not 0.
    pub fn words(&self) -> String {
        let distinct = self.received - self.duplicates - self.implausible;
        let sent = distinct.saturating_add(self.lost);
        let mut words = format!("{} lost", self.lost);
        if self.lost > 0 {
            words += &format!(" ({:.1}%)", self.lost as f64 * 100.0 / sent.max(1) as f64);
        }
        words += &format!(
            ", {}, {} reordered",
            plural(self.duplicates, "duplicate"),
            self.reordered
        );
        for (count, what) in [
            (self.too_late, "too late to tell from duplicates"),
            (self.implausible, "with an implausible sequence number"),
        ] {
            if count > 0 {
                words += &format!(", {count} {what}");
            }
        }
        words
    }
}

/// The messages' delay, in microseconds by the clocks of both machines.
#[derive(Clone, Copy, Debug, Default)]
struct Delays {
    count: u64,
    sum: i128,
    least: i64,
    most: i64,
    last: i64,
    /// The mean difference between the delays of successive messages, smoothed (RFC 3550 section 6.4.1).
    jitter: f64,
}

impl Delays {
    fn record(&mut self, delay: i64) {
        if self.count == 0 {
            (self.least, self.most, self.last) = (delay, delay, delay);
        }
        self.least = self.least.min(delay);
        self.most = self.most.max(delay);
        self.jitter += (delay.abs_diff(self.last) as f64 - self.jitter) / 16.0;
        self.last = delay;
        self.count += 1;
        self.sum += i128::from(delay);
    }

    /// Whether the two clocks agree well enough for the difference to be a delay.
    fn measured(&self) -> bool {
        self.least >= 0 && self.most < LONGEST_DELAY
    }

    fn mean(&self) -> i64 {
        i64::try_from(self.sum / i128::from(self.count.max(1))).unwrap_or_default()
    }
}

/// One session of one sender.
#[derive(Debug)]
pub struct Session {
    /// The sender's address.
    pub source: SocketAddr,
    /// `SENDER/SESSION`
    pub identity: String,
    /// The beginning of its datagrams: `[lab1 SENDER SESSION `.
    pub prefix: Vec<u8>,
    first: u64,
    highest: u64,
    /// How many sequence numbers from the first on were received.
    distinct: u64,
    counts: Counts,
    /// A sequence number that jumped ahead, until the next one confirms it.
    jumped: Option<u64>,
    /// A bit for each of the last sequence numbers, at the number modulo the window: whether it was received.
    window: Box<[u64; WINDOW / 64]>,
    delays: Delays,
}

impl Session {
    /// A session of which nothing was received yet.
    pub(super) fn new(source: SocketAddr, identity: String, prefix: &[u8]) -> Self {
        Self {
            source,
            identity,
            prefix: prefix.to_vec(),
            first: 0,
            highest: 0,
            distinct: 0,
            counts: Counts::default(),
            jumped: None,
            window: Box::new([0; WINDOW / 64]),
            delays: Delays::default(),
        }
    }

    /// Records one message: its sequence number, from 1, and its delay in microseconds.
    pub fn record(&mut self, number: u64, delay: i64) -> Arrival {
        self.counts.received += 1;
        let arrival = if number == self.highest + 1 && self.first > 0 {
            self.highest = number;
            self.distinct += 1;
            self.mark(number);
            Arrival::InOrder
        } else {
            self.out_of_line(number)
        };
        if arrival == Arrival::InOrder {
            self.delays.record(delay);
        }
        arrival
    }

    /// A message that is not the one after the highest received.
    fn out_of_line(&mut self, number: u64) -> Arrival {
        if self.first == 0 {
            // What was sent before the receiver joined is not lost.
            self.first = number;
            self.advance(number);
            return Arrival::InOrder;
        }
        if number > self.highest {
            let ahead = number - self.highest;
            let confirmed = self.jumped.is_some_and(|jumped| jumped + 1 == number);
            if ahead <= JUMP {
                self.advance(number);
            } else if confirmed {
                self.counts.implausible -= 1;
                self.advance(number - 1);
                self.advance(number);
            } else {
                self.jumped = Some(number);
                self.counts.implausible += 1;
                return Arrival::Implausible;
            }
            return Arrival::InOrder;
        }
        if self.highest - number >= WINDOW as u64 {
            // It was not lost; it may be a duplicate.
            self.distinct += u64::from(number >= self.first);
            self.counts.too_late += 1;
            return Arrival::TooLate;
        }
        if self.has(number) {
            self.counts.duplicates += 1;
            return Arrival::Duplicate;
        }
        self.mark(number);
        self.counts.reordered += 1;
        // One before the first received fills no gap.
        self.distinct += u64::from(number >= self.first);
        Arrival::Reordered
    }

    fn advance(&mut self, number: u64) {
        if number - self.highest >= WINDOW as u64 {
            self.window.fill(0);
        } else {
            for skipped in self.highest + 1..number {
                self.window[slot(skipped)] &= !bit(skipped);
            }
        }
        self.highest = number;
        self.distinct += 1;
        self.mark(number);
    }

    fn mark(&mut self, number: u64) {
        self.window[slot(number)] |= bit(number);
    }

    fn has(&self, number: u64) -> bool {
        self.window[slot(number)] & bit(number) != 0
    }

    /// Whether more than one datagram of it was received.
    pub(super) fn went_on(&self) -> bool {
        self.counts.received > 1
    }

    /// What became of its messages.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        if self.first > 0 {
            counts.lost = (self.highest - self.first + 1).saturating_sub(self.distinct);
        }
        counts
    }

    /// What became of its messages, and their delay, in words.
    pub fn words(&self) -> String {
        let counts = self.counts();
        let received = plural(counts.received, "datagram");
        let Self {
            identity,
            source,
            delays,
            ..
        } = self;
        let mut words = format!("{identity} at {source}: {received}, {}", counts.words());
        let us = |value: i64| micros(value.unsigned_abs());
        if delays.count > 0 && delays.measured() {
            words += &format!(
                "; delay {} to {}, {} on average",
                us(delays.least),
                us(delays.most),
                us(delays.mean())
            );
        } else if delays.count > 0 {
            words += &format!(
                "; its clock differs by about {}, so no delay",
                us(delays.mean())
            );
        }
        if delays.count > 1 {
            words += &format!(", jitter {}", micros(delays.jitter as u64));
        }
        words
    }

    /// The same as counts with their names in the log.
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut named = self.counts().named().to_vec();
        let delays = &self.delays;
        if delays.count > 0 && delays.measured() {
            for (name, value) in [
                ("delay_min_us", delays.least),
                ("delay_mean_us", delays.mean()),
                ("delay_max_us", delays.most),
            ] {
                named.push((name, value.unsigned_abs()));
            }
        }
        if delays.count > 1 {
            named.push(("jitter_us", delays.jitter as u64));
        }
        named
    }
}

fn slot(number: u64) -> usize {
    (number % WINDOW as u64) as usize / 64
}

fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new(([127, 0, 0, 1], 1).into(), "p/1".into(), b"")
    }

    fn after(numbers: impl IntoIterator<Item = u64>) -> Session {
        let mut session = session();
        for number in numbers {
            session.record(number, 5);
        }
        session
    }

    #[test]
    fn lost_duplicate_and_reordered_messages_are_distinguished() {
        // Joined at 5; 7 and 11 are lost, 9 arrives after 10, 8 is duplicated, and 4 was sent before the join.
        let mut session = session();
        let arrivals = [5, 6, 8, 8, 10, 9, 4, 12].map(|number| session.record(number, 0));
        use Arrival::{Duplicate, InOrder, Reordered};
        assert_eq!(
            arrivals,
            [
                InOrder, InOrder, InOrder, Duplicate, InOrder, Reordered, Reordered, InOrder
            ]
        );
        let counts = session.counts();
        assert_eq!(
            (
                counts.received,
                counts.lost,
                counts.duplicates,
                counts.reordered
            ),
            (8, 2, 1, 2)
        );
        assert_eq!(
            after(5..=1000).counts(),
            Counts {
                received: 996,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn a_gap_as_long_as_the_window_and_a_longer_one() {
        let window = WINDOW as u64;
        for gap in [window - 1, window, window + 1, 3 * window] {
            let mut session = after([1, 1 + gap]);
            assert_eq!(session.counts().lost, gap - 1);
            // One in the gap, within the window: first late, then a duplicate.
            assert_eq!(session.record(gap, 0), Arrival::Reordered);
            assert_eq!(session.record(gap, 0), Arrival::Duplicate);
            assert_eq!(session.counts().lost, gap - 2);
        }
        let mut session = after([1, 1 + window]);
        assert_eq!(session.record(1, 0), Arrival::TooLate);
        assert_eq!(session.record(2, 0), Arrival::Reordered);
    }

    #[test]
    fn all_orders_of_six_numbers_agree_with_the_definitions() {
        // Every sequence of five numbers out of six.
        for code in 0..6_u64.pow(5) {
            let numbers: Vec<u64> = (0..5)
                .map(|digit| code / 6_u64.pow(digit) % 6 + 1)
                .collect();
            let (mut seen, mut highest) = (std::collections::BTreeSet::new(), 0);
            let mut expected = Counts {
                received: 5,
                ..Counts::default()
            };
            for number in &numbers {
                if !seen.insert(*number) {
                    expected.duplicates += 1;
                } else if *number < highest {
                    expected.reordered += 1;
                }
                highest = highest.max(*number);
            }
            let distinct = seen.range(numbers[0]..).count() as u64;
            expected.lost = highest - numbers[0] + 1 - distinct;
            assert_eq!(after(numbers.clone()).counts(), expected, "{numbers:?}");
        }
    }

    #[test]
    fn a_jump_must_be_confirmed() {
        let far = 1 << 62;
        let mut session = after([1, 2]);
        assert_eq!(session.record(far, 0), Arrival::Implausible);
        assert_eq!(session.record(3, 0), Arrival::InOrder);
        let counts = session.counts();
        assert_eq!((counts.lost, counts.implausible), (0, 1));
        // A receiver that was partitioned for long: two successive numbers after the jump.
        assert_eq!(session.record(far, 0), Arrival::Implausible);
        assert_eq!(session.record(far + 1, 0), Arrival::InOrder);
        let counts = session.counts();
        assert_eq!((counts.lost, counts.implausible), (far - 4, 1));
        let last = (1 << 63) - 1;
        let mut session = after([1, last - 1, last]);
        assert_eq!(session.record(2, 0), Arrival::TooLate);
        assert!(session.words().contains("lost"));
    }

    #[test]
    fn delay_and_jitter() {
        let mut session = session();
        for (number, delay) in [(1, 100), (2, 260), (3, 100)] {
            session.record(number, delay);
        }
        let named: std::collections::HashMap<_, _> = session.named().into_iter().collect();
        assert_eq!(
            ["delay_min_us", "delay_mean_us", "delay_max_us"].map(|name| named[name]),
            [100, 153, 260]
        );
        // 160 / 16 = 10, then 10 + (160 - 10) / 16.
        assert_eq!(named["jitter_us"], 19);
        session.record(4, -5);
        assert!(
            session.words().contains(", so no delay, jitter"),
            "{}",
            session.words()
        );
        assert!(
            session
                .named()
                .iter()
                .all(|(name, _)| !name.starts_with("delay"))
        );
    }
}
