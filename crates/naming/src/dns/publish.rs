//! From the name spaces to the zones: the records of each place.
//!
//! The values of a leaf are A, AAAA and TXT records. A symbolic link is a CNAME record, or a DNAME record (RFC 6672) while it leads to
//! a directory. A delegation is an NS record, and the addresses of its servers as glue. An address has PTR records to the names that
//! have it. All hard links of a leaf have its records.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use domain::base::iana::Rtype;

use super::{
    difference::{Before, Differences, next_serial},
    owner::{Owner, Zones, of_address},
    zone::{Push, Records, Zone, build, first_records, push_record, push_timed},
};
use crate::{
    delegation::Delegation,
    name::Place,
    space::resolve::Node,
    space::{Entry, Reason, Refusal, Space},
    value::{Service, Text, Value, Values},
};

/// How many PTR records an address has at most.
pub const MOST_POINTERS: usize = 50;

/// What the zones need beside the names.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which zones.
    pub zones: Arc<Zones>,
    /// The TTL of all records, in seconds.
    pub ttl: u32,
    /// The address of the server, when it has a single one.
    pub address: Option<IpAddr>,
}

/// The zones of a whole space.
///
/// # Errors
/// When a name is too long for DNS in the zone.
pub fn publish(space: &Space, serial: u32, settings: &Settings) -> Result<Zone, Refusal> {
    let names = 2 * space.count();
    let mut zone = build(
        &settings.zones,
        settings.ttl,
        names,
        MOST_POINTERS,
        |push| push_names(space, settings, push),
    )?;
    number(&mut zone, space, [serial; 3], settings);
    Ok(zone)
}

/// Pushes every name with its records, and the names of its addresses.
fn push_names(space: &Space, settings: &Settings, push: Push<'_>) -> Result<(), Refusal> {
    let mut refused = None;
    let mut records = Vec::new();
    let mut pointer = Vec::new();
    space.each(|place, entry| {
        if place.is_apex() {
            return;
        }
        let composed = compose(&settings.zones, space, place, Some(entry), &mut records);
        let composed = composed.and_then(|owner| match entry {
            Entry::Delegation(delegation) => {
                not_to_itself(place, delegation, settings.address).map(|()| owner)
            }
            _ => Ok(owner),
        });
        let owner = match composed {
            Ok(owner) => owner,
            Err(refusal) => {
                refused.get_or_insert(refusal);
                return;
            }
        };
        push(owner.as_slice(), &records);
        for address in pointed(owner.as_slice(), Records(&records)) {
            pointer.clear();
            push_record(&mut pointer, Rtype::PTR, owner.as_slice());
            push(of_address(address).as_slice(), &pointer);
        }
    });
    refused.map_or(Ok(()), Err)
}

/// Refuses a delegation to the server itself, at this address.
///
/// # Errors
/// That it is one.
pub(crate) fn not_to_itself(
    place: &Place,
    delegation: &Delegation,
    server: Option<IpAddr>,
) -> Result<(), Refusal> {
    match server.filter(|server| delegation.addresses().contains(server)) {
        Some(server) => {
            let why = format!("delegated to {server}, which is this server itself");
            Err(Refusal::impossible(place, why))
        }
        None => Ok(()),
    }
}

/// Brings the records of the touched places up to date. The serials stay as they are: [`number`] sets them. Returns the
/// records as they were before.
///
/// # Errors
/// When a name is too long for DNS in the zone; the zones are unchanged then.
pub fn follow(
    zone: &mut Zone,
    space: &Space,
    touched: &BTreeSet<Place>,
    settings: &Settings,
) -> Result<Before, Refusal> {
    let mut following = Following {
        zone,
        before: Before::default(),
        short: BTreeSet::new(),
    };
    let mut records = Vec::new();
    // The record of a symbolic link depends on its target.
    let links = space.symlinks().filter(|place| !touched.contains(*place));
    let places = touched.iter().filter(|place| !place.is_apex());
    for place in places.chain(links) {
        if let Err(refusal) = following.update(space, place, &mut records) {
            following.before.restore(following.zone);
            return Err(refusal);
        }
    }
    following.fill_up();
    let Following {
        zone, mut before, ..
    } = following;
    if touched.contains(&Place::apex()) {
        let zones = Arc::clone(&zone.zones);
        let records = apex_records(&zones, &zones.names, space, zone.serials[0], settings);
        before.set(zone, zones.names.as_slice(), &records);
    }
    Ok(before)
}

