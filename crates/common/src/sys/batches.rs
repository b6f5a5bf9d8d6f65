//! Many datagrams received and sent with one call, where the system can, each with the address that it was sent to: its
//! answer leaves from there. Only a socket that is bound to a wildcard address has to be told that address.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod one_by_one;
#[cfg(unix)]
mod packet_info;
#[cfg(all(unix, not(target_os = "linux")))]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    array, fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(all(unix, not(target_os = "linux")))]
use unix as system;
#[cfg(windows)]
use windows as system;

/// How many datagrams are received or sent at once.
pub const MOST: usize = 32;

/// The room for a datagram, in bytes: the longest (RFC 768). The last bytes have the buffers begin in different lines of the
/// processor's caches.
const ROOM: usize = 65_536 + 128;

/// A UDP socket of a server.
#[derive(Debug)]
pub struct Port {
    socket: UdpSocket,
    packet_info: system::PacketInfo,
}

impl Port {
    /// Binds a port for so many threads: with a socket for each where the kernel spreads the datagrams over those that share
    /// a port, otherwise with one for all of them. The kernel may give smaller buffers than `buffer` bytes; a read blocks for
    /// at most `briefly`, or not at all.
    ///
    /// # Errors
    /// As bind(2); when the address is a wildcard, and the system does not say where each datagram was sent to.
    pub fn bind(
        address: SocketAddr,
        threads: usize,
        buffer: usize,
        briefly: Duration,
    ) -> io::Result<Vec<Arc<Self>>> {
        let bound = || {
            let domain = Domain::for_address(address);
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            system::share_port(&socket)?;
            system::set_buffers(&socket, buffer)?;
            // Before the first datagram can arrive.
            let packet_info = system::prepare(&socket, address, briefly)?;
            socket.bind(&address.into())?;
            Ok(Arc::new(Self {
                socket: socket.into(),
                packet_info,
            }))
        };
        if !system::SHARES_PORTS {
            let one = bound()?;
            return Ok(vec![one; threads]);
        }
        // A socket that shares its port is bound although one of another program shares it too; this one is not.
        let domain = Domain::for_address(address);
        Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?.bind(&address.into())?;
        (0..threads).map(|_| bound()).collect()
    }

    /// The socket itself, to wait for it.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Sends one datagram from this address, or from the socket's.
    ///
    /// # Errors
    /// As sendmsg(2).
    pub fn send(&self, from: Option<Source>, message: &[u8], to: &Peer) -> io::Result<()> {
        system::send(self, from, message, &to.0)
    }
}

/// Whether a socket with this address takes datagrams for any address of the machine.
fn is_wildcard(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_unspecified()
}

/// Who sent a datagram, as the system writes it.
#[derive(Clone, Copy)]
pub struct Peer(system::Address);

impl Peer {
    /// Its address; None when it is none of IP.
    pub fn address(&self) -> Option<SocketAddr> {
        system::socket_address(&self.0)
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.address()).finish()
    }
}

/// The address that a datagram was sent to, which its answer leaves from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// Of IPv4.
    V4(Ipv4Addr),
    /// Of IPv6, with the number of the interface, which only a link-local address needs.
    V6(Ipv6Addr, u32),
}

impl Source {
    /// The address alone.
    pub fn ip(self) -> IpAddr {
        match self {
            Self::V4(address) => address.into(),
            Self::V6(address, _) => IpAddr::from(address).to_canonical(),
        }
    }
}

/// What is known of a datagram that was received.
#[derive(Clone, Copy, Default)]
struct Received {
    length: usize,
    peer: Option<system::Address>,
    /// Where it was sent to, when the socket has several addresses.
    source: Option<Source>,
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// What it says.
    pub message: &'a [u8],
    /// Who sent it.
    pub peer: Peer,
    /// Where it was sent to, when the socket has several addresses.
    pub source: Option<Source>,
}

/// The memory for the datagrams that a thread receives.
pub struct Incoming {
    buffers: Box<[[u8; ROOM]]>,
    received: [Received; MOST],
    receiver: system::Receiver,
}

impl Incoming {
    /// For datagrams of this port.
    pub fn new(port: &Port) -> Self {
        Self {
            buffers: vec![[0; ROOM]; MOST].into_boxed_slice(),
            received: [Received::default(); MOST],
            receiver: system::Receiver::new(port),
        }
    }

    /// Receives the datagrams that wait, at most [`MOST`]; when there are none, waits briefly for one. How many there are.
    ///
    /// # Errors
    /// `WouldBlock` when there is none; an error of an earlier answer; as recvmsg(2).
    pub fn receive(&mut self, port: &Port) -> io::Result<usize> {
        self.receiver
            .receive(port, &mut self.buffers, &mut self.received)
    }

