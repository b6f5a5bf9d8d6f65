//! The machine's network interfaces and their addresses.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
};

use crate::{
    exit::{Failure, why},
    sys::{
        commands,
        interfaces::{self, InterfaceAddress, LOOPBACK_BROADCASTS},
    },
    text::{did_you_mean, visible},
    zone::{Scoped, is_link_local, is_of_link},
};

/// An interface of this machine with one of its addresses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Interface {
    /// Its name, `lo` or `eth0`.
    pub name: String,
    /// Its index, by which the kernel identifies it.
    pub index: u32,
    /// Its address.
    pub address: IpAddr,
    /// The length of its network's prefix, in bits: 24 for the mask 255.255.255.0.
    pub prefix: u8,
    /// Whether it is a loopback interface: what is sent on it never leaves this machine.
    pub loopback: bool,
    /// What its flags say.
    pub state: State,
}

/// The flags of an interface (netdevice(7)).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct State {
    /// It is switched on (IFF_UP).
    pub up: bool,
    /// It has a carrier (IFF_RUNNING).
    pub running: bool,
    /// It supports multicast (IFF_MULTICAST).
    pub multicast: bool,
    /// It supports broadcast (IFF_BROADCAST); a point-to-point link does not.
    pub broadcast: bool,
}

/// Why there is no broadcast address on an interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoBroadcast {
    /// The interface's address is one of IPv6.
    V6,
    /// The link has two ends.
    PointToPoint,
    /// The system's loopback interface delivers what is sent to its own address alone.
    Loopback,
    /// The network has two addresses, both of hosts: its prefix has 31 bits.
    TwoAddresses,
    /// The network is the host alone: its prefix has 32 bits.
    OneAddress,
}

impl fmt::Display for NoBroadcast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V6 => "IPv6 has no broadcast",
            Self::PointToPoint => "a point-to-point link has no broadcast",
            Self::Loopback => "the loopback interface of this system has no broadcast",
            Self::TwoAddresses => {
                "a network of two addresses, with 31 bits of prefix, has no broadcast address (RFC 3021)"
            }
            Self::OneAddress => {
                "a network of one address, with 32 bits of prefix, has no broadcast address"
            }
        })
    }
}

impl NoBroadcast {
    /// What to do instead.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::V6 => "the group ff02::1 is every host on the link (RFC 4291)",
            Self::PointToPoint => "--mode unicast --to ADDRESS reaches the other end",
            Self::Loopback => "--interface default reaches every host on the network",
            Self::TwoAddresses | Self::OneAddress => {
                "--to 255.255.255.255 reaches every host on the link"
            }
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.address)
    }
}

impl Interface {
    /// The interfaces that `word` selects: an address or a name selects one interface, `default` the one to which the
    /// kernel routes `group`, `all` every one that is up and supports multicast. Without a word: the loopback interface.
    ///
    /// # Errors
    /// `--interface WORD: why` (exit code 2).
    pub fn find(word: Option<&str>, group: IpAddr) -> Result<Vec<Self>, Failure> {
        let known =
            Self::all(group).map_err(|error| Failure::could_not_run("interfaces", why(&error)))?;
        let up = |interface: &&Self| interface.state.up;
        if word == Some("all") {
            let mut found: Vec<Self> = Vec::new();
            for interface in known.iter().filter(up) {
                let capable = interface.state.multicast || interface.loopback;
                if capable && !found.iter().any(|other| other.index == interface.index) {
                    found.push(interface.clone());
                }
            }
            return if found.is_empty() {
                Err(Failure::could_not_run("--interface all", "none is up"))
            } else {
                Ok(found)
            };
        }
        let wanted = Wanted::new(word, group)?;
        let mut found = known.iter().filter(|interface| wanted.is(interface));
        let first = found.next();
        match (
            first,
            found.find(|other| Some(other.index) != first.map(|first| first.index)),
        ) {
            // An address of a link may be on several interfaces.
            (Some(first), Some(other)) if matches!(wanted, Wanted::Address(..)) => {
                let (address, first, other) = (first.address, &first.name, &other.name);
                let why =
                    format!("{address} is on {first} and on {other}; write {address}%{first}");
                Err(Failure::could_not_run(
                    format!("--interface {address}"),
                    why,
                ))
            }
            (Some(found), _) if found.state.up => Ok(vec![found.clone()]),
            (Some(found), _) => Err(Failure::could_not_run(
                format!("--interface {}", found.name),
                format!("it is down; {}", commands::switch_on(&found.name)),
            )),
            (None, _) => Err(unknown(word, group, &known)),
        }
    }

