//! A socket that sends to one destination by one addressing mode.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use socket2::{Domain, Protocol, Socket, Type};

pub use super::sending_socket::Reach;
use super::{
    interface::{Interface, Presence},
    sending_socket::{cannot_split, may_be_lost, open, send_failure},
};
use crate::{
    event::AddressingMode,
    exit::{Exit, Failure},
    net::{Interest, wait},
    sys::datagrams::{self, Cause},
    zone,
};

/// The longest message that one UDP datagram carries over IPv4, in bytes: 65,535 less the headers (RFC 768, RFC 791). Over
/// IPv6 it is 20 more; one limit for both is easier to remember.
pub const LONGEST: usize = 65_507;

/// How long the kernel may take to make room in its send buffer.
const ROOM: Duration = Duration::from_secs(5);

/// The most datagrams that the kernel takes in one piece (UDP_MAX_SEGMENTS before Linux 6.9).
const SEGMENTS: usize = 64;

/// How many datagrams of this length the kernel takes in one piece.
pub fn piece(length: usize) -> usize {
    (LONGEST / length.max(1)).clamp(1, SEGMENTS)
}

/// A socket that sends to one destination. Each has its own port, which distinguishes the senders.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
    mode: AddressingMode,
    /// Its source address.
    pub from: SocketAddr,
    /// Its destination address.
    pub to: SocketAddr,
    /// Where and how it was opened, to do so again.
    route: Route,
    /// The length of the datagrams into which the kernel splits what it is handed; 0: it does not.
    segment: usize,
    offload: bool,
    /// The number of system calls made to send.
    pub calls: u64,
}

/// What a sender is opened with, and how it goes on after its interface vanished.
#[derive(Debug)]
struct Route {
    interface: Interface,
    /// Whether the interface is known by its address, and not by its name.
    by_address: bool,
    reach: Reach,
    /// The interface of a link-local destination.
    zone: Option<String>,
    /// The interface is gone: nothing can be sent until it is back.
    is_lost: bool,
    /// Not before this moment it is looked for again.
    next_look: Option<Instant>,
    /// What the user should know.
    news: Option<String>,
}

/// How often a lost interface is looked for, at most.
const LOOK: Duration = Duration::from_millis(200);

impl Sender {
    /// A sender to `to`. Multicast and broadcast messages are sent on `interface`; the kernel routes unicast ones.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 2).
    pub fn new(
        mode: AddressingMode,
        to: SocketAddr,
        interface: &Interface,
        reach: Reach,
    ) -> Result<Self, Failure> {
        let (from, socket) =
            open(mode, to, interface, reach, 0).map_err(|error| send_failure(mode, to, &error))?;
        let zone = match to {
            SocketAddr::V6(to) if mode == AddressingMode::Unicast => zone::name(to.scope_id()),
            _ => None,
        };
        Ok(Self {
            socket,
            route: Route {
                interface: interface.clone(),
                by_address: false,
                reach,
                zone,
                is_lost: false,
                next_look: None,
                news: None,
            },
            mode,
            from,
            to,
            segment: 0,
            offload: reach.offload,
            calls: 0,
        })
    }

    /// The same, for an interface that the user knows by its address, and not by its name.
    #[must_use]
    pub fn known_by_address(mut self, by_address: bool) -> Self {
        self.route.by_address = by_address;
        self
    }

    /// What the user should know since the last call: that the interface is back.
    pub fn news(&mut self) -> Option<String> {
        self.route.news.take()
    }

    /// Sends one datagram. After the interface vanished and returned, sending goes on.
    ///
    /// # Errors
    /// `send to ADDRESS: why` (exit code 1): the datagram was not sent, or the destination answered an earlier one that
    /// no program listens there.
    pub fn send(&mut self, message: &[u8]) -> Result<(), Failure> {
        if message.len() > LONGEST {
            let why = format!(
                "a message of {} bytes; a datagram carries at most {LONGEST}",
                message.len()
            );
            return Err(Failure::no(format!("send to {}", self.to), why));
        }
        let sent = self.send_plain(message);
        let sent = match sent {
            Err(error) if self.goes_on(&error) => self.send_plain(message),
            sent => sent,
        };
        if sent.is_ok() {
            self.went_out();
        }
        sent.map_err(|error| self.failure(&error))
    }

