//! What differs between systems in UDP sockets: how a port is shared, how a datagram came, which of them the kernel splits
//! and joins, and what an error means.

mod cause;
#[cfg(unix)]
mod posix;
mod received;
#[cfg(target_os = "linux")]
#[path = "datagrams/linux.rs"]
mod system;
#[cfg(all(unix, not(target_os = "linux")))]
#[path = "datagrams/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "datagrams/windows.rs"]
mod system;

pub use self::{
    cause::Cause,
    received::Received,
    system::{
        BUFFER_LIMIT, FILTERS, Inbox, UNICAST_GOES_TO, cause, granted_in_full, join_remedy,
        limited_broadcast, membership_interface, only_on, open, pending_error,
        request_receive_buffer, send_remedy, share_port, split_into,
    },
};
