//! The place of a name in its name space.

use std::{fmt, str::FromStr};

use common::{exit::Failure, text::visible};

use super::{
    label::{APEX, Name},
    path::Path,
};

/// The name in the structured root under which DNS has the flat names: it is reserved.
pub const FLAT: &str = "flat";

/// The longest place, in bytes of its names plus one for each: a domain name has 255, with those of the zone.
pub const LONGEST_PLACE: usize = 240;

/// A path in which every service name is part of the name before it. The flat names have theirs in the domain `flat`.
pub fn merged(names: impl IntoIterator<Item = Name>) -> Vec<Name> {
    let mut merged: Vec<Name> = Vec::new();
    for name in names {
        let in_flat = merged.len() == 1 && merged[0].as_str() == FLAT;
        match merged.last_mut() {
            Some(host) if name.is_service() && !in_flat => host.push_service(&name),
            _ => merged.push(name),
        }
    }
    merged
}

/// The place of a name: in the flat name space, or at the end of a path from the root of the structured one.
///
/// Written as on the command line: with a `/` it is structured. A structured name in the root is written `/www`, and the
/// service name of a flat name `flat/server1/_acme-challenge`.
///
/// ```
/// use naming::name::Place;
/// for text in ["server1", "region1/server1", "/www", "region1/server1/_acme", "flat/server1/_acme"] {
///     assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
/// }
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Place {
    /// In the flat name space.
    Flat(Name),
    /// At the end of this path from the root; at least one name.
    Structured(Vec<Name>),
}

impl Place {
    /// The place at the end of this path, which starts at `from` when it is relative.
    ///
    /// # Errors
    /// When it is the root itself, or too long (exit code 2).
    pub fn at(path: &Path, from: &[Name]) -> Result<Self, Failure> {
        let names = merged(path.normalised(from));
        let what = || format!("path '{}'", visible(path.to_string().as_bytes()));
        if names.is_empty() {
            return Err(Failure::could_not_run(what(), "the root has no name"));
        }
        let length: usize = names.iter().map(Name::dns_length).sum();
        if length > LONGEST_PLACE {
            let why = format!("{length} bytes long, and at most {LONGEST_PLACE} fit in DNS");
            return Err(Failure::could_not_run(what(), why));
        }
        match names.as_slice() {
            [flat, name] if flat.as_str() == FLAT && name.host().is_some() => {
                Ok(Self::Flat(name.clone()))
            }
            _ => Ok(Self::Structured(names)),
        }
    }

    /// Reads a place; a relative path starts at `from`.
    ///
    /// # Errors
    /// When the text is not a place (exit code 2).
    pub fn parse(text: &str, from: &[Name]) -> Result<Self, Failure> {
        if text.contains('/') {
            Self::at(&text.parse()?, from)
        } else {
            Ok(Self::Flat(Name::new(text)?))
        }
    }

    /// The place of the zone itself, `/@`: the root of the structured names has no name of its own.
    pub fn apex() -> Self {
        Self::Structured(vec![Name::apex()])
    }

    /// Whether it is the place of the zone itself.
    pub fn is_apex(&self) -> bool {
        matches!(self, Self::Structured(names) if names.len() == 1 && names[0].as_str() == APEX)
    }

    /// The place of a service name below this one; `service` is its part of the name, such as `_sip/_tcp`.
    pub(crate) fn service(&self, service: &str) -> Self {
        let with = |name: &Name| name.with_service(service);
        match self {
            Self::Flat(name) => Self::Flat(with(name)),
            Self::Structured(names) => {
                let mut names = names.clone();
                if let Some(last) = names.last_mut() {
                    *last = with(last);
                }
                Self::Structured(names)
            }
        }
    }

    /// Whether it is below that place, as the names in a directory and its service names are.
    pub fn is_below(&self, above: &Self) -> bool {
        let (Self::Structured(names), Self::Structured(above)) = (self, above) else {
            return false;
        };
        let Some((last, path)) = above.split_last() else {
            return !names.is_empty();
        };
        let (Some(name), true) = (names.get(path.len()), names.starts_with(path)) else {
            return false;
        };
        let behind = name.strip_prefix(last.as_str());
        match behind {
            Some("") => names.len() > above.len(),
            Some(behind) => behind.starts_with('/'),
            None => false,
        }
    }

    /// The last name of the place.
    pub fn name(&self) -> &Name {
        match self {
            Self::Flat(name) => name,
            Self::Structured(names) => names.last().expect("at least one name"),
        }
    }
}

impl FromStr for Place {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        Self::parse(text, &[])
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flat(name) if name.host().is_some() => {
                write!(f, "{FLAT}/{name}")
            }
            Self::Flat(name) => name.fmt(f),
            Self::Structured(names) => {
                let slash = if names.len() == 1 { "/" } else { "" };
                write!(f, "{slash}{}", Shown(names))
            }
        }
    }
}

/// The path of a directory as it is printed: `/`, `region1`, `region1/rack1`.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(pub &'a [Name]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            f.write_str("/")?;
        }
        for (index, name) in self.0.iter().enumerate() {
            let slash = if index > 0 { "/" } else { "" };
            write!(f, "{slash}{name}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_below_another() {
        let below = |place: &str, above: &str| {
            let [place, above] = [place, above].map(|text| text.parse::<Place>().unwrap());
            place.is_below(&above)
        };
        for (place, above) in [
            ("a/b", "/a"),
            ("a/b/c", "/a"),
            ("a/b/_x", "a/b"),
            ("a/b/_x/c", "a/b"),
            ("/a/_x", "/a"),
        ] {
            assert!(below(place, above), "{place} {above}");
        }
        for (place, above) in [
            ("/a", "/a"),
            ("a/b", "a/b"),
            ("/ab", "/a"),
            ("a/c/b", "a/b"),
            ("a", "/a"),
            ("/a/_x", "a/b"),
            ("a/bc/_x", "a/b"),
        ] {
            assert!(!below(place, above), "{place} {above}");
        }
    }

    #[test]
    fn a_path_has_no_empty_component() {
        for bad in ["", "//", "region1/", "region1//server1"] {
            assert!(bad.parse::<Path>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_path_is_normalised_without_a_name_space() {
        let from = [Name::new("region1").unwrap()];
        for (path, place) in [
            ("../region2/./server3", "region2/server3"),
            ("rack1/server1", "region1/rack1/server1"),
            ("/a/../../www", "/www"),
        ] {
            assert_eq!(Place::parse(path, &from).unwrap().to_string(), place);
        }
        assert!(Place::parse("..//", &from).is_err());
        assert!(Place::parse("../", &from).is_err());
        let long = format!("/{}", vec!["x".repeat(63); 4].join("/"));
        let failure = long.parse::<Place>().unwrap_err().to_string();
        assert!(
            failure.contains("256 bytes long, and at most 240"),
            "{failure}"
        );
    }
}
