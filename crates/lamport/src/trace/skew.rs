//! Wall clocks of several machines that contradict the order of events, and the smallest correction that mends it.
//!
//! A message that was sent at `s` by one clock and received at `r` by another demands of the corrections of both
//! `r + c(receiver) >= s + c(sender)`. Of such differences the least corrections are the longest paths (Bellman and
//! Ford); where a circle demands more than nothing, no constant correction helps: a clock was set in between.

use super::{EventId, Trace, findings::Severity, matching::Links};
use crate::property::Property;
use hashbrown::HashMap;

/// A link that the clocks contradict.
struct Demand {
    from: usize,
    to: usize,
    /// By how much they must come nearer, in microseconds, at least; less than nothing where there is time to spare.
    least: i64,
    /// The events that demand it.
    by: (EventId, EventId),
}

/// Looks for messages that were received before they were sent, by the clocks. How many were compared.
pub fn check(trace: &mut Trace, links: &Links) -> u64 {
    let mut compared = 0;
    let mut backwards = 0_u64;
    let mut demands: HashMap<(usize, usize), Demand> = HashMap::new();
    for link in links.all() {
        let (from, to) = (&trace.events[link.from], &trace.events[link.to]);
        let (Some(sent), Some(received)) = (from.time, to.time) else {
            continue;
        };
        // What was inferred may not be so.
        if from.process == to.process || link.inferred {
            continue;
        }
        compared += 1;
        let least = sent.saturating_sub(received);
        backwards += u64::from(least > 0);
        let key = (from.process as usize, to.process as usize);
        let demand = demands.entry(key).or_insert(Demand {
            from: key.0,
            to: key.1,
            least,
            by: (link.from, link.to),
        });
        if demand.least < least {
            demand.least = least;
            demand.by = (link.from, link.to);
        }
    }
    if backwards == 0 {
        return compared;
    }
    let mut demands: Vec<_> = demands.into_values().collect();
    demands.sort_by_key(|demand| (demand.from, demand.to));
    for demand in demands.iter().filter(|demand| demand.least > 0) {
        let (there, here) = (trace.place_of(demand.by.0), trace.place_of(demand.by.1));
        let early = length(demand.least);
        trace.findings.add(Property::Wall, Severity::Warn, || {
            format!("{here}: received {early} before it was sent at {there}, by the clocks")
        });
    }
    let words = match corrections(trace.processes.len(), &demands) {
        Some(corrections) => {
            let mended = corrections.iter().enumerate().filter(|(_, by)| **by != 0);
            let mended: Vec<_> = mended
                .map(|(process, by)| {
                    let name = &trace.processes[process].name;
                    let (sign, by) = if *by < 0 { ('-', -by) } else { ('+', *by) };
                    format!("{sign}{} for {name}", length(by))
                })
                .collect();
            format!(
                "the smallest correction that mends it: {}",
                mended.join(", ")
            )
        }
        None => "no constant correction mends it: a clock was set in between".to_owned(),
    };
    trace.findings.remark(Property::Wall, words);
    compared
}

/// How much each clock must be put on or back; None if no such numbers will do. Only differences count, so all are moved
/// by what leaves most of the clocks as they are, or nearly so: the median.
fn corrections(processes: usize, demands: &[Demand]) -> Option<Vec<i64>> {
    let demands = demands.iter().map(|it| (it.from, it.to, it.least));
    let mut corrections = least(processes, demands)?;
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
    demands: impl Iterator<Item = (usize, usize, i64)> + Clone,
) -> Option<Vec<i64>> {
    let mut corrections = vec![0; processes];
    // After as many rounds as there are processes a path that still grows goes in a circle.
    for _ in 0..=processes {
        let mut grew = false;
        for (from, to, least) in demands.clone() {
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

/// A length of time in words, to the microsecond: a correction that is rounded would not do.
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

    fn demand((from, to, least): (usize, usize, i64)) -> Demand {
        Demand {
            from,
            to,
            least,
            by: (0, 0),
        }
    }

    #[test]
    fn the_clock_that_is_wrong_is_put_right() {
        // Messages take 1; process 1 is 10 behind.
        let demands = [
            (0, 1, 9),
            (1, 0, -11),
            (0, 2, -1),
            (2, 0, -1),
            (2, 1, 9),
            (1, 2, -11),
        ];
        let demands = demands.map(demand);
        assert_eq!(corrections(3, &demands), Some(vec![0, 9, 0]));
    }

    #[test]
    fn one_that_is_ahead_is_put_back() {
        let demands = [
            (0, 1, 9),
            (1, 0, -11),
            (0, 2, 9),
            (2, 0, -11),
            (1, 2, -1),
            (2, 1, -1),
        ];
        let demands = demands.map(demand);
        assert_eq!(corrections(3, &demands), Some(vec![-9, 0, 0]));
    }

    #[test]
    fn one_ahead_and_one_behind_are_put_right_and_the_others_left() {
        let skews: [i64; 5] = [10, 0, 0, -10, 0];
        let mut demands = Vec::new();
        for (from, ahead) in skews.iter().enumerate() {
            for (to, other) in skews.iter().enumerate().filter(|(to, _)| *to != from) {
                // Every message takes 1.
                demands.push(demand((from, to, ahead - other - 1)));
            }
        }
        let found = corrections(5, &demands).unwrap();
        assert!(found[0] < -7 && found[3] > 7, "{found:?}");
        assert!(
            [1, 2, 4].iter().all(|it| found[*it].abs() <= 1),
            "{found:?}"
        );
    }

    #[test]
    fn a_clock_that_was_set_in_between_is_beyond_repair() {
        assert_eq!(corrections(2, &[(0, 1, 9), (1, 0, 1)].map(demand)), None);
    }

    #[test]
    fn corrections_add_up_along_a_way() {
        let demands = [(0, 1, 5), (1, 2, 5), (2, 0, -20)].map(demand);
        assert_eq!(corrections(3, &demands), Some(vec![-5, 0, 5]));
    }
}
