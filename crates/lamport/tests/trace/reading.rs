//! Files, folders and gzip; and the matching of sends and receives.

use std::{fs, io::Write};

use common::testing::{Folder, run, start};
use flate2::{Compression, write::GzEncoder};

use crate::{LAMPORT, exchange, line, message, on_property, on_thread, trace};

fn count(finished: &common::testing::Finished, name: &str) -> u64 {
    let counts = finished.last_event().counts;
    *counts
        .get(name)
        .unwrap_or_else(|| panic!("{name}: {counts:?}"))
}

#[test]
fn files_a_folder_and_gzip_are_read_alike() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let of_files = trace(&[&server, &client, "--check", "--json"]);
    assert_eq!(of_files.code, Some(0), "{of_files:?}");
    assert_eq!(count(&of_files, "events"), 8);
    assert_eq!(count(&of_files, "processes"), 2);
    assert_eq!(
        (count(&of_files, "sent"), count(&of_files, "received")),
        (2, 2)
    );
    assert_eq!(count(&of_files, "longest_chain"), 4);

    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&fs::read(&client).unwrap()).unwrap();
    fs::remove_file(&client).unwrap();
    let gz = gz.finish().unwrap();
    let mut running = start(LAMPORT, &["trace", "-", &server, "--check", "--json"]);
    running.type_in(&gz);
    running.close_stdin();
    let of_stream = running.finish();
    assert_eq!(of_stream.last_event().counts, of_files.last_event().counts);
    folder.write("client.jsonl.gz", gz);
    folder.write("notes.md", "no log");
    let path = folder.path("");
    let of_folder = trace(&[&path, &server, "--check", "--json"]);
    assert_eq!(of_folder.last_event().counts, of_files.last_event().counts);
}

#[test]
fn a_duplicate_log_is_read_once() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let copy = folder.write("copy.jsonl", fs::read(&client).unwrap());
    let finished = trace(&[&client, &client, &server, &copy, "--check", "--json"]);
    assert_eq!(finished.code, Some(0));
    assert_eq!(count(&finished, "events"), 8);
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "warn");
    assert_eq!(
        why,
        format!("{copy}:1: the same log as {client}:1: read once")
    );
}

