//! The hardware clocks of the nodes, which the lab keeps: what each node has read from its own, and how wrong that was.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use common::process::{
    faults::Clocks,
    ids::ProcessId,
    physical::{HardwareClock, Reading},
};

use super::message::CLOCK_UNIT;

/// How many readings of a node are known, the last ones.
const MOST_READINGS: usize = 4096;

/// The hardware clock of a node.
#[derive(Debug)]
struct Clock {
    hardware: HardwareClock,
    readings: VecDeque<Reading>,
}

/// The hardware clocks of the nodes.
#[derive(Debug)]
pub(super) struct HardwareClocks(Vec<Clock>);

impl HardwareClocks {
    /// The clocks of N nodes.
    pub(super) fn new(clocks: &Clocks, nodes: usize) -> Self {
        let origin = HardwareClock::true_time_at(Instant::now());
        let clock = |process| Clock {
            hardware: clocks.of(process, origin),
            readings: VecDeque::new(),
        };
        Self(ProcessId::all(nodes).map(clock).collect())
    }

    /// A node reads its clock, this long after the start of the run.
    pub(super) fn read(&mut self, node: usize, now: Duration) -> Reading {
        let Clock { hardware, readings } = &mut self.0[node];
        let exact = hardware.reading(now);
        let hardware = exact.hardware.div_euclid(CLOCK_UNIT) * CLOCK_UNIT;
        let reading = Reading {
            hardware,
            error: exact.error - (exact.hardware - hardware),
        };
        if readings.len() == MOST_READINGS {
            readings.pop_front();
        }
        readings.push_back(reading);
        reading
    }

    /// What its clock would show now, if it read it.
    pub(super) fn now(&self, node: usize, now: Duration) -> Reading {
        self.0[node].hardware.reading(now)
    }

    /// What a node has read since this moment of true time.
    pub(super) fn since(&self, node: usize, moment: i64) -> impl Iterator<Item = Reading> {
        let readings = self.0[node].readings.iter().copied();
        readings.filter(move |reading| reading.true_time() >= moment)
    }

    /// The reading of a node at which its clock showed this, in microseconds, if there is one.
    pub(super) fn reading(&self, node: usize, micros: i64) -> Option<Reading> {
        let readings = self.0[node].readings.iter().rev();
        let mut readings = readings.copied();
        readings.find(|reading| reading.hardware / CLOCK_UNIT == micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_read_what_it_has_read() {
        let clocks = Clocks {
            offsets: vec![(ProcessId(1), -40_000_123)],
            ..Clocks::default()
        };
        let mut clocks = HardwareClocks::new(&clocks, 2);
        let one = clocks.read(1, Duration::from_nanos(5_000_999));
        let micros = one.hardware / CLOCK_UNIT;
        assert_eq!(one.hardware % CLOCK_UNIT, 0);
        assert_eq!(clocks.reading(1, micros), Some(one));
        assert_eq!(clocks.reading(1, micros + 1), None);
        assert_eq!(clocks.reading(0, micros), None);
        let right = clocks.read(0, Duration::from_nanos(5_000_999));
        assert!((-999..=0).contains(&right.error), "{right:?}");
        let behind = one.true_time() - right.true_time();
        assert_eq!(behind, 0, "{one:?} {right:?}");
        for number in 0..MOST_READINGS as u64 {
            clocks.read(1, Duration::from_millis(10 + number));
        }
        assert_eq!(clocks.reading(1, micros), None);
    }
}
