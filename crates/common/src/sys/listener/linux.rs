//! accept(2) can wait for a limited time, and shutdown(2) ends the listening of a socket that other threads use.

use std::{
    io,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use socket2::SockRef;

/// A listener.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// The listener, which does not block.
    pub fn new(listener: TcpListener) -> Self {
        Self(listener)
    }

    /// Does something with the listener while it is not closed.
    ///
    /// # Errors
    /// Those of `work`. `InvalidInput` means that it was closed.
    pub fn with<T>(&self, work: impl FnOnce(&TcpListener) -> io::Result<T>) -> io::Result<T> {
        work(&self.0)
    }

    /// Accepts a connection, if one is waiting.
    ///
    /// # Errors
    /// As accept(2): `WouldBlock` when there is none. `InvalidInput` means that it was closed.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.0.accept()
    }

    /// From now on an accept waits for up to this time. Where the system cannot, it does not wait, as before.
    pub fn block_briefly(&self, time: Duration) {
        let listener = SockRef::from(&self.0);
        if listener.set_read_timeout(Some(time)).is_ok() {
            let _ = listener.set_nonblocking(false);
        }
    }

    /// From now on an accept does not wait.
    ///
    /// # Errors
    /// As fcntl(2).
    pub fn never_block(&self) -> io::Result<()> {
        self.0.set_nonblocking(true)
    }

    /// Refuses connections from now on, and resets those in the backlog.
    pub fn close(&self) {
        // Other threads may be about to accept, so the socket stays open; it only stops listening.
        let _ = SockRef::from(&self.0).shutdown(Shutdown::Read);
    }
}

/// From now on a read from this accepted connection waits for at most this time.
///
/// # Errors
/// As setsockopt(2).
pub fn read_briefly(stream: &TcpStream, time: Duration) -> io::Result<()> {
    stream.set_read_timeout(Some(time))
}
