//! `time` and `berkeley`: clients have nodes synchronize their clocks, and ask what these show; every node reports by how much it
//! sets its clock. The lab keeps the hardware clocks, and so knows how wrong each clock is; it sees the messages, and so knows which round
//! trips a node can have measured.
//!
//! | module | job |
//! | --- | --- |
//! | `clock` | what the clock of a node shows, and may show |
//! | `exchanges` | the messages of a node to the time server, and back |
//! | `rounds` | the rounds of a coordinator |

mod clock;
mod exchanges;
mod rounds;

use std::time::Duration;

use common::process::{
    Meaning,
    clock::Timestamp,
    faults::Faults,
    ids::ProcessId,
    physical::{ClockAction, ClockEvent, Nanos, Reading},
    property::Property,
    verdict::check::Check,
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use self::{clock::Clock, exchanges::Exchanges, rounds::Rounds};
use crate::{
    algorithms::{berkeley::TOLERANCE, time_client::drift},
    harness::{
        history::{History, Sent},
        message::{Body, CLOCK_UNIT, body, expect_report, found, integer, kind},
        task::{Answer, End, Exchange, Task},
    },
};

/// The time server, or the coordinator.
const FIRST: usize = 0;

/// The share of the requests of a node that synchronizes that ask what its clock shows.
const READS: f64 = 0.4;

/// How much longer a round trip may seem than it was, beside the drift of the clock.
const SLACK: i64 = 1_000_000;

/// The workload.
#[derive(Debug)]
pub(super) struct Time {
    /// The rounds in which all set their clocks; None if the first node is a time server.
    rounds: Option<Rounds>,
    clocks: Vec<Clock>,
    /// The messages of each node to the time server.
    exchanges: Vec<Exchanges>,
    /// How far the clock of the time server was ahead of true time, as it was reported last.
    server: Option<i64>,
    /// The first node that has answered without setting its clock.
    idle: Option<usize>,
}

impl Time {
    /// With a time server.
    pub(super) fn with_server(nodes: usize) -> Self {
        Self {
            rounds: None,
            clocks: vec![Clock::default(); nodes],
            exchanges: vec![Exchanges::default(); nodes],
            server: None,
            idle: None,
        }
    }

    /// In rounds of a coordinator, over a network with these faults.
    pub(super) fn by_rounds(nodes: usize, faults: &Faults) -> Self {
        Self {
            rounds: Some(Rounds::new(nodes, faults)),
            ..Self::with_server(nodes)
        }
    }

    /// Whether the client of this node asks it to synchronize.
    fn synchronizes(&self, node: usize) -> bool {
        self.rounds.is_some() == (node == FIRST)
    }

    /// An event of a node's clock.
    fn event(
        &self,
        history: &mut History,
        at: Duration,
        node: usize,
        (reading, action): (Reading, ClockAction),
    ) {
        let clock = &self.clocks[node];
        let event = ClockEvent {
            round: clock.round,
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
        if !self.clocks[node].is_after_adjustment(reading) {
            return Err("expected a reading since its last adjustment in adjust".to_owned());
        }
        let delay = integer(report, "delay").filter(|delay| *delay >= 0);
        let delay = delay.map(|delay| delay.saturating_mul(CLOCK_UNIT));
        let delay = delay.ok_or_else(|| {
            let found = found(report, &["delay"]);
            format!("expected an integer as delay, 0 or more, in adjust, found {found}")
        })?;
        let longest = match &mut self.rounds {
            Some(rounds) => {
                let round = rounds.named(report)?;
                self.clocks[node].round = round;
                rounds.sets(round, node);
                let passed = rounds.passed(round, reading, self.clocks[FIRST].last);
                passed.min(TOLERANCE)
            }
            None => self.exchanges[node].longest(reading).ok_or(
                "expected adjust after a message to n1, and one from it since, found none",
            )?,
        };
        if delay > longest + SLACK + drift(longest) {
            let why = match self.rounds {
                Some(_) => "an answer that takes longer says too little",
                None => "since it read its clock before it asked n1",
            };
            return Err(format!(
                "expected a delay of at most {}, {why}, found {}",
                Nanos(longest.max(0)),
                Nanos(delay)
            ));
        }
        if self.rounds.is_none() {
            self.compare(history, at, (node, time - reading.true_time()));
        }
        if delay > 0 {
            let offset = time - self.clocks[node].set(reading);
            let sample = ClockAction::Sample { offset, delay };
            self.event(history, at, node, (reading, sample));
        }
        self.clocks[node].adjust(reading, time);
        self.exchanges[node].adjusted(reading);
        let bound = delay / 2 + drift(delay.saturating_add(longest.max(0)));
        let before = self.clocks[node].shown;
        let action = ClockAction::Adjust { before, bound };
        self.event(history, at, node, (reading, action));
        Ok(())
    }

    /// With what a clock is compared that is now so far ahead of true time: with the server's as it was at some moment since the node
    /// asked it, also if the server has not looked, or its clock has jumped.
    fn compare(&mut self, history: &mut History, at: Duration, (node, ahead): (usize, i64)) {
        let since = self.exchanges[node].since();
        let readings = history.clocks.since(FIRST, since);
        let nearest = readings.min_by_key(|reading| (reading.error - ahead).abs());
        let nearest = nearest.unwrap_or_else(|| history.clocks.read(FIRST, at));
        let differs = |server: i64| (server - nearest.error).abs() > SLACK;
        if self.server.is_none_or(differs) {
            self.server = Some(nearest.error);
            self.event(history, at, FIRST, (nearest, ClockAction::Report));
        }
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
        self.event(history, at, node, (reading, ClockAction::Show));
        Ok(())
    }
}

/// A reading that the node has got, and the time that it states for it, in nanoseconds.
fn stated(history: &History, node: usize, body: &Body) -> Result<(Reading, i64), String> {
    let reading = integer(body, "reading").and_then(|it| history.clocks.reading(node, it));
    // No clock is so far from 1970 that a difference of two could overflow.
    let time = integer(body, "time").and_then(|time| time.checked_mul(CLOCK_UNIT));
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
        self.rounds.is_some() || node != FIRST
    }

    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body {
        if !self.synchronizes(node) || random.random_bool(READS) {
            return body("now", []);
        }
        match &mut self.rounds {
            Some(rounds) => body("sync", [("round", rounds.begin().into())]),
            None => body("sync", []),
        }
    }

    fn asked(&mut self, node: usize, request: &Body, _: Timestamp) -> Option<Meaning> {
        match kind(request) {
            "sync" => self.clocks[node].begin(),
            _ => self.clocks[node].asked(),
        }
        None
    }

    fn reads_clock(&mut self, history: &mut History, at: Duration, node: usize, reading: Reading) {
        let begins = self.clocks[node].read(reading);
        let action = match &mut self.rounds {
            Some(rounds) if begins => {
                let round = rounds.number();
                self.clocks[node].round = round;
                let ahead = self.clocks.iter().enumerate();
                let ahead = ahead.map(|(node, clock)| {
                    let now = history.clocks.now(node, at);
                    clock.set(now) - now.true_time()
                });
                rounds.polls(reading, ahead.collect());
                Some(ClockAction::Poll)
            }
            Some(rounds) => {
                // It is polled.
                let round = rounds.number();
                let is_first = std::mem::replace(&mut self.clocks[node].round, round) < round;
                is_first.then_some(ClockAction::Report)
            }
            None if begins => {
                self.clocks[node].round += 1;
                Some(ClockAction::Poll)
            }
            None if node == FIRST => {
                self.server = Some(reading.error);
                Some(ClockAction::Report)
            }
            None => None,
        };
        if let Some(action) = action {
            self.event(history, at, node, (reading, action));
        }
    }

    fn sent(&mut self, _: &mut History, _: Duration, sent: &Sent, _: &Body) -> Result<(), String> {
        let from = sent.from.index();
        if sent.to.index() == FIRST {
            let last = self.clocks[from].last;
            self.exchanges[from].asked(last);
        }
        Ok(())
    }

    fn arrived(&mut self, sent: &Sent) {
        if sent.from.index() == FIRST {
            self.exchanges[sent.to.index()].answered();
        }
    }

    fn answered(
        &mut self,
        history: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let node = exchange.node;
        let Answer::Ok(reply, _) = exchange.answer else {
            return Ok(());
        };
        if kind(exchange.request) == "now" {
            return self.show(history, at, node, reply);
        }
        let waits = self.clocks[node].waits();
        match &mut self.rounds {
            Some(rounds) => {
                rounds.ends();
                if waits {
                    let reading = history.clocks.now(node, at);
                    self.event(history, at, node, (reading, ClockAction::Keep));
                }
            }
            None if waits => {
                self.idle.get_or_insert(node);
            }
            None => {}
        }
        Ok(())
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

    /// A node that does not set its clock is never wrong about it.
    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let idle = match (&self.rounds, self.idle) {
            (Some(rounds), _) => rounds.left_out(end),
            (None, Some(node)) => {
                let name = end.name(node);
                Some(format!(
                    "{name} has answered sync without setting its clock"
                ))
            }
            (None, None) => None,
        };
        let check = |found| Check::unfulfilled(Property::Synchronized, found);
        idle.into_iter().map(check).collect()
    }
}
