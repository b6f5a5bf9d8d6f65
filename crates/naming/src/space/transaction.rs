//! Transactions on the naming graph: one entry is replaced at a time, and what was replaced can be rolled back.

use std::collections::BTreeSet;

use common::text::visible;

use super::graph::{Directory, Entry, NodeId, Refusal, SharedNode, Space, Undo};
use crate::{
    name::{APEX, FLAT, Name, Place, Shown},
    value::Values,
};

impl Space {
    /// Begins a transaction: from now on every step is recorded, so that it can be rolled back.
    pub fn begin(&mut self) {
        self.undo_log.get_or_insert_default();
    }

    /// A point to which [`Self::rollback`] can return: the number of steps since [`Self::begin`].
    pub fn savepoint(&self) -> usize {
        self.undo_log.as_ref().map_or(0, Vec::len)
    }

    /// Undoes every step since this savepoint.
    pub fn rollback(&mut self, savepoint: usize) {
        let Some(mut undo_log) = self.undo_log.take() else {
            return;
        };
        for undo in undo_log.drain(savepoint..).rev() {
            match undo {
                Undo::Entry(place, entry) => drop(self.replace(&place, entry)),
                Undo::Node(node, Some(before)) => drop(self.nodes.insert(node, before)),
                Undo::Node(node, None) => drop(self.nodes.remove(&node)),
            }
        }
        self.undo_log = Some(undo_log);
    }

    /// Every place whose meaning may have changed since [`Self::begin`] or the last [`Self::commit`].
    pub fn touched(&self) -> BTreeSet<Place> {
        let mut touched = BTreeSet::new();
        for undo in self.undo_log.iter().flatten() {
            match undo {
                Undo::Entry(place, _) => {
                    touched.insert(place.clone());
                }
                Undo::Node(node, before) => {
                    let now = self.nodes.get(node);
                    let both = before.iter().chain(now);
                    touched.extend(both.flat_map(|node| node.names.iter().cloned()));
                }
            }
        }
        touched
    }

    /// Makes every step since [`Self::begin`] permanent, and begins the next transaction.
    pub fn commit(&mut self) {
        if let Some(undo_log) = &mut self.undo_log {
            undo_log.clear();
        }
    }

    /// Makes a change of several steps: all of them, or none when one is refused.
    pub(super) fn atomically(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let outermost = self.undo_log.is_none();
        self.begin();
        let savepoint = self.savepoint();
        let changed = change(self);
        if changed.is_err() {
            self.rollback(savepoint);
        }
        if outermost {
            self.undo_log = None;
        }
        changed
    }

    /// Whether a place is at or below a mount point.
    pub fn is_mounted(&self, place: &Place) -> bool {
        let Place::Structured(names) = place else {
            return false;
        };
        let mut directory = &self.root;
        for name in names {
            match directory.get(name) {
                Some(Entry::Directory(inner)) if inner.mounted.is_some() => return true,
                Some(Entry::Directory(inner)) => directory = inner,
                _ => return false,
            }
        }
        false
    }

