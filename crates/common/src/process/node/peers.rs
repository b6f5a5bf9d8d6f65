//! The other processes, and their sessions: a process that restarts has a new one.

use std::{
    collections::HashSet,
    mem::{Discriminant, discriminant},
    net::{IpAddr, SocketAddr},
};

use super::{
    super::ids::{Names, ProcessId, new_session},
    book::AddressBook,
    wire::Rejected,
};
use crate::{
    endpoint::{self, Defaults},
    exit::Failure,
    text::{check_name, visible},
};

/// How many kinds of rejected frames are reported, and how many former sessions are remembered.
const REMEMBERED: usize = 64;

/// All processes with their names, and the addresses of the others.
#[derive(Clone, Debug)]
pub struct PeerTable {
    /// Their names, this process's included.
    pub names: Names,
    /// This process.
    pub me: ProcessId,
    /// The addresses, by number; None for this process.
    pub addresses: Vec<Option<SocketAddr>>,
    /// How it takes in processes that others name; None: all are known from the start.
    pub growth: Option<Growth>,
}

/// A table into which processes come that others name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Growth {
    /// Where this process listens.
    pub listen: SocketAddr,
    /// The most processes.
    pub most: usize,
}

impl PeerTable {
    /// The table of this process, which listens at `listen`, and its peers, each `NAME=HOST:PORT`; of at most `most` processes. Of a host with several
    /// addresses it takes the first of the same family.
    ///
    /// # Errors
    /// For a duplicate name, an invalid address, and no or too many peers (exit code 2).
    pub fn new(
        me: &str,
        listen: SocketAddr,
        peers: &[String],
        most: usize,
    ) -> Result<Self, Failure> {
        let flag = |peer: &str| format!("--peer {}", visible(peer.as_bytes()));
        check_name(me).map_err(|why| Failure::could_not_run("--name", why))?;
        let mut named = vec![(me.to_owned(), None)];
        for peer in peers {
            let failed = |why: String| Failure::could_not_run(flag(peer), why);
            let (name, at) = peer
                .split_once('=')
                .ok_or_else(|| failed("not NAME=HOST:PORT, such as p2=127.0.0.1:4002".into()))?;
            check_name(name).map_err(failed)?;
            if name == me {
                return Err(failed(
                    "this is the name of this process; see --name".into(),
                ));
            }
            let mut addresses = endpoint::connect("--peer", at, Defaults::NONE)?.into_iter();
            let address = addresses.find(|address| address.is_ipv4() == listen.is_ipv4());
            if address.is_none() {
                let why = format!("no address that is reachable from {listen}; see --listen");
                return Err(failed(why));
            }
            let same = named.iter().find(|(_, other)| *other == address);
            if let Some((other, _)) = same.filter(|(other, _)| other != name) {
                return Err(failed(format!("{other} has this address")));
            }
            named.push((name.to_owned(), address));
        }
        if !(2..=most).contains(&named.len()) {
            let why = format!("1 to {} peers are required", most - 1);
            return Err(Failure::could_not_run("--peer", why));
        }
        let names = named.iter().map(|(name, _)| name.clone()).collect();
        let names = Names::sorted(names)
            .map_err(|name| Failure::could_not_run(flag(&name), "two processes have this name"))?;
        let address = |name: &str| named.iter().find(|(known, _)| known == name)?.1;
        Ok(Self {
            addresses: names.all().map(address).collect(),
            me: names.process(me).expect("this process is in the table"),
            names,
            growth: None,
        })
    }

    /// The table of a process that is the only one.
    pub fn alone(me: &str) -> Self {
        Self {
            names: Names::of_all(vec![me.to_owned()]),
            me: ProcessId(0),
            addresses: vec![None],
            growth: None,
        }
    }

    /// The table of a process that knows no other one yet, and takes in those that others name.
    pub fn growing(me: &str, growth: Growth) -> Self {
        Self {
            growth: Some(growth),
            ..Self::alone(me)
        }
    }

