//! Windows: WSARecvMsg, through the crate socket-pktinfo, and Winsock's options of UDP.

use std::{
    io,
    net::{Ipv4Addr, UdpSocket},
    time::Duration,
};

use socket_pktinfo::PktInfoUdpSocket;
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::{cause::Cause, received::Received};

/// What limits the size of a receive buffer.
pub const BUFFER_LIMIT: &str = "Windows";

/// Which of the sockets that share a port receives what is sent by unicast.
pub const UNICAST_GOES_TO: &str = "one of them";

/// Whether the kernel keeps from a socket what is sent to groups that it did not join, and with [`only_on`] what comes from
/// other interfaces.
pub const FILTERS: bool = false;

/// What Windows grants when it grants a request for a receive buffer in full, in bytes.
pub fn granted_in_full(requested: usize) -> usize {
    requested
}

/// Requests a receive buffer of this size, in bytes; the system may grant less.
///
/// # Errors
/// As setsockopt.
pub fn request_receive_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    socket.set_recv_buffer_size(bytes)
}

/// Lets other sockets that are shared, too, have the same port.
///
/// # Errors
/// As setsockopt.
pub fn share_port(socket: &Socket) -> io::Result<()> {
    socket.set_reuse_address(true)
}

/// Nothing: what comes over another interface arrives, too.
///
/// # Errors
/// None.
pub fn only_on(_socket: &Socket, _name: &str) -> io::Result<()> {
    Ok(())
}

/// Nothing: the address to which the sender is bound says over which interface 255.255.255.255 leaves.
///
/// # Errors
/// None.
pub fn limited_broadcast(_socket: &Socket, _name: &str, _index: u32) -> io::Result<()> {
    Ok(())
}

/// How an interface is named where a group of IPv4 is joined or left.
pub fn membership_interface(_index: u32, address: Ipv4Addr) -> InterfaceIndexOrAddress {
    InterfaceIndexOrAddress::Address(address)
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

/// What the destination of a connected socket that does not block answered to an earlier datagram. Windows says it with the
/// next read, Wine as an option of the socket, too: both are read, so that it is said once.
///
/// # Errors
/// As getsockopt.
pub fn pending_error(socket: &UdpSocket) -> io::Result<Option<io::Error>> {
    let option = socket.take_error()?;
    let read = socket.recv(&mut [0]).err();
    Ok(option.or(read.filter(|error| cause(error) == Cause::NoListener)))
}

/// What an error of a UDP socket means, by Winsock's numbers.
pub fn cause(error: &io::Error) -> Cause {
    match error.raw_os_error() {
        // WSAECONNREFUSED; WSAECONNRESET, by which Windows reports an ICMP message of an unreachable port.
        Some(10061 | 10054) => Cause::NoListener,
        // WSAENETUNREACH
        Some(10051) => Cause::NoRoute,
        // WSAEHOSTUNREACH, WSAEHOSTDOWN
        Some(10065 | 10064) => Cause::HostUnreachable,
        // WSAENETDOWN
        Some(10050) => Cause::InterfaceDown,
        // WSAEADDRNOTAVAIL
        Some(10049) => Cause::NoSuchAddress,
        // WSAEADDRINUSE
        Some(10048) => Cause::InUse,
        // WSAEDESTADDRREQ, WSAENOTCONN
        Some(10039 | 10057) => Cause::NoDestination,
        // WSAEINVAL
        Some(10022) => Cause::Invalid,
        // WSAEACCES
        Some(10013) => Cause::Denied,
        // WSAENOBUFS
        Some(10055) => Cause::NoRoom,
        // WSA_NOT_ENOUGH_MEMORY
        Some(8) => Cause::NoMemory,
        // WSAEMSGSIZE
        Some(10040) => Cause::TooLong,
        // WSAENOPROTOOPT, WSAEOPNOTSUPP
        Some(10042 | 10045) => Cause::NotSupported,
        _ => Cause::Other,
    }
}

/// What to do when a group cannot be joined at this port for that cause, as the end of a line; None: as everywhere.
pub fn join_remedy(cause: Cause, _port: u16) -> Option<&'static str> {
    match cause {
        Cause::NoRoom => Some("; too many groups for one socket"),
        Cause::Denied => Some(
            "; Windows reserves this port (netsh interface ipv4 show excludedportrange protocol=udp lists them) or a program holds it for itself, so choose another --port",
        ),
        _ => None,
    }
}

/// What to do when a datagram cannot be sent for that cause, as the end of a line; None: as everywhere. `chosen`: the user
/// chose the interface.
pub fn send_remedy(cause: Cause, chosen: bool, _v4: bool) -> Option<&'static str> {
    match (cause, chosen) {
        (Cause::Denied, true) => Some(
            "; a firewall on this machine forbids it, allow the program in the settings of Windows Security",
        ),
        (Cause::Denied, false) => Some(
            "; a broadcast address takes --mode broadcast, another one is forbidden by a firewall on this machine",
        ),
        _ => None,
    }
}

/// What a read of a socket takes.
#[derive(Debug)]
pub struct Inbox {
    /// The same socket, with the function that says of each datagram how it came; None where Windows lacks it.
    informed: Option<PktInfoUdpSocket>,
}

/// A UDP socket, of IPv4 or of IPv6, and its inbox. It does not block.
///
/// # Errors
/// As socket.
pub fn open(v4: bool, _read_timeout: Duration) -> io::Result<(Socket, Inbox)> {
    let domain = if v4 { Domain::IPV4 } else { Domain::IPV6 };
    let (socket, informed) = match PktInfoUdpSocket::new(domain) {
        Ok(informed) => (informed.try_clone_std()?.into(), Some(informed)),
        Err(_) => (Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?, None),
    };
    socket.set_nonblocking(true)?;
    Ok((socket, Inbox { informed }))
}

impl Inbox {
    /// Nothing: a socket of [`open`] says of each datagram how it came, and hands over one at a time.
    ///
    /// # Errors
    /// None.
    pub fn enable(&mut self, _socket: &Socket, _v4: bool, _offload: bool) -> io::Result<()> {
        Ok(())
    }

    /// Reads what has arrived, and does not wait for it.
    ///
    /// # Errors
    /// As WSARecvMsg: `WouldBlock` when nothing has arrived. `Interrupted` when it was the answer to an earlier datagram of
    /// this socket, which is no error of a read.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        buffer: &mut [u8],
        _may_wait: bool,
    ) -> io::Result<Received> {
        let read = match &self.informed {
            Some(informed) => informed
                .recv(buffer)
                .map(|(length, info)| (length, info.addr_src, Some(info.addr_dst))),
            None => socket
                .recv_from(buffer)
                .map(|(length, sender)| (length, sender, None)),
        };
        match read {
            Ok((length, sender, to)) => Ok(Received {
                length,
                each: length,
                sender,
                to,
                own: None,
                // A datagram that is longer than the buffer is an error here, WSAEMSGSIZE.
                truncated: false,
                time_us: None,
                drops: None,
            }),
            // WSAECONNRESET, WSAECONNREFUSED; WSAENETRESET, of a time to live that ended on its way.
            Err(error)
                if cause(&error) == Cause::NoListener || error.raw_os_error() == Some(10052) =>
            {
                Err(io::ErrorKind::Interrupted.into())
            }
            Err(error) => Err(error),
        }
    }
}
