//! A name on its way to its records: through aliases, and from zone to zone.

use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};

use super::{
    cache::{Cache, Found},
    digest::alias_of,
    interface::Answer,
    rrset::RrSet,
    servers::Servers,
};
use crate::dns::owner::Owner;

/// How many aliases are followed in a row.
pub(super) const MOST_ALIASES: usize = 16;

/// What is being looked for.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    /// The name that was asked for.
    pub(super) asked: Owner,
    /// The name that it is an alias of, as far as is known.
    pub(super) name: Owner,
    /// The type of records.
    pub(super) rtype: Rtype,
    /// The aliases on the way.
    pub(super) passed: Vec<RrSet>,
    /// The servers of the zone that is closest to the name, once they are known.
    pub(super) servers: Option<Servers>,
    /// Whether a delegation of the cache was found to be out of date, and forgotten.
    pub(super) refreshed: bool,
}

/// What the cache says about a goal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Known {
    /// The end: the code, the records, the SOA record of a negative answer.
    End(Rcode, Vec<RrSet>, Option<RrSet>),
    /// An alias, whose target is the name now.
    Alias(RrSet),
    /// The alias that was asked for, which a DNAME record makes.
    MadeAlias(RrSet),
    /// An alias that is too long.
    LongAlias(RrSet),
    /// Nothing.
    Nothing,
}

/// An alias that leads nowhere: the names form a circle, or are too many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoEnd {
    /// The name was on the way before.
    Circle,
    /// There are more than [`MOST_ALIASES`].
    TooMany,
}

impl Goal {
    /// The answer: the aliases that were passed, then the records.
    pub(super) fn answer(self, rcode: Rcode, sets: Vec<RrSet>, soa: Option<RrSet>) -> Answer {
        let mut records = self.passed;
        records.extend(sets);
        Answer {
            rcode,
            records,
            soa,
        }
    }

    /// The answer where this alias makes a name that is too long.
    pub(super) fn too_long(mut self, dname: RrSet) -> Answer {
        self.passed.push(dname);
        self.answer(Rcode::YXDOMAIN, Vec::new(), None)
    }

    /// The records of this type of a name.
    pub(super) fn new(name: Owner, rtype: Rtype) -> Self {
        Self {
            asked: name.clone(),
            name,
            rtype,
            passed: Vec::new(),
            servers: None,
            refreshed: false,
        }
    }

    /// The name whose closest zone is asked: a DS record is in the zone above (RFC 4035 section 3.1.4.1).
    pub(super) fn zone_of(&self) -> Owner {
        let above = crate::dns::owner::parent(self.name.as_slice());
        match above {
            Some(above) if self.rtype == Rtype::DS => Owner::from_wire(above),
            _ => self.name.clone(),
        }
    }

    /// What the cache says about the name.
    pub(super) fn known(&self, cache: &mut Cache, now: Duration) -> Known {
        match cache.get(&self.name, self.rtype, now) {
            Some(Found::Records(set)) if self.rtype != Rtype::ANY => {
                return Known::End(Rcode::NOERROR, vec![set], None);
            }
            Some(Found::NoRecords(soa)) => return Known::End(Rcode::NOERROR, vec![], Some(soa)),
            Some(Found::NoName(soa)) => return Known::End(Rcode::NXDOMAIN, vec![], Some(soa)),
            _ => {}
        }
        if !matches!(self.rtype, Rtype::CNAME | Rtype::ANY)
            && let Some(Found::Records(alias)) = cache.get(&self.name, Rtype::CNAME, now)
        {
            return Known::Alias(alias);
        }
        match cache.dname(&self.name, now) {
            None => Known::Nothing,
            Some(dname) if alias_of(&dname, &self.name).is_none() => Known::LongAlias(dname),
            Some(dname) if self.rtype == Rtype::CNAME => Known::MadeAlias(dname),
            Some(dname) => Known::Alias(dname),
        }
    }

    /// Goes on with what an alias leads to: a CNAME record, or a DNAME record above the name.
    ///
    /// # Errors
    /// When that leads nowhere.
    pub(super) fn follow(&mut self, alias: RrSet) -> Result<(), NoEnd> {
        let (made, target) = match alias.rtype {
            Rtype::DNAME => {
                let made = alias_of(&alias, &self.name);
                let target = made.as_ref().and_then(|made| made.names().next());
                (made, target)
            }
            _ => (None, alias.names().next()),
        };
        let Some(target) = target else {
            return Err(NoEnd::Circle);
        };
        // The names so far are the owners of the CNAME records and the one that is left now.
        let aliases = self.passed.iter().filter(|set| set.rtype == Rtype::CNAME);
        let is_circle = target == self.name || aliases.clone().any(|set| set.owner == target);
        if is_circle {
            return Err(NoEnd::Circle);
        }
        if aliases.count() >= MOST_ALIASES {
            return Err(NoEnd::TooMany);
        }
        self.passed.push(alias);
        self.passed.extend(made);
        self.name = target;
        Ok(())
    }
}
