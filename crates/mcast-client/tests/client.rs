//! The real client, and several of them, on loopback.

use common::{
    event::Kind,
    testing::{self, Folder, Running, read_log, run, start},
};
use mcast_client::config::Cli;

const CLIENT: &str = env!("CARGO_BIN_EXE_mcast-client");

/// A client that receives on this port, 0 for a free one, and its port.
fn client(port: &str, flags: &[&str]) -> (Running, String) {
    let mut client = start(CLIENT, &[&["--port", port], flags].concat());
    let port = client.ready().port().to_string();
    (client, port)
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        CLIENT,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn the_doctors_remedy_for_a_time_to_live_of_0() {
    let line = |ttl: &str| {
        let finished = run(CLIENT, &["doctor", "--port", "0", "--ttl", ttl]);
        let mut lines = finished.out.lines();
        let line = lines.find(|line| line[6..].starts_with("ttl "));
        line.expect("a line").to_owned()
    };
    assert!(line("0").starts_with("warn ") && line("0").ends_with("; remedy: --ttl 1"));
    assert!(line("1").starts_with("ok "));
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(CLIENT);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 44);
    let refused: &[(&[&str], &str)] = &[
        (
            &["doctor", "--count", "3"],
            "--count: doctor does not take it; mcast-client without a subcommand does",
        ),
        (
            &["doctor", "--for", "3s"],
            "--for: doctor does not take it; mcast-client without a subcommand does",
        ),
        (
            &["--port", "0", "doctor"],
            "--port: goes after the subcommand that takes it: doctor",
        ),
        (
            &["--count", "3", "doctor"],
            "--count: doctor does not take it; mcast-client without a subcommand does",
        ),
        (
            &["doctor", "--stamp", "-m", "hi"],
            "--stamp: doctor does not take it; mcast-client without a subcommand does",
        ),
        (
            &["doctor", "-m", "hi"],
            "--message: doctor does not take it; mcast-client without a subcommand does",
        ),
        (
            &["-m", "hi", "--source", "127.0.0.1"],
            "--source: goes with receiving",
        ),
        (
            &["--size", "9", "--receive-buffer", "9000"],
            "--receive-buffer: goes with receiving",
        ),
        (&["--rate", "5"], "--rate: goes with -m or --size"),
    ];
    testing::check_refusals(CLIENT, refused);
}

#[test]
fn each_line_typed_in_one_is_received_by_all() {
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
            .ends_with("stopped: 3 messages, 3 datagrams handed to the kernel, 1 group; 4 datagrams received (4 by multicast)\n"),
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
    // It receives its messages too, from the address that they were sent from.
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
fn messages_are_sent_and_the_client_ends() {
    let (receiving, port) = client("0", &["--count", "2", "--for", "60s"]);
    let finished = run(CLIENT, &["--port", &port, "-m", "one", "--message", "two"]);
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""));
    assert_eq!(
        finished.err,
        format!("2 messages, 2 datagrams handed to the kernel, 1 group: 224.1.1.1:{port}\n")
    );
    assert_eq!(
        receiving.finish().out,
        "Received message: one [multicast]\nReceived message: two [multicast]\n"
    );
}

#[test]
fn unicast_and_broadcast_arrive_too() {
    let (receiving, port) = client("0", &["--count", "3", "--for", "60s"]);
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
    assert_eq!(
        finished.err,
        format!("1 message, 2 datagrams handed to the kernel, 2 receivers: {to}, {to}\n")
    );
    let finished = run(
        CLIENT,
        &["--mode", "broadcast", "--port", &port, "-m", "to all hosts"],
    );
    assert_eq!(
        finished.err,
        format!("1 message, 1 datagram handed to the kernel, 1 network: 127.255.255.255:{port}\n")
    );
    let out = receiving.finish().out;
    assert_eq!(
        out,
        "Received message: to you [unicast]\nReceived message: to you [unicast]\nReceived message: to all hosts [broadcast]\n"
    );
}

#[test]
fn unicast_to_three_costs_three_datagrams_and_multicast_one() {
    // Each has its own port: of programs that share one, only one receives unicast.
    let receiver = || client("0", &["--count", "3", "--for", "60s"]);
    let receivers = [receiver(), receiver(), receiver()];
    let to = receivers
        .each_ref()
        .map(|(_, port)| format!("127.0.0.1:{port}"));
    let mut flags = vec!["--mode", "unicast", "-m", "a", "-m", "b", "-m", "c"];
    for to in &to {
        flags.extend(["--to", to]);
    }
    let finished = run(CLIENT, &flags);
    let cost = "3 messages, 9 datagrams handed to the kernel, 3 receivers: ";
    assert_eq!(finished.err, format!("{cost}{}\n", to.join(", ")));
    for (receiver, _) in receivers {
        assert_eq!(receiver.finish().code, Some(0));
    }

    let (first, port) = receiver();
    let others = [0, 1].map(|_| client(&port, &["--count", "3", "--for", "60s"]).0);
    let finished = run(
        CLIENT,
        &["--port", &port, "--json", "-m", "a", "-m", "b", "-m", "c"],
    );
    let stop = finished.last_event();
    for (name, count) in [("messages", 3), ("sent", 3), ("destinations", 1)] {
        assert_eq!(stop.counts[name], count, "{name}");
    }
    for receiver in [first].into_iter().chain(others) {
        assert_eq!(receiver.finish().code, Some(0));
    }
}

