//! The options of real processes: of a node of a ring, and of many processes of any scheme.

use std::{net::SocketAddr, time::Duration};

use common::{
    config::{Options as _, Period, in_range},
    endpoint::{self, Defaults},
    exit::Failure,
    net,
    process::{
        faults::{Delay, FaultArgs, Faults},
        ids::{Names, new_session},
        workload::Workload,
    },
    sys::Feature,
    text::check_name,
};

use super::Cli;
use crate::{
    location::{
        chord::settings::SUCCESSORS,
        circle,
        schemes::{Group, LocationScheme},
    },
    ring::{FREE, MOST, join::JoinBy, node::Plan},
    run::{self, settings::RunSettings},
};

/// How many names are put unless another number is given.
const NAMES: usize = 32;

/// What a node of a ring has of its own, and a ring not.
const OF_A_NODE: [&str; 6] = [
    "--id",
    "--peer",
    "--join",
    "--listen",
    "--ready-file",
    "--trace",
];

/// What a ring has, and a node not.
const OF_A_RING: [&str; 6] = [
    "--kill", "--crash", "--rate", "--logs", "--names", "--moves",
];

/// What only processes of a ring have.
const OF_CHORD: [&str; 2] = ["--successors", "--stabilize"];

/// How many processes run unless another number is given.
const PROCESSES: usize = 5;

/// How many moves a second a run has unless another number is given.
const MOVES: u64 = 10;

impl Cli {
    /// The address on which a node listens: without `--listen` that from which the member is reached by whose address it joins.
    ///
    /// # Errors
    /// When it is none (exit code 2).
    pub fn node_address(&self, plan: &Plan) -> Result<SocketAddr, Failure> {
        match (&self.options.listen, &plan.join) {
            (Some(listen), _) => listen.listen("--listen", FREE),
            (None, Some(JoinBy::Address(_, member))) => {
                // Without a route to it the system says so when it is asked.
                let source = net::source_to(*member);
                Ok(source.map_or(FREE, |source| SocketAddr::new(source, 0)))
            }
            (None, _) => Ok(FREE),
        }
    }

    /// The member to join by: with peers one of them, and without any the one at an address.
    fn join(&self) -> Result<Option<JoinBy>, Failure> {
        let Some(join) = &self.options.join else {
            return Ok(None);
        };
        if self.options.peer.is_some() {
            return Ok(Some(JoinBy::Name(join.clone())));
        }
        let listen = self.options.listen.as_ref();
        let listen = listen.map(|listen| listen.listen("--listen", FREE));
        let is_ipv4 = listen.transpose()?.map(|listen| listen.is_ipv4());
        let addresses = endpoint::connect("--join", join, Defaults::NONE)?;
        let mut of_family = addresses.iter();
        let fits = |address: &&SocketAddr| is_ipv4.is_none_or(|is| address.is_ipv4() == is);
        let address = of_family.find(fits).or(addresses.first());
        Ok(address.map(|address| JoinBy::Address(join.clone(), *address)))
    }

