//! The real server, sent to over real sockets on loopback.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use common::{
    event::{Kind, Record},
    interface::Interface,
    multicast::{GROUP, LONGEST, Sender, Technique},
    testing::{self, Folder, Running, read_log, start},
};
use mcast_server::config::Cli;

const SERVER: &str = env!("CARGO_BIN_EXE_mcast-server");

/// A server on a free port, with these flags besides.
fn server(flags: &[&str]) -> (Running, SocketAddrV4) {
    let mut server = start(SERVER, &[&["--port", "0"], flags].concat());
    match server.ready() {
        SocketAddr::V4(group) => (server, group),
        SocketAddr::V6(group) => panic!("{group}"),
    }
}

fn sender(technique: Technique, to: Ipv4Addr, group: SocketAddrV4) -> Sender {
    let loopback = Interface::find(None, GROUP).unwrap();
    Sender::new(technique, SocketAddrV4::new(to, group.port()), &loopback).unwrap()
}

fn to_group(group: SocketAddrV4) -> Sender {
    sender(Technique::Multicast, *group.ip(), group)
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        SERVER,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn the_handouts_lines_and_how_the_group_was_joined() {
    let folder = Folder::new();
    let log = folder.path("log");
    let (server, group) = server(&["--log", &log]);
    assert_eq!(*group.ip(), GROUP);
    let sender = to_group(group);
    sender.send(b"hello").unwrap();
    sender.send(b"\x1b[2J\xff\n").unwrap();
    // What the kernel holds when it is interrupted is still told.
    let finished = server.interrupt();
    assert_eq!(finished.code, Some(0));
    let lines = "Received data: hello\nReceived data: \\x1b[2J\\xff\\n\n";
    assert_eq!(
        finished.out,
        format!("Multicast server running on {group}\n{lines}")
    );
    let joined =
        "joined on lo (127.0.0.1): this machine only; --interface default goes on the network";
    assert_eq!(
        finished.err,
        format!("listening on {group}, {joined}\nstopped: 2 datagrams received\n")
    );

    let records = read_log(log);
    let received = &records[2].event;
    assert_eq!((received.kind, received.bytes), (Kind::Receive, Some(5)));
    assert_eq!(received.peer, Some(sender.from.into()));
}

#[test]
fn it_hears_all_three_techniques_and_any_sender() {
    let (server, group) = server(&["--count", "4", "--for", "60s"]);
    to_group(group).send(b"multicast").unwrap();
    sender(Technique::Unicast, Ipv4Addr::LOCALHOST, group)
        .send(b"unicast")
        .unwrap();
    sender(
        Technique::Broadcast,
        Ipv4Addr::new(127, 255, 255, 255),
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
    let told: Vec<_> = finished.out.lines().skip(1).collect();
    let expected =
        ["multicast", "unicast", "broadcast", "plain"].map(|text| format!("Received data: {text}"));
    assert_eq!(told, expected);
}

#[test]
fn the_longest_datagram_arrives_whole_and_an_empty_one_too() {
    let (server, group) = server(&["--count", "2", "--json"]);
    to_group(group).send(&vec![b'x'; LONGEST]).unwrap();
    to_group(group).send(b"").unwrap();
    let finished = server.finish();
    let events: Vec<_> = finished
        .out
        .lines()
        .map(|line| Record::parse(line).unwrap().event)
        .collect();
    assert_eq!(
        events.iter().map(|event| event.kind).collect::<Vec<_>>(),
        [Kind::Ready, Kind::Receive, Kind::Receive]
    );
    assert_eq!((events[1].bytes, events[2].bytes), (Some(65_507), Some(0)));
    assert_eq!(events[1].text.as_ref().unwrap().len(), LONGEST);
}

#[test]
fn too_few_in_time_is_a_no() {
    let (server, group) = server(&["--count", "2", "--for", "1s"]);
    to_group(group).send(b"one").unwrap();
    let finished = server.finish();
    assert_eq!(finished.code, Some(1));
    assert!(
        finished
            .err
            .ends_with("stopped: 1 datagram received, not 2\n"),
        "{}",
        finished.err
    );
}

#[test]
fn only_time_is_no_condition_to_miss() {
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
        assert!(server.finish().out.ends_with("Received data: hello\n"));
    }
}

#[test]
fn what_is_wrong_is_one_line_and_exit_2() {
    // Held without sharing.
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
fn on_the_default_interface_where_no_route_leads_it_says_so() {
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
fn on_loopback_nothing_from_the_network_gets_in() {
    // A host at the other end of a cable stands for the network: its datagrams come by all three techniques.
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
        let network = "Received data: from the network\n".repeat(3);
        assert_eq!(
            finished.out,
            network + "Received data: from this machine\n",
            "{finished:?}"
        );
    }
}
