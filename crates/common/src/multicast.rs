//! Multicast groups, and the UDP sockets that send and receive (IPv4; RFC 1112).

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use nix::errno::Errno;
use serde::Deserialize;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    config::{Period, in_range},
    exit::{Exit, Failure, Summary, why},
    interface::Interface,
    net::{Interest, wait},
    shutdown::Shutdown,
};

/// The handout's group.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 1, 1, 1);

/// The handout's port.
pub const PORT: u16 = 5007;

/// The most that one UDP datagram carries over IPv4, in bytes: 65,535 less the headers (RFC 768, RFC 791).
pub const LONGEST: usize = 65_507;

/// How long the kernel may take to make room for one more datagram.
const SEND: Duration = Duration::from_secs(5);

/// How long after a shutdown was requested datagrams that the kernel already holds are still read.
const DRAIN: Duration = Duration::from_secs(1);

/// Which group to join, where, and for how long to listen: what server and client of the experiment have in common.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The group and its port; port 0 takes a free one.
    pub group: SocketAddrV4,
    /// Where it is joined.
    pub interface: Interface,
    /// After how many datagrams to end.
    pub count: Option<u64>,
    /// After what time to end.
    pub end_after: Option<Duration>,
}

impl Membership {
    /// Fills in the defaults of `--group`, `--port`, `--interface`, `--count` and `--for`, finds the interface and
    /// checks the ranges.
    ///
    /// # Errors
    /// The flag, its value and what is wrong with it (exit code 2).
    pub fn new(
        group: Option<Ipv4Addr>,
        port: Option<u16>,
        interface: Option<&str>,
        count: Option<u64>,
        end_after: Option<Period>,
    ) -> Result<Self, Failure> {
        let group = valid_group(group.unwrap_or(GROUP))?;
        Ok(Self {
            group: SocketAddrV4::new(group, port.unwrap_or(PORT)),
            interface: Interface::find(interface, group)?,
            count: count
                .map(|count| in_range("--count", count, 1, u64::MAX))
                .transpose()?,
            end_after: end_after
                .map(|period| period.as_wait("--for"))
                .transpose()?,
        })
    }

    /// Whether so many datagrams are enough.
    pub fn satisfied(&self, received: u64) -> bool {
        self.count.is_some_and(|count| received >= count)
    }

    /// The summary of a run that received so many: the answer is no where `--count` asked for more, unless somebody
    /// interrupted it.
    pub fn judge(&self, mut summary: Summary, received: u64, interrupted: bool) -> Summary {
        if let Some(count) = self.count
            && received < count
        {
            summary.text += &format!(", not {count}");
            if !interrupted {
                summary.exit = summary.exit.max(Exit::No);
            }
        }
        summary
    }
}

fn valid_group(group: Ipv4Addr) -> Result<Ipv4Addr, Failure> {
    if group.is_multicast() {
        return Ok(group);
    }
    Err(Failure::could_not_run(
        "--group",
        format!("{group} is not in 224.0.0.0 to 239.255.255.255"),
    ))
}

/// A member of a group: hears what is sent to the group, to this machine, or to everybody, on its port.
#[derive(Debug)]
pub struct Receiver {
    socket: UdpSocket,
    /// The group and the real port.
    pub group: SocketAddrV4,
    interface: Interface,
    buffer: Vec<u8>,
}

/// Where it listens, and how to go on the network: the rest of the ready line after `listening on`.
impl fmt::Display for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reach = if self.interface.loopback {
            "this machine only; --interface default goes on the network"
        } else {
            "on the network"
        };
        write!(f, "{}, joined on {}: {reach}", self.group, self.interface)
    }
}

