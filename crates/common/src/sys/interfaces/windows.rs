//! By GetAdaptersAddresses, through the crate if-addrs. Windows knows an interface by its index, by the name that the
//! settings show (`Ethernet 2`) and by a GUID; the name is what people see. An interface without an address that is ready
//! for use is not listed.

use std::{collections::BTreeMap, io, net::IpAddr};

use if_addrs::{IfAddr, Interface, get_if_addrs};

use super::address::{Flags, InterfaceAddress};

/// The usual name of the loopback interface.
pub const LOOPBACK: &str = "Loopback Pseudo-Interface 1";

/// The name that an interface to a network may have.
pub const EXAMPLE: &str = "Ethernet";

/// Whether the loopback interface delivers what is sent to 127.255.255.255.
pub const LOOPBACK_BROADCASTS: bool = true;

/// An interface with all its addresses.
struct Adapter {
    index: u32,
    guid: String,
    is_up: bool,
    is_loopback: bool,
    addresses: Vec<Interface>,
}

/// The interfaces by name. An interface has an index for IPv4 and one for IPv6, which are the same wherever it has both.
fn adapters() -> io::Result<BTreeMap<String, Adapter>> {
    let mut adapters: BTreeMap<String, Adapter> = BTreeMap::new();
    for address in get_if_addrs()? {
        let adapter = adapters
            .entry(address.name.clone())
            .or_insert_with(|| Adapter {
                index: 0,
                guid: address.adapter_name.clone(),
                is_up: address.is_oper_up(),
                is_loopback: false,
                addresses: Vec::new(),
            });
        adapter.index = adapter.index.max(address.index.unwrap_or_default());
        adapter.is_loopback |= address.is_loopback();
        adapter.addresses.push(address);
    }
    Ok(adapters)
}

/// Every address of every interface, of IPv6 or of IPv4, in the order of the interfaces' indexes.
///
/// # Errors
/// As GetAdaptersAddresses.
pub fn addresses(v6: bool) -> io::Result<Vec<InterfaceAddress>> {
    let mut all = Vec::new();
    for (name, adapter) in adapters()? {
        for address in &adapter.addresses {
            let prefix = match &address.addr {
                IfAddr::V4(v4) => v4.prefixlen,
                IfAddr::V6(v6) => v6.prefixlen,
            };
            let ip: IpAddr = address.ip();
            if ip.is_ipv6() == v6 {
                all.push(InterfaceAddress {
                    name: name.clone(),
                    index: adapter.index,
                    address: ip,
                    prefix,
                    flags: Flags {
                        up: adapter.is_up,
                        running: adapter.is_up,
                        // Where it does not, the join says so.
                        multicast: true,
                        broadcast: !address.is_p2p(),
                        loopback: adapter.is_loopback,
                    },
                    tentative: false,
                });
            }
        }
    }
    all.sort_by_key(|interface| interface.index);
    Ok(all)
}

/// The index of the interface of this name; as everywhere in Windows, upper and lower case are the same.
pub fn index(name: &str) -> Option<u32> {
    let same = |other: &String| other.to_lowercase() == name.to_lowercase();
    find(|other, _| same(other)).map(|(index, _)| index)
}

/// The index of the interface that has another name of this kind: its GUID, with or without its braces.
pub fn alias(guid: &str) -> Option<u32> {
    let bare = |guid: &str| guid.trim_matches(['{', '}']).to_lowercase();
    find(|_, adapter| bare(&adapter.guid) == bare(guid)).map(|(index, _)| index)
}

/// The name of the interface with this index.
pub fn name(index: u32) -> Option<String> {
    find(|_, adapter| adapter.index == index).map(|(_, name)| name)
}

fn find(is_it: impl Fn(&String, &Adapter) -> bool) -> Option<(u32, String)> {
    let adapters = adapters().ok()?;
    let mut found = adapters
        .into_iter()
        .filter(|(name, adapter)| is_it(name, adapter));
    found.next().map(|(name, adapter)| (adapter.index, name))
}

/// Every interface: its index and its name.
pub fn named() -> Vec<(u32, String)> {
    let adapters = adapters().unwrap_or_default();
    let mut named: Vec<_> = adapters
        .into_iter()
        .map(|(name, adapter)| (adapter.index, name))
        .collect();
    named.sort();
    named
}

/// Whether an interface is switched on, whatever its addresses; None when there is none of this name.
pub fn is_up(name: &str) -> Option<bool> {
    adapters().ok()?.get(name).map(|adapter| adapter.is_up)
}
