//! What became of the messages of each sender: how many came, were lost, doubled and overtaken, and how long they took.
//!
//! The numbers in the stamps tell (RFC 4737 for what overtaking means; RFC 3550, section 6.4.1 and appendix A, for
//! jitter and for numbers that jump).

use std::{collections::HashMap, net::SocketAddr};

use crate::text::{micros, plural};

/// How far back, in messages, a late one is told from a doubled one.
const WINDOW: usize = 1 << 16;

/// How far ahead a number may jump; beyond that the next one must confirm it.
const JUMP: u64 = 1 << 24;

/// A delay longer than this is a difference of clocks.
const LONGEST_DELAY: i64 = 60 * 60 * 1_000_000;

/// How many sessions are remembered; then the one that was silent the longest leaves.
pub const SESSIONS: usize = 1024;

/// What one message turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The next one, or later ones were skipped: they may still come.
    InOrder,
    /// Overtaken by a later one (reordered: RFC 4737 section 3.3).
    Late,
    /// It came before.
    Double,
    /// It came so late that nobody knows whether it came before.
    TooLate,
    /// Its number jumped ahead, and no other has confirmed it.
    Implausible,
}

impl Place {
    /// What is said of it beside the message; nothing when it is as it should be.
    pub fn remark(self) -> Option<&'static str> {
        match self {
            Self::InOrder => None,
            Self::Late => Some("overtaken"),
            Self::Double => Some("doubled"),
            Self::TooLate => Some("far too late"),
            Self::Implausible => Some("implausible number"),
        }
    }
}

/// What became of messages.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Datagrams that came, whatever they were.
    pub received: u64,
    /// Numbers between the first and the last that never came.
    pub lost: u64,
    /// Datagrams that had come before.
    pub duplicates: u64,
    /// Datagrams that a later one overtook.
    pub reordered: u64,
    /// Datagrams that came too late to tell.
    pub too_late: u64,
    /// Datagrams whose number jumped ahead and was never confirmed.
    pub implausible: u64,
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.lost = self.lost.saturating_add(other.lost);
        self.duplicates += other.duplicates;
        self.reordered += other.reordered;
        self.too_late += other.too_late;
        self.implausible += other.implausible;
    }

    /// The same with their names in the log.
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

    /// The same in words; of what is rare only what there is.
    pub fn words(&self) -> String {
        let came = self.received - self.duplicates - self.implausible;
        let sent = came.saturating_add(self.lost);
        let mut words = format!("{} lost", self.lost);
        if self.lost > 0 {
            words += &format!(" ({:.1}%)", self.lost as f64 * 100.0 / sent.max(1) as f64);
        }
        words += &format!(
            ", {} doubled, {} overtaken",
            self.duplicates, self.reordered
        );
        for (count, what) in [
            (self.too_late, "too late to tell"),
            (self.implausible, "with an implausible number"),
        ] {
            if count > 0 {
                words += &format!(", {count} {what}");
            }
        }
        words
    }
}

/// How long messages took, in microseconds by the clocks of both machines.
#[derive(Clone, Copy, Debug, Default)]
struct Delays {
    count: u64,
    sum: i128,
    least: i64,
    most: i64,
    last: i64,
    /// The mean change of the delay from one message to the next, smoothed (RFC 3550 section 6.4.1).
    jitter: f64,
}

impl Delays {
    fn note(&mut self, delay: i64) {
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

    /// Whether the two clocks agree well enough to call the difference a delay.
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
    /// Where it sends from.
    pub source: SocketAddr,
    /// `SENDER/SESSION`
    pub identity: String,
    /// `[lab1 SENDER SESSION `: how its datagrams begin.
    pub prefix: Vec<u8>,
    first: u64,
    highest: u64,
    /// Numbers from the first on that came, each once.
    distinct: u64,
    counts: Counts,
    /// A number that jumped ahead, until the next one confirms it.
    jumped: Option<u64>,
    /// Which of the last numbers came, a bit each, at the number modulo the window.
    window: Box<[u64; WINDOW / 64]>,
    delays: Delays,
    /// When it was heard last, counted in datagrams of all sessions.
    heard: u64,
}

impl Session {
    fn new(source: SocketAddr, identity: String, prefix: &[u8]) -> Self {
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
            heard: 0,
        }
    }

    /// Takes one message into account: its number from 1, and its delay in microseconds.
    pub fn note(&mut self, number: u64, delay: i64) -> Place {
        self.counts.received += 1;
        let place = if number == self.highest + 1 && self.first > 0 {
            self.highest = number;
            self.distinct += 1;
            self.mark(number);
            Place::InOrder
        } else {
            self.place(number)
        };
        if place == Place::InOrder {
            self.delays.note(delay);
        }
        place
    }