impl Receiver {
    /// Joins `group` on `interface`. The port is shared with every other program that shares it too, as the
    /// handout's do; port 0 takes a free one.
    ///
    /// # Errors
    /// `join GROUP:PORT on INTERFACE: why` (exit code 2).
    pub fn join(group: SocketAddrV4, interface: &Interface) -> Result<Self, Failure> {
        let socket = || {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_nonblocking(true)?;
            // Only the wildcard address hears group, unicast and broadcast alike. On the loopback interface the
            // socket is tied to it, so that nothing from the network gets in.
            #[cfg(target_os = "linux")]
            if interface.loopback {
                socket.bind_device(Some(interface.name.as_bytes()))?;
            }
            if group.port() != 0 {
                share_port(&socket)?;
            }
            socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, group.port()).into())?;
            // A free port is chosen first and shared afterwards: sharing it while choosing could choose a port
            // that others share already.
            share_port(&socket)?;
            // Only what this socket itself joined, not what anybody on this machine did (ip(7)).
            #[cfg(target_os = "linux")]
            socket.set_multicast_all_v4(false)?;
            socket.join_multicast_v4(group.ip(), &interface.address)?;
            Ok(UdpSocket::from(socket))
        };
        let joined = socket().and_then(|socket| {
            let group = SocketAddrV4::new(*group.ip(), socket.local_addr()?.port());
            Ok(Self {
                socket,
                group,
                interface: interface.clone(),
                buffer: vec![0; usize::from(u16::MAX) + 1],
            })
        });
        joined.map_err(|error| unjoinable(group, interface, &error))
    }

    /// The next datagram and its sender; None when the moment `until` has come (None: no limit) or a shutdown was
    /// requested and what the kernel held by then is read.
    ///
    /// # Errors
    /// As recvfrom(2).
    pub fn receive(
        &mut self,
        until: Option<Instant>,
        shutdown: &Shutdown,
    ) -> io::Result<Option<(&[u8], SocketAddr)>> {
        let (length, sender) = loop {
            let until = match (until, shutdown.since()) {
                (until, None) => until,
                (None, Some(since)) => Some(since + DRAIN),
                (Some(until), Some(since)) => Some(until.min(since + DRAIN)),
            };
            if until.is_some_and(|until| until <= Instant::now()) {
                return Ok(None);
            }
            match self.socket.recv_from(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if shutdown.requested() {
                        return Ok(None);
                    }
                    wait(&self.socket, Interest::Read, until, Some(shutdown))?;
                }
                received => break received?,
            }
        };
        Ok(Some((&self.buffer[..length], sender)))
    }
}

fn share_port(socket: &Socket) -> io::Result<()> {
    // On the BSDs and macOS only SO_REUSEPORT shares a port; on Linux it would also want every program to set it.
    #[cfg(not(target_os = "linux"))]
    socket.set_reuse_port(true)?;
    socket.set_reuse_address(true)
}

/// The three techniques of the experiment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Technique {
    /// To one receiver.
    Unicast,
    /// To the members of a group.
    Multicast,
    /// To everybody on a network.
    Broadcast,
}

/// A socket that sends to one destination from a port of its own, so that each sender can be told from the others.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
    technique: Technique,
    /// Where it sends from.
    pub from: SocketAddr,
    /// Where it sends to.
    pub to: SocketAddrV4,
}

impl Sender {
    /// A sender to `to`; group and broadcast messages go out on `interface`, one to a single receiver as it is
    /// routed.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 2).
    pub fn new(
        technique: Technique,
        to: SocketAddrV4,
        interface: &Interface,
    ) -> Result<Self, Failure> {
        let socket = || {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
            if technique != Technique::Unicast {
                socket.set_multicast_if_v4(&interface.address)?;
                socket.set_broadcast(technique == Technique::Broadcast)?;
                socket.bind(&SocketAddrV4::new(interface.address, 0).into())?;
            }
            // Connecting fixes the source address and lets the kernel say that nobody listens at a unicast one.
            socket.connect(&to.into())?;
            socket.set_nonblocking(true)?;
            let socket = UdpSocket::from(socket);
            Ok((socket.local_addr()?, socket))
        };
        let (from, socket) = socket().map_err(|error| unsendable(technique, to, &error))?;
        Ok(Self {
            socket,
            technique,
            from,
            to,
        })
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 1): it was not sent, or the machine that it went to answered that nobody
    /// listens there.
    pub fn send(&self, message: &[u8]) -> Result<(), Failure> {
        if message.len() > LONGEST {
            let why = format!(
                "a message of {} bytes; a datagram carries at most {LONGEST}",
                message.len()
            );
            return Err(Failure::no(format!("send to {}", self.to), why));
        }
        let send = || match self.socket.send(message) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // The kernel's buffer is full: the network takes a moment to carry it away.
                wait(
                    &self.socket,
                    Interest::Write,
                    Some(Instant::now() + SEND),
                    None,
                )?;
                self.socket.send(message)
            }
            sent => sent,
        };
        let sent = match send() {
            // An earlier datagram was answered so; this one has not been sent yet.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => send(),
            sent => sent,
        };
        let answer = sent.and_then(|_| self.socket.take_error()?.map_or(Ok(()), Err));
        answer.map_err(|error| Failure {
            exit: Exit::No,
            ..unsendable(self.technique, self.to, &error)
        })
    }
}

/// Why a group could not be joined, with the remedy where there is an obvious one.
fn unjoinable(group: SocketAddrV4, interface: &Interface, error: &io::Error) -> Failure {
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ENETUNREACH | Errno::ENODEV) => NO_ROUTE,
        Some(Errno::ENOBUFS) => "; too many groups joined, see net.ipv4.igmp_max_memberships",
        Some(Errno::EADDRINUSE) => {
            "; a program holds this port without sharing it, so choose another --port"
        }
        Some(Errno::EPERM) => {
            "; tying a socket to the loopback interface takes Linux 5.7 or root, --interface default does without"
        }
        Some(Errno::EINVAL | Errno::EACCES) => NOT_ALLOWED,
        _ => "",
    };
    Failure::could_not_run(
        format!("join {group} on {interface}"),
        format!("{}{remedy}", why(error)),
    )
}

