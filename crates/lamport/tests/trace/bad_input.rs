//! Malformed logs: problems are reported with file and line, and the diagram is drawn all the same.

use std::{fs, io::Write};

use common::testing::{Finished, Folder, check_refusals};
use flate2::{Compression, write::GzEncoder};

use crate::{LAMPORT, exchange, line, on_property, trace};

/// The verdict on an exchange with a modified log of the server; drawing must succeed.
fn after(modify: impl FnOnce(&str) -> Vec<u8>) -> (Finished, String) {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let log = modify(&fs::read_to_string(&server).unwrap());
    fs::write(&server, log).unwrap();
    let drawn = trace(&[&client, &server]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    assert!(drawn.out.contains("client stops"), "{drawn:?}");
    let finished = trace(&[&client, &server, "--check", "--json"]);
    let (word, why) = on_property(&finished, "well formed");
    let why = why.replace(&server, "server");
    (finished, format!("{word} {why}"))
}

#[test]
fn a_truncated_line() {
    let (finished, why) = after(|log| log.as_bytes()[..log.len() - 30].to_vec());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        why,
        "warn server:4: truncated line: its process was killed while it wrote"
    );
}

#[test]
fn a_line_that_is_not_an_event() {
    let (finished, why) = after(|log| log.replacen("\"v\":1", "\"v\":1,,", 1).into());
    assert_eq!(finished.code, Some(1));
    assert!(
        why.starts_with("FAIL server:1: not an event: key must be a string ("),
        "{why}"
    );
    assert!(why.contains(": {\"v\":1,,"), "{why}");
}

#[test]
fn lines_out_of_order() {
    let (finished, why) = after(|log| {
        let lines: Vec<_> = log.lines().collect();
        [lines[0], lines[2], lines[1], lines[3]].join("\n").into()
    });
    assert_eq!(finished.code, Some(1));
    assert_eq!(
        why,
        "FAIL server:3: out of order, seq 1 after 2 at server:2"
    );
    assert_eq!(finished.last_event().counts["longest_chain"], 4);
}

