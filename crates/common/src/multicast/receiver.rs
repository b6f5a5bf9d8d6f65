//! A member of a group: hears what is sent to the group, to this machine, or to everybody, on its port; and knows of
//! each datagram which of the three it was.

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
    sys::socket::{
        ControlMessageOwned, MsgFlags, RecvMsg, SockaddrStorage, recvmsg, setsockopt,
        sockopt::{Ipv4PacketInfo, Ipv6RecvPacketInfo, ReceiveTimestampns, RxqOvfl, UdpGroSegment},
    },
    sys::time::{TimeSpec, TimeValLike},
    time::{ClockId, clock_gettime},
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::{Membership, Technique, gathering::Gathering, kernel, stamp::now_us};
use crate::{
    exit::{Failure, why},
    interface::Interface,
    net::{BRIEFLY, Interest, canonical, wait},
    shutdown::Shutdown,
};

/// How long after a shutdown was requested datagrams that the kernel already holds are still read.
const DRAIN: Duration = Duration::from_secs(1);

/// A socket that joined.
#[derive(Debug)]
pub struct Receiver {
    socket: UdpSocket,
    /// The first group and the real port.
    pub group: SocketAddr,
    groups: Vec<IpAddr>,
    interfaces: Vec<Interface>,
    sources: Vec<Ipv4Addr>,
    /// Where the kernel puts a datagram, or several of one length; longer than any (RFC 768), so that none is cut.
    buffer: Vec<u8>,
    /// Where it says how they came.
    control: Vec<u8>,
    /// The receive buffer that was asked for and the one that was granted, in bytes.
    pub room: (usize, usize),
    tell_room: bool,
    gathering: Gathering,
    /// How often the kernel dropped what came because the receive buffer was full: a datagram each time, or with
    /// offload a whole piece.
    pub dropped: u64,
}

/// Datagrams of one sender that came in one piece, all of one length but the last, which may be shorter (UDP_GRO);
/// mostly one.
#[derive(Debug)]
pub struct Batch<'a> {
    bytes: &'a [u8],
    each: usize,
    /// Who sent them.
    pub sender: SocketAddr,
    /// Where they were sent to.
    pub to: SocketAddr,
    /// How they came.
    pub technique: Technique,
    /// Whether the end is missing; never, as the buffer is long enough.
    pub cut: bool,
    /// When the kernel had it, in microseconds since 1970; where it does not say, when it was read.
    pub time_us: u64,
}

impl<'a> Batch<'a> {
    /// The datagrams in order; an empty one is a datagram too.
    pub fn datagrams(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let empty = self.bytes.is_empty().then_some(self.bytes);
        empty.into_iter().chain(self.bytes.chunks(self.each.max(1)))
    }
}

/// Where it listens, and how to go on the network: the rest of the ready line after `listening on`.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.group)?;
        for group in &self.groups[1..] {
            write!(f, " and {group}")?;
        }
        f.write_str(", joined on ")?;
        for (place, interface) in self.interfaces.iter().enumerate() {
            write!(f, "{}{interface}", if place > 0 { ", " } else { "" })?;
        }
        for (place, source) in self.sources.iter().enumerate() {
            write!(
                f,
                "{}{source}",
                if place > 0 {
                    " and "
                } else {
                    " for datagrams from "
                }
            )?;
        }
        f.write_str(if on_this_machine(&self.interfaces) {
            ": this machine only; --interface default goes on the network"
        } else {
            ": on the network"
        })?;
        if self.tell_room {
            let (asked, granted) = self.room;
            write!(
                f,
                "; receive buffer: {asked} bytes asked for, {granted} granted"
            )?;
            // The kernel doubles the wish, for what it keeps beside the data (socket(7)).
            if granted < 2 * asked {
                f.write_str(", limited by net.core.rmem_max")?;
            }
        }
        Ok(())
    }
}

/// Whether nothing that goes out on any of them leaves this machine.
pub(super) fn on_this_machine(interfaces: &[Interface]) -> bool {
    interfaces.iter().all(|interface| interface.loopback)
}

