//! Linux: `/proc/net` and `/proc/sys`, as text.

use std::{
    fs, io,
    net::{IpAddr, UdpSocket},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, PermissionsExt},
    },
    path::Path,
};

use crate::text::visible;

/// A socket in `/proc/net/udp` or `udp6`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entry {
    /// Its port.
    port: u16,
    /// Its inode number.
    inode: u64,
    /// How many datagrams were dropped because its receive buffer was full.
    drops: u64,
}

/// The table of UDP sockets, of IPv4 or of IPv6.
fn udp_table(v4: bool) -> io::Result<String> {
    fs::read_to_string(if v4 {
        "/proc/net/udp"
    } else {
        "/proc/net/udp6"
    })
}

/// The sockets in such a table; a line of another form is skipped.
fn sockets(table: &str) -> impl Iterator<Item = Entry> {
    table.lines().skip(1).filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let (_, port) = words.get(1)?.rsplit_once(':')?;
        Some(Entry {
            port: u16::from_str_radix(port, 16).ok()?,
            inode: words.get(9)?.parse().ok()?,
            drops: words.get(12)?.parse().ok()?,
        })
    })
}

/// Whether the kernel may drop what arrives on another interface than an answer would be sent on (RFC 3704).
pub const FILTERS_REVERSE_PATH: bool = true;

/// How many datagrams the kernel has dropped because the receive buffer of this socket was full; None: the system does not
/// count them.
pub fn dropped(socket: &UdpSocket, v4: bool) -> Option<u64> {
    let socket = socket.as_fd().try_clone_to_owned().ok()?;
    let inode = fs::File::from(socket).metadata().ok()?.ino();
    let table = udp_table(v4).ok()?;
    let drops = sockets(&table)
        .find(|socket| socket.inode == inode)
        .map(|socket| socket.drops);
    Some(drops.unwrap_or_default())
}

/// The processes that hold a UDP port, as `python3 (pid 17)`; only the administrator sees those of other users. None: the
/// system does not say.
pub fn holders(port: u16, v4: bool) -> Option<Vec<String>> {
    let table = udp_table(v4).unwrap_or_default();
    let links: Vec<_> = sockets(&table)
        .filter(|socket| socket.port == port)
        .map(|socket| format!("socket:[{}]", socket.inode))
        .collect();
    if links.is_empty() {
        return Some(Vec::new());
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
    Some(found)
}

fn has_link(folder: &Path, links: &[String]) -> bool {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    files
        .filter_map(|file| fs::read_link(file.path()).ok())
        .any(|target| links.iter().any(|link| target.as_os_str() == link.as_str()))
}

/// Where the kernel lists the groups that programs on this machine joined.
pub fn groups_place(v4: bool) -> &'static str {
    if v4 {
        "/proc/net/igmp"
    } else {
        "/proc/net/igmp6"
    }
}

/// The groups that programs on this machine joined, of IPv4 or of IPv6.
#[derive(Debug)]
pub struct Groups(String);

/// The groups that programs on this machine joined; None: the system does not say.
pub fn groups(v4: bool) -> Option<Groups> {
    fs::read_to_string(groups_place(v4)).ok().map(Groups)
}

impl Groups {
    /// Whether a program joined this group on this interface.
    pub fn contain(&self, group: IpAddr, interface: &str) -> bool {
        is_member(&self.0, group, interface)
    }
}

/// Whether that list contains this group on this interface.
fn is_member(table: &str, group: IpAddr, interface: &str) -> bool {
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

fn setting_path(key: &str) -> String {
    format!("/proc/sys/{}", key.replace('.', "/"))
}

/// The number that a setting of sysctl(8), such as `net.core.rmem_max`, is set to; None: there is none.
pub fn setting(key: &str) -> Option<usize> {
    let value = fs::read_to_string(setting_path(key)).ok()?;
    value.trim().parse().ok()
}

/// Whether nobody can change that setting here: in a network namespace of its own a program sees the machine's.
pub fn is_fixed(key: &str) -> bool {
    let file = fs::metadata(setting_path(key));
    file.is_ok_and(|file| file.permissions().mode() & 0o200 == 0)
}

/// The setting of an interface, of `ipv4` or `ipv6`; None: there is none.
pub fn of_interface(family: &str, interface: &str, setting: &str) -> Option<String> {
    let path = format!("/proc/sys/net/{family}/conf/{interface}/{setting}");
    let value = fs::read_to_string(path).ok()?;
    Some(value.trim().to_owned())
}

/// Whether rules of iptables(8), of IPv4 or of IPv6, are loaded, which nft(8) does not list.
pub fn has_old_rules(v4: bool) -> bool {
    let loaded = if v4 {
        "/proc/net/ip_tables_names"
    } else {
        "/proc/net/ip6_tables_names"
    };
    let names = fs::read_to_string(loaded).unwrap_or_default();
    !names.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read() {
        let udp = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
            \x20 123: 00000000:138F 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 17\n\
            nonsense\n";
        let expected = Entry {
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
}
