//! From the JSON of a names file to directories; links are collected until all names are read.

use std::{borrow::Cow, fmt};

use common::text::visible;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use crate::{
    delegation::{DELEGATE, Delegation},
    name::{APEX, FLAT, LONGEST_PLACE, Name, Place, merged},
    space::{Directory, Entry, Symlink},
    value::{MOST_VALUES, TTL, Values, parse_ttl},
};

/// Before the target of a symbolic link.
pub(super) const SYMLINK: &str = "symlink:";

/// Before the other name of the same leaf.
pub(super) const HARD_LINK: &str = "link:";

/// A link, by the name that it leads to, or by the servers.
pub(super) enum Link {
    Hard(Place),
    Symbolic(Symlink),
    Delegation(Delegation),
}

/// The names of a file; the links are still to be made.
pub(super) struct Names {
    pub(super) flat: Directory,
    pub(super) root: Directory,
    pub(super) links: Vec<(Place, Link)>,
    /// Service names, which are beside the directory that the file has them in.
    pub(super) services: Vec<(Place, Values)>,
}

/// The state while a file is read.
pub(super) struct ReadState<'why> {
    /// The number of a link with an error, and the error.
    pub(super) complaint: Option<(usize, &'why str)>,
    pub(super) links: Vec<(Place, Link)>,
    pub(super) services: Vec<(Place, Values)>,
    /// The names of the directories from the root to the current one.
    pub(super) above: Vec<Name>,
    /// Whether the current directory is that of a service name, or below one.
    pub(super) beside: bool,
}

/// The whole file.
#[derive(Clone, Copy)]
pub(super) struct RootSeed<'why> {
    pub(super) complaint: Option<(usize, &'why str)>,
}

impl<'de> DeserializeSeed<'de> for RootSeed<'_> {
    type Value = Names;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Names, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RootSeed<'_> {
    type Value = Names;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut names: M) -> Result<Names, M::Error> {
        let (mut flat, mut root) = (Directory::default(), Directory::default());
        let mut state = ReadState {
            complaint: self.complaint,
            links: Vec::new(),
            services: Vec::new(),
            above: Vec::new(),
            beside: false,
        };
        // Directories in the root whose names are written without a slash, as flat names are.
        let mut plain = std::collections::BTreeSet::new();
        let mut links = std::collections::BTreeSet::new();
        while let Some(Key { name, slash }) = names.next_key_seed(KeySeed { top: true })? {
            let duplicate = || Err(M::Error::custom(format!("name '{name}' is a duplicate")));
            let place = if slash {
                Place::Structured(vec![name.clone()])
            } else {
                Place::Flat(name.clone())
            };
            let taken = if slash {
                root.get(&name).is_some()
            } else {
                flat.get(&name).is_some() || plain.contains(&name)
            };
            if taken || links.contains(&place) {
                return duplicate();
            }
            if slash && name.host().unwrap_or(&name) == FLAT {
                return Err(M::Error::custom(
                    "name 'flat' in the root is reserved: DNS has the flat names there",
                ));
            }
            match names.next_value_seed(EntrySeed {
                state: &mut state,
                place: place.clone(),
            })? {
                Found::Leaf(values) if place.is_apex() => {
                    links.insert(place.clone());
                    state.services.push((place, values));
                }
                Found::Leaf(values) if slash => drop(root.insert(name, Entry::Leaf(values))),
                Found::Leaf(values) => drop(flat.insert(name, Entry::Leaf(values))),
                Found::Link => drop(links.insert(place)),
                Found::Directory(directory) => {
                    if root.get(&name).is_some() {
                        return duplicate();
                    }
                    if !slash {
                        plain.insert(name.clone());
                    }
                    if !directory.is_empty() {
                        root.insert(name, Entry::Directory(Box::new(directory)));
                    }
                }
            }
        }
        flat.shrink_to_fit();
        Ok(Names {
            flat,
            root,
            links: state.links,
            services: state.services,
        })
    }
}

/// A name as a key of the file, checked at its line.
struct Key {
    name: Name,
    slash: bool,
}

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// Reads a key; at the top level of the file it may begin with a slash.
struct KeySeed {
    top: bool,
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Key, E> {
        let stripped = if self.top {
            text.strip_prefix('/')
        } else {
            None
        };
        let of_flat = text
            .strip_prefix(FLAT)
            .and_then(|text| text.strip_prefix('/'))
            .filter(|text| self.top && text.contains('/'));
        let name = match (self.top, stripped.or(of_flat)) {
            (true, None) if text.contains("/_") => {
                let name = visible(text.as_bytes());
                return Err(E::custom(format!(
                    "name '{name}' has a /: the service name of a flat name is 'flat/{name}', and a path from the root begins \
                     with /"
                )));
            }
            (true, None) => Name::new(text),
            (_, stripped) => Name::with_services(stripped.unwrap_or(text)),
        };
        let name = name.map_err(E::custom)?;
        Ok(Key {
            name,
            slash: stripped.is_some(),
        })
    }
}

/// The value of a key.
pub(super) enum Found {
    Leaf(Values),
    Directory(Directory),
    /// A link, which is collected with the others.
    Link,
}

pub(super) struct EntrySeed<'r, 'why> {
    pub(super) state: &'r mut ReadState<'why>,
    /// The place of the entry.
    pub(super) place: Place,
}

