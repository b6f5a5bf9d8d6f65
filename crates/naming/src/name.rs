//! Valid names: a name, a path of names, and the place of a name in its name space.
//!
//! A name fits in one label of a domain name (RFC 1035 section 2.3.4: 63 bytes) and is compared without regard to the
//! case of ASCII letters (RFC 4343), so it is kept in lowercase.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    ops::Deref,
    str::FromStr,
};

pub(crate) mod idn;

use common::{exit::Failure, text::visible};
use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use self::idn::LONGEST_NAME;

/// The name in the structured root under which DNS has the flat names: it is reserved.
pub const FLAT: &str = "flat";

/// The name in the structured root that stands for the zone itself, as in zone files.
pub const APEX: &str = "@";

/// The longest place, in bytes of its names plus one for each: a domain name has 255, with those of the zone.
pub const LONGEST_PLACE: usize = 240;

/// A name within one name space or directory: 1 to [`LONGEST_NAME`] bytes in lowercase, without `/` and without
/// control characters; neither `.` nor `..`, which are steps of a path. `*` is the wildcard of its directory (RFC 4592).
///
/// A name beyond ASCII is kept as it reads, in lowercase; its A-label (RFC 5890), such as `xn--gre-6ka8l`, is the same name.
///
/// A **service name** begins with `_` (RFC 8552). Below another name it is an attribute of that name, and not a name in it:
/// `server1/_acme-challenge` is one name in the directory of server1, whether server1 is a leaf, a directory, or nothing.
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
        } else if text.contains('/')
            || (!text.bytes().all(|byte| byte.is_ascii_graphic())
                && visible(text.as_bytes()) != text)
        {
            "has a / or a control character"
        } else {
            if let Some(unicode) = idn::unicode(text) {
                return Ok(Self(unicode.into()));
            }
            let mut name = CompactString::new(text);
            name.make_ascii_lowercase();
            return Ok(Self(name));
        };
        Err(BadName {
            name: visible(text.as_bytes()),
            why,
        })
    }

    /// A name with the service names below it, such as `server1/_acme-challenge`.
    ///
    /// # Errors
    /// When a part is not a name, or one behind a `/` does not begin with `_`.
    pub fn with_services(text: &str) -> Result<Self, BadName> {
        let (first, services) = text.split_once('/').unwrap_or((text, ""));
        let mut name = Self::new(first)?;
        for service in services.split('/').filter(|_| first.len() < text.len()) {
            let service = Self::new(service)?;
            if !service.is_service() {
                let (name, why) = (visible(text.as_bytes()), "has a / or a control character");
                return Err(BadName { name, why });
            }
            name.push_service(&service);
        }
        Ok(name)
    }

    /// How many bytes it takes in a domain name, with the length of each label.
    pub fn dns_length(&self) -> usize {
        self.labels().map(|label| idn::ascii(label).len() + 1).sum()
    }

    /// Whether it begins with `_`.
    pub fn is_service(&self) -> bool {
        self.0.starts_with('_')
    }

    fn push_service(&mut self, service: &Self) {
        self.0.push('/');
        self.0.push_str(service);
    }

    /// The name itself, and the service names below it, outermost first; each is a label of DNS.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The name that its service names belong to; None when it has none.
    pub fn host(&self) -> Option<&str> {
        self.0.split_once('/').map(|(host, _)| host)
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

/// As its text.
impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

/// From its text, which must be valid.
impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::new(&text).map_err(de::Error::custom)
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
        Self::Structured(vec![Name(CompactString::const_new(APEX))])
    }

    /// Whether it is the place of the zone itself.
    pub fn is_apex(&self) -> bool {
        matches!(self, Self::Structured(names) if names.len() == 1 && names[0].as_str() == APEX)
    }

    /// The place of a service name below this one; `service` is its part of the name, such as `_sip/_tcp`.
    pub(crate) fn service(&self, service: &str) -> Self {
        let with = |name: &Name| Name(CompactString::from(format!("{name}/{service}")));
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
    fn an_invalid_name_is_refused() {
        let long = "x".repeat(64);
        for (text, why) in [
            ("", "name '' is not 1 to 63 bytes long"),
            (long.as_str(), "is not 1 to 63 bytes long"),
            ("a\u{1b}b", "name 'a\\x1bb' has a / or a control character"),
            ("..", "is a step of a path"),
        ] {
            let error = Name::new(text).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
        for text in ["x".repeat(63).as_str(), "grüße", "two words", "a.b", "*"] {
            assert_eq!(Name::new(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn a_service_name_is_part_of_the_name_above_it() {
        let place = |text: &str| text.parse::<Place>().unwrap();
        let names = |text: &str| match place(text) {
            Place::Structured(names) => names.iter().map(ToString::to_string).collect(),
            Place::Flat(name) => vec!["flat names".to_owned(), name.to_string()],
        };
        assert_eq!(names("region1/server1/_acme"), ["region1", "server1/_acme"]);
        assert_eq!(names("/_tcp/_sip/x"), ["_tcp/_sip", "x"]);
        assert_eq!(names("flat/server1/_acme"), ["flat names", "server1/_acme"]);
        assert_eq!(names("flat/_tcp"), ["flat", "_tcp"]);
        assert_eq!(
            place("region1/server1").service("_a/_b"),
            place("region1/server1/_a/_b")
        );
        assert!(Name::with_services("a/_b/_c").is_ok());
        for bad in ["a/b", "a/", "/_b", "a/_b/"] {
            assert!(Name::with_services(bad).is_err(), "{bad}");
        }
    }

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
