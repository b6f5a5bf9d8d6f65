//! The real server, which receives over real sockets on loopback.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use common::{
    event::{Anomaly, Kind},
    multicast::{AddressingMode, GROUP, LONGEST, Reach, Sender, interface::Interface},
    testing::{self, Folder, Running, read_log, start},
};
use mcast_server::config::Cli;

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

/// A server on a free port, with these flags.
fn server(flags: &[&str]) -> (Running, SocketAddr) {
    let mut server = start(SERVER, &[&["--port", "0"], flags].concat());
    let group = server.ready();
    (server, group)
}

fn sender(mode: AddressingMode, to: IpAddr, group: SocketAddr) -> Sender {
    let loopback = &Interface::find(None, to).unwrap()[0];
    let to = SocketAddr::new(to, group.port());
    Sender::new(mode, to, loopback, Reach::default()).unwrap()
}

fn to_group(group: SocketAddr) -> Sender {
    sender(AddressingMode::Multicast, group.ip(), group)
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        SERVER,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(SERVER);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 26);
    let refused: &[(&[&str], &str)] = &[
        (
            &["doctor", "--count", "3"],
            "--count: doctor does not take it; mcast-server without a subcommand does",
        ),
        (
            &["doctor", "--for", "3s"],
            "--for: doctor does not take it; mcast-server without a subcommand does",
        ),
        (
            &["--port", "0", "doctor"],
            "--port: goes after the subcommand that takes it: doctor",
        ),
        (
            &["--count", "3", "doctor"],
            "--count: doctor does not take it; mcast-server without a subcommand does",
        ),
    ];
    testing::check_refusals(SERVER, refused);
}

#[test]
fn the_handouts_lines_and_how_the_group_was_joined() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, group) = server(&["--log", &log]);
    assert_eq!(group.ip(), GROUP);
    let mut sender = to_group(group);
    sender.send(b"hello").unwrap();
    sender.send(b"\x1b[2J\xff\n").unwrap();
    // Datagrams that the kernel holds when the server is interrupted are still printed.
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    let lines = "Received data: hello [multicast]\nReceived data: \\x1b[2J\\xff\\n [multicast]\n";
    assert_eq!(
        finished.out,
        format!("Multicast server running on {group}\n{lines}")
    );
    let joined =
        "joined on lo (127.0.0.1): this machine only; --interface default goes on the network";
    assert_eq!(
        finished.err,
        format!("listening on {group}, {joined}\nstopped: 2 datagrams received (2 by multicast)\n")
    );

    let records = read_log(log);
    let received = &records[2].event;
    assert_eq!((received.kind, received.bytes), (Kind::Receive, Some(5)));
    assert_eq!(received.mode, Some(AddressingMode::Multicast));
    assert_eq!(received.peer, Some(sender.from.into()));
}

#[test]
fn it_receives_by_all_three_addressing_modes_and_from_any_sender() {
    let (server, group) = server(&["--count", "4", "--for", "60s"]);
    to_group(group).send(b"multicast").unwrap();
    sender(AddressingMode::Unicast, Ipv4Addr::LOCALHOST.into(), group)
        .send(b"unicast")
        .unwrap();
    sender(
        AddressingMode::Broadcast,
        Ipv4Addr::new(127, 255, 255, 255).into(),
        group,
    )
    .send(b"broadcast")
    .unwrap();
    let plain = UdpSocket::bind("127.0.0.1:0").unwrap();
    plain
        .send_to(b"plain", (Ipv4Addr::LOCALHOST, group.port()))
        .unwrap();
    let finished = server.finish();
    assert_eq!(finished.code, Some(0));
    let printed: Vec<_> = finished.out.lines().skip(1).collect();
    let expected = [
        "multicast [multicast]",
        "unicast [unicast]",
        "broadcast [broadcast]",
        "plain [unicast]",
    ]
    .map(|text| format!("Received data: {text}"));
    assert_eq!(printed, expected);
}

