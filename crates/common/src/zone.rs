//! Zones of IPv6 addresses: a link-local address is one of a link, and its zone is the interface to it (RFC 4007).

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6},
    str::FromStr,
};

use crate::{
    sys::interfaces::{self, EXAMPLE, LOOPBACK},
    text::{did_you_mean, visible},
};

/// How many interfaces an error names.
const NAMED: usize = 12;

/// An address with the zone that was written after it, `fe80::1%eth0`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Scoped {
    ip: IpAddr,
    zone: Option<String>,
}

impl FromStr for Scoped {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, zone) = match text.split_once('%') {
            Some((address, zone)) => (address, Some(zone)),
            None => (text, None),
        };
        let Ok(ip) = address.parse::<IpAddr>() else {
            let family = if text.contains(':') { "IPv6" } else { "IP" };
            return Err(format!(
                "'{}' is no {family} address",
                visible(address.as_bytes())
            ));
        };
        match zone {
            Some("") => Err(format!(
                "no zone after {ip}%: an interface, such as {ip}%{EXAMPLE}"
            )),
            Some(zone) if !is_of_link(ip) => Err(format!(
                "{ip} is no link-local address and has no zone; write it without %{}",
                visible(zone.as_bytes())
            )),
            zone => Ok(Self {
                ip,
                zone: zone.map(str::to_owned),
            }),
        }
    }
}

impl fmt::Display for Scoped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ip)?;
        match &self.zone {
            Some(zone) => write!(f, "%{}", visible(zone.as_bytes())),
            None => Ok(()),
        }
    }
}

impl From<IpAddr> for Scoped {
    fn from(ip: IpAddr) -> Self {
        Self { ip, zone: None }
    }
}

impl Scoped {
    /// The address.
    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// Its zone as it was written: an interface's name or number.
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The number of the interface that the zone names; None without a zone.
    ///
    /// # Errors
    /// When there is no such interface.
    pub fn index(&self) -> Result<Option<u32>, String> {
        self.zone.as_deref().map(index).transpose()
    }

    /// The socket address of this port.
    ///
    /// # Errors
    /// When the zone is unknown, or missing where one is needed.
    pub fn at(&self, port: u16) -> Result<SocketAddr, String> {
        let scope = self.index()?;
        match (self.ip, scope) {
            (IpAddr::V6(ip), Some(scope)) => Ok(SocketAddrV6::new(ip, port, 0, scope).into()),
            (ip, _) if is_of_link(ip) => {
                let names = names();
                let example = names.iter().find(|name| *name != LOOPBACK);
                let example = example.map_or(EXAMPLE, String::as_str);
                Err(format!(
                    "a link-local address needs its zone, such as {ip}%{example}; {}",
                    listed(&names)
                ))
            }
            (ip, _) => Ok(SocketAddr::new(ip, port)),
        }
    }
}

/// Whether an address is one of a link, or of one interface: each link has its own such addresses (RFC 4291 sections
/// 2.5.6 and 2.7).
pub fn is_of_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => is_link_local(ip) || (ip.is_multicast() && ip.octets()[1] & 0xf <= 2),
    }
}

/// Whether an address is one of fe80::/10.
pub fn is_link_local(ip: Ipv6Addr) -> bool {
    ip.segments()[0] & 0xffc0 == 0xfe80
}

/// The name of the interface with this number.
pub fn name(index: u32) -> Option<String> {
    interfaces::name(index)
}

/// The number of an interface that is named or numbered so.
///
/// # Errors
/// When there is no such interface; the error names those that there are.
pub fn index(zone: &str) -> Result<u32, String> {
    // A name of digits is a name first, as in getaddrinfo(3).
    if let Some(index) = interfaces::index(zone).or_else(|| interfaces::alias(zone)) {
        return Ok(index);
    }
    let known = interfaces::named();
    let numbered = zone
        .parse::<u32>()
        .ok()
        .filter(|_| zone.bytes().all(|byte| byte.is_ascii_digit()));
    if let Some(number) = numbered
        && known.iter().any(|(index, _)| *index == number)
    {
        return Ok(number);
    }
    let names = names();
    let shown = visible(zone.as_bytes());
    let what = match numbered {
        Some(_) => format!("no interface has the number {shown}"),
        None => format!("no interface is called {shown}"),
    };
    let near = did_you_mean(zone, names.iter().map(String::as_str));
    Err(format!("{what}; {}{near}", listed(&names)))
}

/// The names of this machine's interfaces.
fn names() -> Vec<String> {
    interfaces::named()
        .into_iter()
        .map(|(_, name)| name)
        .collect()
}

/// `there are lo, eth0`.
fn listed(names: &[String]) -> String {
    let shown: Vec<_> = names
        .iter()
        .take(NAMED)
        .map(|name| visible(name.as_bytes()))
        .collect();
    let more = match names.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match names {
        [] => "there is none".into(),
        [one] => format!("there is {}", visible(one.as_bytes())),
        _ => format!("there are {}{more}", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let at = text.parse::<Scoped>().and_then(|scoped| scoped.at(1));
        at.unwrap_err()
    }

    #[test]
    fn a_zone_is_an_interface_by_name_or_number() {
        let lo = interfaces::index("lo").unwrap();
        for (text, expected) in [
            ("fe80::1%lo", format!("[fe80::1%{lo}]:7")),
            (&format!("fe80::1%{lo}"), format!("[fe80::1%{lo}]:7")),
            ("ff02::5007%lo", format!("[ff02::5007%{lo}]:7")),
            ("2001:db8::1", "[2001:db8::1]:7".into()),
            ("127.0.0.1", "127.0.0.1:7".into()),
        ] {
            let scoped: Scoped = text.parse().unwrap();
            assert_eq!(scoped.at(7).unwrap().to_string(), expected);
            assert_eq!(scoped.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_zone_is_named() {
        for (text, why) in [
            ("fe80::1%nope", "no interface is called nope; there "),
            ("fe80::1%99999", "no interface has the number 99999; there "),
            ("fe80::1%0", "no interface has the number 0; there "),
            ("fe80::1%", "no zone after fe80::1%: an interface, "),
            (
                "fe80::1",
                "a link-local address needs its zone, such as fe80::1%",
            ),
            (
                "2001:db8::1%lo",
                "2001:db8::1 is no link-local address and has no zone; write it without %lo",
            ),
            ("::1%lo", "::1 is no link-local address and has no zone; "),
            (
                "127.0.0.1%lo",
                "127.0.0.1 is no link-local address and has no zone; ",
            ),
            ("ff15::1%lo", "ff15::1 is no link-local address "),
            ("fe80::1::2%lo", "'fe80::1::2' is no IPv6 address"),
            ("server%lo", "'server' is no IP address"),
            ("fe80::1%\x1b[2J", "no interface is called \\x1b[2J; there "),
        ] {
            let refused = refused(text);
            assert!(refused.starts_with(why), "{text}: {refused}");
        }
    }
}
