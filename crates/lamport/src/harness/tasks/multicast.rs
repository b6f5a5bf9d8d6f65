//! `total` and `causal`: every node delivers every multicast, in the order of the workload.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use common::process::{Meaning, clock::Timestamp, ids::ProcessId, verdict::check::Check};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::harness::{
    history::History,
    message::{Body, body, excerpt, expect_report, number},
    task::{End, Exchange, Task},
};

/// The workload.
#[derive(Debug)]
pub(super) struct Multicast {
    next: u64,
    /// The event at which each message was given to its node.
    multicasts: HashMap<u64, Timestamp>,
    /// What each node has delivered.
    delivered: Vec<HashSet<u64>>,
}

impl Multicast {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            next: 0,
            multicasts: HashMap::new(),
            delivered: vec![HashSet::new(); nodes],
        }
    }
}

impl Task for Multicast {
    fn request(&mut self, _: usize, _: &mut Pcg64Mcg) -> Body {
        self.next += 1;
        body("multicast", [("message", self.next.into())])
    }

    fn asked(&mut self, _: usize, request: &Body, stamp: Timestamp) -> Option<Meaning> {
        let message = number(request, "message")?;
        self.multicasts.insert(message, stamp);
        Some(Meaning::Multicast(message.to_string()))
    }

    fn answered(&mut self, _: &mut History, _: Duration, _: Exchange<'_>) -> Result<(), String> {
        Ok(())
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        body: &Body,
    ) -> Result<bool, String> {
        expect_report(body, &["deliver"])?;
        let message = number(body, "message");
        let known = message.and_then(|message| Some((message, *self.multicasts.get(&message)?)));
        let Some((message, stamp)) = known else {
            let found = body
                .get("message")
                .map_or_else(|| "none".to_owned(), Value::to_string);
            return Err(format!(
                "expected the message of a multicast in deliver, found {}",
                excerpt(found.as_bytes())
            ));
        };
        let meaning = Meaning::Deliver(stamp, message.to_string());
        history.local(at, ProcessId::at(node), meaning);
        Ok(self.delivered[node].insert(message))
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        let mut delivered = self.delivered.iter().zip(end.is_whole);
        delivered.all(|(delivered, is_whole)| !is_whole || delivered.len() == self.multicasts.len())
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        Vec::new()
    }
}
