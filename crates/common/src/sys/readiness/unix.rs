//! A descriptor is registered as it is, and once: epoll and kqueue report it whenever there is something new
//! (edge-triggered), and forget it when it is closed.

use std::{
    io::{self, Read},
    os::fd::{AsRawFd, RawFd},
    process::ChildStdout,
};

use mio::{
    Interest, Registry, Token,
    unix::{SourceFd, pipe},
};

pub use std::os::fd::AsFd as AsSocket;

/// A socket that is watched.
#[derive(Debug)]
pub struct Watch {
    socket: RawFd,
    number: usize,
}

impl Watch {
    pub(super) fn new(socket: &impl AsSocket, number: usize) -> io::Result<Self> {
        let socket = socket.as_fd().as_raw_fd();
        Ok(Self { socket, number })
    }

    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        let mut source = SourceFd(&self.socket);
        registry.register(&mut source, Token(self.number), Interest::READABLE)
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(super) fn register_again(&mut self, _: &Registry) -> io::Result<()> {
        Ok(())
    }

    /// For both directions: a new state of either is reported once.
    pub(super) fn register_stream(&mut self, registry: &Registry, _: bool) -> io::Result<()> {
        let mut source = SourceFd(&self.socket);
        let both = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut source, Token(self.number), both)
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps)]
    pub(super) fn register_stream_again(&mut self, _: &Registry, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// What a child process writes.
#[derive(Debug)]
pub struct ChildPipe(pipe::Receiver);

impl ChildPipe {
    pub(super) fn new(output: ChildStdout) -> io::Result<Self> {
        let pipe = pipe::Receiver::from(output);
        pipe.set_nonblocking(true)?;
        Ok(Self(pipe))
    }

    pub(super) fn register(&mut self, registry: &Registry, number: usize) -> io::Result<()> {
        registry.register(&mut self.0, Token(number), Interest::READABLE)
    }
}

impl Read for ChildPipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}
