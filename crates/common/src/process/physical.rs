//! Physical clocks (van Steen & Tanenbaum, "Physical clocks"): a process reads a **hardware clock**, which differs from true time
//! by an offset, drifts, and may jump. A process knows none of that: its driver gives it a [`Reading`] with each input, and adds
//! to the events of clock synchronization, for the verdict, how far the reading is from true time.
//!
//! All times are nanoseconds. True time is that of the simulation, or the clock of the machine, on which several processes
//! pretend to have clocks of their own.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::event::Time;

/// How fast the hardware clock of a process may drift, in parts per billion: a hundred seconds in a million, as cheap quartz does.
/// The algorithms know it.
pub const MOST_DRIFT: i64 = 100_000;

/// How often the machine's two clocks are read to find how they differ.
const TRIES: usize = 10;

/// A hardware clock, as its driver has it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct HardwareClock {
    /// True time when the run begins, since 1970; 0 in a simulation.
    pub origin: i64,
    /// How far it is ahead of true time when the run begins; negative when it is behind.
    pub offset: i64,
    /// How much faster than true time it is, in parts per billion.
    pub drift: i64,
    /// When it jumps, since the start of the run, and by how much.
    pub jumps: Vec<(Duration, i64)>,
}

impl HardwareClock {
    /// True time now, at the start of a run of real processes: nanoseconds since 1970 by the machine's clock, given the moment from
    /// which the run counts its own time.
    pub fn true_time_at(start: Instant) -> i64 {
        let read = || {
            let before = start.elapsed();
            let now = SystemTime::now();
            let after = start.elapsed();
            // The processor may be taken away between the two clocks.
            let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
            let between = before + (after - before) / 2;
            (after - before, nanos(now) - nanos(between))
        };
        let read = (0..TRIES).map(|_| read());
        read.min_by_key(|(took, _)| *took).map_or(0, |(_, at)| at)
    }

    /// What it shows this long after the start of the run.
    #[inline]
    pub fn reading(&self, now: Duration) -> Reading {
        let since = nanos(now);
        let drift = i128::from(since) * i128::from(self.drift) / 1_000_000_000;
        let jumps = self.jumps.iter().filter(|(at, _)| *at <= now);
        let jumps: i64 = jumps.map(|(_, by)| *by).sum();
        let error = self.offset + drift as i64 + jumps;
        Reading {
            hardware: self.origin.saturating_add(since).saturating_add(error),
            error,
        }
    }

    /// What it shows at this moment of true time.
    pub fn wall(&self, time: Time) -> Time {
        let since = nanos(time.since_1970()).saturating_sub(self.origin);
        let since = Duration::from_nanos(u64::try_from(since).unwrap_or(0));
        // What was before the run began is as far off as it was then.
        let error = self.reading(since).error;
        let hardware = nanos(time.since_1970()).saturating_add(error);
        Reading { hardware, error }.wall()
    }

    /// Whether it shows true time.
    pub fn is_true(&self) -> bool {
        self.offset == 0 && self.drift == 0 && self.jumps.is_empty()
    }
}

/// A length of time as nanoseconds; at most 292 years.
pub fn nanos(time: Duration) -> i64 {
    time.as_nanos().try_into().unwrap_or(i64::MAX)
}

/// What a hardware clock shows.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Reading {
    /// What it shows.
    pub hardware: i64,
    /// How far that is ahead of true time. No process knows it.
    pub error: i64,
}

impl Reading {
    /// What the hardware clock shows, as the time of an event.
    pub fn wall(self) -> Time {
        let since = u64::try_from(self.hardware).unwrap_or(0);
        Time::new(UNIX_EPOCH + Duration::from_nanos(since))
    }

    /// True time.
    pub fn true_time(self) -> i64 {
        self.hardware.saturating_sub(self.error)
    }
}

/// An event of clock synchronization.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ClockEvent {
    /// The round: the number of the request for the time, or of the poll of all clocks.
    pub round: u32,
    /// What the process does.
    pub action: ClockAction,
    /// What its hardware clock shows.
    pub reading: Reading,
    /// The time to which its software clock is set.
    pub set: i64,
    /// The time that its software clock shows. It differs from the other while the clock, which was ahead, runs slower.
    pub shown: i64,
}