#[test]
fn the_longest_datagram_arrives_whole_and_an_empty_one_too() {
    let (server, group) = server(&["--count", "2", "--json"]);
    to_group(group).send(&vec![b'x'; LONGEST]).unwrap();
    to_group(group).send(b"").unwrap();
    let finished = server.finish();
    let events = finished.events();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [Kind::Ready, Kind::Receive, Kind::Receive, Kind::Stop]
    );
    assert_eq!((events[1].bytes, events[2].bytes), (Some(65_507), Some(0)));
    assert_eq!(events[1].text.as_ref().unwrap().len(), LONGEST);
}

#[test]
fn too_few_datagrams_in_time_end_with_exit_code_1() {
    let (server, group) = server(&["--count", "2", "--for", "1s"]);
    to_group(group).send(b"one").unwrap();
    let finished = server.finish();
    assert_eq!(finished.code, Some(1));
    assert!(
        finished
            .err
            .ends_with("stopped: 1 datagram received (1 by multicast); 2 were requested\n"),
        "{}",
        finished.err
    );
}

#[test]
fn a_time_without_a_count_ends_with_exit_code_0() {
    let (server, _) = server(&["--for", "20ms"]);
    assert_eq!(server.finish().code, Some(0));
}

#[test]
fn servers_share_a_port() {
    let (first, group) = server(&["--count", "1"]);
    let mut second = start(
        SERVER,
        &[
            "--port",
            &group.port().to_string(),
            "--count",
            "1",
            "--interface",
            "lo",
        ],
    );
    second.ready();
    to_group(group).send(b"hello").unwrap();
    for server in [first, second] {
        assert!(
            server
                .finish()
                .out
                .ends_with("Received data: hello [multicast]\n")
        );
    }
}

/// A stamped message, as another program writes it.
fn stamped(session: &str, number: u64, text: &str) -> String {
    let time_us = 1_795_410_685_000_000_u64;
    format!("[lab1 p1 {session} {number} {time_us} {number}] {text}")
}

#[test]
fn stamped_messages_are_counted_sender_by_sender() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, group) = server(&["--count", "12", "--for", "60s", "--json", "--log", &log]);
    let mut first = to_group(group);
    // It joins at 5. 7 and 11 are lost, 8 is duplicated, 9 arrives after 10.
    for number in [5, 6, 8, 8, 10, 9, 12] {
        first
            .send(stamped("5f3a9c21", number, "x").as_bytes())
            .unwrap();
    }
    // It starts again; another sender with the same name and session has another address.
    for number in [1, 2] {
        first
            .send(stamped("00000002", number, "x").as_bytes())
            .unwrap();
    }
    to_group(group)
        .send(stamped("5f3a9c21", 9, "x").as_bytes())
        .unwrap();
    first.send(b"plain").unwrap();
    first.send(b"[lab1 p1 5f3a9c21 x").unwrap();
    let finished = server.finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");

    let records = read_log(log);
    let of = |kind| {
        records
            .iter()
            .map(|record| &record.event)
            .filter(move |event| event.kind == kind)
    };
    let anomalies: Vec<_> = of(Kind::Receive)
        .map(|event| event.anomaly.map_or("", Anomaly::word))
        .collect();
    let expected = ["", "", "", "duplicate", "", "reordered", ""];
    assert_eq!(anomalies[..7], expected);
    assert_eq!(anomalies[7..], ["", "", "", "", "damaged-stamp"]);
    // Rule IR2: each receive moves the clock past the sender's and its own.
    let clocks: Vec<_> = of(Kind::Receive).map(|event| event.clock).collect();
    let expected = [6, 7, 9, 10, 11, 12, 13, 14, 15, 16].map(Some);
    assert_eq!(clocks[..10], expected);
    assert_eq!(clocks[10..], [None, None]);
    let message = of(Kind::Receive).next().unwrap().message.as_ref().unwrap();
    assert_eq!(message.to_string(), format!("udp:p1/5f3a9c21>{group}#5"));

    let counted: Vec<_> = of(Kind::Report)
        .map(|event| ["received", "lost", "duplicates", "reordered"].map(|name| event.counts[name]))
        .collect();
    assert_eq!(counted, [[7, 2, 1, 1], [2, 0, 0, 0], [1, 0, 0, 0]]);
    let stop = of(Kind::Stop).next().unwrap();
    for (name, count) in [
        ("received", 12),
        ("stamped", 10),
        ("senders", 3),
        ("damaged", 1),
        ("truncated", 0),
        ("lost", 2),
        ("duplicates", 1),
        ("reordered", 1),
        ("multicast", 12),
    ] {
        assert_eq!(stop.counts[name], count, "{name}");
    }
    // With --json the reports and the summary are part of the answer.
    let answer: Vec<_> = finished
        .events()
        .into_iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(answer[0], Kind::Ready);
    assert_eq!(
        answer[13..],
        [Kind::Report, Kind::Report, Kind::Report, Kind::Stop]
    );
}

