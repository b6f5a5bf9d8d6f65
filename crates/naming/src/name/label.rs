//! A name in one directory or in the flat name space.

use std::{
    borrow::{Borrow, Cow},
    fmt,
    ops::Deref,
};

use common::{exit::Failure, text::visible};
use compact_str::CompactString;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::idn::{self, LONGEST_NAME};

/// The name in the structured root that stands for the zone itself, as in zone files.
pub const APEX: &str = "@";

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

    /// The name that stands for the zone itself.
    pub(super) const fn apex() -> Self {
        Self(CompactString::const_new(APEX))
    }

    /// The name with a service below it.
    pub(super) fn with_service(&self, service: &str) -> Self {
        Self(CompactString::from(format!("{self}/{service}")))
    }

    pub(super) fn push_service(&mut self, service: &Self) {
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

#[cfg(test)]
mod tests {
    use super::{super::place::Place, *};

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
}