#[test]
fn events_that_could_not_be_written() {
    let (finished, why) = after(|log| {
        let lines: Vec<_> = log.lines().collect();
        // The writer's words after a disk was full.
        let notice = lines[3].replace(r#""event":"stop""#, r#""event":"error""#);
        let notice = notice.trim_end_matches('}').to_owned() + r#","counts":{"unwritten":1}}"#;
        let last = lines[3].replace(r#""seq":3"#, r#""seq":4"#);
        [lines[0], lines[1], &notice, &last].join("\n").into()
    });
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        why,
        "open server:3: seq 3 of server follows 1 at server:2: 1 event missing, which could not be written"
    );
}

#[test]
fn missing_lines() {
    let without = |missing: usize| {
        after(move |log| {
            let mut lines: Vec<_> = log.lines().collect();
            lines.remove(missing);
            (lines.join("\n") + "\n").into()
        })
    };
    let (finished, why) = without(2);
    assert_eq!(finished.code, Some(1));
    // The missing send may have been that event, so only one violation is reported.
    assert_ne!(on_property(&finished, "received was sent").0, "FAIL");
    assert_eq!(
        why,
        "FAIL server:3: seq 3 of server follows 1 at server:2: 1 event missing"
    );
    let (_, why) = without(0);
    assert_eq!(
        why,
        "FAIL server:1: server begins with seq 1, not 0: its first events are missing"
    );
}

#[test]
fn duplicate_lines() {
    let (finished, why) = after(|log| {
        let lines: Vec<_> = log.lines().collect();
        [lines[0], lines[1], lines[1], lines[2], lines[3]]
            .join("\n")
            .into()
    });
    assert_eq!(finished.code, Some(1));
    assert_eq!(why, "FAIL server:3: the same event as server:2");
    assert_eq!(finished.last_event().counts["received"], 2);
}

#[test]
fn another_version() {
    let (finished, why) = after(|log| log.replacen("\"v\":1", "\"v\":2", 1).into());
    assert_eq!(finished.code, Some(1));
    assert!(
        why.starts_with("FAIL server:1: version 2 of the log, not 1; "),
        "{why}"
    );
}

#[test]
fn missing_or_invalid_fields() {
    for (field, instead, expected) in [
        ("\"seq\":1", "\"sec\":1", "no field 'seq'"),
        ("\"node\"", "\"mode\"", "no field 'node'"),
        (
            "00:00:00.000030Z",
            "yesterday",
            "time '2026-11-24Tyesterday' is not RFC 3339 in UTC, from 1970 on",
        ),
        (
            "\"receive\"",
            "\"recieve\"",
            "event 'recieve' is not in version 1",
        ),
        (
            "tcp:127.0.0.1:4>",
            "pigeon:4>",
            "message 'pigeon:4>127.0.0.1:5#1' is not written CARRIER:FROM>TO#NUMBER",
        ),
    ] {
        let (finished, why) = after(|log| log.replacen(field, instead, 1).into());
        assert_eq!(finished.code, Some(1), "{why}");
        assert!(why.contains(expected), "{why}");
    }
}

#[test]
fn bytes_that_are_not_text() {
    let (finished, why) = after(|log| [b"\n\xff\xfe\n".as_slice(), log.as_bytes()].concat());
    assert_eq!(finished.code, Some(1));
    assert!(why.starts_with("FAIL server:2: not an event: "), "{why}");
    assert_eq!(finished.last_event().counts["events"], 8);
    let (finished, why) = after(|log| [log.as_bytes(), b"\xff\xfe\n"].concat());
    assert_eq!(finished.code, Some(1));
    assert!(why.contains("server:5: not UTF-8"), "{why}");
}

#[test]
fn an_invalid_first_line_does_not_affect_the_others() {
    let (finished, why) = after(|log| format!("# my log\n{log}").into());
    assert_eq!(finished.code, Some(1));
    assert!(why.starts_with("FAIL server:1: not an event: "), "{why}");
    assert_eq!(finished.last_event().counts["events"], 8);
    // As editors on Windows begin a file.
    let (finished, why) = after(|log| format!("\u{feff}{}", log.replace('\n', "\r\n")).into());
    assert_eq!(
        (finished.code, why.as_str()),
        (Some(0), "ok 8 events of 2 processes in 2 files")
    );
}

#[test]
fn a_file_of_zeros() {
    let (finished, why) = after(|_| vec![0; 3 << 20]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(why, "FAIL server:1: not text: it begins with the byte 0x00");
}

#[test]
fn a_pipe_is_read_too() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let pipe = folder.path("pipe.jsonl");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let trace = common::testing::start(LAMPORT, &["trace", &client, &pipe, "--check"]);
    fs::write(&pipe, fs::read(&server).unwrap()).unwrap();
    assert_eq!(trace.finish().code, Some(0));
}

#[test]
fn a_line_that_is_too_long() {
    // As a field of a line, and as a line that never ends.
    let (finished, why) = after(|log| {
        let long = format!("{{\"text\":\"{}\"}}\n", "x".repeat(3 << 20));
        [&long, log].concat().into()
    });
    assert_eq!(finished.code, Some(1));
    assert_eq!(why, "FAIL server:1: longer than 1048576 bytes: skipped");
    assert_eq!(finished.last_event().counts["events"], 8);
    let (_, why) = after(|log| [log, "{", &"x".repeat(3 << 20)].concat().into());
    assert_eq!(why, "FAIL server:5: longer than 1048576 bytes: skipped");
}

#[test]
fn a_truncated_compressed_file() {
    let (finished, why) = after(|log| {
        let mut gz = GzEncoder::new(Vec::new(), Compression::none());
        gz.write_all(log.as_bytes()).unwrap();
        let whole = gz.finish().unwrap();
        whole[..whole.len() - 20].to_vec()
    });
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        why.contains("the compressed file is truncated here"),
        "{why}"
    );
}

