//! Findings: the property, and file and line of both events.

use common::testing::Folder;

use crate::{exchange, line, message, on_property, on_thread, trace, verdict};

/// The verdict on one property of a log.
fn checked(log: &[String], property: &str) -> (Option<i32>, String, String) {
    let folder = Folder::new();
    let path = folder.write("all.jsonl", log.concat());
    let finished = trace(&[&path, "--check", "--json"]);
    let (word, why) = on_property(&finished, property);
    (finished.code, word, why.replace(&path, "all"))
}

#[test]
fn a_correct_exchange_has_a_verdict_in_words() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let finished = trace(&[&client, &server, "--check"]);
    assert_eq!(finished.code, Some(0));
    assert_eq!(finished.err, "");
    let expected = "\
ok    well formed            8 events of 2 processes in 2 files
ok    one name, one process  2 processes
ok    received was sent      each of 2 receives has its send
ok    causes come first      no event happened before itself
ok    wall clocks            none of 2 messages was received before it was sent
messages: 2 sent, 2 received, each copy counted: 0 lost, 0 duplicates, 0 reordered
2 processes, 8 events; the longest chain of causes has 4, and 0% of the pairs across processes are concurrent
";
    assert_eq!(finished.out, expected);
}

#[test]
fn a_receive_without_its_send() {
    let id = |number| message(&format!("udp:p1>p2#{number}"));
    let sender = |events: &[String]| [events, &[line("p2", 0, 50, "receive", &id(2))]].concat();
    let stopped = sender(&[
        line("p1", 0, 10, "send", &id(1)),
        line("p1", 1, 90, "stop", ""),
    ]);
    let (code, word, why) = checked(&stopped, "received was sent");
    assert_eq!((code, word.as_str()), (Some(1), "FAIL"));
    assert_eq!(
        why,
        "all:3: p2 receives a message that p1 never sent; its log ends at all:2"
    );
    // A process that was killed may have sent more after its last logged event, but not before it.
    let killed = sender(&[line("p1", 0, 10, "send", &id(1))]);
    let (code, word, why) = checked(&killed, "received was sent");
    assert_eq!((code, word.as_str()), (Some(0), "warn"), "{why}");
    let forgotten = sender(&[line("p1", 0, 10, "send", &id(3))]);
    assert_eq!(checked(&forgotten, "received was sent").0, Some(1));
    // A process that suppressed events may have sent it.
    let suppressed = sender(&[
        line("p1", 0, 10, "send", &id(1)),
        line("p1", 1, 20, "local", "\"counts\":{\"suppressed\":7}"),
        line("p1", 2, 90, "stop", ""),
    ]);
    assert_eq!(checked(&suppressed, "received was sent").1, "warn");
    // Nor of one whose log is not here.
    let absent = [line("p2", 0, 50, "receive", &id(2))];
    let (code, word, why) = checked(&absent, "received was sent");
    assert_eq!((code, word.as_str()), (Some(0), "open"));
    assert_eq!(
        why,
        "all:1: p2 receives a message whose sender has no log here, or one that ends too early"
    );
}

#[test]
fn a_cycle_of_causes() {
    let (a, b) = (message("udp:p1>p2#1"), message("udp:p2>p1#1"));
    let log = [
        line("p1", 0, 20, "receive", &b),
        line("p1", 1, 30, "send", &a),
        line("p2", 0, 10, "receive", &a),
        line("p2", 1, 40, "send", &b),
    ];
    let (code, word, why) = checked(&log, "causes come first");
    assert_eq!((code, word.as_str()), (Some(1), "FAIL"));
    assert_eq!(
        why,
        "all:1: receives the message sent at all:4, before which it happened (by the messages received at all:3, sent at all:2)"
    );
}

#[test]
fn a_process_that_receives_what_it_sends_only_later() {
    let id = message("udp:p1>*#1");
    let log = [
        line("p1", 0, 10, "receive", &id),
        line("p1", 1, 20, "send", &id),
    ];
    let (code, word, why) = checked(&log, "causes come first");
    assert_eq!((code, word.as_str()), (Some(1), "FAIL"));
    assert_eq!(
        why,
        "all:1: p1 receives a message that it sends later, at all:2"
    );
}

fn clocked(node: &str, seq: u64, event: &str, id: &str, clock: u64) -> String {
    let more = format!("{},\"clock\":{clock}", message(id));
    line(node, seq, 10 * seq, event, &more)
}

