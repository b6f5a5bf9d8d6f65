//! What a network does to frames, and what happens to processes: the same for the simulator and for real sockets.

use std::{fmt, marker::PhantomData, path::Path, str::FromStr, time::Duration};

use common::{
    config::Period,
    exit::Failure,
    json,
    text::{did_you_mean, visible},
};
use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use crate::process::{Names, ProcessId};

/// The longest file of faults that is read, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// How much later than others a frame comes that is to be overtaken: so many times its delay, and at least so long.
const HELD_UP: (u32, Duration) = (3, Duration::from_millis(3));

/// What a person says of the faults, by flags or by the keys of a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Wanted {
    /// How many frames are lost.
    pub loss: Option<Chance>,
    /// How many come twice.
    pub duplicate: Option<Chance>,
    /// How many are held up so that others overtake them.
    pub reorder: Option<Chance>,
    /// How long frames take.
    pub delay: Option<Delay>,
    /// Who is cut off from whom, and when.
    pub partition: Vec<String>,
    /// Who stands still, and when.
    pub crash: Vec<String>,
}

impl Wanted {
    /// Reads them from a JSON file.
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN: KEY: why` (exit code 2).
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = json::read_file(path, LONGEST_FILE)?;
        json::parse(path, &text, || PhantomData)
    }

    /// These; where one is not given, the one of `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let given = |own: Vec<String>, below| if own.is_empty() { below } else { own };
        Self {
            loss: self.loss.or(below.loss),
            duplicate: self.duplicate.or(below.duplicate),
            reorder: self.reorder.or(below.reorder),
            delay: self.delay.or(below.delay),
            partition: given(self.partition, below.partition),
            crash: given(self.crash, below.crash),
        }
    }
}

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// How many frames are lost.
    pub loss: Chance,
    /// How many come twice.
    pub duplicate: Chance,
    /// How many are held up so that others overtake them.
    pub reorder: Chance,
    /// How long frames take.
    pub delay: Delay,
    /// Who is cut off from whom, and when.
    pub partitions: Vec<Partition>,
    /// Who stands still, and when.
    pub crashes: Vec<Crash>,
}

impl Faults {
    /// The faults that are wanted of these processes; what takes no time where nothing is said takes this.
    ///
    /// # Errors
    /// `--partition TEXT: why` and the like (exit code 2).
    pub fn new(wanted: &Wanted, names: &Names, delay: Delay) -> Result<Self, Failure> {
        let failed = |flag: &str, what: &str, why| {
            Failure::could_not_run(format!("{flag} {}", visible(what.as_bytes())), why)
        };
        let mut faults = Self {
            loss: wanted.loss.unwrap_or_default(),
            duplicate: wanted.duplicate.unwrap_or_default(),
            reorder: wanted.reorder.unwrap_or_default(),
            delay: wanted.delay.unwrap_or(delay),
            ..Self::default()
        };
        for text in &wanted.partition {
            let Timed { what, from, until } =
                Timed::parse(text).map_err(|why| failed("--partition", text, why))?;
            let cuts = Cut::parse(what, names).map_err(|why| failed("--partition", text, why))?;
            let part = |cut| Partition { cut, from, until };
            faults.partitions.extend(cuts.into_iter().map(part));
        }
        for text in &wanted.crash {
            let Timed { what, from, until } =
                Timed::parse(text).map_err(|why| failed("--crash", text, why))?;
            let processes = group(what, names).map_err(|why| failed("--crash", text, why))?;
            let crash = |process| Crash {
                process,
                from,
                until,
            };
            faults.crashes.extend(processes.into_iter().map(crash));
        }
        Ok(faults)
    }

    /// What becomes of a frame: calls with the delay of each copy that arrives.
    pub fn carry(
        &self,
        random: &mut Pcg64Mcg,
        (from, to): (ProcessId, ProcessId),
        now: Duration,
        mut arrive: impl FnMut(Duration),
    ) {
        let cut = self.partitions.iter();
        let cut = cut.filter(|partition| partition.cut == Cut { from, to });
        if cut
            .into_iter()
            .any(|cut| cut.from <= now && now < cut.until)
            || self.loss.hits(random)
        {
            return;
        }
        let copies = 1 + u32::from(self.duplicate.hits(random));
        for _ in 0..copies {
            let mut delay = self.delay.sample(random);
            if self.reorder.hits(random) {
                delay += HELD_UP.1.max(delay * HELD_UP.0).mul_f64(random.random());
            }
            arrive(delay);
        }
    }

