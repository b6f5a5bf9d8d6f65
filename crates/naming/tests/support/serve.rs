//! A server on a free port of loopback.

use std::net::SocketAddr;

use common::testing::{self, Running};

/// Starts the server with these arguments, and waits until it listens; `--listen` is 127.0.0.1:0 unless it is among them.
pub(crate) fn serve(arguments: &[&str]) -> (Running, SocketAddr) {
    let listen: &[&str] = match arguments.contains(&"--listen") {
        true => &[],
        false => &["--listen", "127.0.0.1:0"],
    };
    let mut server = testing::start(
        env!("CARGO_BIN_EXE_naming"),
        &[&["serve"], listen, arguments].concat(),
    );
    let address = server.ready();
    (server, address)
}
