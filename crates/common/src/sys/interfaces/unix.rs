//! By getifaddrs(3).

use std::{io, net::IpAddr};

use nix::{
    ifaddrs::getifaddrs,
    net::if_::{InterfaceFlags, if_indextoname, if_nameindex, if_nametoindex},
    sys::socket::SockaddrStorage,
};

use super::address::{Flags, InterfaceAddress};

/// The usual name of the loopback interface.
#[cfg(target_os = "linux")]
pub const LOOPBACK: &str = "lo";
/// The usual name of the loopback interface.
#[cfg(not(target_os = "linux"))]
pub const LOOPBACK: &str = "lo0";

/// The name that an interface to a network may have.
#[cfg(not(target_os = "macos"))]
pub const EXAMPLE: &str = "eth0";
/// The name that an interface to a network may have.
#[cfg(target_os = "macos")]
pub const EXAMPLE: &str = "en0";

/// Whether the loopback interface delivers what is sent to 127.255.255.255. The BSDs and macOS know 127.0.0.1 alone.
pub const LOOPBACK_BROADCASTS: bool = cfg!(target_os = "linux");

/// Every address of every interface, of IPv6 or of IPv4, in the system's order.
///
/// # Errors
/// As getifaddrs(3).
pub fn addresses(v6: bool) -> io::Result<Vec<InterfaceAddress>> {
    let of_interface = |interface: nix::ifaddrs::InterfaceAddress| {
        let flags = interface.flags;
        let address: IpAddr = if v6 {
            interface.address?.as_sockaddr_in6()?.ip().into()
        } else {
            interface.address?.as_sockaddr_in()?.ip().into()
        };
        Some(InterfaceAddress {
            address,
            index: if_nametoindex(interface.interface_name.as_str()).ok()?,
            prefix: interface.netmask.as_ref().map_or(0, prefix),
            name: interface.interface_name,
            flags: Flags {
                up: flags.contains(InterfaceFlags::IFF_UP),
                running: flags.contains(InterfaceFlags::IFF_RUNNING),
                multicast: flags.contains(InterfaceFlags::IFF_MULTICAST),
                broadcast: flags.contains(InterfaceFlags::IFF_BROADCAST),
                loopback: flags.contains(InterfaceFlags::IFF_LOOPBACK),
            },
            tentative: false,
        })
    };
    let mut all: Vec<_> = getifaddrs()?.filter_map(of_interface).collect();
    if v6 {
        mark_tentative(&mut all);
    }
    Ok(all)
}

#[cfg(target_os = "linux")]
fn mark_tentative(all: &mut [InterfaceAddress]) {
    let table = std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    for interface in all {
        if let IpAddr::V6(address) = interface.address {
            interface.tentative = is_tentative(&table, address, interface.index);
        }
    }
}

/// Only by an ioctl(2) does another system say it: such an address fails when it is used.
#[cfg(not(target_os = "linux"))]
fn mark_tentative(_: &mut [InterfaceAddress]) {}

/// Whether Linux's table of IPv6 addresses has the address as one that is not usable yet or not at all.
#[cfg(target_os = "linux")]
fn is_tentative(table: &str, address: std::net::Ipv6Addr, index: u32) -> bool {
    const TENTATIVE_OR_DUPLICATE: u32 = 0x48;
    let address = format!("{:032x}", address.to_bits());
    let hexadecimal = |word: Option<&&str>| u32::from_str_radix(word?, 16).ok();
    table.lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        words.first() == Some(&address.as_str())
            && hexadecimal(words.get(1)) == Some(index)
            && hexadecimal(words.get(4)).is_some_and(|flags| flags & TENTATIVE_OR_DUPLICATE != 0)
    })
}

/// The length of the prefix that a mask stands for.
fn prefix(mask: &SockaddrStorage) -> u8 {
    let v4 = mask
        .as_sockaddr_in()
        .map(|v4| v4.ip().to_bits().count_ones());
    let v6 = || {
        mask.as_sockaddr_in6()
            .map(|v6| v6.ip().to_bits().count_ones())
    };
    v4.or_else(v6).unwrap_or_default() as u8
}

/// The index of the interface of this name.
pub fn index(name: &str) -> Option<u32> {
    if_nametoindex(name).ok()
}

/// The index of the interface that has another name of this kind; here each has one name.
pub fn alias(_: &str) -> Option<u32> {
    None
}

/// The name of the interface with this index.
pub fn name(index: u32) -> Option<String> {
    let name = if_indextoname(index).ok()?;
    Some(name.to_string_lossy().into_owned())
}

/// Every interface: its index and its name.
pub fn named() -> Vec<(u32, String)> {
    let interfaces = if_nameindex();
    let interfaces = interfaces.iter().flatten();
    interfaces
        .map(|interface| {
            let name = interface.name().to_string_lossy().into_owned();
            (interface.index(), name)
        })
        .collect()
}

/// Whether an interface is switched on, whatever its addresses; None when there is none of this name.
pub fn is_up(name: &str) -> Option<bool> {
    let mut all = getifaddrs().ok()?;
    let found = all.find(|interface| interface.interface_name == name)?;
    Some(found.flags.contains(InterfaceFlags::IFF_UP))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_are_not_usable_yet_are_known() {
        let table = "fe80000000000000000000000000000a 0b 40 20 c0     eth0\n\
            fe80000000000000000000000000000a 0c 40 20 80     eth1\n";
        let tentative = |index| is_tentative(table, "fe80::a".parse().unwrap(), index);
        assert!(tentative(11) && !tentative(12) && !tentative(13));
    }
}