#[test]
fn the_printed_lines_of_stamped_messages() {
    let (server, group) = server(&["--count", "6", "--for", "60s"]);
    let mut sender = to_group(group);
    for number in [1, 3, 2, 2, (1 << 63) - 1, 4] {
        sender
            .send(stamped("5f3a9c21", number, "hello").as_bytes())
            .unwrap();
    }
    let finished = server.finish();
    let printed: Vec<_> = finished.out.lines().skip(1).collect();
    let expected = [
        "p1/5f3a9c21 #1",
        "p1/5f3a9c21 #3",
        "p1/5f3a9c21 #2, reordered",
        "p1/5f3a9c21 #2, duplicate",
        "p1/5f3a9c21 #9223372036854775807, implausible sequence number",
        "p1/5f3a9c21 #4",
    ];
    assert_eq!(
        printed,
        expected.map(|tag| format!("Received data: hello [multicast, {tag}]"))
    );
    let lines: Vec<_> = finished.err.lines().skip(1).collect();
    let counts = "0 lost, 1 duplicate, 1 reordered, 1 with an implausible sequence number";
    let from = sender.from;
    assert!(
        lines[0].starts_with(&format!(
            "p1/5f3a9c21 at {from}: 6 datagrams, {counts}; its clock differs by about "
        )),
        "{lines:?}"
    );
    assert_eq!(
        lines[1],
        format!(
            "stopped: 6 datagrams received (6 by multicast); 6 stamped, from 1 sender: {counts}"
        )
    );
}

#[test]
fn a_load_is_logged_in_part_and_counted_in_full() {
    let folder = Folder::new();
    let log = folder.path("log");
    let total = 20_000;
    let flags = ["--count", "20000", "--for", "60s", "--log", &log];
    let (server, group) = server(&flags);
    let mut sender = to_group(group);
    for number in 1..=total {
        sender
            .send(stamped("5f3a9c21", number, "x").as_bytes())
            .unwrap();
        // No faster than the server reads, however slow the machine is.
        if number % 1000 == 0 {
            wait_until_read(group);
        }
    }
    assert_eq!(server.finish().code, Some(0));
    let records = read_log(log);
    let logged = records
        .iter()
        .filter(|record| record.event.kind == Kind::Receive)
        .count() as u64;
    let suppressed: u64 = records
        .iter()
        .filter_map(|record| record.event.counts.get("suppressed"))
        .sum();
    assert!(logged >= 1000 && suppressed > 0, "{logged} {suppressed}");
    assert_eq!(logged + suppressed, total);
    let stop = &records.last().unwrap().event;
    assert_eq!((stop.counts["received"], stop.counts["lost"]), (total, 0));
}

/// Waits until the kernel holds no datagram for this port.
fn wait_until_read(group: SocketAddr) {
    let port = format!(":{:04X} ", group.port());
    testing::wait_for(|| {
        let table = std::fs::read_to_string("/proc/net/udp").unwrap();
        let line = table.lines().find(|line| line.contains(&port)).unwrap();
        line.contains(":00000000 00:").then_some(())
    });
}

