//! The command `run`: real processes on this machine, started, watched, stopped and judged.
//!
//! Each is this very program as `lamport node`, told over its standard input who the others are, when to begin and when
//! to finish. What they did is read from their logs afterwards.

mod crew;
mod member;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use common::{
    config::Period,
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
    text::{micros, visible_path, whole_micros},
};
use crossbeam::channel::bounded;

use self::{crew::Crew, member::Member};
use crate::{
    algorithms::Algorithm,
    config::{Cli, MOST, Show, Transport},
    faults::{Delay, Faults, Wanted},
    logs,
    process::{Names, ProcessId},
    reporting::{self, Report, line},
    shortest::shortest,
    simulate,
    verdict::{Case, Verdict},
    workload::Workload,
};

/// What is run.
#[derive(Clone, Debug)]
pub struct Settings {
    algorithm: Algorithm,
    names: Names,
    transport: Transport,
    lasting: Duration,
    workload: Workload,
    wanted: Wanted,
    faults: Faults,
    seed: Option<u64>,
    show: Show,
    logs: Option<PathBuf>,
    /// What is simulated to find a shorter run when this one is broken.
    simulation: simulate::Settings,
}

impl Settings {
    /// What the program is told.
    ///
    /// # Errors
    /// When something is wrong in it (exit code 2).
    pub fn new(cli: &Cli, algorithm: Algorithm) -> Result<Self, Failure> {
        let options = &cli.options;
        let names = Names::numbered(cli.processes(MOST.1)?);
        let wanted = cli.wanted()?;
        let lasting = options.r#for.unwrap_or(Period(Duration::from_secs(5)));
        Ok(Self {
            algorithm,
            transport: options.transport.unwrap_or_default(),
            lasting: lasting.as_wait("--for")?,
            workload: cli.workload(u64::MAX)?,
            faults: Faults::new(&wanted, &names, Delay::default())?,
            simulation: cli.simulation(algorithm, &wanted)?,
            wanted,
            names,
            seed: options.seed,
            show: options.show.unwrap_or(Show(0)),
            logs: options.logs.clone(),
        })
    }

    /// The command that is one of the processes.
    fn command(&self, process: ProcessId, folder: &Path) -> Result<Command, Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::could_not_run("lamport", why(&error)))?;
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("LAMPORT_") || name == "LAB_CONFIG" {
                command.env_remove(name);
            }
        }
        if std::env::var_os("LAB_RUN").is_none() {
            command.env("LAB_RUN", format!("lamport-{}", std::process::id()));
        }
        let name = self.names.of(process);
        let transport = match self.transport {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        };
        command.args(["node", self.algorithm.word(), "--managed", "--name", name]);
        command.args(["--listen", "127.0.0.1:0", "--transport", transport]);
        command.arg("--log").arg(logs::path(folder, name));
        command.args(["--rate", &self.workload.rate.to_string()]);
        if self.workload.count < u64::MAX {
            command.args(["--count", &self.workload.count.to_string()]);
        }
        if let Some(seed) = self.seed {
            let seed = seed.wrapping_add(process.index() as u64);
            command.args(["--seed", &seed.to_string()]);
        }
        if let Some(bug) = self.simulation.bug {
            command.args(["--bug", bug.word()]);
        }
        let Faults {
            loss,
            duplicate,
            reorder,
            delay,
            ..
        } = &self.faults;
        for (flag, share) in [
            ("--loss", loss),
            ("--duplicate", duplicate),
            ("--reorder", reorder),
        ] {
            command.args([flag, &share.to_string()]);
        }
        command.args(["--delay", &delay.to_string()]);
        for partition in &self.wanted.partition {
            command.args(["--partition", partition]);
        }
        Ok(command)
    }
}

/// Runs the processes and judges what they did; exit code 1 when a promise was broken.
///
/// # Errors
/// When they cannot be run (exit code 2).
pub fn run(
    settings: &Settings,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let folder = reporting::folder_or_another(settings.logs.as_deref())?;
    let failed =
        |error| Failure::could_not_run(format!("--logs {}", visible_path(&folder)), why(&error));
    for name in settings.names.all() {
        // Of this run alone.
        File::create(logs::path(&folder, name)).map_err(failed)?;
    }
    let closing = &Shutdown::new().map_err(failed)?;
    let gone = thread::scope(|scope| {
        let (said, hear) = bounded(1024);
        let started: Result<Vec<_>, Failure> = ProcessId::all(settings.names.count())
            .map(|process| {
                let command = settings.command(process, &folder)?;
                let name = settings.names.of(process).to_owned();
                Member::start(scope, process.index(), name, command, &said, closing)
            })
            .collect();
        let gone =
            started.and_then(|members| Crew::new(settings, members, &hear, journal).run(shutdown));
        closing.request();
        gone
    })?;
    let verdict = judge(settings, &folder, &gone, journal, shutdown)?;
    if settings.logs.is_none() {
        if verdict.exit == Exit::Done {
            let _ = fs::remove_dir_all(&folder);
        } else {
            let text = format!("the logs of this run are left in {}", visible_path(&folder));
            journal.record(Event::error(Level::Warn, text));
        }
    }
    Ok(verdict)
}

fn judge(
    settings: &Settings,
    folder: &Path,
    gone: &[ProcessId],
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let happenings = logs::read(folder, &settings.names, gone)?;
    let end = happenings.iter().map(|happening| happening.at).max();
    let end = end.unwrap_or_default();
    let verdict = Verdict::of(&Case {
        algorithm: settings.algorithm,
        names: &settings.names,
        happenings: &happenings,
        gone,
    });
    let report = Report {
        algorithm: settings.algorithm,
        names: &settings.names,
        over: settings.transport.carrier(),
        journal,
    };
    if settings.show.0 > 0 {
        report.events(&happenings, settings.show.0);
    }
    for check in &verdict.checks {
        journal.record(check.event());
    }
    if verdict.first_break().is_some() {
        match shortest(settings.algorithm, &settings.simulation, &|| {
            shutdown.requested()
        }) {
            Some(shortest) => report.schedule(&shortest, end),
            None => journal.record(line(
                "no simulated run shows it, in a thousand seeds of each size",
            )),
        }
    }
    let text = format!(
        "{} processes over {}: {}; in {}",
        settings.names.count(),
        report.over.word(),
        verdict.figures.words(settings.algorithm),
        micros(whole_micros(end))
    );
    let exit = if verdict.holds() {
        Exit::Done
    } else {
        Exit::No
    };
    let summary = Summary::done(text)
        .exit(exit)
        .count("elapsed_us", whole_micros(end));
    let summary = verdict.figures.counted(summary);
    journal.record(Event::report(&summary));
    Ok(Summary {
        text: String::new(),
        ..summary
    })
}
