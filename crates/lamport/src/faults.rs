//! What a network does to frames, and what happens to processes: the same for the simulator and for real sockets.

mod chance;
mod delay;

use std::{marker::PhantomData, path::Path, time::Duration};

use common::{
    config::Period,
    exit::Failure,
    json,
    text::{did_you_mean, visible},
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;

pub use self::{chance::Chance, delay::Delay};
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
    }
}
