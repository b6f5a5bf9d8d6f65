//! The numbers of nodes to compare with: one, or powers from one to another.

use std::{fmt, str::FromStr};

use common::{json, text::range};
use serde::{Deserialize, Deserializer};

/// The most nodes: what a few GB have room for.
pub const MOST_NODES: u64 = 1 << 20;

/// A range of numbers, each double the one before: `16..16384`, or one number: `1024`, `2^10`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Doubling {
    from: u64,
    to: u64,
}

impl Doubling {
    /// From this number on, up to that one.
    pub const fn new(from: u64, to: u64) -> Self {
        Self { from, to }
    }

    /// The numbers of the range.
    pub fn numbers(self) -> impl Iterator<Item = u64> {
        let next = |number: &u64| number.checked_mul(2);
        std::iter::successors(Some(self.from), next).take_while(move |number| *number <= self.to)
    }

    /// Its first number, and the last that it may have.
    pub fn bounds(self) -> (u64, u64) {
        (self.from, self.to)
    }
}

impl FromStr for Doubling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.strip_prefix("2^") {
            Some(exponent) => 1_u64.checked_shl(exponent.parse().ok()?),
            None => text.parse().ok(),
        };
        let (from, to) = range(text, "16..16384", number)?;
        Ok(Self { from, to })
    }
}

impl<'de> Deserialize<'de> for Doubling {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl fmt::Display for Doubling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.from == self.to {
            true => self.from.fmt(f),
            false => write!(f, "{}..{}", self.from, self.to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Result<Vec<u64>, String> {
        text.parse()
            .map(|range: Doubling| range.numbers().collect())
    }

    #[test]
    fn each_number_is_twice_the_one_before() {
        assert_eq!(numbers("16..100"), Ok(vec![16, 32, 64]));
        assert_eq!(numbers("2^3..2^5"), Ok(vec![8, 16, 32]));
        assert_eq!(numbers("1000"), Ok(vec![1000]));
        assert_eq!(
            "2^40".parse::<Doubling>().unwrap().bounds(),
            (1 << 40, 1 << 40)
        );
        for text in ["", "16..", "many", "2^64", "-1", "9..8"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