#[test]
fn files_that_are_not_logs() {
    let folder = Folder::new();
    let text = folder.write("notes.txt", "Dear diary,\ntoday");
    let empty = folder.write("empty.jsonl", "");
    let version = folder.write(
        "new.jsonl",
        line("p", 0, 1, "start", "").replace("\"v\":1", "\"v\":2"),
    );
    let none = folder.path("none.jsonl");
    fs::create_dir(folder.path("nothing")).unwrap();
    let nothing = folder.path("nothing");
    for (path, expected) in [
        (
            &text,
            "neither an event log nor a log in a known layout: Dear diary,\\ntoday",
        ),
        (&empty, "the file is empty"),
        (&version, "version 2 of the log, not 1"),
        (&none, "no such file"),
        (
            &nothing,
            "no log in it (.log, .txt, .json, .jsonl, .ndjson, .out, .shiviz, each also rotated and .gz)",
        ),
    ] {
        for check in [&["--check"][..], &[]] {
            let finished = trace(&[&[path.as_str()], check].concat());
            assert_eq!(finished.code, Some(2), "{finished:?}");
            assert_eq!(finished.out, "");
            assert_eq!(finished.err, format!("lamport: {path}: {expected}\n"));
        }
    }
}

#[test]
fn invalid_options_are_refused() {
    let folder = Folder::new();
    let [client, _] = exchange(&folder);
    let nowhere = folder.path("no/where.svg");
    check_refusals(
        LAMPORT,
        &[
            (
                &["trace"],
                "usage: the following required arguments were not provided: <FILE>",
            ),
            (
                &["trace", &client, "--regex", "(?<event>.*)"],
                "--regex: has no group (?<host>…)",
            ),
            (
                &["trace", &client, "--regex", "("],
                "--regex: unclosed group",
            ),
            (
                &["trace", &client, "--range", "5"],
                "usage: invalid value '5' for '--range <FROM..UNTIL>'",
            ),
            (
                &["trace", &client, "--range", "5..4"],
                "usage: invalid value '5..4' for '--range <FROM..UNTIL>'",
            ),
            (
                &["trace", &client, "--axis", "sideways"],
                "usage: invalid value 'sideways' for '--axis <AXIS>'",
            ),
            (
                &["trace", &client, "--svg", &nowhere],
                &format!("--svg {nowhere}: no such file"),
            ),
            (
                &["trace", &client, "--may-lose", "1"],
                "--may-lose: trace does not take it; check and explore do",
            ),
        ],
    );
}

#[test]
fn modified_logs_are_read_without_a_panic() {
    use rand::{RngExt, SeedableRng};
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let whole = [fs::read(&client).unwrap(), fs::read(&server).unwrap()].concat();
    let shiviz = b"e\na {\"a\":1}\nf\nb {\"b\":1, \"a\":1}\n".repeat(3);
    let mut random = rand_pcg::Pcg32::seed_from_u64(1);
    let mut paths = Vec::new();
    for number in 0..400 {
        let mut log = if number % 4 == 0 {
            shiviz.clone()
        } else {
            whole.clone()
        };
        for _ in 0..random.random_range(1..8) {
            let at = random.random_range(0..log.len());
            match random.random_range(0..4) {
                0 => log[at] = random.random_range(0..=255),
                1 => log.truncate(at + 1),
                2 => {
                    let other = random.random_range(0..log.len());
                    let (from, until) = (at.min(other), at.max(other));
                    log.extend_from_within(from..until);
                }
                _ => log.insert(at, b"\n{}\"0:#>"[random.random_range(0..8)]),
            }
        }
        paths.push(folder.write(&format!("{number}.log"), log));
    }
    // One run for each would take long.
    for some in paths.chunks(20) {
        let some: Vec<_> = some.iter().map(String::as_str).collect();
        let [html, svg, dot] = ["a.html", "a.svg", "a.dot"].map(|name| folder.path(name));
        let files = [
            "--html", &html, "--svg", &svg, "--dot", &dot, "--show", "all",
        ];
        let finished = trace(&[&some, &files[..], &["--check"]].concat());
        assert!(matches!(finished.code, Some(0 | 1)), "{finished:?}");
        assert!(!finished.err.contains("panicked"), "{finished:?}");
    }
}
