//! `naming chord --join HOST:PORT`: nodes that know one address, and learn of one another from the ring.

use std::{
    net::{SocketAddr, UdpSocket},
    time::Duration,
};

use common::testing::{Finished, Folder, Running, read_log, run, start};

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

/// A node with this name, on a free port, with further arguments; and where it listens.
fn node(name: &str, arguments: &[&str]) -> (Running, SocketAddr) {
    let mut all = vec!["chord", "--name", name, "--stabilize", "50ms"];
    for (flag, value) in [("--timeout", "1s"), ("--listen", "127.0.0.1:0")] {
        if !arguments.contains(&flag) {
            all.extend([flag, value]);
        }
    }
    all.extend(arguments);
    let mut node = start(NAMING, &all);
    let address = node.ready();
    (node, address)
}

/// A node that has joined by the member at this address.
fn joined(name: &str, by: SocketAddr) -> (Running, SocketAddr) {
    let (mut node, address) = node(name, &["--join", &by.to_string()]);
    node.out_line_with("joins");
    (node, address)
}

/// Looks a name up until it is found at this node: a record may be on its way.
fn find(node: &mut Running, name: &str, at: &str) {
    let wanted = format!("finds {name}: {at}");
    let found = (0..200).any(|_| {
        node.type_in(format!("look {name}\n"));
        node.out_line_with(" finds ").ends_with(&wanted)
    });
    assert!(found, "{wanted}");
}

/// It ended with exit code 1 and this line.
fn assert_refused(finished: &Finished, why: &str) {
    let has_line = finished.err.lines().any(|line| line == why);
    assert!(finished.code == Some(1) && has_line, "{why}: {finished:?}");
}

