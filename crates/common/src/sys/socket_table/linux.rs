//! The sockets of Linux, by /proc/net: proc_pid_net(5).

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

/// By /proc/net/tcp and tcp6.
pub(super) fn listeners() -> Option<Vec<SocketAddr>> {
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
    Some(found)
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

/// By /proc/net/igmp.
pub(super) fn joined() -> Option<Vec<Ipv4Addr>> {
    let text = fs::read_to_string("/proc/net/igmp").unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let word = line.strip_prefix('\t')?.split_whitespace().next()?;
        let number = u32::from_str_radix(word, 16)
            .ok()
            .filter(|_| word.len() == 8)?;
        Some(Ipv4Addr::from(number.to_ne_bytes()))
    });
    let all = rows.filter(|group| *group != Ipv4Addr::new(224, 0, 0, 1));
    Some(all.collect())
}

/// By /proc/net/udp and udp6.
pub(super) fn bound() -> Option<Vec<u16>> {
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
    Some(ports)
}

/// By /proc/net/snmp.
pub(super) fn no_route() -> Option<u64> {
    let text = fs::read_to_string("/proc/net/snmp").unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Ip:"));
    let (names, values) = (lines.next()?, lines.next()?);
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    let count = pairs.find(|(name, _)| *name == "OutNoRoutes");
    count.and_then(|(_, count)| count.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_of_the_kernels_table_is_read() {
        assert_eq!(
            address("0100007F:3039"),
            Some("127.0.0.1:12345".parse().unwrap())
        );
        let mapped = address("0000000000000000FFFF00000100007F:3039").unwrap();
        assert_eq!(mapped, "[::ffff:127.0.0.1]:12345".parse().unwrap());
        assert_eq!(address("zz"), None);
    }
}
