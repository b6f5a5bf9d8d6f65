//! What every program does alike.

use std::net::TcpListener;

use common::testing::{self, start};

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

#[test]
fn the_figures_of_a_load_so_far_are_reported() {
    // A server that closes each connection at once.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = listener.local_addr().unwrap().to_string();
    let load = ["--connect", &to, "--rate", "100", "--for", "1m", "--json"];
    let mut client = start(CLIENT, &load);
    for _ in 0..3 {
        drop(listener.accept().unwrap());
    }
    let so_far = testing::wait_for(|| {
        client.signal("USR1");
        let report = client.err_line("so far: 0 exchanges in ");
        (!report.contains("none failed")).then_some(report)
    });
    assert!(so_far.contains(" failed: "), "{so_far}");
    assert_eq!(client.interrupt().code, Some(0));
}
