//! The tests' clients, well-behaved and not.

use std::{
    io::Read,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A connection on which every read has a limit.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    stream
}

/// All that the server sends until it closes.
pub(crate) fn answer(mut stream: &TcpStream) -> String {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Closes so that the other side sees a reset.
#[allow(dead_code)]
pub(crate) fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream)
        .set_linger(Some(Duration::ZERO))
        .unwrap();
}
