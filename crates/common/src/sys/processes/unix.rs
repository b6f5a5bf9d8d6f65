//! Processes of Unix: signals, process groups, the shell; `/proc` of Linux.

use std::{
    ffi::OsStr,
    io,
    os::unix::process::{CommandExt, ExitStatusExt},
    process::{Child, Command, ExitStatus},
};

use nix::{
    sys::signal::{self, Signal, killpg},
    unistd::Pid,
};

use crate::sys::{
    quoting::{self, OF_SHELL},
    types::{End, Streams},
};

pub(super) const NO_MARKS: Option<&str> = if cfg!(target_os = "linux") {
    None
} else {
    Some("this system does not show the environment of processes")
};
/// Only exec leaves no shell between a process and its group's first number.
pub(super) const INSTEAD: &str = "exec ";
pub(super) const REPORTS_SIGNALS: bool = true;
pub(super) const NEEDED_VARIABLES: &[&str] = &[];
/// Found and not executable, and not found (POSIX.1-2024, XCU 2.8.2).
pub(super) const NO_COMMAND: &[i32] = &[126, 127];
pub(super) const FILE_TOO_LONG: Option<End> = Some(End::Signal(Signal::SIGXFSZ as i32));

pub(super) fn shell(line: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", line]);
    shell
}

pub(super) fn quoted(word: &str) -> String {
    quoting::quoted(word, "/._-:", '\'', OF_SHELL)
}

pub(super) fn replace_this(command: &mut Command, name: Option<&OsStr>) -> io::Error {
    if let Some(name) = name {
        command.arg0(name);
    }
    command.exec()
}

#[derive(Debug)]
pub(super) struct Group(Child);

impl Group {
    pub(super) fn start(mut command: Command) -> io::Result<(Self, Streams)> {
        let mut child = command.process_group(0).spawn()?;
        let streams = Streams {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            stderr: child.stderr.take(),
        };
        Ok((Self(child), streams))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGKILL)
    }

    pub(super) fn pause(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(killpg(pid(self.id()), signal)?)
    }

    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(number.cast_signed())
}

pub(super) fn signal(status: ExitStatus) -> Option<i32> {
    status.signal()
}

pub(super) fn signal_name(number: i32) -> Option<&'static str> {
    Signal::try_from(number).ok().map(Signal::as_str)
}

pub(super) fn code_words(code: i32) -> String {
    code.to_string()
}

pub(super) fn kill(number: u32) {
    // An error is that it has ended.
    let _ = signal::kill(pid(number), Signal::SIGKILL);
}

#[cfg(target_os = "linux")]
pub(super) fn wait_for_end(number: u32) {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    // An error is that it was waited for.
    let _ = waitid(
        Id::Pid(pid(number)),
        WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT,
    );
}

/// macOS has no waitid(2) in nix.
#[cfg(not(target_os = "linux"))]
pub(super) fn wait_for_end(_: u32) {
    std::thread::sleep(std::time::Duration::from_millis(5));
}

#[cfg(target_os = "linux")]
pub(super) fn marked(variable: &str) -> Vec<u32> {
    use std::fs;
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter(|number: &u32| {
            let environment = fs::read(format!("/proc/{number}/environ")).unwrap_or_default();
            let mut variables = environment.split(|byte| *byte == 0);
            variables.any(|one| one == variable.as_bytes())
        })
        .collect()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn marked(_: &str) -> Vec<u32> {
    Vec::new()
}
