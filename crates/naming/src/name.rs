//! Valid names: a name, a path of names, and the place of a name in its name space.
//!
//! A name fits in one label of a domain name (RFC 1035 section 2.3.4: 63 bytes) and is compared without regard to the
//! case of ASCII letters (RFC 4343), so it is kept in lowercase.

use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr};

use common::{exit::Failure, text::visible};
use compact_str::CompactString;

/// The longest name, in bytes: a label of DNS.
pub const LONGEST_NAME: usize = 63;

/// The longest place, in bytes of its names plus one for each: a domain name has 255, with those of the zone.
pub const LONGEST_PLACE: usize = 240;

/// A name within one name space or directory: 1 to [`LONGEST_NAME`] bytes in lowercase, without `/` and without
/// control characters; neither `.` nor `..`, which are steps of a path, nor `*`, the wildcard of DNS.
///
/// ```
/// use naming::name::Name;
/// assert_eq!(Name::new("Server1").unwrap().as_str(), "server1");
/// assert_eq!(Name::new("a/b").unwrap_err().to_string(), "name 'a/b' has a / or a control character");
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(CompactString);

impl Name {
    /// A name with this text.
    ///
    /// # Errors
    /// When the text is not a valid name.
    pub fn new(text: &str) -> Result<Self, BadName> {
        let why = if !(1..=LONGEST_NAME).contains(&text.len()) {
            "is not 1 to 63 bytes long"
        } else if matches!(text, "." | "..") {
            "is a step of a path, not a name"
        } else if text == "*" {
            "is the wildcard of DNS, not a name"
        } else if text.contains('/')
            || (!text.bytes().all(|byte| byte.is_ascii_graphic())
                && visible(text.as_bytes()) != text)
        {
            "has a / or a control character"
        } else {
            let mut name = CompactString::new(text);
            name.make_ascii_lowercase();
            return Ok(Self(name));
        };
        Err(BadName {
            name: visible(text.as_bytes()),
            why,
        })
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is not a [`Name`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadName {
    name: String,
    why: &'static str,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name '{}' {}", self.name, self.why)
    }
}

impl std::error::Error for BadName {}

impl From<BadName> for Failure {
    fn from(bad: BadName) -> Self {
        Self::could_not_run(format!("name '{}'", bad.name), bad.why)
    }
}

/// One step along a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// To this name in the directory reached.
    Down(Name),
    /// `..`: back to the directory above; the root is above itself.
    Up,
}

/// A path to a structured name: from the root, or from where resolution starts (the closure mechanism).
///
/// ```
/// use naming::name::Path;
/// assert_eq!("region1/../region2/server3".parse::<Path>().unwrap().to_string(), "region1/../region2/server3");
/// assert_eq!("/region1".parse::<Path>().unwrap().to_string(), "/region1");
/// assert!("region1//server1".parse::<Path>().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    /// Whether it starts at the root.
    pub absolute: bool,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Path {
    /// The root.
    pub const ROOT: Self = Self {
        absolute: true,
        steps: Vec::new(),
    };

    /// A path of these components; `.` is skipped.
    ///
    /// # Errors
    /// When there is no component, an empty one, or one that is not a name (exit code 2).
    pub fn new<'a>(components: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let components: Vec<&str> = components.into_iter().collect();
        let shown = visible(components.join("/").as_bytes());
        Self::from_components(&components)
            .map_err(|why| Failure::could_not_run(format!("path '{shown}'"), why))
    }

    fn from_components(components: &[&str]) -> Result<Self, String> {
        if components.is_empty() || components.iter().any(|component| component.is_empty()) {
            return Err("a component is empty".into());
        }
        let mut steps = Vec::with_capacity(components.len());
        for component in components {
            match *component {
                "." => {}
                ".." => steps.push(Step::Up),
                name => steps.push(Step::Down(Name::new(name).map_err(|bad| bad.to_string())?)),
            }
        }
        Ok(Self {
            absolute: false,
            steps,
        })
    }

    /// The names from the root to the end of the path when it starts at `from`. It is lexical, without a name space: `..`
    /// removes the name before it.
    pub fn normalised(&self, from: &[Name]) -> Vec<Name> {
        let mut names = if self.absolute {
            Vec::new()
        } else {
            from.to_vec()
        };
        for step in &self.steps {
            match step {
                Step::Down(name) => names.push(name.clone()),
                Step::Up => drop(names.pop()),
            }
        }
        names
    }
}

impl FromStr for Path {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "/" {
            return Ok(Self::ROOT);
        }
        let relative = text.strip_prefix('/').unwrap_or(text);
        let components: Vec<&str> = relative.split('/').collect();
        let path = Self::from_components(&components).map_err(|why| {
            Failure::could_not_run(format!("path '{}'", visible(text.as_bytes())), why)
        })?;
        Ok(Self {
            absolute: relative.len() < text.len(),
            ..path
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.absolute {
            f.write_str("/")?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            let slash = if index > 0 { "/" } else { "" };
            match step {
                Step::Down(name) => write!(f, "{slash}{name}")?,
                Step::Up => write!(f, "{slash}..")?,
            }
        }
        Ok(())
    }
}

/// The place of a name: in the flat name space, or at the end of a path from the root of the structured one.
///
/// Written as on the command line: with a `/` it is structured. A structured name in the root is written `/www`.
///
/// ```
/// use naming::name::Place;
/// for text in ["server1", "region1/server1", "/www"] {
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
        let names = path.normalised(from);
        let what = || format!("path '{}'", visible(path.to_string().as_bytes()));
        if names.is_empty() {
            return Err(Failure::could_not_run(what(), "the root has no name"));
        }
        let length: usize = names.iter().map(|name| name.len() + 1).sum();
        if length > LONGEST_PLACE {
            let why = format!("{length} bytes long, and at most {LONGEST_PLACE} fit in DNS");
            return Err(Failure::could_not_run(what(), why));
        }
        Ok(Self::Structured(names))
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
    fn an_invalid_name_is_refused() {
        let long = "x".repeat(64);
        for (text, why) in [
            ("", "name '' is not 1 to 63 bytes long"),
            (long.as_str(), "is not 1 to 63 bytes long"),
            ("a\u{1b}b", "name 'a\\x1bb' has a / or a control character"),
            ("..", "is a step of a path"),
            ("*", "is the wildcard of DNS"),
        ] {
            let error = Name::new(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for text in ["x".repeat(63).as_str(), "grüße", "two words", "a.b"] {
            assert_eq!(Name::new(text).unwrap().as_str(), text);
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
