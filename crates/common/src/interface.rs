//! The machine's network interfaces and their IPv4 addresses.

use std::{
    fmt, io,
    net::{Ipv4Addr, UdpSocket},
};

use nix::{ifaddrs::getifaddrs, net::if_::InterfaceFlags};

use crate::{
    exit::{Failure, why},
    text::{did_you_mean, visible},
};

/// An interface of this machine with one of its IPv4 addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// Its name, `lo` or `eth0`.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// The address that reaches everybody on its network.
    pub broadcast: Option<Ipv4Addr>,
    /// Whether nothing that goes out on it leaves this machine.
    pub loopback: bool,
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

impl Interface {
    /// The interface that `word` names: by its address, by its name, or `default`, the one to which the kernel
    /// routes `group`. None is the loopback interface.
    ///
    /// # Errors
    /// `--interface WORD: why` (exit code 2).
    pub fn find(word: Option<&str>, group: Ipv4Addr) -> Result<Self, Failure> {
        let all = Self::all().map_err(|error| Failure::could_not_run("interfaces", why(&error)))?;
        let address = match word {
            Some("default") => Some(routed(group).map_err(|error| {
                let why = format!(
                    "{}; no route leads to {group}, so name an interface",
                    why(&error)
                );
                Failure::could_not_run("--interface default", why)
            })?),
            word => word.and_then(|word| word.parse().ok()),
        };
        let found = all.iter().find(|interface| match (address, word) {
            (Some(address), _) => interface.address == address,
            (None, Some(name)) => interface.name == name,
            (None, None) => interface.loopback,
        });
        found.cloned().ok_or_else(|| {
            let Some(word) = word else {
                return Failure::could_not_run(
                    "loopback interface",
                    "none is up; name an interface with --interface",
                );
            };
            let known: Vec<_> = all.iter().map(Self::to_string).collect();
            let near = did_you_mean(word, all.iter().map(|interface| interface.name.as_str()));
            let why = format!(
                "no such interface with an IPv4 address; there are {}{near}",
                known.join(", ")
            );
            Failure::could_not_run(format!("--interface {}", visible(word.as_bytes())), why)
        })
    }

    /// Every IPv4 address of every interface that is up.
    fn all() -> io::Result<Vec<Self>> {
        let addresses =
            getifaddrs()?.filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP));
        let of_interface = |interface: nix::ifaddrs::InterfaceAddress| {
            Some(Self {
                address: interface.address?.as_sockaddr_in()?.ip(),
                loopback: interface.flags.contains(InterfaceFlags::IFF_LOOPBACK),
                broadcast: interface
                    .broadcast
                    .filter(|_| interface.flags.contains(InterfaceFlags::IFF_BROADCAST))
                    .and_then(|broadcast| Some(broadcast.as_sockaddr_in()?.ip())),
                name: interface.interface_name,
            })
        };
        Ok(addresses.filter_map(of_interface).collect())
    }

    /// The address of a broadcast on this interface: on loopback, which has none of its own, the last address of
    /// 127.0.0.0/8 (RFC 1122 section 3.2.1.3).
    pub fn broadcast_address(&self) -> Ipv4Addr {
        match self.broadcast {
            _ if self.loopback => Ipv4Addr::new(127, 255, 255, 255),
            Some(broadcast) => broadcast,
            None => Ipv4Addr::BROADCAST,
        }
    }
}

/// The address from which the kernel would send to `group`; asking sends nothing.
fn routed(group: Ipv4Addr) -> io::Result<Ipv4Addr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    // Any port will do: the route depends on the address alone.
    socket.connect((group, 9))?;
    match socket.local_addr()?.ip() {
        std::net::IpAddr::V4(address) => Ok(address),
        std::net::IpAddr::V6(_) => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interfaces_are_found_by_address_and_name() {
        let lo = Interface::find(None, Ipv4Addr::new(224, 1, 1, 1)).unwrap();
        assert!(lo.loopback && lo.address.is_loopback());
        assert_eq!(
            Interface::find(Some("127.0.0.1"), Ipv4Addr::new(224, 1, 1, 1)).unwrap(),
            lo
        );
        assert_eq!(
            Interface::find(Some(&lo.name), Ipv4Addr::new(224, 1, 1, 1)).unwrap(),
            lo
        );
        assert_eq!(lo.broadcast_address(), Ipv4Addr::new(127, 255, 255, 255));
        let failure = Interface::find(Some("l0"), Ipv4Addr::new(224, 1, 1, 1))
            .unwrap_err()
            .to_string();
        assert!(
            failure.starts_with("--interface l0: no such interface"),
            "{failure}"
        );
    }
}
