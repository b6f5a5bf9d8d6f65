//! What the grader outside a sandbox asks of its part inside, and what that reports: lines of JSON.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use common::net::SERVER;
use serde::{Deserialize, Serialize};

use crate::{
    limits::Limits,
    requirement::{Finding, Status},
    sandbox::Walls,
    served::Served,
};

/// A program that a submission can be.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// The server of experiment 3.
    ThreadsServer,
    /// The client of experiment 3.
    ThreadsClient,
    /// A program of experiment 4 that joins a group.
    MulticastReceiver,
    /// A program of experiment 4 that sends to a group.
    MulticastSender,
    /// The resolver of experiment 5.
    Naming,
    /// A name server of experiment 5.
    NamingServer,
    /// The clock of experiment 6.
    Clock,
    /// A node of experiment 6, of which several run.
    Node,
}

impl Subject {
    /// The name in the results.
    pub fn word(self) -> &'static str {
        match self {
            Self::ThreadsServer => "threads-server",
            Self::ThreadsClient => "threads-client",
            Self::MulticastReceiver => "multicast-receiver",
            Self::MulticastSender => "multicast-sender",
            Self::Naming => "naming",
            Self::NamingServer => "naming-server",
            Self::Clock => "clock",
            Self::Node => "node",
        }
    }

    /// The subcommand that grades it, with its role.
    pub fn command(self) -> &'static str {
        match self {
            Self::ThreadsServer => "threads",
            Self::ThreadsClient => "threads --role client",
            Self::MulticastReceiver => "multicast",
            Self::MulticastSender => "multicast --role sender",
            Self::Naming | Self::NamingServer => "naming",
            Self::Clock => "clock",
            Self::Node => "node",
        }
    }

    /// Checks that it can have this address in its sandbox, where nothing but loopback is.
    ///
    /// # Errors
    /// Why not.
    pub fn check_address(self, address: SocketAddr) -> Result<(), String> {
        let is_group = matches!(self, Self::MulticastReceiver | Self::MulticastSender);
        match (is_group, address) {
            _ if address.port() == 0 => Err(format!("{address} has no port")),
            (true, SocketAddr::V4(group)) if group.ip().is_multicast() => Ok(()),
            (true, _) => Err(format!("{address} is no multicast group of IPv4")),
            (false, address) if address.ip().is_loopback() => Ok(()),
            (false, _) => Err(format!(
                "{address} is no loopback address: nothing else is in the sandbox"
            )),
        }
    }

    /// The address that the handout gives it.
    pub fn address(self) -> SocketAddr {
        match self {
            Self::MulticastReceiver | Self::MulticastSender => {
                SocketAddr::from((Ipv4Addr::new(224, 1, 1, 1), 5007))
            }
            Self::NamingServer => naming::config::SERVER,
            _ => SERVER.into(),
        }
    }
}

/// What a name server is asked.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct NameServer {
    /// Its addresses; the first that answers is asked.
    pub addresses: Vec<SocketAddr>,
    /// The names that it has.
    pub served: Served,
}

/// What to probe.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Job {
    /// What the submission is.
    pub subject: Subject,
    /// Its command, for a shell, in which words in braces stand for what a probe puts there.
    pub command: String,
    /// What nodes are asked.
    pub workload: Option<String>,
    /// A command that is run in each new sandbox before, such as a compiler.
    pub build: Option<String>,
    /// Its sandbox.
    pub walls: Walls,
    /// Its limits.
    pub limits: Limits,
    /// How long each of its answers may take.
    pub timeout: Duration,
    /// What chance decides.
    pub seed: u64,
    /// Where it listens, or connects to.
    pub address: SocketAddr,
    /// What is asked of a name server.
    pub name_server: Option<NameServer>,
    /// Whether pictures are drawn of what is not met.
    pub draws: bool,
    /// The requirements that are probed, in this order.
    pub todo: Vec<String>,
    /// How many times the usual time the first of them may take: more than once where it was late on a busy machine.
    pub patience: u32,
    /// What came of those that were probed before.
    pub known: BTreeMap<String, Status>,
}

/// What came of one requirement.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Probe {
    /// Its identity.
    pub id: String,
    /// Why it is not met, if it is not.
    pub finding: Option<Finding>,
    /// How long the probe took.
    pub elapsed: Duration,
}

impl Probe {
    /// What came of it.
    pub fn status(&self) -> Status {
        self.finding
            .as_ref()
            .map_or(Status::Pass, |finding| finding.status)
    }
}

/// One line of a report.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// A requirement was probed.
    Probe(Probe),
    /// What was probed was late, and the machine is busy: it is to be probed in a new sandbox, with more time.
    Late,
    /// The submission has ended; what is left is to be probed in a new sandbox, where nothing remains of this one.
    Again,
    /// All were probed.
    Done,
}
