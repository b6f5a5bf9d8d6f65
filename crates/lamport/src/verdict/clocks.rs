//! What holds for every algorithm: the clocks, and the channels.

use common::text::plural;

use super::{Case, Check, Judge, causality::Knowledge};
use crate::happening::{Happening, What};

/// The clock condition, and channels that lose, double and overtake nothing.
#[derive(Debug)]
pub(super) struct Clocks {
    /// Each process's last event and its time.
    last: Vec<Option<(usize, u64)>>,
    /// The number of the last message from each to each, and where it was received.
    channels: Vec<(u64, usize)>,
    /// Messages that were sent and received.
    pairs: u64,
    clock_broken: Option<((usize, usize), &'static str)>,
    channel_broken: Option<((usize, usize), &'static str)>,
}

impl Clocks {
    pub(super) fn new(processes: usize) -> Self {
        Self {
            last: vec![None; processes],
            channels: vec![(0, 0); processes * processes],
            pairs: 0,
            clock_broken: None,
            channel_broken: None,
        }
    }
}

impl Judge for Clocks {
    fn see(&mut self, place: usize, happening: &Happening, case: &Case<'_>, known: &Knowledge) {
        let me = happening.process.index();
        if let Some((before, time)) = self.last[me]
            && time >= happening.time
        {
            let so = "a clock must move from one event to the next";
            self.clock_broken.get_or_insert(((before, place), so));
        }
        self.last[me] = Some((place, happening.time));
        let What::Receive { from, number, .. } = happening.what else {
            return;
        };
        let channel = &mut self.channels[from.index() * self.last.len() + me];
        let (before, number_before) = (channel.1, channel.0);
        if number <= number_before {
            let so = "a message comes once, and none overtakes another";
            self.channel_broken.get_or_insert(((before, place), so));
        }
        *channel = (number, place);
        match known.sending() {
            Some(sending) => {
                self.pairs += 1;
                if case.happenings[sending].time >= happening.time {
                    let so = "a message must be received at a later time than it was sent at";
                    self.clock_broken.get_or_insert(((sending, place), so));
                }
            }
            None if case.gone.contains(&from) => {}
            None => {
                let so = "nobody sent it";
                self.channel_broken.get_or_insert(((place, place), so));
            }
        }
    }

    fn conclude(self: Box<Self>, case: &Case<'_>) -> Vec<Check> {
        let pairs = plural(self.pairs, "message pair");
        let clock = match self.clock_broken {
            Some((events, so)) => Check::broken(case, "clock condition", events, so),
            None => Check::good("clock condition", format!("held for all {pairs}")),
        };
        let channels = match self.channel_broken {
            Some((events, so)) => Check::broken(case, "channels", events, so),
            None => Check::good(
                "channels",
                "every message came at most once, and in the order of sending".into(),
            ),
        };
        vec![clock, channels]
    }
}
