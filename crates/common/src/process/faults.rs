//! Faults of the network and of processes, the same for the simulator and for real sockets.

mod chance;
mod clocks;
mod delay;
mod group;

use std::{marker::PhantomData, path::Path, time::Duration};

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde::Deserialize;

use self::group::{failed, group};
pub use self::{chance::Chance, clocks::Clocks, delay::Delay};
use crate::{
    config::Period,
    exit::Failure,
    json,
    process::ids::{Names, ProcessId},
};

/// The largest faults file, in bytes.
const LONGEST_FILE: u64 = 1 << 20;

/// The largest extra delay of a reordered frame: a multiple of its delay, and a minimum.
const EXTRA_DELAY: (u32, Duration) = (3, Duration::from_millis(3));

/// The fault options, from flags or from a faults file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct FaultArgs {
    /// The share of frames that are lost.
    pub loss: Option<Chance>,
    /// The share of frames that are duplicated.
    pub duplicate: Option<Chance>,
    /// The share of frames that are reordered: delayed further, so that later frames arrive first.
    pub reorder: Option<Chance>,
    /// The delay of frames.
    pub delay: Option<Delay>,
    /// Partitions of the network, with their times.
    pub partition: Vec<String>,
    /// Crashes of processes, with their times.
    pub crash: Vec<String>,
    /// Processes that are killed and started again without their state, with their times.
    pub restart: Vec<String>,
    /// Links whose frames take longer, in one direction or both, with their times.
    pub slow: Vec<String>,
    /// How far the hardware clocks of processes are ahead.
    pub clock_offset: Vec<String>,
    /// How much faster they are.
    pub clock_drift: Vec<String>,
    /// When they jump.
    pub clock_jump: Vec<String>,
}

impl FaultArgs {
    /// Reads a faults file (JSON).
    ///
    /// # Errors
    /// `FILE:LINE:COLUMN: KEY: why` (exit code 2).
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = json::read_file(path, LONGEST_FILE)?;
        json::parse(path, &text, || PhantomData)
    }

    /// These options; one that is not given is taken from `below`.
    #[must_use]
    pub fn over(self, below: Self) -> Self {
        let given = |these: Vec<String>, below| if these.is_empty() { below } else { these };
        Self {
            loss: self.loss.or(below.loss),
            duplicate: self.duplicate.or(below.duplicate),
            reorder: self.reorder.or(below.reorder),
            delay: self.delay.or(below.delay),
            partition: given(self.partition, below.partition),
            crash: given(self.crash, below.crash),
            restart: given(self.restart, below.restart),
            slow: given(self.slow, below.slow),
            clock_offset: given(self.clock_offset, below.clock_offset),
            clock_drift: given(self.clock_drift, below.clock_drift),
            clock_jump: given(self.clock_jump, below.clock_jump),
        }
    }
}

/// The faults of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of frames that are lost.
    pub loss: Chance,
    /// The share of frames that are duplicated.
    pub duplicate: Chance,
    /// The share of frames that are reordered: delayed further, so that later frames arrive first.
    pub reorder: Chance,
    /// The delay of frames.
    pub delay: Delay,
    /// Partitions of the network, with their times.
    pub partitions: Vec<Partition>,
    /// Crashes of processes, with their times.
    pub crashes: Vec<Crash>,
    /// Processes that are killed and started again without their state; only nodes of `run --node` are.
    pub restarts: Vec<Crash>,
    /// Links whose frames take longer.
    pub slow: Vec<Slow>,
    /// The hardware clocks of the processes.
    pub clocks: Clocks,
}

impl Faults {
    /// The faults that the options describe, for these processes; `delay` is the default delay.
    ///
    /// # Errors
    /// `--partition TEXT: why` and the like (exit code 2).
    pub fn new(fault_args: &FaultArgs, names: &Names, delay: Delay) -> Result<Self, Failure> {
        let mut faults = Self {
            loss: fault_args.loss.unwrap_or_default(),
            duplicate: fault_args.duplicate.unwrap_or_default(),
            reorder: fault_args.reorder.unwrap_or_default(),
            delay: fault_args.delay.unwrap_or(delay),
            clocks: Clocks::new(
                &fault_args.clock_offset,
                &fault_args.clock_drift,
                &fault_args.clock_jump,
                names,
            )?,
            ..Self::default()
        };
        for text in &fault_args.partition {
            let Timed { what, from, until } =
                Timed::parse(text).map_err(|why| failed("--partition", text, why))?;
            let cuts = Cut::parse(what, names).map_err(|why| failed("--partition", text, why))?;
            let part = |cut| Partition { cut, from, until };
            faults.partitions.extend(cuts.into_iter().map(part));
        }
        for text in &fault_args.slow {
            let slow = Slow::parse(text, names).map_err(|why| failed("--slow", text, why))?;
            faults.slow.extend(slow);
        }
        for (flag, texts, crashes) in [
            ("--crash", &fault_args.crash, &mut faults.crashes),
            ("--restart", &fault_args.restart, &mut faults.restarts),
        ] {
            for text in texts {
                let Timed { what, from, until } =
                    Timed::parse(text).map_err(|why| failed(flag, text, why))?;
                let processes = group(what, names).map_err(|why| failed(flag, text, why))?;
                let crash = |process| Crash {
                    process,
                    from,
                    until,
                };
                crashes.extend(processes.into_iter().map(crash));
            }
        }
        Ok(faults)
    }