#[test]
fn a_stamped_load_arrives_whole_in_every_length() {
    // No more than the smallest receive buffer holds, so that no machine is too slow.
    for (count, size, offload) in [
        ("100", "64", "on"),
        ("50", "1400", "on"),
        ("50", "1400", "off"),
        ("2", "65507", "on"),
    ] {
        let (receiving, port) = client("0", &["--count", count, "--for", "60s", "--json"]);
        let load = ["--port", &port, "--stamp", "--size", size];
        let pace = ["--count", count, "--offload", offload, "--json"];
        let count: u64 = count.parse().unwrap();
        let sent = run(CLIENT, &[load.as_slice(), &pace].concat()).last_event();
        assert_eq!((sent.counts["messages"], sent.counts["failed"]), (count, 0));
        let stop = receiving.finish().last_event();
        for (name, value) in [
            ("received", count),
            ("stamped", count),
            ("senders", 1),
            ("lost", 0),
            ("duplicates", 0),
            ("reordered", 0),
            ("damaged", 0),
            ("dropped_by_kernel", 0),
        ] {
            assert_eq!(stop.counts[name], value, "{size} {offload} {name}");
        }
    }
}

#[test]
fn typed_and_stamped_lines_carry_the_lamport_clock() {
    let folder = Folder::new();
    let (first_log, second_log) = (folder.path("first"), folder.path("second"));
    let (mut first, port) = client("0", &["--stamp", "--name", "p1", "--log", &first_log]);
    let flags = ["--stamp", "--name", "p2", "--log", &second_log];
    let (mut second, _) = client(&port, &flags);
    first.type_in("hello\n");
    let line = second.out_line("Received message: hello [multicast, p1/");
    assert!(line.ends_with(" #1]"), "{line}");
    second.type_in("hello yourself\n");
    first.out_line("Received message: hello yourself [multicast, p2/");
    second.out_line("Received message: hello yourself");
    for client in [first, second] {
        assert_eq!(client.interrupt().code, Some(0));
    }
    let clock = |log: &str, kind, text: &str| {
        let records = read_log(log);
        let found = records
            .iter()
            .find(|record| record.event.kind == kind && record.event.text.as_deref() == Some(text));
        found.unwrap().event.clock.unwrap()
    };
    // The clock condition (Lamport 1978): each event is later than the one that happened before it.
    let steps = [
        clock(&first_log, Kind::Send, "hello"),
        clock(&second_log, Kind::Receive, "hello"),
        clock(&second_log, Kind::Send, "hello yourself"),
        clock(&first_log, Kind::Receive, "hello yourself"),
    ];
    assert!(steps.is_sorted_by(|one, next| one < next), "{steps:?}");
}

#[test]
fn a_restarted_sender_is_a_new_session_and_a_late_receiver_counts_no_losses() {
    let (early, port) = client("0", &["--count", "6", "--for", "60s", "--json"]);
    let send = || run(CLIENT, &["--port", &port, "--stamp", "-m", "a", "-m", "b"]);
    let (mut typing, _) = client(&port, &["--stamp"]);
    typing.type_in("before\n");
    typing.out_line("Received message: before");
    let (late, _) = client(&port, &["--count", "5", "--for", "60s", "--json"]);
    typing.type_in("after\n");
    typing.out_line("Received message: after");
    for _ in 0..2 {
        assert_eq!(send().code, Some(0));
    }
    typing.interrupt();
    for (receiving, received) in [(early, 6), (late, 5)] {
        let stop = receiving.finish().last_event();
        assert_eq!(stop.counts["received"], received);
        assert_eq!((stop.counts["senders"], stop.counts["lost"]), (3, 0));
    }
}

#[test]
fn empty_messages_are_datagrams_too() {
    for flags in [
        &["-m", "", "-m", "", "-m", ""][..],
        &["-m", "", "--count", "3"],
    ] {
        let (receiving, port) = client("0", &["--count", "3", "--for", "60s"]);
        let finished = run(CLIENT, &[&["--port", &port], flags].concat());
        let cost = "3 messages, 3 datagrams handed to the kernel, 1 group";
        assert!(finished.err.starts_with(cost), "{finished:?}");
        assert_eq!(
            receiving.finish().out,
            "Received message:  [multicast]\n".repeat(3)
        );
    }
}

#[test]
fn a_load_ends_after_its_time_and_keeps_its_rate() {
    let load = ["--port", "9", "--size", "64", "--json"];
    let pace = ["--rate", "500", "--for", "400ms"];
    let sent = run(CLIENT, &[load.as_slice(), &pace].concat()).last_event();
    // No faster than that; a busy machine may be slower.
    assert!((1..=200).contains(&sent.counts["sent"]), "{sent:?}");
    assert!(sent.counts["elapsed_us"] >= 400_000, "{sent:?}");
}

