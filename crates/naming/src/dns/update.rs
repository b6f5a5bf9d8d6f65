//! DNS UPDATE (RFC 2136): from a message to changes of the name space, all of them or none.
//!
//! An update adds and deletes values, symbolic links and delegations; directories are made and removed with them. Three record
//! types of the range for private use (RFC 6895 section 3.1) stand for what DNS does not have: a hard link, a rename, and a
//! subtree that moves to another server.

mod delegation;

use domain::base::{
    Message, ParsedName, Ttl,
    iana::{Class, Rcode, Rtype},
    message::RecordSection,
    rdata::ComposeRecordData,
};
use domain::rdata::AllRecordData;

pub use self::delegation::{DELEGATION, of_data, to_data};
use super::{
    owner::{Meant, Owner, Zones},
    publish::{compose, not_to_itself, push_value, value},
    zone::{Records, Zone, push_record},
};
use crate::{
    name::Place,
    space::{Entry, Space},
    value::{LONGEST_TTL, Values},
};

/// A hard link: the owner becomes a second name of the leaf that the data names.
pub const HARD_LINK: Rtype = Rtype::from_int(65_280);

/// A rename: the owner gets the name in the data.
pub const RENAME: Rtype = Rtype::from_int(65_281);

/// Why an update is refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// The code of the answer.
    pub rcode: Rcode,
    /// The reason, in words.
    pub why: String,
}

fn refused(rcode: Rcode, why: impl Into<String>) -> Refused {
    Refused {
        rcode,
        why: why.into(),
    }
}

/// A record of an update. Its data has the canonical form of its type (RFC 4034 section 6.2): names are uncompressed and in
/// lowercase, so equal data is equal octet by octet.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    owner: Owner,
    rtype: Rtype,
    class: Class,
    ttl: Ttl,
    data: Vec<u8>,
}

/// An update with valid syntax.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Update {
    prerequisites: Vec<Line>,
    changes: Vec<Line>,
}

