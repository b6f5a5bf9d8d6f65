//! What TCP and UDP sockets differ in: how a thread waits for one beside a wake-up, and how connect, accept and read end
//! without a wait.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;
#[cfg(target_os = "linux")]
use self::linux as own;
#[cfg(not(target_os = "linux"))]
use self::other as own;

pub use self::{
    own::{AcceptWait, bind_without_port, both_families, drop_requests, report_unreachable},
    system::{Pollable, backlog, block_briefly, is_in_progress, share_address, try_read, wait},
};
pub use super::types::{Interest, Woken};
