//! Wall clocks of several machines that contradict the order of events, and the smallest correction that mends it.
//!
//! A message that was sent at `s` by one clock and received at `r` by another demands of the corrections of both
//! `r + c(receiver) >= s + c(sender)`. Of such differences the least corrections are the longest paths (Bellman and
//! Ford); where a circle demands more than nothing, no constant correction helps: a clock was set in between.

use common::text::micros;

use super::{
    EventId, Trace,
    findings::{Rule, Weight},
    matching::Links,
};
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
        if from.process == to.process {
            continue;
        }
        compared += 1;
        let least = sent - received;
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
        trace.findings.add(Rule::Wall, Weight::Warn, || {
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
    trace.findings.remark(Rule::Wall, words);
    compared
}

/// How much each clock must be put on or back; None if no such numbers will do. Either only clocks that are behind are
/// put on, or only those that are ahead put back, whichever moves them less in all.
fn corrections(processes: usize, demands: &[Demand]) -> Option<Vec<i64>> {
    let forward = least(
        processes,
        demands.iter().map(|it| (it.from, it.to, it.least)),
    )?;
    let backward = least(
        processes,
        demands.iter().map(|it| (it.to, it.from, it.least)),
    )?;
    if backward.iter().sum::<i64>() < forward.iter().sum() {
        return Some(backward.into_iter().map(|by| -by).collect());
    }
    Some(forward)
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
            let needed = corrections[from] + least;
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

/// A length of time in words.
pub(super) fn length(by: i64) -> String {
    micros(by.unsigned_abs())
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
    fn a_clock_that_was_set_in_between_is_beyond_repair() {
        assert_eq!(corrections(2, &[(0, 1, 9), (1, 0, 1)].map(demand)), None);
    }

    #[test]
    fn corrections_add_up_along_a_way() {
        let demands = [(0, 1, 5), (1, 2, 5), (2, 0, -20)].map(demand);
        assert_eq!(corrections(3, &demands), Some(vec![0, 5, 10]));
    }
}
