//! The driver of the comparison: processes with their clocks, without channels, in simulated time. One command after another
//! runs until no message is under way.

use std::{cmp::Reverse, collections::BinaryHeap, mem, time::Duration};

use common::process::{
    Action, Command, Meaning, Refusal, Stamped, TimerKind, To, Value, clocked::Clocked,
    ids::ProcessId,
};

use crate::location::{
    Role, Scheme,
    domains::{Domains, Level},
};

/// How long a process waits for an answer, in delays of the longest link.
const TIMEOUT: u64 = 4;

/// How often timeouts may expire until a look-up must have ended.
const MOST_TIMEOUTS: usize = 64;

/// The delays of links, in microseconds: two processes are the nearer the smaller the smallest domain is that both are in.
#[derive(Clone, Debug)]
pub struct Delays {
    domains: Domains,
    of_level: Vec<u64>,
}

impl Delays {
    /// The fanout of the domains.
    const FANOUT: u32 = 4;

    /// A link across the whole network has this delay, and one within a domain of each level below half of that above.
    pub fn new(nodes: usize, longest: Duration) -> Self {
        let domains = Domains::new(nodes, Self::FANOUT);
        let root = domains.root();
        let longest = longest.as_micros() as u64;
        let of_level = |level: Level| longest >> (root - level).min(63);
        Self {
            domains,
            of_level: (0..=root).map(of_level).collect(),
        }
    }

    /// The longest delay.
    fn longest(&self) -> u64 {
        self.of_level.last().copied().unwrap_or_default()
    }

    fn between(&self, one: ProcessId, other: ProcessId) -> u64 {
        self.of_level[usize::from(self.domains.distance(one, other))]
    }
}

/// A message under way.
#[derive(Debug)]
struct Flight<M> {
    from: ProcessId,
    to: ProcessId,
    /// How many requests one after another have led to it, itself included.
    hops: u32,
    message: Stamped<M>,
}

/// What a command has cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cost {
    /// The messages of the scheme; the entity itself, which moves in every scheme alike, is none.
    pub messages: u64,
    /// How many requests one after another have led to the answer.
    pub hops: u32,
    /// When the answer was there, in microseconds.
    pub delay: u64,
    /// Where a look-up has found the entity.
    pub found: Option<ProcessId>,
}

/// All processes of a scheme.
#[derive(Debug)]
pub struct World<P: Scheme> {
    nodes: Vec<Clocked<P>>,
    delays: Delays,
    /// The processes that receive nothing.
    down: Vec<ProcessId>,
    /// The time of arrival of each message, its number, and its slot.
    queue: BinaryHeap<Reverse<(u64, u32, u32)>>,
    slots: Vec<Option<Flight<P::Message>>>,
    free: Vec<u32>,
    sent: u32,
    now: u64,
    /// The processes whose timer of a timeout is set, and for each process whether it is one.
    waiting: Vec<ProcessId>,
    waits: Vec<bool>,
    actions: Vec<Action<P::Message>>,
    cost: Cost,
    visited: Vec<ProcessId>,
    /// How many requests each process has received.
    received: Vec<u64>,
    /// Whether the look-up has ended.
    is_answered: bool,
}

impl<P: Scheme> World<P> {
    /// A group of N processes with these settings.
    pub fn new(nodes: usize, settings: &P::Settings, delays: Delays) -> Self {
        let mut world = Self {
            nodes: ProcessId::all(nodes)
                .map(|process| Clocked::new(process, nodes, settings))
                .collect(),
            delays,
            down: Vec::new(),
            queue: BinaryHeap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            sent: 0,
            now: 0,
            waiting: Vec::new(),
            waits: vec![false; nodes],
            actions: Vec::new(),
            cost: Cost::default(),
            visited: Vec::new(),
            received: vec![0; nodes],
            is_answered: false,
        };
        for process in ProcessId::all(nodes) {
            world.nodes[process.index()]
                .start(&mut world.actions)
                .expect("a clock at its start");
            world.perform(process, 0, None);
        }
        world.run(None);
        world
    }

    /// A process.
    pub fn process(&self, process: ProcessId) -> &P {
        &self.nodes[process.index()].process
    }

    /// All processes.
    pub fn processes(&self) -> impl Iterator<Item = &P> {
        self.nodes.iter().map(|node| &node.process)
    }

    /// A process starts anew, with settings of its own.
    pub fn replace(&mut self, process: ProcessId, settings: &P::Settings) {
        let count = self.nodes.len();
        self.nodes[process.index()] = Clocked::new(process, count, settings);
    }

    /// From now on this process receives nothing.
    pub fn fail(&mut self, process: ProcessId) {
        self.down.push(process);
    }

    /// All processes receive again.
    pub fn recover(&mut self) {
        self.down.clear();
    }

