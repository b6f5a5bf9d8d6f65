//! The real client, with others of its kind, on loopback.

use std::net::SocketAddr;

use common::{
    event::Kind,
    testing::{self, Folder, Running, read_log, run, start},
};
use mcast_client::config::Cli;

const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");

/// A client that listens on a free port, or on the one that is given, and that port.
fn client(port: &str, flags: &[&str]) -> (Running, String) {
    let mut client = start(CLIENT, &[&["--port", port], flags].concat());
    let SocketAddr::V4(group) = client.ready() else {
        panic!("IPv4")
    };
    (client, group.port().to_string())
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        CLIENT,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn what_is_typed_in_one_is_heard_by_all() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (mut typing, port) = client("0", &["--log", &log]);
    let (mut second, _) = client(&port, &[]);
    let (mut third, _) = client(&port, &[]);
    typing.type_in("hello all\n\x1b[2J\nGrüße\n");
    for client in [&mut typing, &mut second, &mut third] {
        for line in [
            "Received message: hello all",
            "Received message: \\x1b[2J",
            "Received message: Grüße",
        ] {
            client.out_line(line);
        }
    }
    // The end of the input only ends the sending.
    typing.close_stdin();
    let last = run(
        CLIENT,
        &["--port", &port, "-m", "after the end of the input"],
    );
    assert_eq!(last.code, Some(0));
    typing.out_line("Received message: after the end of the input");
    let finished = typing.interrupt();
    assert_eq!(finished.code, Some(0));
    assert!(
        finished
            .err
            .ends_with("stopped: 3 datagrams sent, 4 datagrams received\n"),
        "{}",
        finished.err
    );

    let records = read_log(log);
    let sent: Vec<_> = records
        .iter()
        .filter(|record| record.event.kind == Kind::Send)
        .collect();
    let numbers = sent
        .iter()
        .map(|record| record.event.message.as_ref().unwrap().number);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 2, 3]);
    assert!(sent.iter().all(|record| record.thread == "typist"));
    // Its own messages come back to it, under the address that they were sent from.
    let received = records
        .iter()
        .find(|record| record.event.kind == Kind::Receive)
        .unwrap();
    assert_eq!(
        received.event.peer,
        Some(sent[0].event.message.as_ref().unwrap().from.clone())
    );
}

#[test]
fn messages_are_sent_and_it_ends() {
    let (listening, port) = client("0", &["--count", "2", "--for", "60s"]);
    let finished = run(CLIENT, &["--port", &port, "-m", "one", "--message", "two"]);
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""));
    assert_eq!(
        finished.err,
        format!("2 datagrams sent to 224.1.1.1:{port}\n")
    );
    assert_eq!(
        listening.finish().out,
        "Received message: one\nReceived message: two\n"
    );
}

#[test]
fn unicast_and_broadcast_arrive_too() {
    let (listening, port) = client("0", &["--count", "3", "--for", "60s"]);
    let to = format!("127.0.0.1:{port}");
    let unicast = [
        "--mode",
        "unicast",
        "--to",
        "127.0.0.1",
        "--to",
        &to,
        "--port",
        &port,
        "-m",
        "to you",
    ];
    let finished = run(CLIENT, &unicast);
    assert_eq!(finished.err, format!("2 datagrams sent to {to}, {to}\n"));
    let finished = run(
        CLIENT,
        &["--mode", "broadcast", "--port", &port, "-m", "to everybody"],
    );
    assert_eq!(
        finished.err,
        format!("1 datagram sent to 127.255.255.255:{port}\n")
    );
    let out = listening.finish().out;
    assert_eq!(
        out,
        "Received message: to you\nReceived message: to you\nReceived message: to everybody\n"
    );
}

#[test]
fn typed_lines_go_by_the_chosen_technique() {
    let (listening, port) = client("0", &["--count", "1", "--for", "60s"]);
    // On another port, so that it does not hear itself.
    let unicast = [
        "--port",
        "0",
        "--mode",
        "unicast",
        "--to",
        &format!("127.0.0.1:{port}"),
        "--for",
        "60s",
    ];
    let mut typing = start(CLIENT, &unicast);
    typing.ready();
    typing.type_in("to you alone\n");
    assert_eq!(listening.finish().out, "Received message: to you alone\n");
    let finished = typing.interrupt();
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""));
}

#[test]
fn a_message_that_cannot_be_sent_is_told_and_the_next_one_is() {
    let (mut client, _) = client("0", &[]);
    client.type_in("x".repeat(65_508) + "\nshort\n");
    client.err_line("mcast-client: standard input: a line too long to send; a datagram carries at most 65507 bytes");
    client.out_line("Received message: short");
    client.interrupt();

    // No program is given so low a port unasked.
    let nobody = "127.0.0.1:1";
    let finished = run(
        CLIENT,
        &["--mode", "unicast", "--to", nobody, "-m", "anybody?"],
    );
    assert_eq!(finished.code, Some(1));
    let line =
        format!("mcast-client: send to {nobody}: connection refused; nobody listens there\n");
    assert!(finished.err.starts_with(&line), "{}", finished.err);
}