impl Receiver {
    /// Joins the groups. The port is shared with every other program that shares it too, as the handout's do; port 0
    /// takes a free one.
    ///
    /// # Errors
    /// `join GROUP:PORT on INTERFACE: why` (exit code 2).
    pub fn join(membership: &Membership) -> Result<Self, Failure> {
        let first = &membership.interfaces[0];
        let unjoinable = |group: IpAddr, interface: &Interface, error: &io::Error| {
            unjoinable(interface.at(group, membership.port), interface, error)
        };
        let socket =
            bind(membership).map_err(|error| unjoinable(membership.groups[0], first, &error))?;
        for group in &membership.groups {
            for interface in &membership.interfaces {
                join_on(&socket, *group, interface, &membership.sources)
                    .map_err(|error| unjoinable(*group, interface, &error))?;
            }
        }
        let ready = || {
            let granted = socket.recv_buffer_size()?;
            let socket = UdpSocket::from(socket);
            Ok((socket.local_addr()?.port(), granted, socket))
        };
        let (port, granted, socket) =
            ready().map_err(|error| unjoinable(membership.groups[0], first, &error))?;
        Ok(Self {
            socket,
            group: first.at(membership.groups[0], port),
            groups: membership.groups.clone(),
            interfaces: membership.interfaces.clone(),
            sources: membership.sources.clone(),
            buffer: vec![0; usize::from(u16::MAX) + 1],
            control: cmsg_space!(libc::in6_pktinfo, u32, libc::c_int, TimeSpec),
            room: (membership.receive_buffer, granted),
            gathering: Gathering::new(granted),
            tell_room: membership.tell_buffer,
            dropped: 0,
        })
    }

    /// The next datagrams; None when the moment `until` has come (None: no limit) or a shutdown was requested and
    /// what the kernel held by then is read.
    ///
    /// # Errors
    /// As recvmsg(2).
    pub fn receive(
        &mut self,
        until: Option<Instant>,
        shutdown: &Shutdown,
    ) -> io::Result<Option<Batch<'_>>> {
        let came = loop {
            let until = match (until, shutdown.since()) {
                (until, None) => until,
                (None, Some(since)) => Some(since + DRAIN),
                (Some(until), Some(since)) => Some(until.min(since + DRAIN)),
            };
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Ok(None);
            }
            // The socket waits briefly by itself, one system call where there would be three.
            let no_time = left.is_some_and(|left| left < BRIEFLY) || shutdown.requested();
            let flags = if no_time || self.gathering.fast() {
                MsgFlags::MSG_DONTWAIT
            } else {
                MsgFlags::empty()
            };
            let fd = self.socket.as_raw_fd();
            let mut room = [IoSliceMut::new(&mut self.buffer)];
            match recvmsg(fd, &mut room, Some(&mut self.control), flags) {
                Ok(received) => {
                    self.gathering.read(received.bytes, Instant::now);
                    break Came::read(&received, self.group.port(), &mut self.dropped)?;
                }
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    if shutdown.requested() {
                        return Ok(None);
                    }
                    if let Some(moment) = self.gathering.empty(Instant::now(), processor_time) {
                        thread::sleep(left.map_or(moment, |left| left.min(moment)));
                        continue;
                    }
                    wait(&self.socket, Interest::Read, until, Some(shutdown))?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        Ok(Some(Batch {
            bytes: &self.buffer[..came.length],
            each: came.each,
            sender: came.sender,
            to: came.to,
            technique: came.technique,
            cut: came.cut,
            time_us: came.time_us.unwrap_or_else(now_us),
        }))
    }

