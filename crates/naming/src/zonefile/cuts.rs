//! Delegations in a zone file: NS records below the apex, with the addresses of their servers in the file.
//!
//! The names of the servers are not kept: a delegation is to their addresses. Records at and below the cut are glue, or
//! nobody reads them.

use std::collections::{BTreeMap, BTreeSet};

use super::left_out::At;
use crate::{
    delegation::Delegation,
    dns::owner::{Meant, Owner, Zones},
    name::Place,
    value::Value,
};

/// The values of names so far, each with its TTL and where it is.
pub(super) type FoundValues = BTreeMap<Place, Vec<(Value, Option<u32>, At)>>;

/// The NS records of a name.
pub(super) type Servers = Vec<(Owner, Option<u32>, At)>;

/// The delegations of a zone file.
#[derive(Default)]
pub(super) struct Cuts {
    pub(super) delegations: BTreeMap<Place, (Delegation, At)>,
    /// The names of servers that are at or below a cut.
    glue: BTreeSet<Place>,
    /// What is not taken, and why.
    pub(super) refused: Vec<(At, String)>,
}

impl Cuts {
    /// The delegations that these NS records make.
    pub(super) fn of(
        servers: BTreeMap<Place, Servers>,
        values: &FoundValues,
        zones: &Zones,
    ) -> Self {
        let mut cuts = Self::default();
        // A name comes before those below it.
        for (place, servers) in servers {
            if let Some(above) = cuts.above(&place) {
                let why = format!("{place}: {above} is delegated, and the names below it with it");
                let all = servers.iter().map(|(.., at)| (*at, why.clone()));
                cuts.refused.extend(all);
                continue;
            }
            let Some((_, ttl, first)) = servers.first().cloned() else {
                continue;
            };
            let mut addresses = Vec::new();
            for (server, _, at) in &servers {
                let of = match zones.meant(server) {
                    Meant::Place(of) => Some(of),
                    _ => None,
                };
                let values = of.as_ref().and_then(|of| values.get(of));
                let found = values.into_iter().flatten();
                let before = addresses.len();
                addresses.extend(found.filter_map(|(value, ..)| value.address()));
                if addresses.len() == before {
                    let why = format!("{place}: its name server {server} has no address here");
                    cuts.refused.push((*at, why));
                }
                let of = of.filter(|of| *of == place || of.is_below(&place));
                cuts.glue.extend(of);
            }
            if addresses.is_empty() {
                continue;
            }
            match Delegation::new(addresses) {
                Ok(delegation) => {
                    let delegation = delegation.with_ttl(ttl);
                    cuts.delegations.insert(place, (delegation, first));
                }
                Err(why) => cuts.refused.push((first, format!("{place}: {why}"))),
            }
        }
        cuts
    }

    /// The delegation above a place.
    fn above(&self, place: &Place) -> Option<&Place> {
        let mut above = self.delegations.keys();
        above.find(|above| place.is_below(above))
    }

    /// Whether a link at this place is of no use; it is refused then.
    pub(super) fn hide(&mut self, place: &Place, at: At) -> bool {
        let hidden = self.hides(place);
        if let Some(why) = hidden.clone() {
            self.refused.push((at, why));
        }
        hidden.is_some()
    }

    /// Whether the values of this place are glue, or of no use; those are refused.
    pub(super) fn hide_values(
        &mut self,
        place: &Place,
        values: &[(Value, Option<u32>, At)],
    ) -> bool {
        let Some(why) = self.hides(place) else {
            return false;
        };
        for (value, _, at) in values {
            if value.address().is_none() || !self.glue.contains(place) {
                self.refused.push((*at, why.clone()));
            }
        }
        true
    }

    fn hides(&self, place: &Place) -> Option<String> {
        if self.delegations.is_empty() {
            return None;
        }
        let at = self.delegations.contains_key(place).then_some(place);
        let cut = at.or_else(|| self.above(place))?;
        Some(format!(
            "{place}: {cut} is delegated, and its server has what is there"
        ))
    }
}
