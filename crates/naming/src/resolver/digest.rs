//! What a reply means to who asked a server of a zone for a name: a pure function.
//!
//! A server is believed about its own zone alone (RFC 2181 section 5.4.1, RFC 5452 section 6): records of names in it. Of an
//! answer the alias that was asked for comes with authority; what follows it in the same message may come from elsewhere.

use domain::base::iana::{Rcode, Rtype};

use super::{
    cache::{Delegation, NameServer, Rank},
    fault::Fault,
    message::Reply,
    rrset::RrSet,
};
use crate::dns::owner::Owner;

/// How many aliases are followed within one message.
const MOST_ALIASES: usize = 16;

/// How many name servers of a zone are used, and how many addresses of each.
const MOST_SERVERS: usize = 16;

/// How many records of one name and type are used: a longer set is a burden and no answer.
const MOST_RECORDS: usize = 4096;

/// An alias on the way to the name that has the records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Passed {
    /// The CNAME or DNAME record.
    pub(super) set: RrSet,
    /// How much it is believed; None of a CNAME record that was made of a DNAME record, which is not kept.
    pub(super) rank: Option<Rank>,
}

/// What a reply means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Digest {
    /// Servers closer to the name, and how long the delegation may be kept, in seconds.
    Referral(Delegation, u32),
    /// The records, and how much they are believed.
    Answer(Vec<RrSet>, Rank),
    /// There are none: of this type, or of any type and below the name (NXDOMAIN). With the SOA record, if there is one.
    Negative {
        /// Whether the name does not exist at all.
        no_name: bool,
        /// The zone's SOA record.
        soa: Option<RrSet>,
    },
    /// The name is an alias of one that this reply says nothing more about.
    Alias,
    /// A CNAME record was asked for, and a DNAME record makes it (RFC 6672 section 3.2).
    MadeAlias,
    /// The alias of a DNAME record is too long for a name (RFC 6672 section 2.2).
    LongAlias,
    /// The reply is of no use.
    Useless(Fault),
}

/// The digest of a reply: the aliases, the name that they lead to, and what is said about that.
#[derive(Debug)]
pub(super) struct Digested {
    pub(super) passed: Vec<Passed>,
    pub(super) name: Owner,
    pub(super) digest: Digest,
    /// What was ignored.
    pub(super) faults: Vec<Fault>,
}

/// The digest of a reply of a server of `zone` to the query for `name`.
pub(super) fn digest(reply: Reply, zone: &Owner, name: &Owner, rtype: Rtype) -> Digested {
    let mut digested = Digested {
        passed: Vec::new(),
        name: name.clone(),
        digest: Digest::Alias,
        faults: Vec::new(),
    };
    let reply = digested.in_bailiwick(reply, zone);
    digested.digest = digested.meaning(&reply, zone, rtype);
    digested
}

impl Digested {
    /// The reply without what the server has no authority over. Of additional records only those that are addresses of the
    /// name servers matter, and of these a foreign one is worth mentioning.
    fn in_bailiwick(&mut self, mut reply: Reply, zone: &Owner) -> Reply {
        let mut foreign = |set: &RrSet| {
            let foreign = !set.owner.is_in(zone);
            if foreign && self.faults.len() < MOST_SERVERS {
                self.faults.push(Fault::OutOfBailiwick {
                    owner: set.owner.clone(),
                    rtype: set.rtype,
                    zone: zone.clone(),
                });
            }
            !foreign
        };
        for section in [
            &mut reply.answer,
            &mut reply.authority,
            &mut reply.additional,
        ] {
            section.retain(|set| set.data.len() <= MOST_RECORDS && foreign(set));
        }
        reply
    }

