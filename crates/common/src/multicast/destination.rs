//! What a datagram's destination address says: the addressing mode, and whether this socket was meant at all.
//!
//! Linux says beside the destination which of this machine's addresses received the datagram, and keeps from a socket what
//! it did not ask for. Elsewhere both are found by comparing addresses with those of the interfaces.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use super::interface::Interface;
use crate::{event::AddressingMode, sys::datagrams::Received};

/// How often the interfaces are listed again for an address that is not known, at most.
const LOOK: Duration = Duration::from_millis(250);

/// The addresses of this machine by which destinations are told apart.
#[derive(Debug)]
pub(super) struct Destinations {
    groups: Vec<IpAddr>,
    /// Whether only what comes from this machine is received, and the system's socket does not see to it.
    only_own: bool,
    own: Vec<IpAddr>,
    broadcasts: Vec<Ipv4Addr>,
    /// Not before this moment the interfaces are listed again.
    next_look: Option<Instant>,
}

impl Destinations {
    /// For a socket that joined these groups; `only_own`: on the loopback interface alone.
    pub(super) fn new(groups: &[IpAddr], only_own: bool) -> Self {
        Self {
            groups: groups.to_vec(),
            only_own,
            own: Vec::new(),
            broadcasts: Vec::new(),
            next_look: None,
        }
    }

    /// The addressing mode, by the destination; None: the system does not say it, or the address is none of this machine's.
    pub(super) fn mode(&mut self, received: &Received) -> Option<AddressingMode> {
        let to = received.to?;
        if to.is_multicast() {
            return Some(AddressingMode::Multicast);
        }
        match (to, received.own) {
            (_, Some(own)) if own == to => Some(AddressingMode::Unicast),
            (_, Some(_)) => Some(AddressingMode::Broadcast),
            (IpAddr::V6(_), None) => Some(AddressingMode::Unicast),
            (IpAddr::V4(to), None) => self.compare(to),
        }
    }

    /// Whether a socket that behaves as Linux's would have received it: what is sent to a group that it joined, and on the
    /// loopback interface only what this machine sent.
    pub(super) fn concerns(&mut self, received: &Received) -> bool {
        let joined = |to: &IpAddr| !to.is_multicast() || self.groups.contains(to);
        received.to.as_ref().is_none_or(joined)
            && (!self.only_own || self.is_own(received.sender.ip()))
    }

    fn compare(&mut self, to: Ipv4Addr) -> Option<AddressingMode> {
        const LAST_OF_LOOPBACK: Ipv4Addr = Ipv4Addr::new(127, 255, 255, 255);
        if to.is_broadcast() || to == LAST_OF_LOOPBACK {
            return Some(AddressingMode::Broadcast);
        }
        if self.is_own(to.into()) {
            return Some(AddressingMode::Unicast);
        }
        // The interfaces have been listed now.
        self.broadcasts
            .contains(&to)
            .then_some(AddressingMode::Broadcast)
    }

    fn is_own(&mut self, address: IpAddr) -> bool {
        if address.is_loopback() || self.own.contains(&address) {
            return true;
        }
        let known = matches!(address, IpAddr::V4(to) if self.broadcasts.contains(&to));
        let now = Instant::now();
        if known || self.next_look.is_some_and(|next| now < next) {
            return false;
        }
        self.next_look = Some(now + LOOK);
        if let Ok(interfaces) = Interface::all(address) {
            self.learn(&interfaces);
        }
        self.own.contains(&address)
    }

    fn learn(&mut self, interfaces: &[Interface]) {
        self.own = interfaces
            .iter()
            .map(|interface| interface.address)
            .collect();
        self.broadcasts = interfaces
            .iter()
            .filter_map(|interface| interface.broadcast_address().ok())
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(from: &str, to: Option<&str>) -> Received {
        Received {
            length: 0,
            each: 0,
            sender: format!("{from}:1").parse().unwrap(),
            to: to.map(|to| to.parse().unwrap()),
            own: None,
            truncated: false,
            time_us: None,
            drops: None,
        }
    }

    fn with_one_interface(only_own: bool) -> Destinations {
        let mut destinations = Destinations::new(&["224.1.1.1".parse().unwrap()], only_own);
        destinations.learn(&[Interface::eth0("10.9.1.2", 24)]);
        // The interfaces of the machine of the test are not listed.
        destinations.next_look = Some(Instant::now() + Duration::from_secs(3600));
        destinations
    }

    #[test]
    fn without_the_kernels_word_addresses_are_compared() {
        let mut destinations = with_one_interface(false);
        for (to, expected) in [
            ("224.1.1.1", Some(AddressingMode::Multicast)),
            ("10.9.1.2", Some(AddressingMode::Unicast)),
            ("127.0.0.1", Some(AddressingMode::Unicast)),
            ("10.9.1.255", Some(AddressingMode::Broadcast)),
            ("127.255.255.255", Some(AddressingMode::Broadcast)),
            ("255.255.255.255", Some(AddressingMode::Broadcast)),
            // A broadcast address that somebody set by hand may be any.
            ("10.9.1.0", None),
        ] {
            let mode = destinations.mode(&received("10.9.1.7", Some(to)));
            assert_eq!(mode, expected, "{to}");
        }
        assert_eq!(destinations.mode(&received("10.9.1.7", None)), None);
    }

    #[test]
    fn what_the_kernel_says_comes_first() {
        let mut destinations = with_one_interface(false);
        for (own, expected) in [
            ("10.9.1.0", AddressingMode::Unicast),
            ("10.9.1.2", AddressingMode::Broadcast),
        ] {
            let received = Received {
                own: Some(own.parse().unwrap()),
                ..received("10.9.1.7", Some("10.9.1.0"))
            };
            assert_eq!(destinations.mode(&received), Some(expected));
        }
    }

    #[test]
    fn only_joined_groups_and_this_machine_concern_a_socket() {
        let mut on_network = with_one_interface(false);
        let mut on_loopback = with_one_interface(true);
        for (from, to, network, loopback) in [
            ("127.0.0.1", Some("224.1.1.1"), true, true),
            ("127.0.0.1", Some("224.1.1.2"), false, false),
            ("10.9.1.2", Some("10.9.1.2"), true, true),
            ("10.9.1.7", Some("224.1.1.1"), true, false),
            ("10.9.1.7", None, true, false),
            ("127.0.0.1", None, true, true),
        ] {
            let received = received(from, to);
            assert_eq!(on_network.concerns(&received), network, "{from} {to:?}");
            assert_eq!(on_loopback.concerns(&received), loopback, "{from} {to:?}");
        }
    }
}
