//! Values that the flags of several programs take, and the check of a range.

use std::{fmt, str::FromStr, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Deserializer};

use crate::{exit::Failure, json, text};

/// Refuses a value out of its range; the line names the flag, the value and the range.
///
/// # Errors
/// `--flag: VALUE is not in FROM to TO` (exit code 2).
pub fn in_range<T: PartialOrd + fmt::Display>(
    flag: &str,
    value: T,
    from: T,
    to: T,
) -> Result<T, Failure> {
    if from <= value && value <= to {
        return Ok(value);
    }
    Err(Failure::could_not_run(
        flag,
        format!("{value} is not in {from} to {to}"),
    ))
}

/// A length of time as it is written on a command line: `250ms`, `2s`, `1m30s`.
///
/// ```
/// use common::config::Period;
/// let period: Period = "250ms".parse().unwrap();
/// assert_eq!((period.0.as_millis(), period.to_string()), (250, "250ms".to_owned()));
/// assert!("250".parse::<Period>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Period(pub Duration);

impl Period {
    /// The shortest length of time that a wait may be given.
    pub const SHORTEST: Self = Self(Duration::from_millis(1));
    /// The longest: a day.
    pub const LONGEST: Self = Self(Duration::from_secs(24 * 60 * 60));

    /// Refuses a wait of no time at all, or of more than a day.
    ///
    /// # Errors
    /// As [`in_range`].
    pub fn as_wait(self, flag: &str) -> Result<Duration, Failure> {
        in_range(flag, self, Self::SHORTEST, Self::LONGEST).map(|period| period.0)
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_duration(text).map(Self).map_err(|_| {
            format!(
                "'{}' is no length of time, such as 250ms or 2s",
                text::visible(text.as_bytes())
            )
        })
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One word, so that it is a value of a flag in the shell, too.
        let words = humantime::format_duration(self.0).to_string();
        words.split(' ').try_for_each(|word| f.write_str(word))
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

/// On or off.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

impl Switch {
    /// Whether it is on where that is the default.
    pub fn on_by_default(given: Option<Self>) -> bool {
        given != Some(Self::Off)
    }
}