    fn place(&mut self, number: u64) -> Place {
        if self.first == 0 {
            // Whatever was sent before is not missed: nobody was listening.
            self.first = number;
            self.advance(number);
            return Place::InOrder;
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
                return Place::Implausible;
            }
            return Place::InOrder;
        }
        if self.highest - number >= WINDOW as u64 {
            // It was not lost, though it may have been a double.
            self.distinct += u64::from(number >= self.first);
            self.counts.too_late += 1;
            return Place::TooLate;
        }
        if self.has(number) {
            self.counts.duplicates += 1;
            return Place::Double;
        }
        self.mark(number);
        self.counts.reordered += 1;
        // One from before the first that was heard fills no gap.
        self.distinct += u64::from(number >= self.first);
        Place::Late
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

    /// What became of its messages.
    pub fn counts(&self) -> Counts {
        let mut counts = self.counts;
        if self.first > 0 {
            counts.lost = (self.highest - self.first + 1).saturating_sub(self.distinct);
        }
        counts
    }

    /// What became of its messages, and how long they took, in words.
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
                "; its clock is about {} off, so no delay",
                us(delays.mean())
            );
        }
        if delays.count > 1 {
            words += &format!(", jitter {}", micros(delays.jitter as u64));
        }
        words
    }

    /// The same for machines.
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

/// All sessions that are heard.
#[derive(Debug, Default)]
pub struct Sessions {
    all: Vec<Session>,
    places: HashMap<(SocketAddr, String), usize>,
    /// Where the last datagram belonged: mostly the next one does too.
    last: usize,
    /// How many datagrams were heard: the clock of who was heard when.
    heard: u64,
    /// What became of those that had to leave, and how many these are.
    left: Counts,
    left_sessions: u64,
}

impl Sessions {
    /// Whether a datagram is of the session that was heard last, as most are; then how long the part of its stamp is
    /// that says so.
    pub fn same_as_last(&self, source: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let session = self.all.get(self.last)?;
        let same = session.source == source && datagram.starts_with(&session.prefix);
        same.then_some(session.prefix.len())
    }

    /// The session that was heard last, heard again.
    ///
    /// # Panics
    /// When none was ever heard.
    pub fn last(&mut self) -> &mut Session {
        self.heard += 1;
        let session = &mut self.all[self.last];
        session.heard = self.heard;
        session
    }

