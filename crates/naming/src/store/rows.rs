//! From the rows of a store, a place and its meaning each, to names.

use common::exit::Failure;

use crate::{
    file::{OwnedMeaning, meaning_from_json},
    name::Place,
    space::{Refusal, Space},
};

/// The names of the rows so far. Links are made last: the first of several names has the values, so every hard link finds
/// its leaf.
#[derive(Default)]
pub(super) struct Names {
    space: Space,
    links: Vec<(Place, OwnedMeaning)>,
}

impl Names {
    /// Adds a row.
    ///
    /// # Errors
    /// Why it makes no name.
    pub(super) fn add(&mut self, key: &str, meaning: &str) -> Result<(), String> {
        let place: Place = key.parse().map_err(|failure: Failure| failure.why)?;
        match meaning_from_json(meaning)? {
            OwnedMeaning::Values(values) => self
                .space
                .register(&place, values)
                .map_err(|refusal| refusal.why)?,
            OwnedMeaning::Delegation(delegation) => self
                .space
                .delegate(&place, delegation)
                .map_err(|refusal| refusal.why)?,
            link => self.links.push((place, link)),
        }
        Ok(())
    }

    /// All names; `refused` gets each link that cannot be made.
    ///
    /// # Errors
    /// Those of `refused`.
    pub(super) fn finish<E>(
        self,
        mut refused: impl FnMut(Refusal) -> Result<(), E>,
    ) -> Result<Space, E> {
        let mut space = self.space;
        for (place, link) in self.links {
            let linked = match link {
                OwnedMeaning::HardLink(first) => space.link(&place, &first),
                OwnedMeaning::Symlink(link) => space.link_for(&place, link.target, link.ttl),
                OwnedMeaning::Values(_) | OwnedMeaning::Delegation(_) => Ok(()),
            };
            linked.or_else(&mut refused)?;
        }
        Ok(space)
    }
}
