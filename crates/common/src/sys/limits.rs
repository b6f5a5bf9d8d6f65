//! What the system can still give this process. Where a system does not say, there is no limit.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
use self::linux as own;
#[cfg(not(target_os = "linux"))]
use self::other as own;

#[cfg(all(unix, feature = "net"))]
mod unix;
#[cfg(all(windows, feature = "net"))]
mod windows;
#[cfg(all(unix, feature = "net"))]
use self::unix as system;
#[cfg(all(windows, feature = "net"))]
use self::windows as system;

pub use self::own::{descriptors, left, processes, resident, save_address_space};
#[cfg(feature = "net")]
pub use self::system::raise_descriptor_limit;
pub use super::types::{Left, Resource};

/// The stack of a thread that needs this many bytes on Linux, where each page of it counts: elsewhere the system's own
/// code on it takes more, and what is not touched takes no memory.
pub const fn stack(on_linux: usize) -> usize {
    if cfg!(target_os = "linux") {
        on_linux
    } else {
        4 * on_linux
    }
}
