//! The two name spaces, and what can be done to them.
//!
//! The structured name space is a naming graph (van Steen & Tanenbaum, chapter "Naming"): directory nodes hold names,
//! leaf nodes hold values. A hard link is a second name for one leaf node; a symbolic link is a name that stands for
//! another name. A directory exists as long as it holds something. The flat name space is one directory of its own.
//!
//! Every change is possible or refused, never half done; several can be made and taken back together ([`Space::begin`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use common::{exit::Failure, text::visible};
use hashbrown::HashMap;

use crate::{
    name::{Name, Place, Shown},
    value::Values,
};

/// The name in the structured root under which DNS shows the flat names: nothing else may be called so.
pub const FLAT: &str = "flat";

/// What a name stands for in its directory.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A leaf node that has no other name.
    Leaf(Values),
    /// A directory node.
    Directory(Box<Directory>),
    /// Another name, from the root.
    Symlink(Box<Place>),
    /// A leaf node with several names.
    Linked(NodeId),
}

/// A leaf node with several names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(u32);

#[derive(Clone, Debug)]
struct Node {
    values: Values,
    /// In order, at least two.
    names: Vec<Place>,
}

/// A directory node.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    entries: HashMap<Name, Entry>,
    /// Where the tree below comes from, when it was mounted here: it cannot be changed from here.
    mounted: Option<Box<str>>,
}

impl Directory {
    /// What this name stands for.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// What this name stands for, and the name as it is kept here.
    pub(crate) fn get_with_name(&self, name: &str) -> Option<(&Name, &Entry)> {
        self.entries.get_key_value(name)
    }

    /// Puts a name in that is not there yet.
    pub(crate) fn insert(&mut self, name: Name, entry: Entry) -> Option<Entry> {
        self.entries.insert(name, entry)
    }

    /// Gives back the room for names that did not come.
    pub(crate) fn shrink_to_fit(&mut self) {
        self.entries.shrink_to_fit();
    }

    /// Its names, in order.
    pub fn names(&self) -> Vec<&Name> {
        let mut names: Vec<_> = self.entries.keys().collect();
        names.sort_unstable();
        names
    }

    /// How many names it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none; only the roots can have none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Where the tree below comes from, when it was mounted here.
    pub fn mounted(&self) -> Option<&str> {
        self.mounted.as_deref()
    }
}

/// What a name means, whichever way the space holds it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning<'a> {
    /// These values; of several hard links the first name has them.
    Values(&'a Values),
    /// The same leaf node as this name, the first of them.
    HardLink(&'a Place),
    /// Another name.
    Symlink(&'a Place),
}

/// Why a change is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The name exists already.
    Exists,
    /// The name does not exist.
    Missing,
    /// It would break the name space.
    Impossible,
}

/// A change that was refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// What was to be changed.
    pub place: Place,
    /// Why, for programs.
    pub reason: Reason,
    /// Why, for people.
    pub why: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.why)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::no(&refusal.place, refusal.why)
    }
}

fn impossible(place: &Place, why: impl Into<String>) -> Refusal {
    Refusal {
        place: place.clone(),
        reason: Reason::Impossible,
        why: why.into(),
    }
}

/// How to take one step back.
#[derive(Debug)]
enum Undo {
    Entry(Place, Option<Entry>),
    Node(NodeId, Option<Node>),
}

/// Both name spaces.
#[derive(Debug, Default)]
pub struct Space {
    flat: Directory,
    root: Directory,
    nodes: BTreeMap<NodeId, Node>,
    next_node: u32,
    /// Every symbolic link.
    symlinks: BTreeSet<Place>,
    /// What was done since [`Space::begin`].
    done: Option<Vec<Undo>>,
    /// How long a place can be, in bytes of its names with one more for each, where that is less than
    /// [`LONGEST_PLACE`](crate::name::LONGEST_PLACE).
    room: Option<usize>,
}

impl Space {
    /// A space of leaves and directories, in which nothing is linked yet.
    pub(crate) fn of(flat: Directory, root: Directory) -> Self {
        Self {
            flat,
            root,
            ..Self::default()
        }
    }

    /// The flat name space.
    pub fn flat_names(&self) -> &Directory {
        &self.flat
    }

    /// The root of the structured one.
    pub fn root(&self) -> &Directory {
        &self.root
    }

    /// Every symbolic link.
    pub fn symlinks(&self) -> impl Iterator<Item = &Place> {
        self.symlinks.iter()
    }