    /// Every address of every interface, of the address family of `like`; link-local ones first, as IPv6 multicast is
    /// sent from those, and last those that cannot be used yet.
    ///
    /// # Errors
    /// As getifaddrs(3).
    pub fn all(like: IpAddr) -> io::Result<Vec<Self>> {
        let of_interface = |interface: InterfaceAddress| {
            let InterfaceAddress { flags, .. } = interface;
            let shown = Self {
                name: interface.name,
                index: interface.index,
                address: interface.address,
                prefix: interface.prefix,
                loopback: flags.loopback,
                state: State {
                    up: flags.up,
                    running: flags.running,
                    multicast: flags.multicast,
                    broadcast: flags.broadcast,
                },
            };
            (interface.tentative, shown)
        };
        let all = interfaces::addresses(like.is_ipv6())?;
        let mut all: Vec<_> = all.into_iter().map(of_interface).collect();
        if like.is_ipv6() {
            let local = |address| matches!(address, IpAddr::V6(address) if is_link_local(address));
            all.sort_by_key(|(tentative, interface)| (*tentative, !local(interface.address)));
        }
        Ok(all.into_iter().map(|(_, interface)| interface).collect())
    }

    /// The destination address of a broadcast on this interface: the last address of its network, computed from address
    /// and prefix. What the system reports is not asked: where none was set, Linux reports the interface's own address.
    /// On the loopback interface it is the last address of 127.0.0.0/8 (RFC 1122 section 3.2.1.3).
    ///
    /// # Errors
    /// Why there is none.
    pub fn broadcast_address(&self) -> Result<Ipv4Addr, NoBroadcast> {
        let IpAddr::V4(address) = self.address else {
            return Err(NoBroadcast::V6);
        };
        if self.loopback && !LOOPBACK_BROADCASTS {
            return Err(NoBroadcast::Loopback);
        }
        if self.loopback {
            return Ok(Ipv4Addr::new(127, 255, 255, 255));
        }
        if !self.state.broadcast {
            return Err(NoBroadcast::PointToPoint);
        }
        match self.prefix {
            32.. => Err(NoBroadcast::OneAddress),
            31 => Err(NoBroadcast::TwoAddresses),
            prefix => Ok(Ipv4Addr::from_bits(address.to_bits() | u32::MAX >> prefix)),
        }
    }

    /// Whether it is still among the `known` interfaces, or again: by its address, or else by its name.
    pub fn presence<'k>(&self, known: &'k [Self], by_address: bool) -> Presence<'k> {
        let same_name = |other: &&Self| other.name == self.name;
        let is_it = |other: &&Self| match by_address {
            true => {
                other.address == self.address && (!is_of_link(self.address) || same_name(other))
            }
            false => same_name(other),
        };
        // The most alike first.
        let found = known.iter().filter(is_it).min_by_key(|other| {
            (
                !other.state.up,
                other.address != self.address,
                other.index != self.index,
            )
        });
        match found {
            Some(found) if found.state.up => Presence::Present(found),
            Some(_) => Presence::Absent("is down"),
            None => Presence::Absent(match interfaces::is_up(&self.name) {
                Some(true) => "has lost its address",
                Some(false) => "is down",
                None => "is gone",
            }),
        }
    }

    /// The socket address of `address` and `port` on this interface: an IPv6 address of link scope or less gets the
    /// interface's index as its scope.
    pub fn at(&self, address: IpAddr, port: u16) -> SocketAddr {
        let mut at = SocketAddr::new(address, port);
        if let SocketAddr::V6(scoped) = &mut at
            && is_of_link((*scoped.ip()).into())
        {
            scoped.set_scope_id(self.index);
        }
        at
    }
}

/// Whether an interface is there, as it was known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Presence<'k> {
    /// It is there, as this one: its number and its address may be others.
    Present(&'k Interface),
    /// It is not; why, in words.
    Absent(&'static str),
}

/// What selects one interface.
enum Wanted<'w> {
    /// It has this address, in this zone where one is given.
    Address(IpAddr, Option<u32>),
    /// It is called so, or has this index, which is another name of it.
    Name(&'w str, Option<u32>),
    Loopback,
}

impl<'w> Wanted<'w> {
    fn new(word: Option<&'w str>, group: IpAddr) -> Result<Self, Failure> {
        let Some(word) = word else {
            return Ok(Self::Loopback);
        };
        let fail = |why: String| {
            Failure::could_not_run(format!("--interface {}", visible(word.as_bytes())), why)
        };
        if word == "default" {
            let address = routed(group).map_err(|error| {
                fail(format!(
                    "{}; no route leads to {group}, so name an interface",
                    why(&error)
                ))
            })?;
            return Ok(Self::Address(address, None));
        }
        match word.parse::<Scoped>() {
            Ok(scoped) if scoped.ip().is_ipv4() != group.is_ipv4() => {
                let [own, other] = [scoped.ip(), group].map(family);
                Err(fail(format!(
                    "an {own} address, and the group {group} is one of {other}"
                )))
            }
            Ok(scoped) => {
                let zone = scoped.index().map_err(fail)?;
                Ok(Self::Address(scoped.ip(), zone))
            }
            // No name of an interface has one of these.
            Err(why) if word.contains(['%', '/']) => Err(fail(why)),
            Err(_) => Ok(Self::Name(word, other_name(word))),
        }
    }

    fn is(&self, interface: &Interface) -> bool {
        match *self {
            Self::Address(address, zone) => {
                interface.address == address && zone.is_none_or(|zone| zone == interface.index)
            }
            Self::Name(name, index) => interface.name == name || index == Some(interface.index),
            Self::Loopback => interface.loopback && interface.state.up,
        }
    }
}

/// The index of the interface that a word names otherwise than by its name: by its number, or as the system allows. A name
/// of digits is a name first.
fn other_name(word: &str) -> Option<u32> {
    if let Some(index) = interfaces::index(word) {
        return Some(index);
    }
    interfaces::alias(word).or_else(|| {
        let digits = word.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| word.parse().ok()).flatten()
    })
}

