//! A copy of a socket is registered, as mio takes sockets of its own types alone. Once it was reported it is not watched
//! until it is registered again, and then reported at once if there is still something to read.

use std::{
    convert::Infallible,
    io::{self, Read},
    net::TcpStream,
    process::ChildStdout,
};

use mio::{Interest, Registry, Token};

pub use std::os::windows::io::AsSocket;

/// A copy of a socket that is watched; the connection stays open as long as it lives.
#[derive(Debug)]
pub struct Watch {
    // A socket of any kind: only its readiness is asked for.
    socket: mio::net::TcpStream,
    number: usize,
}

impl Watch {
    pub(super) fn new(socket: &impl AsSocket, number: usize) -> io::Result<Self> {
        let copy = socket.as_socket().try_clone_to_owned()?;
        let socket = mio::net::TcpStream::from_std(TcpStream::from(copy));
        Ok(Self { socket, number })
    }

    pub(super) fn register(&mut self, registry: &Registry) -> io::Result<()> {
        let token = Token(self.number);
        registry.register(&mut self.socket, token, Interest::READABLE)
    }

    pub(super) fn register_again(&mut self, registry: &Registry) -> io::Result<()> {
        let token = Token(self.number);
        registry.reregister(&mut self.socket, token, Interest::READABLE)
    }

    pub(super) fn register_stream(&mut self, registry: &Registry, writes: bool) -> io::Result<()> {
        registry.register(&mut self.socket, Token(self.number), interest(writes))
    }

    pub(super) fn register_stream_again(
        &mut self,
        registry: &Registry,
        writes: bool,
    ) -> io::Result<()> {
        registry.reregister(&mut self.socket, Token(self.number), interest(writes))
    }
}

/// Room to write is nearly always there, and reported each time.
fn interest(writes: bool) -> Interest {
    match writes {
        true => Interest::READABLE | Interest::WRITABLE,
        false => Interest::READABLE,
    }
}

/// There is none: Windows cannot wait for a child's pipe beside sockets.
#[derive(Debug)]
pub struct ChildPipe(Infallible);

impl ChildPipe {
    pub(super) fn new(_: ChildStdout) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn register(&mut self, _: &Registry, _: usize) -> io::Result<()> {
        match self.0 {}
    }
}

impl Read for ChildPipe {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }
}