#[test]
fn a_reused_pair_of_addresses_is_matched_in_order_of_time() {
    let folder = Folder::new();
    let id = message("tcp:127.0.0.1:4>127.0.0.1:5#1");
    // The second use is logged by a client of its own.
    folder.write("a.jsonl", line("a", 0, 10, "send", &id));
    folder.write("b.jsonl", line("b", 0, 30, "send", &id));
    folder.write(
        "server.jsonl",
        line("server", 0, 20, "receive", &id) + &line("server", 1, 40, "receive", &id),
    );
    let dot = folder.path("graph.dot");
    let finished = trace(&[&folder.path(""), "--dot", &dot]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let graph = fs::read_to_string(dot).unwrap();
    assert!(graph.contains("e0 -> e1 [style=solid"), "{graph}");
    assert!(graph.contains("e2 -> e3 [style=solid"), "{graph}");
    assert!(!graph.contains("e0 -> e3 [style"), "{graph}");
}

#[test]
fn one_send_may_have_many_receives() {
    let folder = Folder::new();
    let id = message("udp:p1>*#1");
    let sent = line("p1", 0, 10, "send", &id);
    let came = |node: &str, seq| line(node, seq, 20, "receive", &id);
    let log = sent + &came("p2", 0) + &came("p3", 0) + &came("p3", 1);
    let path = folder.write("all.jsonl", log);
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(count(&finished, "sent"), 1);
    assert_eq!(count(&finished, "received"), 3);
    assert_eq!(count(&finished, "duplicates"), 1);
    assert_eq!(finished.code, Some(0));
}

fn datagram(event: &str, node: &str, seq: u64, micros: u64, text: &str) -> String {
    let id = match event {
        "send" => format!(
            "\"message\":\"udp:127.0.0.1:7>224.1.1.1:5007#{}\",",
            seq + 1
        ),
        _ => "\"peer\":\"127.0.0.1:7\",".to_owned(),
    };
    let more = format!(
        "{id}\"bytes\":{},\"text\":\"{text}\",\"mode\":\"multicast\"",
        text.len()
    );
    line(node, seq, micros, event, &more)
}

#[test]
fn a_plain_datagram_is_matched_where_it_is_unambiguous_and_inferred_elsewhere() {
    let folder = Folder::new();
    let log = [
        datagram("send", "a", 0, 10, "once"),
        datagram("send", "a", 1, 20, "twice"),
        datagram("send", "a", 2, 30, "twice"),
        datagram("receive", "b", 0, 40, "once"),
        datagram("receive", "b", 1, 50, "twice"),
        datagram("receive", "b", 2, 60, "twice"),
    ];
    let path = folder.write("all.jsonl", log.concat());
    let dot = folder.path("graph.dot");
    let finished = trace(&[&path, "--check", "--json", "--dot", &dot]);
    assert_eq!(count(&finished, "inferred"), 2);
    let graph = fs::read_to_string(dot).unwrap();
    assert!(graph.contains("e0 -> e3 [style=solid"), "{graph}");
    assert!(graph.contains("e1 -> e4 [style=dashed"), "{graph}");
    assert!(graph.contains("e2 -> e5 [style=dashed"), "{graph}");
}

#[test]
fn lost_and_reordered_messages_are_facts() {
    let folder = Folder::new();
    let id = |number| message(&format!("udp:p1>p2#{number}"));
    let log = [
        line("p1", 0, 10, "send", &id(1)),
        line("p1", 1, 20, "send", &id(2)),
        line("p1", 2, 30, "send", &id(3)),
        line("p1", 3, 31, "send", &message("udp:p1>elsewhere#4")),
        line("p2", 0, 40, "receive", &id(3)),
        line("p2", 1, 50, "receive", &id(1)),
    ];
    let path = folder.write("all.jsonl", log.concat());
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let counts = ["lost", "reordered", "unlogged"].map(|name| count(&finished, name));
    assert_eq!(counts, [1, 1, 1]);
    let words = "messages: 4 sent, 2 received, each copy counted: 1 lost, 0 duplicates, 1 reordered, 1 to processes without a log";
    assert!(trace(&[&path, "--check"]).out.contains(words));
}

#[test]
fn a_send_that_was_logged_late_is_moved() {
    // The receiving thread logged the datagram before the sending thread.
    let folder = Folder::new();
    let id = message("udp:me/1>224.1.1.1:5007#1");
    let log = on_thread("me", "main", 0, 30, "receive", &id)
        + &on_thread("me", "typist", 1, 10, "send", &id);
    let path = folder.write("me.jsonl", log);
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(count(&finished, "longest_chain"), 2);
}

#[test]
fn messages_through_memory_are_between_processes_of_one_program() {
    let folder = Folder::new();
    let id = message("memory:clock1>clock2#1");
    let log = line("lamport", 0, 10, "send", &id) + &line("lamport", 1, 20, "receive", &id);
    let path = folder.write("lamport.jsonl", log);
    let finished = trace(&[&path, "--json", "--check"]);
    assert_eq!((finished.code, count(&finished, "processes")), (Some(0), 2));
}

#[test]
fn real_processes_pass() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let arguments = "run total --processes 3 --for 300ms --loss 10% --duplicate 10% --reorder 10%";
    let arguments: Vec<_> = arguments.split(' ').chain(["--logs", &logs]).collect();
    let finished = common::testing::run(crate::LAMPORT, &arguments);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let finished = trace(&[&logs, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(count(&finished, "received") > 20);
    let (word, why) = on_property(&finished, "clock condition");
    assert_eq!(word, "ok");
    assert!(why.starts_with("held for all "), "{why}");
}

/// The same event in another run.
fn in_run(run: &str, line: String) -> String {
    line.replacen("\"run\":\"r\"", &format!("\"run\":\"{run}\""), 1)
}

#[test]
fn parts_of_one_log_are_joined_in_any_order() {
    let folder = Folder::new();
    let part = |range: std::ops::Range<u64>| -> String {
        range.map(|seq| line("p", seq, seq, "local", "")).collect()
    };
    // As the files of a log that is rotated sort; the last two have lines in common.
    folder.write("p.log.1.jsonl", part(0..10));
    folder.write("p.log.10.jsonl", part(28..40));
    folder.write("p.log.2.jsonl", part(10..30));
    let finished = trace(&[&folder.path(""), "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        (count(&finished, "events"), count(&finished, "processes")),
        (40, 1)
    );
    assert_eq!(on_property(&finished, "well formed").0, "warn");
}

#[test]
fn messages_stay_within_a_shared_run() {
    // Two runs of p1 and p2; of the second one p1's log is missing.
    let folder = Folder::new();
    let id = message("udp:p1>p2#1");
    let sent = |run: &str, at| {
        in_run(
            run,
            line("p1", 0, at, "send", &format!("{id},\"clock\":900")),
        )
    };
    let came = |run: &str, at, clock: u64| {
        in_run(
            run,
            line("p2", 0, at, "receive", &format!("{id},\"clock\":{clock}")),
        )
    };
    folder.write("1.jsonl", sent("one", 10) + &came("one", 20, 901));
    let other = in_run("two", line("p3", 0, 5, "local", ""));
    folder.write("2.jsonl", came("two", 40, 7) + &other);
    let finished = trace(&[&folder.path(""), "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(on_property(&finished, "received was sent").0, "open");
    // With it, each has its own, also against the order of time.
    folder.write(
        "3.jsonl",
        in_run(
            "two",
            line("p1", 0, 50, "send", &format!("{id},\"clock\":3")),
        ),
    );
    let finished = trace(&[&folder.path(""), "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(on_property(&finished, "received was sent").0, "ok");
}

#[test]
fn receives_of_an_unlogged_connection_are_not_matched() {
    // The server logged two uses of the same addresses; only the later client's log is here.
    let folder = Folder::new();
    let id = message("tcp:127.0.0.1:4>127.0.0.1:5#1");
    folder.write(
        "server.jsonl",
        in_run(
            "s",
            line("server", 0, 20, "receive", &id)
                + &line("server", 1, 90, "receive", &id).replacen("\"r\"", "\"s\"", 1),
        ),
    );
    folder.write("client.jsonl", line("client", 0, 80, "send", &id));
    let finished = trace(&[&folder.path(""), "--check", "--json"]);
    assert_eq!(
        on_property(&finished, "received was sent").0,
        "open",
        "{finished:?}"
    );
    assert_eq!(on_property(&finished, "wall clocks").0, "ok");
    assert_eq!(
        (finished.code, count(&finished, "duplicates")),
        (Some(0), 0)
    );
}

#[test]
fn a_duplicate_of_a_plain_datagram_is_not_a_later_one() {
    // A duplicate ping must not be matched with one that is sent after the answer.
    let folder = Folder::new();
    let from = |address: &str, line: String| line.replace("127.0.0.1:7", address);
    let log = [
        datagram("send", "a", 0, 0, "ping"),
        from("127.0.0.1:8", datagram("receive", "a", 1, 10, "pong")),
        from("127.0.0.1:8", datagram("receive", "a", 2, 20, "pong")),
        datagram("send", "a", 3, 30, "ping"),
        datagram("receive", "b", 0, 5, "ping"),
        from("127.0.0.1:8", datagram("send", "b", 1, 6, "pong")),
        datagram("receive", "b", 2, 15, "ping"),
        from("127.0.0.1:8", datagram("send", "b", 3, 16, "pong")),
        datagram("receive", "b", 4, 35, "ping"),
    ];
    let path = folder.write("all.jsonl", log.concat());
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(count(&finished, "duplicates"), 1);
}

#[test]
fn a_message_that_a_member_of_a_group_misses_is_lost() {
    let folder = Folder::new();
    let id = |number| message(&format!("udp:s/1>224.1.1.1:5007#{number}"));
    let mut log: String = (0..6)
        .map(|seq| line("s", seq, seq, "send", &id(seq + 1)))
        .collect();
    // One member receives all, the other joins late and misses the fourth.
    for (seq, number) in (1..7).enumerate() {
        log.push_str(&line("a", seq as u64, 20, "receive", &id(number)));
    }
    for (seq, number) in [3, 5, 6].into_iter().enumerate() {
        log.push_str(&line("b", seq as u64, 20, "receive", &id(number)));
    }
    let path = folder.write("all.jsonl", &log);
    let lost = |path: &str| count(&trace(&[path, "--check", "--json"]), "lost");
    assert_eq!(lost(&path), 1);
    // A second run with the same numbers loses nothing more than the first.
    let again = log
        .replace("\"r\"", "\"r2\"")
        .replace("00:00:00", "00:01:00");
    folder.write("again.jsonl", again);
    assert_eq!(lost(&folder.path("")), 2);
}

#[test]
fn a_multicast_is_unlogged_without_another_process() {
    let folder = Folder::new();
    let path = folder.write(
        "p1.jsonl",
        line("p1", 0, 10, "send", &message("udp:p1>*#1")),
    );
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(
        (count(&finished, "lost"), count(&finished, "unlogged")),
        (0, 1)
    );
    let other = folder.write("p2.jsonl", line("p2", 0, 10, "local", ""));
    let finished = trace(&[&path, &other, "--check", "--json"]);
    assert_eq!(
        (count(&finished, "lost"), count(&finished, "unlogged")),
        (1, 0)
    );
}

#[test]
fn multicasts_are_unlogged_where_one_member_alone_has_a_log() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let total = ["simulate", "total", "--seed", "2", "--show", "0"];
    let simulated = run(
        LAMPORT,
        &[&total[..], &["--processes", "5", "--logs", &logs]].concat(),
    );
    assert_eq!(simulated.code, Some(0), "{simulated:?}");
    let alone = trace(&[&format!("{logs}/p4.jsonl"), "--check", "--json"]);
    assert_eq!(
        (count(&alone, "lost"), count(&alone, "unlogged")),
        (0, count(&alone, "sent"))
    );
    let (word, why) = on_property(&alone, "same sequence");
    assert_eq!(word, "open");
    assert!(why.ends_with("no log of p1, p2, p3, p5"), "{why}");
}

#[test]
fn many_equal_messages_are_matched_in_linear_time() {
    // A hundred thousand receives of equal datagrams, and as many uses of one identity: a second, not an hour.
    let folder = Folder::new();
    let many = 50_000;
    let id = message("udp:127.0.0.1:9>127.0.0.1:53#1");
    let mut log = String::new();
    for seq in 0..many {
        log.push_str(&datagram("send", "a", seq, seq, "same"));
        log.push_str(&datagram("receive", "b", 2 * seq, seq + 1, "same"));
        log.push_str(&line("b", 2 * seq + 1, seq + 1, "receive", &id));
        log.push_str(&line("c", seq, seq, "send", &id));
    }
    let path = folder.write("all.jsonl", log);
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(count(&finished, "received"), 2 * many);
}

#[test]
fn a_message_whose_receive_is_suppressed_is_not_lost() {
    let folder = Folder::new();
    let id = |number: u64| message(&format!("udp:127.0.0.1:{number}>127.0.0.1:53#7"));
    let log = [
        line("c", 0, 10, "send", &id(4)),
        line("c", 1, 20, "send", &id(5)),
        line("s", 0, 30, "receive", &id(4)),
        line("s", 1, 40, "local", "\"counts\":{\"suppressed\":1}"),
    ];
    let path = folder.write("all.jsonl", log.concat());
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!((finished.code, count(&finished, "lost")), (Some(0), 0));
}