#[test]
fn a_forger_exhausts_no_memory() {
    let (server, group) = server(&["--count", "2000", "--for", "60s", "--json"]);
    let mut sender = to_group(group);
    for number in 0..2000 {
        sender
            .send(stamped(&format!("{number:08x}"), 1, "x").as_bytes())
            .unwrap();
        if number % 500 == 499 {
            wait_until_read(group);
        }
    }
    let finished = server.finish();
    let stop = finished.last_event();
    assert_eq!((finished.code, stop.counts["senders"]), (Some(0), 2000));
    // A report of some of them, not of all.
    let senders = finished
        .out
        .lines()
        .filter(|line| line.contains("\"event\":\"report\"") && line.contains("\"peer\""))
        .count();
    assert_eq!(senders, 20);
}

#[test]
fn the_datagrams_that_the_kernel_drops_are_reported_and_counted() {
    let (mut server, group) = server(&["--receive-buffer", "5000", "--json"]);
    // While it is stopped, the kernel drops what the receive buffer has no room for.
    server.signal("STOP");
    let stat = format!("/proc/{}/stat", server.id());
    testing::wait_for(|| {
        std::fs::read_to_string(&stat)
            .unwrap()
            .contains(") T ")
            .then_some(())
    });
    let mut sender = to_group(group);
    for _ in 0..100 {
        sender.send(&[b'x'; 1000]).unwrap();
    }
    server.signal("CONT");
    // A datagram carries the number of drops before it, and may be dropped itself: on a busy machine the kernel delivers
    // what was sent to the stopped server only now.
    let mut sent = 100;
    testing::wait_for(|| {
        sender.send(b"now there is room").unwrap();
        sent += 1;
        server
            .has_err_line("mcast-server: the kernel drops datagrams: the receive buffer of 10000 bytes is full; ")
            .then_some(())
    });
    wait_until_read(group);
    sender.send(b"the last one").unwrap();
    server.out_line_with("the last one");
    let finished = server.interrupt();
    let stop = finished.last_event();
    let [received, dropped] = ["received", "dropped_by_kernel"].map(|name| stop.counts[name]);
    assert!(received > 1 && dropped > 1, "{stop:?}");
    assert_eq!(received + dropped, sent + 1);
    assert_eq!(stop.counts["receive_buffer_bytes"], 10_000);
}

#[test]
fn the_receive_buffer_that_the_kernel_grants_is_printed() {
    let ready_line = |bytes: &str| {
        let mut server = start(SERVER, &["--port", "0", "--receive-buffer", bytes]);
        let line = server.err_line("listening on ");
        server.interrupt();
        line
    };
    let line = ready_line("50000");
    assert!(
        line.ends_with("receive buffer: 50000 bytes requested, 100000 granted"),
        "{line}"
    );
    // The kernel grants no gibibyte.
    let line = ready_line("1073741824");
    assert!(
        line.ends_with("granted, limited by net.core.rmem_max"),
        "{line}"
    );
}

#[test]
fn offload_changes_nothing_but_speed() {
    for (switch, offload) in [("on", true), ("on", false), ("off", true), ("off", false)] {
        let (server, group) = server(&["--count", "100", "--for", "60s", "--offload", switch]);
        let reach = Reach {
            offload,
            ..Reach::default()
        };
        let lo = &Interface::find(None, GROUP).unwrap()[0];
        let mut sender = Sender::new(AddressingMode::Multicast, group, lo, reach).unwrap();
        let numbered: Vec<_> = (0..100).map(|number| format!("msg-{number:03}")).collect();
        assert_eq!(
            sender.send_many(numbered.concat().as_bytes(), 7),
            (100, None)
        );
        let lines: String = numbered
            .iter()
            .map(|text| format!("Received data: {text} [multicast]\n"))
            .collect();
        assert!(server.finish().out.ends_with(&lines), "{switch} {offload}");
    }
}

#[test]
fn one_group_more_than_a_socket_may_join() {
    let most = std::fs::read_to_string("/proc/sys/net/ipv4/igmp_max_memberships").unwrap();
    let most: usize = most.trim().parse().unwrap();
    let groups: Vec<_> = (1..=most + 1)
        .flat_map(|group| {
            [
                "--group".to_owned(),
                format!("239.1.{}.{}", group / 200, group % 200),
            ]
        })
        .collect();
    let flags: Vec<_> = groups.iter().map(String::as_str).collect();
    let (last, all_but_one) = (flags[flags.len() - 1], &flags[..flags.len() - 2]);
    let (server, _) = server(all_but_one);
    assert_eq!(server.interrupt().code, Some(0));
    let why = format!(
        "join {last}:0 on lo (127.0.0.1): no buffer space available; too many groups for one socket, sysctl net.ipv4.igmp_max_memberships"
    );
    testing::check_refusals(SERVER, &[(&[&["--port", "0"], &flags[..]].concat(), &why)]);
}

