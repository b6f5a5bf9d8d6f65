//! The command `run`: real processes on this machine, started, watched, stopped and judged.
//!
//! Each is this very program as `lamport node`, told over its standard input who the others are, when to begin and when
//! to finish. What they did is read from their logs afterwards.

mod logs;
mod member;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use common::{
    config::Period,
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    shutdown::Shutdown,
    text::{micros, visible_path, whole_micros},
};
use crossbeam::{
    channel::{Receiver, bounded},
    select,
};
use nix::sys::signal::Signal;

use self::member::{Member, Said};
use crate::{
    algorithms::Algorithm,
    config::{Cli, MOST, Show, Transport},
    faults::{Delay, Faults, Wanted},
    process::{Names, ProcessId},
    reporting::{self, Report, line},
    shortest::shortest,
    simulate,
    verdict::{Case, Verdict},
    workload::Workload,
};

/// How long the processes may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often they are asked whether they are done.
const ASK: Duration = Duration::from_millis(50);

/// How long nothing may happen, when they are to finish, before they are given up.
const STILL: Duration = Duration::from_secs(3);

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
            wanted,
            names,
            seed: options.seed,
            show: options.show.unwrap_or(Show(0)),
            logs: options.logs.clone(),
            simulation: cli.simulation(algorithm)?,
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
    let folder = settings.logs.clone().unwrap_or_else(|| {
        let name = format!(
            "lamport-{}-{:08x}",
            std::process::id(),
            crate::node::new_session()
        );
        std::env::temp_dir().join(name)
    });
    let failed =
        |error| Failure::could_not_run(format!("--logs {}", visible_path(&folder)), why(&error));
    reporting::folder(&folder)?;
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
        let gone = started.and_then(|members| {
            let mut crew = Crew {
                settings,
                members,
                hear: &hear,
                journal,
                states: Vec::new(),
                moved: Instant::now(),
            };
            crew.run(shutdown)
        });
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

/// The processes while they run.
struct Crew<'a> {
    settings: &'a Settings,
    members: Vec<Member>,
    hear: &'a Receiver<Said>,
    journal: &'a Journal,
    /// What each answered to the last question whether it is done.
    states: Vec<Option<(bool, u64)>>,
    /// When an answer was another one than before.
    moved: Instant,
}

