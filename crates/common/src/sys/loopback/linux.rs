//! `net.ipv4.ip_local_port_range`, ip(7).

use std::fs;

/// How many ports the system has for connections from one address; None where it does not say.
pub fn ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut ends = range.split_whitespace().map_while(|end| end.parse().ok());
    let (first, last): (u64, u64) = (ends.next()?, ends.next()?);
    Some(last.saturating_sub(first))
}

/// Whether each address of 127.0.0.0/8 is this machine's, and not 127.0.0.1 alone.
pub fn is_whole_net() -> bool {
    true
}
