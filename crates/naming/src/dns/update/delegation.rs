//! Delegations by update. An NS record of a name for itself, and the addresses of the name, make one (RFC 2136), record by
//! record; a record of a private type replaces a whole subtree at once.

use std::net::IpAddr;

use domain::base::iana::{Class, Rtype};

use crate::{
    delegation::Delegation,
    dns::{owner::Owner, publish::value},
    name::Place,
    space::{Entry, Refusal, Space},
    value::{Ttls, Value, Values},
};

/// A subtree with everything in it is replaced by a delegation to the servers in the data: each is the length of its address
/// in one byte, and the address.
pub const DELEGATION: Rtype = Rtype::from_int(65_282);

/// The data of a [`DELEGATION`] to these servers.
pub fn to_data(delegation: &Delegation) -> Vec<u8> {
    let mut data = Vec::new();
    for address in delegation.addresses() {
        match address {
            IpAddr::V4(address) => {
                data.push(4);
                data.extend(address.octets());
            }
            IpAddr::V6(address) => {
                data.push(16);
                data.extend(address.octets());
            }
        }
    }
    data
}

/// The servers in the data of a [`DELEGATION`].
///
/// # Errors
/// When it is malformed, or no delegation has these servers.
pub fn of_data(mut data: &[u8]) -> Result<Delegation, String> {
    let wrong = || format!("a malformed {DELEGATION} record");
    let mut addresses = Vec::new();
    while let Some((length, rest)) = data.split_first() {
        let (address, rest) = rest
            .split_at_checked(usize::from(*length))
            .ok_or_else(wrong)?;
        data = rest;
        let address = match *length {
            4 => value(Rtype::A, address)?.address(),
            16 => value(Rtype::AAAA, address)?.address(),
            _ => None,
        };
        addresses.push(address.ok_or_else(wrong)?);
    }
    Delegation::new(addresses)
}

/// The change that a record of an update makes.
pub(super) struct Change<'l> {
    pub(super) place: &'l Place,
    pub(super) owner: &'l Owner,
    pub(super) class: Class,
    pub(super) rtype: Rtype,
    /// In seconds, where it is another than that of the zone.
    pub(super) ttl: Option<u32>,
    pub(super) data: &'l [u8],
}