    fn send_plain(&mut self, message: &[u8]) -> io::Result<()> {
        self.split_into(0)?;
        self.hand_over(message)?;
        datagrams::pending_error(&self.socket)?.map_or(Ok(()), Err)
    }

    /// Sends the datagrams in `messages`, of `each` bytes each, in as few system calls as the kernel allows. How many were
    /// sent, and why the others were not (exit code 1). [`Self::answer`] reports that no program listens.
    pub fn send_many(&mut self, messages: &[u8], each: usize) -> (u64, Option<Failure>) {
        let (mut sent, mut error) = self.as_one(messages, each);
        if error.as_ref().is_some_and(|error| self.goes_on(error)) {
            let rest = messages.get(sent as usize * each..).unwrap_or_default();
            let (more, then) = self.as_one(rest, each);
            (sent, error) = (sent + more, then);
        }
        if error.is_none() {
            self.went_out();
        }
        (sent, error.map(|error| self.failure(&error)))
    }

    /// Hands the kernel all of it in as few pieces as it takes.
    fn as_one(&mut self, messages: &[u8], each: usize) -> (u64, Option<io::Error>) {
        let at_once = piece(each);
        if self.offload && at_once > 1 && messages.len() > each {
            match self.in_pieces(messages, each, at_once) {
                // The kernel or the network card does not support it, or a datagram is longer than a packet: send them
                // one by one.
                (0, Some(error)) if cannot_split(&error) => self.offload = false,
                sent => return sent,
            }
        }
        self.in_pieces(messages, each, 1)
    }

    /// A datagram went out: an interface that was lost is back.
    fn went_out(&mut self) {
        if self.route.is_lost {
            self.route.is_lost = false;
            self.route.news = Some(self.is_back());
        }
    }

    fn is_back(&self) -> String {
        format!(
            "{} is back: sending to {} goes on",
            self.route.interface, self.to
        )
    }