    /// What stands at this place, without following a symbolic link.
    pub fn get(&self, place: &Place) -> Option<&Entry> {
        match place {
            Place::Flat(name) => self.flat.get(name),
            Place::Structured(names) => {
                let (last, above) = names.split_last()?;
                let directory =
                    above.iter().try_fold(&self.root, |directory, name| {
                        match directory.get(name) {
                            Some(Entry::Directory(inner)) => Some(&**inner),
                            _ => None,
                        }
                    })?;
                directory.get(last)
            }
        }
    }

    /// The values of a leaf, however it is held.
    pub fn values<'a>(&'a self, entry: &'a Entry) -> Option<&'a Values> {
        match entry {
            Entry::Leaf(values) => Some(values),
            Entry::Linked(node) => Some(&self.nodes[node].values),
            Entry::Directory(_) | Entry::Symlink(_) => None,
        }
    }

    /// All names of the leaf node that stands at this place, in order; none when it has no second one.
    pub fn hard_links(&self, entry: &Entry) -> &[Place] {
        match entry {
            Entry::Linked(node) => &self.nodes[node].names,
            _ => &[],
        }
    }

    /// What the name at this place means; None for a directory.
    pub fn meaning<'a>(&'a self, place: &Place, entry: &'a Entry) -> Option<Meaning<'a>> {
        match entry {
            Entry::Directory(_) => None,
            Entry::Symlink(target) => Some(Meaning::Symlink(target)),
            Entry::Leaf(values) => Some(Meaning::Values(values)),
            Entry::Linked(node) => {
                let node = &self.nodes[node];
                if node.names.first() == Some(place) {
                    Some(Meaning::Values(&node.values))
                } else {
                    node.names.first().map(Meaning::HardLink)
                }
            }
        }
    }

    /// Visits every name that stands for something other than a directory, in no order.
    pub fn each(&self, mut visit: impl FnMut(&Place, &Entry)) {
        for (name, entry) in &self.flat.entries {
            visit(&Place::Flat(name.clone()), entry);
        }
        below(&self.root, &mut Place::Structured(Vec::new()), &mut visit);
    }

    /// How many names stand for something other than a directory.
    pub fn len(&self) -> usize {
        fn below(directory: &Directory) -> usize {
            let inner = directory.entries.values().map(|entry| match entry {
                Entry::Directory(inner) => below(inner),
                _ => 1,
            });
            inner.sum()
        }
        self.flat.len() + below(&self.root)
    }

    /// Whether there is no name at all.
    pub fn is_empty(&self) -> bool {
        self.flat.is_empty() && self.root.is_empty()
    }

    /// Every name that stands for something other than a directory, with what it means: flat names first, each in order.
    pub fn meanings(&self) -> Vec<(Place, Meaning<'_>)> {
        let mut places = Vec::new();
        self.each(|place, _| places.push(place.clone()));
        places.sort_unstable();
        let meaning = |place: Place| {
            let meaning = self.meaning(&place, self.get(&place)?)?;
            Some((place, meaning))
        };
        places.into_iter().filter_map(meaning).collect()
    }

    /// From now on no name comes to a place longer than this, in bytes of its names with one more for each.
    pub fn limit(&mut self, room: usize) {
        self.room = Some(room);
    }

    // What can be done to it.

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

/// The same names with the same meanings.
impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        self.meanings() == other.meanings()
    }
}

impl Eq for Space {}

/// Visits what is below a directory that stands at `place`.
fn below(directory: &Directory, place: &mut Place, visit: &mut impl FnMut(&Place, &Entry)) {
    for (name, entry) in &directory.entries {
        if let Place::Structured(names) = place {
            names.push(name.clone());
        }
        match entry {
            Entry::Directory(inner) => below(inner, place, visit),
            entry => visit(place, entry),
        }
        if let Place::Structured(names) = place {
            names.pop();
        }
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
            let path = crate::name::Path {
                absolute: false,
                steps: rest.iter().cloned().map(crate::name::Step::Down).collect(),
            };
            Place::at(&path, names).map_err(|failure| failure.why)
        }
        Place::Flat(_) => Err("a flat name, and no directory has one".into()),
    }
}

/// `a directory; it has server1, server2`.
fn is_a(directory: &Directory) -> String {
    format!("a directory; {}", holds(directory))
}

/// `it has server1, server2`, or as many as one line should show.
pub(crate) fn holds(directory: &Directory) -> String {
    const SHOWN: usize = 8;
    let all = directory.names();
    let mut names: Vec<_> = all
        .iter()
        .take(SHOWN)
        .map(|name| visible(name.as_bytes()))
        .collect();
    if all.is_empty() {
        names.push("nothing".into());
    } else if all.len() > SHOWN {
        names.push(format!("and {} more", all.len() - SHOWN));
    }
    format!("it has {}", names.join(", "))
}
