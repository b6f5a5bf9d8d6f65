//! Waits by mio, which asks the driver of the sockets (AFD) as WSAPoll does, for a socket and the wake-up at once. A thread keeps
//! what it waits with.

use std::{
    cell::RefCell,
    io::{self, Read},
    net::TcpStream,
    os::windows::io::AsSocket,
    time::{Duration, Instant},
};

use mio::{Events, Poll, Registry, Token};
use socket2::{SockRef, Socket};

use crate::sys::{
    types::{Interest, Woken},
    wake_up::WakeUp,
};

/// What can be waited for: a socket.
pub trait Pollable: AsSocket {}

impl<T: AsSocket + ?Sized> Pollable for T {}

const FILE: Token = Token(0);
const STOP: Token = Token(1);

/// WSAEWOULDBLOCK and WSAEINPROGRESS.
const GOES_ON: [i32; 2] = [10035, 10036];

thread_local! {
    /// One of these a thread: making it is dear.
    static POLL: RefCell<Option<(Poll, Events)>> = const { RefCell::new(None) };
}

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
    POLL.with_borrow_mut(|kept| {
        let (poll, events) = match kept {
            Some(kept) => kept,
            None => kept.insert((Poll::new()?, Events::with_capacity(4))),
        };
        let interest = match interest {
            Interest::Read => mio::Interest::READABLE,
            Interest::Write => mio::Interest::WRITABLE,
        };
        let mut file = registered(poll.registry(), file, FILE, interest)?;
        let stop = stop.map(|stop| {
            registered(
                poll.registry(),
                stop.socket(),
                STOP,
                mio::Interest::READABLE,
            )
        });
        let mut stop = stop.transpose()?;
        let woken = wait_for(poll, events, until);
        poll.registry().deregister(&mut file)?;
        if let Some(stop) = &mut stop {
            poll.registry().deregister(stop)?;
        }
        woken
    })
}

/// A duplicate of the socket, registered: readiness is that of the socket, and what is ready already is reported at once.
fn registered(
    registry: &Registry,
    socket: &impl AsSocket,
    token: Token,
    interest: mio::Interest,
) -> io::Result<mio::net::TcpStream> {
    // What kind of socket it is makes no difference to a wait.
    let duplicate: TcpStream = SockRef::from(socket).try_clone()?.into();
    let mut source = mio::net::TcpStream::from_std(duplicate);
    registry.register(&mut source, token, interest)?;
    Ok(source)
}

fn wait_for(poll: &mut Poll, events: &mut Events, until: Option<Instant>) -> io::Result<Woken> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match poll.poll(events, left) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            polled => polled?,
        }
        let is_ready = |token| events.iter().any(|event| event.token() == token);
        if is_ready(FILE) {
            return Ok(Woken::Ready);
        }
        if is_ready(STOP) {
            return Ok(Woken::Stopping);
        }
        if left.is_some_and(|left| left.is_zero()) {
            return Ok(Woken::TimedOut);
        }
    }
}

/// Has calls on the socket return at once: a call that Windows ends by its time leaves the socket in an undefined state.
///
/// # Errors
/// As ioctlsocket.
pub fn block_briefly(socket: &Socket, _time: Duration) -> io::Result<()> {
    socket.set_nonblocking(true)
}

/// Whether the error of a connect says that it goes on.
pub fn is_in_progress(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| GOES_ON.contains(&code))
}

/// On Windows a listener takes an address with connections in TIME-WAIT, and SO_REUSEADDR would let it take that of another
/// listener.
///
/// # Errors
/// None.
pub fn share_address(_socket: &Socket) -> io::Result<()> {
    Ok(())
}

/// The length of a listener's backlog as listen takes it: Windows holds no more than 200 connections unless the length
/// is a hint (SOMAXCONN_HINT), which is negative.
pub fn backlog(length: i32) -> i32 {
    if length > 200 { -length } else { length }
}

/// Reads without waiting; from now on no call on the connection waits. 0 bytes are the end of the stream.
///
/// # Errors
/// As recv; `WouldBlock` when there is no data yet.
pub fn try_read(mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    // Windows cannot have a single read not wait.
    stream.set_nonblocking(true)?;
    stream.read(buffer)
}