/// Why nothing can be sent, likewise. The interface is chosen by --interface for all but unicast.
fn unsendable(technique: Technique, to: SocketAddrV4, error: &io::Error) -> Failure {
    let chosen = technique != Technique::Unicast;
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => "; nobody listens there",
        Some(Errno::ENETUNREACH | Errno::ENODEV) if chosen => NO_ROUTE,
        Some(Errno::EINVAL | Errno::EACCES) if chosen => NOT_ALLOWED,
        _ => "",
    };
    Failure::could_not_run(format!("send to {to}"), format!("{}{remedy}", why(error)))
}

const NO_ROUTE: &str = "; no route leads there, so name an interface with --interface";
const NOT_ALLOWED: &str = "; not allowed on this interface";

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Interface {
        Interface::find(None, GROUP).unwrap()
    }

    fn soon() -> Option<Instant> {
        Some(Instant::now() + Duration::from_millis(50))
    }

    #[test]
    fn the_three_techniques_reach_a_member() {
        let shutdown = Shutdown::new().unwrap();
        let lo = loopback();
        let mut receiver = Receiver::join(SocketAddrV4::new(GROUP, 0), &lo).unwrap();
        let port = receiver.group.port();
        for (technique, address) in [
            (Technique::Multicast, GROUP),
            (Technique::Unicast, Ipv4Addr::LOCALHOST),
            (Technique::Broadcast, lo.broadcast_address()),
        ] {
            let sender = Sender::new(technique, SocketAddrV4::new(address, port), &lo).unwrap();
            let longest = vec![b'x'; LONGEST];
            for message in [b"hello".as_slice(), b"", &longest] {
                sender.send(message).unwrap();
                let until = Some(Instant::now() + Duration::from_secs(30));
                let (received, from) = receiver
                    .receive(until, &shutdown)
                    .unwrap()
                    .expect("a datagram");
                assert!(received == message, "{technique:?}");
                assert_eq!(from, sender.from);
            }
        }
        assert!(receiver.receive(soon(), &shutdown).unwrap().is_none());
    }

    #[test]
    fn members_share_a_port_and_strangers_to_the_group_hear_nothing() {
        let shutdown = Shutdown::new().unwrap();
        let lo = loopback();
        let mut first = Receiver::join(SocketAddrV4::new(GROUP, 0), &lo).unwrap();
        let mut second = Receiver::join(first.group, &lo).unwrap();
        let other = SocketAddrV4::new(Ipv4Addr::new(224, 1, 1, 2), first.group.port());
        let mut stranger = Receiver::join(other, &lo).unwrap();
        Sender::new(Technique::Multicast, first.group, &lo)
            .unwrap()
            .send(b"hello")
            .unwrap();
        for member in [&mut first, &mut second] {
            let until = Some(Instant::now() + Duration::from_secs(30));
            assert_eq!(
                member.receive(until, &shutdown).unwrap().unwrap().0,
                b"hello"
            );
        }
        assert!(stranger.receive(soon(), &shutdown).unwrap().is_none());
    }

    #[test]
    fn what_arrived_before_a_shutdown_is_still_read() {
        let shutdown = Shutdown::new().unwrap();
        let lo = loopback();
        let mut receiver = Receiver::join(SocketAddrV4::new(GROUP, 0), &lo).unwrap();
        Sender::new(Technique::Multicast, receiver.group, &lo)
            .unwrap()
            .send(b"hello")
            .unwrap();
        shutdown.request();
        assert!(receiver.receive(None, &shutdown).unwrap().is_some());
        assert!(receiver.receive(None, &shutdown).unwrap().is_none());
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let lo = loopback();
        let receiver = Receiver::join(SocketAddrV4::new(GROUP, 0), &lo).unwrap();
        let to = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let sender = Sender::new(Technique::Unicast, to(receiver.group.port()), &lo).unwrap();
        let failure = sender.send(&vec![0; LONGEST + 1]).unwrap_err().to_string();
        assert!(
            failure.ends_with("a message of 65508 bytes; a datagram carries at most 65507"),
            "{failure}"
        );
        // No program is given so low a port unasked.
        let sender = Sender::new(Technique::Unicast, to(1), &lo).unwrap();
        let failure = sender.send(b"anybody?").unwrap_err().to_string();
        assert!(failure.ends_with("nobody listens there"), "{failure}");
        assert!(valid_group(Ipv4Addr::new(10, 0, 0, 1)).is_err());
    }
}
