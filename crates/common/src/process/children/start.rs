//! The start of all children of a run: their command lines, their environment, and the folder of their logs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crossbeam::channel::{Receiver, bounded};

use super::{Child, ChildOutput};
use crate::{
    event::{Event, Level},
    exit::{Exit, Failure, Summary, why},
    journal::Journal,
    process::{
        faults::Faults,
        ids::{Names, ProcessId},
        report::{folder_or_temporary, log_path},
    },
    shutdown::Shutdown,
    text::visible_path,
};

/// How many outputs of children may wait for the supervisor.
const OUTPUTS_AHEAD: usize = 1024;

/// The command that starts this very program, `naming` or another, as a child: options in the environment are the supervisor's, and
/// all logs are of one run, `RUN-1234`.
///
/// # Errors
/// When the program cannot be found (exit code 2).
pub fn own_command(program: &str, run: &str) -> Result<Command, Failure> {
    let path = std::env::current_exe();
    let path = path.map_err(|error| Failure::could_not_run(program, why(&error)))?;
    let mut command = Command::new(path);
    let prefix = format!("{}_", program.to_uppercase());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with(&prefix) || name == "LAB_CONFIG" {
            command.env_remove(name);
        }
    }
    if std::env::var_os("LAB_RUN").is_none() {
        command.env("LAB_RUN", format!("{run}-{}", std::process::id()));
    }
    Ok(command)
}

/// Gives a child the faults of the network, as they were given to its supervisor.
pub fn give_faults(command: &mut Command, faults: &Faults, partitions: &[String]) {
    for (flag, share) in [
        ("--loss", faults.loss),
        ("--duplicate", faults.duplicate),
        ("--reorder", faults.reorder),
    ] {
        command.args([flag, &share.to_string()]);
    }
    command.args(["--delay", &faults.delay.to_string()]);
    for partition in partitions {
        command.args(["--partition", partition]);
    }
}

/// Starts a child for each process, has them supervised, and ends them all.
///
/// # Errors
/// When a child cannot be started (exit code 2), and those of the supervisor.
pub fn run_children<T>(
    program: &'static str,
    names: &Names,
    command: impl Fn(ProcessId) -> Result<Command, Failure>,
    supervise: impl FnOnce(Vec<Child>, &Receiver<ChildOutput>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let failed = |error| Failure::could_not_run("start", why(&error));
    let closing = &Shutdown::new().map_err(failed)?;
    thread::scope(|scope| {
        let (sender, outputs) = bounded(OUTPUTS_AHEAD);
        let children: Result<Vec<_>, Failure> = ProcessId::all(names.count())
            .map(|process| {
                let name = names.of(process).to_owned();
                let number = (program, process.index());
                Child::start(scope, number, name, command(process)?, &sender, closing)
            })
            .collect();
        let ended = children.and_then(|children| supervise(children, &outputs));
        closing.request();
        ended
    })
}

/// The folder with the logs of a run.
#[derive(Debug)]
pub struct RunLogs {
    folder: PathBuf,
    is_temporary: bool,
}

impl RunLogs {
    /// Creates the given folder, or a temporary one, with an empty log for each process.
    ///
    /// # Errors
    /// When it cannot be written (exit code 2).
    pub fn create(given: Option<&Path>, program: &str, names: &Names) -> Result<Self, Failure> {
        let folder = folder_or_temporary(given, program)?;
        for name in names.all() {
            File::create(log_path(&folder, name)).map_err(|error| {
                let what = format!("--logs {}", visible_path(&folder));
                Failure::could_not_run(what, why(&error))
            })?;
        }
        Ok(Self {
            folder,
            is_temporary: given.is_none(),
        })
    }

    /// The log of the process with this name.
    pub fn of(&self, name: &str) -> PathBuf {
        log_path(&self.folder, name)
    }

    /// The run is over: removes a temporary folder, unless something was found that is to be looked at.
    pub fn end(&self, run: &Result<Summary, Failure>, journal: &Journal) {
        match run {
            _ if !self.is_temporary => {}
            Ok(summary) if summary.exit == Exit::Done => drop(fs::remove_dir_all(&self.folder)),
            _ => {
                let folder = visible_path(&self.folder);
                let text = format!("the logs of this run are kept in {folder}");
                journal.record(Event::error(Level::Warn, text));
            }
        }
    }
}
