//! The socket of a member: it receives what is sent to its groups, to this machine, or to all hosts, on its port, and
//! says of each datagram which of the three it was.

use std::{
    fmt, fs,
    io::{self, IoSliceMut},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
    os::{
        fd::{AsFd, AsRawFd},
        unix::fs::MetadataExt,
    },
    thread,
    time::{Duration, Instant},
};

use nix::{
    cmsg_space,
    errno::Errno,
    libc,
    sys::socket::{ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg},
    sys::time::{TimeSpec, TimeValLike},
    time::{ClockId, clock_gettime},
};

use super::{
    batching::Batching,
    interface::Interface,
    join, kernel,
    membership::Membership,
    stamp::now_us,
    watch::{Joined, Watch},
};
use crate::{
    event::AddressingMode,
    exit::{Failure, why},
    journal::Journal,
    net::{BRIEFLY, Interest, canonical, wait},
    shutdown::Shutdown,
};

/// For how long after a shutdown request the datagrams that the kernel already holds are received.
const DRAIN: Duration = Duration::from_secs(1);

/// A UDP socket that joined multicast groups.
#[derive(Debug)]
pub struct GroupSocket {
    socket: UdpSocket,
    /// The first group and the real port.
    pub group: SocketAddr,
    groups: Vec<IpAddr>,
    interfaces: Vec<Interface>,
    sources: Vec<Ipv4Addr>,
    by_address: bool,
    watch: Option<Watch>,
    /// Where the kernel puts a datagram, or several of one length; longer than any (RFC 768), so that none is truncated.
    buffer: Vec<u8>,
    /// Where the kernel puts the control messages.
    control: Vec<u8>,
    /// The size of the receive buffer, in bytes.
    pub receive_buffer: ReceiveBuffer,
    report_buffer: bool,
    batching: Batching,
    /// How often the kernel dropped what arrived because the receive buffer was full: each time one datagram, or with
    /// offload one piece of several.
    pub dropped: u64,
}

/// The size of a receive buffer, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveBuffer {
    /// What was requested.
    pub requested: usize,
    /// What the kernel granted: it doubles the request, for its own bookkeeping (socket(7)).
    pub granted: usize,
}

impl ReceiveBuffer {
    /// Whether `net.core.rmem_max` limited it.
    pub fn limited(self) -> bool {
        self.granted < 2 * self.requested
    }
}

/// Datagrams of one sender that arrived in one piece (UDP_GRO), all of one length but the last, which may be shorter;
/// usually one.
#[derive(Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    /// The length of each datagram.
    each: usize,
    /// Their source address.
    pub sender: SocketAddr,
    /// Their destination address.
    pub to: SocketAddr,
    /// The addressing mode, by the destination address.
    pub mode: AddressingMode,
    /// Whether the last one is truncated.
    pub truncated: bool,
    /// When the kernel received them, in microseconds since 1970; where it does not say, when they were read.
    pub time_us: u64,
    /// [`GroupSocket::dropped`] by now.
    pub dropped: u64,
}

impl<'a> Batch<'a> {
    /// The datagrams in order. An empty one is a datagram too.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let empty = self.bytes.is_empty().then_some(self.bytes);
        empty.into_iter().chain(self.bytes.chunks(self.each.max(1)))
    }

    /// The number of datagrams, at least 1.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.bytes.len().div_ceil(self.each.max(1)).max(1) as u64
    }

    /// The first `n` datagrams of it, at least one.
    pub(super) fn first(self, n: u64) -> Self {
        let n = usize::try_from(n).unwrap_or(usize::MAX).max(1);
        let length = self.bytes.len().min(self.each.max(1).saturating_mul(n));
        Self {
            bytes: &self.bytes[..length],
            ..self
        }
    }
}

