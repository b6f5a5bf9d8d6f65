//! Where the subtree below a name is when another server has it: a zone cut (RFC 1034 section 4.2.1).
//!
//! The name server of a delegated name is called as the name itself, as `naming serve --zone` calls its own, so a delegation is
//! the addresses of the servers. DNS gives no port: all servers of a name space use the same.

use std::{fmt, net::IpAddr};

use common::{text::visible, zone};

use crate::value::TTL;

/// How many addresses a delegation has at most: a referral to them fits in a datagram.
pub const MOST_ADDRESSES: usize = 20;

/// Before an address of a delegation, where it stands among the values of names.
pub const DELEGATE: &str = "delegate:";

/// The addresses of the servers that have a subtree.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Delegation {
    /// In order, each once.
    addresses: Vec<IpAddr>,
    /// How long others may keep it, in seconds, when it has a TTL of its own.
    pub ttl: Option<u32>,
}

impl Delegation {
    /// A delegation to these addresses.
    ///
    /// # Errors
    /// When there is none, there are too many, or a server cannot have one of them.
    pub fn new(addresses: impl IntoIterator<Item = IpAddr>) -> Result<Self, String> {
        let mut delegation = Self::default();
        for address in addresses {
            delegation = delegation.with(address)?;
        }
        match delegation.addresses.is_empty() {
            true => Err("no address of a server".into()),
            false => Ok(delegation),
        }
    }

    /// Reads addresses, each of which may be written once.
    ///
    /// # Errors
    /// As [`Self::new`], and what is wrong with an address.
    pub fn parse<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, String> {
        let mut delegation = Self::default();
        for text in texts {
            let address = address(text)?;
            if delegation.addresses.contains(&address) {
                return Err(format!("{address} is a duplicate"));
            }
            delegation = delegation.with(address)?;
        }
        Self::new(delegation.addresses)
    }

    /// The addresses, in order. A delegation without any is being made or ended.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }

    /// The same with one more address.
    ///
    /// # Errors
    /// When there are too many, or a server cannot have it.
    pub fn with(mut self, address: IpAddr) -> Result<Self, String> {
        check(address)?;
        if let Err(at) = self.addresses.binary_search(&address) {
            self.addresses.insert(at, address);
        }
        match self.addresses.len() {
            0..=MOST_ADDRESSES => Ok(self),
            count => Err(format!(
                "{count} addresses, and a delegation has at most {MOST_ADDRESSES}"
            )),
        }
    }

    /// The same without the addresses that `removes` selects.
    #[must_use]
    pub fn without(mut self, removes: impl Fn(IpAddr) -> bool) -> Self {
        self.addresses.retain(|address| !removes(*address));
        self
    }

    /// The same with a TTL of its own, in seconds, or without one.
    #[must_use]
    pub fn with_ttl(self, ttl: Option<u32>) -> Self {
        Self { ttl, ..self }
    }

    /// As a names file has it: `delegate:127.0.0.2`, and the TTL.
    pub fn texts(&self) -> Vec<String> {
        let addresses = self.addresses.iter();
        let addresses = addresses.map(|address| format!("{DELEGATE}{address}"));
        let ttl = self.ttl.map(|ttl| format!("{TTL}{ttl}"));
        addresses.chain(ttl).collect()
    }
}

/// `delegated to 127.0.0.2, 127.0.0.3`.
impl fmt::Display for Delegation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("delegated to ")?;
        for (index, address) in self.addresses.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{address}")?;
        }
        self.ttl.map_or(Ok(()), |ttl| write!(f, ", {TTL}{ttl}"))
    }
}

/// The address of a server, as a person writes it.
///
/// # Errors
/// When it is none.
pub fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        let shown = visible(text.as_bytes());
        let has_port = text.parse::<std::net::SocketAddr>().is_ok();
        match has_port {
            true => format!(
                "'{shown}' has a port; a delegation has none, as all servers of a name space use the same"
            ),
            false => format!("'{shown}' is not an IP address"),
        }
    })
}

/// Refuses an address that no single server has, or that nobody can use.
fn check(address: IpAddr) -> Result<(), String> {
    let why = match address.to_canonical() {
        address if address.is_unspecified() => "stands for every address",
        address if address.is_multicast() => "is the address of a group",
        IpAddr::V4(address) if address.is_broadcast() => "is the address of a group",
        address if zone::is_of_link(address) => {
            "is link-local, and of use only with its zone, which DNS cannot give"
        }
        _ => return Ok(()),
    };
    Err(format!("{address} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_is_a_set_of_addresses() {
        let parse = |text: &str| Delegation::parse(text.split(','));
        let delegation = parse("::2,127.0.0.3,127.0.0.2").unwrap();
        assert_eq!(
            delegation.to_string(),
            "delegated to 127.0.0.2, 127.0.0.3, ::2"
        );
        assert_eq!(
            delegation.clone().with_ttl(Some(300)).texts(),
            [
                "delegate:127.0.0.2",
                "delegate:127.0.0.3",
                "delegate:::2",
                "ttl:300"
            ]
        );
        let left = delegation.clone().without(|address| address.is_ipv4());
        assert_eq!(left, parse("::2").unwrap());
        assert_eq!(
            left.with("127.0.0.2".parse().unwrap()),
            parse("127.0.0.2,::2")
        );
        let many: Vec<_> = (1..=21).map(|last| format!("10.0.0.{last}")).collect();
        for (bad, why) in [
            ("", "'' is not an IP address"),
            ("localhost", "'localhost' is not an IP address"),
            ("127.0.0.2:5300", "'127.0.0.2:5300' has a port"),
            ("[::1]:5300", "has a port"),
            ("127.0.0.2,127.0.0.2", "127.0.0.2 is a duplicate"),
            ("0.0.0.0", "0.0.0.0 stands for every address"),
            ("::", ":: stands for every address"),
            ("224.0.0.1", "224.0.0.1 is the address of a group"),
            ("ff02::1", "is the address of a group"),
            ("255.255.255.255", "is the address of a group"),
            ("fe80::1", "fe80::1 is link-local"),
            (
                &many.join(","),
                "21 addresses, and a delegation has at most 20",
            ),
        ] {
            let error = parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert!(Delegation::new([]).is_err());
    }
}
