//! Values, which names stand for: addresses and texts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use common::text::visible;

pub mod escape;
mod service;
mod text;
mod ttl;

pub use self::{
    service::Service,
    text::{LONGEST_STRING, Text},
    ttl::{DEFAULT_TTL, LONGEST_TTL, TTL, Ttls, parse_ttl},
};

/// How many bytes the values of a name may take as records, 12 of each beside its data: a message of DNS has 65,535, and
/// header, question, EDNS and the longest signature must fit beside them.
pub const MOST_BYTES: usize = 64_500;

/// How many values a name may have: with more, an answer would not fit in a DNS message.
pub const MOST_VALUES: usize = 50;

/// One value. Written as an address, as `text:` and the text, as `txt:` and the strings of a text as zone files have
/// them, or as `srv:` and a service.
///
/// ```
/// use naming::value::Value;
/// assert_eq!("192.168.1.2".parse(), Ok(Value::V4([192, 168, 1, 2].into())));
/// assert_eq!("text:rack 4".parse(), Value::text("rack 4"));
/// assert_eq!("txt:\"rack\" \"\\255\"".parse::<Value>().unwrap().plain(), "\"rack\" \"\\255\"");
/// assert!("192.168.1.300".parse::<Value>().is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
    /// A text.
    Text(Text),
    /// Where a service is reached.
    Service(Service),
}

impl Value {
    /// The prefix of a text, where addresses are possible as well.
    pub const TEXT: &'static str = "text:";

    /// The prefix of a text by its strings.
    pub const STRINGS: &'static str = "txt:";

    /// The prefix of a service.
    pub const SERVICE: &'static str = "srv:";

    /// A text.
    ///
    /// # Errors
    /// When it is too long.
    pub fn text(text: &str) -> Result<Self, String> {
        Self::of_text(Text::new(text.as_bytes()))
    }

    /// A text by its strings.
    ///
    /// # Errors
    /// When it is too long.
    pub fn of_text(text: Text) -> Result<Self, String> {
        let value = Self::Text(text);
        match value.length() {
            ..=MOST_BYTES => Ok(value),
            length => Err(too_long(length)),
        }
    }

    /// The index of its kind in [`Ttls`].
    fn kind(&self) -> usize {
        match self {
            Self::V4(_) => 0,
            Self::V6(_) => 1,
            Self::Text(_) => 2,
            Self::Service(_) => 3,
        }
    }

    /// How many bytes it takes as a record, with 12 beside its data.
    fn length(&self) -> usize {
        12 + match self {
            Self::V4(_) => 4,
            Self::V6(_) => 16,
            Self::Text(text) => text.as_record().len(),
            Self::Service(service) => service.as_record().len(),
        }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
            Self::Text(_) | Self::Service(_) => None,
        }
    }

    /// The value as an answer shows it: a text without its prefix, and safe to show.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.shown(),
            Self::Service(service) => visible(service.to_string().as_bytes()),
            address => address.to_string(),
        }
    }
}

impl From<IpAddr> for Value {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

fn too_long(length: usize) -> String {
    format!("{length} bytes of records, and at most {MOST_BYTES} fit in a DNS message")
}

impl FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(text) = text.strip_prefix(Self::TEXT) {
            return Self::text(text);
        }
        if let Some(strings) = text.strip_prefix(Self::STRINGS) {
            let shown = || visible(text.as_bytes());
            return Text::from_strings(strings)
                .and_then(Self::of_text)
                .map_err(|why| format!("'{}': {why}", shortened(&shown())));
        }
        if let Some(service) = text.strip_prefix(Self::SERVICE) {
            let shown = || visible(text.as_bytes());
            return service
                .parse()
                .map(Self::Service)
                .map_err(|why| format!("'{}': {why}", shortened(&shown())));
        }
        text.parse::<IpAddr>().map(Self::from).map_err(|_| {
            let shown = visible(text.as_bytes());
            format!(
                "'{}' is not an IP address; a text begins with {}",
                shortened(&shown),
                Self::TEXT
            )
        })
    }
}

/// The beginning of a text that can be too long for an error.
fn shortened(text: &str) -> String {
    const SHOWN: usize = 100;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::Text(text) => match text.plain() {
                Some(plain) => write!(f, "{}{plain}", Self::TEXT),
                None => write!(f, "{}{}", Self::STRINGS, text.to_strings()),
            },
            Self::Service(service) => write!(f, "{}{service}", Self::SERVICE),
        }
    }
}

/// The values of one name: 1 to [`MOST_VALUES`], each once, in order; and their TTLs, where they have their own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Values(Storage);

/// Nearly every name has one value; this representation keeps millions of names small.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Storage {
    One(Value),
    Many(Box<[Value]>),
    /// Any number of values, at least one of which has a TTL of its own.
    Timed(Box<(Vec<Value>, Ttls)>),
}

