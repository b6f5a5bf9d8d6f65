//! Name resolution over several servers, by the client (iterative) and by a server (recursive), with servers that have faults.

mod dig;
mod faults;
mod hosts;
mod iterative;
mod moving;
mod recursive;
mod scripted;
mod secondaries;

use std::net::SocketAddr;

use common::testing::{self, Running};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// Starts a recursive server that begins at this root.
fn recursive(root: SocketAddr, arguments: &[&str]) -> (Running, SocketAddr) {
    let root = root.to_string();
    let start = [
        "serve",
        "--recursive",
        "--listen",
        "127.0.0.1:0",
        "--root",
        &root,
    ];
    let mut server = testing::start(NAMING, &[&start, arguments].concat());
    let address = server.ready();
    (server, address)
}