    /// One of those that were received last; None when its sender is not known.
    pub fn get(&self, index: usize) -> Option<Datagram<'_>> {
        let received = self.received[index];
        Some(Datagram {
            message: &self.buffers[index][..received.length],
            peer: Peer(received.peer?),
            source: received.source,
        })
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming").finish_non_exhaustive()
    }
}

/// The memory for the answers that a thread sends.
pub struct Outgoing {
    answers: [Vec<u8>; MOST],
    to: [Option<system::Address>; MOST],
    from: [Option<Source>; MOST],
    count: usize,
    sender: system::Sender,
}

impl Outgoing {
    /// For answers of this port, which have room for `usual` bytes before they grow.
    pub fn new(port: &Port, usual: usize) -> Self {
        Self {
            answers: array::from_fn(|_| Vec::with_capacity(usual)),
            to: [None; MOST],
            from: [None; MOST],
            count: 0,
            sender: system::Sender::new(port),
        }
    }

    /// The memory of the next answer, as the last one that was there left it.
    ///
    /// # Panics
    /// When [`MOST`] answers wait.
    pub fn memory(&mut self) -> &mut Vec<u8> {
        &mut self.answers[self.count]
    }

    /// Has the answer that is in the memory now be sent to this peer, from the address that the peer asked.
    pub fn push(&mut self, to: Peer, from: Option<Source>) {
        self.to[self.count] = Some(to.0);
        self.from[self.count] = from;
        self.count += 1;
    }

    /// Sends the answers, and returns how many there were; one that the kernel refuses is lost, as a datagram may be.
    pub fn send(&mut self, port: &Port) -> usize {
        let count = std::mem::take(&mut self.count);
        let mut sent = 0;
        while sent < count {
            // Those that leave from one address are sent with one call.
            let from = self.from[sent];
            let same = self.from[sent..count].iter();
            let end = sent + same.take_while(|next| **next == from).count();
            let (answers, to) = (&self.answers[sent..end], &self.to[sent..end]);
            match self.sender.send(port, answers, to, from) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) => break,
                Ok(more) => sent += more,
                // This one cannot be sent; the others can.
                Err(_) => sent += 1,
            }
        }
        count
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(address: &str) -> Arc<Port> {
        let free = UdpSocket::bind(address).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let briefly = Duration::from_millis(200);
        Port::bind(address, 1, 1 << 16, briefly).unwrap().remove(0)
    }

    /// What the client at this address gets when it asks there, and from where.
    fn exchange(port: &Port, client: &str, asked: &str) -> (SocketAddr, Vec<u8>) {
        let asked: SocketAddr = format!("{asked}:{}", port.socket().local_addr().unwrap().port())
            .parse()
            .unwrap();
        let client = UdpSocket::bind(client).unwrap();
        client
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        for message in ["one", "two"] {
            client.send_to(message.as_bytes(), asked).unwrap();
        }
        let (mut incoming, mut outgoing) = (Incoming::new(port), Outgoing::new(port, 16));
        let mut left = 2;
        while left > 0 {
            let Ok(count) = incoming.receive(port) else {
                continue;
            };
            for index in 0..count {
                let datagram = incoming.get(index).unwrap();
                let peer = datagram.peer.address().unwrap();
                assert_eq!(peer.port(), client.local_addr().unwrap().port());
                let answer = outgoing.memory();
                answer.clear();
                answer.extend(datagram.message.iter().rev());
                outgoing.push(datagram.peer, datagram.source);
            }
            assert_eq!(outgoing.send(port), count);
            left -= count;
        }
        let mut answers = Vec::new();
        let mut from = None;
        for _ in 0..2 {
            let mut buffer = [0; 16];
            let (length, sender) = client.recv_from(&mut buffer).unwrap();
            assert_eq!(*from.get_or_insert(sender), sender);
            answers.extend_from_slice(&buffer[..length]);
        }
        (from.unwrap(), answers)
    }

    #[test]
    fn answers_leave_from_the_address_that_was_asked() {
        let one = port("127.0.0.1:0");
        let (from, answers) = exchange(&one, "127.0.0.1:0", "127.0.0.1");
        assert_eq!(from, one.socket().local_addr().unwrap());
        assert_eq!(answers, b"enoowt");
        // Without packet info, the answers would leave from 127.0.0.1.
        let any = port("0.0.0.0:0");
        let (from, answers) = exchange(&any, "127.0.0.1:0", "127.0.0.2");
        assert_eq!(from.ip().to_string(), "127.0.0.2");
        assert_eq!(answers, b"enoowt");
    }

    #[test]
    fn a_port_that_another_program_has_is_not_shared() {
        let other = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let bound = Port::bind(address, 2, 1 << 16, Duration::from_millis(1));
        assert_eq!(bound.unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
