//! One process of a run: its supervisor sends it its peers, and commands.

use std::time::Duration;

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    process::{
        faults::{Delay, FaultArgs, Faults},
        node::{
            self, Settings,
            peers::{PeerTable, introduced},
            transport::BoundSocket,
        },
        reliable_link::ChannelOrder,
        workload::Workload,
    },
    shutdown::Shutdown,
    sys::terminal,
};

use super::console::Supervised;
use crate::{
    location::{
        Scheme,
        schemes::{Group, LocationScheme, with_scheme},
    },
    ring::MOST,
};

/// What a process is told before it starts.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The scheme.
    pub scheme: LocationScheme,
    /// Its group.
    pub group: Group,
    /// Its name.
    pub name: String,
    /// The durations of its timers.
    pub workload: Workload,
    /// The faults of the network.
    pub fault_args: FaultArgs,
    /// The random seed.
    pub seed: u64,
}

impl Plan {
    /// Runs the process on the bound socket.
    ///
    /// # Errors
    /// When it cannot run (exit code 2).
    pub fn run(
        &self,
        bound: &BoundSocket,
        input: terminal::Input,
        journal: &Journal,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        with_scheme!(self.scheme, self.group, P, settings => {
            self.run_as::<P>(settings, (bound, input), journal, shutdown)
        })
    }

    fn run_as<P: Scheme>(
        &self,
        process: P::Settings,
        (bound, input): (&BoundSocket, terminal::Input),
        journal: &Journal,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let address = bound.address();
        let address = address.map_err(|error| Failure::could_not_run("listen", why(&error)))?;
        let algorithm = self.scheme.algorithm();
        let ready = Event::new(Kind::Ready).algorithm(algorithm);
        journal.ready(ready.text(address.to_string()), &[address], true)?;
        let settings = Settings {
            algorithm,
            tolerates_restart: true,
            process,
            order: ChannelOrder::Fifo,
            clock: 0,
            seed: self.seed,
            workload: Some(self.workload),
            lasting: None::<Duration>,
        };
        let network = |next: &mut dyn FnMut() -> Option<String>| {
            let Some(peers) = introduced(next) else {
                return Ok(None);
            };
            let table = match peers.is_empty() {
                true => PeerTable::alone(&self.name),
                false => PeerTable::new(&self.name, address, &peers, MOST)?,
            };
            let faults = Faults::new(&self.fault_args, &table.names, Delay::default())?;
            Ok(Some((table, faults)))
        };
        let console = &mut Supervised::default();
        node::run::<P>(
            &settings,
            (bound, input),
            console,
            network,
            journal,
            shutdown,
        )
    }
}
