//! The hardware clocks of processes, from options: how far each is off, how it drifts, and when it jumps.

use std::time::Duration;

use super::group::{failed, group};
use crate::{
    config::Period,
    exit::Failure,
    process::{
        ids::{Names, ProcessId},
        physical::{HardwareClock, nanos},
    },
    text::visible,
};

/// The flags.
const OFFSET: &str = "--clock-offset";
const DRIFT: &str = "--clock-drift";
const JUMP: &str = "--clock-jump";

/// The largest offset or jump: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The largest drift, in parts per million.
const MOST_PPM: f64 = 100_000.0;

/// The hardware clocks of processes; those that are not named show true time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clocks {
    /// How far a process's clock is ahead when the run begins, in nanoseconds. Of a process that has several the last one counts.
    pub offsets: Vec<(ProcessId, i64)>,
    /// How much faster it is, in parts per billion; the last one counts.
    pub drifts: Vec<(ProcessId, i64)>,
    /// When it jumps, since the start of the run, and by how many nanoseconds.
    pub jumps: Vec<(ProcessId, Duration, i64)>,
}

impl Clocks {
    /// The clocks that the options describe.
    ///
    /// # Errors
    /// `--clock-offset TEXT: why` and the like (exit code 2).
    pub(super) fn new(
        offsets: &[String],
        drifts: &[String],
        jumps: &[String],
        names: &Names,
    ) -> Result<Self, Failure> {
        let all = || ProcessId::all(names.count()).collect::<Vec<_>>();
        // `p2,p3=WHAT`, or WHAT of all processes.
        let whose = |text: &str| -> Result<(Vec<ProcessId>, String), String> {
            match text.split_once('=') {
                Some((who, what)) => Ok((group(who, names)?, what.to_owned())),
                None => Ok((all(), text.to_owned())),
            }
        };
        let mut clocks = Self::default();
        for text in offsets {
            let failed = |why| failed(OFFSET, text, why);
            let (processes, what) = whose(text).map_err(failed)?;
            let by = signed(&what).map_err(failed)?;
            clocks
                .offsets
                .extend(processes.into_iter().map(|it| (it, by)));
        }
        for text in drifts {
            let failed = |why| failed(DRIFT, text, why);
            let (processes, what) = whose(text).map_err(failed)?;
            let by = drift(&what).map_err(failed)?;
            clocks
                .drifts
                .extend(processes.into_iter().map(|it| (it, by)));
        }
        for text in jumps {
            let failed = |why| failed(JUMP, text, why);
            let (processes, at, by) = jump(text, names).map_err(failed)?;
            let jumps = processes.unwrap_or_else(all).into_iter();
            clocks.jumps.extend(jumps.map(|it| (it, at, by)));
        }
        Ok(clocks)
    }

    /// These clocks, and in place of them those others where they are given.
    #[must_use]
    pub fn or(mut self, others: &Self) -> Self {
        let all = &mut self;
        all.offsets.extend_from_slice(&others.offsets);
        all.drifts.extend_from_slice(&others.drifts);
        all.jumps.extend_from_slice(&others.jumps);
        self
    }

    /// Whether all show true time.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty() && self.drifts.is_empty() && self.jumps.is_empty()
    }

    /// The clock of this process, in a run that begins at `origin`, in nanoseconds since 1970.
    pub fn of(&self, process: ProcessId, origin: i64) -> HardwareClock {
        let last = |of: &[(ProcessId, i64)]| {
            let mut of = of.iter().rev();
            of.find(|(it, _)| *it == process).map_or(0, |(_, by)| *by)
        };
        let jumps = self.jumps.iter().filter(|(it, ..)| *it == process);
        HardwareClock {
            origin,
            offset: last(&self.offsets),
            drift: last(&self.drifts),
            jumps: jumps.map(|(_, at, by)| (*at, *by)).collect(),
        }
    }

    /// The flags that give each of these processes its clock, for a command line: ` --clock-offset p2=40ms`.
    pub fn command_line(&self, names: &Names) -> String {
        let mut line = String::new();
        for process in ProcessId::all(names.count()) {
            let name = names.of(process);
            for (flag, value) in self.given(process) {
                let is = if flag == JUMP { "" } else { "=" };
                line += &format!(" {flag} {name}{is}{value}");
            }
        }
        line
    }

    /// The flags that give a process this clock.
    pub fn flags(&self, process: ProcessId) -> Vec<String> {
        let given = self.given(process).into_iter();
        given
            .map(|(flag, value)| format!("{flag}={value}"))
            .collect()
    }

    /// The flags that give a process this clock, each with its value.
    fn given(&self, process: ProcessId) -> Vec<(&'static str, String)> {
        let clock = self.of(process, 0);
        let period = |by: i64| {
            let sign = if by < 0 { "-" } else { "" };
            format!("{sign}{}", Period(Duration::from_nanos(by.unsigned_abs())))
        };
        let mut flags = Vec::new();
        if clock.offset != 0 {
            flags.push((OFFSET, period(clock.offset)));
        }
        if clock.drift != 0 {
            flags.push((DRIFT, format!("{}ppm", clock.drift as f64 / 1e3)));
        }
        for (at, by) in clock.jumps {
            flags.push((JUMP, format!("@{}:{}", Period(at), period(by))));
        }
        flags
    }
}