    /// Refuses a place below a mount point, a leaf, a symbolic link, or a delegation.
    pub(super) fn check_mounts(&self, place: &Place) -> Result<(), Refusal> {
        let Place::Structured(names) = place else {
            return Ok(());
        };
        let mut directory = &self.root;
        for (depth, name) in names.iter().enumerate() {
            let here = || Shown(&names[..=depth]);
            if let Some(host) = name.host()
                && let Some(Entry::Directory(inner)) = directory.get(host)
                && let Some(from) = &inner.mounted
            {
                let why = format!(
                    "{host} is mounted from {} and cannot be changed here",
                    visible(from.as_bytes())
                );
                return Err(Refusal::impossible(place, why));
            }
            if let Some(host) = name.host()
                && let Some(Entry::Delegation(delegation)) = directory.get(host)
            {
                let why = format!("{host} is {delegation}; change the names below it there");
                return Err(Refusal::impossible(place, why));
            }
            match directory.get(name) {
                Some(Entry::Directory(inner)) => {
                    if let Some(from) = &inner.mounted {
                        let why = format!(
                            "{} is mounted from {} and cannot be changed here",
                            here(),
                            visible(from.as_bytes())
                        );
                        return Err(Refusal::impossible(place, why));
                    }
                    directory = inner;
                }
                Some(Entry::Symlink(target)) if depth + 1 < names.len() => {
                    let why = format!(
                        "{} is a symbolic link; change the names in {target}",
                        here()
                    );
                    return Err(Refusal::impossible(place, why));
                }
                Some(Entry::Delegation(delegation)) if depth + 1 < names.len() => {
                    let why = format!(
                        "{} is {delegation}; change the names below it there",
                        here()
                    );
                    return Err(Refusal::impossible(place, why));
                }
                Some(_) if depth + 1 < names.len() => {
                    return Err(Refusal::impossible(
                        place,
                        format!("{} is a leaf and holds no names", here()),
                    ));
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Sets the entry at a place where there is no directory, or removes it.
    pub(super) fn put(&mut self, place: &Place, entry: Option<Entry>) -> Result<(), Refusal> {
        self.check_mounts(place)?;
        if let Place::Structured(names) = place
            && names
                .first()
                .is_some_and(|name| name.host().unwrap_or(name) == FLAT)
        {
            let why = "the name flat in the root is reserved: DNS has the flat names there";
            return Err(Refusal::impossible(place, why));
        }
        if let Place::Structured(names) = place
            && let Some(first) = names.first()
            && first.host().unwrap_or(first) == APEX
        {
            let of_zone = |values: &Values| {
                let mut values = values.as_slice().iter();
                values.all(|value| value.address().is_none())
            };
            let why = match &entry {
                _ if !place.is_apex() => "/@ is the zone itself and holds no names",
                Some(Entry::Leaf(values)) if of_zone(values) => "",
                None => "",
                _ => "the zone itself has texts and services, and no other values or links",
            };
            if !why.is_empty() {
                return Err(Refusal::impossible(place, why));
            }
        }
        if let (Some(room), Place::Structured(names), true) = (self.room, place, entry.is_some()) {
            let length: usize = names.iter().map(Name::dns_length).sum();
            if length > room {
                let why = format!("{length} bytes long, and at most {room} fit in DNS");
                return Err(Refusal::impossible(place, why));
            }
        }
        let before = self.replace(place, entry);
        if let Some(undo_log) = &mut self.undo_log {
            undo_log.push(Undo::Entry(place.clone(), before));
        }
        Ok(())
    }

    pub(super) fn put_node(&mut self, node: NodeId, now: Option<SharedNode>) {
        let before = match now {
            Some(now) => self.nodes.insert(node, now),
            None => self.nodes.remove(&node),
        };
        if let Some(undo_log) = &mut self.undo_log {
            undo_log.push(Undo::Node(node, before));
        }
    }

    /// Sets a shared node that lost a name; with a single name left it becomes an ordinary leaf.
    pub(super) fn put_links(&mut self, node: NodeId, left: SharedNode) {
        if let [last] = left.names.as_slice() {
            let before = self.replace(last, Some(Entry::Leaf(left.values.clone())));
            if let Some(undo_log) = &mut self.undo_log {
                undo_log.push(Undo::Entry(last.clone(), before));
            }
            self.put_node(node, None);
        } else {
            self.put_node(node, Some(left));
        }
    }

    /// Replaces the entry at a place, and returns the old one. A directory is made with its first name and removed with
    /// its last.
    fn replace(&mut self, place: &Place, entry: Option<Entry>) -> Option<Entry> {
        if matches!(entry, Some(Entry::Symlink(_))) {
            self.symlinks.insert(place.clone());
        }
        let before = match place {
            Place::Flat(name) => replace_at(&mut self.flat, std::slice::from_ref(name), entry),
            Place::Structured(names) => replace_at(&mut self.root, names, entry),
        };
        if matches!(before, Some(Entry::Symlink(_)))
            && !matches!(self.get(place), Some(Entry::Symlink(_)))
        {
            self.symlinks.remove(place);
        }
        before
    }

    pub(super) fn directory_mut(&mut self, place: &Place) -> Option<&mut Directory> {
        let Place::Structured(names) = place else {
            return None;
        };
        names.iter().try_fold(&mut self.root, |directory, name| {
            match directory.entries.get_mut(name.as_str()) {
                Some(Entry::Directory(inner)) => Some(&mut **inner),
                _ => None,
            }
        })
    }
}

fn replace_at(directory: &mut Directory, names: &[Name], entry: Option<Entry>) -> Option<Entry> {
    let (name, rest) = names.split_first()?;
    if rest.is_empty() {
        return match entry {
            Some(entry) => directory.entries.insert(name.clone(), entry),
            None => directory.entries.remove(name.as_str()),
        };
    }
    let inner = match directory.entries.get_mut(name.as_str()) {
        Some(Entry::Directory(inner)) => inner,
        Some(_) => return None,
        None if entry.is_none() => return None,
        None => {
            let empty = Entry::Directory(Box::default());
            match directory.entries.entry(name.clone()).or_insert(empty) {
                Entry::Directory(inner) => inner,
                _ => return None,
            }
        }
    };
    let before = replace_at(inner, rest, entry);
    if inner.is_empty() {
        directory.entries.remove(name.as_str());
    }
    before
}