    /// Carries a frame: calls `arrive` with the delay of each copy that arrives.
    pub fn carry(
        &self,
        random: &mut Pcg64Mcg,
        (from, to): (ProcessId, ProcessId),
        now: Duration,
        mut arrive: impl FnMut(Duration),
    ) {
        let mut cut = self.partitions.iter();
        if cut.any(|cut| cut.carries(from, to, now)) || self.loss.hits(random) {
            return;
        }
        let slow = self
            .slow
            .iter()
            .filter(|slow| slow.of.carries(from, to, now));
        let slower: Duration = slow.map(|slow| slow.by).sum();
        let copies = 1 + u32::from(self.duplicate.hits(random));
        for _ in 0..copies {
            let mut delay = self.delay.sample(random) + slower;
            if self.reorder.hits(random) {
                delay += EXTRA_DELAY
                    .1
                    .max(delay * EXTRA_DELAY.0)
                    .mul_f64(random.random());
            }
            arrive(delay);
        }
    }

    /// Refuses crashes with an end, which are pauses of real processes, where the system has none; `no_pause` says why.
    ///
    /// # Errors
    /// `--crash p2@1s..2s: WHY` (exit code 2).
    pub fn check_pauses(&self, names: &Names, no_pause: Option<&str>) -> Result<(), Failure> {
        let mut crashes = self.crashes.iter();
        let pause = crashes.find(|crash| crash.until < Duration::MAX);
        let (Some(why), Some(pause)) = (no_pause, pause) else {
            return Ok(());
        };
        let name = names.of(pause.process);
        let (from, until) = (Period(pause.from), Period(pause.until));
        Err(Failure::could_not_run(
            format!("--crash {name}@{from}..{until}"),
            format!("{why}; {name}@{from} kills it"),
        ))
    }

    /// When the last partition or crash that has an end is over.
    pub fn end(&self) -> Duration {
        let slow = self.slow.iter().map(|slow| slow.of);
        let links = self.partitions.iter().copied().chain(slow);
        let ends = links.map(|of| of.until);
        let crashes = self.crashes.iter().chain(&self.restarts);
        let ends = ends.chain(crashes.map(|crash| crash.until));
        ends.filter(|end| *end < Duration::MAX)
            .max()
            .unwrap_or_default()
    }

    /// The processes that crash and do not recover.
    pub fn crashed(&self) -> impl Iterator<Item = ProcessId> {
        self.crashes_for_good().map(|(process, _)| process)
    }

    /// The same processes, and when they crash.
    pub fn crashes_for_good(&self) -> impl Iterator<Item = (ProcessId, Duration)> {
        let crashes = self.crashes.iter();
        crashes
            .filter(|crash| crash.until == Duration::MAX)
            .map(|crash| (crash.process, crash.from))
    }

    /// The same faults without partitions, slow links, crashes and jumps of clocks, whose times do not fit a much shorter run.
    #[must_use]
    pub fn without_times(&self) -> Self {
        Self {
            partitions: Vec::new(),
            crashes: Vec::new(),
            restarts: Vec::new(),
            slow: Vec::new(),
            clocks: Clocks {
                jumps: Vec::new(),
                ..self.clocks.clone()
            },
            ..self.clone()
        }
    }
}

/// The direction of a link whose frames are lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cut {
    /// The sender.
    pub from: ProcessId,
    /// The receiver.
    pub to: ProcessId,
}

/// A cut with its times.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Partition {
    /// The link.
    pub cut: Cut,
    /// When it begins, from the start of the run.
    pub from: Duration,
    /// When it ends.
    pub until: Duration,
}

impl Partition {
    /// Whether it is about a frame from the one process to the other now.
    fn carries(&self, from: ProcessId, to: ProcessId, now: Duration) -> bool {
        self.cut == Cut { from, to } && self.from <= now && now < self.until
    }
}

/// A link whose frames take longer, for some time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slow {
    /// The link and the times.
    pub of: Partition,
    /// How much longer they take.
    pub by: Duration,
}