#[test]
fn an_invalid_command_line_is_one_line_and_exit_code_2() {
    // Held by a program that does not share it.
    let held = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let refused: &[(&[&str], &str)] = &[
        (
            &["--group", "10.0.0.1"][..],
            "--group: 10.0.0.1 is not in 224.0.0.0 to 239.255.255.255",
        ),
        (
            &["--group", "224.1.1"],
            "usage: invalid value '224.1.1' for '--group <ADDR>': ",
        ),
        (
            &["--interface", "198.51.100.7"],
            "--interface 198.51.100.7: no such interface with an IPv4 address; there are lo",
        ),
        (
            &["--interface", "nosuch0"],
            "--interface nosuch0: no such interface with an IPv4 address; there are lo",
        ),
        (
            &["--port", "65536"],
            "usage: invalid value '65536' for '--port <PORT>': ",
        ),
        (
            &["--port", &port],
            &format!("join 224.1.1.1:{port} on lo (127.0.0.1): address in use; "),
        ),
        (&["--count", "0"], "--count: 0 is not in 1 to "),
        (
            &["--for", "soon"],
            "usage: invalid value 'soon' for '--for <DURATION>': 'soon' is no length of time, ",
        ),
    ];
    testing::check_refusals(SERVER, refused);
}

#[test]
fn without_a_route_the_default_interface_is_an_error() {
    let script = r#"
        ip route del 224.0.0.0/4 dev lo
        "$SERVER" --interface default
    "#;
    if let Some(finished) = testing::in_namespace(script, &[("SERVER", SERVER)]) {
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let line = "mcast-server: --interface default: network is unreachable; no route leads to 224.1.1.1";
        assert!(finished.err.starts_with(line), "{}", finished.err);
    }
}

#[test]
fn on_loopback_nothing_from_the_network_is_received() {
    // A host at the other end of a cable is the network: it sends by all three addressing modes.
    let script = r#"
        cat >send.py <<'END'
import socket, sys
text, interface, *destinations = sys.argv[1:]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
for destination in destinations:
    sender.sendto(text.encode(), (destination, 5007))
END
        mkfifo hold; unshare -n sh -c 'echo up >up; read end <hold' & host=$!
        exec 3>hold
        tries=0; until test -s up; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        ip link add net0 type veth peer name net1
        ip link set net1 netns $host
        ip addr add 10.9.0.1/24 brd + dev net0; ip link set net0 up
        there="nsenter -t $host -n"
        $there ip addr add 10.9.0.2/24 brd + dev net1; $there ip link set net1 up
        send_from_there() { $there python3 send.py "from the network" 10.9.0.2 224.1.1.1 10.9.0.1 10.9.0.255; }

        "$SERVER" --count 3 --for 60s --interface net0 >network.out 2>network.err & server=$!
        tries=0; until grep -q '^listening' network.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        send_from_there
        wait $server
        tail -n 3 network.out

        "$SERVER" --count 1 --for 60s >machine.out 2>machine.err & server=$!
        tries=0; until grep -q '^listening' machine.err; do tries=$((tries + 1)); test $tries -lt 100; sleep 0.1; done
        send_from_there
        python3 send.py "from this machine" 127.0.0.1 224.1.1.1
        wait $server
        tail -n 1 machine.out
        exec 3>&-
    "#;
    if testing::have_program("python3")
        && let Some(finished) = testing::in_namespace(script, &[("SERVER", SERVER)])
    {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let network = ["multicast", "unicast", "broadcast"]
            .map(|mode| format!("Received data: from the network [{mode}]\n"))
            .concat();
        assert_eq!(
            finished.out,
            network + "Received data: from this machine [multicast]\n",
            "{finished:?}"
        );
    }
}
