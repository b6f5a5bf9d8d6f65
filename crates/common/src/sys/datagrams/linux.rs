//! Linux: ip(7), udp(7), socket(7).

use std::{io, net::UdpSocket, time::Duration};

use nix::{
    cmsg_space, libc,
    sys::{
        socket::{
            ControlMessageOwned, setsockopt,
            sockopt::{
                Ipv4PacketInfo, Ipv6RecvPacketInfo, ReceiveTimestampns, RxqOvfl, UdpGroSegment,
                UdpGsoSegment,
            },
        },
        time::{TimeSpec, TimeValLike},
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
pub const BUFFER_LIMIT: &str = "net.core.rmem_max";

/// Which of the sockets that share a port receives what is sent by unicast.
pub const UNICAST_GOES_TO: &str = "the last to bind";

/// Whether the kernel keeps from a socket what is sent to groups that it did not join, and with [`only_on`] what comes from
/// other interfaces.
pub const FILTERS: bool = true;

/// What the kernel grants when it grants a request for a receive buffer in full, in bytes: it doubles the request, for its
/// own bookkeeping (socket(7)).
pub fn granted_in_full(requested: usize) -> usize {
    2 * requested
}

/// Requests a receive buffer of this size, in bytes; the system may grant less.
///
/// # Errors
/// As setsockopt(2).
pub fn request_receive_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(bytes)
}

/// Lets other sockets that are shared, too, have the same port.
///
/// # Errors
/// As setsockopt(2).
pub fn share_port(socket: &Socket) -> io::Result<()> {
    // SO_REUSEPORT would also require that every program sets it.
    socket.set_reuse_address(true)
}

/// From now on only what comes over this interface arrives.
///
/// # Errors
/// EPERM before Linux 5.7 for all but the administrator.
pub fn only_on(socket: &Socket, name: &str) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

/// From now on what is sent to 255.255.255.255, for which there is no route, leaves over this interface (ip(7)).
///
/// # Errors
/// As setsockopt(2).
pub fn limited_broadcast(socket: &Socket, name: &str, _index: u32) -> io::Result<()> {
    socket.bind_device(Some(name.as_bytes()))
}

/// From now on the kernel splits what it is handed into datagrams of this length (UDP_SEGMENT); 0: it does not.
///
/// # Errors
/// As setsockopt(2).
pub fn split_into(socket: &UdpSocket, length: usize) -> io::Result<()> {
    let length = i32::try_from(length).unwrap_or_default();
    Ok(setsockopt(socket, UdpGsoSegment, &length)?)
}

/// What to do when a group cannot be joined at this port for that cause, as the end of a line; None: as everywhere.
pub fn join_remedy(cause: Cause, port: u16) -> Option<&'static str> {
    match cause {
        Cause::NoRoom => Some(
            "; too many groups for one socket, sysctl net.ipv4.igmp_max_memberships sets the limit",
        ),
        Cause::NoMemory => Some("; no memory for one more, see sysctl net.core.optmem_max"),
        Cause::NotPermitted => Some(
            "; binding a socket to the loopback interface takes Linux 5.7 or root, --interface default does without",
        ),
        Cause::Denied if port < 1024 => Some("; ports below 1024 are the administrator's"),
        _ => None,
    }
}

/// What to do when a datagram cannot be sent for that cause, as the end of a line; None: as everywhere. `chosen`: the user
/// chose the interface.
pub fn send_remedy(cause: Cause, _chosen: bool, v4: bool) -> Option<&'static str> {
    (cause == Cause::NoSuchAddress && !v4).then_some(
        "; a new IPv6 address is not usable before a second or two (ip -6 addr lists it as tentative)",
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
    let control = cmsg_space!(libc::in6_pktinfo, u32, libc::c_int, TimeSpec);
    Ok((socket, Inbox { control }))
}

impl Inbox {
    /// Asks the kernel to say of each datagram how it came; with `offload`, to hand over several in one piece.
    ///
    /// # Errors
    /// As setsockopt(2).
    pub fn enable(&mut self, socket: &Socket, v4: bool, offload: bool) -> io::Result<()> {
        // Without this the socket receives from every group that any program on this machine joined (ip(7)).
        if v4 {
            socket.set_multicast_all_v4(false)?;
            setsockopt(socket, Ipv4PacketInfo, &true)?;
        } else {
            socket.set_multicast_all_v6(false)?;
            setsockopt(socket, Ipv6RecvPacketInfo, &true)?;
        }
        setsockopt(socket, RxqOvfl, &1)?;
        // With the kernel's timestamp, a late read does not lengthen a datagram's delay.
        setsockopt(socket, ReceiveTimestampns, &true)?;
        if offload {
            // A kernel without it hands over the datagrams one by one.
            let _ = setsockopt(socket, UdpGroSegment, &true);
        }
        Ok(())
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
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            received.to = Some(v4(info.ipi_addr));
            received.own = Some(v4(info.ipi_spec_dst));
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => received.to = Some(v6(info.ipi6_addr)),
        ControlMessageOwned::UdpGroSegments(each) => {
            received.each = usize::try_from(each).unwrap_or_default();
        }
        ControlMessageOwned::ScmTimestampns(time) => {
            received.time_us = u64::try_from(time.num_microseconds()).ok();
        }
        ControlMessageOwned::RxqOvfl(drops) => received.drops = Some(drops),
        _ => {}
    }
}
