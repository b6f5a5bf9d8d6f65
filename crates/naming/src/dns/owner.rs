//! The name spaces in DNS: places as domain names, and back.
//!
//! The flat name `server1` is `server1.flat.lab.`, the structured name `region1/server1` is `server1.region1.lab.`: DNS
//! writes a path from the leaf to the root. An address is a name in in-addr.arpa. (RFC 1035 section 3.5) or ip6.arpa. (RFC
//! 3596 section 2.5). Names are in wire format and lowercase throughout.

use std::{
    fmt::{self, Write},
    net::IpAddr,
    str::FromStr,
};

use domain::base::name::{Label, Name as DomainName, ToName};

use crate::name::{APEX, FLAT, Name, Place, idn, merged};

/// The longest domain name, in bytes on the wire (RFC 1035 section 2.3.4).
pub const LONGEST: usize = 255;

/// A domain name in wire format and lowercase.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Owner(Vec<u8>);

impl Owner {
    /// The name in wire format.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// A name from a wire format that may have capital letters.
    pub fn from_wire(name: &[u8]) -> Self {
        // The lengths of labels are below 64, where there are no letters, so they stay as they are.
        Self(name.to_ascii_lowercase())
    }

    /// A name of the crate `domain`, compressed or not.
    pub fn of(name: &impl ToName) -> Self {
        let mut wire = Vec::with_capacity(LONGEST);
        for label in name.iter_labels() {
            label
                .compose(&mut wire)
                .expect("a Vec has room for every label");
        }
        Self::from_wire(&wire)
    }

    /// The name for the crate `domain`.
    pub fn name(&self) -> DomainName<&[u8]> {
        DomainName::from_octets(self.0.as_slice()).expect("in wire format")
    }

    /// The same name below `to` in place of `from`, as a DNAME record has it (RFC 6672 section 2.2); None when it is not
    /// below `from`, or too long.
    pub fn rebased(&self, from: &Self, to: &Self) -> Option<Self> {
        let end = suffix_at(&self.0, &from.0).filter(|end| *end > 0)?;
        let name = [&self.0[..end], &to.0].concat();
        (name.len() <= LONGEST).then_some(Self(name))
    }

    /// Whether it is `zone` or a name in it.
    pub fn is_in(&self, zone: &Self) -> bool {
        suffix_at(&self.0, &zone.0).is_some()
    }
}

impl FromStr for Owner {
    type Err = String;

    /// Reads a name in the format of zone files (`server1.flat.lab.`), or one with names beyond ASCII (`grüße.flat.lab.`).
    fn from_str(text: &str) -> Result<Self, String> {
        let labels = text.split('.').map(|label| match label.is_ascii() {
            true => Ok(label.into()),
            false => Name::new(label)
                .map(|name| idn::ascii(&name).into_owned())
                .map_err(|bad| bad.to_string()),
        });
        let text = labels.collect::<Result<Vec<String>, String>>()?.join(".");
        let text = text.as_str();
        let name = DomainName::<Vec<u8>>::from_str(text);
        name.map(|name| Self::from_wire(name.as_slice()))
            .map_err(|error| error.to_string())
    }
}

/// As zone files write it, with the dot at the end; special characters are escaped (RFC 1035 section 5.1).
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.as_slice();
        if rest == [0] {
            f.write_str(".")?;
        }
        while let Some((length, after)) = rest.split_first()
            && *length > 0
        {
            let (label, after) = after.split_at(usize::from(*length));
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                        write!(f, "\\{}", char::from(*byte))?;
                    }
                    b'!'..=b'~' => f.write_char(char::from(*byte))?,
                    _ => write!(f, "\\{byte:03}")?,
                }
            }
            f.write_char('.')?;
            rest = after;
        }
        Ok(())
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The position in `name` where the labels of `zone` begin, when the name is in that zone.
pub fn suffix_at(name: &[u8], zone: &[u8]) -> Option<usize> {
    let from = name.len().checked_sub(zone.len())?;
    if &name[from..] != zone {
        return None;
    }
    let mut at = 0;
    while at < from {
        at += usize::from(name[at]) + 1;
    }
    (at == from).then_some(from)
}

