//! The commands of the system's administrator: those that make an interface or a route usable, as remedies that can be
//! pasted; and which firewalls, tables and tools the system has.

#[cfg(target_os = "linux")]
#[path = "commands/linux.rs"]
mod system;
#[cfg(all(unix, not(target_os = "linux")))]
#[path = "commands/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "commands/windows.rs"]
mod system;
mod tools;

pub use self::{
    system::{
        AS_ADMINISTRATOR, DROPS, FIREWALLS, JOINS, ROUTES, accept_reverse_path, broadcast_route,
        give_address, multicast_on, prefer, raise_buffer, route_group, switch_on, switch_on_v6,
        word,
    },
    tools::{Firewall, Over, Routes, Tool},
};