    /// The process that has received the most requests; of several the first.
    pub fn busiest(&self) -> Option<ProcessId> {
        let received = self.received.iter().enumerate();
        let (busiest, _) = received.rev().max_by_key(|(_, count)| **count)?;
        Some(ProcessId::at(busiest))
    }

    /// The processes to which the last command's requests went, in the order of their arrival.
    pub fn visited(&self) -> &[ProcessId] {
        &self.visited
    }

    /// The timers of this kind expire, of all processes that are up.
    pub fn expire(&mut self, kind: TimerKind) {
        (self.now, self.sent) = (0, 0);
        for process in ProcessId::all(self.nodes.len()) {
            self.timer(process, kind, None);
        }
        self.run(None);
    }

    fn timer(&mut self, process: ProcessId, kind: TimerKind, asker: Option<ProcessId>) {
        if !self.down.contains(&process) {
            let timer = self.nodes[process.index()].timer(kind, &mut self.actions);
            timer.expect("a clock far from its end");
            self.perform(process, 0, asker);
        }
    }

    /// Gives a command to a process, and runs until nothing is under way; a look-up until it has ended.
    ///
    /// # Errors
    /// When the process rejects the command.
    pub fn command(&mut self, process: ProcessId, command: Command) -> Result<Cost, Refusal> {
        let asker = matches!(command, Command::LookUp(_)).then_some(process);
        (self.now, self.sent) = (0, 0);
        self.cost = Cost::default();
        self.is_answered = false;
        self.visited.clear();
        let mut actions = mem::take(&mut self.actions);
        let done = self.nodes[process.index()].command(command, &mut actions);
        self.actions = actions;
        done.inspect_err(|_| self.actions.clear())?;
        self.perform(process, 0, asker);
        self.run(asker);
        for _ in 0..MOST_TIMEOUTS {
            if asker.is_none() || self.is_answered || self.waiting.is_empty() {
                break;
            }
            self.now += TIMEOUT * self.delays.longest().max(1);
            for process in mem::take(&mut self.waiting) {
                self.waits[process.index()] = false;
                self.timer(process, TimerKind::Timeout, asker);
            }
            self.run(asker);
        }
        Ok(self.cost)
    }

    /// Delivers messages until none is under way.
    fn run(&mut self, asker: Option<ProcessId>) {
        while let Some(Reverse((at, _, slot))) = self.queue.pop() {
            self.now = at;
            self.free.push(slot);
            let Some(flight) = self.slots[slot as usize].take() else {
                continue;
            };
            if self.down.contains(&flight.to) {
                continue;
            }
            if P::role(&flight.message.content) == Role::Request {
                self.visited.push(flight.to);
                self.received[flight.to.index()] += 1;
            }
            let node = &mut self.nodes[flight.to.index()];
            let received = node.receive(flight.from, flight.message, &mut self.actions);
            received.expect("a clock far from its end");
            self.perform(flight.to, flight.hops, asker);
        }
    }

    /// Performs the actions of a process after a message with this number of hops.
    fn perform(&mut self, me: ProcessId, hops: u32, asker: Option<ProcessId>) {
        let mut actions = mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::SetTimer(TimerKind::Timeout) => {
                    if !mem::replace(&mut self.waits[me.index()], true) {
                        self.waiting.push(me);
                    }
                }
                Action::SetTimer(_) | Action::ClearTimer(_) => {}
                Action::Event {
                    time,
                    meaning,
                    send,
                } => {
                    if let Some(Meaning::Found(_, at)) = &meaning
                        && asker == Some(me)
                        && !mem::replace(&mut self.is_answered, true)
                    {
                        self.cost.hops = hops;
                        self.cost.delay = self.now;
                        self.cost.found = match at {
                            Value::Place(at) => Some(*at),
                            Value::Nothing | Value::Text(_) => None,
                        };
                    }
                    if let Some((to, content)) = send {
                        self.send(me, to, Stamped { time, content }, hops);
                    }
                }
            }
        }
        self.actions = actions;
    }

    fn send(&mut self, from: ProcessId, to: To, message: Stamped<P::Message>, hops: u32) {
        let role = P::role(&message.content);
        let hops = hops + u32::from(role == Role::Request);
        let is_counted = role != Role::Transfer;
        match to {
            To::One(to) => {
                self.cost.messages += u64::from(is_counted);
                self.insert(Flight {
                    from,
                    to,
                    hops,
                    message,
                });
            }
            To::All => {
                for to in from.others(self.nodes.len()) {
                    self.cost.messages += u64::from(is_counted);
                    self.insert(Flight {
                        from,
                        to,
                        hops,
                        message: message.clone(),
                    });
                }
            }
        }
    }

    fn insert(&mut self, flight: Flight<P::Message>) {
        let at = self.now + self.delays.between(flight.from, flight.to);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            (self.slots.len() - 1) as u32
        });
        self.slots[slot as usize] = Some(flight);
        self.queue.push(Reverse((at, self.sent, slot)));
        self.sent += 1;
    }
}
