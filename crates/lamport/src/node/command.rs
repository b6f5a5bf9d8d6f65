//! The command `node`: turns the program's options into the settings of a process.

use std::time::Instant;

use common::{
    config::Options as _,
    event::{Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    process::{
        faults::{Delay, FaultArgs, Faults},
        ids::{Names, ProcessId, new_session},
        node::{
            self, Console, Settings,
            peers::{PeerTable, introduced},
            transport::BoundSocket,
        },
        physical::HardwareClock,
        reliable_link::ChannelOrder,
        workload::Workload,
    },
    shutdown::Shutdown,
    sys::terminal,
};

use super::{
    FREE,
    console::{Person, Supervised},
};
use crate::{
    algorithms::{Algorithm, with_process},
    bug::Bug,
    config::{Cli, MOST},
    reporting::UNORDERED,
    simulate::replay::{CLOCK, TYPED},
};

/// The hardware clock of a process whose supervisor knows the others.
fn own_clock(cli: &Cli, name: &str) -> Result<HardwareClock, Failure> {
    let FaultArgs {
        clock_offset,
        clock_drift,
        clock_jump,
        ..
    } = cli.fault_args()?;
    let own = FaultArgs {
        clock_offset,
        clock_drift,
        clock_jump,
        ..FaultArgs::default()
    };
    let names = Names::of_all(vec![name.to_owned()]);
    let faults = Faults::new(&own, &names, Delay::default())?;
    Ok(faults.clocks.of(ProcessId(0), 0))
}

/// Has the log written by this clock, if it is not right.
fn write_by(clock: HardwareClock, journal: &Journal) {
    if !clock.is_true() {
        let origin = HardwareClock::true_time_at(Instant::now());
        let clock = HardwareClock { origin, ..clock };
        journal.set_clock(move |time| clock.wall(time));
    }
}

/// The validated options, before any socket is bound.
#[derive(Debug)]
pub struct Plan {
    algorithm: Algorithm,
    settings: Settings<Option<Bug>>,
    name: String,
    /// Whether a person controls it, and not a supervisor.
    by_hand: bool,
    /// The peers, unless the supervisor of this process sends them.
    table: Option<PeerTable>,
}

impl Plan {
    /// Validates the options.
    ///
    /// # Errors
    /// When one is invalid (exit code 2).
    pub fn new(
        cli: &Cli,
        algorithm: Algorithm,
        managed: Option<Workload>,
    ) -> Result<Self, Failure> {
        let options = &cli.options;
        let Some(name) = options.output().name else {
            let why = "missing: every process has a name, such as --name p1";
            return Err(Failure::could_not_run("--name", why));
        };
        let peers = options.peer.clone().unwrap_or_default();
        let table = managed
            .is_none()
            .then(|| PeerTable::new(&name, cli.listen(FREE)?, &peers, MOST.1))
            .transpose()?;
        let lasting = options.r#for.map(|period| period.as_wait("--for"));
        let settings = Settings {
            algorithm: algorithm.word(),
            tolerates_restart: algorithm.tolerates_restart(),
            process: cli.bug(algorithm)?,
            order: cli.order(),
            clock: options.clock.unwrap_or(0),
            seed: options.seed.unwrap_or_else(|| new_session().into()),
            workload: match managed {
                Some(workload) => Some(algorithm.workload(workload)),
                None => algorithm.by_hand(),
            },
            lasting: lasting.transpose()?,
        };
        Ok(Self {
            algorithm,
            settings,
            name,
            by_hand: managed.is_none(),
            table,
        })
    }

    /// Runs the process on the bound socket.
    ///
    /// # Errors
    /// When it cannot run (exit code 2).
    pub fn run(
        self,
        cli: &Cli,
        bound: &BoundSocket,
        input: terminal::Input,
        journal: &Journal,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let Self {
            algorithm,
            settings,
            name,
            by_hand,
            table,
        } = self;
        let faults = |table: &PeerTable| cli.faults(&table.names, Delay::default());
        let given = table.as_ref().map(faults).transpose()?;
        let own = match &given {
            Some(faults) => table.as_ref().map(|table| faults.clocks.of(table.me, 0)),
            None => Some(own_clock(cli, &name)?),
        };
        write_by(own.unwrap_or_default(), journal);
        let address = bound
            .address()
            .map_err(|error| Failure::could_not_run("listen", common::exit::why(&error)))?;
        let group = table.as_ref().map(|table| {
            let names: Vec<_> = table.names.all().collect();
            let word = settings.algorithm;
            format!(", {word}: {name} of {}; type help", names.join(", "))
        });
        let text = format!("{address}{}", group.unwrap_or_default());
        let typed = (TYPED, u64::from(by_hand));
        let unordered = u64::from(settings.order == ChannelOrder::Unordered);
        let counts = [typed, (CLOCK, settings.clock), (UNORDERED, unordered)];
        let ready = Event::new(Kind::Ready)
            .algorithm(settings.algorithm)
            .counts(counts.into_iter().filter(|(_, count)| *count > 0));
        journal.ready(ready.text(text), &[address], cli.listen(FREE)?.port() == 0)?;
        let network = |next: &mut dyn FnMut() -> Option<String>| {
            if let (Some(table), Some(faults)) = (table, given) {
                return Ok(Some((table, faults)));
            }
            let Some(peers) = introduced(next) else {
                return Ok(None);
            };
            let table = PeerTable::new(&name, address, &peers, MOST.1)?;
            let faults = faults(&table)?;
            Ok(Some((table, faults)))
        };
        let sources = (bound, input);
        let summary = with_process!(algorithm, P => {
            let console: &mut dyn Console<P> = match by_hand {
                true => &mut Person(algorithm),
                false => &mut Supervised,
            };
            node::run::<P>(&settings, sources, console, network, journal, shutdown)
        })?;
        // The supervisor reads the log instead.
        let exit = if by_hand { summary.exit } else { Exit::Done };
        Ok(summary.exit(exit))
    }
}
