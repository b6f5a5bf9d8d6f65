//! The command `chord`: a real node of a Chord ring, on [`common::process::node`]. Many of them are a [run](crate::run).
//!
//! | module | job |
//! | --- | --- |
//! | [`node`], [`join`] | one process, and by whom it joins |
//! | `console`, `prompt` | what typed lines mean |

mod console;
pub mod join;
pub mod node;
pub(crate) mod prompt;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where a node listens unless it is told otherwise: on a free port of this machine.
pub const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The most processes of a ring.
pub const MOST: usize = 64;

/// The algorithm's name on the network and in the logs.
const ALGORITHM: &str = "chord";