    /// When the last of them is over that ends by itself.
    pub fn end(&self) -> Duration {
        let ends = self.partitions.iter().map(|partition| partition.until);
        let ends = ends.chain(self.crashes.iter().map(|crash| crash.until));
        ends.filter(|end| *end < Duration::MAX)
            .max()
            .unwrap_or_default()
    }

    /// Those who stand still and never come back.
    pub fn gone(&self) -> impl Iterator<Item = ProcessId> {
        let crashes = self.crashes.iter();
        crashes
            .filter(|crash| crash.until == Duration::MAX)
            .map(|crash| crash.process)
    }

    /// The same without what happens at a time of its own, for runs that are much shorter.
    #[must_use]
    pub fn without_times(&self) -> Self {
        Self {
            partitions: Vec::new(),
            crashes: Vec::new(),
            ..self.clone()
        }
    }
}

/// A share of frames.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Chance(f64);

impl Chance {
    fn hits(self, random: &mut Pcg64Mcg) -> bool {
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
                "'{}' is no share below 1, such as 10% or 0.1",
                visible(text.as_bytes())
            )
        })
    }
}

impl fmt::Display for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Seven per cent are not 7.000000000000001.
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
                    E::custom(format_args!("{share} is no share below 1, such as 0.1"))
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

/// How long frames take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delay {
    /// Always this long.
    Constant(Duration),
    /// Anything between these two.
    Uniform(Duration, Duration),
    /// Exponentially distributed, with this mean.
    Exponential(Duration),
    /// Normally distributed, with this mean and standard deviation; never less than nothing.
    Normal(Duration, Duration),
}

impl Default for Delay {
    fn default() -> Self {
        Self::Constant(Duration::ZERO)
    }
}

impl Delay {
    /// The longest that may be asked for.
    const LONGEST: Duration = Duration::from_secs(60);

    /// One of them.
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
                Err(format!("'{text}' is from more to less"))
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

/// Frames from one process to another that do not arrive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut {
    /// Who sends.
    pub from: ProcessId,
    /// Who does not receive.
    pub to: ProcessId,
}

/// A cut that lasts from a moment on until another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partition {
    /// Which frames.
    pub cut: Cut,
    /// From when on, from the beginning of the run.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

/// A process that stands still from a moment on until another, and then goes on with the state that it had (as from
/// stable storage); until [`Duration::MAX`] it never does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Crash {
    /// Which process.
    pub process: ProcessId,
    /// From when on, from the beginning of the run.
    pub from: Duration,
    /// Until when.
    pub until: Duration,
}

impl Cut {
    /// `A,B/C` cuts in both directions, `A>B` in one.
    fn parse(text: &str, names: &Names) -> Result<Vec<Self>, String> {
        let (both, (one, other)) = match (text.split_once('/'), text.split_once('>')) {
            (Some(groups), None) => (true, groups),
            (None, Some(groups)) => (false, groups),
            _ => return Err("not A,B/C or, in one direction, A>B,C".into()),
        };
        let (mut one, mut other) = (one, other);
        let rest = |known: &[ProcessId]| {
            let all = ProcessId::all(names.count());
            all.filter(|process| !known.contains(process)).collect()
        };
        let reversed = one == "*";
        if reversed {
            std::mem::swap(&mut one, &mut other);
        }
        let one = group(one, names)?;
        let other: Vec<_> = if other == "*" {
            rest(&one)
        } else {
            group(other, names)?
        };
        if one.iter().any(|process| other.contains(process)) {
            return Err("nobody can be cut off from itself".into());
        }
        let pairs = one
            .iter()
            .flat_map(|one| other.iter().map(|other| (*one, *other)));
        let cut = |(one, other)| {
            let there = Self {
                from: one,
                to: other,
            };
            let back = Self {
                from: other,
                to: one,
            };
            match (both, reversed) {
                (true, _) => vec![there, back],
                (false, false) => vec![there],
                (false, true) => vec![back],
            }
        };
        Ok(pairs.flat_map(cut).collect())
    }
}

/// Processes by their names.
fn group(text: &str, names: &Names) -> Result<Vec<ProcessId>, String> {
    let process = |name: &str| {
        names.process(name).ok_or_else(|| {
            let near = did_you_mean(name, names.all());
            format!("no process is called '{}'{near}", visible(name.as_bytes()))
        })
    };
    text.split(',').map(process).collect()
}