    /// The session with this identity at this source, from now on remembered. An address that pretends to be
    /// somebody else is another session: it spoils nobody's counts.
    pub fn find(&mut self, source: SocketAddr, identity: String, prefix: &[u8]) -> &mut Session {
        let key = (source, identity);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => self.remember(key, prefix),
        };
        self.last = place;
        self.last()
    }

    fn remember(&mut self, key: (SocketAddr, String), prefix: &[u8]) -> usize {
        let session = Session::new(key.0, key.1.clone(), prefix);
        let place = if self.all.len() < SESSIONS {
            self.all.push(session);
            self.all.len() - 1
        } else {
            let oldest = (0..self.all.len())
                .min_by_key(|place| self.all[*place].heard)
                .unwrap_or_default();
            let leaving = std::mem::replace(&mut self.all[oldest], session);
            self.left.add(&leaving.counts());
            self.left_sessions += 1;
            self.places.remove(&(leaving.source, leaving.identity));
            oldest
        };
        self.places.insert(key, place);
        place
    }

    /// Those that are remembered, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.all.iter()
    }

    /// How many had to leave.
    pub fn left(&self) -> u64 {
        self.left_sessions
    }

    /// What became of the messages of all.
    pub fn total(&self) -> Counts {
        let mut total = self.left;
        for session in &self.all {
            total.add(&session.counts());
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn session() -> Session {
        Session::new(source(1), "p/1".into(), b"")
    }

    fn note(numbers: impl IntoIterator<Item = u64>) -> Session {
        let mut session = session();
        for number in numbers {
            session.note(number, 5);
        }
        session
    }

    #[test]
    fn lost_doubled_and_overtaken_are_told_apart() {
        // Joined at 5; 7 and 11 never come, 9 is overtaken by 10, 8 comes twice, and 4 was sent before the join.
        let mut session = session();
        let places = [5, 6, 8, 8, 10, 9, 4, 12].map(|number| session.note(number, 0));
        use Place::{Double, InOrder, Late};
        assert_eq!(
            places,
            [
                InOrder, InOrder, InOrder, Double, InOrder, Late, Late, InOrder
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
            note(5..=1000).counts(),
            Counts {
                received: 996,
                ..Counts::default()
            }
        );
    }

    #[test]
    fn a_gap_as_long_as_the_window_and_one_that_is_longer() {
        let window = WINDOW as u64;
        for gap in [window - 1, window, window + 1, 3 * window] {
            let mut session = note([1, 1 + gap]);
            assert_eq!(session.counts().lost, gap - 1);
            // One in the gap, within reach: it is late, and doubled the second time.
            assert_eq!(session.note(gap, 0), Place::Late);
            assert_eq!(session.note(gap, 0), Place::Double);
            assert_eq!(session.counts().lost, gap - 2);
        }
        let mut session = note([1, 1 + window]);
        assert_eq!(session.note(1, 0), Place::TooLate);
        assert_eq!(session.note(2, 0), Place::Late);
    }

    #[test]
    fn all_orders_of_few_numbers_agree_with_sets() {
        // Every sequence of five numbers out of six, against the definitions.
        for code in 0..6_u64.pow(5) {
            let numbers: Vec<u64> = (0..5)
                .map(|place| code / 6_u64.pow(place) % 6 + 1)
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
            let came = seen.range(numbers[0]..).count() as u64;
            expected.lost = highest - numbers[0] + 1 - came;
            assert_eq!(note(numbers.clone()).counts(), expected, "{numbers:?}");
        }
    }

    #[test]
    fn a_jump_must_be_confirmed() {
        let far = 1 << 62;
        let mut session = note([1, 2]);
        assert_eq!(session.note(far, 0), Place::Implausible);
        assert_eq!(session.note(3, 0), Place::InOrder);
        let counts = session.counts();
        assert_eq!((counts.lost, counts.implausible), (0, 1));
        // A receiver that was cut off for long: two in a row at the new place.
        assert_eq!(session.note(far, 0), Place::Implausible);
        assert_eq!(session.note(far + 1, 0), Place::InOrder);
        let counts = session.counts();
        assert_eq!((counts.lost, counts.implausible), (far - 4, 1));
        let last = (1 << 63) - 1;
        let mut session = note([1, last - 1, last]);
        assert_eq!(session.note(2, 0), Place::TooLate);
        assert!(session.words().contains("lost"));
    }

    #[test]
    fn what_forgers_claim_to_have_lost_adds_up_to_no_overflow() {
        let mut sessions = Sessions::default();
        for forger in 0..9 {
            let session = sessions.find(source(1), format!("forged/{forger}"), b"");
            for number in [1, (1 << 63) - 2, (1 << 63) - 1] {
                session.note(number, i64::MAX);
            }
        }
        let total = sessions.total();
        assert_eq!(total.lost, u64::MAX);
        assert!(
            total
                .words()
                .starts_with("18446744073709551615 lost (100.0%)")
        );
    }

    #[test]
    fn delay_and_jitter() {
        let mut session = session();
        for (number, delay) in [(1, 100), (2, 260), (3, 100)] {
            session.note(number, delay);
        }
        let named: HashMap<_, _> = session.named().into_iter().collect();
        assert_eq!(
            ["delay_min_us", "delay_mean_us", "delay_max_us"].map(|name| named[name]),
            [100, 153, 260]
        );
        // 160 / 16 = 10, then 10 + (160 - 10) / 16.
        assert_eq!(named["jitter_us"], 19);
        session.note(4, -5);
        assert!(
            session.words().contains("off, so no delay, jitter"),
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

    #[test]
    fn a_forger_fills_no_table_and_spoils_nobodys_counts() {
        let mut sessions = Sessions::default();
        for number in 0..5000_u64 {
            sessions
                .find(source(1), format!("forged/{number}"), b"")
                .note(1, 0);
            // Somebody who is heard stays.
            sessions
                .find(source(2), "honest/1".into(), b"")
                .note(number + 1, 0);
        }
        assert_eq!(sessions.iter().count(), SESSIONS);
        assert_eq!(sessions.left(), 5001 - SESSIONS as u64);
        assert_eq!(sessions.total().received, 10_000);
        let honest = sessions.find(source(2), "honest/1".into(), b"");
        assert_eq!(
            honest.counts(),
            Counts {
                received: 5000,
                ..Counts::default()
            }
        );
        // The same name from another address is somebody else.
        sessions.find(source(3), "honest/1".into(), b"").note(9, 0);
        assert_eq!(
            sessions
                .find(source(2), "honest/1".into(), b"")
                .counts()
                .received,
            5000
        );
    }
}
