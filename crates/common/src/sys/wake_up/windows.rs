//! A TCP connection over loopback: Windows has no other pair of sockets that one can wait for beside others.

use std::{
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
};

/// One end of the connection; it reads the end of file once the other one is closed.
pub type End = TcpStream;

/// How many connections of other programs may come first.
const STRANGERS: usize = 64;

/// The two ends.
pub(super) fn pair() -> io::Result<(End, End)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let own = one.local_addr()?;
    for _ in 0..STRANGERS {
        let (other, peer) = listener.accept()?;
        if peer == own {
            return Ok((one, other));
        }
    }
    Err(io::ErrorKind::ConnectionAborted.into())
}