/// A name in lowercase whose labels beyond ASCII are replaced by their A-labels (RFC 5890), as the zones have names; None
/// when that is too long, or the wire format is malformed.
pub fn internationalised(name: &[u8]) -> Option<Vec<u8>> {
    let mut wire = Vec::with_capacity(LONGEST);
    let mut rest = name;
    while let Some((length, after)) = rest.split_first()
        && *length > 0
    {
        let (label, after) = after.split_at_checked(usize::from(*length))?;
        let name = str::from_utf8(label).ok().filter(|text| !text.is_ascii());
        match name.and_then(|text| Name::new(text).ok()) {
            Some(name) => push_label(&mut wire, &idn::ascii(&name)),
            None => {
                wire.push(*length);
                wire.extend(label.to_ascii_lowercase());
            }
        }
        rest = after;
    }
    wire.push(0);
    (wire.len() <= LONGEST).then_some(wire)
}

/// The name without its first label; None for the root.
pub fn parent(name: &[u8]) -> Option<&[u8]> {
    match name.first() {
        None | Some(0) => None,
        Some(length) => name.get(usize::from(*length) + 1..),
    }
}

/// What a domain name stands for in the name spaces.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Meant {
    /// A place.
    Place(Place),
    /// The apex of the zone, or the domain of the flat names: not a place.
    Apex,
    /// A name that no place can have.
    Nothing,
}

/// The zones that are served: one for both name spaces, and two for addresses.
#[derive(Clone, Debug)]
pub struct Zones {
    /// The zone of the names, such as lab.
    pub names: Owner,
    /// in-addr.arpa. and ip6.arpa.
    pub reverse: [Owner; 2],
}

impl Zones {
    /// The zones, with this one for the names.
    ///
    /// # Errors
    /// When it is not the name of a zone, or leaves no room for names in it.
    pub fn new(names: &str) -> Result<Self, String> {
        let zone: Owner = names.parse()?;
        let reverse: [Owner; 2] =
            ["in-addr.arpa.", "ip6.arpa."].map(|name| name.parse().expect("a name"));
        if zone.0.len() < 2 {
            return Err("the root cannot be served".into());
        }
        if zone.0.len() > LONGEST - 100 {
            return Err("leaves no room for names".into());
        }
        if reverse
            .iter()
            .any(|reverse| reverse.is_in(&zone) || zone.is_in(reverse))
        {
            return Err("is reserved for the addresses".into());
        }
        Ok(Self {
            names: zone,
            reverse,
        })
    }

    /// All of them.
    pub fn all(&self) -> [&Owner; 3] {
        [&self.names, &self.reverse[0], &self.reverse[1]]
    }

    /// The position of a name's zone in [`Self::all`].
    pub fn index(&self, name: &[u8]) -> Option<usize> {
        self.all()
            .into_iter()
            .position(|zone| suffix_at(name, &zone.0).is_some())
    }

    /// The zone of a name.
    pub fn of(&self, name: &[u8]) -> Option<&Owner> {
        self.all()
            .into_iter()
            .find(|zone| suffix_at(name, &zone.0).is_some())
    }

    /// The domain name of a place.
    ///
    /// # Errors
    /// When it is too long for DNS in this zone.
    pub fn owner(&self, place: &Place) -> Result<Owner, String> {
        let mut wire = Vec::with_capacity(32);
        match place {
            Place::Flat(name) => {
                push_name(&mut wire, name);
                push_label(&mut wire, FLAT);
            }
            place if place.is_apex() => {}
            Place::Structured(names) => {
                for name in names.iter().rev() {
                    push_name(&mut wire, name);
                }
            }
        }
        wire.extend(&self.names.0);
        if wire.len() > LONGEST {
            return Err(format!(
                "{} bytes long in DNS, and at most {LONGEST} are possible",
                wire.len()
            ));
        }
        Ok(Owner(wire))
    }

    /// What a domain name in the zone of the names stands for.
    pub fn meant(&self, owner: &Owner) -> Meant {
        let Some(end) = suffix_at(&owner.0, &self.names.0) else {
            return Meant::Nothing;
        };
        let mut names = Vec::new();
        let mut at = 0;
        while at < end {
            let length = usize::from(owner.0[at]);
            let label = std::str::from_utf8(&owner.0[at + 1..at + 1 + length]);
            match label.map(Name::new) {
                Ok(Ok(name)) => names.push(name),
                _ => return Meant::Nothing,
            }
            at += length + 1;
        }
        names.reverse();
        let names = merged(names);
        match names.as_slice() {
            [] => Meant::Apex,
            [flat, rest @ ..] if flat.as_str() == FLAT => match rest {
                [] => Meant::Apex,
                [name] => Meant::Place(Place::Flat(name.clone())),
                _ => Meant::Nothing,
            },
            // A label of this text, which stands for the zone here.
            [apex, ..] if apex.host().unwrap_or(apex) == APEX => Meant::Nothing,
            _ => Meant::Place(Place::Structured(names)),
        }
    }
}

