//! `mutex`: clients lock and unlock; at most one is inside.

use std::time::Duration;

use common::process::{Meaning, clock::Timestamp, ids::ProcessId, verdict::check::Check};
use rand_pcg::Pcg64Mcg;

use crate::harness::{
    history::History,
    message::{Body, body, kind},
    task::{Answer, End, Exchange, REPLY, Task},
};

/// A client.
#[derive(Clone, Copy, Debug, Default)]
struct Client {
    /// The event of its last request.
    request: Option<Timestamp>,
    inside: bool,
}

/// The workload.
#[derive(Debug)]
pub(super) struct Mutex {
    clients: Vec<Client>,
}

impl Mutex {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            clients: vec![Client::default(); nodes],
        }
    }
}

impl Task for Mutex {
    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        body("lock", [])
    }

    fn next(&mut self, node: usize) -> Option<Body> {
        self.clients[node].inside.then(|| body("unlock", []))
    }

    fn patience(&self, request: &Body) -> Option<Duration> {
        (kind(request) == "unlock").then_some(REPLY)
    }

    fn asked(&mut self, node: usize, request: &Body, stamp: Timestamp) -> Option<Meaning> {
        let client = &mut self.clients[node];
        if kind(request) == "lock" {
            client.request = Some(stamp);
            return Some(Meaning::Request);
        }
        client.inside = false;
        client.request.map(Meaning::Exit)
    }

    fn replies(&mut self, node: usize, request: &Body, _: Timestamp) -> Option<Meaning> {
        let client = &self.clients[node];
        let enters = kind(request) == "lock";
        client.request.filter(|_| enters).map(Meaning::Enter)
    }

    fn answered(
        &mut self,
        history: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let client = &mut self.clients[exchange.node];
        let granted = matches!(exchange.answer, Answer::Ok(..));
        let is_lock = kind(exchange.request) == "lock";
        client.inside = granted && is_lock;
        if is_lock && matches!(exchange.answer, Answer::Error(_)) {
            history.withdraw(ProcessId::at(exchange.node), &Meaning::Request);
        }
        Ok(())
    }

    fn killed(&mut self, node: usize) {
        self.clients[node] = Client::default();
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        Vec::new()
    }
}