impl Values {
    /// These values, in order and each once; None when there is none.
    ///
    /// # Errors
    /// When there are more than [`MOST_VALUES`], or they take more than [`MOST_BYTES`].
    pub fn new(mut values: Vec<Value>) -> Result<Option<Self>, String> {
        values.sort_unstable();
        values.dedup();
        let length: usize = values.iter().map(Value::length).sum();
        if length > MOST_BYTES && values.len() <= MOST_VALUES {
            return Err(too_long(length));
        }
        match values.len() {
            0 => Ok(None),
            1 => Ok(values.pop().map(Self::from)),
            2..=MOST_VALUES => Ok(Some(Self(Storage::Many(values.into())))),
            count => Err(format!(
                "{count} values, and a name has at most {MOST_VALUES}"
            )),
        }
    }

    /// Reads values, and the TTLs among them: `ttl:300` is that of all values, `ttl:TXT=60` that of the texts.
    ///
    /// # Errors
    /// As [`Self::new`]; when one is neither a value nor a TTL.
    pub fn parse<T: AsRef<str>>(
        texts: impl IntoIterator<Item = T>,
    ) -> Result<Option<Self>, String> {
        let (mut values, mut ttls) = (Vec::new(), Ttls::default());
        for text in texts {
            let text = text.as_ref();
            match text.strip_prefix(TTL) {
                Some(time) => ttl::read(time, &mut ttls)
                    .map_err(|why| format!("'{}': {why}", shortened(&visible(text.as_bytes()))))?,
                None => values.push(text.parse()?),
            }
        }
        Ok(Self::new(values)?.map(|values| values.with_ttls(ttls)))
    }

    /// The values, in order.
    pub fn as_slice(&self) -> &[Value] {
        match &self.0 {
            Storage::One(value) => std::slice::from_ref(value),
            Storage::Many(values) => values,
            Storage::Timed(timed) => &timed.0,
        }
    }

    /// The TTLs of the values that have their own.
    pub fn ttls(&self) -> Ttls {
        match &self.0 {
            Storage::Timed(timed) => timed.1,
            _ => Ttls::default(),
        }
    }

    /// The TTL that a value of this name has for its own, in seconds.
    pub fn ttl_of(&self, value: &Value) -> Option<u32> {
        self.ttls()[value.kind()]
    }

    /// The same values with these TTLs.
    #[must_use]
    pub fn with_ttls(self, mut ttls: Ttls) -> Self {
        let has = self.kinds();
        for (ttl, has) in ttls.iter_mut().zip(has) {
            *ttl = ttl.filter(|_| has);
        }
        if ttls == self.ttls() {
            return self;
        }
        let values = self.as_slice().to_vec();
        if ttls == Ttls::default() {
            return Self::new(values)
                .ok()
                .flatten()
                .expect("no more than before");
        }
        Self(Storage::Timed(Box::new((values, ttls))))
    }

    /// The same values with this TTL for all values of the kind of `value`, which others than the zone's have.
    #[must_use]
    pub fn with_ttl(self, value: &Value, ttl: Option<u32>) -> Self {
        let mut ttls = self.ttls();
        ttls[value.kind()] = ttl;
        self.with_ttls(ttls)
    }

    /// Whether there is a value of the same kind.
    pub fn has_kind_of(&self, value: &Value) -> bool {
        self.kinds()[value.kind()]
    }

    fn kinds(&self) -> [bool; ttl::KINDS.len()] {
        let mut has = [false; ttl::KINDS.len()];
        for value in self.as_slice() {
            has[value.kind()] = true;
        }
        has
    }

    /// The values and the TTLs, as [`Self::parse`] reads them.
    pub fn texts(&self) -> Vec<String> {
        let values = self.as_slice().iter().map(ToString::to_string);
        values
            .chain(ttl::texts(self.ttls(), self.kinds()))
            .collect()
    }

    /// These values and those; where both have a TTL for a kind of values, theirs.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn and(&self, others: &Self) -> Result<Self, String> {
        let values = [self.as_slice(), others.as_slice()].concat();
        let mut ttls = self.ttls();
        for (ttl, other) in ttls.iter_mut().zip(others.ttls()) {
            *ttl = other.or(*ttl);
        }
        let values = Self::new(values)?.expect("at least one");
        Ok(values.with_ttls(ttls))
    }

    /// These values and another one, which has the TTL of its kind.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with(&self, value: Value) -> Result<Self, String> {
        self.and(&value.into())
    }

    /// These values without those that `removes` selects; None when none is left.
    pub fn without(&self, removes: impl Fn(&Value) -> bool) -> Option<Self> {
        let left: Vec<Value> = self
            .as_slice()
            .iter()
            .filter(|value| !removes(value))
            .cloned()
            .collect();
        let left = Self::new(left).expect("no more than before");
        left.map(|left| left.with_ttls(self.ttls()))
    }
}

impl From<Value> for Values {
    fn from(value: Value) -> Self {
        Self(Storage::One(value))
    }
}