impl<'de> DeserializeSeed<'de> for EntrySeed<'_, '_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl EntrySeed<'_, '_> {
    /// What these texts are: values with TTLs, or a link, which can have a TTL.
    fn texts<E: Error>(self, texts: &[Cow<'_, str>]) -> Result<Found, E> {
        let target = |target: &str| {
            target
                .parse::<Place>()
                .map_err(|failure| E::custom(failure.to_string()))
        };
        let [first, others @ ..] = texts else {
            return Err(E::custom("a name stands for at least one value"));
        };
        let link = if let Some(text) = first.strip_prefix(SYMLINK) {
            let ttl = match others {
                [] => None,
                [ttl] => match ttl.strip_prefix(TTL).map(parse_ttl) {
                    Some(ttl) => Some(ttl.map_err(E::custom)?),
                    None => return Err(E::custom("a symbolic link has a TTL and nothing else")),
                },
                _ => return Err(E::custom("a symbolic link has a TTL and nothing else")),
            };
            Link::Symbolic(Symlink {
                target: target(text)?,
                ttl,
            })
        } else if let (Some(text), []) = (first.strip_prefix(HARD_LINK), others) {
            Link::Hard(target(text)?)
        } else if texts.iter().any(|text| text.starts_with(DELEGATE)) {
            Link::Delegation(delegation(texts).map_err(E::custom)?)
        } else {
            let values = Values::parse(texts).map_err(E::custom)?;
            let missing = || E::custom("a name stands for at least one value");
            return values.map(Found::Leaf).ok_or_else(missing);
        };
        if let Some((index, why)) = self.state.complaint
            && index == self.state.links.len()
        {
            return Err(E::custom(why));
        }
        self.state.links.push((self.place, link));
        Ok(Found::Link)
    }
}

/// Reads the servers of a delegation, and its TTL.
fn delegation(texts: &[Cow<'_, str>]) -> Result<Delegation, String> {
    let (mut addresses, mut own_ttl) = (Vec::new(), None);
    for text in texts {
        match (text.strip_prefix(DELEGATE), text.strip_prefix(TTL)) {
            (Some(address), _) => addresses.push(address),
            (_, Some(ttl)) if own_ttl.is_none() => own_ttl = Some(parse_ttl(ttl)?),
            _ => {
                let why = "a delegation has addresses, each written delegate:ADDRESS, a TTL, and nothing else";
                return Err(why.into());
            }
        }
    }
    Ok(Delegation::parse(addresses)?.with_ttl(own_ttl))
}

impl<'de> Visitor<'de> for EntrySeed<'_, '_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, a list of them, or an object of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Found, E> {
        self.texts(&[text.into()])
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Found, S::Error> {
        let mut texts = Vec::new();
        while let Some(text) = sequence.next_element::<Cow<'de, str>>()? {
            // Beside its values a name has a few TTLs; more texts are refused before they fill the memory.
            if texts.len() > MOST_VALUES + 10 {
                let why = format!("more than {MOST_VALUES} values, and a name has at most that");
                return Err(S::Error::custom(why));
            }
            texts.push(text);
        }
        self.texts(&texts)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut names: M) -> Result<Found, M::Error> {
        let state = self.state;
        let path = match self.place {
            Place::Flat(name) => vec![name],
            Place::Structured(names) => names,
        };
        if state.above.is_empty() && path[0].host().unwrap_or(&path[0]) == APEX {
            return Err(M::Error::custom("/@ is the zone itself and holds no names"));
        }
        if state.above.is_empty() && path[0].as_str() == FLAT {
            return Err(M::Error::custom(
                "name 'flat' in the root is reserved: DNS has the flat names there",
            ));
        }
        let outer = (std::mem::replace(&mut state.above, path), state.beside);
        let length_above: usize = state.above.iter().map(Name::dns_length).sum();
        let mut directory = Directory::default();
        let mut links = Vec::new();
        while let Some(Key { name, .. }) = names.next_key_seed(KeySeed { top: false })? {
            if directory.get(&name).is_some() || links.contains(&name) {
                return Err(M::Error::custom(format!("name '{name}' is a duplicate")));
            }
            let length = length_above + name.dns_length();
            if length > LONGEST_PLACE {
                let why =
                    format!("path {length} bytes long, and at most {LONGEST_PLACE} fit in DNS");
                return Err(M::Error::custom(why));
            }
            let path = merged(state.above.iter().chain([&name]).cloned());
            let beside = outer.1 || path.len() <= state.above.len();
            state.beside = beside;
            let place = Place::Structured(path);
            match names.next_value_seed(EntrySeed {
                state: &mut *state,
                place: place.clone(),
            })? {
                Found::Leaf(values) if beside => {
                    state.services.push((place, values));
                    links.push(name);
                }
                Found::Leaf(values) => drop(directory.insert(name, Entry::Leaf(values))),
                Found::Directory(inner) if inner.is_empty() => {}
                Found::Directory(inner) => {
                    drop(directory.insert(name, Entry::Directory(Box::new(inner))))
                }
                Found::Link => links.push(name),
            }
        }
        (state.above, state.beside) = outer;
        directory.shrink_to_fit();
        Ok(Found::Directory(directory))
    }
}
