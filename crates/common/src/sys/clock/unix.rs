//! `clock_gettime`, POSIX.1-2024.

use std::{io, time::Duration};

use nix::time::{ClockId, clock_gettime};

/// The processor time that this thread has used.
///
/// # Errors
/// When the system has no such clock.
pub fn of_thread() -> io::Result<Duration> {
    now(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

/// The processor time that all threads of this process have used.
///
/// # Errors
/// When the system has no such clock.
pub fn of_process() -> io::Result<Duration> {
    now(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// The time since a moment that all processes of this machine share, and that no clock setting moves.
///
/// # Errors
/// When the system has no such clock.
pub fn of_all_processes() -> io::Result<Duration> {
    now(ClockId::CLOCK_MONOTONIC)
}

fn now(clock: ClockId) -> io::Result<Duration> {
    Ok(clock_gettime(clock)?.into())
}