/// The values, separated by commas: `192.168.1.2, text:rack 4`.
impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, text) in self.texts().iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", visible(text.as_bytes()))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_a_set_in_order() {
        let value = |text: &str| text.parse::<Value>().unwrap();
        let values = Values::new(vec![
            value("text:x"),
            value("::1"),
            value("10.0.0.1"),
            value("::1"),
        ]);
        let values = values.unwrap().unwrap();
        assert_eq!(values.to_string(), "10.0.0.1, ::1, text:x");
        assert_eq!(
            values.with(value("10.0.0.0")).unwrap().to_string(),
            "10.0.0.0, 10.0.0.1, ::1, text:x"
        );
        assert_eq!(
            values.without(|value| value.address().is_some()),
            Some(value("text:x").into())
        );
        assert_eq!(values.without(|_| true), None);
        let many = (0..51)
            .map(|last| Value::V4([10, 0, 0, last].into()))
            .collect();
        assert_eq!(
            Values::new(many).unwrap_err(),
            "51 values, and a name has at most 50"
        );
    }

    #[test]
    fn values_have_ttls_by_their_kind() {
        let values = |texts: &[&str]| Values::parse(texts).unwrap().unwrap();
        for (texts, again) in [
            (&["10.0.0.1", "::1", "ttl:5m"][..], "10.0.0.1, ::1, ttl:300"),
            (
                &["ttl:TXT=60", "10.0.0.1", "text:x"],
                "10.0.0.1, text:x, ttl:TXT=60",
            ),
            (
                &["ttl:0", "ttl:a=1", "10.0.0.1", "text:x"],
                "10.0.0.1, text:x, ttl:A=1, ttl:TXT=0",
            ),
            (&["ttl:srv=9", "10.0.0.1"], "10.0.0.1"),
        ] {
            let parsed = values(texts);
            assert_eq!(parsed.to_string(), again);
            assert_eq!(values(&again.split(", ").collect::<Vec<_>>()), parsed);
        }
        let timed = values(&["10.0.0.1", "text:x", "ttl:300"]);
        let text = Value::text("x").unwrap();
        assert_eq!(timed.ttl_of(&text), Some(300));
        assert_eq!(
            timed.without(|value| *value == text),
            Some(values(&["10.0.0.1", "ttl:300"]))
        );
        assert_eq!(
            timed.with("10.0.0.2".parse().unwrap()).unwrap().to_string(),
            "10.0.0.1, 10.0.0.2, text:x, ttl:300"
        );
        assert_eq!(
            timed.clone().with_ttls(Ttls::default()),
            values(&["10.0.0.1", "text:x"])
        );
        assert_eq!(
            timed
                .and(&values(&["::1", "text:y", "ttl:1"]))
                .unwrap()
                .to_string(),
            "10.0.0.1, ::1, text:x, text:y, ttl:A=300, ttl:AAAA=1, ttl:TXT=1"
        );
        for bad in [
            "ttl:",
            "ttl:x",
            "ttl:-1",
            "ttl:1ms",
            "ttl:2147483648",
            "ttl:MX=1",
        ] {
            let error = Values::parse(["10.0.0.1", bad]).unwrap_err();
            assert!(error.starts_with(&format!("'{bad}': ")), "{error}");
        }
        assert_eq!(Values::parse(["ttl:1"]), Ok(None));
        // The rare TTL costs the other names nothing.
        assert_eq!(size_of::<Values>(), size_of::<Value>());
    }

    #[test]
    fn an_invalid_value_is_refused_with_what_is_possible() {
        assert_eq!(
            "localhost".parse::<Value>().unwrap_err(),
            "'localhost' is not an IP address; a text begins with text:"
        );
        let error = |text: &str| text.parse::<Value>().unwrap_err();
        assert_eq!(
            error("txt:\"x"),
            "'txt:\"x': a string without its closing quote"
        );
        // The longest text, and one byte more: every 255 bytes have a byte of their length.
        let longest = MOST_BYTES - 12 - 252;
        assert!(
            format!("text:{}", "x".repeat(longest))
                .parse::<Value>()
                .is_ok()
        );
        assert_eq!(
            error(&format!("text:{}", "x".repeat(longest + 1))),
            "64501 bytes of records, and at most 64500 fit in a DNS message"
        );
        assert!(error(&"x".repeat(1000)).len() < 200);
    }

    #[test]
    fn a_text_is_written_so_that_it_is_read_again() {
        for (written, again) in [
            ("text:in the hall", None),
            ("text:", Some("txt:\"\"")),
            ("txt:\"\"", None),
            ("txt:\"a\" \"b\"", None),
            ("txt:a", Some("text:a")),
            ("txt:\"\\255\"", None),
        ] {
            let value: Value = written.parse().unwrap();
            assert_eq!(value.to_string(), again.unwrap_or(written));
            assert_eq!(value.to_string().parse(), Ok(value));
        }
        let two = ["a", "b"].map(|text| Value::text(&text.repeat(40_000)).unwrap());
        assert!(Values::new(two.to_vec()).is_err());
    }
}
