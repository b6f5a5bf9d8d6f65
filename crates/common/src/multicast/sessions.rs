//! The table of all senders' sessions, of bounded size. Full, it is shared fairly among the source addresses: whoever has
//! the most sessions loses one.

use std::{
    cmp::Reverse,
    collections::HashMap,
    net::{IpAddr, SocketAddr},
};

use super::tally::{Counts, Session};

/// How many sessions are kept; then a new one evicts another.
pub const SESSIONS: usize = 1024;

/// The sessions of all senders.
///
/// A new session for which there is no room evicts one of the source address that has the most sessions, the new one
/// included. So an address never loses a session while another has more, however many that one forges: of `n` addresses
/// each keeps what it has up to [`SESSIONS`]` / n`. Where addresses have equally many, the port of an address that has the
/// most loses, then the network (/24, /64) that has the most: a sender that forges other addresses of its network
/// competes with that network. Not the network first: all senders of a link share fe80::/64, and would pay for one of
/// them. Among equals a session of a single datagram goes before one that went on, and then the one that was idle the
/// longest: who forges addresses everywhere, a datagram each, does not evict a session that goes on.
#[derive(Debug)]
pub struct Sessions {
    all: Vec<Kept>,
    most: usize,
    /// Where in `all` a session is, by its source address and identity.
    index: HashMap<(SocketAddr, String), usize>,
    /// The session of the last datagram: usually it is also that of the next one.
    last: usize,
    /// How many datagrams were received: the time of [`Kept::last_received`].
    received: u64,
    /// The counts of the evicted sessions, and their number.
    evicted_counts: Counts,
    evicted: u64,
}

/// A session and what decides whether it is kept.
#[derive(Debug)]
struct Kept {
    session: Session,
    /// When its first and its last datagram were received, counted in datagrams of all sessions.
    since: u64,
    last_received: u64,
    /// How many sessions are kept of its address, of its port there, and of its network.
    shares: [usize; 3],
}

/// Whether two sources are one address, one port of it, one network.
fn same(one: SocketAddr, other: SocketAddr) -> [bool; 3] {
    [
        one.ip() == other.ip(),
        one == other,
        network(one.ip()) == network(other.ip()),
    ]
}

/// The bits of the network that an address is usually part of.
fn network(address: IpAddr) -> (bool, u64) {
    match address {
        IpAddr::V4(address) => (true, u64::from(address.to_bits() >> 8)),
        IpAddr::V6(address) => (false, (address.to_bits() >> 64) as u64),
    }
}

impl Default for Sessions {
    fn default() -> Self {
        Self::of_at_most(SESSIONS)
    }
}

impl Sessions {
    fn of_at_most(most: usize) -> Self {
        Self {
            all: Vec::new(),
            most,
            index: HashMap::new(),
            last: 0,
            received: 0,
            evicted_counts: Counts::default(),
            evicted: 0,
        }
    }

    /// Whether a datagram belongs to the session of the last one; then the length of the part of its stamp that is the
    /// same in the whole session.
    pub fn same_as_last(&self, source: SocketAddr, datagram: &[u8]) -> Option<usize> {
        let session = &self.all.get(self.last)?.session;
        let same = session.source == source && datagram.starts_with(&session.prefix);
        same.then_some(session.prefix.len())
    }

    /// The session of the last datagram, for one more.
    ///
    /// # Panics
    /// Without a session.
    pub fn last(&mut self) -> &mut Session {
        self.received += 1;
        let kept = &mut self.all[self.last];
        kept.last_received = self.received;
        &mut kept.session
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
        let mut kept = Kept {
            session: Session::new(key.0, key.1.clone(), prefix),
            since: self.received,
            last_received: self.received,
            shares: [1; 3],
        };
        for other in &mut self.all {
            for (level, same) in same(other.session.source, key.0).into_iter().enumerate() {
                other.shares[level] += usize::from(same);
                kept.shares[level] += usize::from(same);
            }
        }
        let index = if self.all.len() < self.most {
            self.all.push(kept);
            self.all.len() - 1
        } else {
            let index = self.victim();
            let evicted = std::mem::replace(&mut self.all[index], kept).session;
            for other in &mut self.all {
                for (level, same) in same(other.session.source, evicted.source)
                    .into_iter()
                    .enumerate()
                {
                    other.shares[level] -= usize::from(same);
                }
            }
            self.evicted_counts.add(&evicted.counts());
            self.evicted += 1;
            self.index.remove(&(evicted.source, evicted.identity));
            index
        };
        self.index.insert(key, index);
        index
    }

    /// Where the session is that a new one evicts.
    fn victim(&self) -> usize {
        let rank = |index: &usize| {
            let Kept {
                session,
                last_received,
                shares,
                ..
            } = &self.all[*index];
            (*shares, !session.went_on(), Reverse(*last_received))
        };
        (0..self.all.len()).max_by_key(rank).unwrap_or_default()
    }

    /// How many sessions are kept.
    pub fn kept(&self) -> usize {
        self.all.len()
    }

    /// At most so many of the sessions that are kept, in the order of their first datagrams. Where there are more, those of
    /// the sources that have the fewest, and of these those of which the most was received.
    pub fn some(&self, most: usize) -> Vec<&Session> {
        let mut some: Vec<_> = self.all.iter().collect();
        if some.len() > most {
            some.sort_by_key(|kept| {
                let received = kept.session.counts().received;
                (kept.shares, Reverse(received), kept.since)
            });
            some.truncate(most);
        }
        some.sort_by_key(|kept| kept.since);
        some.into_iter().map(|kept| &kept.session).collect()
    }

