//! One query and its reply on a socket of its own, that never blocks: over UDP from a port that nobody can guess, over TCP on
//! a connection.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
};

use common::net;

use crate::{dns::request::Transport, resolver::Ask};

/// An exchange with a server.
#[derive(Debug)]
pub struct Exchange {
    socket: Socket,
    server: SocketAddr,
    /// Where the query leaves from.
    pub local: SocketAddr,
}

/// The socket of an exchange.
#[derive(Debug)]
pub enum Socket {
    /// Not connected, so that what others send is seen, and logged.
    Udp(UdpSocket),
    /// A connection.
    Tcp(TcpStream, Frames),
}

/// What is written to a connection and read from it: messages, each after its length in two bytes (RFC 1035 section 4.2.2).
#[derive(Debug, Default)]
pub struct Frames {
    out: Vec<u8>,
    written: usize,
    input: Vec<u8>,
}

impl Exchange {
    /// Opens the socket of a query; nothing is sent yet.
    ///
    /// # Errors
    /// As socket(2), bind(2) and connect(2).
    pub fn open(ask: &Ask) -> io::Result<Self> {
        let (socket, local) = match ask.transport {
            Transport::Udp => {
                let socket = net::datagrams_from(net::source_to(ask.server)?)?;
                let local = socket.local_addr()?;
                (Socket::Udp(socket), local)
            }
            Transport::Tcp => {
                let stream = net::begin_connect(ask.server)?;
                let local = stream.local_addr()?;
                let mut frames = Frames::default();
                frames.push(&ask.message);
                (Socket::Tcp(stream, frames), local)
            }
        };
        Ok(Self {
            socket,
            server: ask.server,
            local,
        })
    }

    /// The socket, to wait for it.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sends the query, as far as there is room.
    ///
    /// # Errors
    /// As send(2).
    pub fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match &mut self.socket {
            Socket::Udp(socket) => match socket.send_to(message, self.server) {
                // The datagram is lost, as a datagram may be.
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
                _ => Ok(()),
            },
            Socket::Tcp(stream, frames) => frames.write(stream).map(drop),
        }
    }

    /// The next message, and who sent it; None when there is none yet.
    ///
    /// # Errors
    /// `ConnectionRefused` when nobody listens there; as recv(2).
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<(SocketAddr, Vec<u8>)>> {
        match &mut self.socket {
            Socket::Udp(socket) => loop {
                return match socket.recv_from(buffer) {
                    Ok((length, from)) => Ok(Some((from, buffer[..length].to_vec()))),
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock => Ok(None),
                        io::ErrorKind::Interrupted => continue,
                        _ => Err(error),
                    },
                };
            },
            Socket::Tcp(stream, frames) => {
                frames.write(stream)?;
                let message = frames.read(stream, buffer)?;
                Ok(message.map(|message| (self.server, message)))
            }
        }
    }
}

impl Frames {
    /// Adds a message to what is written.
    pub fn push(&mut self, message: &[u8]) {
        let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
        self.out.extend(length.to_be_bytes());
        self.out.extend(&message[..length.into()]);
    }

    /// How many bytes wait to be written.
    pub fn unwritten(&self) -> usize {
        self.out.len() - self.written
    }

    /// Writes as much as there is room for; whether all is written.
    ///
    /// # Errors
    /// As send(2).
    pub fn write(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        while self.unwritten() > 0 {
            match stream.write(&self.out[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(length) => self.written += length,
                Err(error) => match error.kind() {
                    // While it is being connected it has no room, which each system says in its way.
                    io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => return Ok(false),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(true)
    }

    /// Reads on until a message is whole; None when there is no more yet.
    ///
    /// # Errors
    /// `UnexpectedEof` at the end of the stream; as recv(2).
    pub fn read(
        &mut self,
        mut stream: &TcpStream,
        buffer: &mut [u8],
    ) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some((length, rest)) = self.input.split_first_chunk() {
                let length = usize::from(u16::from_be_bytes(*length));
                if rest.len() >= length {
                    let message = rest[..length].to_vec();
                    self.input.drain(..2 + length);
                    return Ok(Some(message));
                }
            }
            match stream.read(buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => self.input.extend(&buffer[..length]),
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => return Ok(None),
                    io::ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }

    /// Whether a message has begun to arrive.
    pub fn has_begun(&self) -> bool {
        !self.input.is_empty()
    }
}