#[test]
fn an_input_that_cannot_be_read_ends_the_sending_and_not_the_receiving() {
    let script = "exec \"$0\" --port 0 --count 1 --for 60s </";
    let mut client = Running::start(testing::command("sh", &["-c", script, CLIENT]));
    let SocketAddr::V4(group) = client.ready() else {
        panic!("IPv4")
    };
    client.err_line("mcast-client: standard input: is a directory; nothing more is sent");
    run(
        CLIENT,
        &["--port", &group.port().to_string(), "-m", "hello"],
    );
    let finished = client.finish();
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(2), "Received message: hello\n")
    );
}

#[test]
fn what_is_wrong_is_one_line_and_exit_2() {
    let folder = Folder::new();
    let lab = folder.write(
        "lab.json",
        "{\"mcast-client\": {\n\"to\": [\"127.0.0.1\", \"here\"]}}",
    );
    let refused: &[(&[&str], &str)] = &[
        (
            &["--port", "0", "-m", "x"][..],
            "send to port 0: 0 is nobody's port; ",
        ),
        (
            &["--mode", "unicast", "--to", "127.0.0.1:0", "-m", "x"],
            "send to port 0: ",
        ),
        (
            &["--mode", "unicast"],
            "--mode unicast: needs somebody to send to: --to ADDR",
        ),
        (
            &["--to", "127.0.0.1"],
            "--to: goes with --mode unicast or broadcast; multicast goes to --group",
        ),
        (
            &[
                "--mode",
                "broadcast",
                "--to",
                "127.0.0.1",
                "--to",
                "127.0.0.2",
            ],
            "--to: a broadcast goes to one address",
        ),
        (
            &["--mode", "anycast"],
            "usage: invalid value 'anycast' for '--mode <TECHNIQUE>'; ",
        ),
        (
            &["--to", "here"],
            "usage: invalid value 'here' for '--to <ADDR[:PORT]>': 'here' is no IPv4 address, ",
        ),
        (
            &["--config", &lab],
            &format!("{lab}:2:26: mcast-client.to[1]: 'here' is no IPv4 address, "),
        ),
        (
            &["--group", "127.0.0.1", "-m", "x"],
            "--group: 127.0.0.1 is not in 224.0.0.0 to 239.255.255.255",
        ),
    ];
    testing::check_refusals(CLIENT, refused);
}

#[test]
fn python_receivers_hear_it_and_it_hears_a_python_sender() {
    let script = r#"
        python3 -u "$PEERS/multicast_server.py" >server.out & server=$!
        python3 -u "$PEERS/multicast_client.py" >client.out & client=$!
        # Neither says when it has joined.
        tries=0
        until grep -qx 'Received data: hello' server.out && grep -qx 'Received message: hello' client.out; do
            tries=$((tries + 1)); test $tries -lt 100
            "$CLIENT" --quiet -m hello; sleep 0.05
        done
        # By the default interface, as they joined.
        "$CLIENT" --quiet --interface default -m 'by the default route'
        tries=0
        until grep -qx 'Received data: by the default route' server.out; do
            tries=$((tries + 1)); test $tries -lt 100; sleep 0.05
        done
        kill $server $client

        "$CLIENT" --count 1 --for 60s >ours.out 2>ours.err </dev/null & ours=$!
        tries=0; until grep -q '^listening' ours.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        python3 -c "
import socket
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.sendto(b'hello from Python', ('224.1.1.1', 5007))"
        wait $ours
        cat server.out ours.out
    "#;
    for finished in testing::with_python_peers(script, &[("CLIENT", CLIENT)]) {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(
            finished
                .out
                .starts_with("Multicast server running on 224.1.1.1:5007\n"),
            "{finished:?}"
        );
        assert!(
            finished
                .out
                .ends_with("Received message: hello from Python\n"),
            "{finished:?}"
        );
    }
}

#[test]
fn on_the_network_python_receivers_hear_the_default_interface() {
    // As on a laptop: the default route leads out on another interface than loopback.
    let script = r#"
        ip route del 224.0.0.0/4 dev lo
        ip link add net0 type veth peer name net1
        ip addr add 10.9.0.1/24 dev net0; ip link set net0 up; ip link set net1 up
        ip route add default dev net0
        python3 -u "$PEERS/multicast_server.py" >server.out & server=$!
        "$CLIENT" --interface default --for 60s >ours.out 2>ours.err </dev/null & ours=$!
        tries=0; until grep -q '^listening' ours.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        tries=0
        until grep -qx 'Received data: to the network' server.out; do
            tries=$((tries + 1)); test $tries -lt 100
            "$CLIENT" --quiet -m 'to this machine'
            "$CLIENT" --quiet --interface default -m 'to the network'; sleep 0.05
        done
        kill $server; kill -INT $ours; wait $ours
        grep -v 'to the network' server.out ours.out; grep joined ours.err
    "#;
    for finished in testing::with_python_peers(script, &[("CLIENT", CLIENT)]) {
        let joined = "listening on 224.1.1.1:5007, joined on net0 (10.9.0.1): on the network; ";
        let lines: Vec<_> = finished.out.lines().collect();
        assert_eq!(
            lines[0], "server.out:Multicast server running on 224.1.1.1:5007",
            "{finished:?}"
        );
        assert!(
            lines.len() == 2 && lines[1].starts_with(joined),
            "{finished:?}"
        );
    }
}
