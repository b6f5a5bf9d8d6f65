//! What every program does alike.

use std::net::TcpListener;

use common::testing;

const CLIENT: &str = env!("CARGO_BIN_EXE_thread-client");

#[test]
fn it_answers_signals() {
    // Its clients are in the backlog, and are never answered.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let connect = ["--connect", &to, "--timeout", "1m"];
    let ways: [&[&str]; 3] = [&[], &["--clients", "3"], &["--rate", "10", "--for", "1m"]];
    for way in ways {
        testing::check_contract(CLIENT, &[&connect, way].concat(), false);
    }
}
