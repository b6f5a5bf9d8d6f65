//! Writing to an output that may be interrupted, slow, or made non-blocking by another program.

use std::{
    io::{self, Write},
    time::Duration,
};

use crate::threads::thread;

/// The pause before a descriptor that another program made non-blocking is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// Writes as many bytes as the output takes now, at least one.
pub(super) fn write_some(mut sink: impl Write, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match sink.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            written => return written,
        }
    }
}

/// Writes all bytes; `progress` is called whenever the output has taken some.
pub(super) fn write_all(
    sink: &mut Box<dyn Write + Send>,
    mut bytes: &[u8],
    progress: impl Fn(),
) -> io::Result<()> {
    while !bytes.is_empty() {
        bytes = &bytes[write_some(&mut *sink, bytes)?..];
        progress();
    }
    sink.flush()
}