impl Update {
    /// Reads an update of the zone of the names, without its signature.
    ///
    /// # Errors
    /// FORMERR, NOTAUTH for another zone, REFUSED for the zones of the addresses, NOTZONE for a name outside.
    pub fn parse(message: &[u8], zones: &Zones) -> Result<Self, Refused> {
        let malformed = || refused(Rcode::FORMERR, "malformed");
        let message = Message::from_octets(message).map_err(|_| malformed())?;
        if message.header_counts().qdcount() != 1 {
            return Err(refused(Rcode::FORMERR, "not exactly one zone"));
        }
        let zone = message.first_question().ok_or_else(malformed)?;
        if zone.qtype() != Rtype::SOA {
            return Err(refused(Rcode::FORMERR, "the zone is not given by its SOA"));
        }
        let apex = Owner::of(zone.qname());
        if apex != zones.names || zone.qclass() != Class::IN {
            return Err(match zones.reverse.contains(&apex) {
                true => refused(
                    Rcode::REFUSED,
                    "the zones of addresses follow the names and cannot be updated",
                ),
                false => refused(
                    Rcode::NOTAUTH,
                    format!("{apex} is not a zone of this server"),
                ),
            });
        }
        let lines = |section: RecordSection<'_, &[u8]>| -> Result<Vec<Line>, Refused> {
            section
                .map(|record| Line::parse(&record.map_err(|_| malformed())?).ok_or_else(malformed))
                .collect()
        };
        let update = Self {
            prerequisites: lines(message.prerequisite().map_err(|_| malformed())?)?,
            changes: lines(message.update().map_err(|_| malformed())?)?,
        };
        // The additional records must be well-formed too.
        lines(message.additional().map_err(|_| malformed())?)?;
        for line in update.prerequisites.iter().chain(&update.changes) {
            if !line.owner.is_in(&zones.names) {
                return Err(refused(
                    Rcode::NOTZONE,
                    format!("{} is not in the zone", line.owner),
                ));
            }
        }
        let formed = update.prerequisites.iter().all(Line::is_prerequisite)
            && update.changes.iter().all(Line::is_change);
        if formed {
            Ok(update)
        } else {
            Err(refused(
                Rcode::FORMERR,
                "a record without a meaning in an update",
            ))
        }
    }

    /// Checks the prerequisites and makes the changes. When one is refused, the caller rolls back the changes before it
    /// ([`Space::rollback`]).
    ///
    /// # Errors
    /// The code of the prerequisite that does not hold, or REFUSED and why.
    pub fn apply(&self, space: &mut Space, zone: &Zone) -> Result<(), Refused> {
        self.check(space, zone)?;
        self.changes
            .iter()
            .try_for_each(|line| line.change(space, zone))?;
        self.changes
            .iter()
            .try_for_each(|line| line.check_glue(space, zone))
    }

    /// Whether the serial of the zone is among the prerequisites: then it has to be published with all updates before.
    pub fn depends_on_serial(&self) -> bool {
        let mut all = self.prerequisites.iter();
        all.any(|line| line.class == Class::IN && line.rtype == Rtype::SOA)
    }

    /// RFC 2136 section 3.2.5.
    fn check(&self, space: &Space, zone: &Zone) -> Result<(), Refused> {
        let mut exact: Vec<(&Owner, Rtype, Vec<&[u8]>)> = Vec::new();
        for line in &self.prerequisites {
            let found = records(&line.owner, space, zone);
            let some = match line.rtype {
                Rtype::ANY => !found.is_empty(),
                rtype => Records(&found).first(rtype).is_some(),
            };
            let name = format!("{} {}", line.owner, line.rtype);
            match (line.class, line.rtype) {
                (Class::ANY, Rtype::ANY) if !some => {
                    return Err(refused(
                        Rcode::NXDOMAIN,
                        format!("{} does not exist", line.owner),
                    ));
                }
                (Class::ANY, _) if !some => {
                    return Err(refused(Rcode::NXRRSET, format!("{name} does not exist")));
                }
                (Class::NONE, Rtype::ANY) if some => {
                    return Err(refused(Rcode::YXDOMAIN, format!("{} exists", line.owner)));
                }
                (Class::NONE, _) if some => {
                    return Err(refused(Rcode::YXRRSET, format!("{name} exists")));
                }
                (Class::IN, rtype) => match exact
                    .iter_mut()
                    .find(|(owner, of, _)| **owner == line.owner && *of == rtype)
                {
                    Some((_, _, set)) => set.push(&line.data),
                    None => exact.push((&line.owner, rtype, vec![&line.data])),
                },
                _ => {}
            }
        }
        for (owner, rtype, mut wanted) in exact {
            let found = records(owner, space, zone);
            let mut found: Vec<&[u8]> = Records(&found).of(rtype).collect();
            found.sort_unstable();
            wanted.sort_unstable();
            wanted.dedup();
            if found != wanted {
                return Err(refused(
                    Rcode::NXRRSET,
                    format!("{owner} {rtype} has other data than required"),
                ));
            }
        }
        Ok(())
    }
}

/// The records of a name at this point of the update.
fn records(owner: &Owner, space: &Space, zone: &Zone) -> Vec<u8> {
    match zone.zones.meant(owner) {
        Meant::Nothing => Vec::new(),
        Meant::Apex => {
            // The values of the zone itself may have been changed since it was published.
            let mut records = Vec::new();
            let place = Place::apex();
            let entry = space.get(&place).filter(|_| *owner == zone.zones.names);
            let _ = compose(&zone.zones, space, &place, entry, &mut records);
            let published = zone.get(owner.as_slice()).unwrap_or_default();
            for (rtype, data) in published.filter(|(rtype, _)| !is_of_zone(*rtype)) {
                push_record(&mut records, rtype, data);
            }
            records
        }
        Meant::Place(place) => {
            let mut records = Vec::new();
            // A name too long for the zone has none.
            let _ = compose(&zone.zones, space, &place, space.get(&place), &mut records);
            records
        }
    }
}

/// Whether the zone itself can have records of this type by an update.
fn is_of_zone(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::TXT | Rtype::SRV)
}

impl Line {
    fn parse(record: &domain::base::ParsedRecord<'_, &[u8]>) -> Option<Self> {
        let mut data = Vec::new();
        if record.rdlen() > 0 {
            let whole = record
                .to_any_record::<AllRecordData<_, ParsedName<_>>>()
                .ok()?;
            whole
                .data()
                .compose_canonical_rdata(&mut data)
                .expect("a Vec has room for every record");
        }
        Some(Self {
            owner: Owner::of(&record.owner()),
            rtype: record.rtype(),
            class: record.class(),
            ttl: record.ttl(),
            data,
        })
    }

