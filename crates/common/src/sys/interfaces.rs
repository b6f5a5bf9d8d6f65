//! The machine's network interfaces with their addresses, as the system lists them.

mod address;
#[cfg(unix)]
#[path = "interfaces/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "interfaces/windows.rs"]
mod system;

pub use self::{
    address::{Flags, InterfaceAddress},
    system::{EXAMPLE, LOOPBACK, LOOPBACK_BROADCASTS, addresses, alias, index, is_up, name, named},
};
