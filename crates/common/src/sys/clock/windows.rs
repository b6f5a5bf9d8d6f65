//! `GetThreadTimes` and `GetProcessTimes`, by the crate cpu-time. They advance with the system's clock interrupts, in
//! steps of up to 15.6 ms.

use std::{io, time::Duration};

use cpu_time::{ProcessTime, ThreadTime};

/// The processor time that this thread has used.
///
/// # Errors
/// When the system does not say.
pub fn of_thread() -> io::Result<Duration> {
    Ok(ThreadTime::try_now()?.as_duration())
}

/// The processor time that all threads of this process have used.
///
/// # Errors
/// When the system does not say.
pub fn of_process() -> io::Result<Duration> {
    Ok(ProcessTime::try_now()?.as_duration())
}

/// The time since a moment that all processes of this machine share. No program needs it on Windows, as none hands its
/// work to another process.
///
/// # Errors
/// Always.
pub fn of_all_processes() -> io::Result<Duration> {
    Err(io::ErrorKind::Unsupported.into())
}
