//! Descriptors of their own.

use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd, OwnedFd},
};

use crate::sys::{files::is_same, types::Stream};

/// Standard input without std's buffer, which could hold a line that a wait for input would not see.
pub type Input = File;

/// Standard input.
///
/// # Errors
/// When it is not open.
pub fn input() -> io::Result<Input> {
    input_file()
}

/// Standard input as a file.
///
/// # Errors
/// When it is not open.
pub fn input_file() -> io::Result<File> {
    io::stdin().as_fd().try_clone_to_owned().map(File::from)
}

/// A standard stream without std's line buffer and lock: who writes in batches, and a write that hangs must not keep others
/// from the stream.
///
/// # Errors
/// When it is not open.
pub fn output(stream: Stream) -> io::Result<Box<dyn Write + Send>> {
    Ok(Box::new(file(stream)?))
}

fn file(stream: Stream) -> io::Result<File> {
    let owned: io::Result<OwnedFd> = match stream {
        Stream::Out => io::stdout().as_fd().try_clone_to_owned(),
        Stream::Err => io::stderr().as_fd().try_clone_to_owned(),
    };
    owned.map(File::from)
}

/// Whether standard output and standard error are the same file, terminal or pipe.
pub fn is_same_output() -> bool {
    match (file(Stream::Out), file(Stream::Err)) {
        (Ok(out), Ok(err)) => is_same(&out, &err),
        _ => false,
    }
}

/// Whether the terminal shows colours when it is sent their codes.
pub fn enable_colour() -> bool {
    true
}

/// Whether the input is a terminal at which a person types for another program: reading it would stop this one
/// (SIGTTIN), and its receiving too.
#[cfg(feature = "typed")]
pub fn in_background(input: impl AsFd) -> bool {
    use nix::unistd::{getpgrp, tcgetpgrp};
    tcgetpgrp(input).is_ok_and(|front| front != getpgrp())
}