/// What happens between two moments: `WHAT@1s..2s`, or from one on: `WHAT@1s`.
#[derive(Debug)]
struct Timed<'a> {
    what: &'a str,
    from: Duration,
    until: Duration,
}

impl<'a> Timed<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let (what, times) = text.rsplit_once('@').unwrap_or((text, "0s"));
        let (from, until) = match times.split_once("..") {
            Some((from, until)) => (from, until.parse::<Period>()?.0),
            None => (times, Duration::MAX),
        };
        let from = from.parse::<Period>()?.0;
        if from >= until {
            return Err("it ends before it begins".into());
        }
        Ok(Self { what, from, until })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// How many of 10,000 frames arrive, and their delays.
    fn carried(faults: &Faults, now: Duration) -> Vec<Duration> {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut arrived = Vec::new();
        for _ in 0..10_000 {
            let ends = (ProcessId(0), ProcessId(1));
            faults.carry(&mut random, ends, now, |delay| arrived.push(delay));
        }
        arrived
    }

    fn faults(wanted: &str) -> Result<Faults, Failure> {
        let wanted = serde_json::from_str(wanted).unwrap();
        Faults::new(&wanted, &Names::numbered(3), Delay::default())
    }

    #[test]
    fn frames_are_lost_doubled_and_held_up_as_often_as_is_said() {
        let near = |count: usize, expected: usize| count.abs_diff(expected) < 300;
        let lossy = faults(r#"{"loss": "10%"}"#).unwrap();
        assert!(near(carried(&lossy, ms(0)).len(), 9_000));
        let doubling = faults(r#"{"duplicate": 0.1}"#).unwrap();
        assert!(near(carried(&doubling, ms(0)).len(), 11_000));
        let reordering = faults(r#"{"reorder": "20%", "delay": "2ms"}"#).unwrap();
        let late = carried(&reordering, ms(0));
        assert!(near(
            late.iter().filter(|delay| **delay > ms(2)).count(),
            2_000
        ));
    }

    #[test]
    fn delays_have_the_distribution_that_is_asked_for() {
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
            let varies = (samples.iter().map(square).sum::<f64>() / count).sqrt();
            assert!((found - mean).abs() < 0.2, "{delay}: {found}");
            assert!((varies - deviation).abs() < 0.2, "{delay}: {varies}");
        }
    }

    #[test]
    fn a_partition_holds_in_its_directions_and_its_time() {
        let both = faults(r#"{"partition": ["p1/p2,p3@1s..2s"]}"#).unwrap();
        assert_eq!(both.partitions.len(), 4);
        let arrive = |at| carried(&both, ms(at)).len();
        assert_eq!([999, 1000, 1999, 2000].map(arrive), [10_000, 0, 0, 10_000]);
        for (text, cuts) in [("p2>p1@1s", 1), ("p1>*@1s", 2), ("*>p1@1s", 2), ("p3/*", 4)] {
            let faults = faults(&format!(r#"{{"partition": ["{text}"]}}"#)).unwrap();
            assert_eq!(faults.partitions.len(), cuts, "{text}");
        }
        let one_way = faults(r#"{"partition": ["*>p2@1s"]}"#).unwrap();
        assert_eq!(carried(&one_way, ms(5000)).len(), 0);
        let other_way = faults(r#"{"partition": ["p2>*@1s"]}"#).unwrap();
        assert_eq!(carried(&other_way, ms(5000)).len(), 10_000);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wanted, why) in [
            (
                r#"{"partition": ["p1/p9"]}"#,
                "no process is called 'p9'; did you mean p1?",
            ),
            (r#"{"partition": ["p1"]}"#, "not A,B/C or"),
            (r#"{"partition": ["p1/p1"]}"#, "cut off from itself"),
            (r#"{"crash": ["p1@2s..1s"]}"#, "it ends before it begins"),
            (r#"{"crash": ["p1@soon"]}"#, "'soon' is no length of time"),
        ] {
            let failure = faults(wanted).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
        for text in ["100%", "1", "-1%", "ten", "%", "NaN"] {
            assert!(text.parse::<Chance>().is_err(), "{text}");
        }
        for text in ["5", "10ms..5ms", "pareto:3ms", "normal:5ms", "61s"] {
            assert!(text.parse::<Delay>().is_err(), "{text}");
        }
    }
}
