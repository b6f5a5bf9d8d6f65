//! The names that the records of a zone file make.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use domain::base::{Name as DomainName, iana::Rtype};

use super::{
    cuts::{Cuts, FoundValues, Servers},
    left_out::At,
};
use crate::{
    dns::{
        owner::{Meant, Owner, Zones},
        publish,
        update::HARD_LINK,
    },
    name::Place,
    space::{Refusal, Space},
    value::Values,
};

/// Why a record is not taken.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No server would take it.
    Malformed(String),
    /// Other servers take it; a name space cannot hold it.
    Unsupported(String),
    /// It is of another zone, as all records are where the zone's name is wrong.
    Outside(String),
    /// It is one of the zone's own records, which the name server makes itself.
    Apex,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) | Self::Unsupported(why) | Self::Outside(why) => why.fmt(f),
            Self::Apex => "the zone itself is no name".fmt(f),
        }
    }
}

/// A record that is not taken, or the first one that refuses the file.
pub(super) type Refused = (At, Trouble);

/// The names found so far.
#[derive(Default)]
pub(super) struct Found {
    values: FoundValues,
    servers: BTreeMap<Place, Servers>,
    hard: BTreeMap<Place, (Place, At)>,
    symbolic: BTreeMap<Place, (Place, At)>,
    /// The TTLs of symbolic links.
    link_ttls: BTreeMap<Place, u32>,
}

impl Found {
    /// Takes a record with its TTL in seconds, where it has one other than the default; without data its type is one whose data
    /// is not read.
    pub(super) fn take(
        &mut self,
        at: At,
        owner: &Owner,
        rtype: Rtype,
        ttl: Option<u32>,
        data: Option<&[u8]>,
        zones: &Zones,
    ) -> Result<(), Trouble> {
        let unsupported = |why: String| Err(Trouble::Unsupported(why));
        let place = match zones.meant(owner) {
            Meant::Place(place) => place,
            Meant::Apex if *owner == zones.names && matches!(rtype, Rtype::TXT | Rtype::SRV) => {
                Place::apex()
            }
            Meant::Apex => return Err(Trouble::Apex),
            Meant::Nothing if !owner.is_in(&zones.names) => {
                return Err(Trouble::Outside(format!(
                    "{owner} is not in the zone {}",
                    zones.names
                )));
            }
            Meant::Nothing => return unsupported(format!("{owner} cannot be a name")),
        };
        let target = |data: &[u8]| {
            DomainName::from_octets(data)
                .map_err(|_| Trouble::Malformed(format!("a malformed {rtype} record")))?;
            match zones.meant(&Owner::from_wire(data)) {
                Meant::Place(target) => Ok(target),
                _ => Err(Trouble::Unsupported(format!(
                    "{owner} is an alias of a name outside the zone"
                ))),
            }
        };
        let once =
            |links: &mut BTreeMap<Place, (Place, At)>, place: Place, target: Place| match links
                .get(&place)
            {
                Some((other, _)) if *other != target => {
                    Err(Trouble::Malformed(format!("{owner} has two aliases")))
                }
                Some(_) => Ok(()),
                None => {
                    links.insert(place, (target, at));
                    Ok(())
                }
            };
        match (rtype, data) {
            (Rtype::NS, Some(data)) => {
                DomainName::from_octets(data)
                    .map_err(|_| Trouble::Malformed(format!("a malformed {rtype} record")))?;
                let server = (Owner::from_wire(data), ttl, at);
                self.servers.entry(place).or_default().push(server);
                Ok(())
            }
            (HARD_LINK, Some(data)) => once(&mut self.hard, place, target(data)?),
            (Rtype::CNAME | Rtype::DNAME, Some(data)) => {
                if let (Some(ttl), None) = (ttl, self.symbolic.get(&place)) {
                    self.link_ttls.insert(place.clone(), ttl);
                }
                once(&mut self.symbolic, place, target(data)?)
            }
            (Rtype::A | Rtype::AAAA | Rtype::TXT | Rtype::SRV, Some(data)) => {
                let value = publish::value(rtype, data).map_err(Trouble::Malformed)?;
                self.values.entry(place).or_default().push((value, ttl, at));
                Ok(())
            }
            (rtype, data) => {
                let value = publish::value(rtype, data.unwrap_or_default())
                    .map_err(Trouble::Unsupported)?;
                self.values.entry(place).or_default().push((value, ttl, at));
                Ok(())
            }
        }
    }

    /// The name spaces with these names. What they cannot hold goes to `refused`, which ends the work with an error.
    pub(super) fn space<E>(
        mut self,
        zones: &Zones,
        mut refused: impl FnMut(Refused) -> Result<(), E>,
    ) -> Result<Space, E> {
        let mut space = Space::default();
        let held = |refusal: Refusal| Trouble::Unsupported(refusal.to_string());
        let mut cuts = Cuts::of(std::mem::take(&mut self.servers), &self.values, zones);
        self.values
            .retain(|place, values| !cuts.hide_values(place, values));
        self.hard.retain(|place, (_, at)| !cuts.hide(place, *at));
        self.symbolic
            .retain(|place, (_, at)| !cuts.hide(place, *at));
        for (at, why) in cuts.refused {
            refused((at, Trouble::Unsupported(why)))?;
        }
        for (place, values) in self.values {
            // A hard link shows the records of its leaf.
            if self.hard.contains_key(&place) {
                continue;
            }
            let mut kept: Option<Values> = None;
            let mut lines = Vec::new();
            for (value, ttl, at) in values {
                let more = match &kept {
                    None => Ok(Values::from(value.clone()).with_ttl(&value, ttl)),
                    Some(kept) if kept.as_slice().contains(&value) => continue,
                    // As in BIND, the first record of a type has the TTL of all.
                    Some(kept) if kept.has_kind_of(&value) => kept.with(value),
                    Some(kept) => kept
                        .with(value.clone())
                        .map(|kept| kept.with_ttl(&value, ttl)),
                };
                match more {
                    Ok(more) => {
                        kept = Some(more);
                        lines.push(at);
                    }
                    // What is too much comes last.
                    Err(why) => refused((at, Trouble::Unsupported(format!("{place}: {why}"))))?,
                }
            }
            if let Some(kept) = kept
                && let Err(refusal) = space.register(&place, kept)
            {
                for at in lines {
                    refused((at, held(refusal.clone())))?;
                }
            }
        }
        for (place, (delegation, at)) in cuts.delegations {
            if let Err(refusal) = space.delegate(&place, delegation) {
                refused((at, held(refusal)))?;
            }
        }
        // The first name of a leaf is not a link.
        let firsts: BTreeSet<_> = self.hard.values().map(|(first, _)| first.clone()).collect();
        for (place, (first, at)) in self.hard {
            if firsts.contains(&place) {
                let why = format!("{place}: a hard link to a hard link");
                refused((at, Trouble::Unsupported(why)))?;
            } else if let Err(refusal) = space.link(&place, &first) {
                refused((at, held(refusal)))?;
            }
        }
        for (place, (target, at)) in self.symbolic {
            let ttl = self.link_ttls.get(&place).copied();
            if let Err(refusal) = space.link_for(&place, target, ttl) {
                refused((at, held(refusal)))?;
            }
        }
        Ok(space)
    }
}
