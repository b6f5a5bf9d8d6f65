//! Datagrams on Linux: recvmmsg(2) and sendmmsg(2), and a socket for each thread (SO_REUSEPORT).

use std::{
    io::{self, IoSlice, IoSliceMut},
    net::SocketAddr,
    os::fd::AsRawFd,
    time::Duration,
};

use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg,
};
use socket2::Socket;

pub(super) use super::packet_info::{Address, PacketInfo, send, socket_address};
use super::{
    MOST, Port, ROOM, Received, Source,
    packet_info::{self, source_of, with_control},
};

pub(super) const SHARES_PORTS: bool = true;

pub(super) fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_port(true)
}

/// The kernel gives at most `net.core.rmem_max` and `net.core.wmem_max`.
pub(super) fn set_buffers(socket: &Socket, size: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(size)?;
    socket.set_send_buffer_size(size)
}

pub(super) fn prepare(
    socket: &Socket,
    address: SocketAddr,
    briefly: Duration,
) -> io::Result<PacketInfo> {
    socket.set_read_timeout(Some(briefly))?;
    packet_info::ask_for(socket, address)
}

type Headers = MultiHeaders<SockaddrStorage>;

pub(super) struct Receiver(Headers);

impl Receiver {
    pub(super) fn new(port: &Port) -> Self {
        // The kernel leaves as much room for the control message of each datagram as the last one took, so all must have one.
        Self(MultiHeaders::preallocate(MOST, port.packet_info.space()))
    }

    pub(super) fn receive(
        &mut self,
        port: &Port,
        buffers: &mut [[u8; ROOM]],
        received: &mut [Received; MOST],
    ) -> io::Result<usize> {
        let mut buffers = buffers.iter_mut();
        let mut slices: [_; MOST] = std::array::from_fn(|_| {
            let buffer = buffers.next().map_or(&mut [][..], |buffer| &mut buffer[..]);
            [IoSliceMut::new(buffer)]
        });
        let messages = recvmmsg(
            port.socket.as_raw_fd(),
            &mut self.0,
            slices.iter_mut(),
            MsgFlags::MSG_WAITFORONE,
            None,
        )?;
        let mut count = 0;
        for message in messages {
            let source = match port.packet_info {
                PacketInfo::V4 | PacketInfo::V6 => message
                    .cmsgs()
                    .ok()
                    .and_then(|mut messages| messages.find_map(|message| source_of(&message))),
                PacketInfo::None => None,
            };
            received[count] = Received {
                length: message.bytes,
                peer: message.address,
                source,
            };
            count += 1;
        }
        Ok(count)
    }
}

pub(super) struct Sender {
    /// For answers that leave from the socket's address.
    plain: Headers,
    /// For answers that leave from the address that was asked; None when the socket has only one.
    from: Option<Headers>,
}

impl Sender {
    pub(super) fn new(port: &Port) -> Self {
        let control = port.packet_info.space();
        Self {
            plain: MultiHeaders::preallocate(MOST, None),
            from: control.map(|control| MultiHeaders::preallocate(MOST, Some(control))),
        }
    }

    /// Sends answers with one call, and returns how many the kernel took.
    pub(super) fn send(
        &mut self,
        port: &Port,
        answers: &[Vec<u8>],
        to: &[Option<Address>],
        from: Option<Source>,
    ) -> io::Result<usize> {
        let slices: [_; MOST] = std::array::from_fn(|index| {
            [IoSlice::new(answers.get(index).map_or(&[], Vec::as_slice))]
        });
        let slices = &slices[..answers.len()];
        match (from, &mut self.from) {
            (Some(from), Some(headers)) => {
                with_control(from, |control| send_all(port, headers, slices, to, control))
            }
            _ => send_all(port, &mut self.plain, slices, to, &[]),
        }
    }
}

fn send_all<'a>(
    port: &Port,
    headers: &'a mut Headers,
    slices: &'a [[IoSlice<'a>; 1]],
    to: &[Option<Address>],
    control: &'a [ControlMessage<'a>],
) -> io::Result<usize> {
    let fd = port.socket.as_raw_fd();
    let sent = sendmmsg(fd, headers, slices, to, control, MsgFlags::empty())?;
    Ok(sent.count())
}
