//! A TCP listener that several threads share, until one of them closes it.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

pub use self::system::{Listener, read_briefly};

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Read, Write},
        net::{Ipv4Addr, TcpListener, TcpStream},
        time::Duration,
    };

    use super::*;

    /// A listener that does not block.
    fn listen() -> (Listener, std::net::SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        (Listener::new(listener), address)
    }

    fn accepted(listener: &Listener) -> TcpStream {
        crate::testing::wait_for(|| match listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            accepted => Some(accepted.unwrap().0),
        })
    }

    #[test]
    fn a_closed_listener_refuses_and_keeps_what_it_accepted() {
        let (listener, address) = listen();
        let mut client = TcpStream::connect(address).unwrap();
        let mut stream = accepted(&listener);
        listener.close();
        assert!(listener.accept().is_err());
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        client.write_all(b"Hello").unwrap();
        drop(client);
        let mut message = String::new();
        stream.set_nonblocking(false).unwrap();
        stream.read_to_string(&mut message).unwrap();
        assert_eq!(message, "Hello");
    }

    #[test]
    fn no_read_of_an_accepted_connection_waits_for_long() {
        let (listener, address) = listen();
        listener.block_briefly(Duration::from_millis(1));
        let _client = TcpStream::connect(address).unwrap();
        let mut stream = accepted(&listener);
        assert_eq!(
            listener.accept().unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
        read_briefly(&stream, Duration::from_millis(1)).unwrap();
        assert_eq!(
            stream.read(&mut [0]).unwrap_err().kind(),
            io::ErrorKind::WouldBlock
        );
    }
}
