//! A subtree as its own server has it: the same domain names, in another zone with another TTL.

use std::collections::BTreeSet;

use common::exit::Failure;
use domain::base::iana::Rtype;

use crate::{
    dns::{
        owner::{Meant, Owner, Zones},
        publish::push_values,
        update::{DELEGATION, HARD_LINK, to_data},
        zone::{Records, push_timed},
    },
    name::Place,
    space::{Meaning, Refusal, Space},
    value::Values,
};

/// The names of a subtree, as the places that they have at the child.
pub(super) struct Subtree {
    space: Space,
    /// The TTL of the parent's zone, and that of the child's, in seconds.
    parent_ttl: u32,
    pub(super) child_ttl: u32,
}

/// What makes the names of the child those of the subtree.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Plan {
    /// Names that this run has registered, and that the subtree no longer has, or has otherwise.
    pub(super) remove: Vec<Place>,
    /// Names to be registered.
    pub(super) add: Vec<Place>,
    /// Names that the child has otherwise, and not by this run.
    pub(super) other: Vec<Place>,
}

impl Subtree {
    /// The subtree of these names of the parent.
    ///
    /// # Errors
    /// When the child cannot have one of them (exit code 1).
    pub(super) fn of<'m>(
        names: impl Iterator<Item = (Place, Meaning<'m>)>,
        zones: &Zones,
        child_zones: &Zones,
        parent_ttl: u32,
    ) -> Result<Self, Failure> {
        let moved = |place: &Place| {
            let owner = zones.owner(place).map_err(|why| Failure::no(place, why))?;
            match child_zones.meant(&owner) {
                Meant::Place(moved) => Ok(moved),
                _ => {
                    let why = format!("the server of {} cannot have this name", child_zones.names);
                    Err(Failure::no(place, why))
                }
            }
        };
        let mut space = Space::default();
        let mut links = Vec::new();
        for (place, meaning) in names {
            let refused = |refusal: Refusal| Failure::no(&place, refusal.why);
            let at = moved(&place)?;
            match meaning {
                Meaning::Values(values) => {
                    space.register(&at, values.clone()).map_err(refused)?;
                }
                Meaning::Delegation(delegation) => {
                    space.delegate(&at, delegation.clone()).map_err(refused)?;
                }
                link => links.push((place, at, link)),
            }
        }
        for (place, at, link) in links {
            let refused = |refusal: Refusal| Failure::no(&place, refusal.why);
            match link {
                // A name outside is refused with all links that lead across the cut.
                Meaning::HardLink(first) => {
                    if let Ok(first) = moved(first) {
                        space.link(&at, &first).map_err(refused)?;
                    }
                }
                Meaning::Symlink(link) => {
                    if let Ok(target) = moved(&link.target) {
                        space.link_for(&at, target, link.ttl).map_err(refused)?;
                    }
                }
                _ => {}
            }
        }
        Ok(Self {
            space,
            parent_ttl,
            child_ttl: parent_ttl,
        })
    }

    /// The TTL that a name has for its own at the child, so that it stays the one that it has at the parent.
    fn ttl(&self, own: Option<u32>) -> Option<u32> {
        let ttl = own.unwrap_or(self.parent_ttl);
        (ttl != self.child_ttl).then_some(ttl)
    }

    fn values(&self, values: &Values) -> Values {
        let ttls = values.ttls().map(|ttl| self.ttl(ttl));
        values.clone().with_ttls(ttls)
    }

    /// Whether a name has this meaning at the child.
    fn has(&self, here: Meaning<'_>, there: Meaning<'_>) -> bool {
        match (here, there) {
            (Meaning::Values(here), Meaning::Values(there)) => self.values(here) == *there,
            (Meaning::HardLink(here), Meaning::HardLink(there)) => here == there,
            (Meaning::Symlink(here), Meaning::Symlink(there)) => {
                here.target == there.target && self.ttl(here.ttl) == there.ttl
            }
            (Meaning::Delegation(here), Meaning::Delegation(there)) => {
                let same = here.addresses() == there.addresses();
                same && self.ttl(here.ttl) == there.ttl
            }
            _ => false,
        }
    }

    /// The records that register these names at the child, one by one: leaves first, then what leads to them.
    ///
    /// # Errors
    /// When a name is too long for DNS (exit code 1).
    pub(super) fn records(
        &self,
        names: &[Place],
        zones: &Zones,
    ) -> Result<Vec<(Owner, Vec<u8>)>, Failure> {
        let owner = |place: &Place| zones.owner(place).map_err(|why| Failure::no(place, why));
        let (mut leaves, mut links) = (Vec::new(), Vec::new());
        for place in names {
            let entry = self.space.get(place);
            let Some(meaning) = entry.and_then(|entry| self.space.meaning(place, entry)) else {
                continue;
            };
            let mut record = Vec::new();
            let to = match meaning {
                Meaning::Values(values) => {
                    push_values(&mut record, &self.values(values));
                    &mut leaves
                }
                Meaning::HardLink(first) => {
                    push_timed(&mut record, HARD_LINK, None, owner(first)?.as_slice());
                    &mut links
                }
                Meaning::Symlink(link) => {
                    let target = owner(&link.target)?;
                    let ttl = self.ttl(link.ttl);
                    push_timed(&mut record, Rtype::CNAME, ttl, target.as_slice());
                    &mut links
                }
                Meaning::Delegation(delegation) => {
                    let ttl = self.ttl(delegation.ttl);
                    push_timed(&mut record, DELEGATION, ttl, &to_data(delegation));
                    &mut leaves
                }
            };
            let owner = owner(place)?;
            let whole = Records(&record).whole();
            to.extend(whole.map(|record| (owner.clone(), record.to_vec())));
        }
        leaves.append(&mut links);
        Ok(leaves)
    }
}

/// What makes the names of the child those of the subtree; `registered` are those that this run has registered there.
pub(super) fn plan(subtree: &Subtree, child: &Space, registered: &BTreeSet<Place>) -> Plan {
    let mut plan = Plan::default();
    let mut names = BTreeSet::new();
    for (place, meaning) in subtree.space.meanings() {
        let entry = child.get(&place);
        match entry.and_then(|entry| child.meaning(&place, entry)) {
            Some(there) if subtree.has(meaning, there) => {}
            there => {
                match there {
                    Some(_) if registered.contains(&place) => plan.remove.push(place.clone()),
                    Some(_) => plan.other.push(place.clone()),
                    None => {}
                }
                plan.add.push(place.clone());
            }
        }
        names.insert(place);
    }
    let gone = registered.iter().filter(|place| !names.contains(*place));
    let gone = gone.filter(|place| {
        child
            .get(place)
            .is_some_and(|entry| child.meaning(place, entry).is_some())
    });
    plan.remove.extend(gone.cloned());
    plan
}
