//! Datagrams on Windows: one a call, and one socket for all threads. A socket with a wildcard address is read and written by
//! quinn-udp, which knows the system's calls for packet info; the socket does not block.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use quinn_udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::Socket;

use crate::sys::sockets::{Interest, Woken, both_families, wait};

pub(super) use super::one_by_one::Sender;
use super::{MOST, Port, ROOM, Received, Source, one_by_one};

pub(super) const SHARES_PORTS: bool = false;

pub(super) type Address = SocketAddr;

/// None when the socket has one address.
pub(super) type PacketInfo = Option<UdpSocketState>;

/// SO_REUSEADDR would let any program take the port.
pub(super) fn share_port(_: &Socket) -> io::Result<()> {
    Ok(())
}

pub(super) fn set_buffers(socket: &Socket, size: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(size)?;
    socket.set_send_buffer_size(size)
}

/// A call that Windows ends by its time leaves the socket in an undefined state, so that none blocks.
pub(super) fn prepare(socket: &Socket, address: SocketAddr, _: Duration) -> io::Result<PacketInfo> {
    socket.set_nonblocking(true)?;
    if !super::is_wildcard(address) {
        return Ok(None);
    }
    both_families(socket, address)?;
    let state = UdpSocketState::new(UdpSockRef::from(socket)).map_err(|error| {
        io::Error::new(
            error.kind(),
            "this system does not say where a datagram was sent to; listen on one address",
        )
    })?;
    Ok(Some(state))
}

pub(super) fn socket_address(address: &Address) -> Option<SocketAddr> {
    Some(*address)
}

pub(super) struct Receiver;

impl Receiver {
    pub(super) fn new(_: &Port) -> Self {
        Self
    }

    pub(super) fn receive(
        &mut self,
        port: &Port,
        buffers: &mut [[u8; ROOM]],
        received: &mut [Received; MOST],
    ) -> io::Result<usize> {
        one_by_one::receive(buffers, received, |buffer, _| one(port, buffer))
    }
}

fn one(port: &Port, buffer: &mut [u8]) -> io::Result<Received> {
    let Some(state) = &port.packet_info else {
        let (length, peer) = port.socket.recv_from(buffer)?;
        return Ok(Received {
            length,
            peer: Some(peer),
            source: None,
        });
    };
    let mut meta = [RecvMeta::default()];
    let socket = UdpSockRef::from(&port.socket);
    state.recv(socket, &mut [IoSliceMut::new(buffer)], &mut meta)?;
    let [meta] = meta;
    Ok(Received {
        length: meta.len,
        peer: Some(meta.addr),
        source: meta.dst_ip.and_then(|address| match address {
            IpAddr::V4(address) => Some(Source::V4(address)),
            IpAddr::V6(address) if address.is_multicast() => None,
            IpAddr::V6(address) => Some(Source::V6(address, 0)),
        }),
    })
}

/// The longest wait for room in the socket's buffer, which other threads use, too.
const ROOM_WITHIN: Duration = Duration::from_millis(100);

pub(super) fn send(
    port: &Port,
    from: Option<Source>,
    message: &[u8],
    to: &Address,
) -> io::Result<()> {
    let mut until = None;
    loop {
        match try_send(port, from, message, to) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let until = *until.get_or_insert_with(|| Instant::now() + ROOM_WITHIN);
                if wait(&port.socket, Interest::Write, Some(until), None)? == Woken::TimedOut {
                    return Err(error);
                }
            }
            sent => return sent,
        }
    }
}

fn try_send(port: &Port, from: Option<Source>, message: &[u8], to: &Address) -> io::Result<()> {
    let (Some(state), Some(from)) = (&port.packet_info, from) else {
        return port.socket.send_to(message, to).map(drop);
    };
    let transmit = Transmit {
        destination: *to,
        ecn: None,
        contents: message,
        segment_size: None,
        src_ip: Some(match from {
            Source::V4(address) => address.into(),
            Source::V6(address, _) => address.into(),
        }),
    };
    match state.try_send(UdpSockRef::from(&port.socket), &transmit) {
        // What was sent to a broadcast address is answered from one of the machine.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::AddrNotAvailable | io::ErrorKind::InvalidInput
            ) =>
        {
            port.socket.send_to(message, to).map(drop)
        }
        sent => sent,
    }
}
