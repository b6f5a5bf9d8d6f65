//! The requests of the clients: when they are made, and what their answers lead to.

use std::time::Duration;

use common::{
    exit::Failure,
    process::{TimerKind, clock::Timestamp, ids::ProcessId},
};
use serde_json::Value;

use super::{Lab, State, Step, Timer};
use crate::algorithms::wireless::network::Network;
use crate::harness::{
    clients::{Purpose, Request},
    message::{
        ABORT, Body, KEY_DOES_NOT_EXIST, Message, PRECONDITION_FAILED, TEMPORARILY_UNAVAILABLE,
        body, error_words, excerpt, kind,
    },
    statistics::{Asked, Ending},
    task::{Answer, Exchange},
    workload::NodeWorkload,
};

impl Lab<'_, '_, '_> {
    /// A client makes a request of a node.
    pub(super) fn ask(&mut self, client: usize, node: usize, purpose: Purpose, mut body: Body) {
        let now = self.now();
        let id = self.clients[client].next_id();
        body.insert("msg_id".into(), id.into());
        let (from, to) = (self.client(client), ProcessId::at(node));
        let message = Message {
            src: self.history.names.of(from).to_owned(),
            dest: self.nodes[node].name.clone(),
            body,
        };
        let body = &message.body;
        let task = &mut self.task;
        if purpose == Purpose::Load {
            task.invoked(node, id, body);
            self.answers[node].asked += 1;
            if let Some(patience) = task.patience(body) {
                self.timers
                    .insert(now + patience, Timer::Expire(client, id));
            }
        }
        let sent = self.history.send(now, (from, to), body, |_| None);
        self.history.receive(now, &sent, |stamp: Timestamp| {
            let is_load = purpose == Purpose::Load;
            is_load.then(|| task.asked(node, body, stamp)).flatten()
        });
        self.hand(node, message.line().into());
        self.clients[client].ask(Request {
            node,
            purpose,
            body: message.body,
            at: now,
        });
    }

    /// The client of this node thinks, if it has further requests.
    pub(super) fn think(&mut self, node: usize) {
        let client = &mut self.clients[node + 1];
        let asks = self.task.asks(node);
        if !asks || client.thinks || self.settling.is_some() || client.waits(Purpose::Load) {
            return;
        }
        let random = &mut self.randoms[node];
        let load = &self.settings.load;
        if let Some(time) = load.duration(random, TimerKind::Think, client.started) {
            let now = self.epoch.map_or(Duration::ZERO, |epoch| epoch.elapsed());
            if now + time < self.settings.lasting {
                client.thinks = true;
                self.timers.insert(now + time, Timer::Think(node));
            }
        }
    }

    pub(super) fn timer(&mut self, now: Duration, timer: Timer) -> Result<Step, Failure> {
        match timer {
            Timer::Think(node) => {
                self.clients[node + 1].thinks = false;
                // One that is not there is asked again once it is.
                if self.nodes[node].state == State::Up && self.settling.is_none() {
                    self.clients[node + 1].started += 1;
                    let request = self.task.request(node, &mut self.randoms[node]);
                    for (other, before) in self.task.before(&request) {
                        if self.nodes[other].state == State::Up {
                            self.ask(other + 1, other, Purpose::Load, before);
                        }
                    }
                    self.ask(node + 1, node, Purpose::Load, request);
                }
            }
            Timer::Follow(node) => {
                self.clients[node + 1].thinks = false;
                match self.task.next(node) {
                    Some(request) if self.nodes[node].state == State::Up => {
                        self.ask(node + 1, node, Purpose::Load, request);
                    }
                    _ => self.think(node),
                }
            }
            Timer::Expire(client, id) => {
                if let Some(request) = self.clients[client].give_up(id) {
                    let stepped = self.unanswered(now, id, &request);
                    if stepped.is_err() {
                        return Ok(stepped);
                    }
                    self.think(request.node);
                }
            }
            Timer::Read(node) => {
                if self.nodes[node].state == State::Up
                    && !self.clients[node + 1].waits(Purpose::Read)
                    && let Some(read) = self.task.read()
                {
                    self.ask(node + 1, node, Purpose::Read, read);
                }
            }
            Timer::Fault(node, fault) => self.fault(now, node, fault)?,
        }
        Ok(Ok(()))
    }

    /// A request has no answer.
    pub(super) fn unanswered(&mut self, now: Duration, id: u64, request: &Request) -> Step {
        let node = request.node;
        let crashes = self.settings.faults.crashes.iter();
        let was_paused = crashes
            .filter(|crash| crash.process.index() == node)
            .any(|crash| crash.from <= now && request.at < crash.until);
        if self.nodes[node].state == State::Up && !was_paused {
            self.answers[node].unanswered += 1;
        }
        self.count(now, request, Ending::None);
        let exchange = Exchange {
            node,
            id,
            request: &request.body,
            answer: Answer::None,
        };
        let done = self.task.answered(&mut self.history, now, exchange);
        done.map_err(|why| self.breach(node, &why))
    }

    /// A request has ended; those of clients that ask nothing of their own belong to another one.
    fn count(&mut self, now: Duration, request: &Request, ending: Ending) {
        if self.task.asks(request.node) {
            self.statistics.ended(Asked {
                at: request.at,
                took: now.saturating_sub(request.at),
                ending,
            });
        }
    }

    pub(super) fn load_answered(
        &mut self,
        now: Duration,
        id: u64,
        request: &Request,
        answer: Answer<'_>,
        reply: &Body,
    ) -> Result<(), String> {
        let node = request.node;
        self.progress();
        self.answers[node].answered += 1;
        let is_served = match answer {
            Answer::Ok(..) => true,
            // A store has no such key, or another value.
            Answer::Error(code) => [KEY_DOES_NOT_EXIST, PRECONDITION_FAILED].contains(&code),
            Answer::None => false,
        };
        self.answers[node].served += u64::from(is_served);
        let ending = match answer {
            Answer::Ok(..) => Ending::Ok,
            Answer::Error(..) | Answer::None => Ending::Error,
        };
        self.count(now, request, ending);
        if let Answer::Error(code) = answer
            && !self.is_allowed(code)
            && self.refused.is_none()
        {
            let text = reply
                .get("text")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let text = match text {
                "" => String::new(),
                text => format!(": {}", excerpt(text.as_bytes())),
            };
            let (name, asked) = (&self.nodes[node].name, kind(&request.body));
            let error = error_words(code);
            self.refused = Some(format!("{name} replied to {asked} with {error}{text}"));
        }
        let exchange = Exchange {
            node,
            id,
            request: &request.body,
            answer,
        };
        self.task.answered(&mut self.history, now, exchange)?;
        if self.task.next(node).is_some() {
            let work = self
                .settings
                .load
                .duration(&mut self.randoms[node], TimerKind::Work, 0);
            self.clients[node + 1].thinks = true;
            self.timers
                .insert(now + work.unwrap_or_default(), Timer::Follow(node));
        } else {
            self.think(node);
        }
        Ok(())
    }

    /// Whether a node may reply with this error.
    pub(super) fn is_allowed(&self, code: u64) -> bool {
        let store = [KEY_DOES_NOT_EXIST, PRECONDITION_FAILED, 0, 13];
        [TEMPORARILY_UNAVAILABLE, ABORT, 30].contains(&code)
            || self.settings.workload == NodeWorkload::LinKv
                && (store.contains(&code) || code >= 1000)
    }

    /// What a node learns of the network after its start, in the workloads that have a topology.
    pub(super) fn topology(&mut self, node: usize) -> Option<Body> {
        match self.settings.workload {
            NodeWorkload::Broadcast => Some(self.grid()),
            NodeWorkload::Wireless => Some(self.station(node)),
            _ => None,
        }
    }

    /// Whom a node reaches in a wireless network, and its capacity.
    fn station(&mut self, node: usize) -> Body {
        let (network, process) = (Network::of(self.nodes.len()), ProcessId::at(node));
        let now = self.now();
        self.history.local(now, process, network.station(process));
        let name = |process: &ProcessId| Value::from(self.nodes[process.index()].name.as_str());
        let neighbours: Vec<_> = network.neighbours(process).iter().map(name).collect();
        let own = [(self.nodes[node].name.clone(), neighbours.into())];
        let topology = Value::Object(own.into_iter().collect());
        let capacity = network.capacity(process).into();
        body("topology", [("topology", topology), ("capacity", capacity)])
    }

    /// The neighbours of each node: those beside and below it in a grid, as Maelstrom's default has it.
    fn grid(&self) -> Body {
        let count = self.nodes.len();
        let width = (1..=count)
            .find(|width| width * width >= count)
            .unwrap_or(1);
        let name = |node: usize| Value::from(self.nodes[node].name.as_str());
        let neighbours = |node: usize| {
            let (row, column) = (node / width, node % width);
            let mut all = Vec::new();
            if row > 0 {
                all.push(node - width);
            }
            if column > 0 {
                all.push(node - 1);
            }
            if column + 1 < width && node + 1 < count {
                all.push(node + 1);
            }
            if node + width < count {
                all.push(node + width);
            }
            Value::Array(all.into_iter().map(name).collect())
        };
        let nodes = (0..count).map(|node| (self.nodes[node].name.clone(), neighbours(node)));
        body("topology", [("topology", Value::Object(nodes.collect()))])
    }
}