    /// How many processes it holds at most.
    pub(super) fn capacity(&self) -> usize {
        self.growth.map_or(self.names.count(), |growth| growth.most)
    }
}

/// Reads the lines by which a supervisor introduces the other processes: `peer NAME=HOST:PORT` for each, then `start`. None when
/// they end before.
pub fn introduced(next: &mut dyn FnMut() -> Option<String>) -> Option<Vec<String>> {
    let mut peers = Vec::new();
    loop {
        let line = next()?;
        match line.trim().split_once(' ') {
            Some(("peer", peer)) => peers.push(peer.to_owned()),
            _ if line.trim() == "start" => return Some(peers),
            _ => {}
        }
    }
}

/// The status of a frame's sender.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum PeerStatus {
    /// Its session is known.
    Known,
    /// It has restarted, and the algorithm tolerates that.
    Restarted,
    /// It knows an earlier session of this process.
    StaleSession,
    /// It has restarted, and the algorithm needs the state that it has lost.
    StateLost,
    /// The frame is from an earlier session of the sender.
    Former,
}

/// The other processes.
#[derive(Debug)]
pub(super) struct Peers {
    /// Whether the algorithm tolerates that a process restarts without its state.
    tolerates_restart: bool,
    pub(super) table: PeerTable,
    /// What is heard of addresses, where the table grows.
    pub(super) book: Option<AddressBook>,
    /// This process's session.
    pub(super) session: u32,
    /// The other processes' sessions; 0 where unknown.
    pub(super) sessions: Vec<u32>,
    former: Vec<(ProcessId, u32)>,
    /// The rejected frames that were reported.
    reported: HashSet<(IpAddr, Discriminant<Rejected>)>,
    /// The warnings that were issued.
    warned: Vec<(ProcessId, PeerStatus)>,
}

impl Peers {
    pub(super) fn new(tolerates_restart: bool, table: PeerTable) -> Self {
        let book = table.growth.map(|growth| AddressBook::new(growth.listen));
        Self {
            tolerates_restart,
            session: new_session(),
            sessions: vec![0; table.names.count()],
            table,
            book,
            former: Vec::new(),
            reported: HashSet::new(),
            warned: Vec::new(),
        }
    }

    /// The status of a process that sends a frame from this session, and that knows the session `knows` of this process.
    pub(super) fn status(&mut self, other: ProcessId, session: u32, knows: u32) -> PeerStatus {
        let known = &mut self.sessions[other.index()];
        if self.former.contains(&(other, session)) {
            return PeerStatus::Former;
        }
        let restarted = *known != 0 && *known != session;
        if restarted && !self.tolerates_restart {
            return PeerStatus::StateLost;
        }
        if restarted {
            self.former.push((other, *known));
            let excess = self.former.len().saturating_sub(REMEMBERED);
            self.former.drain(..excess);
        }
        *known = session;
        match (restarted, knows == 0 || knows == self.session) {
            (_, false) => PeerStatus::StaleSession,
            (true, true) => PeerStatus::Restarted,
            (false, true) => PeerStatus::Known,
        }
    }

    /// The session of another process; 0 if unknown.
    pub(super) fn session_of(&self, other: ProcessId) -> u32 {
        self.sessions.get(other.index()).copied().unwrap_or(0)
    }

    /// Where another process is.
    pub(super) fn address_of(&self, other: ProcessId) -> Option<SocketAddr> {
        self.table.addresses.get(other.index()).copied().flatten()
    }

    /// Whether a rejected frame is the first of its kind from this host, and is to be reported.
    pub(super) fn is_first(&mut self, from: SocketAddr, why: &Rejected) -> bool {
        self.reported.len() < REMEMBERED && self.reported.insert((from.ip(), discriminant(why)))
    }

