//! What is known for a while: records, negative answers (RFC 2308) and delegations, in bounded memory.
//!
//! | entry | kept for | |
//! | --- | --- | --- |
//! | records | their TTL, at most [`LONGEST`] | replaced by records that are believed as much or more |
//! | no record of a type, no such name | the lesser of the SOA record's TTL and its last field, at most [`LONGEST_NEGATIVE`] | only with a SOA record |
//! | a resolution that failed (RFC 9520) | [`FIRST_FAILURE`] after the first time, twice as long each further time, at most [`LONGEST_FAILURE`] | forgotten once one succeeds |
//! | a delegation, with glue | the least TTL of its records | never part of an answer (RFC 2181 section 5.4.1) |
//!
//! When there is no room, entries go that were not used since they were last passed over (the CLOCK algorithm).

use std::{net::IpAddr, time::Duration};

use domain::base::iana::Rtype;

use super::{
    health::Health,
    rrset::RrSet,
    table::{Slot, Table},
};
use crate::dns::owner::{Owner, parent};

/// The longest time that records are kept, in seconds: a day.
pub(super) const LONGEST: u32 = 86_400;

/// The longest time that a negative answer is kept, in seconds: an hour (RFC 2308 section 5 advises one to three).
pub(super) const LONGEST_NEGATIVE: u32 = 3_600;

/// How long it is kept that a resolution failed, for the first time and at most, in seconds. RFC 9520 section 3.2 has 1 s as the least,
/// and RFC 2308 section 7 five minutes as the most; here a server that is started again is found soon.
pub(super) const FIRST_FAILURE: u32 = 1;
pub(super) const LONGEST_FAILURE: u32 = 30;

/// How much records are believed (RFC 2181 section 5.4.1), from the least on. Glue and the servers of a referral are believed
/// least, and are kept apart: in a [`Delegation`].
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Rank {
    /// Behind an alias in an answer with authority: the server need not have authority over this name.
    AfterAlias,
    /// The name that was asked for, in an answer with authority.
    Answer,
}

/// A zone cut: the name servers to which a zone is delegated.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delegation {
    /// The zone.
    pub zone: Owner,
    /// Its name servers.
    pub servers: Vec<NameServer>,
}

/// A name server of a delegation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NameServer {
    /// Its name.
    pub name: Owner,
    /// Its addresses, as far as the delegation has them (glue).
    pub addresses: Vec<IpAddr>,
}

/// An entry.
#[derive(Clone, Debug)]
enum Entry {
    Records(RrSet, Rank),
    Negative(RrSet),
    Delegation(Box<Delegation>),
    /// Why a resolution failed, until when it is not tried again, and for how many seconds it was not.
    Failure(Box<str>, Duration, u32),
}

/// What the cache has about a name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// The records, with the TTL that is left.
    Records(RrSet),
    /// There are none of the type; with the SOA record and the TTL that is left.
    NoRecords(RrSet),
    /// There is no such name; the same.
    NoName(RrSet),
}

/// The cache.
#[derive(Debug)]
pub struct Cache {
    table: Table<Entry>,
    /// The servers that do not answer.
    pub(super) health: Health,
}

impl Cache {
    /// An empty cache, that takes about this many bytes at most.
    pub fn new(bytes: usize) -> Self {
        Self {
            table: Table::new(bytes),
            health: Health::default(),
        }
    }

    /// The number of entries, and of the bytes that they take, about.
    pub fn size(&self) -> (usize, usize) {
        self.table.size()
    }

    /// What is known at `now` about the records of one type; an alias is not followed.
    pub fn get(&mut self, name: &Owner, rtype: Rtype, now: Duration) -> Option<Found> {
        let slot = Slot::Type(rtype.to_int());
        let known = self.table.get(name.as_slice(), slot, now);
        if let Some((entry, left)) = known {
            match entry {
                Entry::Records(set, _) => {
                    let ttl = left;
                    return Some(Found::Records(RrSet { ttl, ..set.clone() }));
                }
                Entry::Negative(soa) => {
                    let ttl = left;
                    return Some(Found::NoRecords(RrSet { ttl, ..soa.clone() }));
                }
                Entry::Delegation(_) | Entry::Failure(..) => {}
            }
        }
        match self.table.get(name.as_slice(), Slot::Name, now) {
            Some((Entry::Negative(soa), ttl)) => Some(Found::NoName(RrSet { ttl, ..soa.clone() })),
            _ => None,
        }
    }

