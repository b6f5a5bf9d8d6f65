//! Pipes and terminals: reads and writes that a wake-up ends.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::system::{Input, Output, Reader, Writer};