/// What a process does with its clock.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ClockAction {
    /// It asks others for their time.
    Poll,
    /// It reports its time to another process.
    Report,
    /// It measures the clock of another process.
    Sample {
        /// How far the other clock is ahead of its own, as it estimates.
        offset: i64,
        /// The round trip, without the time that the other process needed.
        delay: i64,
    },
    /// It adjusts its clock.
    Adjust {
        /// What its software clock showed before.
        before: i64,
        /// How far the clock may be from the one that it follows, according to the algorithm.
        bound: i64,
    },
    /// It keeps its clock as it is: the round had no result.
    Keep,
    /// It says what its clock shows.
    Show,
}

impl ClockEvent {
    /// The words of these events in a log.
    pub const WORDS: [&str; 6] = ["poll", "report", "sample", "adjust", "keep", "show"];

    /// How far the time to which the clock is set is ahead of true time.
    pub fn ahead(&self) -> i64 {
        self.set.saturating_sub(self.reading.true_time())
    }

    /// Its word in the log.
    pub fn word(&self) -> &'static str {
        match self.action {
            ClockAction::Poll => "poll",
            ClockAction::Report => "report",
            ClockAction::Sample { .. } => "sample",
            ClockAction::Adjust { .. } => "adjust",
            ClockAction::Keep => "keep",
            ClockAction::Show => "show",
        }
    }

    /// Its times in the log, in nanoseconds: `hardware=… error=… set=… shown=…`, of a sample with `offset=… delay=…`, and of an
    /// adjustment with `before=… bound=…`.
    pub fn times(&self) -> String {
        let Reading { hardware, error } = self.reading;
        let (set, shown) = (self.set, self.shown);
        let times = format!("hardware={hardware} error={error} set={set} shown={shown}");
        match self.action {
            ClockAction::Adjust { before, bound } => {
                format!("{times} before={before} bound={bound}")
            }
            ClockAction::Sample { offset, delay } => {
                format!("{times} offset={offset} delay={delay}")
            }
            ClockAction::Poll | ClockAction::Report | ClockAction::Keep | ClockAction::Show => {
                times
            }
        }
    }

    /// The event with this word, round and times; None if it is none.
    pub fn read(word: &str, round: &str, times: &str) -> Option<Self> {
        let time = |name: &str| {
            let mut times = times.split(' ').filter_map(|time| time.split_once('='));
            let (_, time) = times.find(|(known, _)| *known == name)?;
            // No clock is so far from 1970 that a difference of two could overflow.
            let time: i64 = time.parse().ok()?;
            (time.unsigned_abs() < 1 << 61).then_some(time)
        };
        let action = match word {
            "poll" => ClockAction::Poll,
            "report" => ClockAction::Report,
            "keep" => ClockAction::Keep,
            "show" => ClockAction::Show,
            "sample" => ClockAction::Sample {
                offset: time("offset")?,
                delay: time("delay")?,
            },
            "adjust" => ClockAction::Adjust {
                before: time("before")?,
                bound: time("bound")?,
            },
            _ => return None,
        };
        Some(Self {
            round: round.parse().ok()?,
            action,
            reading: Reading {
                hardware: time("hardware")?,
                error: time("error")?,
            },
            set: time("set")?,
            shown: time("shown")?,
        })
    }
}

/// A moment as the time of its day in UTC, to the microsecond: `00:00:01.003000`.
#[derive(Clone, Copy, Debug)]
pub struct TimeOfDay(pub i64);

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAY: i64 = 86_400_000_000;
        let micros = self.0.div_euclid(1_000).rem_euclid(DAY);
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{micros:06}", seconds % 60)
    }
}

/// A length of time in words, with its sign if it has one: `3.25 ms`, `-40 ms`.
#[derive(Clone, Copy, Debug)]
pub struct Nanos(pub i64);

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, by) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let rounded = |unit: f64| (by as f64 / unit * 1e3).round() / 1e3;
        match by {
            0..1_000 => write!(f, "{sign}{by} ns"),
            1_000..1_000_000 => write!(f, "{sign}{} µs", rounded(1e3)),
            1_000_000..1_000_000_000 => write!(f, "{sign}{} ms", rounded(1e6)),
            _ => write!(f, "{sign}{} s", rounded(1e9)),
        }
    }
}

/// A hardware clock as a process's own software sets it: `set` is the hardware clock and an adjustment.
///
/// A clock that is ahead must not be set back: it runs at half its speed until it shows the time to which it is set, and one that is
/// behind jumps ahead. So it shows the later of two lines, which is continuous and grows.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct SoftwareClock {
    /// What is added to the hardware clock's reading.
    adjustment: i64,
    /// The reading at the last adjustment of a clock that was ahead, and what it showed then.
    slowed: Option<(i64, i64)>,
}

