//! What not every system has. A flag, or a value of one, that needs such a feature is absent from the help of a system
//! without it, and is refused there.

/// A feature that some system lacks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Feature {
    /// Many datagrams handed over in one piece (UDP_SEGMENT, UDP_GRO).
    Offload,
    /// The kernel's count of datagrams that it dropped (SO_RXQ_OVFL).
    DropCounts,
    /// A sender that decides whether this machine receives what it sends to a group (IP_MULTICAST_LOOP).
    LoopAtSender,
    /// A process that takes over an accepted connection.
    ProcessPerConnection,
    /// A report of the run so far on request (SIGUSR1).
    ReportSignal,
    /// A process that is stopped for a while and goes on (SIGSTOP, SIGCONT).
    Pause,
    /// Network namespaces, mount namespaces and control groups.
    Namespaces,
}

/// The flags that need a feature, each without its dashes.
const FLAGS: [(&str, Feature); 2] = [
    ("loop", Feature::LoopAtSender),
    ("offload", Feature::Offload),
];

impl Feature {
    /// Why this system lacks it; None where it has it.
    pub const fn missing(self) -> Option<&'static str> {
        let linux = cfg!(target_os = "linux");
        let (is_there, why) = match self {
            Self::Offload => (linux, "only Linux hands over many datagrams in one piece"),
            Self::DropCounts => (linux, "only Linux counts the datagrams that it drops"),
            Self::LoopAtSender => (
                cfg!(unix),
                "on Windows each receiver decides whether it receives what its own machine sends",
            ),
            Self::ProcessPerConnection => (
                cfg!(unix),
                "on Windows a socket cannot be handed to another process without unsafe code",
            ),
            Self::ReportSignal => (cfg!(unix), "Windows has no signal that asks for a report"),
            Self::Pause => (cfg!(unix), "Windows cannot stop a process for a while"),
            Self::Namespaces => (linux, "only Linux has namespaces and control groups"),
        };
        if is_there { None } else { Some(why) }
    }

    /// Whether this system has it.
    pub const fn is_there(self) -> bool {
        self.missing().is_none()
    }

    /// Why this system lacks what this flag needs; None where it has it.
    pub fn missing_for(flag: &str) -> Option<&'static str> {
        let (_, feature) = FLAGS.iter().find(|(name, _)| *name == flag)?;
        feature.missing()
    }
}
