//! Which messages of a load are told one by one, and how many are not.

use std::time::Instant;

use crate::{
    event::{Event, Kind},
    journal::Journal,
};

/// How many messages are told one by one in a second, and in one that follows a second that had more. The rest is
/// counted: to write a line for each of a million would take all the time there is.
pub const TOLD: (u32, u32) = (1_000, 100);

/// Which messages of a load are told one by one.
#[derive(Debug)]
pub struct Telling {
    /// When the present second began.
    second: Instant,
    /// How many may still be told.
    left: u32,
    untold: u64,
    /// What they are, and did: `datagrams came`.
    what: &'static str,
}

impl Telling {
    /// Of messages that are called so and did so: `datagrams came`.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            second: Instant::now(),
            left: TOLD.0,
            untold: 0,
        }
    }

    /// Whether one more is told; else it is counted as not told.
    pub fn one_more(&mut self) -> bool {
        let told = self.left > 0;
        if told {
            self.left -= 1;
        } else {
            self.untold += 1;
        }
        told
    }

    /// When a second is over, tells how many were not told in it.
    pub fn go_on(&mut self, journal: &Journal) {
        let untold = self.left_out(Instant::now());
        self.tell(untold, journal);
    }

    /// At the end, tells how many were not told since the last second was over.
    pub fn finish(&mut self, journal: &Journal) {
        let untold = self.rest();
        self.tell(untold, journal);
    }

    fn tell(&self, untold: Option<u64>, journal: &Journal) {
        let Some(untold) = untold else { return };
        let text = format!(
            "{untold} more {} in this second: counted, and not told one by one",
            self.what
        );
        let event = Event::new(Kind::Local).text(text);
        journal.record(event.counts([("untold", untold)]));
    }

    /// When a second is over: how many were not told in it.
    fn left_out(&mut self, now: Instant) -> Option<u64> {
        let seconds = now.duration_since(self.second).as_secs();
        if seconds == 0 {
            return None;
        }
        self.second = now;
        self.left = if self.untold == 0 { TOLD.0 } else { TOLD.1 };
        self.rest()
    }

    /// At the end: how many were not told since the last second was over.
    fn rest(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.untold)).filter(|untold| *untold > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn so_many_are_told_and_the_rest_is_counted() {
        let told = |telling: &mut Telling| (0..5000).filter(|_| telling.one_more()).count();
        let mut telling = Telling::new("datagrams came");
        let begun = telling.second;
        assert_eq!(told(&mut telling), 1000);
        let second = |second| begun + Duration::from_secs(second);
        assert_eq!(telling.left_out(second(1) - Duration::from_millis(1)), None);
        assert_eq!(telling.left_out(second(1)), Some(4000));
        assert_eq!(told(&mut telling), 100);
        assert_eq!(telling.left_out(second(2)), Some(4900));
        assert!((0..100).all(|_| telling.one_more()));
        assert_eq!(telling.left_out(second(3)), None);
        assert_eq!(told(&mut telling), 1000);
        assert_eq!((telling.rest(), telling.rest()), (Some(4000), None));
    }
}
