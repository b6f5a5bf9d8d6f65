//! What the system says of the sockets in this network.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use common::sys::socket_table;

/// How long a connection to this machine may take.
const SHORT: Duration = Duration::from_millis(200);

/// Whether a server that listens there serves clients of this address.
pub fn serves(listener: SocketAddr, address: SocketAddr) -> bool {
    let ip = common::net::canonical(listener).ip();
    let is_any = listener.ip().is_unspecified();
    listener.port() == address.port() && (is_any || ip == address.ip())
}

/// Whether something listens there for TCP, and where else something does. Where the system has no list of it, the answer
/// to a connection says so, which is closed at once.
pub fn listening(address: SocketAddr) -> (bool, Vec<SocketAddr>) {
    match socket_table::listeners() {
        Some(all) => {
            let is_there = all.iter().any(|listener| serves(*listener, address));
            (is_there, all)
        }
        None => {
            let connected = TcpStream::connect_timeout(&address, SHORT);
            (connected.is_ok(), Vec::new())
        }
    }
}

/// Whether this UDP port is bound here, and which others are. Where the system has no list of them, a socket that cannot have
/// the port says so.
pub fn bound(port: u16) -> (bool, Vec<u16>) {
    match socket_table::bound() {
        Some(all) => (all.contains(&port), all),
        None => {
            let tried = UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
            let is_taken = |error: io::Error| error.kind() == io::ErrorKind::AddrInUse;
            (tried.is_err_and(is_taken), Vec::new())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_of_all_addresses_and_a_mapped_one_serve_an_address() {
        let at = |text: &str| text.parse().unwrap();
        assert!(serves(
            at("[::ffff:127.0.0.1]:12345"),
            at("127.0.0.1:12345")
        ));
        assert!(serves(at("[::]:1"), at("127.0.0.1:1")));
        assert!(!serves(at("127.0.0.1:2"), at("127.0.0.1:1")));
    }
}
