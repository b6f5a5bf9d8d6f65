//! A socket cannot be a standard stream of a process without unsafe code.

use std::{
    io,
    net::TcpStream,
    process::{Child, ChildStdout, ExitStatus},
};

/// Would start this program anew with a connection.
///
/// # Errors
/// Always.
pub fn start(_: [&str; 3], _: &TcpStream) -> io::Result<(Child, ChildStdout)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Would be the connection that this process took over.
///
/// # Errors
/// Always.
pub fn connection() -> io::Result<TcpStream> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Nothing: no process is started.
pub fn end_with_parent() {}

/// None: Windows has no signals.
pub fn signal_of(_: ExitStatus) -> Option<i32> {
    None
}
