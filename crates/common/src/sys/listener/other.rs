//! accept does not wait, as it would without a limit; and only closing the socket ends its listening.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{PoisonError, RwLock},
    time::Duration,
};

/// A listener. Those who wait for it have to be woken before it is closed.
#[derive(Debug)]
pub struct Listener(RwLock<Option<TcpListener>>);

impl Listener {
    /// The listener, which does not block.
    pub fn new(listener: TcpListener) -> Self {
        Self(RwLock::new(Some(listener)))
    }

    /// Does something with the listener while it is not closed.
    ///
    /// # Errors
    /// Those of `work`. `InvalidInput` means that it was closed.
    pub fn with<T>(&self, work: impl FnOnce(&TcpListener) -> io::Result<T>) -> io::Result<T> {
        let listener = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match listener.as_ref() {
            Some(listener) => work(listener),
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "closed")),
        }
    }

    /// Accepts a connection, if one is waiting.
    ///
    /// # Errors
    /// As accept: `WouldBlock` when there is none. `InvalidInput` means that it was closed.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.with(TcpListener::accept)
    }

    /// Would make an accept wait for up to this time; here it does not wait, as before.
    #[allow(clippy::unused_self)]
    pub fn block_briefly(&self, _: Duration) {}

    /// From now on an accept does not wait.
    ///
    /// # Errors
    /// As the system's call.
    pub fn never_block(&self) -> io::Result<()> {
        self.with(|listener| listener.set_nonblocking(true))
    }

    /// Refuses connections from now on, and resets those in the backlog.
    pub fn close(&self) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// From now on a read from this accepted connection does not wait: on Windows one that ends by its time leaves the
/// socket in an undefined state.
///
/// # Errors
/// As the system's call.
pub fn read_briefly(stream: &TcpStream, _: Duration) -> io::Result<()> {
    stream.set_nonblocking(true)
}
