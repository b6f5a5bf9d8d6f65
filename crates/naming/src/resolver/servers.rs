//! The servers of a zone, and which of them is asked next.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use domain::base::iana::Rtype;

use super::{cache::Delegation, fault::Fault, health::Health};
use crate::dns::owner::Owner;

/// How often a server that does not answer is asked.
const MOST_TRIES: u32 = 3;

/// How many addresses of a zone are used.
const MOST_ADDRESSES: usize = 32;

/// How many name servers of a zone have their address looked up: a delegation must not cause any number of queries (the
/// NXNS attack).
const MOST_LOOK_UPS: u32 = 4;

/// A server at an address.
#[derive(Clone, Debug)]
struct Candidate {
    address: SocketAddr,
    tries: u32,
    /// Whether it is of no use: lame, failed.
    ended: bool,
}

/// A name server of the zone.
#[derive(Clone, Debug)]
struct Named {
    name: Owner,
    /// The addresses that were given with the delegation.
    glue: Vec<SocketAddr>,
    /// The types of address that are still to be looked up, the next one last.
    left: Vec<Rtype>,
}

/// What to do next to ask a server of the zone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Next {
    /// Ask the server at this address; how often it was asked before.
    Ask(SocketAddr, u32),
    /// Look up the address of this name server.
    LookUp(Owner, Rtype),
    /// No server is left.
    None,
}

/// The servers of a zone.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    /// The zone.
    pub(super) zone: Owner,
    /// Whether the delegation was in the cache, so that it may be out of date.
    pub(super) from_cache: bool,
    names: Vec<Named>,
    candidates: Vec<Candidate>,
    looked_up: u32,
}

impl Servers {
    /// The servers of the root.
    pub(super) fn root(roots: &[SocketAddr]) -> Self {
        let root = Owner::from_wire(&[0]);
        let mut servers = Self::empty(root, false);
        roots.iter().for_each(|root| servers.add(*root));
        servers
    }

    /// The servers of a delegation, all at this port. `known` has the address of a name server as its own zone has it, which
    /// is believed more than glue.
    pub(super) fn of(
        delegation: Delegation,
        port: u16,
        from_cache: bool,
        mut known: impl FnMut(&Owner, Rtype) -> Vec<IpAddr>,
    ) -> Self {
        let mut servers = Self::empty(delegation.zone, from_cache);
        let at = |address: IpAddr| SocketAddr::new(address, port);
        for server in delegation.servers {
            let mut addresses = known(&server.name, Rtype::A);
            addresses.extend(known(&server.name, Rtype::AAAA));
            let found = !addresses.is_empty();
            addresses.into_iter().for_each(|ip| servers.add(at(ip)));
            let glue: Vec<_> = server.addresses.into_iter().map(at).collect();
            if !found {
                glue.iter().for_each(|address| servers.add(*address));
            }
            servers.names.push(Named {
                name: server.name,
                glue,
                left: if found {
                    vec![]
                } else {
                    vec![Rtype::AAAA, Rtype::A]
                },
            });
        }
        // Of IPv4 first: there is a route to it nearly everywhere.
        servers
            .candidates
            .sort_by_key(|candidate| candidate.address.is_ipv6());
        servers
    }

    fn empty(zone: Owner, from_cache: bool) -> Self {
        Self {
            zone,
            from_cache,
            names: Vec::new(),
            candidates: Vec::new(),
            looked_up: 0,
        }
    }

    fn add(&mut self, address: SocketAddr) {
        let is_known = self.candidates.iter().any(|known| known.address == address);
        if !is_known && self.candidates.len() < MOST_ADDRESSES {
            self.candidates.push(Candidate {
                address,
                tries: 0,
                ended: false,
            });
        }
    }

    /// The addresses of a name server that were looked up; when there are none, another type may have some, unless this was
    /// the last.
    pub(super) fn found(
        &mut self,
        name: &Owner,
        addresses: impl Iterator<Item = SocketAddr>,
        is_last: bool,
    ) {
        let before = self.candidates.len();
        addresses.for_each(|address| self.add(address));
        if (is_last || self.candidates.len() > before)
            && let Some(named) = self.names.iter_mut().find(|named| named.name == *name)
        {
            named.left.clear();
        }
    }

    /// A server at this address was asked.
    pub(super) fn asked(&mut self, address: SocketAddr) {
        if let Some(candidate) = self.at(address) {
            candidate.tries += 1;
        }
    }

    /// A server at this address is of no use for the zone.
    pub(super) fn end(&mut self, address: SocketAddr) {
        if let Some(candidate) = self.at(address) {
            candidate.ended = true;
        }
    }

    fn at(&mut self, address: SocketAddr) -> Option<&mut Candidate> {
        let mut candidates = self.candidates.iter_mut();
        candidates.find(|candidate| candidate.address == address)
    }

    /// The next step: servers that answer before those whose address has to be looked up, these before those that did not
    /// answer lately, and these before those that did not answer this time.
    pub(super) fn next(&mut self, health: &Health, now: Duration, faults: &mut Vec<Fault>) -> Next {
        let new = |candidate: &&Candidate| !candidate.ended && candidate.tries == 0;
        let answers = |candidate: &&Candidate| !health.is_silent(candidate.address, now);
        let untried = self.candidates.iter().filter(new);
        if let Some(next) = untried.clone().find(answers) {
            return Next::Ask(next.address, 0);
        }
        let silent = untried.map(|candidate| candidate.address).next();
        if let Some(next) = self.look_up(faults) {
            return next;
        }
        if let Some(silent) = silent {
            return Next::Ask(silent, 0);
        }
        let again = self.candidates.iter().filter(|candidate| !candidate.ended);
        match again.min_by_key(|candidate| candidate.tries) {
            Some(next) if next.tries < MOST_TRIES => Next::Ask(next.address, next.tries),
            _ => Next::None,
        }
    }

    /// The next name server whose address is not known, or whose glue leads to no server that is of use.
    fn look_up(&mut self, faults: &mut Vec<Fault>) -> Option<Next> {
        let candidates = &self.candidates;
        for named in &mut self.names {
            let works = |address: &SocketAddr| {
                let mut known = candidates.iter();
                known.any(|known| known.address == *address && !known.ended && known.tries == 0)
            };
            if named.left.is_empty() || named.glue.iter().any(works) {
                continue;
            }
            if named.name.is_in(&self.zone) {
                named.left.clear();
                if named.glue.is_empty() {
                    faults.push(Fault::NoGlue(named.name.clone()));
                }
                continue;
            }
            if self.looked_up == MOST_LOOK_UPS {
                return None;
            }
            self.looked_up += 1;
            let rtype = named.left.pop().unwrap_or(Rtype::A);
            return Some(Next::LookUp(named.name.clone(), rtype));
        }
        None
    }

    /// The servers in words: `ns.region1.lab. (127.0.0.2), ns2.lab.`.
    pub(super) fn words(&self) -> String {
        let names = self.names.iter().map(|named| {
            let glue = named.glue.iter().map(|address| address.ip().to_string());
            let glue: Vec<_> = glue.collect();
            match glue.is_empty() {
                true => named.name.to_string(),
                false => format!("{} ({})", named.name, glue.join(", ")),
            }
        });
        names.collect::<Vec<_>>().join(", ")
    }
}
