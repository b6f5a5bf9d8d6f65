//! One process of a ring: joins by a member, or starts a ring, and does what is typed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    process::{
        faults::{Delay, FaultArgs, Faults},
        ids::ProcessId,
        node::{
            self, Console, Settings,
            peers::{Growth, PeerTable},
            transport::BoundSocket,
        },
        reliable_link::ChannelOrder,
        workload::Workload,
    },
    shutdown::Shutdown,
    sys::terminal,
};

use super::{ALGORITHM, MOST, console::Person, join::JoinBy};
use crate::location::{
    chord::{
        Chord,
        settings::{LookUps, Rules, Settings as Ring},
    },
    circle::{Circle, Id, MOST_BITS},
};

/// How many times the patience of a request a node tries to join.
const JOINING: u32 = 10;

/// What one process is told.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its identifier.
    pub id: Id,
    /// The other processes, each `NAME=HOST:PORT`.
    pub peers: Vec<String>,
    /// The member that it joins by; None when it starts a ring.
    pub join: Option<JoinBy>,
    /// The length of its successor list.
    pub successors: usize,
    /// The durations of its timers.
    pub workload: Workload,
    /// The faults of the network.
    pub fault_args: FaultArgs,
    /// The random seed.
    pub seed: u64,
    /// When it ends by itself.
    pub lasting: Option<Duration>,
}

impl Plan {
    /// The processes that it knows from the start, and the one that it joins by: itself when it starts a ring, none as long as only
    /// an address is known. Without peers it gets to know others from the ring.
    fn members(&self, listen: SocketAddr) -> Result<(PeerTable, Option<ProcessId>), Failure> {
        let growth = Growth { listen, most: MOST };
        let table = match self.peers.is_empty() {
            true => PeerTable::growing(&self.name, growth),
            false => PeerTable::new(&self.name, listen, &self.peers, MOST)?,
        };
        let Some(join) = &self.join else {
            let me = table.me;
            return Ok((table, Some(me)));
        };
        let why = match join {
            JoinBy::Address(_, address) => {
                let is_reachable = address.is_ipv4() == listen.is_ipv4()
                    && (address.ip().is_loopback() || !listen.ip().is_loopback());
                if is_reachable {
                    return Ok((table, None));
                }
                format!("not reachable from {listen}; see --listen")
            }
            JoinBy::Name(name) => {
                let contact = table.names.process(name);
                if let Some(contact) = contact.filter(|contact| *contact != table.me) {
                    return Ok((table, Some(contact)));
                }
                "not the name of a --peer; the member to join by is one".to_owned()
            }
        };
        Err(Failure::could_not_run(format!("--join {join}"), why))
    }

    fn ring(&self, contact: Option<ProcessId>) -> Ring {
        Ring {
            circle: Circle::new(MOST_BITS),
            successors: self.successors,
            look_ups: LookUps::default(),
            rules: Rules::default(),
            // The identifiers of the others come in their messages.
            ids: vec![self.id; MOST].into(),
            ring: Arc::new([]),
            contact,
            maintain: true,
        }
    }

    /// Runs the process on the bound socket, which was bound to `listen`.
    ///
    /// # Errors
    /// When it cannot run (exit code 2), or cannot join (exit code 1).
    pub fn run(
        self,
        (bound, listen): (&BoundSocket, SocketAddr),
        input: terminal::Input,
        journal: &Journal,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let address = bound.address();
        let address = address.map_err(|error| Failure::could_not_run("listen", why(&error)))?;
        let (table, contact) = self.members(address)?;
        let faults = Faults::new(&self.fault_args, &table.names, Delay::default())?;
        let names: Vec<_> = table.names.all().collect();
        let of_all = match names[..] {
            [_] => String::new(),
            _ => format!(" of {}", names.join(", ")),
        };
        let (name, id) = (&self.name, self.id);
        let text = format!("{address}, chord: {name}{of_all}, identifier {id}; type help");
        let ready = Event::new(Kind::Ready).algorithm(ALGORITHM).text(text);
        journal.ready(ready, &[address], listen.port() == 0)?;
        let settings = Settings {
            algorithm: ALGORITHM,
            tolerates_restart: true,
            process: self.ring(contact),
            order: ChannelOrder::Fifo,
            clock: 0,
            seed: self.seed,
            workload: Some(self.workload),
            lasting: self.lasting,
        };
        let network = |_: &mut dyn FnMut() -> Option<String>| Ok(Some((table, faults)));
        let limit = self.workload.timeout * JOINING;
        let mut person = Person::new((self.name.clone(), self.id), self.join.clone(), limit);
        let console: &mut dyn Console<Chord> = &mut person;
        let sources = (bound, input);
        let summary = node::run::<Chord>(&settings, sources, console, network, journal, shutdown)?;
        match person.failure {
            Some(failure) => Err(failure),
            None => Ok(summary),
        }
    }
}