    fn is_meta(&self) -> bool {
        // Types of questions and of transactions are no data (RFC 6895 section 3.1); ANY has a meaning of its own here.
        matches!(self.rtype.to_int(), 0 | 41 | 128..=254)
    }

    /// RFC 2136 section 3.2.4.
    fn is_prerequisite(&self) -> bool {
        let class = match self.class {
            Class::ANY | Class::NONE => self.data.is_empty(),
            Class::IN => self.rtype != Rtype::ANY && !self.data.is_empty(),
            _ => false,
        };
        class && self.ttl.as_secs() == 0 && !self.is_meta()
    }

    /// RFC 2136 section 3.4.1.
    fn is_change(&self) -> bool {
        let class = match self.class {
            Class::IN => self.rtype != Rtype::ANY && !self.data.is_empty(),
            Class::ANY => self.ttl.as_secs() == 0 && self.data.is_empty(),
            Class::NONE => {
                self.ttl.as_secs() == 0 && self.rtype != Rtype::ANY && !self.data.is_empty()
            }
            _ => false,
        };
        class && !self.is_meta()
    }

    /// RFC 2136 section 3.4.2.
    fn change(&self, space: &mut Space, zone: &Zone) -> Result<(), Refused> {
        let zones = &*zone.zones;
        let ttl = self.ttl.as_secs();
        // A TTL with the highest bit is 0 (RFC 2181 section 8). That of the zone is not kept with the name.
        let ttl = if ttl > LONGEST_TTL { 0 } else { ttl };
        let ttl = (ttl != zone.ttl).then_some(ttl);
        let no = |why: String| refused(Rcode::REFUSED, why);
        let place = match zones.meant(&self.owner) {
            Meant::Place(place) => place,
            Meant::Apex
                if self.owner == zones.names
                    && (is_of_zone(self.rtype) || self.rtype == Rtype::ANY) =>
            {
                Place::apex()
            }
            // The SOA and NS records of the zone cannot be deleted; such a deletion is ignored.
            Meant::Apex if self.class != Class::IN || self.rtype == Rtype::SOA => return Ok(()),
            // "If there are other records, the CNAME is silently ignored."
            Meant::Apex if self.owner == zones.names && self.rtype == Rtype::CNAME => return Ok(()),
            Meant::Apex => {
                return Err(no(format!(
                    "{} has the records of the zone itself",
                    self.owner
                )));
            }
            Meant::Nothing if self.class != Class::IN => return Ok(()),
            Meant::Nothing => return Err(no(format!("{} cannot be a name", self.owner))),
        };
        let impossible = |refusal: crate::space::Refusal| no(refusal.to_string());
        let of_delegation = delegation::Change {
            place: &place,
            owner: &self.owner,
            class: self.class,
            rtype: self.rtype,
            ttl,
            data: &self.data,
        };
        if let Some(made) = of_delegation.make(space) {
            return made.map_err(|refusal| match self.rtype {
                DELEGATION => coded(&refusal),
                _ => impossible(refusal),
            });
        }
        let entry = space.get(&place);
        let symlink = match entry {
            Some(Entry::Symlink(target)) => Some((**target).clone()),
            _ => None,
        };
        let values = entry.and_then(|entry| space.values(entry)).cloned();
        match (self.class, self.rtype) {
            (Class::IN, Rtype::CNAME) => {
                let target = self.target(zones).map_err(no)?;
                match (symlink, values) {
                    (Some(old), _) if old.target == target && old.ttl == ttl => Ok(()),
                    (Some(_), _) => {
                        space.unregister(&place).map_err(impossible)?;
                        space.link_for(&place, target, ttl).map_err(impossible)
                    }
                    // "If there are other records, the CNAME is silently ignored."
                    (None, Some(_)) => Ok(()),
                    (None, None) => space.link_for(&place, target, ttl).map_err(impossible),
                }
            }
            (Class::IN, HARD_LINK) => {
                let old = self.target(zones).map_err(no)?;
                space.link(&place, &old).map_err(|refusal| coded(&refusal))
            }
            (Class::IN, RENAME) => {
                let to = self.target(zones).map_err(no)?;
                space.rename(&place, &to).map_err(|refusal| coded(&refusal))
            }
            (Class::IN, rtype) => {
                let value = value(rtype, &self.data).map_err(no)?;
                if symlink.is_some() {
                    return Ok(());
                }
                // All records of a type have the TTL that came last (RFC 2181 section 5.2).
                let values = match values {
                    Some(values) => values.with(value.clone()).map_err(no)?,
                    None => value.clone().into(),
                };
                let values = values.with_ttl(&value, ttl);
                space.set(&place, Some(values)).map_err(impossible)
            }
            // A symbolic link to a directory has a DNAME record; it is added and deleted as CNAME too.
            (Class::ANY, Rtype::ANY | Rtype::CNAME | Rtype::DNAME) if symlink.is_some() => {
                space.unregister(&place).map_err(impossible)
            }
            (Class::NONE, Rtype::CNAME | Rtype::DNAME) if symlink.is_some() => {
                match self.target(zones) {
                    Ok(target) if symlink.as_ref().is_some_and(|link| link.target == target) => {
                        space.unregister(&place).map_err(impossible)
                    }
                    _ => Ok(()),
                }
            }
            (Class::ANY, rtype) => self.delete(space, &place, values, |of, _| {
                rtype == Rtype::ANY || of == rtype
            }),
            (_, rtype) => self.delete(space, &place, values, |of, data| {
                of == rtype && data == self.data
            }),
        }
    }

