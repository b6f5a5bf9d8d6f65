//! The command `node`: one process as a program, on [`common::process::node`].
//!
//! | module | job |
//! | --- | --- |
//! | `console` | what typed lines mean, and those of a supervisor |
//! | `prompt` | typed lines |
//! | [`stdio`] | the process on standard input and output, in place of sockets and typed lines |
//! | [`command`] | the command `node` |

pub mod command;
mod console;
mod prompt;
pub mod stdio;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use common::{exit::Failure, process::node::transport::BoundSocket};

use crate::config::{Cli, Transport};

/// Where a process listens unless it is told otherwise: on a free port of this machine.
pub const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Binds the socket of a process; `main` passes it to the command.
///
/// # Errors
/// `listen on ADDRESS: why` (exit code 2).
pub fn bind(cli: &Cli) -> Result<BoundSocket, Failure> {
    let address = cli.listen(FREE)?;
    match cli.transport() {
        Transport::Udp => BoundSocket::udp(address),
        Transport::Tcp => BoundSocket::tcp(address),
    }
}
