//! From the JSON of a names file to directories; links are kept until all names are there.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{HARD_LINK, SYMLINK};
use crate::{
    name::{LONGEST_PLACE, Name, Place},
    space::{Directory, Entry, FLAT},
    value::{Value, Values},
};

pub(super) enum Link {
    Hard(Place),
    Symbolic(Place),
}

/// What a whole file holds.
pub(super) struct Read {
    pub(super) flat: Directory,
    pub(super) root: Directory,
    pub(super) links: Vec<(Place, Link)>,
}

/// What is on the way while a file is read.
pub(super) struct Reading<'why> {
    /// What is wrong with the link of this number.
    pub(super) complaint: Option<(usize, &'why str)>,
    pub(super) links: Vec<(Place, Link)>,
    /// The names of the directories from the root to the present one.
    pub(super) above: Vec<Name>,
}

/// The whole file.
#[derive(Clone, Copy)]
pub(super) struct Root<'why> {
    pub(super) complaint: Option<(usize, &'why str)>,
}

impl<'de> DeserializeSeed<'de> for Root<'_> {
    type Value = Read;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Read, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of names")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut names: M) -> Result<Read, M::Error> {
        let (mut flat, mut root) = (Directory::default(), Directory::default());
        let mut reading = Reading {
            complaint: self.complaint,
            links: Vec::new(),
            above: Vec::new(),
        };
        // Regions whose name was written without a slash, as a flat name would be.
        let mut plain = std::collections::BTreeSet::new();
        let mut links = std::collections::BTreeSet::new();
        while let Some(Key { name, slash }) = names.next_key_seed(AKey { top: true })? {
            let twice = || Err(M::Error::custom(format!("name '{name}' is given twice")));
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
                return twice();
            }
            if slash && name.as_str() == FLAT {
                return Err(M::Error::custom(
                    "name 'flat' in the root is taken: DNS has the flat names there",
                ));
            }
            match names.next_value_seed(Thing {
                reading: &mut reading,
                place: place.clone(),
            })? {
                Found::Leaf(values) if slash => drop(root.insert(name, Entry::Leaf(values))),
                Found::Leaf(values) => drop(flat.insert(name, Entry::Leaf(values))),
                Found::Link => drop(links.insert(place)),
                Found::Directory(directory) => {
                    if root.get(&name).is_some() {
                        return twice();
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
        Ok(Read {
            flat,
            root,
            links: reading.links,
        })
    }
}

/// A name as a key of the file, checked where it stands.
struct Key {
    name: Name,
    slash: bool,
}

impl<'de> DeserializeSeed<'de> for AKey {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// What a key has to be; at the top of the file it may begin with a slash.
struct AKey {
    top: bool,
}

impl Visitor<'_> for AKey {
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
        let name = Name::new(stripped.unwrap_or(text)).map_err(E::custom)?;
        Ok(Key {
            name,
            slash: stripped.is_some(),
        })
    }
}

/// What stands behind a name.
pub(super) enum Found {
    Leaf(Values),
    Directory(Directory),
    /// Kept with the others, to be made when all names are there.
    Link,
}

pub(super) struct Thing<'r, 'why> {
    pub(super) reading: &'r mut Reading<'why>,
    /// Whose meaning it is.
    pub(super) place: Place,
}

impl<'de> DeserializeSeed<'de> for Thing<'_, '_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Thing<'_, '_> {
    type Value = Found;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address as text, a list of them, or an object of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Found, E> {
        let link = |target: &str| {
            target
                .parse::<Place>()
                .map_err(|failure| E::custom(failure.to_string()))
        };
        let link = if let Some(target) = text.strip_prefix(SYMLINK) {
            Link::Symbolic(link(target)?)
        } else if let Some(target) = text.strip_prefix(HARD_LINK) {
            Link::Hard(link(target)?)
        } else {
            return text
                .parse::<Value>()
                .map(|value| Found::Leaf(value.into()))
                .map_err(E::custom);
        };
        if let Some((index, why)) = self.reading.complaint
            && index == self.reading.links.len()
        {
            return Err(E::custom(why));
        }
        self.reading.links.push((self.place, link));
        Ok(Found::Link)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Found, S::Error> {
        let mut values = Vec::new();
        while let Some(text) = sequence.next_element::<std::borrow::Cow<'de, str>>()? {
            values.push(text.parse().map_err(S::Error::custom)?);
        }
        match Values::new(values).map_err(S::Error::custom)? {
            Some(values) => Ok(Found::Leaf(values)),
            None => Err(S::Error::custom("a name stands for at least one value")),
        }
    }

    fn visit_map<M: MapAccess<'de>>(self, mut names: M) -> Result<Found, M::Error> {
        let reading = self.reading;
        let own = self.place.name().clone();
        if reading.above.is_empty() && own.as_str() == FLAT {
            return Err(M::Error::custom(
                "name 'flat' in the root is taken: DNS has the flat names there",
            ));
        }
        reading.above.push(own);
        let mut directory = Directory::default();
        let mut links = Vec::new();
        while let Some(Key { name, .. }) = names.next_key_seed(AKey { top: false })? {
            if directory.get(&name).is_some() || links.contains(&name) {
                return Err(M::Error::custom(format!("name '{name}' is given twice")));
            }
            let length: usize = reading
                .above
                .iter()
                .chain([&name])
                .map(|name| name.len() + 1)
                .sum();
            if length > LONGEST_PLACE {
                let why = format!(
                    "path {length} bytes long, and at most {LONGEST_PLACE} have room in DNS"
                );
                return Err(M::Error::custom(why));
            }
            let place =
                Place::Structured([reading.above.as_slice(), std::slice::from_ref(&name)].concat());
            match names.next_value_seed(Thing {
                reading: &mut *reading,
                place,
            })? {
                Found::Leaf(values) => drop(directory.insert(name, Entry::Leaf(values))),
                Found::Directory(inner) if inner.is_empty() => {}
                Found::Directory(inner) => {
                    drop(directory.insert(name, Entry::Directory(Box::new(inner))))
                }
                Found::Link => links.push(name),
            }
        }
        reading.above.pop();
        directory.shrink_to_fit();
        Ok(Found::Directory(directory))
    }
}
