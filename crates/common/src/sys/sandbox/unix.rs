//! Limits and terminals of Unix.

use std::{
    fs::File,
    io,
    path::Path,
    process::{Command, Stdio},
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, FdFlag, fcntl},
    libc::rlim_t,
    pty::openpty,
    sys::{
        resource::{Resource, setrlimit},
        termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr},
        wait::{WaitStatus, wait},
    },
    unistd::Pid,
};

use crate::sys::types::Limits;

/// The limit of processes, where the kernel counts them by user namespace (Linux 5.14 and newer), and not those of the user on
/// the whole machine.
#[cfg(target_os = "linux")]
fn limit_of_processes() -> Option<Resource> {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split('.')
        .map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    (version >= (5, 14)).then_some(Resource::RLIMIT_NPROC)
}

#[cfg(not(target_os = "linux"))]
fn limit_of_processes() -> Option<Resource> {
    None
}

pub(super) fn apply(limits: Limits) -> io::Result<()> {
    let all = [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, limits.file),
        (Resource::RLIMIT_DATA, limits.memory),
    ];
    let processes = limit_of_processes().zip(limits.processes);
    for (resource, limit) in all.into_iter().chain(processes) {
        // FreeBSD's limits are signed.
        let limit = limit as rlim_t;
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