    /// The DNAME record above a name, if one is known.
    pub fn dname(&mut self, name: &Owner, now: Duration) -> Option<RrSet> {
        let mut above = parent(name.as_slice());
        while let Some(name) = above {
            let slot = Slot::Type(Rtype::DNAME.to_int());
            if let Some((Entry::Records(set, _), ttl)) = self.table.get(name, slot, now) {
                return Some(RrSet { ttl, ..set.clone() });
            }
            above = parent(name);
        }
        None
    }

    /// Keeps records, unless it has some that are believed more.
    pub fn add_records(&mut self, set: RrSet, rank: Rank, now: Duration) {
        let slot = Slot::Type(set.rtype.to_int());
        let owner = set.owner.clone();
        if let Some((Entry::Records(_, old), _)) = self.table.get(owner.as_slice(), slot, now)
            && *old > rank
        {
            return;
        }
        // The name exists.
        self.table.remove(owner.as_slice(), Slot::Name);
        let (ttl, cost) = (set.ttl.min(LONGEST), set.cost());
        let entry = Entry::Records(set, rank);
        self.table.insert(owner, slot, ttl, now, entry, cost);
    }

    /// Keeps that a name has no records of a type, or of any (None), for as long as the SOA record says.
    pub fn add_negative(&mut self, name: &Owner, rtype: Option<Rtype>, soa: RrSet, now: Duration) {
        let slot = rtype.map_or(Slot::Name, |rtype| Slot::Type(rtype.to_int()));
        let (ttl, cost) = (soa.negative_ttl().min(LONGEST_NEGATIVE), soa.cost());
        let entry = Entry::Negative(soa);
        self.table.insert(name.clone(), slot, ttl, now, entry, cost);
    }

    /// Keeps that a resolution failed. It is remembered for twice as long as it is not tried again, so that the next failure is kept
    /// for longer.
    pub fn add_failure(&mut self, name: &Owner, rtype: Rtype, why: &str, now: Duration) {
        let slot = Slot::Failure(rtype.to_int());
        let wait = match self.table.get(name.as_slice(), slot, now) {
            Some((Entry::Failure(_, _, wait), _)) => (wait * 2).min(LONGEST_FAILURE),
            _ => FIRST_FAILURE,
        };
        let until = now + Duration::from_secs(wait.into());
        let entry = Entry::Failure(why.into(), until, wait);
        self.table
            .insert(name.clone(), slot, wait * 2, now, entry, why.len());
    }

    /// Why a resolution is not tried again now: it failed a short time ago.
    pub fn failure(&mut self, name: &Owner, rtype: Rtype, now: Duration) -> Option<String> {
        let slot = Slot::Failure(rtype.to_int());
        match self.table.get(name.as_slice(), slot, now) {
            Some((Entry::Failure(why, until, wait), _)) if now < *until => {
                Some(format!("{why}; it is not tried again for {wait} s"))
            }
            _ => None,
        }
    }

    /// A resolution has succeeded: that it failed before does not matter any more.
    pub fn forget_failure(&mut self, name: &Owner, rtype: Rtype) {
        let slot = Slot::Failure(rtype.to_int());
        self.table.remove(name.as_slice(), slot);
    }

    /// Keeps a delegation for `ttl` seconds.
    pub fn add_delegation(&mut self, delegation: Delegation, ttl: u32, now: Duration) {
        let cost = delegation.servers.iter().map(|server| {
            server.name.as_slice().len() + 64 + server.addresses.len() * size_of::<IpAddr>()
        });
        let (ttl, cost) = (ttl.min(LONGEST), 64 + cost.sum::<usize>());
        let zone = delegation.zone.clone();
        let entry = Entry::Delegation(Box::new(delegation));
        self.table.insert(zone, Slot::Cut, ttl, now, entry, cost);
    }

    /// Forgets the delegation of a zone, whose servers do not answer for it any more.
    pub fn forget_delegation(&mut self, zone: &Owner) {
        self.table.remove(zone.as_slice(), Slot::Cut);
    }

