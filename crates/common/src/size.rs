//! A size of memory: `512MiB`, `2GiB`, `1.5GB`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer};

use crate::{json, text::visible};

/// The units, the larger first: of 1024 as the kernel counts, and of 1000.
const UNITS: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

/// A size in bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let why = || {
            format!(
                "'{}' is not a size: 512MiB, 2GiB, 1.5GB",
                visible(text.as_bytes())
            )
        };
        let unit = text.find(|letter: char| letter.is_ascii_alphabetic());
        let (number, unit) = text.split_at(unit.ok_or_else(why)?);
        let known = UNITS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(unit));
        let (_, bytes) = known.ok_or_else(why)?;
        let number = number.trim_end();
        let digits = number
            .chars()
            .all(|char| char.is_ascii_digit() || char == '.');
        let number: f64 = number.parse().map_err(|_| why())?;
        let size = number * *bytes as f64;
        if digits && (1.0..=u64::MAX as f64 / 4.0).contains(&size) {
            Ok(Self(size as u64))
        } else {
            Err(why())
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

/// In the largest unit of 1024 in which it is a whole number, or rounded to MiB where the default decides it.
impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = UNITS
            .iter()
            .find(|(_, bytes)| self.0.is_multiple_of(*bytes));
        match whole {
            Some((unit, bytes)) if *bytes > 1 || self.0 < 1 << 20 => {
                write!(f, "{}{unit}", self.0 / bytes)
            }
            _ => write!(f, "{}MiB", self.0 >> 20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for text in ["512MiB", "2GiB", "100MB", "7B", "3kB", "64KiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
        assert_eq!("1.5gib".parse(), Ok(Size(3 << 29)));
        assert_eq!("2 GB".parse(), Ok(Size(2_000_000_000)));
        assert_eq!(Size((1 << 30) + 1).to_string(), "1024MiB");
        for text in [
            "",
            "1",
            "MiB",
            "-1MiB",
            "1e3MiB",
            "0.1B",
            "0GiB",
            "1XiB",
            "nan B",
            "99999999TiB",
        ] {
            let why = text.parse::<Size>().unwrap_err();
            assert!(why.contains("is not a size: 512MiB"), "{why}");
        }
    }
}
