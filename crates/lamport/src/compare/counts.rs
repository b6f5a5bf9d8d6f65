//! How many processes: one number, or for a comparison the numbers from one to another.

use std::{fmt, str::FromStr};

use common::text::range;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A number of processes, `5`, or a range, `3..33`, in which the number of the other processes doubles: 3, 5, 9, 17, 33.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Counts {
    from: usize,
    to: usize,
}

impl Counts {
    /// From this number to that one.
    pub const fn new(from: usize, to: usize) -> Self {
        Self { from, to }
    }

    /// The first number, and the last that it may have.
    pub fn bounds(self) -> (usize, usize) {
        (self.from, self.to)
    }

    /// The number, if it is one.
    pub fn one(self) -> Option<usize> {
        (self.from == self.to).then_some(self.from)
    }

    /// The numbers of the range.
    pub fn numbers(self) -> impl Iterator<Item = usize> {
        let next = |number: &usize| {
            let others = number.checked_sub(1)?.checked_mul(2)?;
            others.checked_add(1).filter(|next| next > number)
        };
        std::iter::successors(Some(self.from), next).take_while(move |number| *number <= self.to)
    }
}

impl FromStr for Counts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse().ok();
        let (from, to) = range(text, "3..33", number)?;
        Ok(Self { from, to })
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Counts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or text")
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Counts, E> {
                let number = usize::try_from(number).map_err(E::custom)?;
                Ok(Counts::new(number, number))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Counts, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.one() {
            Some(number) => number.fmt(f),
            None => write!(f, "{}..{}", self.from, self.to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_others_double() {
        let numbers = |text: &str| {
            let range: Result<Counts, String> = text.parse();
            range.map(|range| range.numbers().collect::<Vec<_>>())
        };
        assert_eq!(numbers("3..40"), Ok(vec![3, 5, 9, 17, 33]));
        assert_eq!(numbers("2..4"), Ok(vec![2, 3]));
        assert_eq!(numbers("1..9"), Ok(vec![1]));
        assert_eq!(numbers("7"), Ok(vec![7]));
        for text in ["", "3..", "many", "-1", "9..8"] {
            assert!(numbers(text).is_err(), "{text}");
        }
    }
}
