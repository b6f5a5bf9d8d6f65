//! The changes that can be made to the name spaces: each is made whole or refused.

use common::text::visible;

use super::graph::{
    Entry, Meaning, NodeId, Reason, Refusal, SharedNode, Space, Symlink, below, describe,
};
use super::resolve::Node;
use crate::{
    name::{Path, Place, Shown, Step},
    value::Values,
};

impl Space {
    /// Registers a new name.
    ///
    /// # Errors
    /// When the name exists or is impossible.
    pub fn register(&mut self, place: &Place, values: Values) -> Result<(), Refusal> {
        self.must_be_new(place)?;
        self.put(place, Some(Entry::Leaf(values)))
    }

    /// Replaces the values of a leaf, under all its names. A name that does not exist is registered; without values the
    /// name is removed.
    ///
    /// # Errors
    /// When the name stands for something other than a leaf, or is impossible.
    pub fn set(&mut self, place: &Place, values: Option<Values>) -> Result<(), Refusal> {
        match (self.get(place), values) {
            (Some(Entry::Linked(node)), Some(values)) => {
                let node = *node;
                self.check_mounts(place)?;
                let changed = SharedNode {
                    values,
                    names: self.nodes[&node].names.clone(),
                };
                self.put_node(node, Some(changed));
                Ok(())
            }
            (None | Some(Entry::Leaf(_)), Some(values)) => {
                self.put(place, Some(Entry::Leaf(values)))
            }
            (Some(Entry::Symlink(target)), Some(_)) => {
                let why = format!("a symbolic link to {target}, and no leaf");
                Err(Refusal::impossible(place, why))
            }
            (Some(Entry::Directory(directory)), Some(_)) => {
                Err(Refusal::impossible(place, describe(directory)))
            }
            (Some(Entry::Delegation(delegation)), Some(_)) => Err(Refusal::impossible(
                place,
                format!("{delegation}, and no leaf"),
            )),
            (None, None) => Ok(()),
            (Some(_), None) => self.unregister(place),
        }
    }

    /// Removes a name; a leaf that has other names keeps those.
    ///
    /// # Errors
    /// When there is no such name, or it is a directory.
    pub fn unregister(&mut self, place: &Place) -> Result<(), Refusal> {
        match self.must_be(place)? {
            Entry::Directory(directory) => Err(Refusal::impossible(place, describe(directory))),
            Entry::Linked(node) => {
                let node = *node;
                self.put(place, None)?;
                let mut left = self.nodes[&node].clone();
                left.names.retain(|name| name != place);
                self.put_links(node, left);
                Ok(())
            }
            _ => self.put(place, None),
        }
    }

    /// Gives a leaf, a link, or a directory with everything in it another name. Symbolic links to the old name are not
    /// changed.
    ///
    /// # Errors
    /// When there is no such name, or the new one exists or is impossible.
    pub fn rename(&mut self, from: &Place, to: &Place) -> Result<(), Refusal> {
        self.must_be(from)?;
        self.must_be_new(to)?;
        if let (Place::Structured(from), Place::Structured(to_names)) = (from, to)
            && to_names.starts_with(from)
        {
            return Err(Refusal::impossible(
                to,
                format!("within {} itself", Shown(from)),
            ));
        }
        self.atomically(|space| {
            let mut moved = Vec::new();
            for old in space.at_and_below(from) {
                if let Some(Entry::Delegation(delegation)) = space.get(&old) {
                    let why = format!("{delegation}, which has the zone under this name");
                    return Err(Refusal::impossible(&old, why));
                }
                let new = replaced(&old, from, to).map_err(|why| Refusal::impossible(to, why))?;
                moved.push((old, new));
            }
            // The service names of a name go with it, and what is below them.
            for service in space.services(from) {
                let (old_root, new_root) = (from.service(&service), to.service(&service));
                space.must_be_new(&new_root)?;
                for old in space.at_and_below(&old_root) {
                    let new = replaced(&old, &old_root, &new_root)
                        .map_err(|why| Refusal::impossible(to, why))?;
                    moved.push((old, new));
                }
            }
            for (old, new) in &moved {
                let mut entry = space.get(old).cloned();
                space.put(old, None)?;
                if let Some(Entry::Linked(node)) = entry {
                    let mut changed = space.nodes[&node].clone();
                    changed.names.retain(|name| name != old);
                    changed.names.push(new.clone());
                    changed.names.sort_unstable();
                    space.put_node(node, Some(changed));
                }
                space.put(new, entry.take())?;
            }
            for (_, new) in &moved {
                space.check_circle(new)?;
            }
            Ok(())
        })
    }

