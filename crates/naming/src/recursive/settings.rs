//! What a recursive server is to do, and who may ask it.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use common::{json, text::visible};
use serde::{Deserialize, Deserializer};

use crate::resolver::Roots;

/// How long one resolution may take: less than the five seconds after which clients ask again.
pub(super) const LIMIT: Duration = Duration::from_secs(4);

/// The settings.
#[derive(Debug)]
pub struct Settings {
    /// The servers of the root.
    pub roots: Roots,
    /// The size of the cache, in bytes.
    pub cache: usize,
    /// Who may ask beside this machine.
    pub allow: Vec<Network>,
    /// How many TCP connections there may be at once.
    pub max_clients: usize,
    /// How long a TCP connection may be idle.
    pub timeout: Duration,
}

impl Settings {
    /// Whether a client may ask: this machine always may.
    pub(super) fn allows(&self, client: IpAddr) -> bool {
        let client = client.to_canonical();
        client.is_loopback() || self.allow.iter().any(|network| network.has(client))
    }
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in it.
    pub fn has(&self, address: IpAddr) -> bool {
        let same = |a: u128, b: u128, length: u32| {
            let rest = length - u32::from(self.bits);
            a.checked_shr(rest).unwrap_or(0) == b.checked_shr(rest).unwrap_or(0)
        };
        match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(a.to_bits().into(), b.to_bits().into(), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits(), b.to_bits(), 128),
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads `192.0.2.0/24`, `2001:db8::/32`, or one address.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{}' is no network, such as 192.0.2.0/24 or 2001:db8::/32",
                visible(text.as_bytes())
            )
        };
        let (address, bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, bits)) => (address, Some(bits)),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_with_its_bits() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("2001:db8::/32", "2001:db8:1::", "2001:db9::"),
            ("0.0.0.0/0", "203.0.113.7", "::1"),
            ("::/0", "2001:db8::1", "127.0.0.1"),
        ] {
            let network: Network = network.parse().unwrap();
            assert!(network.has(inside.parse().unwrap()), "{network} {inside}");
            assert!(
                !network.has(outside.parse().unwrap()),
                "{network} {outside}"
            );
        }
        for bad in ["", "lab", "10.0.0.0/33", "10.0.0.0/x", "::/129", "10.0.0/8"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