    /// The warning about a process with this status, if it was not issued.
    pub(super) fn warning(&mut self, other: ProcessId, status: PeerStatus) -> Option<String> {
        let name = self.table.names.of(other);
        let text = match status {
            PeerStatus::Known | PeerStatus::Former => return None,
            PeerStatus::Restarted => {
                return Some(format!(
                    "{name}: restarted, or two processes have this name"
                ));
            }
            PeerStatus::StateLost => format!(
                "{name}: restarted without its earlier state, or two processes have this name; its messages are discarded: restart all processes"
            ),
            // With an algorithm that tolerates a restart the other process reports it.
            PeerStatus::StaleSession if self.tolerates_restart => return None,
            PeerStatus::StaleSession => format!(
                "{name}: continues with an earlier process of this name, whose state is lost: restart all processes"
            ),
        };
        if self.warned.contains(&(other, status)) {
            return None;
        }
        self.warned.push((other, status));
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);

    fn table() -> PeerTable {
        let peers = ["p10=127.0.0.1:4010", "p2=127.0.0.1:4002"].map(str::to_owned);
        PeerTable::new("p1", HERE, &peers, 50).unwrap()
    }

    #[test]
    fn all_processes_assign_the_same_numbers() {
        let table = table();
        assert_eq!(table.names.all().collect::<Vec<_>>(), ["p1", "p2", "p10"]);
        assert_eq!(table.addresses[2].unwrap().port(), 4010);
        assert_eq!(table.addresses[0], None);
        let peers = ["p1=127.0.0.1:4001", "p10=127.0.0.1:4010"].map(str::to_owned);
        assert_eq!(
            PeerTable::new("p2", HERE, &peers, 50).unwrap().names,
            table.names
        );
    }

    #[test]
    fn invalid_peers_are_rejected() {
        for (peers, why) in [
            (vec![], "1 to 49 peers are required"),
            (vec!["p2"], "not NAME=HOST:PORT"),
            (vec!["p2=nowhere"], "not HOST:PORT"),
            (vec!["p1=127.0.0.1:1"], "this is the name of this process"),
            (
                vec!["p2=127.0.0.1:1", "p2=127.0.0.1:2"],
                "two processes have this name",
            ),
            (
                vec!["p2=127.0.0.1:1", "p3=127.0.0.1:1"],
                "p2 has this address",
            ),
            (
                vec!["p2=[::1]:1"],
                "no address that is reachable from 127.0.0.1:4000",
            ),
            (vec!["p 2=127.0.0.1:1"], "'p 2' is not 1 to 64 letters"),
        ] {
            let peers: Vec<_> = peers.into_iter().map(str::to_owned).collect();
            let failure = PeerTable::new("p1", HERE, &peers, 50)
                .unwrap_err()
                .to_string();
            assert!(failure.contains(why), "{failure}");
        }
    }

    #[test]
    fn a_restarted_process_is_told_from_its_earlier_session() {
        let other = ProcessId(1);
        let mut peers = Peers::new(false, table());
        let session = peers.session;
        assert_eq!(peers.status(other, 5, 0), PeerStatus::Known);
        assert_eq!(peers.status(other, 5, session), PeerStatus::Known);
        assert_eq!(peers.status(other, 6, 0), PeerStatus::StateLost);
        assert_eq!(
            peers.status(other, 5, session),
            PeerStatus::Known,
            "the first session continues"
        );
        assert_eq!(
            peers.status(other, 5, session.wrapping_add(1)),
            PeerStatus::StaleSession
        );

        let mut peers = Peers::new(true, table());
        assert_eq!(peers.status(other, 5, 0), PeerStatus::Known);
        assert_eq!(peers.status(other, 6, 0), PeerStatus::Restarted);
        assert_eq!(peers.status(other, 5, 0), PeerStatus::Former);
        assert_eq!(peers.status(other, 6, peers.session), PeerStatus::Known);
    }
}
