//! The table of all senders' sessions, of bounded size.

use std::{collections::HashMap, net::SocketAddr};

use super::tally::{Counts, Session};

/// How many sessions are kept; then a new one evicts the one that was idle the longest.
pub const SESSIONS: usize = 1024;

/// The sessions of all senders.
#[derive(Debug, Default)]
pub struct Sessions {
    all: Vec<Session>,
    /// Where in `all` a session is, by its source address and identity.
    index: HashMap<(SocketAddr, String), usize>,
    /// The session of the last datagram: usually it is also that of the next one.
    last: usize,
    /// How many datagrams were received: the time of [`Session::last_received`].
    received: u64,
    /// The counts of the evicted sessions, and their number.
    evicted_counts: Counts,
    evicted: u64,
}

impl Sessions {
    /// Whether a datagram belongs to the session of the last one; then the length of the part of its stamp that is the
    /// same in the whole session.
    pub fn same_as_last(&self, source: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let session = self.all.get(self.last)?;
        let same = session.source == source && datagram.starts_with(&session.prefix);
        same.then_some(session.prefix.len())
    }

    /// The session of the last datagram, for one more.
    ///
    /// # Panics
    /// Without a session.
    pub fn last(&mut self) -> &mut Session {
        self.received += 1;
        let session = &mut self.all[self.last];
        session.last_received = self.received;
        session
    }

    /// The session with this identity at this source address; a new one is added. A sender that forges another's
    /// identity has another address, and so is another session: it cannot change the other's counts.
    pub fn find(&mut self, source: SocketAddr, identity: String, prefix: &[u8]) -> &mut Session {
        let key = (source, identity);
        let index = match self.index.get(&key) {
            Some(index) => *index,
            None => self.insert(key, prefix),
        };
        self.last = index;
        self.last()
    }

    fn insert(&mut self, key: (SocketAddr, String), prefix: &[u8]) -> usize {
        let session = Session::new(key.0, key.1.clone(), prefix);
        let index = if self.all.len() < SESSIONS {
            self.all.push(session);
            self.all.len() - 1
        } else {
            let oldest = (0..self.all.len())
                .min_by_key(|index| self.all[*index].last_received)
                .unwrap_or_default();
            let evicted = std::mem::replace(&mut self.all[oldest], session);
            self.evicted_counts.add(&evicted.counts());
            self.evicted += 1;
            self.index.remove(&(evicted.source, evicted.identity));
            oldest
        };
        self.index.insert(key, index);
        index
    }

    /// The sessions that are kept, in the order of their first datagrams.
    pub fn iter(&self) -> impl Iterator<Item = &Session> {
        self.all.iter()
    }

    /// How many sessions were evicted.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// What became of the messages of all sessions, evicted ones included.
    pub fn total(&self) -> Counts {
        let mut total = self.evicted_counts;
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

    #[test]
    fn forged_losses_do_not_overflow() {
        let mut sessions = Sessions::default();
        for forger in 0..9 {
            let session = sessions.find(source(1), format!("forged/{forger}"), b"");
            for number in [1, (1 << 63) - 2, (1 << 63) - 1] {
                session.record(number, i64::MAX);
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
    fn a_forger_exhausts_no_memory_and_changes_no_others_counts() {
        let mut sessions = Sessions::default();
        for number in 0..5000_u64 {
            sessions
                .find(source(1), format!("forged/{number}"), b"")
                .record(1, 0);
            // A session that goes on is kept.
            sessions
                .find(source(2), "honest/1".into(), b"")
                .record(number + 1, 0);
        }
        assert_eq!(sessions.iter().count(), SESSIONS);
        assert_eq!(sessions.evicted(), 5001 - SESSIONS as u64);
        assert_eq!(sessions.total().received, 10_000);
        let honest = sessions.find(source(2), "honest/1".into(), b"");
        assert_eq!(
            honest.counts(),
            Counts {
                received: 5000,
                ..Counts::default()
            }
        );
        // The same name from another address is another session.
        sessions
            .find(source(3), "honest/1".into(), b"")
            .record(9, 0);
        assert_eq!(
            sessions
                .find(source(2), "honest/1".into(), b"")
                .counts()
                .received,
            5000
        );
    }
}
