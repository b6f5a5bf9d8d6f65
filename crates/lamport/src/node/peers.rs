//! Who the other processes are, and whether they still are who they were.

use std::{
    collections::HashSet,
    mem::{Discriminant, discriminant},
    net::{IpAddr, SocketAddr},
};

use common::{
    exit::Failure,
    net,
    text::{check_name, visible},
};

use super::wire::Refused;
use crate::{
    algorithms::Algorithm,
    process::{Names, ProcessId},
};

/// The most processes that there may be.
const MOST: usize = crate::config::MOST.1;

/// How many kinds of refused messages are told of, and how many former sessions of a process are remembered.
const REMEMBERED: usize = 64;

/// All processes by name, this one among them, and where the others are.
#[derive(Clone, Debug)]
pub struct Others {
    /// What they are called.
    pub names: Names,
    /// Which one this is.
    pub me: ProcessId,
    /// Where the others are, by number; None for this one.
    pub addresses: Vec<Option<SocketAddr>>,
}

impl Others {
    /// This process, which listens there, and its peers, each `NAME=HOST:PORT`; of several addresses of a host the first
    /// of the same kind.
    ///
    /// # Errors
    /// For a name that two have, an address that is none, and too many or no peers (exit code 2).
    pub fn new(me: &str, listen: SocketAddr, peers: &[String]) -> Result<Self, Failure> {
        let told = |peer: &str| format!("--peer {}", visible(peer.as_bytes()));
        check_name(me).map_err(|why| Failure::could_not_run("--name", why))?;
        let mut named = vec![(me.to_owned(), None)];
        for peer in peers {
            let failed = |why: String| Failure::could_not_run(told(peer), why);
            let (name, at) = peer
                .split_once('=')
                .ok_or_else(|| failed("not NAME=HOST:PORT, such as p2=127.0.0.1:4002".into()))?;
            check_name(name).map_err(failed)?;
            if name == me {
                return Err(failed(
                    "this process itself is called so; see --name".into(),
                ));
            }
            let mut addresses = net::resolve("--peer", at)?.into_iter();
            let address = addresses.find(|address| address.is_ipv4() == listen.is_ipv4());
            if address.is_none() {
                let why =
                    format!("it has no address that could be reached from {listen}; see --listen");
                return Err(failed(why));
            }
            let same = named.iter().find(|(_, other)| *other == address);
            if let Some((other, _)) = same.filter(|(other, _)| other != name) {
                return Err(failed(format!("{other} is there already")));
            }
            named.push((name.to_owned(), address));
        }
        if !(2..=MOST).contains(&named.len()) {
            let why = format!("there must be 1 to {}", MOST - 1);
            return Err(Failure::could_not_run("--peer", why));
        }
        let names = named.iter().map(|(name, _)| name.clone()).collect();
        let names = Names::sorted(names)
            .map_err(|name| Failure::could_not_run(told(&name), "two are called so"))?;
        let address = |name: &str| named.iter().find(|(own, _)| own == name)?.1;
        Ok(Self {
            addresses: names.all().map(address).collect(),
            me: names.process(me).expect("it is among them"),
            names,
        })
    }
}

/// What a frame's sender is to this process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Whom it always was.
    Known,
    /// Somebody new of the same name, with whom the algorithm can go on.
    Restarted,
    /// It takes this process for one that had its name before.
    Unknowing,
    /// Somebody new of the same name, who has forgotten what it promised.
    Forgetful,
    /// One that somebody new of the same name has taken the place of.
    Former,
}

/// The other processes.
#[derive(Debug)]
pub(super) struct Peers<'a> {
    algorithm: Algorithm,
    others: &'a Others,
    /// This process's session.
    pub(super) session: u32,
    /// The others' sessions; 0 where it is not known yet.
    sessions: Vec<u32>,
    former: Vec<(ProcessId, u32)>,
    told: HashSet<(IpAddr, Discriminant<Refused>)>,
    told_of: Vec<(ProcessId, Standing)>,
}

impl<'a> Peers<'a> {
    pub(super) fn new(algorithm: Algorithm, others: &'a Others) -> Self {
        Self {
            algorithm,
            others,
            session: super::new_session(),
            sessions: vec![0; others.names.count()],
            former: Vec::new(),
            told: HashSet::new(),
            told_of: Vec::new(),
        }
    }

    /// Which process this is, if the frame is for this one.
    pub(super) fn sender(&self, from: &str, to: &str) -> Result<ProcessId, Refused> {
        let names = &self.others.names;
        if to != names.of(self.others.me) {
            return Err(Refused::NotForMe(to.to_owned()));
        }
        let other = names.process(from).filter(|other| *other != self.others.me);
        other.ok_or_else(|| Refused::Stranger(from.to_owned()))
    }