/// The domain name of an address.
pub fn of_address(address: IpAddr) -> Owner {
    let mut wire = Vec::with_capacity(74);
    match address {
        IpAddr::V4(address) => {
            for byte in address.octets().into_iter().rev() {
                // Written without std::fmt, for speed: a million names have a million addresses.
                let digits = [byte / 100, byte / 10 % 10, byte % 10];
                let from = digits.iter().position(|digit| *digit > 0).unwrap_or(2);
                wire.push(3 - from as u8);
                wire.extend(digits[from..].iter().map(|digit| b'0' + digit));
            }
            wire.extend(b"\x07in-addr\x04arpa\0");
        }
        IpAddr::V6(address) => {
            for byte in address.octets().into_iter().rev() {
                for nibble in [byte & 15, byte >> 4] {
                    wire.extend([1, b"0123456789abcdef"[usize::from(nibble)]]);
                }
            }
            wire.extend(b"\x03ip6\x04arpa\0");
        }
    }
    Owner(wire)
}

fn push_name(wire: &mut Vec<u8>, name: &Name) {
    for label in name.labels().rev() {
        push_label(wire, &idn::ascii(label));
    }
}

fn push_label(wire: &mut Vec<u8>, label: &str) {
    debug_assert!(label.len() <= Label::MAX_LEN);
    wire.push(label.len() as u8);
    wire.extend(label.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_domain_names_and_back() {
        let zones = Zones::new("Lab.").unwrap();
        for (place, owner) in [
            ("server1", "server1.flat.lab."),
            ("a.b", "a\\.b.flat.lab."),
            ("region1/server1", "server1.region1.lab."),
            ("/www", "www.lab."),
            ("a/b/c/d", "d.c.b.a.lab."),
            ("region1/*", "*.region1.lab."),
            ("region1/server1/_acme", "_acme.server1.region1.lab."),
            ("/_tcp/_sip/x", "x._sip._tcp.lab."),
            ("flat/server1/_acme", "_acme.server1.flat.lab."),
            ("region1/grüße", "xn--gre-6ka8l.region1.lab."),
            ("region1/ä.b", "\\195\\164\\.b.region1.lab."),
        ] {
            let place: Place = place.parse().unwrap();
            assert_eq!(zones.owner(&place).unwrap().to_string(), owner);
            assert_eq!(
                zones.meant(&owner.to_uppercase().parse().unwrap()),
                Meant::Place(place),
                "{owner}"
            );
        }
        for (owner, meant) in [
            ("lab.", Meant::Apex),
            ("flat.lab.", Meant::Apex),
            ("\\@.lab.", Meant::Nothing),
            ("a.\\@.lab.", Meant::Nothing),
            ("a.b.flat.lab.", Meant::Nothing),
            ("a\\255.lab.", Meant::Nothing),
            ("slab.", Meant::Nothing),
            ("lab.x.", Meant::Nothing),
        ] {
            assert_eq!(zones.meant(&owner.parse().unwrap()), meant, "{owner}");
        }
        assert_eq!(zones.owner(&Place::apex()).unwrap(), zones.names);
        let long: Place = format!("/{}", vec!["x".repeat(59); 4].join("/"))
            .parse()
            .unwrap();
        assert!(zones.owner(&long).is_ok());
        let zones = Zones::new("a-much-longer-name.example.").unwrap();
        assert!(
            zones
                .owner(&long)
                .unwrap_err()
                .contains("bytes long in DNS")
        );
    }

    #[test]
    fn addresses_have_names() {
        let name = |address: &str| of_address(address.parse().unwrap()).to_string();
        assert_eq!(name("192.168.1.20"), "20.1.168.192.in-addr.arpa.");
        assert_eq!(name("10.0.100.255"), "255.100.0.10.in-addr.arpa.");
        assert!(
            name("2001:db8::1").ends_with("8.b.d.0.1.0.0.2.ip6.arpa.")
                && name("2001:db8::1").starts_with("1.0.0.")
        );
    }

    #[test]
    fn impossible_zones_are_refused() {
        for bad in [".", "", "x..y", "10.in-addr.arpa.", "arpa.", "ip6.arpa."] {
            assert!(Zones::new(bad).is_err(), "{bad}");
        }
        let zones = Zones::new("lab").unwrap();
        assert_eq!(zones.of(b"\x01a\x03lab\0"), Some(&zones.names));
        assert_eq!(zones.of(b"\x01a\x04slab\0"), None);
    }
}
