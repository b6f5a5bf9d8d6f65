//! `naming chord`: real processes that form a ring, over UDP on this machine.

use std::net::UdpSocket;

use common::{
    event::{Kind, Verdict},
    testing::{Finished, Folder, Running, read_log, run, start},
};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// A ring of these arguments; quick, for a test.
fn ring(arguments: &[&str]) -> Finished {
    let common = [
        "chord",
        "--json",
        "--stabilize",
        "50ms",
        "--timeout",
        "200ms",
    ];
    run(NAMING, &[&common, arguments].concat())
}

/// Each check with its verdict.
fn checks(finished: &Finished) -> Vec<(String, Verdict)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    let check = checks.map(|event| (event.check.unwrap().into_owned(), event.verdict.unwrap()));
    check.collect()
}

fn assert_all_ok(finished: &Finished) {
    let checks = checks(finished);
    let all = checks.iter().filter(|(_, verdict)| *verdict == Verdict::Ok);
    assert_eq!((finished.code, all.count()), (Some(0), 4), "{finished:?}");
}

#[test]
fn a_ring_loses_no_record_when_a_node_is_killed_over_a_bad_network() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = ring(&[
        "--ring",
        "5",
        "--kill",
        "2",
        "--for",
        "800ms",
        "--loss",
        "5%",
        "--duplicate",
        "5%",
        "--reorder",
        "5%",
        "--seed",
        "7",
        "--logs",
        &logs,
    ]);
    assert_all_ok(&finished);
    let counts = finished.last_event().counts;
    assert_eq!((counts["names"], counts["crashed"]), (32, 2));
    // Each survivor has a whole log, which names the algorithm.
    let mut whole = 0;
    for number in 1..=5 {
        let log = std::fs::read_to_string(format!("{logs}/p{number}.jsonl")).unwrap();
        assert!(log.contains(r#""algorithm":"chord""#));
        whole += usize::from(log.contains(r#""event":"stop""#));
    }
    assert_eq!(whole, 3);
}

#[test]
fn without_copies_what_a_crash_takes_with_it_is_open() {
    let finished = ring(&[
        "--ring",
        "3",
        "--successors",
        "1",
        "--kill",
        "1",
        "--for",
        "400ms",
        "--seed",
        "7",
        "--names",
        "64",
    ]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let verdicts = checks(&finished);
    assert_eq!(verdicts[0], ("look-ups right".to_owned(), Verdict::Ok));
    assert_eq!(verdicts[2], ("nothing lost".to_owned(), Verdict::Open));
    let events = finished.events();
    let lost = events
        .iter()
        .filter(|event| event.kind == Kind::Check)
        .nth(2);
    let text = lost.unwrap().text.as_deref().unwrap();
    assert!(
        text.contains(" of 64 names found in the end; server")
            && text.ends_with(" failed, and a record is at one node"),
        "{text}"
    );
}

#[test]
fn a_ring_of_one_has_all_records_itself() {
    let finished = ring(&["--ring", "1", "--for", "200ms", "--names", "3"]);
    let verdicts = checks(&finished);
    let verdicts: Vec<_> = verdicts.iter().map(|(_, verdict)| *verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Ok, Verdict::Ok, Verdict::Ok, Verdict::Open],
        "{finished:?}"
    );
    let mut node = start(
        NAMING,
        &["chord", "--name", "p1", "--listen", "127.0.0.1:0"],
    );
    node.ready();
    node.type_in("put server1\nlook server1\nlook server2\nleave\n");
    node.out_line_with("finds server1: p1");
    node.out_line_with("finds no server2");
    assert_eq!(node.finish().code, Some(0));
}

/// Two sockets that were free a moment ago: the nodes must know one another's addresses before they start.
fn free<const N: usize>() -> [String; N] {
    let sockets: [UdpSocket; N] = std::array::from_fn(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
    sockets.map(|socket| socket.local_addr().unwrap().to_string())
}

/// The node with this number, which knows all others, with further arguments.
fn node(addresses: &[String], me: usize, arguments: &[&str]) -> Running {
    let name = format!("p{}", me + 1);
    let peers = addresses
        .iter()
        .enumerate()
        .filter(|(other, _)| *other != me);
    let peers: Vec<_> = peers
        .map(|(other, address)| format!("--peer=p{}={address}", other + 1))
        .collect();
    let mut all = vec!["chord", "--name", &name, "--listen", &addresses[me]];
    all.extend(["--stabilize", "50ms"]);
    if !arguments.contains(&"--timeout") {
        all.extend(["--timeout", "200ms"]);
    }
    all.extend(peers.iter().map(String::as_str));
    all.extend(arguments);
    let mut node = start(NAMING, &all);
    node.ready();
    node
}

#[test]
fn nodes_join_and_leave_while_their_records_stay() {
    let addresses = free::<3>();
    let mut first = node(&addresses, 0, &[]);
    let mut second = node(&addresses, 1, &["--join", "p1"]);
    second.out_line_with("joins");
    second.type_in("put server1\n");
    second.out_line_with("inserts server1: p2");
    let mut third = node(&addresses, 2, &["--join", "p2"]);
    third.out_line_with("joins");
    // A node that leaves hands its records over, in the middle of look-ups.
    let look: String = (0..20).map(|_| "look server1\n").collect();
    first.type_in(&look);
    third.type_in("leave\n");
    third.out_line_with("leaves");
    assert_eq!(third.finish().code, Some(0));
    for _ in 0..20 {
        let line = first.out_line_with("finds ");
        assert!(line.ends_with("finds server1: p2"), "{line}");
    }
    first.type_in("look server1\nstate\n");
    first.out_line_with("finds server1: p2");
    first.out_line("predecessor: ");
    first.type_in("quit\n");
    assert_eq!(first.finish().code, Some(0));
    assert_eq!(second.interrupt().code, Some(0));
}

#[test]
fn a_node_that_leaves_hands_its_records_over() {
    let addresses = free::<3>();
    // Each record is at one node.
    let alone = ["--successors", "1"];
    let mut first = node(&addresses, 0, &alone);
    let join = [&alone[..], &["--join", "p1"]].concat();
    let mut second = node(&addresses, 1, &join);
    second.out_line_with("joins");
    let mut third = node(&addresses, 2, &join);
    third.out_line_with("joins");
    let names = (1..=12).map(|number| format!("server{number}"));
    for name in names.clone() {
        first.type_in(format!("put {name}\n"));
    }
    let found = |node: &mut Running, name: &str| {
        node.type_in(format!("look {name}\n"));
        let line = node.out_line_with(" finds ");
        line.ends_with(&format!(" finds {name}: p1"))
    };
    for name in names.clone() {
        let tries = (0..100).find(|_| found(&mut second, &name));
        assert!(tries.is_some(), "{name} is not stored");
    }
    third.type_in("leave\n");
    assert_eq!(third.finish().code, Some(0));
    for name in names {
        assert!(found(&mut second, &name), "{name} is lost");
    }
    assert_eq!(first.interrupt().code, Some(0));
    assert_eq!(second.interrupt().code, Some(0));
}

#[test]
fn an_identifier_that_is_taken_is_refused_and_its_owner_named() {
    let addresses = free::<2>();
    let first = node(&addresses, 0, &["--id", "7"]);
    let finished = node(&addresses, 1, &["--id", "7", "--join", "p1"]).finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let why = "naming: --id 7: p1 has this identifier; take another";
    assert!(
        finished.err.lines().any(|line| line == why),
        "{}",
        finished.err
    );
    assert_eq!(first.interrupt().code, Some(0));
}

#[test]
fn a_member_that_is_not_there_is_given_up() {
    let addresses = free::<2>();
    let finished = node(&addresses, 1, &["--join", "p1", "--timeout", "30ms"]).finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let why = "naming: --join p1: no answer of a member within 300 ms";
    assert!(
        finished.err.lines().any(|line| line == why),
        "{}",
        finished.err
    );
}

#[test]
fn frames_that_are_none_are_rejected_and_counted() {
    let folder = Folder::new();
    let log = folder.path("p1.jsonl");
    let addresses = free::<2>();
    let first = node(&addresses, 0, &["--log", &log]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let envelope = |from: &str, message: &str| {
        format!(
            r#"{{"v":1,"algorithm":"chord","from":"{from}","to":"p1","session":9,"knows":0,"frame":{{"sequence":1,"acknowledged":0,"packet":{{"number":1,"to_all":false,"message":{{"time":1,"content":{message}}}}}}}}}"#
        )
    };
    for bytes in [
        "hello".to_owned(),
        "{\"v\":1".to_owned(),
        envelope("p9", "\"ping\""),
        envelope("p2", "{\"notify\":{\"id\":-1}}"),
        envelope("p2", "\"ping\"").replace("\"v\":1", "\"v\":2"),
        envelope("p2", "\"ping\"").replace("chord", "mutex"),
    ] {
        socket.send_to(bytes.as_bytes(), &addresses[0]).unwrap();
    }
    // A message of a process that it does not name is not followed.
    let stranger = r#"{"notify":{"id":5,"process":4000000000}}"#;
    socket
        .send_to(envelope("p2", stranger).as_bytes(), &addresses[0])
        .unwrap();
    let mut first = first;
    first.err_line_with("another algorithm");
    let mut second = node(&addresses, 1, &["--join", "p1"]);
    second.out_line_with("joins");
    second.type_in("put server1\nleave\n");
    assert_eq!(second.finish().code, Some(0));
    assert_eq!(first.interrupt().code, Some(0));
    let stop = read_log(&log).pop().unwrap().event;
    assert_eq!((stop.kind, stop.counts["rejected"]), (Kind::Stop, 7));
}

#[test]
fn what_does_not_fit_is_refused() {
    for (arguments, why) in [
        (&["--ring", "0"][..], "--ring: 0 is not in 1 to 64"),
        (&["--ring", "65"], "--ring: 65 is not in 1 to 64"),
        (
            &["--ring", "4", "--kill", "4"],
            "--kill: 4 is not in 0 to 3",
        ),
        (
            &["--ring", "4", "--crash", "p9@1s"],
            "--crash p9@1s: no process is called 'p9'",
        ),
        (&["--ring", "4", "--id", "7"], "--id: is of a single node"),
        (
            &["--name", "p1", "--kill", "1"],
            "--kill: is of --ring N alone",
        ),
        (&[], "--name: missing"),
        (
            &["--name", "p1", "--join", "p2", "--peer", "p3=127.0.0.1:1"],
            "--join p2: not the name of a --peer",
        ),
        (
            &["--name", "p1", "--successors", "0"],
            "--successors: 0 is not in 1 to 16",
        ),
    ] {
        let finished = run(NAMING, &[&["chord"], arguments].concat());
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(why), "{}", finished.err);
    }
}

#[test]
fn a_signal_ends_the_look_ups_and_they_are_checked() {
    let mut ring = start(
        NAMING,
        &["chord", "--ring", "2", "--stabilize", "50ms", "--for", "1m"],
    );
    ring.err_line_with("a ring of 2 processes over UDP, 32 names in 2 copies each");
    let finished = ring.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.out.contains("32 names found in the end"),
        "{finished:?}"
    );
}