/// The rest of the ready line after `listening on`: the groups and the interfaces, and how to join on the network.
impl fmt::Display for GroupSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            receive_buffer,
            interfaces,
            ..
        } = self;
        write!(f, "{}", self.group)?;
        for group in &self.groups[1..] {
            write!(f, " and {group}")?;
        }
        f.write_str(", joined on ")?;
        for (index, interface) in interfaces.iter().enumerate() {
            write!(f, "{}{interface}", if index > 0 { ", " } else { "" })?;
        }
        for (index, source) in self.sources.iter().enumerate() {
            let before = if index > 0 {
                " and "
            } else {
                " for datagrams from "
            };
            write!(f, "{before}{source}")?;
        }
        f.write_str(if interfaces.iter().all(|interface| interface.loopback) {
            ": this machine only; --interface default goes on the network"
        } else {
            ": on the network"
        })?;
        if self.report_buffer {
            let ReceiveBuffer { requested, granted } = receive_buffer;
            write!(
                f,
                "; receive buffer: {requested} bytes requested, {granted} granted"
            )?;
            if receive_buffer.limited() {
                f.write_str(", limited by net.core.rmem_max")?;
            }
        }
        Ok(())
    }
}

impl GroupSocket {
    /// Joins the groups. The port is shared with every other program that shares it too, as the handout's programs do;
    /// port 0 takes a free one.
    ///
    /// # Errors
    /// `join GROUP:PORT on INTERFACE: why` (exit code 2).
    pub fn join(membership: &Membership) -> Result<Self, Failure> {
        let (socket, port, granted) = join::join(membership)?;
        Ok(Self {
            socket,
            group: membership.interfaces[0].at(membership.groups[0], port),
            groups: membership.groups.clone(),
            interfaces: membership.interfaces.clone(),
            sources: membership.sources.clone(),
            by_address: membership.by_address,
            watch: None,
            buffer: vec![0; usize::from(u16::MAX) + 1],
            control: cmsg_space!(libc::in6_pktinfo, u32, libc::c_int, TimeSpec),
            receive_buffer: ReceiveBuffer {
                requested: membership.receive_buffer,
                granted,
            },
            batching: Batching::new(granted),
            report_buffer: membership.report_buffer,
            dropped: 0,
        })
    }

    /// The groups and the real port.
    pub(super) fn groups(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        let port = self.group.port();
        self.groups
            .iter()
            .map(move |group| self.interfaces[0].at(*group, port))
    }

    /// Watches the interfaces from now on, and says in the journal when one vanishes and returns.
    pub(super) fn watch(&mut self, journal: &Journal) -> Result<(), Failure> {
        let socket = self
            .socket
            .try_clone()
            .map_err(|error| Failure::could_not_run("watch the interfaces", why(&error)))?;
        let joined = Joined {
            socket,
            groups: self.groups.clone(),
            sources: self.sources.clone(),
            interfaces: self.interfaces.clone(),
            by_address: self.by_address,
        };
        self.watch = Some(Watch::start(joined, journal.clone())?);
        Ok(())
    }