    /// Makes a hard link: a second name for the leaf node that has the name `old`.
    ///
    /// # Errors
    /// When there is no such leaf, or the new name exists.
    pub fn link(&mut self, new: &Place, old: &Place) -> Result<(), Refusal> {
        self.must_be_new(new)?;
        let (node, mut shared) = match self.must_be(old)? {
            Entry::Directory(_) => {
                let why =
                    "a directory; a hard link names a leaf, for a directory take a symbolic one";
                return Err(Refusal::impossible(old, why));
            }
            Entry::Symlink(target) => {
                let why = format!("a symbolic link; make the hard link to {target}");
                return Err(Refusal::impossible(old, why));
            }
            Entry::Delegation(delegation) => {
                let why = format!("{delegation}, and no leaf; take a symbolic link");
                return Err(Refusal::impossible(old, why));
            }
            Entry::Linked(node) => (*node, self.nodes[node].clone()),
            Entry::Leaf(values) => {
                let first = SharedNode {
                    values: values.clone(),
                    names: vec![old.clone()],
                };
                (NodeId(self.next_node), first)
            }
        };
        self.atomically(|space| {
            shared.names.push(new.clone());
            shared.names.sort_unstable();
            if !matches!(space.get(old), Some(Entry::Linked(_))) {
                space.next_node += 1;
                space.put(old, Some(Entry::Linked(node)))?;
            }
            space.put(new, Some(Entry::Linked(node)))?;
            space.put_node(node, Some(shared));
            Ok(())
        })
    }

    /// Makes a symbolic link: a name for the name `target`, which need not exist.
    ///
    /// # Errors
    /// When the new name exists, or the links would form a circle.
    pub fn link_symbolically(&mut self, new: &Place, target: Place) -> Result<(), Refusal> {
        self.link_for(new, target, None)
    }

    /// The same, with a TTL of its own, in seconds.
    ///
    /// # Errors
    /// As [`Self::link_symbolically`].
    pub fn link_for(
        &mut self,
        new: &Place,
        target: Place,
        ttl: Option<u32>,
    ) -> Result<(), Refusal> {
        self.must_be_new(new)?;
        self.atomically(|space| {
            let link = Symlink { target, ttl };
            space.put(new, Some(Entry::Symlink(Box::new(link))))?;
            space.check_circle(new)
        })
    }

    /// Mounts the structured names of another space, read-only, under a new directory. Their links lead to names within
    /// the mounted tree.
    ///
    /// # Errors
    /// When the name exists, a name gets too long, or there is nothing to mount.
    pub fn mount(&mut self, at: &Place, other: &Self, from: &str) -> Result<(), Refusal> {
        self.must_be_new(at)?;
        let Place::Structured(_) = at else {
            return Err(Refusal::impossible(
                at,
                "a flat name, and a tree is mounted in the structured ones",
            ));
        };
        if other.root.is_empty() {
            let why = format!("{} has no structured names", visible(from.as_bytes()));
            return Err(Refusal::impossible(at, why));
        }
        let below = |place: &Place| {
            let root = Place::Structured(Vec::new());
            replaced(place, &root, at).map_err(|why| Refusal::impossible(at, why))
        };
        self.atomically(|space| {
            for (place, meaning) in other.meanings() {
                let Place::Structured(_) = place else {
                    continue;
                };
                let place = below(&place)?;
                match meaning {
                    Meaning::Values(values) => space.register(&place, values.clone())?,
                    Meaning::HardLink(first) => space.link(&place, &below(first)?)?,
                    Meaning::Symlink(link) => space.link_for(&place, below(link)?, link.ttl)?,
                    Meaning::Delegation(delegation) => {
                        space.delegate(&place, delegation.clone())?
                    }
                }
            }
            if let Some(directory) = space.directory_mut(at) {
                directory.mounted = Some(from.into());
            }
            Ok(())
        })
    }

