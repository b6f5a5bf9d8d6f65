//! `time` and `berkeley`: clients have nodes synchronize their clocks, and ask what these show; every node reports by how much it
//! sets its clock. The lab keeps the hardware clocks, and so knows how wrong each clock is.

mod clock;

use std::time::Duration;

use common::process::{
    Meaning,
    clock::Timestamp,
    faults::Faults,
    ids::ProcessId,
    physical::{ClockAction, ClockEvent, Nanos, Reading, nanos},
    property::Property,
    verdict::check::Check,
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use self::clock::Clock;
use crate::{
    algorithms::{berkeley::TOLERANCE, time_client::drift},
    harness::{
        clocks::UNIT,
        history::History,
        message::{Body, body, expect_report, found, kind},
        task::{Answer, End, Exchange, Task},
    },
};

/// The time server, or the coordinator.
const FIRST: usize = 0;

/// The share of the requests of a node that synchronizes that ask what its clock shows.
const READS: f64 = 0.4;

/// How much longer a round trip may seem than the time since the request, beside the drift of the clock.
const SLACK: i64 = 1_000_000;

/// The workload.
#[derive(Debug)]
pub(super) struct Time {
    /// Whether the first node begins rounds in which all set their clocks, and is no time server.
    by_rounds: bool,
    clocks: Vec<Clock>,
    /// How often each node was asked to synchronize.
    asked: Vec<u32>,
    /// The coordinator's reading when each round began.
    rounds: Vec<Reading>,
    /// Whether answers may take so long that a coordinator does not use them.
    is_slow: bool,
    /// When the time server read its clock last, in true time.
    read_at: Option<i64>,
}

impl Time {
    /// With these faults of the network.
    pub(super) fn new(nodes: usize, by_rounds: bool, faults: &Faults) -> Self {
        let slow = faults.slow.iter().map(|slow| slow.by).max();
        let long = 2 * (faults.delay.long() + slow.unwrap_or_default());
        Self {
            by_rounds,
            clocks: vec![Clock::default(); nodes],
            asked: vec![0; nodes],
            rounds: Vec::new(),
            is_slow: nanos(long) > TOLERANCE,
            read_at: None,
        }
    }

    /// Whether the client of this node asks it to synchronize.
    fn synchronizes(&self, node: usize) -> bool {
        self.by_rounds == (node == FIRST)
    }

    /// An event of a node's clock.
    fn event(
        &self,
        history: &mut History,
        at: Duration,
        node: usize,
        (round, reading, action): (u32, Reading, ClockAction),
    ) {
        let clock = &self.clocks[node];
        let event = ClockEvent {
            round,
            action,
            reading,
            set: clock.set(reading),
            shown: clock.shown,
        };
        history.local(at, ProcessId::at(node), Meaning::Clock(Box::new(event)));
    }

    /// A node sets its clock.
    fn adjust(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        report: &Body,
    ) -> Result<(), String> {
        let (reading, time) = stated(history, node, report)?;
        let delay = integer(report, "delay").filter(|delay| *delay >= 0);
        let delay = delay.map(|delay| delay.saturating_mul(UNIT));
        let round = match self.by_rounds {
            false => Some(self.clocks[node].round),
            true => integer(report, "round")
                .and_then(|round| u32::try_from(round).ok())
                .filter(|round| (1..=self.rounds.len()).contains(&(*round as usize))),
        };
        let (Some(delay), Some(round)) = (delay, round) else {
            let (what, fields): (_, &[_]) = match self.by_rounds {
                true => (
                    "an integer as delay, and a round that has begun",
                    &["delay", "round"],
                ),
                false => ("an integer as delay, 0 or more,", &["delay"]),
            };
            let found = found(report, fields);
            return Err(format!("expected {what} in adjust, found {found}"));
        };
        let since = match self.by_rounds {
            true => self.rounds[round as usize - 1],
            false => self.clocks[node].asked(),
        };
        // The clock by which it was measured may have jumped.
        let by_clock = match self.by_rounds {
            true => self.clocks[FIRST].last,
            false => reading,
        };
        let passed = reading.true_time() - since.true_time();
        let passed = passed.max(by_clock.hardware - since.hardware);
        if delay > passed + SLACK + drift(passed) {
            return Err(format!(
                "expected a delay of at most {}, the time since it was asked to synchronize, found {}",
                Nanos(passed.max(0)),
                Nanos(delay)
            ));
        }
        if !self.by_rounds && self.read_at < Some(since.true_time()) {
            // Whoever has not asked the server is compared with it all the same.
            let reading = history.clocks.read(FIRST, at);
            self.reads_clock(history, at, FIRST, reading);
        }
        let bound = delay / 2 + drift(delay.saturating_add(passed.max(0)));
        if delay > 0 {
            let offset = time - self.clocks[node].set(reading);
            let sample = ClockAction::Sample { offset, delay };
            self.event(history, at, node, (round, reading, sample));
        }
        let clock = &mut self.clocks[node];
        clock.adjust(reading, time);
        let before = clock.shown;
        let action = ClockAction::Adjust { before, bound };
        self.event(history, at, node, (round, reading, action));
        Ok(())
    }

    /// A node says what its clock shows.
    fn show(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        reply: &Body,
    ) -> Result<(), String> {
        let (reading, time) = stated(history, node, reply)?;
        self.clocks[node].show(reading, time)?;
        let round = self.clocks[node].round;
        self.event(history, at, node, (round, reading, ClockAction::Show));
        Ok(())
    }

    /// Whether a majority of the hardware clocks agrees, as far as the lab has seen them.
    fn agrees(&self) -> bool {
        let mut errors: Vec<_> = self.clocks.iter().map(|it| it.last.error).collect();
        errors.sort_unstable();
        let majority = self.clocks.len() / 2 + 1;
        let mut sets = errors.windows(majority);
        // Those that are hardly within the tolerance may not seem so.
        sets.any(|set| set[majority - 1] - set[0] <= TOLERANCE * 9 / 10)
    }
}

/// An integer with a sign.
fn integer(body: &Body, name: &str) -> Option<i64> {
    body.get(name).and_then(Value::as_i64)
}

/// A reading that the node has got, and the time that it states for it, in nanoseconds.
fn stated(history: &History, node: usize, body: &Body) -> Result<(Reading, i64), String> {
    let reading = integer(body, "reading").and_then(|it| history.clocks.reading(node, it));
    // No clock is so far from 1970 that a difference of two could overflow.
    let time = integer(body, "time").and_then(|time| time.checked_mul(UNIT));
    let time = time.filter(|time| time.unsigned_abs() < 1 << 61);
    match (reading, time) {
        (Some(reading), Some(time)) => Ok((reading, time)),
        _ => Err(format!(
            "expected as reading what the clock has shown this node, and as time microseconds since 1970, in {}, found {}",
            kind(body),
            found(body, &["reading", "time"])
        )),
    }
}

impl Task for Time {
    fn asks(&self, node: usize) -> bool {
        // The clock of a time server is its hardware clock.
        self.by_rounds || node != FIRST
    }

    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body {
        if !self.synchronizes(node) || random.random_bool(READS) {
            return body("now", []);
        }
        self.asked[node] += 1;
        match self.by_rounds {
            true => body("sync", [("round", self.asked[node].into())]),
            false => body("sync", []),
        }
    }

    fn asked(&mut self, node: usize, request: &Body, _: Timestamp) -> Option<Meaning> {
        if kind(request) == "sync" {
            self.clocks[node].begin();
        }
        None
    }

    fn reads_clock(&mut self, history: &mut History, at: Duration, node: usize, reading: Reading) {
        let begins = self.clocks[node].read(reading);
        let action = if begins {
            self.clocks[node].round = self.asked[node];
            if self.by_rounds {
                self.rounds.push(reading);
            }
            Some(ClockAction::Poll)
        } else if self.by_rounds {
            // It is polled.
            let round = self.rounds.len() as u32;
            let is_first = std::mem::replace(&mut self.clocks[node].round, round) < round;
            is_first.then_some(ClockAction::Report)
        } else {
            let is_server = node == FIRST;
            if is_server {
                self.read_at = Some(reading.true_time());
            }
            is_server.then_some(ClockAction::Report)
        };
        if let Some(action) = action {
            let round = self.clocks[node].round;
            self.event(history, at, node, (round, reading, action));
        }
    }

    fn answered(
        &mut self,
        history: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let node = exchange.node;
        match (exchange.answer, kind(exchange.request)) {
            (Answer::Ok(reply, _), "now") => self.show(history, at, node, reply),
            (Answer::Ok(..), _) if self.by_rounds && self.clocks[node].waits() => {
                let reading = history.clocks.read(node, at);
                let round = self.clocks[node].round;
                self.event(history, at, node, (round, reading, ClockAction::Keep));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        report: &Body,
    ) -> Result<bool, String> {
        expect_report(report, &["adjust"])?;
        self.adjust(history, at, node, report)?;
        Ok(true)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        self.conclude(end).is_empty()
    }

    /// A node that never sets its clock is never wrong about it.
    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let is_due = |node: usize| match self.by_rounds {
            true => !self.rounds.is_empty() && !self.is_slow && self.agrees(),
            false => self.asked[node] > 0,
        };
        let never = end.of_those_up(&self.clocks);
        let never = never.filter(|(node, clock)| clock.is_never_set() && is_due(*node));
        let names: Vec<_> = never.map(|(node, _)| end.name(node)).collect();
        match names.as_slice() {
            [] => Vec::new(),
            names => vec![Check::unfulfilled(
                Property::Synchronized,
                format!("never set: the clock of {}", names.join(", ")),
            )],
        }
    }
}
