//! The command `node`: makes of what the program is told what a process is to be.

use std::{fs::File, net::SocketAddr};

use common::{
    config::Options as _,
    event::{Event, Kind},
    exit::{Exit, Failure, Summary},
    journal::Journal,
    shutdown::Shutdown,
};

use super::{Bound, Others, Settings, run};
use crate::{algorithms::Algorithm, config::Cli, faults::Delay};

/// What is to be run, checked before anything is bound.
#[derive(Debug)]
pub struct Plan {
    settings: Settings,
    name: String,
    /// Who the others are, unless whoever manages this process says it.
    others: Option<Others>,
}

impl Plan {
    /// What the program is told.
    ///
    /// # Errors
    /// When something is wrong in it (exit code 2).
    pub fn new(cli: &Cli, algorithm: Algorithm, managed: bool) -> Result<Self, Failure> {
        let options = &cli.options;
        let Some(name) = options.output().name else {
            let why = "a process needs a name, such as --name p1";
            return Err(Failure::could_not_run("--name", why));
        };
        let peers = options.peer.clone().unwrap_or_default();
        let others = (!managed)
            .then(|| Others::new(&name, Self::listen(cli), &peers))
            .transpose()?;
        let lasting = options.r#for.map(|period| period.as_wait("--for"));
        let settings = Settings {
            algorithm,
            bug: cli.bug(algorithm)?,
            clock: options.clock.unwrap_or(0),
            seed: options.seed.unwrap_or_else(|| super::new_session().into()),
            workload: managed.then(|| cli.workload(u64::MAX)).transpose()?,
            lasting: lasting.transpose()?,
        };
        Ok(Self {
            settings,
            name,
            others,
        })
    }

    /// Where to listen.
    pub fn listen(cli: &Cli) -> SocketAddr {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        cli.options.listen.unwrap_or(free)
    }

    /// Runs the process on what is bound.
    ///
    /// # Errors
    /// When it cannot run as told (exit code 2).
    pub fn run(
        self,
        cli: &Cli,
        bound: &Bound,
        input: File,
        journal: &Journal,
        shutdown: &Shutdown,
    ) -> Result<Summary, Failure> {
        let Self {
            settings,
            name,
            others,
        } = self;
        let faults = |others: &Others| cli.faults(&others.names, Delay::default());
        let early = others.as_ref().map(faults).transpose()?;
        let address = bound
            .address()
            .map_err(|error| Failure::could_not_run("listen", common::exit::why(&error)))?;
        let all = others.as_ref().map(|others| {
            let names: Vec<_> = others.names.all().collect();
            let word = settings.algorithm.word();
            format!(", {name} among {}, {word}; type help", names.join(", "))
        });
        let text = format!("{address}{}", all.unwrap_or_default());
        journal.record(Event::new(Kind::Ready).text(text));
        let network = |next: &mut dyn FnMut() -> Option<String>| {
            if let (Some(others), Some(faults)) = (others, early) {
                return Ok(Some((others, faults)));
            }
            let mut peers = Vec::new();
            while let Some(line) = next() {
                match line.trim().split_once(' ') {
                    Some(("peer", peer)) => peers.push(peer.to_owned()),
                    _ if line.trim() == "start" => {
                        let others = Others::new(&name, address, &peers)?;
                        let faults = faults(&others)?;
                        return Ok(Some((others, faults)));
                    }
                    _ => {}
                }
            }
            Ok(None)
        };
        let by_hand = settings.workload.is_none();
        let summary = run(&settings, bound, input, network, journal, shutdown)?;
        // Whoever manages it has been told.
        let exit = if by_hand { summary.exit } else { Exit::Done };
        Ok(summary.exit(exit))
    }
}
