//! Limits how many messages of a load are logged one by one, and counts the rest.

use std::time::Instant;

use crate::{
    event::{Event, Kind},
    journal::Journal,
};

/// How many messages are logged one by one in a second.
const PER_SECOND: u32 = 1_000;

/// How many in a second that follows one with more: to write a line for each of a million messages would take all the
/// processor time there is.
const PER_SECOND_OF_A_LOAD: u32 = 100;

/// Decides which messages of a load are logged one by one.
#[derive(Debug)]
pub struct RateLimit {
    /// When the current second began.
    second: Instant,
    /// How many more may be logged in it.
    left: u32,
    /// How many were not logged since the last report.
    suppressed: u64,
    /// What the messages are and do: `datagrams were received`.
    what: &'static str,
}

impl RateLimit {
    /// A limit for messages that a report describes as `what`: `datagrams were received`.
    pub fn new(what: &'static str) -> Self {
        Self {
            what,
            second: Instant::now(),
            left: PER_SECOND,
            suppressed: 0,
        }
    }

    /// Counts one more message; whether it is logged.
    pub fn one_more(&mut self) -> bool {
        let logged = self.left > 0;
        if logged {
            self.left -= 1;
        } else {
            self.suppressed += 1;
        }
        logged
    }

    /// Once a second is over, reports how many messages it suppressed, and begins the next one.
    pub fn go_on(&mut self, journal: &Journal) {
        let suppressed = self.next_second(Instant::now());
        self.report(suppressed, journal);
    }

    /// At the end, reports how many messages were suppressed since the last report.
    pub fn finish(&mut self, journal: &Journal) {
        let suppressed = self.take_suppressed();
        self.report(suppressed, journal);
    }

    fn report(&self, suppressed: Option<u64>, journal: &Journal) {
        let Some(suppressed) = suppressed else { return };
        let text = format!(
            "{suppressed} more {} in this second: counted, not logged one by one",
            self.what
        );
        let event = Event::new(Kind::Report).text(text);
        journal.record(event.counts([("suppressed", suppressed)]));
    }

    /// Begins the next second if the current one is over at `now`; how many messages that one suppressed, if any.
    fn next_second(&mut self, now: Instant) -> Option<u64> {
        let seconds = now.duration_since(self.second).as_secs();
        if seconds == 0 {
            return None;
        }
        self.second = now;
        self.left = if self.suppressed == 0 {
            PER_SECOND
        } else {
            PER_SECOND_OF_A_LOAD
        };
        self.take_suppressed()
    }

    /// How many messages were suppressed since the last report, if any; counts from 0 again.
    fn take_suppressed(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.suppressed)).filter(|suppressed| *suppressed > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn n_messages_a_second_are_logged_and_the_rest_is_counted() {
        let logged = |limit: &mut RateLimit| (0..5000).filter(|_| limit.one_more()).count();
        let mut limit = RateLimit::new("datagrams were received");
        let begun = limit.second;
        assert_eq!(logged(&mut limit), 1000);
        let second = |second| begun + Duration::from_secs(second);
        assert_eq!(
            limit.next_second(second(1) - Duration::from_millis(1)),
            None
        );
        assert_eq!(limit.next_second(second(1)), Some(4000));
        assert_eq!(logged(&mut limit), 100);
        assert_eq!(limit.next_second(second(2)), Some(4900));
        assert!((0..100).all(|_| limit.one_more()));
        assert_eq!(limit.next_second(second(3)), None);
        assert_eq!(logged(&mut limit), 1000);
        assert_eq!(
            (limit.take_suppressed(), limit.take_suppressed()),
            (Some(4000), None)
        );
    }
}
