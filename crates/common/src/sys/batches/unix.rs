//! Datagrams on macOS and BSD: one a call, and one socket for all threads, as the kernel does not spread datagrams over
//! those that share a port.

use std::{
    io::{self, IoSliceMut},
    net::SocketAddr,
    os::fd::AsRawFd,
    time::Duration,
};

use nix::sys::socket::{MsgFlags, SockaddrStorage, recvmsg};
use socket2::Socket;

pub(super) use super::{
    one_by_one::Sender,
    packet_info::{Address, PacketInfo, send, socket_address},
};
use crate::sys::sockets::both_families;

use super::{
    MOST, Port, ROOM, Received, one_by_one,
    packet_info::{self, source_of},
};

pub(super) const SHARES_PORTS: bool = false;

/// The smallest buffer that is asked for, in bytes.
const SMALLEST: usize = 64 << 10;

pub(super) fn share_port(_: &Socket) -> io::Result<()> {
    Ok(())
}

/// A size that the kernel refuses (`kern.ipc.maxsockbuf`) is halved.
pub(super) fn set_buffers(socket: &Socket, size: usize) -> io::Result<()> {
    let largest = |set: &dyn Fn(usize) -> io::Result<()>| {
        let mut size = size;
        while set(size).is_err() && size > SMALLEST {
            size /= 2;
        }
    };
    largest(&|size| socket.set_recv_buffer_size(size));
    largest(&|size| socket.set_send_buffer_size(size));
    Ok(())
}

pub(super) fn prepare(
    socket: &Socket,
    address: SocketAddr,
    briefly: Duration,
) -> io::Result<PacketInfo> {
    socket.set_read_timeout(Some(briefly))?;
    both_families(socket, address)?;
    packet_info::ask_for(socket, address)
}

/// The room for the control message.
pub(super) struct Receiver(Option<Vec<u8>>);

impl Receiver {
    pub(super) fn new(port: &Port) -> Self {
        Self(port.packet_info.space())
    }

    pub(super) fn receive(
        &mut self,
        port: &Port,
        buffers: &mut [[u8; ROOM]],
        received: &mut [Received; MOST],
    ) -> io::Result<usize> {
        one_by_one::receive(buffers, received, |buffer, is_first| {
            let flags = match is_first {
                true => MsgFlags::empty(),
                false => MsgFlags::MSG_DONTWAIT,
            };
            self.one(port, buffer, flags)
        })
    }

    fn one(&mut self, port: &Port, buffer: &mut [u8], flags: MsgFlags) -> io::Result<Received> {
        let mut slices = [IoSliceMut::new(buffer)];
        let fd = port.socket.as_raw_fd();
        let message = recvmsg::<SockaddrStorage>(fd, &mut slices, self.0.as_deref_mut(), flags)?;
        let source = match port.packet_info {
            PacketInfo::V4 | PacketInfo::V6 => {
                message.cmsgs()?.find_map(|message| source_of(&message))
            }
            PacketInfo::None => None,
        };
        Ok(Received {
            length: message.bytes,
            peer: message.address,
            source,
        })
    }
}
