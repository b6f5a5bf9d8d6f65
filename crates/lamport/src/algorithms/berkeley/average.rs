//! The fault-tolerant average of the Berkeley algorithm: of the clocks that agree.

/// How far clocks that agree may differ, in nanoseconds. An answer with a longer round trip says too little.
pub const TOLERANCE: i64 = 100_000_000;

/// What the clocks are to agree on: the average of those that agree, if they are a majority of all processes; with the bug that of all.
pub(super) fn agreed(clocks: &[(i64, i64)], processes: usize, takes_all: bool) -> Option<i64> {
    if takes_all {
        let sum: i128 = clocks.iter().map(|(ahead, _)| i128::from(*ahead)).sum();
        return Some((sum / clocks.len() as i128) as i64);
    }
    let (average, count) = average(clocks);
    (2 * count > processes).then_some(average)
}

/// The average of the largest set of clocks that agree within the tolerance, as far as their bounds let that be known, and how many
/// they are.
fn average(clocks: &[(i64, i64)]) -> (i64, usize) {
    let of_set = |first: &(i64, i64)| {
        // The set whose earliest clock could be this one at the latest.
        let latest = first.0 + first.1;
        let agree = clocks.iter().filter(|(ahead, bound)| {
            ahead + bound >= latest && ahead - bound - latest <= TOLERANCE
        });
        let (sum, count) = agree.fold((0_i128, 0), |(sum, count), (ahead, _)| {
            (sum + i128::from(*ahead), count + 1)
        });
        ((sum / i128::from(count.max(1))) as i64, count as usize)
    };
    let sets = clocks.iter().map(of_set);
    sets.rev().max_by_key(|(_, count)| *count).unwrap_or((0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn the_largest_set_of_clocks_that_agree_is_averaged() {
        let clocks =
            |ahead: &[i64]| -> Vec<_> { ahead.iter().map(|ahead| (ahead * MS, 0)).collect() };
        for (ahead, expected) in [
            (&[0][..], (0, 1)),
            (&[0, 30], (15, 2)),
            (&[0, 30, 60_000], (15, 2)),
            (&[0, 60_000, 60_020], (60_010, 2)),
            (&[0, -60_000, 60_000], (0, 1)),
            (&[0, 90, 180, 190, 195], (153, 3)),
        ] {
            let (average, count) = average(&clocks(ahead));
            assert_eq!((average / MS, count), expected, "{ahead:?}");
        }
        // 20 ms more than the tolerance, but each may be 10 ms wrong.
        let unsure = [(0, 10 * MS), (120 * MS, 10 * MS)];
        assert_eq!(average(&unsure), (60 * MS, 2));
    }
}