impl SoftwareClock {
    /// The time to which it is set.
    pub fn set(&self, hardware: i64) -> i64 {
        hardware + self.adjustment
    }

    /// The time that it shows.
    pub fn shown(&self, hardware: i64) -> i64 {
        let set = self.set(hardware);
        match self.slowed {
            Some((since, shown)) => set.max(shown + (hardware - since).div_euclid(2)),
            None => set,
        }
    }

    /// It is set to this time; if `steps`, it shows that at once, even if it was ahead.
    pub fn adjust(&mut self, hardware: i64, time: i64, steps: bool) {
        let shown = self.shown(hardware);
        self.adjustment = time - hardware;
        self.slowed = (shown > time && !steps).then_some((hardware, shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn a_hardware_clock_has_an_offset_drifts_and_jumps() {
        let clock = HardwareClock {
            origin: 0,
            offset: 40 * MS,
            drift: 100_000,
            jumps: vec![(Duration::from_secs(2), -500 * MS)],
        };
        let error = |secs| clock.reading(Duration::from_secs(secs)).error;
        assert_eq!(
            [0, 1, 2].map(error),
            [40 * MS, 40 * MS + MS / 10, -460 * MS + MS / 5]
        );
        let reading = clock.reading(Duration::from_secs(2));
        assert_eq!(reading.true_time(), 2_000 * MS);
    }

    #[test]
    fn the_machines_clock_is_true_time() {
        let start = Instant::now();
        let origin = HardwareClock::true_time_at(start);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let difference = (nanos(now) - origin - nanos(start.elapsed())).abs();
        assert!(difference < 1_000 * MS, "{difference}");
    }

    #[test]
    fn a_clock_that_is_ahead_runs_slower_and_one_that_is_behind_jumps() {
        let mut clock = SoftwareClock::default();
        clock.adjust(100, 160, false);
        assert_eq!([100, 110].map(|at| clock.shown(at)), [160, 170]);
        clock.adjust(110, 150, false);
        let shown = [110, 120, 140, 150, 160].map(|at| clock.shown(at));
        assert_eq!(shown, [170, 175, 185, 190, 200]);
        assert_eq!(clock.set(110), 150);
        // Set again before it shows the right time.
        clock.adjust(120, 150, false);
        assert_eq!([120, 130].map(|at| clock.shown(at)), [175, 180]);
        clock.adjust(130, 100, true);
        assert_eq!(clock.shown(130), 100);
    }

    #[test]
    fn an_event_is_read_as_it_is_written() {
        for action in [
            ClockAction::Poll,
            ClockAction::Report,
            ClockAction::Keep,
            ClockAction::Show,
            ClockAction::Sample {
                offset: -2,
                delay: 9,
            },
            ClockAction::Adjust {
                before: -3,
                bound: 4,
            },
        ] {
            let event = ClockEvent {
                round: 2,
                action,
                reading: Reading {
                    hardware: -7,
                    error: 3,
                },
                set: 5,
                shown: 6,
            };
            assert_eq!(event.ahead(), 15);
            let read = ClockEvent::read(event.word(), "2", &event.times());
            assert_eq!(read, Some(event));
        }
        for (word, round, times) in [
            ("poll", "2", "hardware=1 error=1 set=1"),
            ("adjust", "2", "hardware=1 error=1 set=1 shown=1"),
            ("poll", "-2", "hardware=1 error=1 set=1 shown=1"),
            (
                "poll",
                "2",
                "hardware=9223372036854775807 error=-1 set=1 shown=1",
            ),
            ("set", "2", "hardware=1 error=1 set=1 shown=1"),
        ] {
            assert_eq!(ClockEvent::read(word, round, times), None, "{times}");
        }
    }

    #[test]
    fn lengths_of_time_are_short_in_words() {
        let words = [0, 999, -1_500, 3_250_000, -60_000_000_000].map(|by| Nanos(by).to_string());
        assert_eq!(words, ["0 ns", "999 ns", "-1.5 µs", "3.25 ms", "-60 s"]);
        let times = [0, 90_061_000_001_000, -14 * MS].map(|at| TimeOfDay(at).to_string());
        let expected = ["00:00:00.000000", "01:01:01.000001", "23:59:59.986000"];
        assert_eq!(times, expected);
    }
}
