//! Where a message is sent to: groups on interfaces, the networks of a broadcast, or the receivers of unicast.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::{
    exit::{Failure, why},
    multicast::{AddressingMode, Membership, interface::Interface},
};

use crate::config::Settings;

/// The destinations of a message.
#[derive(Debug)]
pub struct Destinations {
    /// Each with the interface that it is sent on; the kernel routes unicast.
    pub all: Vec<(SocketAddr, Interface)>,
    /// What the user should know of the choice, a line each.
    pub notes: Vec<String>,
}

impl Destinations {
    /// The destinations that the settings request; `port` is the group's real one.
    ///
    /// # Errors
    /// When there is none, or it has port 0 (exit code 2).
    pub fn new(settings: &Settings, port: u16) -> Result<Self, Failure> {
        let membership = &settings.membership;
        let first = &membership.interfaces[0];
        let mut notes = Vec::new();
        let to = settings.to.iter();
        let mut all: Vec<_> = to.map(|to| (to.at(port), first.clone())).collect();
        if all.is_empty() {
            all = if settings.mode == AddressingMode::Broadcast {
                networks(membership, port, &mut notes)?
            } else {
                groups(membership, port)
            };
        }
        if all.iter().any(|(to, _)| to.port() == 0) {
            let why = "no program listens on port 0; it stands for a free one, which only a receiver can take";
            return Err(Failure::could_not_run("send to port 0", why));
        }
        Ok(Self { all, notes })
    }
}

/// Every group on every interface.
fn groups(membership: &Membership, port: u16) -> Vec<(SocketAddr, Interface)> {
    let mut all = Vec::new();
    for interface in &membership.interfaces {
        for group in &membership.groups {
            all.push((interface.at(*group, port), interface.clone()));
        }
    }
    all
}

/// The broadcast address of each interface. Of several interfaces, those without one are left out, and noted.
fn networks(
    membership: &Membership,
    port: u16,
    notes: &mut Vec<String>,
) -> Result<Vec<(SocketAddr, Interface)>, Failure> {
    let mut all = Vec::new();
    for interface in &membership.interfaces {
        match interface.broadcast_address() {
            Ok(address) => {
                if !membership.by_address {
                    notes.extend(other_networks(interface, address)?);
                }
                all.push((SocketAddr::new(address.into(), port), interface.clone()));
            }
            Err(none) if membership.interfaces.len() > 1 => {
                notes.push(format!("no broadcast on {interface}: {none}"));
            }
            Err(none) => {
                let what = format!("--mode broadcast on {interface}");
                let why = format!("{none}; {}", none.remedy());
                return Err(Failure::could_not_run(what, why));
            }
        }
    }
    if all.is_empty() {
        let why = "no interface has a broadcast address";
        return Err(Failure::could_not_run("--mode broadcast", why));
    }
    Ok(all)
}

/// The other networks of an interface that has several addresses; a broadcast goes to one network.
fn other_networks(interface: &Interface, chosen: Ipv4Addr) -> Result<Option<String>, Failure> {
    let known = Interface::all(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
        .map_err(|error| Failure::could_not_run("interfaces", why(&error)))?;
    let others: Vec<_> = known
        .iter()
        .filter(|other| other.index == interface.index)
        .filter_map(|other| Some((other.address, other.broadcast_address().ok()?)))
        .filter(|(_, broadcast)| *broadcast != chosen)
        .map(|(address, broadcast)| format!("--interface {address} sends to {broadcast}"))
        .collect();
    let note = || {
        let name = &interface.name;
        format!(
            "{name} has addresses of several networks; this goes to {chosen}, and {}",
            others.join(", ")
        )
    };
    Ok((!others.is_empty()).then(note))
}