    /// The delegation that is the closest to a name, if one is known, and the seconds that are left.
    pub fn delegation(&mut self, name: &Owner, now: Duration) -> Option<(Delegation, u32)> {
        let mut zone = Some(name.as_slice());
        while let Some(name) = zone {
            if let Some((Entry::Delegation(delegation), left)) =
                self.table.get(name, Slot::Cut, now)
            {
                return Some(((**delegation).clone(), left));
            }
            zone = parent(name);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(name: &str) -> Owner {
        name.parse().unwrap()
    }

    fn address(ttl: u32, last: u8) -> RrSet {
        RrSet::new(
            owner("www.lab."),
            Rtype::A,
            ttl,
            vec![Box::new([10, 0, 0, last])],
        )
    }

    fn soa(ttl: u32, minimum: u32) -> RrSet {
        let data = [&[0, 0][..], &[0; 16], &minimum.to_be_bytes()].concat();
        RrSet::new(owner("lab."), Rtype::SOA, ttl, vec![data.into()])
    }

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn records_give_way_only_to_such_as_are_believed_as_much() {
        let mut cache = Cache::new(1 << 20);
        let name = owner("www.lab.");
        let mut added = |set: RrSet, rank| {
            cache.add_records(set, rank, NOW);
            match cache.get(&name, Rtype::A, NOW) {
                Some(Found::Records(set)) => set.data[0][3],
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(added(address(60, 1), Rank::AfterAlias), 1);
        assert_eq!(added(address(60, 2), Rank::Answer), 2);
        assert_eq!(added(address(60, 3), Rank::AfterAlias), 2);
        assert_eq!(added(address(60, 4), Rank::Answer), 4);
        let later = Duration::from_secs(61);
        cache.add_records(address(60, 5), Rank::AfterAlias, later);
        let found = cache.get(&name, Rtype::A, later);
        assert_eq!(found, Some(Found::Records(address(60, 5))));
    }

    #[test]
    fn a_failure_is_kept_for_longer_each_time() {
        let mut cache = Cache::new(1 << 20);
        let name = owner("www.lab.");
        let mut now = NOW;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            cache.add_failure(&name, Rtype::A, "no server", now);
            assert_eq!(cache.failure(&name, Rtype::AAAA, now), None);
            let almost = now + Duration::from_millis(wait * 1_000 - 1);
            let why = format!("no server; it is not tried again for {wait} s");
            assert_eq!(cache.failure(&name, Rtype::A, almost), Some(why));
            now += Duration::from_secs(wait);
            assert_eq!(cache.failure(&name, Rtype::A, now), None);
        }
        assert_eq!(cache.get(&name, Rtype::A, NOW), None);
        // One that was long ago is like none.
        now += Duration::from_secs(60);
        cache.add_failure(&name, Rtype::A, "no server", now);
        now += Duration::from_secs(1);
        assert_eq!(cache.failure(&name, Rtype::A, now), None);
        cache.add_failure(&name, Rtype::A, "no server", now);
        cache.forget_failure(&name, Rtype::A);
        assert_eq!(cache.failure(&name, Rtype::A, now), None);
        assert_eq!(cache.size().0, 0);
    }

    #[test]
    fn nothing_is_kept_for_too_long() {
        let mut cache = Cache::new(1 << 20);
        let name = owner("www.lab.");
        cache.add_records(address(1 << 30, 1), Rank::Answer, NOW);
        assert_eq!(
            cache.get(&name, Rtype::A, NOW),
            Some(Found::Records(address(LONGEST, 1)))
        );
        for (ttl, minimum, kept) in [
            (60, 30, 30),
            (30, 60, 30),
            (1 << 30, 1 << 30, LONGEST_NEGATIVE),
        ] {
            cache.add_negative(&name, Some(Rtype::TXT), soa(ttl, minimum), NOW);
            match cache.get(&name, Rtype::TXT, NOW) {
                Some(Found::NoRecords(soa)) => assert_eq!(soa.ttl, kept),
                other => panic!("{other:?}"),
            }
        }
        // What is delegated there is no answer.
        let zone = owner("region1.lab.");
        let delegation = Delegation {
            zone: zone.clone(),
            servers: Vec::new(),
        };
        cache.add_delegation(delegation.clone(), 60, NOW);
        assert_eq!(cache.get(&zone, Rtype::NS, NOW), None);
        let below = owner("a.b.region1.lab.");
        assert_eq!(cache.delegation(&below, NOW), Some((delegation, 60)));
        assert_eq!(cache.delegation(&owner("region2.lab."), NOW), None);
    }
}
