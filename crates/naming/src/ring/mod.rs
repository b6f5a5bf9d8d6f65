//! The command `chord`: real processes that form a Chord ring, on [`common::process::node`].
//!
//! | module | job |
//! | --- | --- |
//! | [`node`], [`join`] | one process, and by whom it joins |
//! | `console`, `prompt` | what typed lines mean, and those of a supervisor |
//! | `state` | what a process tells its supervisor of itself |
//! | [`settings`], [`run`] | a ring of many processes: its settings, its start and its verdict |
//! | `supervisor`, `workload` | the processes from their start to their end; what they put and look up, and which are killed |
//! | `logs` | their logs as one run |

mod console;
pub mod join;
mod logs;
pub mod node;
mod prompt;
pub mod run;
pub mod settings;
mod state;
mod supervisor;
mod workload;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a node listens unless it is told otherwise: on a free port of this machine.
pub const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The most processes of a ring.
pub const MOST: usize = 64;

/// The algorithm's name on the network and in the logs.
const ALGORITHM: &str = "chord";

/// How many processes there are, in words.
fn processes(count: usize) -> String {
    match count {
        1 => "1 process".to_owned(),
        count => format!("{count} processes"),
    }
}
