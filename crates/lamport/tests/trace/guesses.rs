//! What the user says of a log wins; what is not said is guessed.

use std::{fs, io::Write};

use common::testing::Folder;
use flate2::{Compression, write::GzEncoder};

use crate::{exchange, line, on_property, trace, verdict};

const JSON_EVENTS: &str = "\
{\"msg\":\"send ping\",\"n\":1}
a {\"a\":1}
{\"msg\":\"got ping\"}
b {\"b\":1, \"a\":1}
";

/// The lines of a log's diagram that end in an event's words.
fn is_well_formed(path: &str, flags: &[&str], events: u64) {
    let finished = trace(&[&[path, "--check", "--json"], flags].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        on_property(&finished, "well formed").0,
        "ok",
        "{finished:?}"
    );
    assert_eq!(
        finished.last_event().counts["events"],
        events,
        "{finished:?}"
    );
}

#[test]
fn events_that_are_json_texts_in_shivizs_and_govectors_layouts() {
    let folder = Folder::new();
    let path = folder.write("x.log", JSON_EVENTS);
    is_well_formed(&path, &[], 2);
    assert!(
        trace(&[&path])
            .out
            .contains("a {\"msg\":\"send ping\",\"n\":1}")
    );
    let lines: Vec<_> = JSON_EVENTS.lines().collect();
    let govector: String = lines
        .chunks(2)
        .map(|pair| format!("{}\n{}\n", pair[1], pair[0]))
        .collect();
    is_well_formed(&folder.write("y.log", govector), &[], 2);
    let header = "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n";
    is_well_formed(
        &folder.write("z.log", format!("{header}{JSON_EVENTS}")),
        &[],
        2,
    );
}

#[test]
fn a_regular_expression_wins_over_the_guess() {
    let folder = Folder::new();
    let log = "{\"host\":\"a\",\"vc\":{\"a\":1},\"msg\":\"x\"}\n{\"host\":\"b\",\"vc\":{\"a\":1,\"b\":1},\"msg\":\"y\"}\n";
    let path = folder.write("x.jsonl", log);
    let regex = r#""host":"(?<host>\w+)","vc":(?<clock>{[^}]*}),"msg":"(?<event>[^"]*)""#;
    is_well_formed(&path, &["--regex", regex], 2);
    // Maelstrom's and our own lines, too.
    let log = log.replace(
        "\"host\"",
        "\"src\":\"a\",\"dest\":\"b\",\"body\":{},\"host\"",
    );
    is_well_formed(&folder.write("y.jsonl", log), &["--regex", regex], 2);
    let own = line(
        "p",
        0,
        1,
        "local",
        "\"host\":\"a\",\"vc\":{\"a\":1},\"msg\":\"x\"",
    );
    let path = folder.write("own.jsonl", own);
    is_well_formed(&path, &["--regex", regex], 1);
    assert!(trace(&[&path, "--regex", regex]).out.contains(" a x"));
    is_well_formed(&path, &["--fields", "host=host,clock=vc,event=msg"], 1);
    assert!(
        trace(&[&path, "--fields", "host=host,clock=vc,event=msg"])
            .out
            .contains(" a x")
    );
    // A log that it cannot mean is read as what it is.
    let [client, server] = exchange(&folder);
    let finished = trace(&[
        &client,
        &server,
        &folder.path("x.jsonl"),
        "--regex",
        regex,
        "--check",
        "--json",
    ]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_event().counts["events"], 10);
    // One that it does not fit is named, in one line.
    let other = folder.write("other.log", "one\ntwo\nthree\n");
    let finished = trace(&[&other, "--regex", regex]);
    assert_eq!(finished.code, Some(2));
    assert_eq!(
        finished.err,
        format!("lamport: {other}: nothing in it fits --regex: one\\ntwo\\nthree\\n\n")
    );
}

#[test]
fn a_delimiter_wins_over_that_of_the_file() {
    let folder = Folder::new();
    let log = "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n^never$\nx\na {\"a\":1}\n+++\ny\na {\"a\":1}\n";
    let finished = trace(&[
        &folder.write("x.log", log),
        "--delimiter",
        r"^\+\+\+$",
        "--check",
        "--json",
    ]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_event().counts["processes"], 2);
}

#[test]
fn a_line_that_is_partly_an_event_is_no_other_line() {
    let folder = Folder::new();
    let lines = (1..=809)
        .map(|number| format!("17:25 INFO [a] vc={{\"a\":{number}}} step {number} (thread 7)\n"));
    let log: String = lines.collect();
    for regex in [
        r"\[(?<host>\w+)\] vc=(?<clock>{.*}) (?<event>\w+)",
        r"INFO \[(?<host>\w+)\] vc=(?<clock>{.*}) (?<event>.*)$",
        r"^.*\[(?<host>\w+)\] vc=(?<clock>{.*}) (?<event>\w+)",
    ] {
        is_well_formed(&folder.write("x.log", &log), &["--regex", regex], 809);
    }
    // So is the rest of a line with a delimiter.
    let two = "run 1, seed 7\nx\na {\"a\":1}\nthe next run 2, seed 8\ny\na {\"a\":1}\n";
    is_well_formed(
        &folder.write("y.log", two),
        &["--delimiter", "run (?<trace>[0-9]+)"],
        2,
    );
    let regex = r"\[(?<host>\w+)\] vc=(?<clock>{.*}) (?<event>\w+)";
    let with_other = log.replace("step 4 (", "step 4 (\nanother line\n17:26 (");
    let path = folder.write("x.log", with_other);
    let finished = trace(&[&path, "--regex", regex, "--check", "--json"]);
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "warn");
    assert_eq!(
        why,
        format!(
            "{path}:5: not an event in this layout: another line; {path}:6: not an event in this layout: 17:26 (thread 7)"
        )
    );
}

#[test]
fn comments_and_headers_of_executions_are_looked_past() {
    let folder = Folder::new();
    let shiviz = "start\na {\"a\":1}\nsend\na {\"a\":2}\nreceive\nb {\"a\":2, \"b\":1}\n";
    let govector = "a {\"a\":1}\nstart\na {\"a\":2}\nsend\nb {\"a\":2, \"b\":1}\nreceive\n";
    for log in [shiviz, govector] {
        for before in [
            "# written by a tool\n",
            "// one\n\n// two\n",
            "=== Execution #1  ===\n",
            "# written by a tool\n=== run 1 ===\n",
            "-- log --\n",
            "\n\n",
        ] {
            is_well_formed(&folder.write("x.log", format!("{before}{log}")), &[], 3);
        }
        // Several executions are separate, also with comments in between.
        let several = format!("=== one ===\n{log}# end of one\n\n=== two ===\n{log}");
        let path = folder.write("x.log", several);
        is_well_formed(&path, &[], 6);
        let finished = trace(&[&path, "--check", "--json"]);
        assert_eq!(
            on_property(&finished, "vector clocks").0,
            "ok",
            "{finished:?}"
        );
        assert_eq!(finished.last_event().counts["processes"], 4);
        // A line of another kind is no event if it stands apart.
        let path = folder.write(
            "x.log",
            format!("2026-11-25 17:25:54 Initialization Complete\n\n{log}"),
        );
        let finished = trace(&[&path, "--check", "--json"]);
        assert_eq!(finished.last_event().counts["events"], 3, "{finished:?}");
        assert!(trace(&[&path]).out.contains("a start"), "{log}");
        // A title of another kind is named.
        let title = folder.write("x.log", format!("Execution 7\n{log}"));
        let finished = trace(&[&title, "--check", "--json"]);
        assert_eq!(finished.last_event().counts["events"], 3, "{finished:?}");
        assert_eq!(on_property(&finished, "vector clocks").0, "ok");
    }
    // Events that look like clocks, comments or headers are events.
    for event in [
        "send {\"b\": 2}",
        "{\"b\": 2}",
        "to {x}",
        "a b {\"b\":1}",
        "",
    ] {
        let log = format!("{event}\na {{\"a\":1}}\n{event}\nb {{\"a\":1,\"b\":1}}\n");
        is_well_formed(&folder.write("x.log", log), &[], 2);
        let log = format!("a {{\"a\":1}}\n{event}\nb {{\"a\":1,\"b\":1}}\n{event}\n");
        is_well_formed(&folder.write("x.log", log), &[], 2);
    }
    for mark in ["# ", "-- ", "=== "] {
        let end = if mark == "=== " { " ===" } else { "" };
        let log: String = shiviz
            .lines()
            .map(|line| {
                if line.contains('{') {
                    format!("{line}\n")
                } else {
                    format!("{mark}{line}{end}\n")
                }
            })
            .collect();
        is_well_formed(&folder.write("x.log", log), &[], 3);
    }
}

#[test]
fn groups_for_date_and_timestamp_are_the_wall_axis() {
    let folder = Folder::new();
    let log = "[2026-11-25 17:25:54.131] a {\"a\":1} x\n[2026-11-25 17:25:54.130] b {\"a\":1,\"b\":1} y\n";
    let path = folder.write("x.log", log);
    for regex in [
        r"\[(?<date>\S+) (?<timestamp>\S+)\] (?<host>\w+) (?<clock>{.*}) (?<event>.*)",
        r"\[(?<timestamp>.*)\] (?<host>\w+) (?<clock>{.*}) (?<event>.*)",
        r"\[(?<date>.*)\] (?<host>\w+) (?<clock>{.*}) (?<event>.*)",
    ] {
        let svg = folder.path("x.svg");
        let arguments = [
            &path, "--regex", regex, "--check", "--json", "--svg", &svg, "--axis", "wall",
        ];
        let finished = trace(&arguments);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let (word, why) = on_property(&finished, "wall clocks");
        assert_eq!(word, "warn");
        assert!(why.contains("received 1 ms before it was sent"), "{why}");
        assert!(
            fs::read_to_string(svg)
                .unwrap()
                .contains("time since the first event")
        );
    }
}

#[test]
fn events_without_a_time_are_named_where_the_axis_is_the_wall_clock() {
    let folder = Folder::new();
    let log = "2026-11-25T17:25:54Z a {\"a\":1} x\nearly a {\"a\":2} y\n2026-11-25T17:25:55Z a {\"a\":3} z\n";
    let path = folder.write("x.log", log);
    let svg = folder.path("x.svg");
    let regex = r"^(?<timestamp>\S+) (?<host>\w+) (?<clock>{.*}) (?<event>.*)$";
    let finished = trace(&[&path, "--regex", regex, "--svg", &svg, "--axis", "wall"]);
    assert_eq!(finished.code, Some(0));
    assert_eq!(
        finished.err,
        format!(
            "lamport: well formed: {path}:2: 'early' is no time that is known: the event has none\n\
             lamport: --axis wall: 1 of 3 events without a wall-clock time: drawn at the left\nwritten: {svg}\n"
        )
    );
    let finished = trace(&[
        &path,
        "--regex",
        &regex.replace("timestamp", "other"),
        "--svg",
        &svg,
        "--axis",
        "wall",
    ]);
    assert!(
        finished.err.contains("--axis wall: 3 of 3 events without"),
        "{finished:?}"
    );
}

#[test]
fn a_folder_says_which_files_it_passed_over() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let server_log = fs::read(&server).unwrap();
    fs::remove_file(&server).unwrap();
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(&server_log).unwrap();
    folder.write("server.log.2.gz", gz.finish().unwrap());
    let from =
        |ending: &str, rotated: &str| format!("p{}{ending}{rotated}", ending.len() + rotated.len());
    for (ending, rotated) in [
        (".log", ""),
        (".txt", ""),
        (".json", ".10"),
        (".ndjson", ""),
        (".out", "-2026112"),
        (".shiviz", ""),
    ] {
        let name = from(ending, rotated);
        folder.write(&name, line(&name, 0, 1, "local", ""));
    }
    folder.write("notes.md", "no log");
    folder.write("run.html", "<html>");
    fs::create_dir(folder.path("older")).unwrap();
    let path = folder.path("");
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_event().counts["events"], 14);
    assert_eq!(
        finished.err,
        format!("lamport: {path}: passed over, not named as a log: notes.md, older/, run.html\n")
    );
    assert_eq!(on_property(&finished, "well formed").0, "ok");
    // A file that is named is read whatever its name is.
    fs::rename(&client, folder.path("client.md")).unwrap();
    assert_eq!(trace(&[&folder.path("client.md")]).code, Some(0));
    let only = Folder::new();
    only.write("notes.md", "no log");
    let finished = trace(&[&only.path("")]);
    assert_eq!(finished.code, Some(2));
    assert!(
        finished
            .err
            .ends_with(".shiviz, each also rotated and .gz); passed over: notes.md\n"),
        "{finished:?}"
    );
}