impl Slow {
    /// `A>B:20ms@1s..2s`, or in both directions `A/B:20ms`.
    fn parse(text: &str, names: &Names) -> Result<Vec<Self>, String> {
        let Timed { what, from, until } = Timed::parse(text)?;
        let why = || "not A>B:DELAY, or in both directions A/B:DELAY".to_owned();
        let (link, by) = what.rsplit_once(':').ok_or_else(why)?;
        let Period(by) = by.parse()?;
        if by > Delay::LONGEST {
            return Err(format!("longer than {}", Period(Delay::LONGEST)));
        }
        let cuts = Cut::parse(link, names)?.into_iter();
        let of = cuts.map(|cut| Partition { cut, from, until });
        Ok(of.map(|of| Self { of, by }).collect())
    }
}

/// A process that crashes and recovers with the state that it had (as from stable storage); with an end of
/// [`Duration::MAX`] it does not recover.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Crash {
    /// The process.
    pub process: ProcessId,
    /// When it begins, from the start of the run.
    pub from: Duration,
    /// When it ends.
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
            return Err("a process cannot be partitioned from itself".into());
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

/// A fault with its times: `WHAT@1s..2s`, or without an end `WHAT@1s`.
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

    /// Carries 10,000 frames; returns the delays of those that arrive.
    fn carried(faults: &Faults, now: Duration) -> Vec<Duration> {
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut arrived = Vec::new();
        for _ in 0..10_000 {
            let ends = (ProcessId(0), ProcessId(1));
            faults.carry(&mut random, ends, now, |delay| arrived.push(delay));
        }
        arrived
    }

    fn faults(fault_args: &str) -> Result<Faults, Failure> {
        let fault_args = serde_json::from_str(fault_args).unwrap();
        Faults::new(&fault_args, &Names::numbered(3), Delay::default())
    }

    #[test]
    fn a_pause_is_refused_where_the_system_has_none() {
        let names = Names::numbered(3);
        let faults = |crash: &str| {
            let fault_args = FaultArgs {
                crash: vec![crash.to_owned()],
                ..FaultArgs::default()
            };
            Faults::new(&fault_args, &names, Delay::default()).unwrap()
        };
        let pause = faults("p2@1s..2s");
        assert!(pause.check_pauses(&names, None).is_ok());
        let refused = pause.check_pauses(&names, Some("no pauses here"));
        assert_eq!(
            refused.unwrap_err().to_string(),
            "--crash p2@1s..2s: no pauses here; p2@1s kills it"
        );
        let kill = faults("p2@1s");
        assert!(kill.check_pauses(&names, Some("no pauses here")).is_ok());
    }

    #[test]
    fn frames_are_lost_duplicated_and_reordered_by_the_given_shares() {
        let near = |count: usize, expected: usize| count.abs_diff(expected) < 300;
        let lossy = faults(r#"{"loss": "10%"}"#).unwrap();
        assert!(near(carried(&lossy, ms(0)).len(), 9_000));
        let duplicating = faults(r#"{"duplicate": 0.1}"#).unwrap();
        assert!(near(carried(&duplicating, ms(0)).len(), 11_000));
        let reordering = faults(r#"{"reorder": "20%", "delay": "2ms"}"#).unwrap();
        let late = carried(&reordering, ms(0));
        assert!(near(
            late.iter().filter(|delay| **delay > ms(2)).count(),
            2_000
        ));
    }

    #[test]
    fn a_partition_has_its_directions_and_its_times() {
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
    fn a_slow_link_takes_longer_in_its_direction_and_at_its_times() {
        let slow = faults(r#"{"slow": ["p1>p2:20ms@1s..2s", "p1/p2:5ms"]}"#).unwrap();
        let first = |at| carried(&slow, ms(at))[0];
        assert_eq!([999, 1000, 2000].map(first), [ms(5), ms(25), ms(5)]);
        let other = faults(r#"{"slow": ["p2>p1:20ms"]}"#).unwrap();
        assert_eq!(carried(&other, ms(0))[0], ms(0));
        assert_eq!((slow.end(), other.end()), (ms(2000), ms(0)));
    }

    #[test]
    fn an_invalid_option_is_named() {
        for (fault_args, why) in [
            (
                r#"{"partition": ["p1/p9"]}"#,
                "no process is called 'p9'; did you mean p1?",
            ),
            (r#"{"partition": ["p1"]}"#, "not A,B/C or"),
            (r#"{"partition": ["p1/p1"]}"#, "partitioned from itself"),
            (r#"{"slow": ["p1>p2"]}"#, "not A>B:DELAY"),
            (r#"{"slow": ["p1>p2:2m"]}"#, "longer than 1m"),
            (r#"{"crash": ["p1@2s..1s"]}"#, "it ends before it begins"),
            (r#"{"crash": ["p1@soon"]}"#, "'soon' is no length of time"),
        ] {
            let failure = faults(fault_args).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
    }
}