/// A length of time with a sign, in nanoseconds.
fn signed(text: &str) -> Result<i64, String> {
    let (sign, length) = match text.as_bytes().first() {
        Some(b'-') => (-1, &text[1..]),
        Some(b'+') => (1, &text[1..]),
        _ => (1, text),
    };
    let Period(by) = length.parse()?;
    match by <= LONGEST {
        true => Ok(sign * nanos(by)),
        false => Err("more than a year".into()),
    }
}

/// A drift in parts per million, as parts per billion.
fn drift(text: &str) -> Result<i64, String> {
    let ppm = text.strip_suffix("ppm").and_then(|ppm| ppm.parse().ok());
    let ppm = ppm.filter(|ppm: &f64| ppm.is_finite());
    let ppm = ppm.ok_or_else(|| {
        let text = visible(text.as_bytes());
        format!("'{text}' is no drift, such as 100ppm or -20ppm")
    })?;
    match ppm.abs() <= MOST_PPM {
        true => Ok((ppm * 1e3).round() as i64),
        false => Err(format!("more than {MOST_PPM}ppm")),
    }
}

/// `P@WHEN:BY`, or without a process for all.
type Jump = (Option<Vec<ProcessId>>, Duration, i64);

fn jump(text: &str, names: &Names) -> Result<Jump, String> {
    let parts = text.split_once('@').and_then(|(who, rest)| {
        let (at, by) = rest.split_once(':')?;
        Some((who, at, by))
    });
    let (who, at, by) = parts.ok_or("not P@WHEN:BY, such as p2@1s:+500ms")?;
    let who = match who {
        "" => None,
        who => Some(group(who, names)?),
    };
    Ok((who, at.parse::<Period>()?.0, signed(by)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(of: [&str; 3]) -> Result<Clocks, String> {
        let [offset, drift, jump] = of.map(|text| match text {
            "" => Vec::new(),
            text => text.split(' ').map(str::to_owned).collect(),
        });
        Clocks::new(&offset, &drift, &jump, &Names::numbered(3))
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_process_has_its_clock_and_the_flags_give_it_again() {
        let given = clocks([
            "5ms p2,p3=-40ms p3=1m",
            "p1=-12.5ppm",
            "p2@1500ms:+500ms @2s:-1ms",
        ])
        .unwrap();
        let second = Duration::from_secs(1);
        let [p1, p2, p3] = [0, 1, 2].map(|process| given.of(ProcessId(process), 7));
        assert_eq!((p1.origin, p1.offset, p1.drift), (7, 5_000_000, -12_500));
        assert_eq!((p2.offset, p3.offset), (-40_000_000, 60_000_000_000));
        let back = (2 * second, -1_000_000);
        assert_eq!(p2.jumps, [(second * 3 / 2, 500_000_000), back]);
        assert_eq!(p3.jumps, [back]);
        assert_eq!(given.flags(ProcessId(0))[1], "--clock-drift=-12.5ppm");
        // And a command line gives them to all.
        let line = given.command_line(&Names::numbered(3));
        let words: Vec<_> = line.split_whitespace().collect();
        let of = |flag: &str| {
            let pairs = words.chunks(2).filter(|pair| pair[0] == flag);
            pairs.map(|pair| pair[1]).collect::<Vec<_>>().join(" ")
        };
        let of = ["--clock-offset", "--clock-drift", "--clock-jump"].map(of);
        let again = clocks([&of[0], &of[1], &of[2]]).unwrap();
        assert!(
            ProcessId::all(3).all(|it| again.of(it, 0) == given.of(it, 0)),
            "{line}"
        );
        for process in ProcessId::all(3) {
            let flags = given.flags(process);
            let values = |flag: &str| {
                let flags = flags.iter().filter_map(|it| it.strip_prefix(flag));
                flags.collect::<Vec<_>>().join(" ")
            };
            let of = ["--clock-offset=", "--clock-drift=", "--clock-jump="].map(values);
            let again = clocks([&of[0], &of[1], &of[2]]).unwrap();
            assert_eq!(again.of(process, 0), given.of(process, 0));
        }
    }

    #[test]
    fn an_invalid_clock_is_named() {
        for (of, why) in [
            (
                ["p9=1ms", "", ""],
                "--clock-offset p9=1ms: no process is called 'p9'",
            ),
            (
                ["p2=soon", "", ""],
                "--clock-offset p2=soon: 'soon' is no length of time",
            ),
            (
                ["800days", "", ""],
                "--clock-offset 800days: more than a year",
            ),
            (
                ["", "p2=100", ""],
                "--clock-drift p2=100: '100' is no drift, such as 100ppm",
            ),
            (["", "NaNppm", ""], "'NaNppm' is no drift"),
            (["", "1e9ppm", ""], "more than 100000ppm"),
            (["", "", "p2@1s"], "--clock-jump p2@1s: not P@WHEN:BY"),
            (["", "", "p2@1s:x"], "'x' is no length of time"),
        ] {
            let failure = clocks(of).unwrap_err();
            assert!(failure.contains(why), "{failure}");
        }
    }
}