    /// How many sessions were evicted.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The source address that has the most sessions, and how many.
    pub fn fullest(&self) -> Option<(IpAddr, usize)> {
        let fullest = self.all.iter().max_by_key(|kept| kept.shares[0])?;
        Some((fullest.session.source.ip(), fullest.shares[0]))
    }

    /// What became of the messages of all sessions, evicted ones included.
    pub fn total(&self) -> Counts {
        let mut total = self.evicted_counts;
        for kept in &self.all {
            total.add(&kept.session.counts());
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn source(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn received(count: u64) -> Counts {
        Counts {
            received: count,
            ..Counts::default()
        }
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
            sessions
                .find(source(2), "honest/1".into(), b"")
                .record(number + 1, 0);
        }
        assert_eq!(sessions.kept(), SESSIONS);
        assert_eq!(sessions.evicted(), 5001 - SESSIONS as u64);
        assert_eq!(sessions.total().received, 10_000);
        let honest = sessions.find(source(2), "honest/1".into(), b"");
        assert_eq!(honest.counts(), received(5000));
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

    /// An honest session that is idle while `forged` sessions of a datagram each arrive from these sources; whether it is
    /// kept.
    fn survives(honest: &str, forged: impl Fn(u64) -> String) -> bool {
        let mut sessions = Sessions::default();
        let honest: SocketAddr = honest.parse().unwrap();
        for number in [1, 2] {
            sessions
                .find(honest, "honest/1".into(), b"")
                .record(number, 0);
        }
        for number in 0..3000 {
            let forger = forged(number).parse().unwrap();
            sessions
                .find(forger, format!("forged/{number}"), b"")
                .record(1, 0);
        }
        assert_eq!(sessions.kept(), SESSIONS);
        assert_eq!(sessions.total(), received(3002));
        let kept = sessions.index.contains_key(&(honest, "honest/1".into()));
        let reported = sessions.some(20);
        assert_eq!(
            reported.iter().any(|session| session.source == honest),
            kept
        );
        kept
    }

    #[test]
    fn a_forger_evicts_its_own_sessions_first() {
        // From another address; from another port of the same address; from other ports; over IPv6, on the same link and
        // from many addresses of another network.
        assert!(survives("10.0.0.1:9", |_| "10.0.0.2:9".into()));
        assert!(survives("10.0.0.1:9", |_| "10.0.0.1:8".into()));
        assert!(survives("10.0.0.1:9", |n| format!("10.0.0.2:{}", n + 1)));
        assert!(survives("[fe80::1]:9", |_| "[fe80::2]:9".into()));
        assert!(survives("[2001:db8::1]:9", |n| format!(
            "[2001:db8:0:1::{n:x}]:9"
        )));
        // Addresses everywhere, a datagram each: a session that went on is kept.
        assert!(survives("10.0.0.1:9", |n| format!(
            "{}.{}.0.1:9",
            n / 200 + 11,
            n % 200
        )));
    }

    #[test]
    fn sessions_that_went_on_everywhere_evict_the_one_that_was_idle_the_longest() {
        let mut sessions = Sessions::of_at_most(4);
        let mut send = |address: u8, number| {
            let source = SocketAddr::from(([10, address, 0, 1], 9));
            sessions.find(source, "p/1".into(), b"").record(number, 0);
        };
        for (address, number) in [
            (1, 1),
            (1, 2),
            (2, 1),
            (2, 2),
            (3, 1),
            (3, 2),
            (4, 1),
            (4, 2),
        ] {
            send(address, number);
        }
        send(1, 3);
        send(5, 1);
        let kept: Vec<_> = sessions
            .some(4)
            .iter()
            .map(|session| session.source.ip().to_string())
            .collect();
        assert_eq!(kept, ["10.1.0.1", "10.3.0.1", "10.4.0.1", "10.5.0.1"]);
    }

    /// What must hold whatever arrives: the bound; every datagram counted once; an address that has fewer sessions than
    /// another loses none.
    #[test]
    fn whatever_arrives_no_address_loses_a_session_while_another_has_more() {
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |bound: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % bound
        };
        for round in 0..200 {
            let most = 1 + below(12) as usize;
            let addresses = 1 + below(6);
            let mut sessions = Sessions::of_at_most(most);
            for count in 1..=300 {
                // The higher the address, the more names it uses.
                let address = below(addresses);
                let identity = format!("p/{}", below(1 + address * address * 8));
                let source: SocketAddr = if below(2) == 0 {
                    ([10, 0, 0, address as u8], 1 + below(2) as u16).into()
                } else {
                    ([0xfe80, 0, 0, 0, 0, 0, 0, address as u16], 1).into()
                };
                let keys = |sessions: &Sessions| -> HashSet<_> {
                    sessions.index.keys().cloned().collect()
                };
                let before = keys(&sessions);
                sessions.find(source, identity, b"").record(1, 0);
                let after = keys(&sessions);
                assert!(after.len() <= most && sessions.kept() == after.len());
                assert_eq!(sessions.total().received, count);
                for (index, kept) in sessions.all.iter().enumerate() {
                    let key = (kept.session.source, kept.session.identity.clone());
                    assert_eq!(sessions.index[&key], index);
                    for (level, share) in kept.shares.into_iter().enumerate() {
                        let others = sessions.all.iter();
                        let counted = others
                            .filter(|other| same(other.session.source, key.0)[level])
                            .count();
                        assert_eq!(share, counted, "round {round}");
                    }
                }
                let share = |address: IpAddr| {
                    let all = before.union(&after);
                    all.filter(|(source, _)| source.ip() == address).count()
                };
                for (loser, _) in before.difference(&after) {
                    let largest = before.union(&after).map(|(source, _)| share(source.ip()));
                    assert_eq!(Some(share(loser.ip())), largest.max(), "round {round}");
                }
            }
        }
    }
}