    /// Looks up how many datagrams the kernel has dropped by now: with the datagrams themselves it says only what it
    /// dropped before them. Where the system does not tell, what is known stays.
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

/// What the kernel says of what came.
struct Came {
    length: usize,
    each: usize,
    sender: SocketAddr,
    to: SocketAddr,
    technique: Technique,
    cut: bool,
    time_us: Option<u64>,
}

impl Came {
    fn read(
        received: &RecvMsg<'_, '_, SockaddrStorage>,
        port: u16,
        dropped: &mut u64,
    ) -> io::Result<Self> {
        let mut came = Self {
            length: received.bytes,
            each: received.bytes,
            sender: received
                .address
                .as_ref()
                .and_then(socket_address)
                .ok_or(io::ErrorKind::InvalidData)?,
            to: SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port),
            technique: Technique::Unicast,
            cut: received.flags.contains(MsgFlags::MSG_TRUNC),
            time_us: None,
        };
        for message in received.cmsgs()? {
            match message {
                // The kernel gives the address in the datagram and the one of ours that it came to. They differ when
                // it was sent to a group or to everybody.
                ControlMessageOwned::Ipv4PacketInfo(info) => {
                    let sent_to = Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr));
                    came.to.set_ip(sent_to.into());
                    came.technique = if sent_to.is_multicast() {
                        Technique::Multicast
                    } else if info.ipi_spec_dst.s_addr == info.ipi_addr.s_addr {
                        Technique::Unicast
                    } else {
                        Technique::Broadcast
                    };
                }
                ControlMessageOwned::Ipv6PacketInfo(info) => {
                    let sent_to = Ipv6Addr::from(info.ipi6_addr.s6_addr);
                    came.to.set_ip(sent_to.into());
                    if sent_to.is_multicast() {
                        came.technique = Technique::Multicast;
                    }
                }
                ControlMessageOwned::UdpGroSegments(each) => {
                    came.each = usize::try_from(each).unwrap_or_default();
                }
                ControlMessageOwned::ScmTimestampns(time) => {
                    came.time_us = u64::try_from(time.num_microseconds()).ok();
                }
                // It counts to 2^32 and begins again.
                ControlMessageOwned::RxqOvfl(now) => {
                    *dropped += u64::from(now.wrapping_sub(*dropped as u32));
                }
                _ => {}
            }
        }
        Ok(came)
    }
}

/// The processor time that this thread has taken so far.
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

fn bind(membership: &Membership) -> io::Result<Socket> {
    let v4 = membership.groups[0].is_ipv4();
    let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_read_timeout(Some(BRIEFLY))?;
    // As much as the kernel grants; what that is can be asked.
    socket.set_recv_buffer_size(membership.receive_buffer)?;
    // Only the wildcard address hears group, unicast and broadcast alike. On the loopback interface the socket is
    // tied to it, so that nothing from the network gets in.
    #[cfg(target_os = "linux")]
    if let [interface] = &membership.interfaces[..]
        && interface.loopback
    {
        socket.bind_device(Some(interface.name.as_bytes()))?;
    }
    if membership.port != 0 {
        share_port(&socket)?;
    }
    if v4 {
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, membership.port).into())?;
    } else {
        socket.set_only_v6(true)?;
        socket.bind(&SocketAddrV6::new(Ipv6Addr::UNSPECIFIED, membership.port, 0, 0).into())?;
    }
    // A free port is chosen first and shared afterwards: sharing it while choosing could choose a port that others
    // share already.
    share_port(&socket)?;
    // Only what this socket itself joined, not what anybody on this machine did (ip(7)).
    #[cfg(target_os = "linux")]
    if v4 {
        socket.set_multicast_all_v4(false)?;
        setsockopt(&socket, Ipv4PacketInfo, &true)?;
    } else {
        socket.set_multicast_all_v6(false)?;
        setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
    }
    setsockopt(&socket, RxqOvfl, &1)?;
    // A datagram's delay is no longer for our reading it late.
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    if membership.offload {
        // Where the kernel cannot, the datagrams come one by one.
        let _ = setsockopt(&socket, UdpGroSegment, &true);
    }
    Ok(socket)
}

fn share_port(socket: &Socket) -> io::Result<()> {
    // On the BSDs and macOS only SO_REUSEPORT shares a port; on Linux it would also want every program to set it.
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)
}

