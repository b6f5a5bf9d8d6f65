//! strerror(3), in English.

use std::io;

/// Why a program may not listen on a port, and what to do.
pub const LOW_PORT: &str = "; ports below 1024 are reserved for the administrator";

/// What the error says, whose text this is.
pub fn words<'t>(_error: &io::Error, text: &'t str) -> &'t str {
    text
}

/// Whether a write failed because nobody reads the pipe any more.
pub fn is_closed_pipe(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::BrokenPipe
}