    /// What the process is that sent a frame of this session, in which it knows such a session of this process.
    pub(super) fn standing(&mut self, other: ProcessId, session: u32, knows: u32) -> Standing {
        let known = &mut self.sessions[other.index()];
        if self.former.contains(&(other, session)) {
            return Standing::Former;
        }
        let bears = self.algorithm.bears_a_restart();
        let restarted = *known != 0 && *known != session;
        if restarted && !bears {
            return Standing::Forgetful;
        }
        if restarted {
            self.former.push((other, *known));
            let excess = self.former.len().saturating_sub(REMEMBERED);
            self.former.drain(..excess);
        }
        *known = session;
        match (restarted, knows == 0 || knows == self.session) {
            (_, false) => Standing::Unknowing,
            (true, true) => Standing::Restarted,
            (false, true) => Standing::Known,
        }
    }

    /// The session of the other process, as far as it is known.
    pub(super) fn session_of(&self, other: ProcessId) -> u32 {
        self.sessions[other.index()]
    }

    /// Whether a refused message is to be told of: each kind once for each machine.
    pub(super) fn tell_of(&mut self, from: SocketAddr, refused: &Refused) -> bool {
        self.told.len() < REMEMBERED && self.told.insert((from.ip(), discriminant(refused)))
    }

    /// What is to be told of the process, if it was not told.
    pub(super) fn tell_of_standing(
        &mut self,
        other: ProcessId,
        standing: Standing,
    ) -> Option<String> {
        let name = self.others.names.of(other);
        let text = match standing {
            Standing::Known | Standing::Former => return None,
            Standing::Restarted => {
                return Some(format!(
                    "{name}: it has begun anew, or two processes are called so"
                ));
            }
            Standing::Forgetful => format!(
                "{name}: it has begun anew, or two processes are called so; what it promised before is forgotten, so it is passed over: start all of them anew"
            ),
            // With an algorithm that bears it the other one tells.
            Standing::Unknowing if self.algorithm.bears_a_restart() => return None,
            Standing::Unknowing => format!(
                "{name}: it goes on with an earlier process of this name, which promised things that are forgotten now: start all of them anew"
            ),
        };
        if self.told_of.contains(&(other, standing)) {
            return None;
        }
        self.told_of.push((other, standing));
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: SocketAddr = SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4000);

    fn others() -> Others {
        let peers = ["p10=127.0.0.1:4010", "p2=127.0.0.1:4002"].map(str::to_owned);
        Others::new("p1", HERE, &peers).unwrap()
    }

    #[test]
    fn everybody_numbers_the_processes_alike() {
        let others = others();
        assert_eq!(others.names.all().collect::<Vec<_>>(), ["p1", "p2", "p10"]);
        assert_eq!(others.addresses[2].unwrap().port(), 4010);
        assert_eq!(others.addresses[0], None);
        let peers = ["p1=127.0.0.1:4001", "p10=127.0.0.1:4010"].map(str::to_owned);
        assert_eq!(Others::new("p2", HERE, &peers).unwrap().names, others.names);
    }

    #[test]
    fn peers_that_cannot_be_are_refused() {
        for (peers, why) in [
            (vec![], "there must be 1 to 49"),
            (vec!["p2"], "not NAME=HOST:PORT"),
            (vec!["p2=nowhere"], "not HOST:PORT"),
            (vec!["p1=127.0.0.1:1"], "this process itself is called so"),
            (
                vec!["p2=127.0.0.1:1", "p2=127.0.0.1:2"],
                "two are called so",
            ),
            (
                vec!["p2=127.0.0.1:1", "p3=127.0.0.1:1"],
                "p2 is there already",
            ),
            (vec!["p2=[::1]:1"], "could be reached from 127.0.0.1:4000"),
            (vec!["p 2=127.0.0.1:1"], "'p 2' is not 1 to 64 letters"),
        ] {
            let peers: Vec<_> = peers.into_iter().map(str::to_owned).collect();
            let failure = Others::new("p1", HERE, &peers).unwrap_err().to_string();
            assert!(failure.contains(why), "{failure}");
        }
    }

    #[test]
    fn somebody_new_of_the_same_name_is_known_from_who_was_there_before() {
        let others = others();
        let other = ProcessId(1);
        let mut peers = Peers::new(Algorithm::Mutex, &others);
        let own = peers.session;
        assert_eq!(peers.standing(other, 5, 0), Standing::Known);
        assert_eq!(peers.standing(other, 5, own), Standing::Known);
        assert_eq!(peers.standing(other, 6, 0), Standing::Forgetful);
        assert_eq!(
            peers.standing(other, 5, own),
            Standing::Known,
            "the first goes on"
        );
        assert_eq!(
            peers.standing(other, 5, own.wrapping_add(1)),
            Standing::Unknowing
        );

        let mut peers = Peers::new(Algorithm::Events, &others);
        assert_eq!(peers.standing(other, 5, 0), Standing::Known);
        assert_eq!(peers.standing(other, 6, 0), Standing::Restarted);
        assert_eq!(peers.standing(other, 5, 0), Standing::Former);
        assert_eq!(peers.standing(other, 6, peers.session), Standing::Known);
    }
}