fn join_on(
    socket: &Socket,
    group: IpAddr,
    interface: &Interface,
    sources: &[Ipv4Addr],
) -> io::Result<()> {
    match (group, interface.address) {
        (IpAddr::V4(group), IpAddr::V4(address)) if !sources.is_empty() => sources
            .iter()
            .try_for_each(|source| socket.join_ssm_v4(source, &group, &address)),
        (IpAddr::V4(group), _) => {
            socket.join_multicast_v4_n(&group, &InterfaceIndexOrAddress::Index(interface.index))
        }
        (IpAddr::V6(group), _) => socket.join_multicast_v6(&group, interface.index),
    }
}

/// Why a group could not be joined, with the remedy where there is an obvious one.
fn unjoinable(group: SocketAddr, interface: &Interface, error: &io::Error) -> Failure {
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENETUNREACH | Errno::ENODEV) => super::sender::NO_ROUTE,
        Some(Errno::ENOBUFS) => {
            "; too many groups for one socket, sysctl net.ipv4.igmp_max_memberships sets how many"
        }
        Some(Errno::ENOMEM) => "; no room for one more, see sysctl net.core.optmem_max",
        // The same for a port that is held and a group that is named twice.
        Some(Errno::EADDRINUSE) => {
            "; a program holds this port without sharing it, so choose another --port, or the group is named twice"
        }
        Some(Errno::EPERM) => {
            "; tying a socket to the loopback interface takes Linux 5.7 or root, --interface default does without"
        }
        Some(Errno::EACCES) if group.port() < 1024 => "; ports below 1024 are the administrator's",
        Some(Errno::EINVAL | Errno::EACCES) => super::sender::NOT_ALLOWED,
        _ => "",
    };
    Failure::could_not_run(
        format!("join {group} on {interface}"),
        format!("{}{remedy}", why(error)),
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::{GROUP, LONGEST, Reach, Sender, Wanted},
        *,
    };

    fn membership(group: &str, port: u16) -> Membership {
        Membership::new(Wanted {
            group: Some(vec![group.parse().unwrap()]),
            port: Some(port),
            ..Wanted::default()
        })
        .unwrap()
    }

    fn member() -> Receiver {
        Receiver::join(&membership("224.1.1.1", 0)).unwrap()
    }

    fn sender(technique: Technique, to: IpAddr, port: u16) -> Sender {
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        Sender::new(technique, SocketAddr::new(to, port), lo, Reach::default()).unwrap()
    }

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(50))
    }

    fn in_time() -> Option<Instant> {
        Some(Instant::now() + Duration::from_secs(30))
    }

    #[test]
    fn the_three_techniques_reach_a_member_and_are_told_apart() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = member();
        let port = receiver.group.port();
        for (technique, address) in [
            (Technique::Multicast, GROUP),
            (Technique::Unicast, Ipv4Addr::LOCALHOST.into()),
            (Technique::Unicast, Ipv4Addr::new(127, 5, 6, 7).into()),
            (
                Technique::Broadcast,
                Ipv4Addr::new(127, 255, 255, 255).into(),
            ),
        ] {
            let mut sender = sender(technique, address, port);
            let longest = vec![b'x'; LONGEST];
            for message in [b"hello".as_slice(), b"", &longest] {
                sender.send(message).unwrap();
                let batch = receiver
                    .receive(in_time(), &shutdown)
                    .unwrap()
                    .expect("a datagram");
                assert!(batch.datagrams().eq([message]), "{technique:?}");
                assert_eq!(
                    (batch.sender, batch.to, batch.technique, batch.cut),
                    (sender.from, sender.to, technique, false)
                );
            }
        }
        assert!(receiver.receive(soon(), &shutdown).unwrap().is_none());
    }

    #[test]
    fn members_share_a_port_and_strangers_to_the_group_hear_nothing() {
        let shutdown = Shutdown::new().unwrap();
        let mut first = member();
        let port = first.group.port();
        let mut second = Receiver::join(&membership("224.1.1.1", port)).unwrap();
        let mut stranger = Receiver::join(&membership("224.1.1.2", port)).unwrap();
        sender(Technique::Multicast, GROUP, port)
            .send(b"hello")
            .unwrap();
        for member in [&mut first, &mut second] {
            let batch = member.receive(in_time(), &shutdown).unwrap().unwrap();
            assert!(batch.datagrams().eq([b"hello"]));
        }
        assert!(stranger.receive(soon(), &shutdown).unwrap().is_none());
    }

    #[test]
    fn what_arrived_before_a_shutdown_is_still_read() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = member();
        sender(Technique::Multicast, GROUP, receiver.group.port())
            .send(b"hello")
            .unwrap();
        shutdown.request();
        assert!(receiver.receive(None, &shutdown).unwrap().is_some());
        assert!(receiver.receive(None, &shutdown).unwrap().is_none());
    }

    #[test]
    fn many_in_one_piece_come_out_as_they_were() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = member();
        let mut sender = sender(Technique::Multicast, GROUP, receiver.group.port());
        // 100 of 7 bytes: more than one piece takes.
        let numbered: Vec<_> = (0..100).map(|number| format!("msg-{number:03}")).collect();
        assert_eq!(
            sender.send_many(numbered.concat().as_bytes(), 7),
            (100, None)
        );
        assert_eq!(sender.calls, 2);
        let mut heard = Vec::new();
        while heard.len() < 100 {
            let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
            heard.extend(
                batch
                    .datagrams()
                    .map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()),
            );
        }
        assert_eq!(heard, numbered);
    }

    #[test]
    fn what_does_not_fit_is_marked_as_cut() {
        let shutdown = Shutdown::new().unwrap();
        let mut receiver = member();
        receiver.buffer.truncate(3);
        let mut sender = sender(Technique::Multicast, GROUP, receiver.group.port());
        for (message, cut) in [("abcd", true), ("abc", false)] {
            sender.send(message.as_bytes()).unwrap();
            let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
            assert!(batch.datagrams().eq([b"abc"]));
            assert_eq!(batch.cut, cut);
        }
    }

    #[test]
    fn only_the_sources_that_were_asked_for_are_heard() {
        let shutdown = Shutdown::new().unwrap();
        let group = "232.1.1.1";
        let sources = [2, 3].map(|last| Ipv4Addr::new(127, 0, 0, last));
        let mut receiver = Receiver::join(&Membership {
            sources: sources.into(),
            ..membership(group, 0)
        })
        .unwrap();
        let port = receiver.group.port();
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        let from = |last| {
            let lo = Interface {
                address: Ipv4Addr::new(127, 0, 0, last).into(),
                ..lo.clone()
            };
            let to = SocketAddr::new(group.parse().unwrap(), port);
            Sender::new(Technique::Multicast, to, &lo, Reach::default()).unwrap()
        };
        for last in [1, 2, 4, 3] {
            from(last).send(&[last]).unwrap();
        }
        for expected in [2, 3] {
            let batch = receiver.receive(in_time(), &shutdown).unwrap().unwrap();
            assert!(batch.datagrams().eq([[expected]]), "{batch:?}");
            assert_eq!(batch.sender.ip(), Ipv4Addr::new(127, 0, 0, expected));
        }
        assert!(receiver.receive(soon(), &shutdown).unwrap().is_none());
    }

    #[test]
    fn what_the_kernel_drops_is_counted() {
        let shutdown = Shutdown::new().unwrap();
        let mut small = membership("224.1.1.1", 0);
        small.receive_buffer = 1;
        let mut receiver = Receiver::join(&small).unwrap();
        let mut sender = sender(Technique::Multicast, GROUP, receiver.group.port());
        for _ in 0..100 {
            sender.send(&[b'x'; 1000]).unwrap();
        }
        receiver.count_dropped();
        let mut heard = 0;
        while let Some(batch) = receiver.receive(soon(), &shutdown).unwrap() {
            heard += batch.datagrams().count() as u64;
        }
        assert!(heard > 0 && receiver.dropped > 0);
        assert_eq!(heard + receiver.dropped, 100);
    }
}
