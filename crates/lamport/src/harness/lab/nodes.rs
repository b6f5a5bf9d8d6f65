//! The nodes as processes: their start, their faults, and their end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Level},
    exit::Failure,
    process::{Meaning, detector::Detection, ids::ProcessId},
};
use crossbeam::channel::Receiver;
use serde_json::Value;

use super::{GRACE, Lab, NodeFault, State};
use crate::harness::{
    child::{Child, NodeOutput, NotTaken, Output, Place, kill_marked},
    clients::{Purpose, Request},
    message::{LAB, Message, body, kind},
};

impl Lab<'_, '_, '_> {
    /// Starts a node, and asks it to initialise.
    pub(super) fn start(&mut self, number: usize) -> Result<(), Failure> {
        let all: Vec<Value> = self
            .nodes
            .iter()
            .map(|node| node.name.as_str().into())
            .collect();
        let node = &mut self.nodes[number];
        let words = self.around.folder;
        let place = Place {
            name: &node.name,
            node: number,
            start: node.start,
            outputs: self.around.outputs,
            closing: self.around.closing,
            mark: self.around.mark,
            words: words.map(|folder| folder.join(format!("{}.stderr", node.name))),
        };
        node.child = Some(Child::start(self.scope, &self.settings.command, place)?);
        node.state = State::Starts;
        node.initialised = false;
        node.since = Instant::now();
        node.lines = 0;
        let id = node.name.as_str().into();
        let init = body("init", [("node_id", id), ("node_ids", all.into())]);
        self.ask(0, number, Purpose::Init, init);
        Ok(())
    }

    /// Hands a line to a node.
    pub(super) fn hand(&mut self, node: usize, line: Arc<[u8]>) -> bool {
        let taken = match &self.nodes[node].child {
            Some(child) => child.write(line),
            None => Err(NotTaken::Closed),
        };
        match taken {
            Ok(()) => {}
            Err(NotTaken::Full) => self.statistics.overfull += 1,
            Err(NotTaken::Closed) => self.statistics.undeliverable += 1,
        }
        taken.is_ok()
    }

    pub(super) fn fault(
        &mut self,
        now: Duration,
        number: usize,
        fault: NodeFault,
    ) -> Result<(), Failure> {
        let node = &mut self.nodes[number];
        let words = match fault {
            NodeFault::Pause => {
                node.child.iter_mut().for_each(Child::pause);
                "paused, as requested"
            }
            NodeFault::Resume => {
                node.child.iter_mut().for_each(Child::resume);
                "resumed"
            }
            NodeFault::Kill if node.state == State::Down => return Ok(()),
            NodeFault::Kill => {
                node.child = None;
                node.state = State::Down;
                node.was_killed = true;
                node.start += 1;
                self.history.crash(now, ProcessId::at(number));
                self.task.killed(number);
                self.suspect(now, number);
                for client in 0..self.clients.len() {
                    for id in self.clients[client].waits_for(number) {
                        let request = self.clients[client].give_up(id);
                        if let Some(request) = request.filter(|it| it.purpose == Purpose::Load) {
                            let _ = self.unanswered(now, id, &request);
                        }
                    }
                }
                "killed, as requested"
            }
            NodeFault::Restart if node.state != State::Down => return Ok(()),
            NodeFault::Restart => {
                self.start(number)?;
                "started again"
            }
        };
        let text = format!("{}: {words}", self.nodes[number].name);
        self.say(Event::error(Level::Warn, text));
        Ok(())
    }

    /// The lab, which knows whom it has killed, lets the others know.
    fn suspect(&mut self, now: Duration, killed: usize) {
        let name = self.nodes[killed].name.clone();
        for node in 0..self.nodes.len() {
            if self.nodes[node].state == State::Down || !self.task.detects(node, killed) {
                continue;
            }
            let detection = Detection::Suspect(ProcessId::at(killed));
            self.history
                .local(now, ProcessId::at(node), Meaning::Detect(detection));
            let message = Message {
                src: LAB.to_owned(),
                dest: self.nodes[node].name.clone(),
                body: body("suspect", [("node", name.as_str().into())]),
            };
            self.hand(node, message.line().into());
        }
    }

    /// Ends the nodes: their input ends, and after a grace time their groups are killed.
    pub(super) fn end_nodes(&mut self, outputs: &Receiver<NodeOutput>) {
        let now = self.now();
        for client in 0..self.clients.len() {
            for node in 0..self.nodes.len() {
                for id in self.clients[client].waits_for(node) {
                    let request = self.clients[client].give_up(id);
                    // A lock that was never granted, a transaction and a snapshot that never ended are a matter of the algorithm's
                    // properties.
                    let counts = |request: &Request| {
                        let is_of_algorithm =
                            ["lock", "begin", "snapshot"].contains(&kind(&request.body));
                        request.purpose == Purpose::Load && !is_of_algorithm
                    };
                    if let Some(request) = request.filter(counts) {
                        let _ = self.unanswered(now, id, &request);
                    }
                }
            }
        }
        let mut left = 0;
        for child in self.nodes.iter_mut().filter_map(|node| node.child.as_mut()) {
            child.close_input();
            child.resume();
            left += usize::from(!child.has_ended());
        }
        let until = Instant::now() + GRACE;
        while left > 0
            && let Ok(output) = outputs.recv_deadline(until)
        {
            left -= usize::from(matches!(output.what, Output::Ended));
        }
        self.nodes.iter_mut().for_each(|node| node.child = None);
        kill_marked(self.around.mark);
    }
}
