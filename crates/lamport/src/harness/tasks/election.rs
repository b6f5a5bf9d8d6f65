//! `election` and `wireless`: clients ask nodes to hold elections; every node reports whom it takes as the leader, and of which term. In
//! `wireless` it reaches its neighbours only, and may report its place in the tree of an election.

use std::time::Duration;

use common::process::{Meaning, clock::Timestamp, ids::ProcessId, verdict::check::Check};
use rand_pcg::Pcg64Mcg;

use crate::{
    algorithms::wireless::network::Network,
    harness::{
        history::{History, Sent},
        message::{Body, body, expect_report, found, kind, number},
        task::{End, Exchange, Task},
    },
    verdict::{election::best, stations::Stations},
};

/// The workload.
#[derive(Debug)]
pub(super) struct Election {
    /// Whether each node was asked to hold an election.
    is_asked: Vec<bool>,
    /// The leader that each node has reported last, with its term.
    leaders: Vec<Option<(u64, ProcessId)>>,
    /// Who reaches whom, where nodes reach their neighbours only.
    stations: Option<(Network, Stations)>,
}

impl Election {
    pub(super) fn new(nodes: usize) -> Self {
        Self {
            is_asked: vec![false; nodes],
            leaders: vec![None; nodes],
            stations: None,
        }
    }

    /// In this network.
    pub(super) fn wireless(nodes: usize) -> Self {
        let network = Network::of(nodes);
        let mut stations = Stations::new(nodes);
        for process in ProcessId::all(nodes) {
            stations.see(process, &network.station(process));
        }
        Self {
            stations: Some((network, stations)),
            ..Self::new(nodes)
        }
    }
}

impl Task for Election {
    fn request(&mut self, node: usize, _: &mut Pcg64Mcg) -> Body {
        self.is_asked[node] = true;
        body("elect", [])
    }

    fn asked(&mut self, _: usize, _: &Body, _: Timestamp) -> Option<Meaning> {
        Some(Meaning::Elect)
    }

    fn answered(&mut self, _: &mut History, _: Duration, _: Exchange<'_>) -> Result<(), String> {
        Ok(())
    }

    fn detects(&self, node: usize, killed: usize) -> bool {
        let reaches = |network: &(Network, Stations)| {
            let neighbours = network.0.neighbours(ProcessId::at(node));
            neighbours.contains(&ProcessId::at(killed))
        };
        self.stations.as_ref().is_none_or(reaches)
    }

    fn sent(
        &mut self,
        history: &mut History,
        _: Duration,
        sent: &Sent,
        _: &Body,
    ) -> Result<(), String> {
        let Some((network, _)) = &self.stations else {
            return Ok(());
        };
        let neighbours = network.neighbours(sent.from);
        if sent.from == sent.to || neighbours.contains(&sent.to) {
            return Ok(());
        }
        let names: Vec<_> = neighbours.iter().map(|it| history.names.of(*it)).collect();
        let names = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        let to = history.names.of(sent.to);
        Err(format!(
            "expected one of its neighbours as dest, {names}, found {to}, which it does not reach"
        ))
    }

    fn report(
        &mut self,
        history: &mut History,
        at: Duration,
        node: usize,
        body: &Body,
    ) -> Result<bool, String> {
        match self.stations {
            Some(_) => expect_report(body, &["leader", "parent"])?,
            None => expect_report(body, &["leader"])?,
        }
        let what = kind(body).to_owned();
        let (Some(time), Some(process)) = (number(body, "term"), history.node(body, &what)) else {
            return Err(format!(
                "expected an integer as term and a node as {what} in {what}, found {}",
                found(body, &["term", &what])
            ));
        };
        let named = Timestamp { time, process };
        let is_parent = what == "parent";
        let meaning = match is_parent {
            true => Meaning::Parent(named),
            false => Meaning::Leader(named),
        };
        history.local(at, ProcessId::at(node), meaning);
        if is_parent {
            return Ok(false);
        }
        let now = Some((time, process));
        Ok(std::mem::replace(&mut self.leaders[node], now) != now)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        let is_down = |process: ProcessId| !end.is_up[process.index()];
        let of_all = best(self.leaders.len(), is_down);
        let best = |node: usize| match &self.stations {
            Some((_, stations)) => Some(stations.best(ProcessId::at(node), &is_down)),
            None => of_all,
        };
        // A part of a network that nobody has asked has no leader.
        let asked = end.of_those_up(&self.is_asked).filter(|(_, it)| **it);
        let asked: Vec<_> = asked.map(|(node, _)| best(node)).collect();
        end.of_those_up(&self.leaders).all(|(node, leader)| {
            let best = best(node);
            !asked.contains(&best) || leader.map(|(_, leader)| leader) == best
        })
    }

    fn conclude(&self, _: &End<'_>) -> Vec<Check> {
        Vec::new()
    }
}
