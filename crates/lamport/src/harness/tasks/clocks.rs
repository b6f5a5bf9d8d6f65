//! `clocks`: nodes with logical clocks, which state the clock of every event.

use std::{collections::HashMap, time::Duration};

use common::process::{
    Meaning, To,
    ids::ProcessId,
    property::Property,
    run_event::{MessageAction, RunEvent},
    verdict::check::Check,
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::harness::{
    history::{History, Sent},
    message::{Body, body, excerpt, expect_report, found, kind, number},
    task::{Answer, End, Exchange, Task},
};

/// The workload.
#[derive(Debug)]
pub(super) struct Clocks {
    nodes: usize,
    /// The numbers of the messages with a sender, a receiver and the sender's clock.
    sent: HashMap<(usize, usize, u64), Vec<u64>>,
    /// By sender and receiver: how many messages were sent, and how many sends were acknowledged.
    messages: Vec<(u64, u64)>,
    /// By receiver: how many messages have arrived, and how many were reported.
    received: Vec<(u64, u64)>,
}

impl Clocks {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            sent: HashMap::new(),
            messages: vec![(0, 0); nodes * nodes],
            received: vec![(0, 0); nodes],
        }
    }

    fn clock(body: &Body, what: &str) -> Result<u64, String> {
        number(body, "clock").ok_or_else(|| {
            let found = body
                .get("clock")
                .map_or_else(|| "none".to_owned(), Value::to_string);
            format!(
                "expected an integer as clock in {what}, found {}",
                excerpt(found.as_bytes())
            )
        })
    }
}

impl Task for Clocks {
    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body {
        if random.random_bool(0.3) {
            return body("local", []);
        }
        let other = random.random_range(1..self.nodes);
        let to = (node + other) % self.nodes;
        body("send", [("to", format!("n{}", to + 1).into())])
    }

    fn answered(
        &mut self,
        history: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let Answer::Ok(reply, _) = exchange.answer else {
            return Ok(());
        };
        let process = ProcessId::at(exchange.node);
        if kind(exchange.request) == "local" {
            let time = Self::clock(reply, "local_ok")?;
            history.stated(RunEvent {
                process,
                at,
                time,
                what: MessageAction::Local,
                meaning: Some(Meaning::Local(String::new())),
            });
            return Ok(());
        }
        let to = exchange.request["to"].as_str().unwrap_or_default();
        let Some(receiver) = history.names.process(to) else {
            return Ok(());
        };
        let (sent, acknowledged) =
            &mut self.messages[exchange.node * self.nodes + receiver.index()];
        *acknowledged += 1;
        if acknowledged > sent {
            return Err(format!(
                "expected a message to {to} before send_ok, found none"
            ));
        }
        Ok(())
    }

    fn sent(
        &mut self,
        history: &mut History,
        at: Duration,
        sent: &Sent,
        body: &Body,
    ) -> Result<(), String> {
        let time = Self::clock(body, "every message between nodes")?;
        let (from, to) = (sent.from.index(), sent.to.index());
        self.messages[from * self.nodes + to].0 += 1;
        let numbers = self.sent.entry((from, to, time)).or_default();
        numbers.push(sent.number);
        history.stated(RunEvent {
            process: sent.from,
            at,
            time,
            what: MessageAction::Send {
                to: To::One(sent.to),
                number: sent.number,
                word: kind(body).to_owned().into(),
                text: String::new(),
            },
            meaning: None,
        });
        Ok(())
    }

    fn arrived(&mut self, sent: &Sent) {
        self.received[sent.to.index()].0 += 1;
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        body: &Body,
    ) -> Result<bool, String> {
        expect_report(body, &["receive"])?;
        let time = Self::clock(body, "receive")?;
        let sender = history.node(body, "from");
        let sent = number(body, "sent");
        let (Some(sender), Some(sent)) = (sender, sent) else {
            let why = "expected the sender as from and its clock as sent in receive, found";
            return Err(format!("{why} {}", found(body, &["from", "sent"])));
        };
        let numbers = self.sent.get_mut(&(sender.index(), node, sent));
        let Some(numbers) = numbers.filter(|numbers| !numbers.is_empty()) else {
            let from = history.names.of(sender);
            return Err(format!(
                "expected the receive of a message; {from} sent none with clock {sent} to this node"
            ));
        };
        // The network may have duplicated the last one.
        let number = if numbers.len() > 1 {
            numbers.remove(0)
        } else {
            numbers[0]
        };
        let process = ProcessId::at(node);
        history.stated(RunEvent {
            process,
            at,
            time,
            what: MessageAction::Receive {
                from: sender,
                to: To::One(process),
                number,
                word: "message".into(),
                text: String::new(),
            },
            meaning: None,
        });
        self.received[node].1 += 1;
        Ok(true)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        let mut received = self.received.iter().zip(end.is_whole);
        received.all(|((arrived, reported), is_whole)| !is_whole || reported >= arrived)
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let property = Property::Reported;
        let all: u64 = self.received.iter().map(|received| received.0).sum();
        let short = self
            .received
            .iter()
            .enumerate()
            .filter(|(node, (arrived, reported))| end.is_whole[*node] && reported < arrived);
        let short: Vec<_> = short
            .map(|(node, (arrived, reported))| {
                format!("{} reported {reported} of its {arrived}", end.name(node))
            })
            .collect();
        vec![match short.as_slice() {
            [] if all == 0 => Check::open(property, "no message was received"),
            [] => Check::ok(
                property,
                format!("all {all} received messages were reported to lab"),
            ),
            short => Check::unfulfilled(property, short.join(", ")),
        }]
    }
}
