//! The standard streams, without std's buffers where the system allows it, and the terminal behind them.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

#[cfg(feature = "typed")]
pub use self::system::in_background;
pub use self::system::{Input, enable_colour, input, input_file, is_same_output, output};
pub use super::types::Stream;
