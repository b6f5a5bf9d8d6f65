//! Processes whose messages are received in the order of sending: which case of an algorithm it is depends on that order.

use std::collections::VecDeque;

use common::process::{
    Action, Command, Process, Stamped, clock::Overflow, clocked::Clocked, detector::Detection,
    ids::ProcessId,
};

use crate::bug::Bug;

/// Processes, and the messages between them in the order of sending.
pub(super) struct Group<P: Process> {
    /// The processes; None where one has crashed.
    nodes: Vec<Option<Clocked<P>>>,
    in_flight: VecDeque<(ProcessId, ProcessId, Stamped<P::Message>)>,
    sent: u64,
    /// In a ring: to whom the messages of each process go, whatever number its neighbour has.
    next: Option<Vec<ProcessId>>,
}

impl<P: Process<Settings = Option<Bug>>> Group<P> {
    pub(super) fn new(processes: usize) -> Self {
        let node = |me| Some(Clocked::new(me, processes, &None));
        Self {
            nodes: ProcessId::all(processes).map(node).collect(),
            in_flight: VecDeque::new(),
            sent: 0,
            next: None,
        }
    }

    /// Processes in a ring, in this order. A process sends to its neighbour only, so that the network alone decides which one that is.
    pub(super) fn in_a_ring(order: &[ProcessId]) -> Self {
        let mut next = order.to_vec();
        for (process, neighbour) in order.iter().zip(order.iter().cycle().skip(1)) {
            next[process.index()] = *neighbour;
        }
        Self {
            next: Some(next),
            ..Self::new(order.len())
        }
    }

    /// How many messages were sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn crash(&mut self, process: ProcessId) {
        self.nodes[process.index()] = None;
    }

    /// A process starts an election.
    pub(super) fn elect(&mut self, process: ProcessId) {
        self.act(process, |node, actions| {
            // None refuses it: no election is going on.
            let _ = node.command(Command::Elect, actions);
            Ok(())
        });
    }

    /// The failure detector of a process suspects another one.
    pub(super) fn suspect(&mut self, process: ProcessId, other: ProcessId) {
        self.act(process, |node, actions| {
            node.detect(Detection::Suspect(other), actions)
        });
    }

    /// All messages are received, and those that are sent then.
    pub(super) fn receive_all(&mut self) {
        while let Some((from, to, message)) = self.in_flight.pop_front() {
            self.act(to, |node, actions| {
                node.receive(from, message, actions).map(drop)
            });
        }
    }

    /// A process does something, if it has not crashed.
    fn act(
        &mut self,
        me: ProcessId,
        step: impl FnOnce(&mut Clocked<P>, &mut Vec<Action<P::Message>>) -> Result<(), Overflow>,
    ) {
        let processes = self.nodes.len();
        let Some(node) = &mut self.nodes[me.index()] else {
            return;
        };
        let mut actions = Vec::new();
        // A clock has no end here: there are few events.
        let _ = step(node, &mut actions);
        for action in actions {
            if let Action::Event {
                time,
                send: Some((to, content)),
                ..
            } = action
            {
                for to in to.receivers(me, processes) {
                    let to = self.next.as_ref().map_or(to, |next| next[me.index()]);
                    let content = content.clone();
                    self.in_flight
                        .push_back((me, to, Stamped { time, content }));
                    self.sent += 1;
                }
            }
        }
    }
}