#[test]
fn nodes_that_know_one_address_form_a_ring() {
    let folder = Folder::new();
    // Each counts the others in the order in which it learns of them: zoe, p10, ann; p10, zoe, ann; ann, p10, zoe.
    let log = folder.path("zoe.jsonl");
    let (mut zoe, address) = node("zoe", &["--log", &log]);
    let (mut p10, second) = joined("p10", address);
    let (mut ann, _) = joined("ann", second);
    p10.type_in("put server1\n");
    ann.type_in("put server2\n");
    for node in [&mut zoe, &mut p10, &mut ann] {
        find(node, "server1", "p10");
        find(node, "server2", "ann");
    }
    // By now each knows where the others are.
    p10.type_in("move server1 ann\n");
    ann.out_line_with("inserts server1: ann");
    find(&mut zoe, "server1", "ann");
    // The first one fails, by which one has joined; the others go on.
    zoe.signal("KILL");
    find(&mut ann, "server1", "ann");
    find(&mut p10, "server2", "ann");
    assert_eq!(ann.interrupt().code, Some(0));
    assert_eq!(p10.interrupt().code, Some(0));
    drop(zoe);
    let text = std::fs::read_to_string(log).unwrap();
    for part in [
        r#""peer":"ann""#,
        r#""meaning":"found","name":"server1","value":"p10""#,
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn a_name_that_a_member_has_is_refused() {
    let (mut zoe, first) = node("zoe", &[]);
    let (mut ann, second) = joined("ann", first);
    let refused = |name: &str, by: SocketAddr, at: SocketAddr, more: &[&str]| {
        let by = by.to_string();
        let (node, _) = node(name, &[&["--join", &by], more].concat());
        let why = format!("naming: --name {name}: the node at {at} has this name; take another");
        assert_refused(&node.finish(), &why);
    };
    refused("zoe", first, first, &[]);
    refused("ann", first, second, &["--id", "7"]);
    refused("zoe", second, first, &[]);
    ann.type_in("put server1\n");
    find(&mut zoe, "server1", "ann");
    assert_eq!(ann.interrupt().code, Some(0));
    assert_eq!(zoe.interrupt().code, Some(0));
}

#[test]
fn an_identifier_that_is_taken_and_a_member_that_is_not_there() {
    let (zoe, first) = node("zoe", &["--id", "7"]);
    let (ann, _) = node("ann", &["--id", "7", "--join", &first.to_string()]);
    let why = "naming: --id 7: zoe has this identifier; take another";
    assert_refused(&ann.finish(), why);
    assert_eq!(zoe.interrupt().code, Some(0));
    // A socket that never answers.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let (ann, _) = node("ann", &["--timeout", "30ms", "--join", &address]);
    let why = format!("naming: --join {address}: no answer of a member within 300 ms");
    assert_refused(&ann.finish(), &why);
    // A process that is no node.
    let mut question = [0; 1024];
    silent
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let length = silent.recv(&mut question).unwrap();
    let question = String::from_utf8_lossy(&question[..length]).into_owned();
    assert!(question.contains(r#""from":"ann","to":"","#), "{question}");
}

#[test]
fn a_node_that_was_killed_comes_back_at_another_address() {
    let (mut zoe, first) = node("zoe", &[]);
    let (ann, _) = joined("ann", first);
    ann.signal("KILL");
    assert!(ann.finish().code.is_none());
    let (mut ann, _) = joined("ann", first);
    ann.type_in("put server1\n");
    find(&mut zoe, "server1", "ann");
    zoe.type_in("put server2\n");
    find(&mut ann, "server2", "zoe");
    assert_eq!(ann.interrupt().code, Some(0));
    assert_eq!(zoe.interrupt().code, Some(0));
}

/// A frame of `mallory` with this session of the receiver, these processes and this message.
fn frame(knows: u64, sequence: usize, processes: &[String], message: &str) -> String {
    format!(
        r#"{{"v":1,"algorithm":"chord","from":"mallory","to":"zoe","session":9,"knows":{knows},"processes":[{}],"frame":{{"sequence":{sequence},"acknowledged":0,"packet":{{"number":{sequence},"to_all":false,"message":{{"time":1,"content":{message}}}}}}}}}"#,
        processes.join(",")
    )
}

#[test]
fn a_peer_that_floods_names_fills_a_table_and_breaks_nothing() {
    let folder = Folder::new();
    let log = folder.path("zoe.jsonl");
    let (mut zoe, first) = node("zoe", &["--log", &log]);
    let (mut ann, _) = joined("ann", first);
    ann.type_in("put server1\n");
    find(&mut zoe, "server1", "ann");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(first).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let named = |name: &str, at: &str| format!(r#"{{"name":"{name}","at":"{at}"}}"#);
    // Whoever does not know the session may send what it wants: it is told the session alone.
    let many: Vec<_> = (0..60)
        .map(|n| named(&format!("m{n}"), "127.0.0.1:9"))
        .collect();
    let ask = r#"{"ask":[5,1,[0]]}"#;
    socket.send(frame(0, 1, &many, ask).as_bytes()).unwrap();
    let mut answer = [0; 8192];
    let length = socket.recv(&mut answer).unwrap();
    let answer: serde_json::Value = serde_json::from_slice(&answer[..length]).unwrap();
    assert_eq!(answer["to"], "mallory");
    let session = answer["session"].as_u64().unwrap();
    for (sequence, processes, message) in [
        (1, &[][..], r#"{"ask":[5,1,[0]]}"#),
        (2, &[named("p 1", "127.0.0.1:9")], ask),
        (3, &[named("m1", "0.0.0.0:9")], ask),
        (4, &many[..], ask),
        (
            5,
            &[named("m98", "127.0.0.1:9"), named("m99", "127.0.0.1:9")],
            ask,
        ),
        // What it says of others changes nothing about them: ann is asked, and answers.
        (6, &[named("ann", "127.0.0.1:9")], ask),
        (
            7,
            &[named("m99", "127.0.0.1:9")],
            r#"{"keep":[["server1",{"at":0,"moves":7}]]}"#,
        ),
    ] {
        let frame = frame(session, sequence, processes, message);
        socket.send(frame.as_bytes()).unwrap();
    }
    zoe.err_line_with("'m99' is one process more than a table holds; not known here");
    find(&mut zoe, "server1", "ann");
    ann.type_in("put server2\n");
    find(&mut zoe, "server2", "ann");
    // There is no room for another one.
    let (late, _) = node("late", &["--timeout", "30ms", "--join", &first.to_string()]);
    assert_eq!(late.finish().code, Some(1));
    assert_eq!(ann.interrupt().code, Some(0));
    assert_eq!(zoe.interrupt().code, Some(0));
    let stop = read_log(&log).pop().unwrap().event;
    assert!(stop.counts["rejected"] >= 5, "{:?}", stop.counts);
}

#[test]
fn an_address_that_cannot_be_reached_is_refused() {
    for (arguments, why) in [
        (&["--join", "p2"][..], "--join p2: not HOST:PORT"),
        (
            &["--join", "192.0.2.7:4001", "--listen", "127.0.0.1:0"],
            "--join 192.0.2.7:4001: not reachable from 127.0.0.1:",
        ),
        (
            &["--join", "[::1]:4001", "--listen", "127.0.0.1:0"],
            "--join [::1]:4001: not reachable from 127.0.0.1:",
        ),
        (&["--join", "127.0.0.1:0"], "--join 127.0.0.1:0: no program"),
    ] {
        let finished = run(NAMING, &[&["chord", "--name", "p1"], arguments].concat());
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(why), "{}", finished.err);
    }
}
