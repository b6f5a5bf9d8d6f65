//! From the name spaces to the zones: the records of each place.
//!
//! The values of a leaf are A, AAAA and TXT records. A symbolic link is a CNAME record, or a DNAME record (RFC 6672) while
//! it leads to a directory. An address has PTR records to the names that have it. All hard links of a leaf have its records.

use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

use domain::base::iana::Rtype;

use super::{
    owner::{Owner, Zones, of_address},
    zone::{Builder, Records, Zone, push_record, push_timed},
};
use crate::{
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
    let names = space.count();
    let mut builder = Builder::new(Arc::clone(&settings.zones), settings.ttl, names * 2);
    let mut refused = None;
    let mut records = Vec::new();
    let mut pointer = Vec::new();
    space.each(|place, entry| {
        if place.is_apex() {
            return;
        }
        let owner = match compose(&settings.zones, space, place, Some(entry), &mut records) {
            Ok(owner) => owner,
            Err(refusal) => {
                refused.get_or_insert(refusal);
                return;
            }
        };
        builder.push(owner.as_slice(), &records);
        for address in addresses(Records(&records)).filter(|_| !is_wildcard(&owner)) {
            pointer.clear();
            push_record(&mut pointer, Rtype::PTR, owner.as_slice());
            builder.push(of_address(address).as_slice(), &pointer);
        }
    });
    if let Some(refusal) = refused {
        return Err(refusal);
    }
    let mut zone = builder.finish(MOST_POINTERS);
    apexes(&mut zone, space, serial, settings);
    Ok(zone)
}

/// Brings the records of the touched places up to date, and increments the serial.
///
/// # Errors
/// When a name is too long for DNS in the zone; the zones are then inconsistent.
pub fn follow(
    zone: &mut Zone,
    space: &Space,
    touched: &BTreeSet<Place>,
    settings: &Settings,
) -> Result<(), Refusal> {
    let mut records = Vec::new();
    // The record of a symbolic link depends on its target.
    let links = space.symlinks().filter(|place| !touched.contains(*place));
    let places = touched.iter().filter(|place| !place.is_apex());
    for place in places.chain(links) {
        update(zone, space, place, space.get(place), &mut records)?;
    }
    apexes(zone, space, next_serial(zone.serial), settings);
    Ok(())
}

/// The serial after this one: never 0, which some servers take for none.
pub fn next_serial(serial: u32) -> u32 {
    serial.wrapping_add(1).max(1)
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
                Some(Node::Directory(_)) if place.name().as_str() != "*" => Rtype::DNAME,
                _ => Rtype::CNAME,
            };
            push_timed(records, rtype, target.ttl, owner(target)?.as_slice());
        }
        Some(leaf) => {
            if let Some(values) = space.values(leaf) {
                push_values(records, values);
            }
        }
    }
    owner(place)
}

fn update(
    zone: &mut Zone,
    space: &Space,
    place: &Place,
    entry: Option<&Entry>,
    records: &mut Vec<u8>,
) -> Result<(), Refusal> {
    let owner = compose(&zone.zones, space, place, entry, records)?;
    let before = zone.get(owner.as_slice()).unwrap_or_default();
    if before.0 == records.as_slice() {
        return Ok(());
    }
    let pointed = |records| addresses(records).filter(|_| !is_wildcard(&owner));
    let before: Vec<_> = pointed(before).collect();
    let now: Vec<_> = pointed(Records(records)).collect();
    for address in before.iter().filter(|address| !now.contains(address)) {
        point(zone, *address, &owner, false);
    }
    for address in now.iter().filter(|address| !before.contains(address)) {
        point(zone, *address, &owner, true);
    }
    zone.set(owner.as_slice(), records);
    Ok(())
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
            "records of type {rtype} are not supported; A, AAAA, TXT, SRV and CNAME are"
        )),
    }
}

/// A wildcard stands for any name, so that an address has no name from it.
fn is_wildcard(owner: &Owner) -> bool {
    owner.as_slice().starts_with(b"\x01*")
}

fn addresses(records: Records<'_>) -> impl Iterator<Item = IpAddr> {
    records.filter_map(|(rtype, data)| match rtype {
        Rtype::A | Rtype::AAAA => value(rtype, data).ok()?.address(),
        _ => None,
    })
}

/// Adds the PTR record of an address to a name, or removes it.
fn point(zone: &mut Zone, address: IpAddr, owner: &Owner, points: bool) {
    let reverse = of_address(address);
    let before = zone.get(reverse.as_slice()).unwrap_or_default();
    let mut records = Vec::with_capacity(before.0.len() + owner.as_slice().len() + 4);
    if points {
        if before.count() >= MOST_POINTERS {
            return;
        }
        records.extend(before.0);
        push_record(&mut records, Rtype::PTR, owner.as_slice());
    } else {
        for (rtype, data) in before.filter(|(_, data)| *data != owner.as_slice()) {
            push_record(&mut records, rtype, data);
        }
    }
    zone.set(reverse.as_slice(), &records);
}

/// The records of each apex: SOA and NS, the address of the server, and the values that the zone itself has.
fn apexes(zone: &mut Zone, space: &Space, serial: u32, settings: &Settings) {
    let zones = Arc::clone(&zone.zones);
    let server = zones.names.as_slice();
    zone.serial = serial;
    for apex in zones.all() {
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
        if let (true, Some(address)) = (apex == &zones.names, settings.address) {
            push_value(&mut records, &address.into());
        }
        if apex == &zones.names {
            let values = space
                .get(&Place::apex())
                .and_then(|entry| space.values(entry));
            let values = values.map(Values::as_slice).unwrap_or_default();
            values
                .iter()
                .for_each(|value| push_value(&mut records, value));
        }
        zone.set(apex.as_slice(), &records);
    }
}
