//! A pair of Unix sockets.

use std::{io, os::unix::net::UnixStream};

/// One end of the pair; it reads the end of file once the other one is closed.
pub type End = UnixStream;

/// The two ends.
pub(super) fn pair() -> io::Result<(End, End)> {
    UnixStream::pair()
}
