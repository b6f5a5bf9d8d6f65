//! macOS and the BSDs: ip(4), ip6(4), getsockopt(2).

use std::{io, net::UdpSocket, time::Duration};

use nix::{
    cmsg_space, libc,
    sys::{
        socket::{
            ControlMessageOwned, setsockopt,
            sockopt::{Ipv4RecvDstAddr, Ipv6RecvPacketInfo, ReceiveTimestamp},
        },
        time::{TimeVal, TimeValLike},
    },
};
use socket2::Socket;

pub use super::posix::{cause, membership_interface, pending_error};
use super::{
    cause::Cause,
    posix::{self, v4, v6},
    received::Received,
};

/// The setting that limits the size of a receive buffer.
pub const BUFFER_LIMIT: &str = "kern.ipc.maxsockbuf";

/// Which of the sockets that share a port receives what is sent by unicast.
pub const UNICAST_GOES_TO: &str = "one of them";

/// Whether the kernel keeps from a socket what is sent to groups that it did not join, and with [`only_on`] what comes from
/// other interfaces.
pub const FILTERS: bool = false;

/// The smallest receive buffer that is worth a request, in bytes.
const LEAST_BUFFER: usize = 4096;

/// What the kernel grants when it grants a request for a receive buffer in full, in bytes.
pub fn granted_in_full(requested: usize) -> usize {
    requested
}

/// Requests a receive buffer of this size, in bytes; the system may grant less.
///
/// # Errors
/// As setsockopt(2).
pub fn request_receive_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    // What is too much is refused as a whole here, and the limit is not known.
    let mut request = bytes;
    loop {
        match socket.set_recv_buffer_size(request) {
            Err(error) if cause(&error) == Cause::NoRoom && request > LEAST_BUFFER => request /= 2,
            done => return done,
        }
    }
}

/// Lets other sockets that are shared, too, have the same port.
///
/// # Errors
/// As setsockopt(2).
pub fn share_port(socket: &Socket) -> io::Result<()> {
    // Only SO_REUSEPORT shares a port that is bound to the wildcard address.
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)
}

/// Nothing: what comes over another interface arrives, too.
///
/// # Errors
/// None.
pub fn only_on(_socket: &Socket, _name: &str) -> io::Result<()> {
    Ok(())
}

/// From now on what is sent to 255.255.255.255 leaves over this interface; FreeBSD chooses it by the source address.
///
/// # Errors
/// As setsockopt(2).
pub fn limited_broadcast(socket: &Socket, name: &str, index: u32) -> io::Result<()> {
    let _ = name;
    #[cfg(target_os = "macos")]
    socket.bind_device_by_index_v4(std::num::NonZeroU32::new(index))?;
    #[cfg(not(target_os = "macos"))]
    let _ = (socket, index);
    Ok(())
}

/// The kernel splits nothing here.
///
/// # Errors
/// `Unsupported`, for a length.
pub fn split_into(_socket: &UdpSocket, length: usize) -> io::Result<()> {
    match length {
        0 => Ok(()),
        _ => Err(io::ErrorKind::Unsupported.into()),
    }
}

/// What to do when a group cannot be joined at this port for that cause, as the end of a line; None: as everywhere.
pub fn join_remedy(cause: Cause, port: u16) -> Option<&'static str> {
    match cause {
        Cause::NoRoom => Some("; too many groups for one socket"),
        Cause::Denied if port < 1024 => Some("; ports below 1024 are the administrator's"),
        _ => None,
    }
}

/// What to do when a datagram cannot be sent for that cause, as the end of a line; None: as everywhere. `chosen`: the user
/// chose the interface.
pub fn send_remedy(cause: Cause, _chosen: bool, v4: bool) -> Option<&'static str> {
    (cause == Cause::NoSuchAddress && !v4).then_some(
        "; a new IPv6 address is not usable before a second or two (ifconfig lists it as tentative)",
    )
}

/// What a read of a socket takes.
#[derive(Debug)]
pub struct Inbox {
    /// Where the kernel puts the control messages.
    control: Vec<u8>,
}

/// A UDP socket, of IPv4 or of IPv6, and its inbox. A read of it waits for so long at most.
///
/// # Errors
/// As socket(2).
pub fn open(v4: bool, read_timeout: Duration) -> io::Result<(Socket, Inbox)> {
    let socket = posix::open(v4, read_timeout)?;
    let control = cmsg_space!(libc::in6_pktinfo, TimeVal);
    Ok((socket, Inbox { control }))
}

impl Inbox {
    /// Asks the kernel to say of each datagram how it came; it hands over one at a time.
    ///
    /// # Errors
    /// As setsockopt(2).
    pub fn enable(&mut self, socket: &Socket, v4: bool, _offload: bool) -> io::Result<()> {
        if v4 {
            setsockopt(socket, Ipv4RecvDstAddr, &true)?;
        } else {
            setsockopt(socket, Ipv6RecvPacketInfo, &true)?;
        }
        // With the kernel's timestamp, a late read does not lengthen a datagram's delay.
        Ok(setsockopt(socket, ReceiveTimestamp, &true)?)
    }

    /// Reads what has arrived; with `may_wait` it waits for it, as long as [`open`] allows.
    ///
    /// # Errors
    /// As recvmsg(2): `WouldBlock` when nothing has arrived, `Interrupted` by a signal.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        buffer: &mut [u8],
        may_wait: bool,
    ) -> io::Result<Received> {
        posix::receive(socket, buffer, &mut self.control, may_wait, note)
    }
}

/// Notes what the kernel reports in a control message.
fn note(received: &mut Received, message: &ControlMessageOwned) {
    match *message {
        ControlMessageOwned::Ipv4RecvDstAddr(to) => received.to = Some(v4(to)),
        ControlMessageOwned::Ipv6PacketInfo(info) => received.to = Some(v6(info.ipi6_addr)),
        ControlMessageOwned::ScmTimestamp(time) => {
            received.time_us = u64::try_from(time.num_microseconds()).ok();
        }
        _ => {}
    }
}
