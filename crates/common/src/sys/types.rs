//! The plain types of the topics, which a file of a system shares with its topic.

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
