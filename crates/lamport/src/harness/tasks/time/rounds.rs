//! The rounds of a coordinator, in which all nodes set their clocks.

use common::process::{
    faults::Faults,
    physical::{Reading, nanos},
};

use crate::{
    algorithms::berkeley::TOLERANCE,
    harness::{
        message::{Body, found, number},
        task::End,
    },
};

/// A round.
#[derive(Clone, Debug)]
struct Round {
    /// The coordinator's first reading in it.
    since: Option<Reading>,
    /// Whether a majority of the clocks agreed when it began.
    agrees: bool,
    /// Whether the coordinator has ended it.
    is_over: bool,
    /// The nodes that have set their clocks in it.
    set: Vec<bool>,
}

/// The rounds, the first one with the number 1.
#[derive(Debug)]
pub(super) struct Rounds {
    nodes: usize,
    rounds: Vec<Round>,
    /// Whether every message arrives in time: then every round can have all nodes.
    is_certain: bool,
}

impl Rounds {
    pub(super) fn new(nodes: usize, faults: &Faults) -> Self {
        let slow = faults.slow.iter().map(|slow| slow.by).max();
        let long = 2 * (faults.delay.long() + slow.unwrap_or_default());
        let loses = faults.loss != Default::default() || !faults.partitions.is_empty();
        Self {
            nodes,
            rounds: Vec::new(),
            is_certain: !loses && faults.crashes.is_empty() && nanos(long) <= TOLERANCE / 2,
        }
    }

    /// A client asks for the next one; returns its number.
    pub(super) fn begin(&mut self) -> u32 {
        self.rounds.push(Round {
            since: None,
            agrees: false,
            is_over: false,
            set: vec![false; self.nodes],
        });
        self.number()
    }

    /// The number of the present one; 0 before the first.
    pub(super) fn number(&self) -> u32 {
        self.rounds.len() as u32
    }

    /// The coordinator begins it at this reading, when the clocks are so far ahead of true time.
    pub(super) fn polls(&mut self, reading: Reading, mut ahead: Vec<i64>) {
        ahead.sort_unstable();
        let majority = ahead.len() / 2 + 1;
        let mut sets = ahead.windows(majority);
        if let Some(round) = self.rounds.last_mut() {
            round.since.get_or_insert(reading);
            // Those that are hardly within the tolerance may not seem so.
            round.agrees = sets.any(|set| set[majority - 1] - set[0] <= TOLERANCE * 9 / 10);
        }
    }

    /// The present round ends.
    pub(super) fn ends(&mut self) {
        if let Some(round) = self.rounds.last_mut() {
            round.is_over = true;
        }
    }

    /// The round that a report names: the present one, or that before, whose messages may be late.
    ///
    /// # Errors
    /// When it is another one.
    pub(super) fn named(&self, report: &Body) -> Result<u32, String> {
        let present = self.number();
        let round = number(report, "round").and_then(|round| u32::try_from(round).ok());
        let near = round.filter(|round| (present.max(2) - 1..=present).contains(round));
        near.ok_or_else(|| {
            let found = found(report, &["round"]);
            format!(
                "expected the present round, {present}, or the one before, in adjust, found {found}"
            )
        })
    }

    /// A node sets its clock in this round.
    pub(super) fn sets(&mut self, round: u32, node: usize) {
        if let Some(round) = self.rounds.get_mut(round as usize - 1) {
            round.set[node] = true;
        }
    }

    /// How much time has passed since this round began, until this reading; by the coordinator's clock, too, which may have jumped.
    pub(super) fn passed(&self, round: u32, end: Reading, coordinators: Reading) -> i64 {
        let round = self.rounds.get(round as usize - 1);
        let since = round.and_then(|round| round.since);
        let passed = since.map_or(0, |since| {
            let passed = end.true_time() - since.true_time();
            passed.max(coordinators.hardware - since.hardware)
        });
        passed.max(0)
    }

    /// The nodes whose clocks were set in less than half of the rounds in which a majority agreed, in words; a network that loses
    /// messages may be the cause.
    pub(super) fn left_out(&self, end: &End<'_>) -> Option<String> {
        let rounds = self.rounds.iter().filter(|it| it.agrees && it.is_over);
        let rounds: Vec<_> = rounds.collect();
        let set = |node: usize| rounds.iter().filter(|round| round.set[node]).count();
        let all: Vec<usize> = (0..self.nodes).collect();
        let few = end.of_those_up(&all);
        let few = few.map(|(node, _)| (node, set(node)));
        let few = few.filter(|(_, count)| 2 * count < rounds.len());
        let words = few.map(|(node, count)| {
            let (name, all) = (end.name(node), rounds.len());
            format!("the clock of {name} in {count} of {all}")
        });
        let words: Vec<_> = words.collect();
        let is_right = !self.is_certain || words.is_empty();
        (!is_right).then(|| format!("rounds in which a majority agreed: {}", words.join(", ")))
    }
}
