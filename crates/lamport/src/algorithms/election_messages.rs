//! The messages of an election, from the first that is sent to the last announcement of the leader, in the best and in the worst
//! case. Which case it is depends on the order of events, so that is given: messages are received in the order of sending.

use std::collections::VecDeque;

use common::process::{
    Action, Clocked, Command, Process, Stamped, clock::Overflow, detector::Detection,
    ids::ProcessId,
};

use super::{Algorithm, bully::Bully, ring::Ring};
use crate::bug::Bug;

/// The algorithms that elect a leader.
const ALGORITHMS: [Algorithm; 2] = [Algorithm::Bully, Algorithm::Ring];

/// The messages in the best and in the worst case, as measured and as published.
fn measure(algorithm: Algorithm, processes: usize) -> ([u64; 2], [u64; 2]) {
    let n = processes as u64;
    match algorithm {
        // The coordinator has crashed. Best: the next one notices it first, and announces itself to the N−2 others. Worst: all
        // N−1 that live notice it at once, from the lowest on: with each of the others an election and its answer, and
        // the announcement, (N−1)²−1.
        Algorithm::Bully => (
            [processes - 1..processes, 1..processes].map(|noticing| bully(processes, noticing)),
            [n - 2, (n - 1) * (n - 1) - 1],
        ),
        // Chang & Roberts 1979, when all start at once: 2N−1 if each is followed by a greater one, N(N+1)/2 if by a smaller
        // one. To each, N messages of the announcement, which the paper does not count.
        _ => (
            [ring::<false>(processes), ring::<true>(processes)],
            [3 * n - 1, n * (n + 1) / 2 + n],
        ),
    }
}

/// When the coordinator has crashed, and processes with these numbers, from 1, notice it at once.
fn bully(processes: usize, noticing: std::ops::Range<usize>) -> u64 {
    let mut group = Group::<Bully>::new(processes);
    let coordinator = ProcessId::at(processes - 1);
    group.elect(coordinator);
    group.receive_all();
    group.nodes[coordinator.index()] = None;
    group.sent = 0;
    for number in noticing {
        group.act(ProcessId::at(number - 1), |node, actions| {
            node.detect(Detection::Suspect(coordinator), actions)
        });
    }
    group.receive_all();
    group.sent
}

/// When all processes start an election at once.
fn ring<const REVERSED: bool>(processes: usize) -> u64 {
    let mut group = Group::<Ring<REVERSED>>::new(processes);
    ProcessId::all(processes).for_each(|process| group.elect(process));
    group.receive_all();
    group.sent
}

/// Processes, and the messages between them in the order of sending.
struct Group<P: Process> {
    /// The processes; None where one has crashed.
    nodes: Vec<Option<Clocked<P>>>,
    in_flight: VecDeque<(ProcessId, ProcessId, Stamped<P::Message>)>,
    sent: u64,
}

impl<P: Process<Settings = Option<Bug>>> Group<P> {
    fn new(processes: usize) -> Self {
        let node = |me| Some(Clocked::new(me, processes, &None));
        Self {
            nodes: ProcessId::all(processes).map(node).collect(),
            in_flight: VecDeque::new(),
            sent: 0,
        }
    }

    fn elect(&mut self, process: ProcessId) {
        self.act(process, |node, actions| {
            // None refuses it: no election is going on.
            let _ = node.command(Command::Elect, actions);
            Ok(())
        });
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
                    let content = content.clone();
                    self.in_flight
                        .push_back((me, to, Stamped { time, content }));
                    self.sent += 1;
                }
            }
        }
    }

    fn receive_all(&mut self) {
        while let Some((from, to, message)) = self.in_flight.pop_front() {
            self.act(to, |node, actions| {
                node.receive(from, message, actions).map(drop)
            });
        }
    }
}

#[test]
fn elections_need_the_messages_that_were_published() {
    for processes in [3, 5, 9, 17, 33] {
        for algorithm in ALGORITHMS {
            let (measured, published) = measure(algorithm, processes);
            assert_eq!(measured, published, "{algorithm:?} {processes}");
        }
    }
    assert_eq!(measure(Algorithm::Bully, 5).0, [3, 15]);
    assert_eq!(measure(Algorithm::Ring, 5).0, [14, 20]);
}
