//! What every program does alike.

use std::net::UdpSocket;

use common::{
    event::Kind,
    testing::{self, start},
};

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

#[test]
fn it_is_ready_by_machine_and_answers_signals() {
    testing::check_contract(SERVER, &["--port", "0"], true);
    testing::check_contract(
        SERVER,
        &[
            "--port",
            "0",
            "--group",
            "224.1.1.1",
            "--group",
            "224.1.1.2",
        ],
        true,
    );
}

#[test]
fn what_was_received_so_far_is_reported() {
    let mut server = start(SERVER, &["--port", "0", "--json"]);
    let to = format!("127.0.0.1:{}", server.ready().port());
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..5 {
        sender.send_to(b"hello", &to).unwrap();
    }
    for _ in 0..5 {
        server.out_line_with(r#""event":"receive""#);
    }
    server.signal("USR1");
    server.err_line("so far: 5 datagrams received (5 by unicast)");
    let finished = server.interrupt();
    let report = |kind| {
        finished
            .events()
            .into_iter()
            .find(|event| event.kind == kind)
    };
    let (so_far, stop) = (report(Kind::Report).unwrap(), report(Kind::Stop).unwrap());
    assert_eq!(so_far.counts, stop.counts);
    assert_eq!(stop.counts["received"], 5);
}
