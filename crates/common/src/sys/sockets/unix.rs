//! poll(2), and what POSIX has.

use std::{
    io,
    net::TcpStream,
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{MsgFlags, recv},
};
use socket2::Socket;

use crate::sys::{
    types::{Interest, Woken},
    wake_up::WakeUp,
};

/// What can be waited for: a socket, a pipe, a terminal.
pub trait Pollable: AsFd {}

impl<T: AsFd + ?Sized> Pollable for T {}

/// Waits until `file` is ready, until the moment `until` (None: no limit), or until `stop` wakes (None: it is ignored). When
/// several hold, readiness comes before the wake-up, and both before the time.
///
/// # Errors
/// When the system cannot poll.
pub fn wait(
    file: &impl Pollable,
    interest: Interest,
    until: Option<Instant>,
    stop: Option<&WakeUp>,
) -> io::Result<Woken> {
    let flags = match interest {
        Interest::Read => PollFlags::POLLIN,
        Interest::Write => PollFlags::POLLOUT,
    };
    let stop_file = stop.map_or(file.as_fd(), |stop| stop.socket().as_fd());
    let mut files = [
        PollFd::new(file.as_fd(), flags),
        PollFd::new(stop_file, PollFlags::POLLIN),
    ];
    let files = if stop.is_some() {
        &mut files[..]
    } else {
        &mut files[..1]
    };
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll(files, left.map_or(PollTimeout::NONE, whole_millis)) {
            Ok(0) if left.is_some_and(|left| left.is_zero()) => return Ok(Woken::TimedOut),
            // A signal, or a rounded millisecond: the wait goes on.
            Ok(0) | Err(Errno::EINTR) => {}
            Ok(_) if files[0].any().unwrap_or(true) => return Ok(Woken::Ready),
            Ok(_) => return Ok(Woken::Stopping),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The time in poll's milliseconds, rounded up so that the last one is not a busy wait.
fn whole_millis(left: Duration) -> PollTimeout {
    PollTimeout::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(PollTimeout::MAX)
}

/// Has calls on the socket block for at most this time: then one call does the work of three. Where a socket cannot, its calls
/// do not block at all.
///
/// # Errors
/// As setsockopt(2).
pub fn block_briefly(socket: &Socket, time: Duration) -> io::Result<()> {
    socket.set_read_timeout(Some(time))?;
    socket.set_write_timeout(Some(time))
}

/// Whether the error of a connect says that it goes on: the socket's time is over, or a signal was delivered.
pub fn is_in_progress(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EINPROGRESS as i32)
        || error.kind() == io::ErrorKind::Interrupted
}

/// Lets a listener take an address with the last run's connections in TIME-WAIT (RFC 9293 section 3.6.1).
///
/// # Errors
/// As setsockopt(2).
pub fn share_address(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// The length of a listener's backlog as listen(2) takes it.
pub fn backlog(length: i32) -> i32 {
    length
}

/// Reads without waiting, whether the socket blocks or not; 0 bytes are the end of the stream.
///
/// # Errors
/// As recv(2); `WouldBlock` when there is no data yet.
pub fn try_read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(recv(stream.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?)
}