impl Change<'_> {
    /// Makes the change, when it is one of a delegation or below one. Otherwise it is None, and nothing is changed.
    pub(super) fn make(&self, space: &mut Space) -> Option<Result<(), Refusal>> {
        if let Some((above, delegation)) = space.delegation_above(self.place) {
            let why = format!("{above} is {delegation}; change the names below it there");
            return Some(self.refuse(why));
        }
        let delegation = match space.get(self.place) {
            Some(Entry::Delegation(delegation)) => Some((**delegation).clone()),
            _ => None,
        };
        match (self.class, self.rtype, delegation) {
            (Class::IN, DELEGATION, _) => Some(match of_data(self.data) {
                Ok(to) => {
                    let handed_over = space.hand_over(self.place, to.with_ttl(self.ttl));
                    handed_over.map(drop)
                }
                Err(why) => self.refuse(why),
            }),
            (Class::IN, Rtype::NS, delegation) => Some(self.begin(space, delegation)),
            (_, _, Some(delegation)) => self.change(space, delegation),
            _ => None,
        }
    }

    fn refuse(&self, why: impl Into<String>) -> Result<(), Refusal> {
        Err(Refusal::impossible(self.place, why))
    }

    /// Adds an NS record: the name and its addresses become a delegation.
    fn begin(&self, space: &mut Space, delegation: Option<Delegation>) -> Result<(), Refusal> {
        if self.data != self.owner.as_slice() {
            return self.refuse(format!(
                "an NS record of another server than {}: the server of a delegated name is called as the name",
                self.owner
            ));
        }
        let begun = match (delegation, space.get(self.place)) {
            (Some(delegation), _) => delegation,
            (None, None) => Delegation::default(),
            // "If there is a CNAME record, the other is silently ignored" (RFC 2136 section 3.4.2.2).
            (None, Some(Entry::Symlink(_))) => return Ok(()),
            (None, Some(Entry::Leaf(values))) => {
                let addresses: Option<Vec<_>> =
                    values.as_slice().iter().map(Value::address).collect();
                let Some(addresses) = addresses else {
                    return self.refuse(
                        "it has a text or a service, which the server of a delegated name has",
                    );
                };
                let delegation = Delegation::new(addresses);
                let delegation = delegation.map_err(|why| Refusal::impossible(self.place, why))?;
                space.unregister(self.place)?;
                delegation
            }
            (None, Some(Entry::Linked(_))) => {
                return self.refuse("a leaf with several names is not delegated");
            }
            // Refused with what is below it.
            (None, Some(_)) => Delegation::default(),
        };
        space.delegate(self.place, begun.with_ttl(self.ttl))
    }

    /// Changes a delegation.
    fn change(&self, space: &mut Space, delegation: Delegation) -> Option<Result<(), Refusal>> {
        let of_address = |address: IpAddr| match address {
            IpAddr::V4(_) => Rtype::A,
            IpAddr::V6(_) => Rtype::AAAA,
        };
        Some(match (self.class, self.rtype) {
            (Class::IN, Rtype::A | Rtype::AAAA) => {
                let address = value(self.rtype, self.data).map(|value| value.address());
                let added = address.and_then(|address| match address {
                    Some(address) => delegation.with(address),
                    None => Ok(delegation),
                });
                match added {
                    Ok(added) => space.delegate(self.place, added.with_ttl(self.ttl)),
                    Err(why) => self.refuse(why),
                }
            }
            // "If there are other records, the CNAME is silently ignored" (RFC 2136 section 3.4.2.2).
            (Class::IN, Rtype::CNAME) => Ok(()),
            // Links and renames are refused as for any other name.
            (Class::IN, rtype) if rtype.to_int() >= 65_280 => return None,
            (Class::IN, rtype) => self.refuse(format!(
                "{delegation}, and a record of type {rtype} belongs there"
            )),
            (Class::ANY, Rtype::ANY) => space.unregister(self.place),
            (Class::ANY, Rtype::A | Rtype::AAAA) => {
                let left = delegation.without(|address| of_address(address) == self.rtype);
                space.delegate(self.place, left)
            }
            (Class::ANY, Rtype::NS) => self.end(space, &delegation),
            (Class::NONE, Rtype::NS) if self.data == self.owner.as_slice() => {
                self.end(space, &delegation)
            }
            (Class::NONE, Rtype::A | Rtype::AAAA) => {
                let address = value(self.rtype, self.data).map(|value| value.address());
                let left = delegation.without(|found| address == Ok(Some(found)));
                space.delegate(self.place, left)
            }
            _ => Ok(()),
        })
    }

    /// Deletes the NS record: the addresses that are left are those of the name.
    fn end(&self, space: &mut Space, delegation: &Delegation) -> Result<(), Refusal> {
        space.unregister(self.place)?;
        let addresses = delegation.addresses().iter();
        let values = Values::new(addresses.map(|address| (*address).into()).collect());
        match values.map_err(|why| Refusal::impossible(self.place, why))? {
            Some(values) => {
                let ttls = Ttls::default().map(|_| delegation.ttl);
                space.register(self.place, values.with_ttls(ttls))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delegation_is_data_and_back() {
        let delegation = Delegation::parse(["127.0.0.2", "::3"]).unwrap();
        let data = to_data(&delegation);
        assert_eq!(&data[..6], [4, 127, 0, 0, 2, 16]);
        assert_eq!(of_data(&data), Ok(delegation));
        for bad in [
            &[][..],
            &[4, 127, 0, 0],
            &[5, 1, 2, 3, 4, 5],
            &[4, 0, 0, 0, 0],
            &[0],
        ] {
            assert!(of_data(bad).is_err(), "{bad:?}");
        }
    }
}
