//! NTP's clock filter (RFC 5905, section 10): the last samples, of which the best is used.

use smallvec::SmallVec;

use crate::algorithms::time_client::drift;

/// How many samples the clock filter keeps (RFC 5905: NSTAGE).
const SAMPLES: usize = 8;

/// A measurement of the server's clock.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Sample {
    /// How far it is ahead of the hardware clock.
    pub(super) ahead: i64,
    /// How far that may be wrong when it is measured.
    pub(super) bound: i64,
    /// T4.
    pub(super) at: i64,
}

impl Sample {
    /// How far it may be wrong by now.
    pub(super) fn bound(&self, now: i64) -> i64 {
        self.bound + drift(now - self.at)
    }
}

/// The client's last samples, the newest one last.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct ClockFilter(SmallVec<[Sample; 2]>);

impl ClockFilter {
    /// Adds a sample; returns the one that may be wrong by the least now, of several the newest.
    pub(super) fn add(&mut self, newest: Sample) -> Sample {
        if self.0.len() == SAMPLES {
            self.0.remove(0);
        }
        self.0.push(newest);
        let newest_first = self.0.iter().rev();
        let best = newest_first.min_by_key(|sample| sample.bound(newest.at));
        best.copied().unwrap_or(newest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_of_least_delay_is_used_until_it_has_drifted_too_far() {
        const MS: i64 = 1_000_000;
        let mut filter = ClockFilter::default();
        let mut add = |bound: i64, at: i64| {
            let (bound, at) = (bound * MS, at * 1_000 * MS);
            let ahead = at;
            filter.add(Sample { ahead, bound, at }).bound / MS
        };
        assert_eq!([add(5, 0), add(3, 1), add(9, 2)], [5, 3, 3]);
        // In 20 s two clocks may drift apart by 4 ms.
        assert_eq!(add(6, 21), 6);
        // It keeps eight.
        for at in 22..29 {
            assert_eq!(add(8, at), 6);
        }
        assert_eq!(add(8, 29), 8);
    }
}