fn family(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

fn unknown(word: Option<&str>, group: IpAddr, interfaces: &[Interface]) -> Failure {
    let family = family(group);
    let Some(word) = word else {
        return Failure::could_not_run(
            "loopback interface",
            format!("none with an {family} address is up; name an interface with --interface"),
        );
    };
    let what = format!("--interface {}", visible(word.as_bytes()));
    let named = other_name(word).and_then(interfaces::name);
    if let Some(name) = named {
        let gives = commands::give_address(&name);
        let why = format!("it has no {family} address; {gives} gives it one");
        return Failure::could_not_run(what, why);
    }
    let known: Vec<_> = interfaces.iter().map(Interface::to_string).collect();
    let names = interfaces.iter().map(|interface| interface.name.as_str());
    let near = did_you_mean(word, names.chain(["default", "all"]));
    let why = format!(
        "no such interface with an {family} address; there are {}{near}",
        known.join(", ")
    );
    Failure::could_not_run(what, why)
}

/// The source address that the kernel would choose to send to `address`. Nothing is sent.
///
/// # Errors
/// As connect(2): no route leads there.
pub fn routed(address: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if address.is_ipv4() {
        Ipv4Addr::UNSPECIFIED.into()
    } else {
        Ipv6Addr::UNSPECIFIED.into()
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Any port serves: the route depends on the address alone.
    socket.connect((address, 9))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Interface {
        /// A usable interface of a test, with this address.
        pub(in crate::multicast) fn eth0(address: &str, prefix: u8) -> Self {
            Self {
                name: "eth0".into(),
                index: 2,
                address: address.parse().unwrap(),
                prefix,
                loopback: false,
                state: State {
                    up: true,
                    running: true,
                    multicast: true,
                    broadcast: true,
                },
            }
        }
    }

    const GROUP: IpAddr = IpAddr::V4(Ipv4Addr::new(224, 1, 1, 1));

    #[test]
    fn interfaces_are_found_by_address_and_name() {
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        assert!(lo.loopback && lo.address.is_loopback() && lo.state.up);
        for word in ["127.0.0.1", &lo.name] {
            assert_eq!(
                Interface::find(Some(word), GROUP).unwrap(),
                std::slice::from_ref(lo)
            );
        }
        assert!(Interface::find(Some("all"), GROUP).unwrap().contains(lo));
        assert_eq!(
            lo.broadcast_address(),
            Ok(Ipv4Addr::new(127, 255, 255, 255))
        );
        assert_eq!(
            Interface::find(Some(&lo.index.to_string()), GROUP).unwrap(),
            std::slice::from_ref(lo)
        );
        let failure = Interface::find(Some("l0"), GROUP).unwrap_err().to_string();
        assert!(
            failure.starts_with("--interface l0: no such interface"),
            "{failure}"
        );
    }

    #[test]
    fn the_broadcast_address_is_computed_from_the_mask() {
        let of = Interface::eth0;
        let address = |address, prefix| of(address, prefix).broadcast_address();
        for (own, prefix, last) in [
            ("10.9.1.2", 24, "10.9.1.255"),
            ("10.9.1.2", 30, "10.9.1.3"),
            ("10.9.1.130", 25, "10.9.1.255"),
            ("172.16.5.6", 12, "172.31.255.255"),
            ("192.168.3.4", 22, "192.168.3.255"),
            ("10.1.2.3", 8, "10.255.255.255"),
            ("10.1.2.3", 0, "255.255.255.255"),
        ] {
            assert_eq!(
                address(own, prefix),
                Ok(last.parse().unwrap()),
                "{own}/{prefix}"
            );
        }
        assert_eq!(address("10.9.1.2", 31), Err(NoBroadcast::TwoAddresses));
        assert_eq!(address("10.9.1.2", 32), Err(NoBroadcast::OneAddress));
        assert_eq!(address("fe80::1", 64), Err(NoBroadcast::V6));
        let mut tunnel = of("10.9.1.2", 24);
        tunnel.state.broadcast = false;
        assert_eq!(tunnel.broadcast_address(), Err(NoBroadcast::PointToPoint));
    }

    #[test]
    fn a_link_local_address_has_the_interface_as_its_scope() {
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        let scope = |address: &str| match lo.at(address.parse().unwrap(), 1) {
            SocketAddr::V6(address) => address.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        assert_eq!(
            ["ff02::1", "fe80::1", "ff15::1", "2001:db8::1", "224.0.0.1"].map(scope),
            [lo.index, lo.index, 0, 0, 0]
        );
    }
}
