//! The delay of frames: constant, or from a distribution.

use std::{fmt, str::FromStr, time::Duration};

use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Deserializer};

use crate::{
    config::Period,
    json,
    text::{did_you_mean, visible},
};

/// The delay of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Constant.
    Constant(Duration),
    /// Uniformly distributed between these two.
    Uniform(Duration, Duration),
    /// Exponentially distributed, with this mean.
    Exponential(Duration),
    /// Normally distributed, with this mean and standard deviation; never negative.
    Normal(Duration, Duration),
}

impl Default for Delay {
    fn default() -> Self {
        Self::Constant(Duration::ZERO)
    }
}

impl Delay {
    /// The largest delay that an option may give.
    pub(super) const LONGEST: Duration = Duration::from_secs(60);

    /// A delay that few frames exceed.
    pub fn long(self) -> Duration {
        match self {
            Self::Constant(delay) | Self::Uniform(_, delay) => delay,
            Self::Exponential(mean) => 10 * mean,
            Self::Normal(mean, deviation) => mean + 4 * deviation,
        }
    }

    /// A random delay.
    pub fn sample(self, random: &mut Pcg64Mcg) -> Duration {
        match self {
            Self::Constant(delay) => delay,
            Self::Uniform(from, to) => {
                let nanos = from.as_nanos() as u64..=to.as_nanos() as u64;
                Duration::from_nanos(random.random_range(nanos))
            }
            Self::Exponential(mean) => {
                let scale: f64 = Exp1.sample(random);
                mean.mul_f64(scale)
            }
            Self::Normal(mean, deviation) => {
                let scale: f64 = StandardNormal.sample(random);
                let seconds = mean.as_secs_f64() + scale * deviation.as_secs_f64();
                Duration::from_secs_f64(seconds.max(0.0))
            }
        }
    }
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let period = |text: &str| match text.parse::<Period>() {
            Ok(Period(delay)) if delay <= Self::LONGEST => Ok(delay),
            Ok(_) => Err(format!("{text} is longer than {}", Period(Self::LONGEST))),
            Err(why) => Err(why),
        };
        if let Some((from, to)) = text.split_once("..") {
            let (from, to) = (period(from)?, period(to)?);
            return if from <= to {
                Ok(Self::Uniform(from, to))
            } else {
                Err(format!(
                    "'{text}' is an empty range: the first delay is the larger one"
                ))
            };
        }
        match text.split_once(':') {
            Some(("exp", mean)) => Ok(Self::Exponential(period(mean)?)),
            Some(("normal", both)) => {
                let why = || format!("'{both}' is not MEAN,DEVIATION, such as 5ms,1ms");
                let (mean, deviation) = both.split_once(',').ok_or_else(why)?;
                Ok(Self::Normal(period(mean)?, period(deviation)?))
            }
            Some((kind, _)) => {
                let near = did_you_mean(kind, ["exp", "normal"]);
                let kind = visible(kind.as_bytes());
                Err(format!("no distribution is called '{kind}'{near}"))
            }
            None => period(text).map(Self::Constant),
        }
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Constant(delay) => Period(delay).fmt(f),
            Self::Uniform(from, to) => write!(f, "{}..{}", Period(from), Period(to)),
            Self::Exponential(mean) => write!(f, "exp:{}", Period(mean)),
            Self::Normal(mean, deviation) => {
                write!(f, "normal:{},{}", Period(mean), Period(deviation))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Delay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn delays_have_the_given_distribution() {
        for (delay, mean, deviation) in [
            ("5ms", 5.0, 0.0),
            ("0ms..12ms", 6.0, 12.0 / 12_f64.sqrt()),
            ("exp:5ms", 5.0, 5.0),
            ("normal:50ms,4ms", 50.0, 4.0),
        ] {
            let delay: Delay = delay.parse().unwrap();
            assert_eq!(delay.to_string().parse(), Ok(delay));
            let mut random = Pcg64Mcg::seed_from_u64(2);
            let samples: Vec<_> = (0..20_000)
                .map(|_| delay.sample(&mut random).as_secs_f64() * 1e3)
                .collect();
            let count = samples.len() as f64;
            let found = samples.iter().sum::<f64>() / count;
            let square = |sample: &f64| (sample - found) * (sample - found);
            let spread = (samples.iter().map(square).sum::<f64>() / count).sqrt();
            assert!((found - mean).abs() < 0.2, "{delay}: {found}");
            assert!((spread - deviation).abs() < 0.2, "{delay}: {spread}");
        }
    }

    #[test]
    fn an_invalid_delay_is_rejected() {
        for text in ["5", "10ms..5ms", "pareto:3ms", "normal:5ms", "61s"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
