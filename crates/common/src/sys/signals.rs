//! What the user and the system ask a running program for: to stop, to report, to open its log again.
//!
//! Unix sends signals. On Windows Ctrl-C, Ctrl-Break and the closing of the console ask to stop; there is nothing that asks for
//! a report.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

pub use self::system::{Guard, listen};
pub use super::types::Asked;
