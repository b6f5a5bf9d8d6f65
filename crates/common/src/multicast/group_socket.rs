//! The socket of a member: it receives what is sent to its groups, to this machine, or to all hosts, on its port, and
//! says of each datagram which of the three it was.

use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use super::{
    batching::Batching,
    destination::Destinations,
    interface::Interface,
    join,
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
    sys::{
        Feature, clock,
        datagrams::{BUFFER_LIMIT, FILTERS, Inbox, granted_in_full},
        tables,
    },
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
    inbox: Inbox,
    destinations: Destinations,
    /// The size of the receive buffer, in bytes.
    pub receive_buffer: ReceiveBuffer,
    report_buffer: bool,
    batching: Batching,
    /// How often the kernel dropped what arrived because the receive buffer was full: each time one datagram, or with
    /// offload one piece of several. None: the system does not count them.
    pub dropped: Option<u64>,
}

/// The size of a receive buffer, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct ReceiveBuffer {
    /// What was requested.
    pub requested: usize,
    /// What the kernel granted: Linux doubles the request, for its own bookkeeping (socket(7)).
    pub granted: usize,
}

impl ReceiveBuffer {
    /// Whether the system limited it.
    pub fn limited(self) -> bool {
        self.granted < granted_in_full(self.requested)
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
    /// Their destination address; None: the system does not say.
    pub to: Option<SocketAddr>,
    /// The addressing mode, by the destination address; None: it is not known.
    pub mode: Option<AddressingMode>,
    /// Whether the last one is truncated.
    pub truncated: bool,
    /// When the kernel received them, in microseconds since 1970; where it does not say, when they were read.
    pub time_us: u64,
    /// [`GroupSocket::dropped`] by now.
    pub dropped: Option<u64>,
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

    /// The same, as a system hands it over that does not say to which address it came.
    #[cfg(test)]
    pub(super) fn of_unknown_mode(self) -> Self {
        Self {
            to: None,
            mode: None,
            ..self
        }
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
                write!(f, ", limited by {BUFFER_LIMIT}")?;
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
        let join::Joined {
            socket,
            inbox,
            port,
            granted,
        } = join::join(membership)?;
        let mut interfaces = membership.interfaces.iter();
        let only_own = interfaces.all(|interface| interface.loopback);
        Ok(Self {
            socket,
            inbox,
            destinations: Destinations::new(&membership.groups, only_own),
            group: membership.interfaces[0].at(membership.groups[0], port),
            groups: membership.groups.clone(),
            interfaces: membership.interfaces.clone(),
            sources: membership.sources.clone(),
            by_address: membership.by_address,
            watch: None,
            buffer: vec![0; usize::from(u16::MAX) + 1],
            receive_buffer: ReceiveBuffer {
                requested: membership.receive_buffer,
                granted,
            },
            batching: Batching::new(granted),
            report_buffer: membership.report_buffer,
            dropped: Feature::DropCounts.is_there().then_some(0),
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
        let received = loop {
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
            let may_wait = !no_time && !self.batching.fast();
            let read = self.inbox.receive(&self.socket, &mut self.buffer, may_wait);
            match read {
                Ok(received) => {
                    self.batching.read(received.length, Instant::now);
                    if FILTERS || self.destinations.concerns(&received) {
                        break received;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if shutdown.requested() {
                        return Ok(None);
                    }
                    let worked = || clock::of_thread().unwrap_or_default();
                    if let Some(pause) = self.batching.empty(Instant::now(), worked) {
                        thread::sleep(left.map_or(pause, |left| left.min(pause)));
                        continue;
                    }
                    wait(&self.socket, Interest::Read, until, Some(shutdown))?;
                }
                Err(error) => return Err(error),
            }
        };
        if let Some(now) = received.drops {
            // The kernel counts modulo 2^32.
            let dropped = self.dropped.get_or_insert(0);
            *dropped += u64::from(now.wrapping_sub(*dropped as u32));
        }
        let port = self.group.port();
        Ok(Some(Batch {
            bytes: &self.buffer[..received.length],
            each: received.each,
            sender: canonical(received.sender),
            to: received.to.map(|to| SocketAddr::new(to, port)),
            mode: self.destinations.mode(&received),
            truncated: received.truncated,
            time_us: received.time_us.unwrap_or_else(now_us),
            dropped: self.dropped,
        }))
    }

    /// Reads from the kernel's table how many datagrams it has dropped by now: with a datagram it reports only the drops
    /// before that one.
    pub fn count_dropped(&mut self) {
        let drops = tables::dropped(&self.socket, self.group.is_ipv4());
        self.dropped = drops.max(self.dropped);
    }
}

#[cfg(test)]
mod tests;