    /// One node of a ring.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn node(&self) -> Result<Plan, Failure> {
        let options = &self.options;
        options.given.refuse(&OF_A_RING, "is of --ring N alone")?;
        let name = self.name_of_process()?;
        let id = options.id.unwrap_or_else(|| circle::hash(&name));
        let lasting = options.r#for.map(|period| period.as_wait("--for"));
        Ok(Plan {
            id,
            join: self.join()?,
            peers: options.peer.clone().unwrap_or_default(),
            lasting: lasting.transpose()?,
            seed: options.seed.unwrap_or_else(|| new_session().into()),
            workload: self.ring_workload()?,
            successors: self.successors(SUCCESSORS)?,
            fault_args: self.fault_args(),
            name,
        })
    }

    /// A ring of many nodes.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn ring(&self, nodes: usize) -> Result<RunSettings, Failure> {
        let given = &self.options.given;
        given.refuse(&OF_A_NODE, "is of a single node, and not of --ring")?;
        self.many(LocationScheme::ChordIterative, ("--ring", nodes), 0)
    }

    /// Many processes of a scheme.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn run(&self, scheme: LocationScheme) -> Result<RunSettings, Failure> {
        if !scheme.is_ring() {
            self.options.given.refuse(&OF_CHORD, "is of chord alone")?;
        }
        let processes = self.options.processes.unwrap_or(PROCESSES);
        self.many(scheme, ("--processes", processes), MOVES)
    }

    fn many(
        &self,
        scheme: LocationScheme,
        (flag, processes): (&str, usize),
        moves: u64,
    ) -> Result<RunSettings, Failure> {
        let options = &self.options;
        let processes = in_range(flag, processes, 1, MOST)?;
        let names = Names::numbered(processes);
        let fault_args = self.fault_args();
        let faults = Faults::new(&fault_args, &names, Delay::default())?;
        faults.check_pauses(&names, Feature::Pause.missing())?;
        let lasting = options.r#for.unwrap_or(Period(Duration::from_secs(5)));
        let rate = in_range("--rate", options.rate.unwrap_or(10.0), 0.1, 1_000.0)?;
        Ok(RunSettings {
            scheme,
            group: self.group(processes)?,
            kill: in_range("--kill", options.kill.unwrap_or(0), 0, processes - 1)?,
            records: in_range("--names", self.number_of_names(NAMES)?, 1, 10_000)?,
            moves: in_range("--moves", options.moves.unwrap_or(moves), 0, 1_000)?,
            lasting: lasting.as_wait("--for")?,
            seed: options.seed.unwrap_or_else(|| new_session().into()),
            workload: self.ring_workload()?,
            partitions: fault_args.partition,
            logs: options.logs.clone(),
            rate,
            faults,
            names,
        })
    }

    /// One process of a run.
    ///
    /// # Errors
    /// When something is out of range (exit code 2).
    pub fn process_of_run(&self, scheme: LocationScheme) -> Result<run::node::Plan, Failure> {
        let processes = self.options.processes.unwrap_or(PROCESSES);
        Ok(run::node::Plan {
            scheme,
            group: self.group(processes)?,
            name: self.name_of_process()?,
            workload: self.ring_workload()?,
            fault_args: self.fault_args(),
            seed: self.options.seed.unwrap_or_else(|| new_session().into()),
        })
    }

    fn name_of_process(&self) -> Result<String, Failure> {
        let Some(name) = self.options.output().name else {
            let why = "missing: every node has a name, such as --name p1";
            return Err(Failure::could_not_run("--name", why));
        };
        check_name(&name).map_err(|why| Failure::could_not_run("--name", why))?;
        Ok(name)
    }

    /// The processes of a run: those of a ring join it one after another.
    fn group(&self, processes: usize) -> Result<Group, Failure> {
        Ok(Group {
            successors: self.successors(SUCCESSORS)?,
            maintain: true,
            joins: true,
            ..Group::of(processes)
        })
    }

    /// The durations of the timers of a node.
    fn ring_workload(&self) -> Result<Workload, Failure> {
        let of = |flag, given: Option<Period>, default| {
            let given = given.unwrap_or(Period(Duration::from_millis(default)));
            let range = (
                Period(Duration::from_millis(10)),
                Period(Duration::from_secs(60)),
            );
            in_range(flag, given, range.0, range.1).map(|period| period.0)
        };
        Ok(Workload {
            maintenance: of("--stabilize", self.options.stabilize, 200)?,
            timeout: of("--timeout", self.options.timeout, 500)?,
            ..Workload::new(1.0, 0)
        })
    }

    /// The length of the successor lists, of this one unless another is given.
    pub(super) fn successors(&self, usual: usize) -> Result<usize, Failure> {
        let successors = self.options.successors.unwrap_or(usual);
        in_range("--successors", successors, 1, 16)
    }

    /// The faults.
    pub(super) fn fault_args(&self) -> FaultArgs {
        let options = &self.options;
        FaultArgs {
            loss: options.loss,
            duplicate: options.duplicate,
            reorder: options.reorder,
            delay: options.delay,
            partition: options.partition.clone().unwrap_or_default(),
            crash: options.crash.clone().unwrap_or_default(),
            ..FaultArgs::default()
        }
    }
}
