//! The time of an event.

use std::{
    borrow::Cow,
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A moment in microseconds, written as RFC 3339 in UTC: `2026-11-23T05:11:25.000000Z`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Time(pub(super) SystemTime);

impl Time {
    /// The last whole microsecond before `moment`; a clock set before 1970 or after 9999, which RFC 3339 has no
    /// words for, counts as 1970.
    pub fn new(moment: SystemTime) -> Self {
        const YEAR_10000: u128 = 253_402_300_800_000_000;
        let micros = moment
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros());
        let micros = if micros < YEAR_10000 { micros } else { 0 };
        Self(UNIX_EPOCH + Duration::from_micros(micros.try_into().unwrap_or(0)))
    }

    /// How long after the beginning of 1970 it is.
    pub fn since_1970(self) -> Duration {
        self.0.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_micros(self.0).fmt(f)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl FromStr for Time {
    type Err = humantime::TimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        humantime::parse_rfc3339(text).map(Self::new)
    }
}
