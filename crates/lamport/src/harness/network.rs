//! The network between the nodes: each link loses, duplicates, reorders, delays and partitions what it carries, by a random
//! sequence of its own, so that a seed gives the same faults to the same messages of a link.

use std::{sync::Arc, time::Duration};

use common::process::{faults::Faults, simulation::event_queue::EventQueue};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::history::Sent;

/// The most messages, and bytes, in flight; more are lost.
const MOST_IN_FLIGHT: (usize, usize) = (500_000, 64 << 20);

/// A message in flight.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) sent: Sent,
    pub(super) line: Arc<[u8]>,
}

/// What the network does with a message.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Carried {
    /// How many copies arrive.
    pub(super) copies: u32,
    /// Whether it is lost because there are too many in flight.
    pub(super) overfull: bool,
}

/// The network.
#[derive(Debug)]
pub(super) struct Network {
    faults: Faults,
    nodes: usize,
    links: Vec<Pcg64Mcg>,
    /// The number of the latest message of each link that has arrived.
    latest: Vec<u64>,
    flights: EventQueue<Flight>,
    bytes: usize,
}

impl Network {
    /// The network of N nodes.
    pub(super) fn new(faults: &Faults, nodes: usize, seed: u64) -> Self {
        let link = |number: usize| {
            let own = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Pcg64Mcg::seed_from_u64(seed ^ own)
        };
        Self {
            faults: faults.clone(),
            nodes,
            links: (0..nodes * nodes).map(link).collect(),
            latest: vec![0; nodes * nodes],
            flights: EventQueue::new(),
            bytes: 0,
        }
    }

    /// The faults with their times.
    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Ends the partitions that have no end of their own.
    pub(super) fn heal(&mut self, now: Duration) {
        for partition in &mut self.faults.partitions {
            if partition.until == Duration::MAX {
                partition.until = now.max(partition.from);
            }
        }
    }

    /// Takes a message between two nodes.
    pub(super) fn send(&mut self, now: Duration, sent: Sent, line: Arc<[u8]>) -> Carried {
        let ends = (sent.from, sent.to);
        let random = &mut self.links[sent.from.index() * self.nodes + sent.to.index()];
        let mut delays = [None; 2];
        let mut copies = 0;
        if sent.from == sent.to {
            // What a node sends to itself passes through no network.
            delays[0] = Some(Duration::ZERO);
            copies = 1;
        } else {
            self.faults.carry(random, ends, now, |delay| {
                delays[copies] = Some(delay);
                copies += 1;
            });
        }
        let mut carried = Carried {
            copies: copies as u32,
            overfull: false,
        };
        for delay in delays.into_iter().flatten() {
            if self.flights.len() >= MOST_IN_FLIGHT.0 || self.bytes + line.len() > MOST_IN_FLIGHT.1
            {
                carried.overfull = true;
                carried.copies -= 1;
                continue;
            }
            self.bytes += line.len();
            let (sent, line) = (sent.clone(), Arc::clone(&line));
            self.flights.insert(now + delay, Flight { sent, line });
        }
        carried
    }

    /// When the next message arrives.
    pub(super) fn due(&self) -> Option<Duration> {
        self.flights.due()
    }

    /// The next message, if it has arrived, and whether it comes after one that was sent later.
    pub(super) fn arrived(&mut self, now: Duration) -> Option<(Flight, bool)> {
        if self.flights.due()? > now {
            return None;
        }
        let (_, flight) = self.flights.pop()?;
        self.bytes -= flight.line.len();
        let sent = &flight.sent;
        let latest = &mut self.latest[sent.from.index() * self.nodes + sent.to.index()];
        let is_late = sent.number < *latest;
        *latest = sent.number.max(*latest);
        Some((flight, is_late))
    }
}

#[cfg(test)]
mod tests {
    use common::process::{
        faults::{Delay, FaultArgs},
        ids::ProcessId,
    };

    use super::*;
    use crate::harness::{history::History, message::body, settings::names};

    /// How many copies of each of 50 messages of a link arrive, and when; `others` go over another link between them.
    fn fates(seed: u64, others: usize) -> Vec<Vec<Duration>> {
        let text = r#"{"loss": "20%", "duplicate": "20%", "delay": "exp:5ms"}"#;
        let faults: FaultArgs = serde_json::from_str(text).unwrap();
        let faults = Faults::new(&faults, &names(3), Delay::default()).unwrap();
        let mut network = Network::new(&faults, 3, seed);
        let mut history = History::new(3, &faults.clocks, false);
        let mut send = |network: &mut Network, ends: (u32, u32)| {
            let ends = (ProcessId(ends.0), ProcessId(ends.1));
            let sent = history.send(Duration::ZERO, ends, &body("x", []), |_| None);
            network.send(Duration::ZERO, sent, Arc::from(&b"x"[..]));
        };
        let mut fates = Vec::new();
        for _ in 0..50 {
            (0..others).for_each(|_| send(&mut network, (2, 1)));
            while network.arrived(Duration::MAX).is_some() {}
            send(&mut network, (0, 1));
            let mut fate = Vec::new();
            while let Some(due) = network.due() {
                fate.push(due);
                network.arrived(due);
            }
            fates.push(fate);
        }
        fates
    }

    #[test]
    fn the_seed_gives_each_message_of_a_link_its_fate_whatever_passes_over_others() {
        let fate = fates(7, 0);
        assert_eq!(fate, fates(7, 3));
        assert_ne!(fate, fates(8, 0));
        let copies = |count| fate.iter().filter(|fate| fate.len() == count).count();
        assert!(copies(0) > 3 && copies(2) > 3, "{fate:?}");
    }

    #[test]
    fn a_partition_without_an_end_ends_when_the_network_heals() {
        let partition = FaultArgs {
            partition: vec!["n1>n2@1s".into(), "n2/n3@0s..2s".into()],
            ..FaultArgs::default()
        };
        let faults = Faults::new(&partition, &names(3), Delay::default()).unwrap();
        let mut network = Network::new(&faults, 3, 1);
        let mut history = History::new(3, &faults.clocks, false);
        let mut passes = |network: &mut Network, ends: (u32, u32), seconds: u64| {
            let now = Duration::from_secs(seconds);
            let ends = (ProcessId(ends.0), ProcessId(ends.1));
            let sent = history.send(now, ends, &body("x", []), |_| None);
            network.send(now, sent, Arc::from(&b"x"[..])).copies == 1
        };
        assert!(passes(&mut network, (0, 1), 0) && passes(&mut network, (1, 0), 3));
        assert!(!passes(&mut network, (0, 1), 3) && !passes(&mut network, (1, 2), 1));
        network.heal(Duration::from_secs(4));
        assert!(passes(&mut network, (0, 1), 4));
    }
}
