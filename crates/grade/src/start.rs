//! The last step before a submission runs: limits of the process, then its command in this process's place.

use std::{ffi::OsString, fs, io, os::unix::process::CommandExt, process::Command};

use nix::{
    errno::Errno,
    sys::{
        resource::{Resource, setrlimit},
        wait::{WaitStatus, wait},
    },
    unistd::Pid,
};
use serde::{Deserialize, Serialize};

use crate::{
    limits::Limits,
    sandbox::{Isolation, Walls},
};

/// The variables of the grader's environment that a submission gets: where compilers and interpreters are, and no secrets.
const INHERITED: [&str; 16] = [
    "PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "JAVA_HOME",
    "GOROOT",
    "GOPATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "NODE_PATH",
    "RBENV_ROOT",
    "GEM_HOME",
];

/// What to start.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Start {
    /// The command, for a shell.
    pub command: String,
    /// The longest file that it may write, in bytes.
    pub file: u64,
    /// Memory of each of its processes, in bytes.
    pub memory: u64,
    /// How many processes and threads it may have, where its user namespace counts them.
    pub processes: Option<u64>,
    /// Whether this process is the first of its namespace: it stays, and takes the processes that leave their parents.
    pub is_first: bool,
    /// The mark in its environment.
    pub mark: String,
}

/// Whether the kernel counts processes by user namespace (since Linux 5.14), and not those of the user on
/// the whole machine.
fn counts_by_namespace() -> bool {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split('.')
        .map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= (5, 14)
}

/// The mark in the environment of all processes of a submission, by which those that have left their parent are found
/// where there is no sandbox.
pub fn mark() -> String {
    format!("GRADED_BY={}", std::process::id())
}

impl Start {
    /// The start of this command in this sandbox.
    pub fn of(command: &str, walls: &Walls, limits: Limits) -> Self {
        let is_counted = walls.isolation == Isolation::Bubblewrap;
        Self {
            command: command.to_owned(),
            file: limits.disk,
            memory: limits.memory,
            processes: is_counted.then_some(limits.processes + 64),
            is_first: walls.isolation == Isolation::Unshare,
            mark: mark(),
        }
    }

    /// The words that ask this program for it.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn words(&self, walls: &Walls) -> io::Result<[OsString; 3]> {
        let text = serde_json::to_string(self)?;
        Ok([walls.grader.clone().into(), "start".into(), text.into()])
    }

    /// Becomes the submission, or, as the first process of its namespace, waits for it and returns its exit code.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn become_it(&self) -> io::Result<u8> {
        let limits = [
            (Resource::RLIMIT_CORE, 0),
            (Resource::RLIMIT_FSIZE, self.file),
            // A shell's loop could outrun the watch over all processes; one process cannot outrun this.
            (Resource::RLIMIT_DATA, 4 * self.memory),
        ];
        let processes = self.processes.filter(|_| counts_by_namespace());
        let processes = processes.map(|processes| (Resource::RLIMIT_NPROC, processes));
        for (resource, limit) in limits.into_iter().chain(processes) {
            if let Err(error) = setrlimit(resource, limit, limit) {
                return Err(error.into());
            }
        }
        let mut command = Command::new("/bin/sh");
        command.args(["-c", &self.command]).env_clear();
        for name in INHERITED {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some((name, value)) = self.mark.split_once('=') {
            command.env(name, value);
        }
        command
            .envs([
                ("LANG", "C.UTF-8"),
                ("TERM", "dumb"),
                ("NO_COLOR", "1"),
                ("TMPDIR", "/tmp"),
            ])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if self.is_first {
            wait_for(command)
        } else {
            Err(command.exec())
        }
    }
}

/// Runs the command as a child and returns its exit code when it ends; meanwhile it reaps what has become its own, as the
/// first process of a sandbox does: with it all others end.
fn wait_for(mut command: Command) -> io::Result<u8> {
    let child = Pid::from_raw(command.spawn()?.id().cast_signed());
    drop(command);
    let code = loop {
        match wait() {
            Ok(WaitStatus::Exited(of, code)) if of == child => break code,
            // As a shell reports a signal.
            Ok(WaitStatus::Signaled(of, signal, _)) if of == child => break 128 + signal as i32,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    Ok(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}
