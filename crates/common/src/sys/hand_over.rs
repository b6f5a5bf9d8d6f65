//! Handing an accepted connection to a process: this very program, which has it as its standard input, and reports over
//! a pipe. See [`Feature::ProcessPerConnection`](super::Feature).

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::system::{connection, end_with_parent, signal_of, start};
