//! What the lab sees of a run, as events of its processes: the nodes, their clients and the services.
//!
//! The lab sees a message when it takes it from its sender, and when it hands it to its receiver. So each order that it sees
//! is at least as strong as happened-before among the nodes, and no node is blamed for an order that it could not know. The
//! clocks of these events are the lab's own, except where the nodes state theirs.

use std::{borrow::Cow, sync::Arc, time::Duration};

use common::process::{
    Meaning, To,
    clock::Timestamp,
    fault_event::{Fault, FaultyMessage, MessageFault, PathEvent},
    faults::Clocks,
    ids::{Names, ProcessId},
    run_event::{MessageAction, RunEvent},
};

use super::{
    clocks::HardwareClocks,
    message::{Body, CLOCK, content, kind},
};

/// The most events of a run; all are kept until the verdict.
pub(super) const MOST_EVENTS: usize = 400_000;

/// The services that nodes may ask, as their names.
pub(super) const SERVICES: [&str; 5] = ["lin-kv", "seq-kv", "lww-kv", "lin-tso", CLOCK];

/// A message that was sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) from: ProcessId,
    pub(super) to: ProcessId,
    /// Its number among the sender's messages, from 1.
    pub(super) number: u64,
    /// The sender's clock.
    time: u64,
    word: Arc<str>,
    text: Arc<str>,
}

/// The events of a run.
#[derive(Debug)]
pub(super) struct History {
    pub(super) names: Names,
    nodes: usize,
    pub(super) path: Vec<PathEvent>,
    /// The logical clock of each process.
    times: Vec<u64>,
    sent: Vec<u64>,
    /// What the nodes have read from their hardware clocks.
    pub(super) clocks: HardwareClocks,
    /// Whether nodes state their clocks: then only their statements are events.
    stated: bool,
}

impl History {
    /// The history of N nodes. With `stated` the nodes state their own clocks.
    pub(super) fn new(nodes: usize, clocks: &Clocks, stated: bool) -> Self {
        let names = (1..=nodes).map(|number| format!("n{number}"));
        let clients = (0..=nodes).map(|number| format!("c{number}"));
        let services = SERVICES.map(str::to_owned);
        let names: Vec<_> = names.chain(clients).chain(services).collect();
        Self {
            nodes,
            times: vec![0; names.len()],
            sent: vec![0; names.len()],
            names: Names::of_all(names),
            path: Vec::new(),
            clocks: HardwareClocks::new(clocks, nodes),
            stated,
        }
    }

    /// The client of a node.
    pub(super) fn client(&self, node: usize) -> ProcessId {
        ProcessId::at(self.nodes + 1 + node)
    }

    /// The client that starts the nodes, c0.
    pub(super) fn starter(&self) -> ProcessId {
        ProcessId::at(self.nodes)
    }

    /// Whether it is a node.
    pub(super) fn is_node(&self, process: ProcessId) -> bool {
        process.index() < self.nodes
    }

    /// The node whose name is in this field.
    pub(super) fn node(&self, body: &Body, name: &str) -> Option<ProcessId> {
        let node = self.names.process(body.get(name)?.as_str()?);
        node.filter(|node| self.is_node(*node))
    }

    /// Whether it is a service.
    pub(super) fn is_service(&self, process: ProcessId) -> bool {
        process.index() > 2 * self.nodes
    }

    /// Whether it has room for more events.
    pub(super) fn has_room(&self) -> bool {
        self.path.len() < MOST_EVENTS
    }

    fn tick(&mut self, process: ProcessId, past: u64) -> u64 {
        let time = &mut self.times[process.index()];
        *time = (*time).max(past) + 1;
        *time
    }

    fn push(&mut self, event: RunEvent) {
        if self.has_room() {
            self.path.push(PathEvent::Event(event));
        }
    }

    /// A process sends a message, in an event with the meaning that `meaning` makes of its timestamp.
    pub(super) fn send(
        &mut self,
        at: Duration,
        (from, to): (ProcessId, ProcessId),
        body: &Body,
        meaning: impl FnOnce(Timestamp) -> Option<Meaning>,
    ) -> Sent {
        let number = &mut self.sent[from.index()];
        *number += 1;
        let number = *number;
        if self.stated {
            let (word, text) = ("".into(), "".into());
            return Sent {
                from,
                to,
                number,
                time: 0,
                word,
                text,
            };
        }
        let time = self.tick(from, 0);
        let sent = Sent {
            from,
            to,
            number,
            time,
            word: kind(body).into(),
            text: content(body).into(),
        };
        let meaning = meaning(Timestamp {
            time,
            process: from,
        });
        self.push(RunEvent {
            process: from,
            at,
            time,
            what: sent.action(),
            meaning,
        });
        sent
    }

    /// Its receiver gets a message.
    pub(super) fn receive(
        &mut self,
        at: Duration,
        sent: &Sent,
        meaning: impl FnOnce(Timestamp) -> Option<Meaning>,
    ) {
        if self.stated {
            return;
        }
        let process = sent.to;
        let time = self.tick(process, sent.time);
        let meaning = meaning(Timestamp { time, process });
        let what = MessageAction::Receive {
            from: sent.from,
            to: To::One(process),
            number: sent.number,
            word: Cow::Owned(sent.word.to_string()),
            text: sent.text.to_string(),
        };
        self.push(RunEvent {
            process,
            at,
            time,
            what,
            meaning,
        });
    }

    /// A process has a local event with this meaning.
    pub(super) fn local(&mut self, at: Duration, process: ProcessId, meaning: Meaning) {
        let time = self.tick(process, 0);
        self.push(RunEvent {
            process,
            at,
            time,
            what: MessageAction::Local,
            meaning: Some(meaning),
        });
    }

    /// The node has refused the last request with this meaning: it never was one.
    pub(super) fn withdraw(&mut self, node: ProcessId, meaning: &Meaning) {
        let of_node = |event: &&mut RunEvent| {
            event.process == node && event.meaning.as_ref() == Some(meaning)
        };
        let events = self.path.iter_mut().rev();
        let mut events = events.filter_map(|event| match event {
            PathEvent::Event(event) => Some(event),
            PathEvent::Fault(..) => None,
        });
        if let Some(event) = events.find(of_node) {
            event.meaning = None;
        }
    }

    /// An event whose clock its node states.
    pub(super) fn stated(&mut self, event: RunEvent) {
        self.push(event);
    }

    /// The network loses or duplicates a message.
    pub(super) fn fault(&mut self, at: Duration, fault: MessageFault, sent: &Sent) {
        if self.has_room() && !self.stated {
            let message = FaultyMessage {
                from: sent.from,
                to: sent.to,
                number: sent.number,
                to_all: false,
            };
            let fault = Fault::Message(fault, message);
            self.path.push(PathEvent::Fault(at, fault));
        }
    }

    /// A node is killed.
    pub(super) fn crash(&mut self, at: Duration, node: ProcessId) {
        if self.has_room() {
            self.path.push(PathEvent::Fault(at, Fault::Crashed(node)));
        }
    }
}

impl Sent {
    fn action(&self) -> MessageAction {
        MessageAction::Send {
            to: To::One(self.to),
            number: self.number,
            word: Cow::Owned(self.word.to_string()),
            text: self.text.to_string(),
        }
    }
}
