//! Values, which names stand for: addresses and texts.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use common::text::visible;

/// The longest text, in bytes.
pub const LONGEST_TEXT: usize = 1024;

/// How many values a name may have: with more, an answer would not fit in a DNS message.
pub const MOST_VALUES: usize = 50;

/// One value. Written as an address, or as `text:` and the text.
///
/// ```
/// use naming::value::Value;
/// assert_eq!("192.168.1.2".parse(), Ok(Value::V4([192, 168, 1, 2].into())));
/// assert_eq!("text:rack 4".parse(), Ok(Value::Text("rack 4".into())));
/// assert!("192.168.1.300".parse::<Value>().is_err());
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Value {
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address.
    V6(Ipv6Addr),
    /// A text of 1 to [`LONGEST_TEXT`] bytes.
    Text(Box<str>),
}

impl Value {
    /// The prefix of a text, where addresses are possible as well.
    pub const TEXT: &'static str = "text:";

    /// A text.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn text(text: &str) -> Result<Self, String> {
        if (1..=LONGEST_TEXT).contains(&text.len()) {
            Ok(Self::Text(text.into()))
        } else {
            Err(format!(
                "a text of {} bytes is not 1 to {LONGEST_TEXT} bytes long",
                text.len()
            ))
        }
    }

    /// The address, if it is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::V4(address) => Some(IpAddr::V4(*address)),
            Self::V6(address) => Some(IpAddr::V6(*address)),
            Self::Text(_) => None,
        }
    }

    /// The value as an answer shows it: a text without its prefix, and safe to show.
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => visible(text.as_bytes()),
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

impl FromStr for Value {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix(Self::TEXT) {
            Some(text) => Self::text(text),
            None => text.parse::<IpAddr>().map(Self::from).map_err(|_| {
                let shown = visible(text.as_bytes());
                format!(
                    "'{shown}' is not an IP address; a text begins with {}",
                    Self::TEXT
                )
            }),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => address.fmt(f),
            Self::Text(text) => write!(f, "{}{text}", Self::TEXT),
        }
    }
}

/// The values of one name: 1 to [`MOST_VALUES`], each once, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Values(Storage);

/// Nearly every name has one value; this representation keeps millions of names small.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Storage {
    One(Value),
    Many(Box<[Value]>),
}

impl Values {
    /// These values, in order and each once; None when there is none.
    ///
    /// # Errors
    /// When there are more than [`MOST_VALUES`].
    pub fn new(mut values: Vec<Value>) -> Result<Option<Self>, String> {
        values.sort_unstable();
        values.dedup();
        match values.len() {
            0 => Ok(None),
            1 => Ok(values.pop().map(Self::from)),
            2..=MOST_VALUES => Ok(Some(Self(Storage::Many(values.into())))),
            count => Err(format!(
                "{count} values, and a name has at most {MOST_VALUES}"
            )),
        }
    }

    /// The values, in order.
    pub fn as_slice(&self) -> &[Value] {
        match &self.0 {
            Storage::One(value) => std::slice::from_ref(value),
            Storage::Many(values) => values,
        }
    }

    /// These values and another one.
    ///
    /// # Errors
    /// When there would be more than [`MOST_VALUES`].
    pub fn with(&self, value: Value) -> Result<Self, String> {
        let values = [self.as_slice(), &[value]].concat();
        Ok(Self::new(values)?.expect("at least one"))
    }

    /// These values without those that `removes` selects; None when none is left.
    pub fn without(&self, removes: impl Fn(&Value) -> bool) -> Option<Self> {
        let left: Vec<Value> = self
            .as_slice()
            .iter()
            .filter(|value| !removes(value))
            .cloned()
            .collect();
        Self::new(left).expect("no more than before")
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
        for (index, value) in self.as_slice().iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            write!(f, "{comma}{}", visible(value.to_string().as_bytes()))?;
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
    fn an_invalid_value_is_refused_with_what_is_possible() {
        assert_eq!(
            "localhost".parse::<Value>().unwrap_err(),
            "'localhost' is not an IP address; a text begins with text:"
        );
        assert!("text:".parse::<Value>().is_err());
        assert!(
            format!("text:{}", "x".repeat(1025))
                .parse::<Value>()
                .is_err()
        );
    }
}
