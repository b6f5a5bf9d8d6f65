//! What a workload asks of nodes, and what it makes of their answers.

use std::time::Duration;

use common::process::{
    Meaning, clock::Timestamp, ids::ProcessId, physical::Reading, verdict::check::Check,
};
use rand_pcg::Pcg64Mcg;

use super::{
    history::{History, Sent},
    message::Body,
};

/// How long a client waits for a reply, where nothing else is said.
pub(super) const REPLY: Duration = Duration::from_secs(5);

/// The answer to a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer<'a> {
    /// The reply, and its line.
    Ok(&'a Body, &'a [u8]),
    /// An error of the protocol.
    Error(u64),
    /// None: the time is over, or the node was killed. The operation may have happened, or happen later.
    None,
}

/// A request that has its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exchange<'a> {
    /// The node, which is the number of its client too.
    pub(super) node: usize,
    /// The number of the client's request.
    pub(super) id: u64,
    /// The request.
    pub(super) request: &'a Body,
    /// The answer.
    pub(super) answer: Answer<'a>,
}

/// The state of the nodes at the end of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct End<'a> {
    /// The name of each node.
    pub(super) history: &'a History,
    /// Whether each node is there, and has not been killed before.
    pub(super) is_whole: &'a [bool],
    /// Whether each node is there.
    pub(super) is_up: &'a [bool],
}

impl End<'_> {
    /// The name of a node.
    pub(super) fn name(&self, node: usize) -> &str {
        self.history.names.of(ProcessId::at(node))
    }

    /// What the nodes that are there have of `all`: a node's number, and its own.
    pub(super) fn of_those_up<'v, V>(&self, all: &'v [V]) -> impl Iterator<Item = (usize, &'v V)> {
        let all = all.iter().enumerate();
        all.filter(|(node, _)| self.is_up[*node])
    }
}

/// A workload. Errors are what is wrong with the form of a message, as `expected …, found …`.
pub(super) trait Task {
    /// Whether the client of this node makes requests of its own.
    fn asks(&self, _node: usize) -> bool {
        true
    }

    /// What the clients of other nodes ask these before this request is made.
    fn before(&mut self, _request: &Body) -> Vec<(usize, Body)> {
        Vec::new()
    }

    /// Whether the lab lets this node know that another one was killed.
    fn detects(&self, _node: usize, _killed: usize) -> bool {
        false
    }

    /// The next request of the client of this node.
    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body;

    /// The request that the client must make after the present one, also when the load is over.
    fn next(&mut self, _node: usize) -> Option<Body> {
        None
    }

    /// How long a client waits for the reply; None is until the end of the run.
    fn patience(&self, _request: &Body) -> Option<Duration> {
        Some(REPLY)
    }

    /// The client makes this request now.
    fn invoked(&mut self, _node: usize, _id: u64, _request: &Body) {}

    /// What it means that a node gets a request.
    fn asked(&mut self, _node: usize, _request: &Body, _stamp: Timestamp) -> Option<Meaning> {
        None
    }

    /// What it means that a node replies.
    fn replies(&mut self, _node: usize, _request: &Body, _stamp: Timestamp) -> Option<Meaning> {
        None
    }

    /// A request has its answer.
    fn answered(
        &mut self,
        history: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String>;

    /// A node is killed.
    fn killed(&mut self, _node: usize) {}

    /// A node sends a message to another one.
    fn sent(&mut self, _: &mut History, _: Duration, _: &Sent, _: &Body) -> Result<(), String> {
        Ok(())
    }

    /// A message between nodes has reached its receiver.
    fn arrived(&mut self, _sent: &Sent) {}

    /// A node reads its hardware clock.
    fn reads_clock(&mut self, _: &mut History, _: Duration, _node: usize, _: Reading) {}

    /// A node reports an event to `lab`. Whether it is a new one.
    fn report(
        &mut self,
        _: &mut History,
        _: Duration,
        _node: usize,
        _body: &Body,
    ) -> Result<bool, String> {
        Err("expected nothing: this workload has no reports to lab".to_owned())
    }

    /// The request by which each node is read in the end, until the answers agree.
    fn read(&self) -> Option<Body> {
        None
    }

    /// The answer of a node to this request. Whether it differs from the one before.
    fn is_read(&mut self, _node: usize, _reply: &Body) -> Result<bool, String> {
        Ok(false)
    }

    /// Whether nothing is missing any more.
    fn is_complete(&self, _end: &End<'_>) -> bool {
        true
    }

    /// The result for each property, beside those of the algorithm.
    fn conclude(&self, end: &End<'_>) -> Vec<Check>;
}