#[test]
fn clocks_must_grow_from_cause_to_effect() {
    let id = "udp:p1>p2#1";
    let log = [
        clocked("p1", 0, "send", id, 7),
        clocked("p2", 0, "receive", id, 7),
    ];
    let (code, word, why) = checked(&log, "clock condition");
    assert_eq!((code, word.as_str()), (Some(1), "FAIL"));
    assert_eq!(
        why,
        "a message must be received at a later time than it was sent; p1 at 7 sends a message to peer (all:1); p2 at 7 receives a message from peer (all:2)"
    );
    let log = [
        clocked("p1", 0, "send", id, 6),
        clocked("p2", 0, "receive", id, 7),
    ];
    let (code, word, why) = checked(&log, "clock condition");
    assert_eq!((code, word.as_str()), (Some(0), "ok"));
    assert_eq!(
        why,
        "held for all 1 messages and all 0 steps of the processes"
    );
}

#[test]
fn clocks_must_increase_across_events_without_a_clock() {
    let (there, on) = (message("udp:p1>p2#1"), message("udp:p2>p3#1"));
    let log = [
        line("p1", 0, 10, "send", &format!("{there},\"clock\":5")),
        line("p2", 0, 20, "receive", &there),
        line("p2", 1, 30, "send", &on),
        line("p3", 0, 40, "receive", &format!("{on},\"clock\":5")),
    ];
    let (code, _, why) = checked(&log, "clock condition");
    assert_eq!(code, Some(1));
    assert_eq!(
        why,
        "a message must be received at a later time than it was sent; p1 at 5 sends a message to peer (all:1); p3 at 5 receives a message from peer (all:4)"
    );
}

#[test]
fn a_clock_that_jumps_back() {
    let log = [3, 2].map(|clock| line("p1", 3 - clock, 10, "local", &format!("\"clock\":{clock}")));
    assert_eq!(checked(&log, "clock condition").0, Some(1));
    // The machine's own may be set.
    let log = [
        line("p1", 0, 900, "local", ""),
        line("p1", 1, 100, "local", ""),
    ];
    let (code, word, why) = checked(&log, "wall clocks");
    assert_eq!((code, word.as_str()), (Some(0), "warn"));
    assert_eq!(
        why,
        "all:2: the clock jumped back by 800 µs on thread main since all:1"
    );
}

#[test]
fn skew_is_shown_with_the_smallest_correction() {
    // p2 is 5 ms behind.
    let (there, back) = (message("udp:p1>p2#1"), message("udp:p2>p1#1"));
    let log = [
        line("p1", 0, 10_000, "send", &there),
        line("p1", 1, 10_200, "receive", &back),
        line("p2", 0, 5_100, "receive", &there),
        line("p2", 1, 5_150, "send", &back),
    ];
    let (code, word, why) = checked(&log, "wall clocks");
    assert_eq!((code, word.as_str()), (Some(0), "warn"));
    assert_eq!(
        why,
        "all:3: received 4.9 ms before it was sent at all:1, by the clocks; smallest correction: +4.9 ms for p2"
    );
}

#[test]
fn a_clock_that_was_set_during_the_run_has_no_correction() {
    let (there, back) = (message("udp:p1>p2#1"), message("udp:p2>p1#1"));
    let log = [
        line("p1", 0, 10_000, "send", &there),
        line("p1", 1, 11_000, "receive", &back),
        line("p2", 0, 5_000, "receive", &there),
        line("p2", 1, 90_000, "send", &back),
    ];
    let (_, word, why) = checked(&log, "wall clocks");
    assert_eq!(word, "warn");
    assert!(
        why.ends_with("no constant correction exists: a clock drifted or was set during the run"),
        "{why}"
    );
}

#[test]
fn many_violations_are_counted_and_the_first_ones_are_reported() {
    let id = |number| message(&format!("udp:p1>p2#{number}"));
    let mut log = vec![
        line("p1", 0, 0, "send", &id(100)),
        line("p1", 1, 99, "stop", ""),
    ];
    log.extend((0..10).map(|number| line("p2", number, 50, "receive", &id(number))));
    let (_, word, why) = checked(&log, "received was sent");
    assert_eq!(word, "FAIL");
    assert_eq!(why.matches("p1 never sent").count(), 3);
    assert!(why.ends_with("; and 7 more"), "{why}");
}

#[test]
fn two_concurrent_processes_with_one_name_are_numbered_and_reported() {
    let folder = Folder::new();
    let log = |from: u64| line("p", 0, from, "start", "") + &line("p", 1, from + 50, "stop", "");
    let (one, two) = (
        folder.write("1.jsonl", log(10)),
        folder.write("2.jsonl", log(30)),
    );
    let finished = trace(&[&one, &two, "--check", "--json"]);
    let (word, why) = on_property(&finished, "one name, one process");
    assert_eq!((finished.code, word.as_str()), (Some(0), "warn"));
    assert_eq!(
        why,
        format!("{two}:1: another process has the name p, at {one}:1")
    );
    // One after the other they share a log and a name.
    let both = folder.write("3.jsonl", log(100) + &log(200));
    let finished = trace(&[&both, "--check", "--json"]);
    assert_eq!(
        on_property(&finished, "one name, one process"),
        ("ok".into(), "2 processes".into())
    );
}

