//! The names as a zone file, and what BIND refuses in it.

use std::fmt::{self, Write};

use common::exit::Failure;
use domain::base::iana::Rtype;

use crate::{
    dns::{
        owner::Owner,
        publish::{self, compose, publish},
        update::HARD_LINK,
        zone::{Records, push_record},
    },
    space::{Meaning, Refusal, Space},
    value::{Service, Text},
};

/// What BIND, as a primary with its default checks, refuses in the zone file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Problem {
    /// Names with addresses, or of services' hosts, that are no host names (RFC 952, RFC 1123 section 2.1), and one of them.
    HostNames(usize, String),
    /// The name server has no address in its zone.
    NoAddress,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostNames(1, name) => write!(f, "{name} is not a host name"),
            Self::HostNames(count, name) => {
                write!(f, "{count} names, such as {name}, are not host names")
            }
            Self::NoAddress => f.write_str("the name server has no address"),
        }?;
        f.write_str(match self {
            Self::HostNames(..) => "; BIND loads the zone only with: check-names ignore",
            Self::NoAddress => "; BIND loads the zone only with one: --listen ADDR:PORT",
        })
    }
}

/// What BIND refuses in the zone file of these names.
pub fn problems(space: &Space, settings: &publish::Settings) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut count = 0;
    let mut first = None;
    let mut found = |owner: Owner| {
        count += 1;
        first.get_or_insert(owner.to_string());
    };
    let apex = &settings.zones.names;
    // The apex is a name server.
    if !is_host_name(apex.as_slice()) {
        found(apex.clone());
    }
    let mut records = Vec::new();
    space.each(|place, entry| {
        let composed = compose(&settings.zones, space, place, Some(entry), &mut records);
        let Ok(owner) = composed else { return };
        let below = owner.as_slice().len() - apex.as_slice().len();
        let has_address = |(rtype, _): (Rtype, &[u8])| matches!(rtype, Rtype::A | Rtype::AAAA);
        if !is_host_name(&owner.as_slice()[..below]) && Records(&records).any(has_address) {
            found(owner);
        }
        // The target of a service is the name of a host.
        for (rtype, data) in Records(&records) {
            if let (Rtype::SRV, Some(target)) = (rtype, data.get(6..))
                && !is_host_name(target)
            {
                found(Owner::from_wire(target));
            }
        }
    });
    if let Some(first) = first {
        problems.push(Problem::HostNames(count, first));
    }
    if settings.address.is_none() {
        problems.push(Problem::NoAddress);
    }
    problems
}

/// Whether each label has letters, digits, and hyphens within; the first may be the wildcard.
fn is_host_name(wire: &[u8]) -> bool {
    let mut rest = wire.strip_prefix(b"\x01*").unwrap_or(wire);
    while let Some((length, after)) = rest.split_first() {
        let Some((label, after)) = after.split_at_checked(usize::from(*length)) else {
            return false;
        };
        let ends = [label.first(), label.last()];
        let hyphen_at_end = ends.into_iter().flatten().any(|byte| *byte == b'-');
        let known = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        if hyphen_at_end || !label.iter().all(known) {
            return false;
        }
        rest = after;
    }
    true
}

/// Writes the names as a zone file, line by line.
///
/// # Errors
/// When a name is too long for DNS in the zone (exit code 2).
pub fn export(
    space: &Space,
    serial: u32,
    settings: &publish::Settings,
    mut line: impl FnMut(String),
) -> Result<(), Failure> {
    let refused = |refusal: Refusal| Failure::could_not_run(&refusal.place, refusal.why);
    let zones = &settings.zones;
    for problem in problems(space, settings) {
        line(format!("; {problem}"));
    }
    line(format!(
        "$TTL {0} ; The names of {1}: flat ones below flat.{1}, structured ones from the leaf to the root.",
        settings.ttl, zones.names
    ));
    let empty = publish(&Space::default(), serial, settings).map_err(refused)?;
    for (rtype, data) in empty.get(zones.names.as_slice()).unwrap_or_default() {
        line(format!(
            "{} IN {rtype} {}",
            zones.names,
            data_as_text(rtype, data)
        ));
    }
    let mut records = Vec::new();
    for (place, meaning) in space.meanings() {
        let owner =
            compose(zones, space, &place, space.get(&place), &mut records).map_err(refused)?;
        if let Meaning::HardLink(first) = meaning {
            let first = zones
                .owner(first)
                .map_err(|why| Failure::could_not_run(first, why))?;
            push_record(&mut records, HARD_LINK, first.as_slice());
        }
        for (rtype, ttl, data) in Records(&records).own_ttls() {
            let ttl = ttl.map_or_else(String::new, |ttl| format!("{ttl} "));
            let data = data_as_text(rtype, data);
            line(format!("{owner} {ttl}IN {rtype} {data}"));
        }
    }
    Ok(())
}

/// The data of a record as zone files write it.
fn data_as_text(rtype: Rtype, data: &[u8]) -> String {
    let mut text = String::new();
    match rtype {
        Rtype::A | Rtype::AAAA => {
            return publish::value(rtype, data)
                .map(|value| value.to_string())
                .unwrap_or_default();
        }
        Rtype::CNAME | Rtype::DNAME | Rtype::NS => return Owner::from_wire(data).to_string(),
        Rtype::SOA => {
            let split = |wire: &[u8]| {
                let mut end = 0;
                while wire[end] > 0 {
                    end += usize::from(wire[end]) + 1;
                }
                end + 1
            };
            let (server, rest) = data.split_at(split(data));
            let (contact, figures) = rest.split_at(split(rest));
            text = format!("{} {}", Owner::from_wire(server), Owner::from_wire(contact));
            for figure in figures.chunks_exact(4) {
                let figure = figure
                    .iter()
                    .fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
                write!(text, " {figure}").expect("a String has room for every byte");
            }
        }
        Rtype::SRV => {
            return Service::from_record(data)
                .map(|service| service.to_string())
                .unwrap_or_default();
        }
        Rtype::TXT => {
            return Text::from_record(data)
                .map(|text| text.to_strings())
                .unwrap_or_default();
        }
        _ => {
            write!(text, "\\# {} ", data.len()).expect("a String has room for every byte");
            for byte in data {
                write!(text, "{byte:02x}").expect("a String has room for every byte");
            }
        }
    }
    text
}