    pub(super) fn must_be_new(&self, place: &Place) -> Result<(), Refusal> {
        let why = match self.get(place) {
            None => return Ok(()),
            Some(Entry::Directory(directory)) => describe(directory),
            Some(Entry::Symlink(target)) => format!("exists already, a symbolic link to {target}"),
            Some(Entry::Delegation(delegation)) => format!("exists already, {delegation}"),
            Some(leaf) => {
                let values = self
                    .values(leaf)
                    .map(ToString::to_string)
                    .unwrap_or_default();
                format!("exists already: {values}")
            }
        };
        Err(Refusal {
            place: place.clone(),
            reason: Reason::Exists,
            why,
        })
    }

    fn must_be(&self, place: &Place) -> Result<&Entry, Refusal> {
        self.get(place).ok_or_else(|| Refusal {
            place: place.clone(),
            reason: Reason::Missing,
            why: self.why_missing(place),
        })
    }

    /// The service names of this name, each as the part behind it.
    pub(super) fn services(&self, place: &Place) -> Vec<String> {
        let directory = match place {
            Place::Flat(_) => Some(&self.flat),
            Place::Structured(names) => match names.split_last() {
                None | Some((_, [])) => Some(&self.root),
                Some((_, above)) => match self.get(&Place::Structured(above.to_vec())) {
                    Some(Entry::Directory(directory)) => Some(&**directory),
                    _ => None,
                },
            },
        };
        let name = place.name().as_str();
        let service = |other: &crate::name::Name| {
            let behind = other.strip_prefix(name)?.strip_prefix('/')?;
            Some(behind.to_owned())
        };
        let names = directory.map(|directory| directory.entries.keys());
        let mut services: Vec<_> = names.into_iter().flatten().filter_map(service).collect();
        services.sort_unstable();
        services
    }

    /// Refuses a new link in a circle; one to a directory can close a circle of links whose paths lead through it.
    fn check_circle(&self, link: &Place) -> Result<(), Refusal> {
        let refused = |found| Err(Refusal::impossible(link, found));
        if let Some(found) = self.find_circle(link) {
            return refused(found);
        }
        let to_directory = match self.get(link) {
            Some(Entry::Symlink(target)) => matches!(self.follow(target), Some(Node::Directory(_))),
            _ => false,
        };
        let mut links = self.symlinks().filter(|_| to_directory);
        links
            .find_map(|other| self.find_circle(other))
            .map_or(Ok(()), refused)
    }

    /// The place itself when it is no directory, else every place below it that is none.
    pub(super) fn at_and_below(&self, place: &Place) -> Vec<Place> {
        let mut places = Vec::new();
        match self.get(place) {
            Some(Entry::Directory(directory)) => {
                below(directory, &mut place.clone(), &mut |place, _| {
                    places.push(place.clone())
                });
                places.sort_unstable();
            }
            _ => places.push(place.clone()),
        }
        places
    }
}

/// The same place with `from` at its beginning replaced by `to`.
fn replaced(place: &Place, from: &Place, to: &Place) -> Result<Place, String> {
    let beginning = match from {
        Place::Structured(names) => names.len(),
        Place::Flat(_) => 1,
    };
    let rest = match place {
        Place::Structured(names) => names.get(beginning..).unwrap_or_default(),
        Place::Flat(_) => &[],
    };
    match to {
        to if rest.is_empty() => Ok(to.clone()),
        Place::Structured(names) => {
            let steps = rest.iter().cloned().map(Step::Down);
            let path = Path {
                absolute: false,
                steps: steps.collect(),
            };
            Place::at(&path, names).map_err(|failure| failure.why)
        }
        Place::Flat(_) => Err("a flat name, and no directory has one".into()),
    }
}
