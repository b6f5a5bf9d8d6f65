//! A socket is a descriptor like any other, so it can be a standard stream.

use std::{
    io,
    net::TcpStream,
    os::{
        fd::{AsFd, OwnedFd},
        unix::process::{CommandExt, ExitStatusExt},
    },
    path::PathBuf,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
};

/// Starts this program anew with these arguments, the first of them its name, and without any variable. It takes over
/// the connection. What it reports comes over the pipe that is returned, which ends with the process.
///
/// # Errors
/// When the system has no process or no descriptor left.
pub fn start(arguments: [&str; 3], connection: &TcpStream) -> io::Result<(Child, ChildStdout)> {
    let [name, arguments @ ..] = arguments;
    let mut process = Command::new(program()?)
        .arg0(name)
        .args(arguments)
        .stdin(OwnedFd::from(connection.try_clone()?))
        .stdout(Stdio::piped())
        .env_clear()
        // A process group of its own: Ctrl-C in the terminal is for the parent, which lets its children finish.
        .process_group(0)
        .spawn()?;
    let reports = process
        .stdout
        .take()
        .ok_or_else(|| io::Error::other("no pipe to the child"))?;
    Ok((process, reports))
}

/// This program, on Linux even if its file has been replaced meanwhile.
fn program() -> io::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        Ok("/proc/self/exe".into())
    } else {
        std::env::current_exe()
    }
}

/// The connection that this process took over: a copy of it. It closes when this is dropped and the process has ended.
///
/// # Errors
/// When the system has no descriptor left.
pub fn connection() -> io::Result<TcpStream> {
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

/// Ends this process with its parent, where the system can do that; elsewhere it ends with its client.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::{prctl::set_pdeathsig, signal::Signal};
        let _ = set_pdeathsig(Signal::SIGKILL);
    }
}

/// The number of the signal that ended a process.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