/// The serials after these differences: that of each zone that differs moves by one.
pub fn next_serials(serials: [u32; 3], differences: &Differences) -> [u32; 3] {
    std::array::from_fn(|index| match differences[index].is_empty() {
        true => serials[index],
        false => next_serial(serials[index]),
    })
}

/// The domain name of a place; its records replace those in `records`.
pub(crate) fn compose(
    zones: &Zones,
    space: &Space,
    place: &Place,
    entry: Option<&Entry>,
    records: &mut Vec<u8>,
) -> Result<Owner, Refusal> {
    let owner = |named: &Place| {
        zones.owner(named).map_err(|why| Refusal {
            place: place.clone(),
            reason: Reason::Impossible,
            why,
        })
    };
    records.clear();
    match entry {
        None | Some(Entry::Directory(_)) => {}
        Some(Entry::Symlink(target)) => {
            let rtype = match space.follow(target) {
                // A wildcard has no names below it that another tree could have (RFC 6672 section 3.3).
                Some(Node::Directory(_) | Node::Delegation(_)) if place.name().as_str() != "*" => {
                    Rtype::DNAME
                }
                _ => Rtype::CNAME,
            };
            push_timed(records, rtype, target.ttl, owner(target)?.as_slice());
        }
        // The NS record comes first, by which `Records::are_a_cut` knows it.
        Some(Entry::Delegation(delegation)) => {
            push_timed(records, Rtype::NS, delegation.ttl, owner(place)?.as_slice());
            for address in delegation.addresses() {
                push_value_for(records, &(*address).into(), delegation.ttl);
            }
        }
        Some(leaf) => {
            if let Some(values) = space.values(leaf) {
                push_values(records, values);
            }
        }
    }
    owner(place)
}

/// Zones that follow the changes of the names.
struct Following<'z> {
    zone: &'z mut Zone,
    before: Before,
    /// Addresses that lost a pointer, and may have names without one.
    short: BTreeSet<IpAddr>,
}

impl Following<'_> {
    fn update(
        &mut self,
        space: &Space,
        place: &Place,
        records: &mut Vec<u8>,
    ) -> Result<(), Refusal> {
        let owner = compose(&self.zone.zones, space, place, space.get(place), records)?;
        let before = self.zone.get(owner.as_slice()).unwrap_or_default();
        if before.0 == records.as_slice() {
            return Ok(());
        }
        let before: Vec<_> = pointed(owner.as_slice(), before).collect();
        let now: Vec<_> = pointed(owner.as_slice(), Records(records)).collect();
        self.before.set(self.zone, owner.as_slice(), records);
        for address in before.iter().filter(|address| !now.contains(address)) {
            self.point(*address, &owner, false);
        }
        for address in now.iter().filter(|address| !before.contains(address)) {
            self.point(*address, &owner, true);
        }
        Ok(())
    }

    /// Adds the PTR record of an address to a name, or removes it.
    fn point(&mut self, address: IpAddr, owner: &Owner, points: bool) {
        let reverse = of_address(address);
        let before = self.zone.get(reverse.as_slice()).unwrap_or_default();
        let mut records = before.0.to_vec();
        if points {
            push_record(&mut records, Rtype::PTR, owner.as_slice());
            if let Some(first) = first_records(&records, MOST_POINTERS) {
                records = first;
            }
        } else {
            if before.count() >= MOST_POINTERS {
                self.short.insert(address);
            }
            records.clear();
            for (rtype, data) in before.filter(|(_, data)| *data != owner.as_slice()) {
                push_record(&mut records, rtype, data);
            }
        }
        self.before.set(self.zone, reverse.as_slice(), &records);
    }

    /// Gives each address that lost one of its [`MOST_POINTERS`] the pointers for which there was no room.
    fn fill_up(&mut self) {
        if self.short.is_empty() {
            return;
        }
        let mut missing: Vec<(IpAddr, Owner)> = Vec::new();
        self.zone.each(|name, records| {
            // The zone itself has no pointers.
            if name == self.zone.zones.names.as_slice() {
                return;
            }
            let found = pointed(name, records).filter(|address| self.short.contains(address));
            missing.extend(found.map(|address| (address, Owner::from_wire(name))));
        });
        for (address, owner) in missing {
            let reverse = of_address(address);
            let has = self.zone.get(reverse.as_slice()).unwrap_or_default();
            if !has.of(Rtype::PTR).any(|name| name == owner.as_slice()) {
                self.point(address, &owner, true);
            }
        }
    }
}

