//! What nodes write: a line is a message to a node, a service, a client or the lab, or a breach of the protocol.

use std::{sync::Arc, time::Duration};

use common::{
    event::{Event, Kind},
    exit::Failure,
    process::{fault_event::MessageFault, ids::ProcessId},
    sys::processes::is_no_command,
};

use super::{Breach, Lab, READ, State, Step, Timer};
use crate::harness::{
    child::{NodeOutput, Output},
    clients::{NoRequest, Purpose},
    history::SERVICES,
    message::{
        Body, CLOCK, CLOCK_UNIT, FORM, LAB, LONGEST_LINE, Message, error_words, excerpt, kind,
        number,
    },
    services,
    task::Answer,
    workload::NodeWorkload,
};

impl Lab<'_, '_, '_> {
    pub(super) fn output(&mut self, output: NodeOutput) -> Result<Step, Failure> {
        let number = output.node;
        let node = &mut self.nodes[number];
        if let Output::Words(text) = &output.what {
            let name: Arc<str> = node.name.as_str().into();
            let event = Event::new(Kind::Output)
                .text(text.clone())
                .peer(&*node.name);
            if let Some(journal) = self.around.journal {
                journal.record_of(&name, event);
            }
            return Ok(Ok(()));
        }
        if output.start != node.start || node.state == State::Down {
            return Ok(Ok(()));
        }
        match output.what {
            Output::Line(line) => {
                node.lines += 1;
                let stepped = self.line(number, &line);
                Ok(stepped.map_err(|why| self.breach(number, &why)))
            }
            Output::TooLong => {
                node.lines += 1;
                let why =
                    format!("expected {FORM}, found a line of more than {LONGEST_LINE} bytes");
                Ok(Err(self.breach(number, &why)))
            }
            Output::Ended => self.ended(number),
            Output::Words(_) => Ok(Ok(())),
        }
    }

    /// A node has closed its output.
    pub(super) fn ended(&mut self, number: usize) -> Result<Step, Failure> {
        let node = &mut self.nodes[number];
        let Some(child) = &mut node.child else {
            return Ok(Ok(()));
        };
        child.ends_soon();
        let mut last = child.last_words();
        last.retain(|words| !words.trim().is_empty());
        let cannot_start = node.lines == 0 && child.exit_code().is_some_and(is_no_command);
        if cannot_start && node.start == 0 {
            let why = last.pop().unwrap_or_else(|| "no such command".to_owned());
            return Err(Failure::could_not_run(format!("start {}", node.name), why));
        }
        let after = match node.lines {
            0 => "before it wrote a line".to_owned(),
            lines => format!("after line {lines} of its output"),
        };
        let mut words = format!("{}: {} {after}", node.name, child.end());
        words += ": expected it to go on until its standard input ends";
        if let Some(last) = last.last() {
            words += &format!("; its last words: {last}");
        }
        node.state = State::Down;
        Ok(Err(Breach { words }))
    }

    /// A node has written a line.
    pub(super) fn line(&mut self, node: usize, line: &[u8]) -> Result<(), String> {
        let message = Message::parse(line)?;
        let name = &self.nodes[node].name;
        if message.src != *name {
            // A request of a client may be handed on in its name, and then be answered by another node.
            let known = |name: &str| self.history.names.process(name);
            let client = known(&message.src).and_then(|client| self.client_number(client));
            let forwards = known(&message.dest).is_some_and(|to| self.history.is_node(to));
            match (client, number(&message.body, "msg_id")) {
                (Some(client), Some(id)) if forwards => self.clients[client].forward(id),
                _ => {
                    let found = excerpt(message.src.as_bytes());
                    return Err(format!("expected \"{name}\" as src, found \"{found}\""));
                }
            }
        }
        let now = self.now();
        let from = ProcessId::at(node);
        let body = &message.body;
        if message.dest == LAB {
            let is_new = self.task.report(&mut self.history, now, node, body)?;
            if is_new {
                self.progress();
            }
            return Ok(());
        }
        let Some(to) = self.history.names.process(&message.dest) else {
            let dest = excerpt(message.dest.as_bytes());
            let last = self.nodes.len();
            return Err(format!(
                "expected a known dest, found \"{dest}\"; there are n1 to n{last}, c0 to c{last}, {} and lab",
                SERVICES.join(", ")
            ));
        };
        if self.history.is_node(to) {
            let sent = self.history.send(now, (from, to), body, |_| None);
            self.task.sent(&mut self.history, now, &sent, body)?;
            self.statistics.sent += 1;
            let line = [line, b"\n"].concat();
            let carried = self.network.send(now, sent.clone(), line.into());
            let fault = match carried.copies {
                _ if carried.overfull => {
                    self.statistics.overfull += 1;
                    return Ok(());
                }
                0 => MessageFault::Lost,
                1 => return Ok(()),
                _ => MessageFault::Duplicated,
            };
            match fault {
                MessageFault::Lost => self.statistics.lost += 1,
                _ => self.statistics.duplicated += 1,
            }
            self.history.fault(now, fault, &sent);
            return Ok(());
        }
        if self.history.is_service(to) {
            if number(body, "msg_id").is_none() {
                return Err(format!(
                    "expected a msg_id in a request to {}, found none",
                    message.dest
                ));
            }
            if message.dest == CLOCK {
                self.read_clock(now, node, message);
                return Ok(());
            }
            if self.settings.workload == NodeWorkload::Wireless {
                let dest = message.dest;
                return Err(format!(
                    "expected one of its neighbours as dest, as there are no services in a wireless network, found {dest}"
                ));
            }
            self.statistics.services += 1;
            let sent = self.history.send(now, (from, to), body, |_| None);
            self.history.receive(now, &sent, |_| None);
            let reply = Message {
                body: self.services.reply(&message.dest, node, body),
                src: message.dest,
                dest: message.src,
            };
            let sent = self.history.send(now, (to, from), &reply.body, |_| None);
            self.history.receive(now, &sent, |_| None);
            self.hand(node, reply.line().into());
            return Ok(());
        }
        self.reply(now, node, to, body, line)
    }

    /// A node asks its hardware clock: that is no message to another process.
    fn read_clock(&mut self, now: Duration, node: usize, message: Message) {
        let (history, task) = (&mut self.history, &mut self.task);
        let clock = || {
            let reading = history.clocks.read(node, now);
            task.reads_clock(history, now, node, reading);
            reading.hardware / CLOCK_UNIT
        };
        let body = services::read_clock(&message.body, clock);
        let (src, dest) = (message.dest, message.src);
        self.hand(node, Message { src, dest, body }.line().into());
    }

    /// The number of a client: 0 is the one that starts nodes.
    fn client_number(&self, process: ProcessId) -> Option<usize> {
        let first = self.history.starter().index();
        let number = process.index().checked_sub(first)?;
        (number <= self.nodes.len()).then_some(number)
    }

    /// A node replies to a client.
    pub(super) fn reply(
        &mut self,
        now: Duration,
        node: usize,
        to: ProcessId,
        body: &Body,
        line: &[u8],
    ) -> Result<(), String> {
        let client = self.client_number(to).unwrap_or_default();
        let dest = self.history.names.of(to).to_owned();
        let Some(id) = number(body, "in_reply_to") else {
            return Err(format!(
                "expected in_reply_to in a message to {dest}, found none"
            ));
        };
        let request = match self.clients[client].answer(id, node) {
            Ok(request) => request,
            Err(NoRequest::Late) => {
                self.statistics.late += 1;
                return Ok(());
            }
            Err(NoRequest::Answered) => {
                return Err(format!(
                    "expected one reply to each request, found another one to request {id} of {dest}"
                ));
            }
            Err(NoRequest::Unknown) => {
                return Err(format!(
                    "expected a reply to a request, found one to {id}, which {dest} has not asked this node"
                ));
            }
        };
        let (asked, got) = (kind(&request.body).to_owned(), kind(body));
        let is_error = got == "error";
        if !is_error && got != format!("{asked}_ok") {
            let got = excerpt(got.as_bytes());
            return Err(format!(
                "expected {asked}_ok or error in reply to {asked}, found '{got}'"
            ));
        }
        let code = number(body, "code");
        let code = match code {
            None if is_error => {
                return Err("expected an integer as code in an error, found none".to_owned());
            }
            code => code.unwrap_or_default(),
        };
        let is_load = request.purpose == Purpose::Load;
        let task = &mut self.task;
        let sent = self
            .history
            .send(now, (ProcessId::at(node), to), body, |stamp| {
                let is_meant = is_load && !is_error;
                is_meant
                    .then(|| task.replies(node, &request.body, stamp))
                    .flatten()
            });
        self.history.receive(now, &sent, |_| None);
        match request.purpose {
            Purpose::Init | Purpose::Topology if is_error => {
                let error = error_words(code);
                return Err(format!("expected {asked}_ok, found {error}"));
            }
            Purpose::Init | Purpose::Topology => {
                self.nodes[node].initialised = true;
                let is_first = request.purpose == Purpose::Init;
                if let Some(topology) = is_first.then(|| self.topology(node)).flatten() {
                    self.ask(0, node, Purpose::Topology, topology);
                    return Ok(());
                }
                self.nodes[node].state = State::Up;
                if self.epoch.is_some() {
                    self.think(node);
                }
                if self.settling.is_some() && self.task.read().is_some() {
                    self.timers.insert(now, Timer::Read(node));
                }
            }
            Purpose::Read => {
                let differs = !is_error && self.task.is_read(request.node, body)?;
                if differs {
                    self.progress();
                }
                self.timers.insert(now + READ, Timer::Read(request.node));
            }
            Purpose::Load => {
                let answer = if is_error {
                    Answer::Error(code)
                } else {
                    Answer::Ok(body, line)
                };
                self.load_answered(now, id, &request, answer, body)?;
            }
        }
        Ok(())
    }

    /// A breach of the protocol in the last line of a node.
    pub(super) fn breach(&self, node: usize, why: &str) -> Breach {
        let node = &self.nodes[node];
        let words = format!("{}: line {} of its output: {why}", node.name, node.lines);
        Breach { words }
    }
}
