//! A share of frames: `10%`, or 0.1.

use std::{fmt, str::FromStr};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use crate::text::visible;

/// A share of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance(f64);

impl Chance {
    pub(super) fn hits(self, random: &mut Pcg64Mcg) -> bool {
        self.0 > 0.0 && random.random::<f64>() < self.0
    }

    fn new(share: f64) -> Option<Self> {
        (0.0..1.0).contains(&share).then_some(Self(share))
    }
}

impl FromStr for Chance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let share = match text.strip_suffix('%') {
            Some(percent) => percent.parse().ok().map(|percent: f64| percent / 100.0),
            None => text.parse().ok(),
        };
        share.and_then(Self::new).ok_or_else(|| {
            format!(
                "'{}' is not a share below 1, such as 10% or 0.1",
                visible(text.as_bytes())
            )
        })
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded: 7% must not print as 7.000000000000001%.
        write!(f, "{}%", (self.0 * 1e8).round() / 1e6)
    }
}

impl<'de> Deserialize<'de> for Chance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Share;
        impl Visitor<'_> for Share {
            type Value = Chance;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share below 1, such as \"10%\" or 0.1")
            }
            fn visit_f64<E: Error>(self, share: f64) -> Result<Chance, E> {
                Chance::new(share).ok_or_else(|| {
                    E::custom(format_args!("{share} is not a share below 1, such as 0.1"))
                })
            }
            fn visit_u64<E: Error>(self, share: u64) -> Result<Chance, E> {
                self.visit_f64(share as f64)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Chance, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_as_they_are_written() {
        for text in ["10%", "0%", "7%", "0.5%", "99.9%"] {
            assert_eq!(text.parse::<Chance>().unwrap().to_string(), text);
        }
        assert_eq!("0.1".parse::<Chance>().unwrap().to_string(), "10%");
        for text in ["100%", "1", "-1%", "ten", "%", "NaN"] {
            assert!(text.parse::<Chance>().is_err(), "{text}");
        }
    }
}