    /// Refuses a delegation that an update leaves without an address, or with that of this server.
    fn check_glue(&self, space: &Space, zone: &Zone) -> Result<(), Refused> {
        let Meant::Place(place) = zone.zones.meant(&self.owner) else {
            return Ok(());
        };
        let Some(Entry::Delegation(delegation)) = space.get(&place) else {
            return Ok(());
        };
        if delegation.addresses().is_empty() {
            let why = "an NS record without an address; one update has both";
            return Err(refused(Rcode::REFUSED, format!("{place}: {why}")));
        }
        let apex = zone.get(zone.zones.names.as_slice()).unwrap_or_default();
        let mut addresses = apex.filter_map(|(rtype, data)| value(rtype, data).ok()?.address());
        addresses
            .try_for_each(|server| not_to_itself(&place, delegation, Some(server)))
            .map_err(|refusal| refused(Rcode::REFUSED, refusal.to_string()))
    }

    /// Removes the values that `removes` selects; the name is removed with the last one.
    fn delete(
        &self,
        space: &mut Space,
        place: &Place,
        values: Option<Values>,
        removes: impl Fn(Rtype, &[u8]) -> bool,
    ) -> Result<(), Refused> {
        let Some(values) = values else { return Ok(()) };
        let left = values.without(|value| {
            let mut record = Vec::new();
            push_value(&mut record, value);
            Records(&record)
                .next()
                .is_some_and(|(rtype, data)| removes(rtype, data))
        });
        if left.as_ref() == Some(&values) {
            return Ok(());
        }
        space
            .set(place, left)
            .map_err(|refusal| refused(Rcode::REFUSED, refusal.to_string()))
    }

    /// The place in the data.
    fn target(&self, zones: &Zones) -> Result<Place, String> {
        let wrong = || format!("a malformed {} record", self.rtype);
        let name = domain::base::Name::from_octets(self.data.as_slice()).map_err(|_| wrong())?;
        let target = Owner::from_wire(name.as_slice());
        match zones.meant(&target) {
            Meant::Place(place) => Ok(place),
            _ => Err(format!("{target} is not a name of the zone")),
        }
    }
}

/// A refusal with its code of RFC 2136.
fn coded(refusal: &crate::space::Refusal) -> Refused {
    let rcode = match refusal.reason {
        crate::space::Reason::Exists => Rcode::YXDOMAIN,
        crate::space::Reason::Missing => Rcode::NXDOMAIN,
        crate::space::Reason::Impossible => Rcode::REFUSED,
    };
    refused(rcode, refusal.to_string())
}