#[test]
fn files_of_a_folder_that_are_no_logs_are_no_violation() {
    let folder = Folder::new();
    exchange(&folder);
    let notes = folder.write("README.txt", "Dear diary,\ntoday\n");
    let lab = folder.write("lab.json", "{\n  \"lamport\": {\"seed\": 7}\n}\n");
    let path = folder.path("");
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(on_property(&finished, "well formed").0, "ok");
    let passed =
        |file: &str| format!("lamport: {file}: passed over, not a log in a known layout\n");
    assert_eq!(finished.err, passed(&notes) + &passed(&lab));
    // One that is named as a log is a warning.
    let other = folder.write("other.log", "Dear diary,\ntoday\n");
    let finished = trace(&[&path, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "warn");
    assert!(
        why.starts_with(&format!("{other}:1: neither an event log")),
        "{why}"
    );
    // Where they are named, they are.
    assert_eq!(trace(&[&folder.path(""), &notes, "--check"]).code, Some(0));
    assert_eq!(
        trace(&[&folder.path("client.jsonl"), &notes, "--check"]).code,
        Some(1)
    );
}

fn utf_16(text: &str, little: bool) -> Vec<u8> {
    let units = ['\u{feff}']
        .into_iter()
        .chain(text.chars())
        .collect::<String>();
    let bytes = |unit: u16| {
        if little {
            unit.to_le_bytes()
        } else {
            unit.to_be_bytes()
        }
    };
    units.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn utf_16_as_powershell_writes_it_is_read() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let of_files = trace(&[&client, &server, "--check", "--json"]);
    let windows = |path: &str| {
        fs::read_to_string(path)
            .unwrap()
            .replace('\n', "\r\n")
            .replace("server", "sérvër 🚀")
    };
    for little in [true, false] {
        let one = folder.write("one.txt", utf_16(&windows(&client), little));
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(&utf_16(&windows(&server), little)).unwrap();
        let two = folder.write("two.txt.gz", gz.finish().unwrap());
        let finished = trace(&[&one, &two, "--check", "--json"]);
        assert_eq!(finished.last_event().counts, of_files.last_event().counts);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(trace(&[&one, &two]).out.contains("sérvër 🚀 stops"));
        let shiviz = utf_16(JSON_EVENTS, little);
        is_well_formed(&folder.write("x.log", &shiviz), &[], 2);
        // Without the byte order mark, as where PowerShell appends to an empty file.
        is_well_formed(&folder.write("x.log", &shiviz[2..]), &[], 2);
        // Redirected twice into one file, and cut off within a letter.
        let mut twice = utf_16("e\r\na {\"a\":1}\r\n", little);
        twice.extend(utf_16("f\r\na {\"a\":2}\r\n", little));
        twice.push(b'x');
        let finished = trace(&[&folder.write("x.log", twice), "--check", "--json"]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(finished.last_event().counts["events"], 2);
    }
}

#[test]
fn compressed_files_that_are_not_read_are_named() {
    let folder = Folder::new();
    for (first, program) in [
        (&b"\x28\xb5\x2f\xfd\0\0"[..], "zstd"),
        (b"\xfd7zXZ\0\0", "xz"),
        (b"BZh91AY", "bzip2"),
        (b"PK\x03\x04..", "zip"),
    ] {
        let path = folder.write("x.log", first);
        let finished = trace(&[&path]);
        assert_eq!(finished.code, Some(2));
        assert_eq!(
            finished.err,
            format!("lamport: {path}: compressed by {program}, which is not read: decompress it\n")
        );
    }
}

#[test]
fn all_findings_are_listed() {
    let folder = Folder::new();
    let log: String = (1..40).map(|number| format!("word {number}\n")).collect();
    let path = folder.write("x.log", format!("e\na {{\"a\":1}}\n{log}"));
    let finished = trace(&[&path, "--check", "--json"]);
    assert!(
        on_property(&finished, "well formed")
            .1
            .ends_with("; and 36 more"),
        "{finished:?}"
    );
    let finished = trace(&[&path, "--check", "--json", "--all-findings"]);
    let (_, why) = on_property(&finished, "well formed");
    assert_eq!(why.split("; ").count(), 39, "{why}");
    assert!(
        why.ends_with(&format!("{path}:41: not an event in this layout: word 39")),
        "{why}"
    );
    assert_eq!(verdict(&finished).len(), 4);
}
