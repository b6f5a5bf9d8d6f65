//! What wakes every thread that waits: a channel that disconnects, and a socket that becomes readable, for good.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::system::End;

use std::{convert::Infallible, io};

use crossbeam::channel::{self, Receiver, Sender};

/// What threads wait for.
#[derive(Debug)]
pub struct WakeUp {
    channel: Receiver<Infallible>,
    socket: End,
}

/// Wakes the threads when it is dropped.
#[derive(Debug)]
pub struct Waker {
    _channel: Sender<Infallible>,
    _socket: End,
}

impl WakeUp {
    /// A wake-up, and what wakes.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn new() -> io::Result<(Self, Waker)> {
        let (sender, channel) = channel::bounded(0);
        let (socket, other) = system::pair()?;
        let waker = Waker {
            _channel: sender,
            _socket: other,
        };
        Ok((Self { channel, socket }, waker))
    }

    /// Never carries anything, and disconnects.
    pub fn channel(&self) -> &Receiver<Infallible> {
        &self.channel
    }

    /// Readable (end of file) once the threads are woken.
    pub fn socket(&self) -> &End {
        &self.socket
    }
}
