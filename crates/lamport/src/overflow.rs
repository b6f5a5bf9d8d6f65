//! The end of a clock's range, which the handout's clock does not have: Python's integers are unbounded.

use std::fmt;

use common::exit::Failure;

/// The clock is at 2⁶⁴ − 1 and stays there. Starting again at 0 would order later events before earlier ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overflow;

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time would exceed the end of its range")
    }
}

impl std::error::Error for Overflow {}

impl From<Overflow> for Failure {
    fn from(overflow: Overflow) -> Self {
        Self::no("clock", overflow)
    }
}
