//! `commit`: the client of the first node, the coordinator, begins transactions, and the clients of the others say how these are to
//! vote; every node reports its vote and its decision.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use common::process::{Meaning, Outcome, clock::Timestamp, ids::ProcessId, verdict::check::Check};
use rand_pcg::Pcg64Mcg;

use crate::{
    algorithms::commitment::{COORDINATOR, own_vote},
    harness::{
        history::History,
        message::{Body, body, expect_report, found, kind, number},
        task::{Answer, End, Exchange, REPLY, Task},
    },
};

/// The workload.
#[derive(Debug)]
pub(super) struct Commit {
    nodes: usize,
    /// How many transactions have begun.
    begun: u32,
    /// The votes that were reported.
    votes: HashSet<(usize, u32)>,
    /// The transactions in which each node takes part, and on which it has not decided.
    open: Vec<BTreeSet<u32>>,
}

impl Commit {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            begun: 0,
            votes: HashSet::new(),
            open: vec![BTreeSet::new(); nodes],
        }
    }

    /// What a node is to vote.
    fn vote(&self, node: usize, transaction: u32) -> Outcome {
        own_vote(transaction, ProcessId::at(node), self.nodes)
    }
}

/// The transaction of a message.
fn transaction(body: &Body) -> Option<u32> {
    u32::try_from(number(body, "transaction")?).ok()
}

/// The outcome in this field.
fn outcome(body: &Body, name: &str) -> Option<Outcome> {
    Outcome::of_word(body.get(name)?.as_str()?)
}

impl Task for Commit {
    fn asks(&self, node: usize) -> bool {
        node == COORDINATOR.index()
    }

    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        self.begun += 1;
        body("begin", [("transaction", self.begun.into())])
    }

    fn before(&mut self, request: &Body) -> Vec<(usize, Body)> {
        let Some(transaction) = transaction(request) else {
            return Vec::new();
        };
        let vote = |node| {
            let vote = self.vote(node, transaction).word();
            let fields = [("transaction", transaction.into()), ("vote", vote.into())];
            (node, body("vote", fields))
        };
        (1..self.nodes).map(vote).collect()
    }

    fn patience(&self, request: &Body) -> Option<Duration> {
        (kind(request) == "vote").then_some(REPLY)
    }

    fn asked(&mut self, node: usize, request: &Body, _: Timestamp) -> Option<Meaning> {
        let transaction = transaction(request).filter(|_| kind(request) == "begin")?;
        self.open[node].insert(transaction);
        Some(Meaning::Begin(transaction))
    }

    fn answered(
        &mut self,
        history: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        if let (Answer::Error(_), "begin") = (exchange.answer, kind(exchange.request))
            && let Some(transaction) = transaction(exchange.request)
        {
            self.open[exchange.node].remove(&transaction);
            let node = ProcessId::at(exchange.node);
            history.withdraw(node, &Meaning::Begin(transaction));
        }
        Ok(())
    }

    fn detects(&self, _: usize, _: usize) -> bool {
        true
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        body: &Body,
    ) -> Result<bool, String> {
        expect_report(body, &["vote", "decide"])?;
        let is_vote = kind(body) == "vote";
        let name = if is_vote { "vote" } else { "outcome" };
        let known = transaction(body).filter(|it| (1..=self.begun).contains(it));
        let (Some(transaction), Some(outcome)) = (known, outcome(body, name)) else {
            return Err(format!(
                "expected a transaction that has begun, and commit or abort as {name} in {}, found {}",
                kind(body),
                found(body, &["transaction", name])
            ));
        };
        let process = ProcessId::at(node);
        let meaning = if is_vote {
            if self.asks(node) {
                return Err(
                    "expected a vote of a participant, found one of the coordinator".into(),
                );
            }
            if outcome == Outcome::Commit && self.vote(node, transaction) == Outcome::Abort {
                return Err(format!(
                    "expected the vote abort on {transaction}, for which its client has asked, found commit"
                ));
            }
            if !self.votes.insert((node, transaction)) {
                return Ok(false);
            }
            self.open[node].insert(transaction);
            Meaning::Vote(transaction, outcome)
        } else {
            self.open[node].remove(&transaction);
            Meaning::Decide(transaction, outcome)
        };
        history.local(at, process, meaning);
        Ok(true)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        end.of_those_up(&self.open).all(|(_, open)| open.is_empty())
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        Vec::new()
    }
}
