//! The textbook's replicated account (van Steen & Tanenbaum, Distributed Systems, "Example: Totally ordered
//! multicasting"): a balance of 1,000; a customer deposits 100 while the bank adds 1% interest, and the order matters.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A replica of the account.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Account {
    cents: i64,
}

/// An operation on all replicas.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// A deposit of this amount, or a withdrawal.
    Pay(i32),
    /// Interest of this many per cent, which may be negative; fractions of a cent are dropped.
    Percent(i32),
}

impl Account {
    /// An account with a balance of 1,000.
    pub fn new() -> Self {
        Self { cents: 100_000 }
    }

    /// Applies the operation; one that would overflow has no effect, on any replica.
    ///
    /// ```
    /// use lamport::algorithms::bank::{Account, Operation::{Pay, Percent}};
    ///
    /// let (mut one, mut other) = (Account::new(), Account::new());
    /// [Pay(100), Percent(1)].map(|operation| one.apply(operation));
    /// [Percent(1), Pay(100)].map(|operation| other.apply(operation));
    /// assert_eq!((one.to_string(), other.to_string()), ("1111.00".into(), "1110.00".into()));
    /// ```
    pub fn apply(&mut self, operation: Operation) {
        let change = match operation {
            Operation::Pay(amount) => i64::from(amount).checked_mul(100),
            Operation::Percent(percent) => (self.cents / 100).checked_mul(percent.into()),
        };
        if let Some(cents) = change.and_then(|change| self.cents.checked_add(change)) {
            self.cents = cents;
        }
    }

    /// The balance, without fractions.
    pub fn balance(self) -> i64 {
        self.cents / 100
    }

    /// Whether the balance approaches the end of its range, so that the workload halves it.
    pub(super) fn is_rich(self) -> bool {
        self.cents > 100_000_000
    }
}

impl Default for Account {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.cents < 0 { "-" } else { "" };
        let cents = self.cents.unsigned_abs();
        write!(f, "{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pay(amount) => write!(f, "{amount:+}"),
            Self::Percent(percent) => write!(f, "{percent:+}%"),
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| {
            let signed = text.starts_with(['+', '-']);
            text.parse().ok().filter(|_| signed)
        };
        match text.strip_suffix('%') {
            Some(percent) => number(percent).map(Self::Percent),
            None => number(text).map(Self::Pay),
        }
        .ok_or_else(|| "not an operation on the account: +100, -30 or +1%".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_as_they_are_written() {
        for text in ["+100", "-30", "+1%", "-50%"] {
            assert_eq!(text.parse::<Operation>().unwrap().to_string(), text);
        }
        for text in ["", "100", "+", "+1.5", "%", "+99999999999", "hello", "+%"] {
            assert!(text.parse::<Operation>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_operation_that_would_overflow_has_no_effect() {
        let mut account = Account {
            cents: i64::MAX / 2,
        };
        account.apply(Operation::Percent(i32::MAX));
        assert_eq!(account.cents, i64::MAX / 2);
        account.cents = -205;
        account.apply(Operation::Percent(1));
        assert_eq!(account.to_string(), "-2.07");
    }
}
