//! What the kernel says of the sockets in this network.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

/// Whether a server that listens there serves clients of this address.
pub fn serves(listener: SocketAddr, address: SocketAddr) -> bool {
    let ip = common::net::canonical(listener).ip();
    let is_any = listener.ip().is_unspecified();
    listener.port() == address.port() && (is_any || ip == address.ip())
}

/// Where something listens for TCP, by /proc/net/tcp and tcp6: proc_pid_net(5).
pub fn listeners() -> Vec<SocketAddr> {
    const LISTEN: &str = "0A";
    let mut found = Vec::new();
    for file in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            if let [_, local, _, LISTEN, ..] = fields.as_slice() {
                found.extend(address(local));
            }
        }
    }
    found
}

/// `0100007F:3039`: words of the address in this machine's order, and the port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        Some(
            u32::from_str_radix(ip.get(at..at + 8)?, 16)
                .ok()?
                .to_ne_bytes(),
        )
    };
    match ip.len() {
        8 => Some((word(0)?, port).into()),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?].concat();
            let bytes: [u8; 16] = words.try_into().ok()?;
            Some((bytes, port).into())
        }
        _ => None,
    }
}

/// The groups that sockets here are members of, by /proc/net/igmp; without that of all systems.
pub fn joined() -> Vec<Ipv4Addr> {
    let text = fs::read_to_string("/proc/net/igmp").unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let word = line.strip_prefix('\t')?.split_whitespace().next()?;
        let number = u32::from_str_radix(word, 16)
            .ok()
            .filter(|_| word.len() == 8)?;
        Some(Ipv4Addr::from(number.to_ne_bytes()))
    });
    rows.filter(|group| *group != Ipv4Addr::new(224, 0, 0, 1))
        .collect()
}

/// The UDP ports that are bound here, by /proc/net/udp and udp6.
pub fn bound() -> Vec<u16> {
    let mut ports = Vec::new();
    for file in ["/proc/net/udp", "/proc/net/udp6"] {
        let text = fs::read_to_string(file).unwrap_or_default();
        let locals = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().nth(1));
        let hex = locals.filter_map(|local| local.rsplit_once(':'));
        ports.extend(hex.filter_map(|(_, port)| u16::from_str_radix(port, 16).ok()));
    }
    ports
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_kernels_table_is_read() {
        assert_eq!(
            address("0100007F:3039"),
            Some("127.0.0.1:12345".parse().unwrap())
        );
        let mapped = address("0000000000000000FFFF00000100007F:3039").unwrap();
        assert!(serves(mapped, "127.0.0.1:12345".parse().unwrap()));
        assert!(serves(
            "[::]:1".parse().unwrap(),
            "127.0.0.1:1".parse().unwrap()
        ));
        assert!(!serves(
            "127.0.0.1:2".parse().unwrap(),
            "127.0.0.1:1".parse().unwrap()
        ));
        assert_eq!(address("zz"), None);
    }
}
