//! The two name spaces, and what can be done to them.
//!
//! The structured name space is a naming graph (van Steen & Tanenbaum, chapter "Naming"): directory nodes hold names,
//! leaf nodes hold values. A hard link is a second name for one leaf node; a symbolic link is a name that stands for
//! another name. A directory exists as long as it holds something. The flat name space is one directory of its own.
//!
//! Every change is possible or refused, never half done; several can be made and taken back together ([`Space::begin`]).

mod change;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use common::{exit::Failure, text::visible};
use compact_str::CompactString;
use hashbrown::HashMap;

use crate::{
    name::{Name, Place, join},
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

impl fmt::Display for Meaning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(values) => values.fmt(f),
            Self::HardLink(first) => write!(f, "the same as {first}"),
            Self::Symlink(target) => write!(f, "alias of {target}"),
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
    flat: Directory,
    root: Directory,
    nodes: BTreeMap<NodeId, Node>,
    next_node: u32,
    /// Every symbolic link.
    symlinks: BTreeSet<Place>,
    /// What was done since [`Space::begin`].
    done: Option<Vec<change::Undo>>,
    /// The values of structured leaves by their whole path, where they are looked up so often that it is worth its memory.
    index: Option<HashMap<CompactString, Values>>,
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

    /// From now on structured names are found in one step, whatever their depth: for whoever looks up many. It takes about
    /// 80 bytes a name.
    pub fn index(&mut self) {
        let mut index = HashMap::new();
        below(
            &self.root,
            &mut Place::Structured(Vec::new()),
            &mut |place, entry| {
                if let (Place::Structured(names), Entry::Leaf(values)) = (place, entry) {
                    index.insert(join(names), values.clone());
                }
            },
        );
        self.index = Some(index);
    }

    /// The values of a leaf by its whole path, when there is an index.
    pub(crate) fn indexed(&self, joined: &str) -> Option<&Values> {
        self.index.as_ref()?.get(joined)
    }

    /// From now on no name comes to a place longer than this, in bytes of its names with one more for each.
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
