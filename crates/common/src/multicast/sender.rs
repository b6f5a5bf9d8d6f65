//! A socket that sends to one destination by one technique.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use nix::{
    errno::Errno,
    sys::socket::{setsockopt, sockopt::UdpGsoSegment},
};
use socket2::{Domain, Protocol, Socket, Type};

use super::{LONGEST, Technique};
use crate::{
    exit::{Exit, Failure, why},
    interface::Interface,
    net::{Interest, wait},
};

/// How long the kernel may take to make room for one more datagram.
const ROOM: Duration = Duration::from_secs(5);

/// How many datagrams the kernel takes in one piece at most (UDP_MAX_SEGMENTS before Linux 6.9).
const SEGMENTS: usize = 64;

/// How many datagrams of this length the kernel takes in one piece.
pub fn piece(length: usize) -> usize {
    (LONGEST / length.max(1)).clamp(1, SEGMENTS)
}

/// How far what is sent goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// How many routers it may cross, and one; 0 stays on this machine. None: 1 for a group, else the system's.
    pub ttl: Option<u8>,
    /// Whether members on this machine hear what it sends to a group.
    pub looped: bool,
    /// Whether many datagrams may be handed to the kernel in one piece (UDP_SEGMENT).
    pub offload: bool,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            ttl: None,
            looped: true,
            offload: true,
        }
    }
}

/// A socket that sends to one destination from a port of its own, so that each sender can be told from the others.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
    technique: Technique,
    /// Where it sends from.
    pub from: SocketAddr,
    /// Where it sends to.
    pub to: SocketAddr,
    /// The length of the datagrams into which the kernel cuts what it is handed; 0: it does not.
    segment: usize,
    offload: bool,
    /// System calls made to send.
    pub calls: u64,
}

impl Sender {
    /// A sender to `to`; group and broadcast messages go out on `interface`, one to a single receiver as it is
    /// routed.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 2).
    pub fn new(
        technique: Technique,
        to: SocketAddr,
        interface: &Interface,
        reach: Reach,
    ) -> Result<Self, Failure> {
        let socket = || {
            let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
            aim(&socket, technique, to, interface, reach)?;
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
            segment: 0,
            offload: reach.offload,
            calls: 0,
        })
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 1): it was not sent, or the machine that it went to answered that nobody
    /// listens there.
    pub fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        if message.len() > LONGEST {
            let why = format!(
                "a message of {} bytes; a datagram carries at most {LONGEST}",
                message.len()
            );
            return Err(Failure::no(format!("send to {}", self.to), why));
        }
        self.cut_into(0).map_err(|error| self.failure(&error))?;
        self.hand_over(message)
            .and_then(|()| self.socket.take_error()?.map_or(Ok(()), Err))
            .map_err(|error| self.failure(&error))
    }

    /// Sends datagrams of `each` bytes, which stand one behind the other, in as few system calls as the kernel
    /// allows. How many were sent, and why the others were not (exit code 1). That nobody listens is told by
    /// [`Self::answer`].
    pub fn send_many(&mut self, messages: &[u8], each: usize) -> (u64, Option<Failure>) {
        let at_once = piece(each);
        if self.offload && at_once > 1 && messages.len() > each {
            let (sent, error) = self.in_pieces(messages, each, at_once);
            match error {
                None => return (sent, None),
                // A kernel or a network card that cannot, or datagrams longer than a packet: one by one, then.
                Some(error) if sent == 0 && cannot_cut(&error) => self.offload = false,
                Some(error) => return (sent, Some(self.failure(&error))),
            }
        }
        let (sent, error) = self.in_pieces(messages, each, 1);
        (sent, error.map(|error| self.failure(&error)))
    }

    /// Hands the kernel pieces of so many datagrams.
    fn in_pieces(
        &mut self,
        messages: &[u8],
        each: usize,
        at_once: usize,
    ) -> (u64, Option<io::Error>) {
        if let Err(error) = self.cut_into(if at_once > 1 { each } else { 0 }) {
            return (0, Some(error));
        }
        if each == 0 {
            // There is nothing to stand behind one another: one empty datagram.
            return match self.hand_over(messages) {
                Ok(()) => (1, None),
                Err(error) => (0, Some(error)),
            };
        }
        let mut sent = 0;
        for piece in messages.chunks(each * at_once) {
            if let Err(error) = self.hand_over(piece) {
                return (sent, Some(error));
            }
            sent += piece.len().div_ceil(each) as u64;
        }
        (sent, None)
    }

    /// From now on the kernel cuts what it is handed into datagrams of this length; 0: into none.
    fn cut_into(&mut self, length: usize) -> io::Result<()> {
        if self.segment != length {
            let length_as_wished = i32::try_from(length).unwrap_or_default();
            setsockopt(&self.socket, UdpGsoSegment, &length_as_wished)?;
            self.segment = length;
        }
        Ok(())
    }

    fn hand_over(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut send = || {
            self.calls += 1;
            match self.socket.send(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The kernel's buffer is full: the network takes a moment to carry it away.
                    let until = Some(Instant::now() + ROOM);
                    wait(&self.socket, Interest::Write, until, None)?;
                    self.socket.send(bytes)
                }
                sent => sent,
            }
        };
        match send() {
            // An earlier datagram was answered so; this one has not been sent yet.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => send(),
            sent => sent,
        }
        .map(|_| ())
    }

    /// What the machine at the other end has answered since, if it was no.
    pub fn answer(&self) -> Option<Failure> {
        let error = self.socket.take_error().ok().flatten();
        error.map(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure {
            exit: Exit::No,
            ..unsendable(self.technique, self.to, error)
        }
    }
}