    /// After an error as the loss of an interface or of its address causes it: whether it is back, and the socket open
    /// again, on the same port where that is still free.
    fn goes_on(&mut self, error: &io::Error) -> bool {
        let now = Instant::now();
        let is_early = self.route.next_look.is_some_and(|next| now < next);
        if !may_be_lost(error) || (is_early && !self.route.is_lost) {
            return false;
        }
        self.route.next_look = Some(now + LOOK);
        let interface = match self.look() {
            Some(Ok(interface)) => interface,
            Some(Err(_)) => {
                self.route.is_lost = true;
                return false;
            }
            None => return false,
        };
        let to = match self.mode {
            AddressingMode::Unicast => {
                let zone = self.route.zone.as_deref().map(zone::index);
                match (self.to, zone) {
                    (SocketAddr::V6(mut to), Some(Ok(scope))) => {
                        to.set_scope_id(scope);
                        to.into()
                    }
                    (to, _) => to,
                }
            }
            AddressingMode::Multicast => interface.at(self.to.ip(), self.to.port()),
            AddressingMode::Broadcast => {
                let before = self.route.interface.broadcast_address().map(IpAddr::from);
                match (before, interface.broadcast_address()) {
                    (Ok(before), Ok(now)) if before == self.to.ip() => {
                        SocketAddr::new(now.into(), self.to.port())
                    }
                    _ => self.to,
                }
            }
        };
        // The port is free once the socket that has it is closed.
        let domain = Domain::for_address(to);
        let Ok(unbound) = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP)) else {
            return false;
        };
        self.socket = unbound.into();
        let reach = self.route.reach;
        let opened = open(self.mode, to, &interface, reach, self.from.port())
            .or_else(|_| open(self.mode, to, &interface, reach, 0));
        let Ok((from, socket)) = opened else {
            self.route.is_lost = true;
            return false;
        };
        let is_news = self.route.is_lost || interface != self.route.interface;
        (self.socket, self.from, self.to) = (socket, from, to);
        (self.segment, self.offload) = (0, reach.offload);
        (self.route.interface, self.route.is_lost) = (interface, false);
        self.route.news = is_news.then(|| self.is_back());
        true
    }

    /// The interface as it is now, or why it is not there; None when the system does not say. The kernel routes unicast:
    /// what it needs is looked for by opening the socket again.
    fn look(&self) -> Option<Result<Interface, &'static str>> {
        let Route {
            interface,
            by_address,
            ..
        } = &self.route;
        if self.mode == AddressingMode::Unicast {
            return Some(Ok(interface.clone()));
        }
        let known = Interface::all(interface.address).ok()?;
        Some(match interface.presence(&known, *by_address) {
            Presence::Present(now) => Ok(now.clone()),
            Presence::Absent(why) => Err(why),
        })
    }

    /// Hands the kernel pieces of `at_once` datagrams.
    fn in_pieces(
        &mut self,
        messages: &[u8],
        each: usize,
        at_once: usize,
    ) -> (u64, Option<io::Error>) {
        if let Err(error) = self.split_into(if at_once > 1 { each } else { 0 }) {
            return (0, Some(error));
        }
        if each == 0 {
            // Empty datagrams cannot be joined into a piece: this is one.
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

    /// From now on the kernel splits what it is handed into datagrams of this length; 0: it does not.
    fn split_into(&mut self, length: usize) -> io::Result<()> {
        if self.segment != length {
            datagrams::split_into(&self.socket, length)?;
            self.segment = length;
        }
        Ok(())
    }

    fn hand_over(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut send = || {
            self.calls += 1;
            match self.socket.send(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    // The kernel's send buffer is full, until the network has taken some of it.
                    let until = Some(Instant::now() + ROOM);
                    wait(&self.socket, Interest::Write, until, None)?;
                    self.socket.send(bytes)
                }
                sent => sent,
            }
        };
        let mut until = None;
        loop {
            match send() {
                // The answer to an earlier datagram; this one has not been sent yet.
                Err(error) if datagrams::cause(&error) == Cause::NoListener => break send(),
                // The queue of the network card is full, and no wait for the socket says when it has room.
                Err(error)
                    if datagrams::cause(&error) == Cause::NoRoom
                        && Instant::now() < *until.get_or_insert_with(|| Instant::now() + ROOM) =>
                {
                    thread::sleep(Duration::from_millis(1));
                }
                sent => break sent,
            }
        }
        .map(|_| ())
    }

    /// The destination's answer since the last call, if it was that no program listens there.
    pub fn answer(&self) -> Option<Failure> {
        let error = datagrams::pending_error(&self.socket).ok().flatten();
        error.map(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        if may_be_lost(error)
            && let Some(Err(why)) = self.look()
        {
            let what = format!("send to {}", self.to);
            let interface = &self.route.interface;
            return Failure::no(
                what,
                format!("{interface} {why}; sending goes on when it is back"),
            );
        }
        Failure {
            exit: Exit::No,
            ..send_failure(self.mode, self.to, error)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{super::membership::GROUP, *};

    #[test]
    fn a_message_that_cannot_be_sent_is_refused() {
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let to = |port| SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port);
        let sender =
            |port| Sender::new(AddressingMode::Unicast, to(port), lo, Reach::default()).unwrap();
        let failure = sender(receiver.local_addr().unwrap().port())
            .send(&vec![0; LONGEST + 1])
            .unwrap_err()
            .to_string();
        assert!(
            failure.ends_with("a message of 65508 bytes; a datagram carries at most 65507"),
            "{failure}"
        );
        // The kernel gives no program so low a port unless it requests it.
        let failure = sender(1).send(b"hello").unwrap_err().to_string();
        assert!(failure.ends_with("no program listens there"), "{failure}");
        let broadcast = SocketAddr::new(Ipv4Addr::new(127, 255, 255, 255).into(), 1);
        let failure =
            Sender::new(AddressingMode::Unicast, broadcast, lo, Reach::default()).unwrap_err();
        assert!(failure.why.ends_with("--mode broadcast"), "{failure}");
    }
}
