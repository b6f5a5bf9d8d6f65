//! Wall clocks of several machines that contradict happened-before, and the smallest corrections.
//!
//! A message that was sent at `s` by one clock and received at `r` by another is a constraint on the corrections of both:
//! `r + c(receiver) >= s + c(sender)`. The least solution of such difference constraints are the longest paths (Bellman and
//! Ford). If a cycle is positive, no constant correction exists: a clock drifted or was set during the run.

use common::process::property::Property;
use hashbrown::HashMap;

use super::{EventId, Trace, findings::Severity, matching::Links};

/// A constraint on the difference of two corrections.
#[derive(Debug)]
struct Constraint {
    from: usize,
    to: usize,
    /// The least difference, in microseconds; negative if the receive is later than the send.
    least: i64,
    /// The send and the receive.
    by: (EventId, EventId),
}

/// Compares the wall-clock times of sends and receives.
#[derive(Debug, Default)]
pub struct Skew {
    compared: u64,
    backwards: u64,
    /// By sender and receiver.
    constraints: HashMap<(u32, u32), Constraint>,
}

impl Skew {
    /// The next event.
    pub fn see(&mut self, trace: &Trace, links: &Links, event: EventId) {
        let to = &trace.events[event];
        for link in links.to(event) {
            let from = &trace.events[link.from];
            let (Some(sent), Some(received)) = (from.time, to.time) else {
                continue;
            };
            // An inferred link may be wrong.
            if from.process == to.process || link.inferred {
                continue;
            }
            self.compared += 1;
            let least = sent.saturating_sub(received);
            self.backwards += u64::from(least > 0);
            let key = (from.process, to.process);
            let constraint = self.constraints.entry(key).or_insert(Constraint {
                from: from.process as usize,
                to: to.process as usize,
                least,
                by: (link.from, link.to),
            });
            if constraint.least < least {
                constraint.least = least;
                constraint.by = (link.from, link.to);
            }
        }
    }

    /// Reports messages that were received before they were sent, by the wall clocks. Returns how many were compared.
    pub fn report(self, trace: &mut Trace) -> u64 {
        if self.backwards == 0 {
            return self.compared;
        }
        let mut constraints: Vec<_> = self.constraints.into_values().collect();
        constraints.sort_by_key(|constraint| (constraint.from, constraint.to));
        for constraint in constraints.iter().filter(|constraint| constraint.least > 0) {
            let (there, here) = (
                trace.place_of(constraint.by.0),
                trace.place_of(constraint.by.1),
            );
            let early = length(constraint.least);
            trace.findings.add(Property::Wall, Severity::Warn, || {
                format!("{here}: received {early} before it was sent at {there}, by the clocks")
            });
        }
        let words = match corrections(trace.processes.len(), &constraints) {
            Some(corrections) => {
                let changed = corrections.iter().enumerate().filter(|(_, by)| **by != 0);
                let changed: Vec<_> = changed
                    .map(|(process, by)| {
                        let name = &trace.processes[process].name;
                        let (sign, by) = if *by < 0 { ('-', -by) } else { ('+', *by) };
                        format!("{sign}{} for {name}", length(by))
                    })
                    .collect();
                format!("smallest correction: {}", changed.join(", "))
            }
            None => "no constant correction exists: a clock drifted or was set during the run"
                .to_owned(),
        };
        trace.findings.remark(Property::Wall, words);
        self.compared
    }
}

/// The correction of each clock; None if none exists. Only differences matter, so the median is subtracted from all of them:
/// most clocks then need no correction, or a small one.
fn corrections(processes: usize, constraints: &[Constraint]) -> Option<Vec<i64>> {
    let constraints = constraints
        .iter()
        .map(|constraint| (constraint.from, constraint.to, constraint.least));
    let mut corrections = least(processes, constraints)?;
    let mut sorted = corrections.clone();
    sorted.sort_unstable();
    let median = sorted.get(processes.saturating_sub(1) / 2).copied();
    for correction in &mut corrections {
        *correction -= median.unwrap_or(0);
    }
    Some(corrections)
}

fn least(
    processes: usize,
    constraints: impl Iterator<Item = (usize, usize, i64)> + Clone,
) -> Option<Vec<i64>> {
    let mut corrections = vec![0; processes];
    // A path that still grows after as many rounds as there are processes contains a cycle.
    for _ in 0..=processes {
        let mut grew = false;
        for (from, to, least) in constraints.clone() {
            let needed = i64::saturating_add(corrections[from], least);
            if corrections[to] < needed {
                corrections[to] = needed;
                grew = true;
            }
        }
        if !grew {
            return Some(corrections);
        }
    }
    None
}

/// A duration in words, to the microsecond: a rounded correction would not satisfy the constraints.
pub(super) fn length(by: i64) -> String {
    let by = by.unsigned_abs();
    match by {
        0..1000 => format!("{by} µs"),
        1000..1_000_000 => format!("{} ms", by as f64 / 1e3),
        _ => format!("{} s", by as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constraint((from, to, least): (usize, usize, i64)) -> Constraint {
        Constraint {
            from,
            to,
            least,
            by: (0, 0),
        }
    }

    #[test]
    fn a_clock_that_is_behind_is_corrected() {
        // Messages take 1; process 1 is 10 behind.
        let constraints = [
            (0, 1, 9),
            (1, 0, -11),
            (0, 2, -1),
            (2, 0, -1),
            (2, 1, 9),
            (1, 2, -11),
        ];
        let constraints = constraints.map(constraint);
        assert_eq!(corrections(3, &constraints), Some(vec![0, 9, 0]));
    }

    #[test]
    fn a_clock_that_is_ahead_is_corrected() {
        let constraints = [
            (0, 1, 9),
            (1, 0, -11),
            (0, 2, 9),
            (2, 0, -11),
            (1, 2, -1),
            (2, 1, -1),
        ];
        let constraints = constraints.map(constraint);
        assert_eq!(corrections(3, &constraints), Some(vec![-9, 0, 0]));
    }

    #[test]
    fn one_clock_ahead_and_one_behind_are_corrected_and_the_others_are_not() {
        let skews: [i64; 5] = [10, 0, 0, -10, 0];
        let mut constraints = Vec::new();
        for (from, ahead) in skews.iter().enumerate() {
            for (to, other) in skews.iter().enumerate().filter(|(to, _)| *to != from) {
                // Every message takes 1.
                constraints.push(constraint((from, to, ahead - other - 1)));
            }
        }
        let found = corrections(5, &constraints).unwrap();
        assert!(found[0] < -7 && found[3] > 7, "{found:?}");
        assert!(
            [1, 2, 4].iter().all(|process| found[*process].abs() <= 1),
            "{found:?}"
        );
    }

    #[test]
    fn a_clock_that_was_set_during_the_run_has_no_correction() {
        assert_eq!(
            corrections(2, &[(0, 1, 9), (1, 0, 1)].map(constraint)),
            None
        );
    }

    #[test]
    fn corrections_add_up_along_a_path() {
        let constraints = [(0, 1, 5), (1, 2, 5), (2, 0, -20)].map(constraint);
        assert_eq!(corrections(3, &constraints), Some(vec![-5, 0, 5]));
    }
}