/// Whether the kernel says that it cannot cut what it is handed into such datagrams.
fn cannot_cut(error: &io::Error) -> bool {
    let error = error.raw_os_error().map(Errno::from_raw);
    matches!(
        error,
        Some(Errno::EINVAL | Errno::EIO | Errno::EMSGSIZE | Errno::ENOPROTOOPT | Errno::EOPNOTSUPP)
    )
}

fn aim(
    socket: &Socket,
    technique: Technique,
    to: SocketAddr,
    interface: &Interface,
    reach: Reach,
) -> io::Result<()> {
    let ttl = reach.ttl.map(u32::from);
    match (technique, to, interface.address) {
        (Technique::Unicast, SocketAddr::V4(_), _) => {
            return ttl.map_or(Ok(()), |ttl| socket.set_ttl_v4(ttl));
        }
        (Technique::Unicast, SocketAddr::V6(_), _) => {
            return ttl.map_or(Ok(()), |ttl| socket.set_unicast_hops_v6(ttl));
        }
        (_, SocketAddr::V4(_), IpAddr::V4(address)) => {
            socket.set_multicast_if_v4(&address)?;
            socket.set_multicast_ttl_v4(ttl.unwrap_or(1))?;
            socket.set_multicast_loop_v4(reach.looped)?;
        }
        _ => {
            socket.set_multicast_if_v6(interface.index)?;
            socket.set_multicast_hops_v6(ttl.unwrap_or(1))?;
            socket.set_multicast_loop_v6(reach.looped)?;
        }
    }
    if technique == Technique::Broadcast {
        socket.set_broadcast(true)?;
        if let Some(ttl) = ttl {
            socket.set_ttl_v4(ttl)?;
        }
        // The limited broadcast has no route of its own: the interface says where it goes out (ip(7)).
        #[cfg(target_os = "linux")]
        if to.ip() == IpAddr::V4(Ipv4Addr::BROADCAST) {
            socket.bind_device(Some(interface.name.as_bytes()))?;
        }
    }
    socket.bind(&interface.at(interface.address, 0).into())
}

/// Why nothing can be sent, with the remedy where there is an obvious one. The interface is chosen by --interface for
/// all but unicast.
fn unsendable(technique: Technique, to: SocketAddr, error: &io::Error) -> Failure {
    let chosen = technique != Technique::Unicast;
    let remedy = match error.raw_os_error().map(Errno::from_raw) {
        Some(Errno::ECONNREFUSED) => "; nobody listens there",
        Some(Errno::ENETUNREACH | Errno::ENODEV) if chosen => NO_ROUTE,
        Some(Errno::ENETUNREACH) => "; no route leads there",
        Some(Errno::EACCES) if !chosen => "; a broadcast address takes --mode broadcast",
        Some(Errno::EPERM) => "; a firewall on this machine forbids it",
        Some(Errno::EINVAL | Errno::EACCES) if chosen => NOT_ALLOWED,
        _ => "",
    };
    Failure::could_not_run(format!("send to {to}"), format!("{}{remedy}", why(error)))
}

pub(super) const NO_ROUTE: &str = "; no route leads there, so name an interface with --interface";
pub(super) const NOT_ALLOWED: &str = "; not allowed on this interface";

#[cfg(test)]
mod tests {
    use super::{
        super::{GROUP, Membership, Receiver, Wanted},
        *,
    };

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        let membership = Membership::new(Wanted {
            port: Some(0),
            ..Wanted::default()
        });
        let receiver = Receiver::join(&membership.unwrap()).unwrap();
        let to = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        let sender =
            |port| Sender::new(Technique::Unicast, to(port), lo, Reach::default()).unwrap();
        let failure = sender(receiver.group.port())
            .send(&vec![0; LONGEST + 1])
            .unwrap_err()
            .to_string();
        assert!(
            failure.ends_with("a message of 65508 bytes; a datagram carries at most 65507"),
            "{failure}"
        );
        // No program is given so low a port unasked.
        let failure = sender(1).send(b"anybody?").unwrap_err().to_string();
        assert!(failure.ends_with("nobody listens there"), "{failure}");
        let everybody = SocketAddr::new(Ipv4Addr::new(127, 255, 255, 255).into(), 1);
        let failure = Sender::new(Technique::Unicast, everybody, lo, Reach::default()).unwrap_err();
        assert!(failure.why.ends_with("--mode broadcast"), "{failure}");
    }
}