    fn meaning(&mut self, reply: &Reply, zone: &Owner, rtype: Rtype) -> Digest {
        match reply.rcode() {
            Rcode::NOERROR | Rcode::NXDOMAIN | Rcode::YXDOMAIN => {}
            Rcode::REFUSED | Rcode::NOTAUTH => {
                return Digest::Useless(Fault::Refused(zone.clone()));
            }
            Rcode::SERVFAIL => return Digest::Useless(Fault::Failure),
            other => return Digest::Useless(Fault::Code(other.to_string())),
        }
        if !reply.answer.is_empty() && !reply.authoritative {
            return Digest::Useless(Fault::NoAuthority(zone.clone()));
        }
        match self.through_aliases(reply, zone, rtype) {
            Ok(Some(sets)) => return Digest::Answer(sets, self.rank()),
            Ok(None) => {}
            Err(digest) => return digest,
        }
        if reply.rcode() == Rcode::YXDOMAIN {
            return Digest::Useless(Fault::Code("YXDOMAIN".into()));
        }
        if !self.name.is_in(zone) {
            return Digest::Alias;
        }
        self.nothing(reply, zone)
    }

    /// How much the next record in the answer is believed.
    fn rank(&self) -> Rank {
        // The CNAME record that is made of a DNAME record stands for it.
        let passed = self.passed.iter().filter(|passed| passed.rank.is_some());
        match passed.count() {
            0 => Rank::Answer,
            _ => Rank::AfterAlias,
        }
    }