/// Appends the values of a name as records, with their TTLs.
pub fn push_values(records: &mut Vec<u8>, values: &Values) {
    for value in values.as_slice() {
        push_value_for(records, value, values.ttl_of(value));
    }
}

/// Appends a value as a record with the TTL of the zone.
pub fn push_value(records: &mut Vec<u8>, value: &Value) {
    push_value_for(records, value, None);
}

fn push_value_for(records: &mut Vec<u8>, value: &Value, ttl: Option<u32>) {
    match value {
        Value::V4(address) => push_timed(records, Rtype::A, ttl, &address.octets()),
        Value::V6(address) => push_timed(records, Rtype::AAAA, ttl, &address.octets()),
        Value::Text(text) => push_timed(records, Rtype::TXT, ttl, text.as_record()),
        Value::Service(service) => push_timed(records, Rtype::SRV, ttl, service.as_record()),
    }
}

/// The value that a record stands for.
///
/// # Errors
/// When a name cannot have such a record.
pub fn value(rtype: Rtype, data: &[u8]) -> Result<Value, String> {
    let wrong = || format!("a malformed {rtype} record");
    match rtype {
        Rtype::A => Ok(Value::V4(
            <[u8; 4]>::try_from(data).map_err(|_| wrong())?.into(),
        )),
        Rtype::AAAA => Ok(Value::V6(
            <[u8; 16]>::try_from(data).map_err(|_| wrong())?.into(),
        )),
        Rtype::TXT => Text::from_record(data)
            .ok_or_else(wrong)
            .and_then(Value::of_text),
        Rtype::SRV => Service::from_record(data)
            .map(Value::Service)
            .ok_or_else(wrong),
        _ => Err(format!(
            "records of type {rtype} are not supported; A, AAAA, TXT, SRV, CNAME and NS are"
        )),
    }
}

/// The addresses of a name that have a PTR record to it. A wildcard stands for any name, and glue is that of another zone.
fn pointed<'r>(owner: &[u8], records: Records<'r>) -> impl Iterator<Item = IpAddr> + use<'r> {
    let has_none = owner.starts_with(b"\x01*") || records.are_a_cut();
    let records = if has_none { Records(&[]) } else { records };
    records.filter_map(|(rtype, data)| match rtype {
        Rtype::A | Rtype::AAAA => value(rtype, data).ok()?.address(),
        _ => None,
    })
}

/// Gives each zone its serial, and its apex the records that it has with it.
pub fn number(zone: &mut Zone, space: &Space, serials: [u32; 3], settings: &Settings) {
    let zones = Arc::clone(&zone.zones);
    zone.serials = serials;
    for (apex, serial) in zones.all().into_iter().zip(serials) {
        let records = apex_records(&zones, apex, space, serial, settings);
        zone.set(apex.as_slice(), &records);
    }
}

/// The records of an apex: SOA and NS, the address of the server, and the values that the zone itself has.
fn apex_records(
    zones: &Zones,
    apex: &Owner,
    space: &Space,
    serial: u32,
    settings: &Settings,
) -> Vec<u8> {
    let server = zones.names.as_slice();
    let mut soa = server.to_vec();
    soa.extend(b"\x0ahostmaster");
    soa.extend(server);
    // Serial, refresh, retry, expire, and the TTL of negative answers (RFC 1035 section 3.3.13, RFC 2308).
    for figure in [serial, 60, 10, 604_800, settings.ttl] {
        soa.extend(figure.to_be_bytes());
    }
    let mut records = Vec::new();
    push_record(&mut records, Rtype::SOA, &soa);
    push_record(&mut records, Rtype::NS, server);
    if apex == &zones.names {
        if let Some(address) = settings.address {
            push_value(&mut records, &address.into());
        }
        let entry = space.get(&Place::apex());
        if let Some(values) = entry.and_then(|entry| space.values(entry)) {
            push_values(&mut records, values);
        }
    }
    records
}
