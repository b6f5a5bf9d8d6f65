//! The signed updates that were received within the last minutes: one that is sent again gets its answer again, and a replay is
//! refused.
//!
//! A client that does not get an answer sends the same message again, from the same address (RFC 1035 section 4.2.1); it must
//! not be told NOTAUTH for what was made. The update is not made twice. The same message from elsewhere is a replay.

use std::{collections::BTreeMap, net::SocketAddr};

/// How many updates the cache holds.
const CAPACITY: usize = 200_000;

/// For how many seconds a message is valid, before and after its time (RFC 8945 section 10).
const FUDGE: u64 = 300;

/// What identifies a signed message: its time, in seconds since 1970, and its MAC.
pub type Identity = (u64, Vec<u8>);

/// The answer to an update: its code, and when it was signed, in seconds since 1970.
pub type Answered = (u8, u64);

/// What the cache knows of an update.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// Nothing: it is new.
    New,
    /// Its client sent it before; the answer, when there is one already.
    Before(Option<Answered>),
    /// Another client sent it, or it is too old to tell.
    Replay,
}

/// The signed updates of the last minutes.
///
/// A message is valid within its time ± the fudge (RFC 8945 section 5.2.3), so older ones are dropped. When there are too
/// many, the oldest are dropped, and every message signed at their time or before is refused.
#[derive(Debug, Default)]
pub struct ReplayCache {
    updates: BTreeMap<Identity, (SocketAddr, Option<Answered>)>,
    /// Messages signed at this second or earlier are refused.
    floor: u64,
}

impl ReplayCache {
    /// The cache of a server that starts now, with the updates that its store has.
    pub fn restored(
        updates: impl IntoIterator<Item = (Identity, SocketAddr, Answered)>,
        now: u64,
    ) -> Self {
        let updates = updates.into_iter();
        Self {
            updates: updates
                .map(|(identity, peer, answered)| (identity, (peer, Some(answered))))
                .collect(),
            floor: oldest(now).saturating_sub(1),
        }
    }

    /// What is known of an update from this client; it is remembered.
    pub fn seen(&mut self, identity: &Identity, peer: SocketAddr, now: u64) -> Seen {
        while let Some(first) = self.updates.first_entry() {
            let signed_at = first.key().0;
            if signed_at >= oldest(now) && self.updates.len() < CAPACITY {
                break;
            }
            self.floor = self.floor.max(signed_at);
            self.updates.pop_first();
        }
        match self.updates.get(identity) {
            Some((same, answered)) if *same == peer => Seen::Before(*answered),
            Some(_) => Seen::Replay,
            None if identity.0 <= self.floor => Seen::Replay,
            None => {
                self.updates.insert(identity.clone(), (peer, None));
                Seen::New
            }
        }
    }

    /// Remembers the answer to an update.
    pub fn answered(&mut self, identity: &Identity, answered: Answered) {
        if let Some((_, known)) = self.updates.get_mut(identity) {
            *known = Some(answered);
        }
    }

    /// The answer to an update.
    pub fn answer(&self, identity: &Identity) -> Option<Answered> {
        self.updates.get(identity)?.1
    }
}

/// Messages signed before this second are no longer valid.
pub fn oldest(now: u64) -> u64 {
    now.saturating_sub(2 * FUDGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(signed_at: u64, mac: &[u8]) -> Identity {
        (signed_at, mac.to_vec())
    }

    fn peer(port: u16) -> SocketAddr {
        ([127, 0, 0, 1], port).into()
    }

    #[test]
    fn a_retransmission_is_told_from_a_replay() {
        let mut cache = ReplayCache::default();
        for (signed_at, mac) in [(1000, b"a"), (1000, b"b"), (999, b"a")] {
            assert_eq!(
                cache.seen(&identity(signed_at, mac), peer(1), 1000),
                Seen::New
            );
        }
        let first = identity(1000, b"a");
        assert_eq!(cache.seen(&first, peer(1), 1001), Seen::Before(None));
        cache.answered(&first, (0, 1001));
        assert_eq!(cache.answer(&first), Some((0, 1001)));
        assert_eq!(
            cache.seen(&first, peer(1), 1002),
            Seen::Before(Some((0, 1001)))
        );
        assert_eq!(cache.seen(&first, peer(2), 1002), Seen::Replay);
        // A dropped update is too old to be valid.
        assert_eq!(cache.seen(&identity(2000, b"c"), peer(1), 2000), Seen::New);
        assert_eq!(cache.seen(&first, peer(1), 2000), Seen::Replay);
        assert_eq!(cache.updates.len(), 1);
    }

    #[test]
    fn a_restart_forgets_nothing_that_is_still_valid() {
        let known = identity(1000, b"a");
        let mut cache = ReplayCache::restored([(known.clone(), peer(1), (6, 1000))], 1100);
        assert_eq!(cache.seen(&known, peer(2), 1100), Seen::Replay);
        assert_eq!(
            cache.seen(&known, peer(1), 1100),
            Seen::Before(Some((6, 1000)))
        );
        assert_eq!(cache.seen(&identity(1000, b"b"), peer(1), 1100), Seen::New);
        assert_eq!(
            cache.seen(&identity(400, b"c"), peer(1), 1100),
            Seen::Replay
        );
    }
}