#[test]
fn typed_lines_are_sent_by_the_chosen_addressing_mode() {
    let (receiving, port) = client("0", &["--count", "1", "--for", "60s"]);
    // On another port, so that it does not receive its own messages.
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
    assert_eq!(
        receiving.finish().out,
        "Received message: to you alone [unicast]\n"
    );
    let finished = typing.interrupt();
    assert_eq!((finished.code, finished.out.as_str()), (Some(0), ""));
}

#[test]
fn a_message_that_cannot_be_sent_is_an_error_and_the_next_one_is_sent() {
    let (mut client, _) = client("0", &[]);
    client.type_in("x".repeat(65_508) + "\nshort\n");
    client.err_line("mcast-client: standard input: a line too long to send; a datagram carries at most 65507 bytes");
    client.out_line("Received message: short");
    client.interrupt();

    // The kernel gives no program so low a port unless it requests it.
    let unbound = "127.0.0.1:1";
    let finished = run(
        CLIENT,
        &["--mode", "unicast", "--to", unbound, "-m", "hello"],
    );
    assert_eq!(finished.code, Some(1));
    let line =
        format!("mcast-client: send to {unbound}: connection refused; no program listens there\n");
    assert!(finished.err.starts_with(&line), "{}", finished.err);
}

#[test]
fn an_input_that_cannot_be_read_ends_only_the_sending() {
    let script = "exec \"$0\" --port 0 --count 1 --for 60s </";
    let mut client = Running::start(testing::command("sh", &["-c", script, CLIENT]));
    let group = client.ready();
    client.err_line("mcast-client: standard input: is a directory; nothing more is sent");
    run(
        CLIENT,
        &["--port", &group.port().to_string(), "-m", "hello"],
    );
    let finished = client.finish();
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(2), "Received message: hello [multicast]\n")
    );
}

#[test]
fn an_invalid_command_line_is_one_line_and_exit_code_2() {
    let folder = Folder::new();
    let lab = folder.write(
        "lab.json",
        "{\"mcast-client\": {\n\"to\": [\"127.0.0.1\", \"here\"]}}",
    );
    let refused: &[(&[&str], &str)] = &[
        (
            &["--port", "0", "-m", "x"][..],
            "send to port 0: no program listens on port 0; ",
        ),
        (
            &["--mode", "unicast", "--to", "127.0.0.1:0", "-m", "x"],
            "send to port 0: ",
        ),
        (
            &["--mode", "unicast"],
            "--mode unicast: needs a destination: --to ADDR",
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
            "usage: invalid value 'anycast' for '--mode <MODE>'; ",
        ),
        (
            &["--to", "here"],
            "usage: invalid value 'here' for '--to <ADDR[:PORT]>': 'here' is no address, ",
        ),
        (
            &["--config", &lab],
            &format!("{lab}:2:26: mcast-client.to[1]: 'here' is no address, "),
        ),
        (
            &["--mode", "unicast", "--to", "224.1.1.1", "-m", "x"],
            "--to: 224.1.1.1 is a group; send to it with --mode multicast --group",
        ),
        (
            &["--mode", "broadcast", "--group", "ff02::1", "-m", "x"],
            "--mode broadcast: IPv6 has no broadcast; ",
        ),
        (
            &["--rate", "5"],
            "--rate: goes with -m or --size: typed lines are sent as they are typed",
        ),
        (&["--size", "65508"], "--size: 65508 is not in 1 to 65507"),
        (
            &["--size", "4", "-m", "hello"],
            "--message: 5 bytes do not fit into --size 4",
        ),
        (
            &["-m", &"x".repeat(65_508)],
            "--message: 65508 bytes; a datagram carries at most 65507",
        ),
        (
            &["--group", "127.0.0.1", "-m", "x"],
            "--group: 127.0.0.1 is not in 224.0.0.0 to 239.255.255.255",
        ),
    ];
    testing::check_refusals(CLIENT, refused);
}

#[test]
fn it_exchanges_messages_with_python_programs() {
    let script = r#"
        python3 -u "$PEERS/multicast_server.py" >server.out & server=$!
        python3 -u "$PEERS/multicast_client.py" >client.out & client=$!
        # Neither prints when it has joined.
        tries=0
        until grep -qx 'Received data: hello' server.out && grep -qx 'Received message: hello' client.out; do
            tries=$((tries + 1)); test $tries -lt 100
            "$CLIENT" --quiet -m hello; sleep 0.05
        done
        # On the default interface, on which they joined.
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
                .ends_with("Received message: hello from Python [multicast]\n"),
            "{finished:?}"
        );
    }
}

#[test]
fn on_the_network_python_programs_receive_on_the_default_interface() {
    // As on a laptop: the default route leads to another interface than loopback.
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
