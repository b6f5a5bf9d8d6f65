//! What every program does alike.

use std::net::UdpSocket;

use common::testing::{self, run};

const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    testing::check_contract(CLIENT, &["--port", "0"], true);
}

#[test]
fn a_load_answers_signals_and_receives_nothing() {
    let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = receiver.local_addr().unwrap().to_string();
    let load = [
        "--mode", "unicast", "--to", &to, "-m", "hello", "--rate", "10",
    ];
    testing::check_contract(CLIENT, &load, false);
    let refused = run(CLIENT, &["-m", "hello", "--ready-file", "ready"]);
    assert_eq!(
        (refused.code, refused.err.as_str()),
        (
            Some(2),
            "mcast-client: --ready-file: goes with receiving: -m and --size send without joining the group\n"
        )
    );
}
