//! Limits and terminals of Unix.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    pty::openpty,
    sys::{
        resource::{Resource, setrlimit},
        termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
        wait::{WaitStatus, wait},
    },
    unistd::Pid,
};

use super::Limits;

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

pub(super) fn apply(limits: Limits) -> io::Result<()> {
    let all = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, limits.file),
        (Resource::RLIMIT_DATA, limits.memory),
    ];
    let processes = limits.processes.filter(|_| counts_by_namespace());
    let processes = processes.map(|processes| (Resource::RLIMIT_NPROC, processes));
    for (resource, limit) in all.into_iter().chain(processes) {
        setrlimit(resource, limit, limit)?;
    }
    Ok(())
}

pub(super) fn run_as_first(mut command: Command) -> io::Result<u8> {
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

/// A terminal that changes nothing of what is written.
pub(super) fn output() -> io::Result<(File, Stdio)> {
    let terminal = openpty(None, None)?;
    for side in [&terminal.master, &terminal.slave] {
        fcntl(side, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    let mut modes = tcgetattr(&terminal.slave)?;
    cfmakeraw(&mut modes);
    tcsetattr(&terminal.slave, SetArg::TCSANOW, &modes)?;
    Ok((File::from(terminal.master), terminal.slave.into()))
}

pub(super) fn link_folder(original: &Path, link: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    path.canonicalize()
}
