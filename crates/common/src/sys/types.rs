//! The plain types of the topics, which a file of a system shares with its topic.

use std::process::{ChildStderr, ChildStdin, ChildStdout};

/// What a thread waits for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Interest {
    /// Data to read, a connection to accept, or the end of the stream.
    Read,
    /// Room to write, or the result of connect(2).
    Write,
}

/// Why a wait ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Woken {
    /// The socket is ready.
    Ready,
    /// The time is over.
    TimedOut,
    /// A shutdown was requested.
    Stopping,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Asked {
    /// What the run has come to so far: SIGUSR1.
    Report,
    /// To stop: SIGINT, SIGTERM, Ctrl-C; or SIGHUP because the terminal is gone.
    Stop,
    /// To open the log again, and to read again what was read: SIGHUP.
    Again,
}

/// A standard stream to write to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Something that a thread, a process or a client takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource {
    /// Memory mappings.
    Mappings,
    /// Threads and processes.
    Tasks,
    /// Address space, in bytes.
    AddressSpace,
    /// Memory, in bytes.
    Memory,
}

/// What is left of a resource.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Left {
    /// The resource.
    pub of: Resource,
    /// How much of it.
    pub left: u64,
    /// The limit that it comes from: `vm.max_map_count is 65530`.
    pub limit: String,
}

/// A process as the system shows it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Process {
    /// The number of its parent.
    pub parent: u32,
    /// Its tasks: its threads, where the system counts them; else 1.
    pub tasks: u64,
    /// Its resident memory in bytes.
    pub resident: u64,
}

/// The standard streams of a process that are pipes.
#[derive(Debug)]
pub struct Streams {
    /// What is written here it reads.
    pub stdin: Option<ChildStdin>,
    /// What it prints.
    pub stdout: Option<ChildStdout>,
    /// What it complains of.
    pub stderr: Option<ChildStderr>,
}

/// How a process has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// Limits of a process, which those that it starts inherit.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest file that it may write, in bytes.
    pub file: u64,
    /// Its memory, in bytes.
    pub memory: u64,
    /// How many processes and threads its user may have in its user namespace, where the kernel counts them so.
    pub processes: Option<u64>,
}