#[test]
fn a_process_on_several_threads_is_one_process() {
    let log = [
        on_thread("s", "main", 0, 10, "accept", "\"peer\":\"127.0.0.1:4\""),
        on_thread("s", "client-1", 1, 20, "close", "\"peer\":\"127.0.0.1:4\""),
    ];
    let folder = Folder::new();
    let path = folder.write("all.jsonl", log.concat());
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(verdict(&finished).len(), 3, "{finished:?}");
    let counts = finished.last_event().counts;
    assert_eq!(
        (counts["processes"], counts.get("concurrent_percent")),
        (1, None)
    );
}

#[test]
fn a_server_that_was_killed_may_have_answered_more_than_it_logged() {
    let answer = |port: u32| message(&format!("tcp:127.0.0.1:5>127.0.0.1:{port}#1"));
    let log = [
        line("c1", 0, 30, "receive", &answer(1)),
        line("c2", 0, 60, "receive", &answer(2)),
        line("s", 0, 10, "start", ""),
        line("s", 1, 20, "send", &answer(1)),
    ];
    let (code, word, why) = checked(&log, "received was sent");
    assert_eq!((code, word.as_str()), (Some(0), "warn"));
    assert_eq!(
        why,
        "all:2: c2 receives a message whose send is not in the log of s: it ends without a stop, at all:4: the process was killed, or is still running"
    );
}

#[test]
fn one_message_to_several_addresses_has_one_time() {
    let sent = |address: u32| {
        let id = message(&format!("udp:me/1>127.0.0.{address}:5007#1"));
        line(
            "me",
            u64::from(address) - 1,
            10,
            "send",
            &format!("{id},\"clock\":1"),
        )
    };
    let (code, word, why) = checked(&[sent(1), sent(2)], "clock condition");
    assert_eq!((code, word.as_str()), (Some(0), "open"));
    let held = "no message was received; held for all 1 steps of the processes";
    assert_eq!(why, held);
    let another = sent(2).replace("#1", "#2");
    assert_eq!(checked(&[sent(1), another], "clock condition").1, "FAIL");
}

#[test]
fn a_message_that_was_sent_to_another_process() {
    let id = message("memory:p1>p2#1");
    let log = [
        line("p1", 0, 10, "send", &id),
        line("p2", 0, 15, "local", ""),
        line("p3", 0, 20, "receive", &id),
        line("p3", 1, 30, "send", &message("memory:p3>p1#1")),
    ];
    let (code, word, why) = checked(&log, "received was sent");
    assert_eq!((code, word.as_str()), (Some(1), "FAIL"));
    assert_eq!(why, "all:3: p3 receives a message that was sent to p2");
}

#[test]
fn one_wrong_clock_is_reported_once() {
    let clocks = [1, 2, 500, 4, 5, 6, 7];
    let log: Vec<_> = clocks
        .iter()
        .enumerate()
        .map(|(seq, clock)| line("p", seq as u64, 10, "local", &format!("\"clock\":{clock}")))
        .collect();
    let (code, _, why) = checked(&log, "clock condition");
    assert_eq!(code, Some(1));
    assert_eq!(
        why,
        "a clock must advance at every event; p at 500 local event (all:3); p at 4 local event (all:4)"
    );
}

#[test]
fn an_inferred_link_makes_no_cycle() {
    // The first receive of b is matched with the first send of a, and the wall clocks of both are wrong.
    let plain = |node: &str, seq, micros, event: &str, port: u32| {
        let id = match event {
            "send" => format!(
                "\"message\":\"udp:127.0.0.1:{port}>224.1.1.1:5007#{}\"",
                seq + 1
            ),
            _ => format!("\"peer\":\"127.0.0.1:{port}\""),
        };
        line(
            node,
            seq,
            micros,
            event,
            &format!("{id},\"bytes\":1,\"text\":\"x\""),
        )
    };
    let log = [
        plain("a", 0, 10, "receive", 8),
        plain("a", 1, 20, "send", 7),
        plain("a", 2, 30, "send", 7),
        plain("b", 0, 10, "receive", 7),
        plain("b", 1, 20, "send", 8),
        plain("b", 2, 30, "send", 8),
    ];
    let (code, word, _) = checked(&log, "causes come first");
    assert_eq!((code, word.as_str()), (Some(0), "ok"));
}
