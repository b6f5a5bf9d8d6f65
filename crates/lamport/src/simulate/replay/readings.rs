//! What the hardware clocks show in a replay: what the log says of it, and not what a clock of the replay would show.

use common::process::{
    Meaning,
    physical::{HardwareClock, Reading, nanos},
};

use super::script::{Script, Scripted};

/// The hardware clock of the process of each event. An input that reads the clock has an event that says what it showed; for one that
/// has none it makes no difference.
pub(super) fn clocks(script: &Script) -> Vec<HardwareClock> {
    let mut next = vec![Reading::default(); script.names.count()];
    let steps = script.steps.iter().rev().map(|step| {
        let Scripted::Event(event) = &step.what else {
            return HardwareClock::default();
        };
        let reading = &mut next[event.process.index()];
        if let Some(Meaning::Clock(clock)) = &event.meaning {
            *reading = clock.reading;
        }
        HardwareClock {
            origin: reading.true_time() - nanos(event.at),
            offset: reading.error,
            ..HardwareClock::default()
        }
    });
    let mut clocks: Vec<_> = steps.collect();
    clocks.reverse();
    clocks
}
