//! What can be done to the name spaces: every change is possible or refused, and can be taken back.

use std::collections::BTreeSet;

use common::text::visible;

use super::{Directory, Entry, FLAT, Meaning, Node, NodeId, Reason, Refusal, Space, below, is_a};
use crate::{
    name::{Name, Path, Place, Shown, Step, join},
    value::Values,
};

/// How to take one step back.
#[derive(Debug)]
pub(super) enum Undo {
    Entry(Place, Option<Entry>),
    Node(NodeId, Option<Node>),
}

fn impossible(place: &Place, why: impl Into<String>) -> Refusal {
    Refusal {
        place: place.clone(),
        reason: Reason::Impossible,
        why: why.into(),
    }
}

impl Space {
    /// Registers a new name.
    ///
    /// # Errors
    /// When the name exists, or has no room in the tree.
    pub fn register(&mut self, place: &Place, values: Values) -> Result<(), Refusal> {
        self.must_be_new(place)?;
        self.put(place, Some(Entry::Leaf(values)))
    }

    /// Gives a leaf other values, under all its names; without any, or at a place where there is nothing, the name
    /// itself comes or goes.
    ///
    /// # Errors
    /// When there is no leaf and no room for one.
    pub fn set(&mut self, place: &Place, values: Option<Values>) -> Result<(), Refusal> {
        match (self.get(place), values) {
            (Some(Entry::Linked(node)), Some(values)) => {
                let node = *node;
                self.check_mounts(place)?;
                let changed = Node {
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
                Err(impossible(place, why))
            }
            (Some(Entry::Directory(directory)), Some(_)) => Err(impossible(place, is_a(directory))),
            (None, None) => Ok(()),
            (Some(_), None) => self.unregister(place),
        }
    }

    /// Takes a name away; a leaf with another hard link keeps that one.
    ///
    /// # Errors
    /// When there is no such name, or it is a directory.
    pub fn unregister(&mut self, place: &Place) -> Result<(), Refusal> {
        match self.must_be(place)? {
            Entry::Directory(directory) => Err(impossible(place, is_a(directory))),
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

    /// Gives whatever stands at one place another name: a leaf, a link, or a directory with all that is in it. Symbolic
    /// links to the old name are left as they are.
    ///
    /// # Errors
    /// When there is no such name, the new one exists, or has no room in the tree.
    pub fn rename(&mut self, from: &Place, to: &Place) -> Result<(), Refusal> {
        self.must_be(from)?;
        self.must_be_new(to)?;
        if let (Place::Structured(from), Place::Structured(to_names)) = (from, to)
            && to_names.starts_with(from)
        {
            return Err(impossible(to, format!("within {} itself", Shown(from))));
        }
        self.atomically(|space| {
            let moved = space.at_and_below(from);
            for old in &moved {
                let mut entry = space.get(old).cloned();
                let new = replaced(old, from, to).map_err(|why| impossible(to, why))?;
                space.put(old, None)?;
                if let Some(Entry::Linked(node)) = entry {
                    let mut changed = space.nodes[&node].clone();
                    changed.names.retain(|name| name != old);
                    changed.names.push(new.clone());
                    changed.names.sort_unstable();
                    space.put_node(node, Some(changed));
                }
                space.put(&new, entry.take())?;
            }
            for old in &moved {
                let new = replaced(old, from, to).map_err(|why| impossible(to, why))?;
                space.check_loop(&new)?;
            }
            Ok(())
        })
    }

    /// A hard link: a second name for the leaf node that has the name `old`.
    ///
    /// # Errors
    /// When there is no such leaf, or the new name exists.
    pub fn link(&mut self, new: &Place, old: &Place) -> Result<(), Refusal> {
        self.must_be_new(new)?;
        let (node, mut shared) = match self.must_be(old)? {
            Entry::Directory(_) => {
                let why =
                    "a directory; a hard link names a leaf, for a directory take a symbolic one";
                return Err(impossible(old, why));
            }
            Entry::Symlink(target) => {
                let why = format!("a symbolic link; make the hard link to {target}");
                return Err(impossible(old, why));
            }
            Entry::Linked(node) => (*node, self.nodes[node].clone()),
            Entry::Leaf(values) => {
                let first = Node {
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

    /// A symbolic link: a name for the name `target`, which need not exist.
    ///
    /// # Errors
    /// When the new name exists, or resolving it would never end.
    pub fn link_symbolically(&mut self, new: &Place, target: Place) -> Result<(), Refusal> {
        self.must_be_new(new)?;
        self.atomically(|space| {
            space.put(new, Some(Entry::Symlink(Box::new(target))))?;
            space.check_loop(new)
        })
    }

    /// Mounts the structured names of another space under a new directory, to be read and not to be changed. What they
    /// link to is within what was mounted.
    ///
    /// # Errors
    /// When the name exists, a name gets too long, or there is nothing to mount.
    pub fn mount(&mut self, at: &Place, other: &Self, from: &str) -> Result<(), Refusal> {
        self.must_be_new(at)?;
        let Place::Structured(_) = at else {
            return Err(impossible(
                at,
                "a flat name, and a tree is mounted in the structured ones",
            ));
        };
        if other.root.is_empty() {
            let why = format!("{} has no structured names", visible(from.as_bytes()));
            return Err(impossible(at, why));
        }
        let below = |place: &Place| {
            let root = Place::Structured(Vec::new());
            replaced(place, &root, at).map_err(|why| impossible(at, why))
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
                    Meaning::Symlink(target) => space.link_symbolically(&place, below(target)?)?,
                }
            }
            if let Some(directory) = space.directory_mut(at) {
                directory.mounted = Some(from.into());
            }
            Ok(())
        })
    }

    // Several changes as one.

    /// From now on remembers what is done, to take it back or to know what changed.
    pub fn begin(&mut self) {
        self.done.get_or_insert_default();
    }

    /// How far it has come since [`Self::begin`]; for [`Self::take_back`].
    pub fn mark(&self) -> usize {
        self.done.as_ref().map_or(0, Vec::len)
    }

    /// Takes back what was done since this mark.
    pub fn take_back(&mut self, mark: usize) {
        let Some(mut done) = self.done.take() else {
            return;
        };
        for undo in done.drain(mark..).rev() {
            match undo {
                Undo::Entry(place, entry) => drop(self.replace(&place, entry)),
                Undo::Node(node, Some(before)) => drop(self.nodes.insert(node, before)),
                Undo::Node(node, None) => drop(self.nodes.remove(&node)),
            }
        }
        self.done = Some(done);
    }

    /// Every place that means something else now than at [`Self::begin`], or may.
    pub fn touched(&self) -> BTreeSet<Place> {
        let mut touched = BTreeSet::new();
        for undo in self.done.iter().flatten() {
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

    /// What was done is not taken back any more; begins anew.
    pub fn settle(&mut self) {
        if let Some(done) = &mut self.done {
            done.clear();
        }
    }

    fn atomically(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        let alone = self.done.is_none();
        self.begin();
        let mark = self.mark();
        let changed = change(self);
        if changed.is_err() {
            self.take_back(mark);
        }
        if alone {
            self.done = None;
        }
        changed
    }

    fn must_be_new(&self, place: &Place) -> Result<(), Refusal> {
        let why = match self.get(place) {
            None => return Ok(()),
            Some(Entry::Directory(directory)) => is_a(directory),
            Some(Entry::Symlink(target)) => format!("exists already, a symbolic link to {target}"),
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

    fn check_loop(&self, link: &Place) -> Result<(), Refusal> {
        self.find_loop(link)
            .map_or(Ok(()), |found| Err(impossible(link, found)))
    }

    /// Nothing below a mount point can be changed, and nothing be put below a leaf.
    fn check_mounts(&self, place: &Place) -> Result<(), Refusal> {
        let Place::Structured(names) = place else {
            return Ok(());
        };
        let mut directory = &self.root;
        for (depth, name) in names.iter().enumerate() {
            let here = || Shown(&names[..=depth]);
            match directory.get(name) {
                Some(Entry::Directory(inner)) => {
                    if let Some(from) = &inner.mounted {
                        let why = format!(
                            "{} is mounted from {} and cannot be changed here",
                            here(),
                            visible(from.as_bytes())
                        );
                        return Err(impossible(place, why));
                    }
                    directory = inner;
                }
                Some(Entry::Symlink(target)) if depth + 1 < names.len() => {
                    let why = format!(
                        "{} is a symbolic link; change the names in {target}",
                        here()
                    );
                    return Err(impossible(place, why));
                }
                Some(_) if depth + 1 < names.len() => {
                    return Err(impossible(
                        place,
                        format!("{} is a leaf and holds no names", here()),
                    ));
                }
                _ => break,
            }
        }
        Ok(())
    }

    /// Puts something to a place where there is no directory, or takes away what is there.
    fn put(&mut self, place: &Place, entry: Option<Entry>) -> Result<(), Refusal> {
        self.check_mounts(place)?;
        if let Place::Structured(names) = place
            && names.first().is_some_and(|name| name.as_str() == FLAT)
        {
            let why = "the name flat in the root is taken: DNS has the flat names there";
            return Err(impossible(place, why));
        }
        if let (Some(room), Place::Structured(names), true) = (self.room, place, entry.is_some()) {
            let length: usize = names.iter().map(|name| name.len() + 1).sum();
            if length > room {
                let why = format!("{length} bytes long, and at most {room} have room in DNS");
                return Err(impossible(place, why));
            }
        }
        let before = self.replace(place, entry);
        if let Some(done) = &mut self.done {
            done.push(Undo::Entry(place.clone(), before));
        }
        Ok(())
    }

    fn put_node(&mut self, node: NodeId, now: Option<Node>) {
        let before = match now {
            Some(now) => self.nodes.insert(node, now),
            None => self.nodes.remove(&node),
        };
        if let Some(done) = &mut self.done {
            done.push(Undo::Node(node, before));
        }
    }

    /// A node whose names have become fewer; one with a single name is an ordinary leaf.
    fn put_links(&mut self, node: NodeId, left: Node) {
        if let [last] = left.names.as_slice() {
            let before = self.replace(last, Some(Entry::Leaf(left.values.clone())));
            if let Some(done) = &mut self.done {
                done.push(Undo::Entry(last.clone(), before));
            }
            self.put_node(node, None);
        } else {
            self.put_node(node, Some(left));
        }
    }

    /// What stands at a place is replaced; directories come and go with what they hold.
    fn replace(&mut self, place: &Place, entry: Option<Entry>) -> Option<Entry> {
        if let (Some(index), Place::Structured(names)) = (&mut self.index, place) {
            match &entry {
                Some(Entry::Leaf(values)) => index.insert(join(names), values.clone()),
                _ => index.remove(&join(names)),
            };
        }
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

    fn directory_mut(&mut self, place: &Place) -> Option<&mut Directory> {
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

    /// The place itself when it is no directory, else every place below it that is none.
    fn at_and_below(&self, place: &Place) -> Vec<Place> {
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
            let path = Path::of(false, steps.collect());
            Place::at(&path, names).map_err(|failure| failure.why)
        }
        Place::Flat(_) => Err("a flat name, and no directory has one".into()),
    }
}
