//! `election`: clients ask nodes to hold elections; every node reports whom it takes as the leader, and of which term.

use std::time::Duration;

use common::process::{Meaning, clock::Timestamp, ids::ProcessId, verdict::check::Check};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::{
    harness::{
        history::History,
        message::{Body, body, excerpt, expect_report, number},
        task::{End, Exchange, Task},
    },
    verdict::election::best,
};

/// The workload.
#[derive(Debug)]
pub(super) struct Election {
    /// Whether an election was asked for.
    is_asked: bool,
    /// The leader that each node has reported last, with its term.
    leaders: Vec<Option<(u64, ProcessId)>>,
}

impl Election {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            is_asked: false,
            leaders: vec![None; nodes],
        }
    }
}

impl Task for Election {
    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        self.is_asked = true;
        body("elect", [])
    }

    fn asked(&mut self, _: usize, _: &Body, _: Timestamp) -> Option<Meaning> {
        Some(Meaning::Elect)
    }

    fn answered(&mut self, _: &mut History, _: Duration, _: Exchange<'_>) -> Result<(), String> {
        Ok(())
    }

    fn detects(&self) -> bool {
        true
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        body: &Body,
    ) -> Result<bool, String> {
        expect_report(body, &["leader"])?;
        let leader = body.get("leader").and_then(Value::as_str);
        let process = leader.and_then(|leader| history.names.process(leader));
        let process = process.filter(|process| history.is_node(*process));
        let (Some(time), Some(process)) = (number(body, "term"), process) else {
            let field = |name| body.get(name).map_or("none".to_owned(), Value::to_string);
            let found = format!("term {}, leader {}", field("term"), field("leader"));
            return Err(format!(
                "expected an integer as term and a node as leader in leader, found {}",
                excerpt(found.as_bytes())
            ));
        };
        let meaning = Meaning::Leader(Timestamp { time, process });
        history.local(at, ProcessId::at(node), meaning);
        let now = Some((time, process));
        Ok(std::mem::replace(&mut self.leaders[node], now) != now)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        let best = best(self.leaders.len(), |process| !end.is_up[process.index()]);
        let agrees = |leader: &Option<(u64, ProcessId)>| leader.map(|(_, leader)| leader) == best;
        !self.is_asked || end.of_those_up(&self.leaders).all(|it| agrees(it.1))
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        Vec::new()
    }
}
