//! Reads the kernel's tables of sockets and groups, and its settings: `/proc/net` and `/proc/sys`, as text.

use std::{
    fs, io,
    net::{IpAddr, Ipv6Addr},
    path::Path,
};

use crate::text::visible;

/// A socket in `/proc/net/udp` or `udp6`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct UdpSocket {
    /// Its port.
    pub(super) port: u16,
    /// Its inode number.
    pub(super) inode: u64,
    /// How many datagrams were dropped because its receive buffer was full.
    pub(super) drops: u64,
}

/// The table of UDP sockets, of IPv4 or of IPv6.
pub(super) fn udp_table(v4: bool) -> io::Result<String> {
    fs::read_to_string(if v4 {
        "/proc/net/udp"
    } else {
        "/proc/net/udp6"
    })
}

/// The sockets in such a table; a line of another form is skipped.
pub(super) fn sockets(table: &str) -> impl Iterator<Item = UdpSocket> {
    table.lines().skip(1).filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (_, port) = words.get(1)?.rsplit_once(':')?;
        Some(UdpSocket {
            port: u16::from_str_radix(port, 16).ok()?,
            inode: words.get(9)?.parse().ok()?,
            drops: words.get(12)?.parse().ok()?,
        })
    })
}

/// The processes that hold a UDP port, as `python3 (pid 17)`; only the administrator sees those of other users.
pub(super) fn holders(port: u16, v4: bool) -> Vec<String> {
    let table = udp_table(v4).unwrap_or_default();
    let links: Vec<_> = sockets(&table)
        .filter(|socket| socket.port == port)
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    if links.is_empty() {
        return Vec::new();
    }
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found: Vec<_> = processes
        .filter_map(|process| {
            let pid: u32 = process.file_name().to_str()?.parse().ok()?;
            let holds = has_link(&process.path().join("fd"), &links);
            let name = fs::read(process.path().join("comm")).unwrap_or_default();
            let name = visible(name.trim_ascii());
            holds.then(|| format!("{name} (pid {pid})"))
        })
        .collect();
    if found.is_empty() {
        found.push("a program of another user".into());
    }
    found
}

fn has_link(folder: &Path, links: &[String]) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
}

/// The table of IPv6 addresses; empty on a system without it.
pub(super) fn v6_addresses() -> String {
    fs::read_to_string("/proc/net/if_inet6").unwrap_or_default()
}

/// Whether that table has the address as one that is not usable yet or not at all: another host may have it (duplicate
/// address detection, RFC 4862 section 5.4).
pub(super) fn is_tentative(table: &str, address: Ipv6Addr, index: u32) -> bool {
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

/// The file in which the kernel lists the groups that programs on this machine joined.
pub(super) fn groups_path(group: IpAddr) -> &'static str {
    if group.is_ipv4() {
        "/proc/net/igmp"
    } else {
        "/proc/net/igmp6"
    }
}

/// Whether that list contains this group on this interface.
pub(super) fn is_member(table: &str, group: IpAddr, interface: &str) -> bool {
    match group {
        IpAddr::V4(group) => {
            // A line for each interface, followed by one for each of its groups, in the machine's byte order.
            let group = format!("{:08X}", u32::from_ne_bytes(group.octets()));
            let mut on_interface = false;
            table.lines().any(|line| {
                let mut words = line.split_whitespace();
                if line.starts_with(|letter: char| letter.is_ascii_digit()) {
                    // The colon stands behind a name of 10 letters, and at a longer one.
                    let name = words.nth(1).map(|name| name.trim_end_matches(':'));
                    on_interface = name == Some(interface);
                    return false;
                }
                on_interface && words.next() == Some(&group)
            })
        }
        IpAddr::V6(group) => {
            let group = format!("{:032x}", group.to_bits());
            table.lines().any(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                words.get(1) == Some(&interface) && words.get(2) == Some(&group.as_str())
            })
        }
    }
}

/// The file of a setting of sysctl(8), such as `net.core.rmem_max`.
pub(super) fn setting_path(key: &str) -> String {
    format!("/proc/sys/{}", key.replace('.', "/"))
}

/// The number that it is set to.
pub(super) fn setting(key: &str) -> Option<usize> {
    let value = fs::read_to_string(setting_path(key)).ok()?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read() {
        let udp = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            \x20 123: 00000000:138F 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 17\n\
            nonsense\n";
        let expected = UdpSocket {
            port: 5007,
            inode: 4711,
            drops: 17,
        };
        assert_eq!(sockets(udp).collect::<Vec<_>>(), [expected]);

        let igmp = "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
            1\tlo        :     2      V3\n\t\t\t\tGROUP     1 0:00000000\t\t0\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
            2\teth0      :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n\
            3\tenx0242ac110002:     1      V3\n\t\t\t\tGROUP     1 0:00000000\t\t0\n";
        let number = u32::from_ne_bytes([224, 1, 1, 1]);
        let igmp = igmp.replace("GROUP", &format!("{number:08X}"));
        let group = "224.1.1.1".parse().unwrap();
        assert!(is_member(&igmp, group, "lo") && !is_member(&igmp, group, "eth0"));
        assert!(is_member(&igmp, group, "enx0242ac110002"));
        let igmp6 = "1    lo              ff020000000000000000000000000001     1 0000000C 0\n\
            2    eth0            ff150000000000000000000000001234     1 00000004 0\n";
        assert!(is_member(igmp6, "ff15::1234".parse().unwrap(), "eth0"));
        assert!(!is_member(igmp6, "ff15::1234".parse().unwrap(), "lo"));
    }

    #[test]
    fn addresses_that_are_not_usable_yet_are_known() {
        let table = "fe80000000000000000000000000000a 0b 40 20 c0     eth0\n\
            fe80000000000000000000000000000a 0c 40 20 80     eth1\n";
        let tentative = |index| is_tentative(table, "fe80::a".parse().unwrap(), index);
        assert!(tentative(11) && !tentative(12) && !tentative(13));
    }
}