    /// Follows the aliases in the answer; the records that they lead to, if these are there.
    fn through_aliases(
        &mut self,
        reply: &Reply,
        zone: &Owner,
        rtype: Rtype,
    ) -> Result<Option<Vec<RrSet>>, Digest> {
        let takes_alias = !matches!(rtype, Rtype::CNAME | Rtype::ANY);
        for _ in 0..=MOST_ALIASES {
            let here = |set: &&RrSet| set.owner == self.name;
            let alias = reply.answer.iter().filter(here);
            let alias = alias.clone().find(|set| set.rtype == Rtype::CNAME);
            if let Some(alias) = alias.filter(|_| takes_alias) {
                // A server may put the CNAME record of a DNAME record before that record.
                if !self.is_made_of_dname(reply, alias) {
                    let others = reply.answer.iter().filter(here);
                    if others
                        .clone()
                        .any(|set| set.rtype != Rtype::CNAME && !is_of_dnssec(set))
                    {
                        self.faults.push(Fault::BesideAlias(self.name.clone()));
                    }
                    if alias.data.len() > 1 {
                        return Err(Digest::Useless(Fault::SeveralAliases(self.name.clone())));
                    }
                    let Some(target) = alias.names().next() else {
                        return Ok(None);
                    };
                    let rank = Some(self.rank());
                    let set = alias.clone();
                    self.passed.push(Passed { set, rank });
                    self.name = target;
                    if !self.name.is_in(zone) {
                        return Ok(None);
                    }
                    continue;
                }
            } else if !alias.is_some_and(|alias| self.is_made_of_dname(reply, alias)) {
                let sets = reply.answer.iter().filter(here);
                let sets: Vec<RrSet> = sets
                    .filter(|set| set.rtype == rtype || rtype == Rtype::ANY)
                    .cloned()
                    .collect();
                if !sets.is_empty() {
                    return Ok(Some(sets));
                }
            }
            let dname = reply.answer.iter().find(|set| {
                set.rtype == Rtype::DNAME && set.owner != self.name && self.name.is_in(&set.owner)
            });
            let Some(dname) = dname else {
                return Ok(None);
            };
            let rank = Some(self.rank());
            let Some(made) = alias_of(dname, &self.name) else {
                let set = dname.clone();
                self.passed.push(Passed { set, rank });
                return Err(Digest::LongAlias);
            };
            self.name = made.names().next().expect("one name");
            self.passed.extend([
                Passed {
                    set: dname.clone(),
                    rank,
                },
                Passed {
                    set: made,
                    rank: None,
                },
            ]);
            if rtype == Rtype::CNAME {
                return Err(Digest::MadeAlias);
            }
            if !self.name.is_in(zone) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Whether a CNAME record is that of a DNAME record in the same answer.
    fn is_made_of_dname(&self, reply: &Reply, alias: &RrSet) -> bool {
        let above = |set: &&RrSet| {
            set.rtype == Rtype::DNAME && set.owner != self.name && self.name.is_in(&set.owner)
        };
        let made = reply.answer.iter().filter(above);
        made.filter_map(|dname| alias_of(dname, &self.name))
            .any(|made| made.data == alias.data)
    }

    /// A reply without records of the name: a referral, a negative answer, or of no use.
    fn nothing(&self, reply: &Reply, zone: &Owner) -> Digest {
        let soa = reply
            .authority
            .iter()
            .find(|set| set.rtype == Rtype::SOA && self.name.is_in(&set.owner));
        let servers = reply
            .authority
            .iter()
            .find(|set| set.rtype == Rtype::NS && self.name.is_in(&set.owner));
        let no_name = reply.rcode() == Rcode::NXDOMAIN;
        if soa.is_none() && !no_name {
            match servers {
                Some(servers) if servers.owner != *zone && servers.owner.is_in(zone) => {
                    return referral(reply, servers);
                }
                Some(servers) if !reply.authoritative => {
                    return Digest::Useless(Fault::Upward {
                        zone: zone.clone(),
                        to: servers.owner.clone(),
                    });
                }
                _ => {}
            }
        }
        match reply.authoritative {
            // The reply says of the alias whether its name exists, and not of a name that the server may not know.
            true if !self.passed.is_empty() && soa.is_none() => Digest::Alias,
            true => Digest::Negative {
                no_name,
                soa: soa.cloned(),
            },
            false => Digest::Useless(match self.upward(reply) {
                Some(to) => Fault::Upward {
                    zone: zone.clone(),
                    to,
                },
                None => Fault::NoAuthority(zone.clone()),
            }),
        }
    }

    /// The zone above its own that a server refers to.
    fn upward(&self, reply: &Reply) -> Option<Owner> {
        let is_ns = |set: &&RrSet| set.rtype == Rtype::NS;
        let named = reply.authority.iter().find(is_ns);
        let foreign = self.faults.iter().find_map(|fault| match fault {
            Fault::OutOfBailiwick { owner, rtype, .. } if *rtype == Rtype::NS => Some(owner),
            _ => None,
        });
        named.map(|set| set.owner.clone()).or(foreign.cloned())
    }
}

/// A delegation with its glue: the addresses of name servers that the reply has.
fn referral(reply: &Reply, servers: &RrSet) -> Digest {
    let mut ttl = servers.ttl;
    let named = servers.names().take(MOST_SERVERS).map(|name| {
        let is_address = |set: &&RrSet| matches!(set.rtype, Rtype::A | Rtype::AAAA);
        let glue = reply.additional.iter().filter(is_address);
        let glue: Vec<_> = glue.filter(|set| set.owner == name).collect();
        ttl = glue.iter().fold(ttl, |ttl, set| ttl.min(set.ttl));
        let addresses = glue.iter().flat_map(|set| set.addresses());
        NameServer {
            name: name.clone(),
            addresses: addresses.take(MOST_SERVERS).collect(),
        }
    });
    let delegation = Delegation {
        servers: named.collect(),
        zone: servers.owner.clone(),
    };
    Digest::Referral(delegation, ttl)
}

/// The CNAME record that a DNAME record gives a name below it (RFC 6672 section 3.3); None when it is too long.
pub(super) fn alias_of(dname: &RrSet, name: &Owner) -> Option<RrSet> {
    let target = dname.names().next()?;
    let made = name.rebased(&dname.owner, &target)?;
    let data = vec![made.as_slice().into()];
    Some(RrSet::new(name.clone(), Rtype::CNAME, dname.ttl, data))
}

/// Whether records may stand beside a CNAME record (RFC 4034 section 2.5).
fn is_of_dnssec(set: &RrSet) -> bool {
    matches!(set.rtype, Rtype::RRSIG | Rtype::NSEC | Rtype::KEY)
}
