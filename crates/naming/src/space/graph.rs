//! The naming graph: its nodes, and what reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use common::{exit::Failure, text::visible};
use hashbrown::HashMap;

use crate::{
    delegation::Delegation,
    name::{Name, Place},
    value::{TTL, Values},
};

/// What a name stands for in its directory.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A leaf node that has no other name.
    Leaf(Values),
    /// A directory node.
    Directory(Box<Directory>),
    /// Another name, from the root.
    Symlink(Box<Symlink>),
    /// A leaf node with several names.
    Linked(NodeId),
    /// A subtree that other servers have.
    Delegation(Box<Delegation>),
}

/// A symbolic link: another name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Symlink {
    /// The name that it stands for.
    pub target: Place,
    /// How long others may keep it, in seconds, when it has a TTL of its own.
    pub ttl: Option<u32>,
}

impl std::ops::Deref for Symlink {
    type Target = Place;

    fn deref(&self) -> &Place {
        &self.target
    }
}

impl fmt::Display for Symlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}

/// A leaf node with several names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub(super) u32);

/// A leaf node with several names, and what it holds.
#[derive(Clone, Debug)]
pub(super) struct SharedNode {
    pub(super) values: Values,
    /// In order, at least two.
    pub(super) names: Vec<Place>,
}

/// How to undo one step of a transaction.
#[derive(Debug)]
pub(super) enum Undo {
    /// The entry that the place had.
    Entry(Place, Option<Entry>),
    /// The shared node that there was.
    Node(NodeId, Option<SharedNode>),
}

/// A directory node.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    pub(super) entries: HashMap<Name, Entry>,
    /// The source of the tree below, when it was mounted here: it cannot be changed from here.
    pub(super) mounted: Option<Box<str>>,
}

impl Directory {
    /// What this name stands for.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name)
    }

    /// What this name stands for, and the name as it is stored here.
    pub(crate) fn get_with_name(&self, name: &str) -> Option<(&Name, &Entry)> {
        self.entries.get_key_value(name)
    }

    /// Adds a name that does not exist yet.
    pub(crate) fn insert(&mut self, name: Name, entry: Entry) -> Option<Entry> {
        self.entries.insert(name, entry)
    }

    /// Releases the memory reserved for further names.
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

    /// Whether it has none; only a root can be empty.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The source of the tree below, when it was mounted here.
    pub fn mounted(&self) -> Option<&str> {
        self.mounted.as_deref()
    }
}

/// What a name stands for, independent of how the space stores it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Meaning<'a> {
    /// These values; of several hard links the first name has them.
    Values(&'a Values),
    /// The same leaf node as this name, the first of them.
    HardLink(&'a Place),
    /// Another name.
    Symlink(&'a Symlink),
    /// A subtree that other servers have.
    Delegation(&'a Delegation),
}

impl fmt::Display for Meaning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => values.fmt(f),
            Self::HardLink(first) => write!(f, "the same as {first}"),
            Self::Symlink(link) => {
                write!(f, "alias of {link}")?;
                link.ttl.map_or(Ok(()), |ttl| write!(f, ", {TTL}{ttl}"))
            }
            Self::Delegation(delegation) => delegation.fmt(f),
        }
    }
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

impl Refusal {
    /// The refusal of a change that would break the name space.
    pub(crate) fn impossible(place: &Place, why: impl Into<String>) -> Self {
        Self {
            place: place.clone(),
            reason: Reason::Impossible,
            why: why.into(),
        }
    }
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

/// Both name spaces.
#[derive(Debug, Default)]
pub struct Space {
    pub(super) flat: Directory,
    pub(super) root: Directory,
    pub(super) nodes: BTreeMap<NodeId, SharedNode>,
    pub(super) next_node: u32,
    /// Every symbolic link.
    pub(super) symlinks: BTreeSet<Place>,
    /// How to undo each step since [`Space::begin`], while a transaction is open.
    pub(super) undo_log: Option<Vec<Undo>>,
    /// The longest place, in bytes of its names plus one for each, where that is less than
    /// [`LONGEST_PLACE`](crate::name::LONGEST_PLACE).
    pub(super) room: Option<usize>,
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

    /// The entry at this place; a symbolic link is not followed.
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

    /// The values of a leaf, however many names it has.
    pub fn values<'a>(&'a self, entry: &'a Entry) -> Option<&'a Values> {
        match entry {
            Entry::Leaf(values) => Some(values),
            Entry::Linked(node) => Some(&self.nodes[node].values),
            Entry::Directory(_) | Entry::Symlink(_) | Entry::Delegation(_) => None,
        }
    }

    /// The names of each leaf node that has several, in order.
    pub fn hard_linked(&self) -> impl Iterator<Item = &[Place]> {
        self.nodes.values().map(|node| node.names.as_slice())
    }

    /// All names of the leaf node of this entry, in order; empty when it has only one.
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
            Entry::Delegation(delegation) => Some(Meaning::Delegation(delegation)),
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

    /// Calls `visit` with every name that stands for something other than a directory, in no order.
    pub fn each(&self, mut visit: impl FnMut(&Place, &Entry)) {
        for (name, entry) in &self.flat.entries {
            visit(&Place::Flat(name.clone()), entry);
        }
        below(&self.root, &mut Place::Structured(Vec::new()), &mut visit);
    }

    /// Every place but those of mounted names.
    pub fn own_places(&self) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        self.each(|place, _| {
            if !self.is_mounted(place) {
                places.insert(place.clone());
            }
        });
        places
    }

    /// How many names stand for something other than a directory.
    pub fn count(&self) -> usize {
        fn below(directory: &Directory) -> usize {
            let inner = directory.entries.values().map(|entry| match entry {
                Entry::Directory(inner) => below(inner),
                _ => 1,
            });
            inner.sum()
        }
        self.flat.len() + below(&self.root)
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

    /// Limits the length of new places, in bytes of their names plus one for each.
    pub fn limit(&mut self, room: usize) {
        self.room = Some(room);
    }
}

/// The same names with the same meanings.
impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        self.meanings() == other.meanings()
    }
}

impl Eq for Space {}

/// Calls `visit` with every leaf and link below the directory at `place`.
pub(super) fn below(
    directory: &Directory,
    place: &mut Place,
    visit: &mut impl FnMut(&Place, &Entry),
) {
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

/// `a directory; it has server1, server2`.
pub(super) fn describe(directory: &Directory) -> String {
    format!("a directory; {}", holds(directory))
}

/// `it has server1, server2`, shortened to what fits in a line.
pub(super) fn holds(directory: &Directory) -> String {
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