impl Crew<'_> {
    /// The whole run; returns who did not come to its end.
    fn run(&mut self, shutdown: &Shutdown) -> Result<Vec<ProcessId>, Failure> {
        let addresses = self.addresses(shutdown)?;
        let Some(addresses) = addresses else {
            return Err(Failure::no("run", "interrupted before it began"));
        };
        let count = self.members.len();
        for me in 0..count {
            for (other, address) in addresses.iter().enumerate() {
                if other != me {
                    let line = format!("peer {}={address}", self.members[other].name);
                    self.members[me].tell(&line);
                }
            }
        }
        self.all("start");
        let text = format!(
            "{count} processes for {} over {}, {}",
            self.settings.algorithm.word(),
            self.settings.transport.carrier().word(),
            Period(self.settings.lasting)
        );
        self.journal.record(Event::new(Kind::Ready).text(text));
        self.watch(shutdown)?;
        self.all("stop");
        let until = Instant::now() + PATIENCE;
        while self.members.iter().any(|member| member.ended.is_none()) && Instant::now() < until {
            if let Ok(said) = self.hear.recv_deadline(until) {
                self.take(said);
            }
        }
        let gone = |(number, member): (usize, &Member)| {
            let well = member.ended.is_some() && member.unexpected().is_none();
            (!well).then(|| ProcessId::at(number))
        };
        Ok(self.members.iter().enumerate().filter_map(gone).collect())
    }

    fn all(&mut self, line: &str) {
        self.members.iter_mut().for_each(|member| member.tell(line));
    }

    /// Where each of them listens.
    fn addresses(
        &mut self,
        shutdown: &Shutdown,
    ) -> Result<Option<Vec<std::net::SocketAddr>>, Failure> {
        let until = Instant::now() + PATIENCE;
        let mut addresses = vec![None; self.members.len()];
        while addresses.iter().any(Option::is_none) {
            select! {
                recv(self.hear) -> said => match said {
                    Ok(Said::Listening(number, address)) => addresses[number] = Some(address),
                    Ok(said) => self.take(said),
                    Err(_) => {}
                },
                recv(shutdown.channel()) -> _ => return Ok(None),
                default(ASK) => {}
            }
            let not_there = (0..addresses.len()).find(|number| addresses[*number].is_none());
            if let Some(number) = not_there
                && (Instant::now() >= until || self.members[number].ended.is_some())
            {
                let member = &self.members[number];
                let why = member
                    .unexpected()
                    .unwrap_or_else(|| "it does not listen".into());
                return Err(Failure::could_not_run(
                    format!("start {}", member.name),
                    why,
                ));
            }
        }
        Ok(Some(addresses.into_iter().flatten().collect()))
    }

    /// Until the time is over and all are done, or nothing happens any more.
    fn watch(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut plans = self.plans();
        let mut finishing = None;
        let mut before = Vec::new();
        let mut asked = begun;
        self.states = vec![None; self.members.len()];
        loop {
            let now = begun.elapsed();
            while let Some((_, process, signal)) = plans.pop_if(|(at, ..)| *at <= now) {
                self.members[process.index()].signal(signal);
            }
            if finishing.is_none() && (now >= self.settings.lasting || shutdown.requested()) {
                self.all("finish");
                finishing = Some(Instant::now());
                self.moved = Instant::now();
            }
            let there =
                || (0..self.members.len()).filter(|number| self.members[*number].ended.is_none());
            if there().next().is_none() {
                return Ok(());
            }
            // All idle, and again with nothing having happened in between: then nothing is under way.
            if there().all(|number| self.states[number].is_some()) {
                let states: Vec<_> = there().map(|number| self.states[number]).collect();
                let idle = states.iter().flatten().all(|state| state.0);
                if states == before && idle && plans.is_empty() {
                    return Ok(());
                }
                if states != before {
                    self.moved = Instant::now();
                }
                before = states;
                self.states.fill(None);
            }
            let faults_last = now < self.settings.faults.end();
            if finishing.is_some() && !faults_last && self.moved.elapsed() >= STILL {
                return Ok(());
            }
            if asked.elapsed() >= ASK {
                asked = Instant::now();
                self.all("state");
            }
            let next = plans
                .last()
                .map_or(ASK, |(at, ..)| at.saturating_sub(now).min(ASK));
            if let Ok(said) = self.hear.recv_timeout(next) {
                self.take(said);
            }
        }
    }

    /// Which signals are to be sent, and when; the first at the end.
    fn plans(&self) -> Vec<(Duration, ProcessId, Signal)> {
        let crashes = self.settings.faults.crashes.iter();
        let mut plans: Vec<_> = crashes
            .flat_map(|crash| match crash.until {
                Duration::MAX => vec![(crash.from, crash.process, Signal::SIGKILL)],
                until => vec![
                    (crash.from, crash.process, Signal::SIGSTOP),
                    (until, crash.process, Signal::SIGCONT),
                ],
            })
            .collect();
        plans.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        plans
    }

    fn take(&mut self, said: Said) {
        match said {
            Said::Listening(..) => {}
            Said::State(number, idle, events) => self.states[number] = Some((idle, events)),
            Said::Trouble(number, text) => {
                let text = format!("{} finds: {text}", self.members[number].name);
                self.journal.record(Event::error(Level::Warn, text));
            }
            Said::Ended(number) => {
                let member = &mut self.members[number];
                member.reap();
                if let Some(how) = member.unexpected() {
                    let killed = if member.killed { ", as was wanted" } else { "" };
                    let text = format!("{}: {how}{killed}", member.name);
                    self.journal.record(Event::error(Level::Warn, text));
                }
            }
        }
    }
}