    /// Receives the next datagrams; None at the moment `until` (None: no limit), or when a shutdown was requested and
    /// the datagrams that the kernel held by then are received.
    ///
    /// # Errors
    /// As recvmsg(2).
    pub fn receive(
        &mut self,
        until: Option<Instant>,
        shutdown: &Shutdown,
    ) -> io::Result<Option<Batch<'_>>> {
        let arrival = loop {
            let until = match (until, shutdown.since()) {
                (until, None) => until,
                (None, Some(since)) => Some(since + DRAIN),
                (Some(until), Some(since)) => Some(until.min(since + DRAIN)),
            };
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            // A read that waits briefly by itself is one system call where a poll and a read are two.
            let no_time = left.is_some_and(|left| left < BRIEFLY) || shutdown.requested();
            let flags = if no_time || self.batching.fast() {
                MsgFlags::MSG_DONTWAIT
            } else {
                MsgFlags::empty()
            };
            let fd = self.socket.as_raw_fd();
            let mut slices = [IoSliceMut::new(&mut self.buffer)];
            match recvmsg(fd, &mut slices, Some(&mut self.control), flags) {
                Ok(received) => {
                    self.batching.read(received.bytes, Instant::now);
                    break Arrival::read(&received, self.group.port(), &mut self.dropped)?;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if shutdown.requested() {
                        return Ok(None);
                    }
                    if let Some(pause) = self.batching.empty(Instant::now(), processor_time) {
                        thread::sleep(left.map_or(pause, |left| left.min(pause)));
                        continue;
                    }
                    wait(&self.socket, Interest::Read, until, Some(shutdown))?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        Ok(Some(Batch {
            bytes: &self.buffer[..arrival.length],
            each: arrival.each,
            sender: arrival.sender,
            to: arrival.to,
            mode: arrival.mode,
            truncated: arrival.truncated,
            time_us: arrival.time_us.unwrap_or_else(now_us),
            dropped: self.dropped,
        }))
    }

    /// Reads from the kernel's table how many datagrams it has dropped by now: with a datagram it reports only the drops
    /// before that one. On a system without the table the number stays.
    pub fn count_dropped(&mut self) {
        let Ok(socket) = self.socket.as_fd().try_clone_to_owned() else {
            return;
        };
        let inode = fs::File::from(socket)
            .metadata()
            .map(|metadata| metadata.ino());
        if let (Ok(inode), Ok(table)) = (inode, kernel::udp_table(self.group.is_ipv4())) {
            let drops = kernel::sockets(&table)
                .find(|socket| socket.inode == inode)
                .map(|socket| socket.drops);
            self.dropped = drops.unwrap_or_default().max(self.dropped);
        }
    }
}

/// What the kernel reports of the datagrams that one read returned.
struct Arrival {
    length: usize,
    each: usize,
    sender: SocketAddr,
    to: SocketAddr,
    mode: AddressingMode,
    truncated: bool,
    time_us: Option<u64>,
}

impl Arrival {
    fn read(
        received: &RecvMsg<'_, '_, SockaddrStorage>,
        port: u16,
        dropped: &mut u64,
    ) -> io::Result<Self> {
        let mut arrival = Self {
            length: received.bytes,
            each: received.bytes,
            sender: received
                .address
                .as_ref()
                .and_then(socket_address)
                .ok_or(io::ErrorKind::InvalidData)?,
            to: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port),
            mode: AddressingMode::Unicast,
            truncated: received.flags.contains(MsgFlags::MSG_TRUNC),
            time_us: None,
        };
        for message in received.cmsgs()? {
            match message {
                // The kernel reports the destination address and the address of this machine that received it. They
                // differ when the destination is a group or a broadcast address.
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let sent_to = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
                    arrival.to.set_ip(sent_to.into());
                    arrival.mode = if sent_to.is_multicast() {
                        AddressingMode::Multicast
                    } else if info.ipi_spec_dst.s_addr == info.ipi_addr.s_addr {
                        AddressingMode::Unicast
                    } else {
                        AddressingMode::Broadcast
                    };
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let sent_to = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    arrival.to.set_ip(sent_to.into());
                    if sent_to.is_multicast() {
                        arrival.mode = AddressingMode::Multicast;
                    }
                }
                ControlMessageOwned::UdpGroSegments(each) => {
                    arrival.each = usize::try_from(each).unwrap_or_default();
                }
                ControlMessageOwned::ScmTimestampns(time) => {
                    arrival.time_us = u64::try_from(time.num_microseconds()).ok();
                }
                // The kernel counts modulo 2^32.
                ControlMessageOwned::RxqOvfl(now) => {
                    *dropped += u64::from(now.wrapping_sub(*dropped as u32));
                }
                _ => {}
            }
        }
        Ok(arrival)
    }
}

/// The processor time that this thread has used so far.
fn processor_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address
        .as_sockaddr_in()
        .map(|v4| SocketAddrV4::from(*v4).into());
    let v6 = || {
        address
            .as_sockaddr_in6()
            .map(|v6| SocketAddrV6::from(*v6).into())
    };
    v4.or_else(v6).map(canonical)
}

#[cfg(test)]
mod tests;
