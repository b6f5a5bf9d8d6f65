//! Logs of other tools, as they write them: `samples/` has one of each.

use std::{fs, path::Path};

use common::{
    testing::{Finished, Folder, check_refusals},
    text::natural,
};

use crate::{LAMPORT, on_property, trace};

fn sample(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trace/samples");
    path.join(name).to_str().unwrap().to_owned()
}

fn checked(path: &str, flags: &[&str]) -> Finished {
    trace(&[&[path, "--check", "--json"], flags].concat())
}

/// The events in causal order, in words, and the links between them.
fn drawn(path: &str, flags: &[&str]) -> (Vec<String>, Vec<String>) {
    let folder = Folder::new();
    let dot = folder.path("graph.dot");
    let shown = trace(&[&[path, "--show", "all", "--json", "--dot", &dot], flags].concat());
    assert_eq!(shown.code, Some(0), "{shown:?}");
    let graph = fs::read_to_string(dot).unwrap();
    let links = graph.lines().filter(|line| line.contains("color=blue"));
    let links = links.map(|line| line.trim().split(" [").next().unwrap().to_owned());
    let mut links: Vec<String> = links.collect();
    links.sort_by(|a, b| natural(a, b));
    let events = shown
        .events()
        .into_iter()
        .filter(|event| event.meaning.is_some());
    let words = events.map(|event| event.text.unwrap());
    (words.collect(), links)
}

/// A sample is read without a problem: the numbers of its processes and events, and its links.
fn is_read(name: &str, flags: &[&str], counts: (u64, u64), links: &[&str]) {
    let finished = checked(&sample(name), flags);
    assert_eq!(finished.code, Some(0), "{name}: {finished:?}");
    assert_eq!(
        on_property(&finished, "well formed").0,
        "ok",
        "{name}: {finished:?}"
    );
    let of = |count: &str| finished.last_event().counts[count];
    assert_eq!((of("processes"), of("events")), counts, "{name}");
    assert_eq!(drawn(&sample(name), flags).1, links, "{name}");
}

#[test]
fn samples_of_tools_with_vector_clocks() {
    is_read("shiviz-header.log", &[], (3, 4), &["e0 -> e1", "e1 -> e2"]);
    is_read("govector.txt", &[], (2, 6), &["e2 -> e3", "e4 -> e5"]);
    is_read("tlc.out", &[], (2, 3), &["e1 -> e2"]);
    is_read("cvector.log", &[], (2, 4), &["e2 -> e3"]);
    is_read(
        "log4j.json",
        &[
            "--fields",
            "host=service.node.name,clock=labels.vclock,event=message,time=@timestamp",
        ],
        (2, 3),
        &["e0 -> e1", "e1 -> e2"],
    );
    is_read(
        "zap.jsonl",
        &["--fields", "host=node,clock=vc,event=msg,time=ts"],
        (2, 3),
        &["e0 -> e1", "e1 -> e2"],
    );
    is_read(
        "pino.ndjson",
        &["--fields", "host=name,clock=vc,event=msg,time=time"],
        (3, 5),
        &["e0 -> e1", "e2 -> e3"],
    );
}

#[test]
fn a_trace_of_tlc_by_a_regular_expression() {
    let regex =
        r#"^/\\ Event = "(?<event>.*)"\n/\\ Host = (?<host>\w+)\n/\\ Clock = "(?<clock>.*)""#;
    let finished = checked(&sample("tlc.out"), &["--regex", regex]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(on_property(&finished, "vector clocks").0, "ok");
    assert_eq!(finished.last_event().counts["events"], 3);
    // Its other lines are named, each once.
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "warn");
    assert!(why.ends_with(" more"), "{why}");
}

#[test]
fn samples_with_lamports_clocks() {
    let regex = r"^(?<timestamp>\w+ +\d+ \S+) \S+ \w+\[\d+\]: (?<host>\w+) clock=(?<clock>\d+) (?<event>.*)$";
    let json: &[&str] = &["--fields", "host=host,clock=clock,event=event"];
    for (name, flags) in [
        ("syslog.log", &["--regex", regex][..]),
        ("lamport.jsonl", json),
    ] {
        let finished = checked(&sample(name), flags);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let (word, why) = on_property(&finished, "clock condition");
        assert_eq!(
            (word.as_str(), why.contains("held for all 1 step")),
            ("open", true),
            "{why}"
        );
        let (words, _) = drawn(&sample(name), flags);
        let ends: Vec<_> = words
            .iter()
            .map(|words| words.split("  ").last().unwrap().trim())
            .collect();
        assert_eq!(ends, ["p1 withdraw 5", "p2 deposit 5", "p1 balance 95"]);
    }
    // Two equal clocks of one process.
    let folder = Folder::new();
    let again = fs::read_to_string(sample("lamport.jsonl"))
        .unwrap()
        .replace("3.0", "1");
    let finished = checked(&folder.write("x.json", again), json);
    assert_eq!(finished.code, Some(1));
    assert_eq!(on_property(&finished, "clock condition").0, "FAIL");
}

#[test]
fn parts_of_a_log_with_lamports_clocks_are_one_process() {
    let folder = Folder::new();
    let line = |clock: u64| format!("{{\"host\":\"p\",\"clock\":{clock}}}\n");
    let part = |clocks: std::ops::Range<u64>| clocks.map(line).collect::<String>();
    folder.write("p.log", part(20..30));
    folder.write("p.log.1", part(10..20));
    folder.write("p.log.2", part(1..10));
    folder.write("copy.log", part(20..30));
    let finished = checked(&folder.path(""), &["--fields", "host=host,clock=clock"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let counts = finished.last_event().counts;
    assert_eq!(
        (counts["processes"], counts["events"]),
        (1, 29),
        "{finished:?}"
    );
}

#[test]
fn maelstroms_messages() {
    is_read(
        "maelstrom.json",
        &[],
        (4, 12),
        &[
            "e0 -> e2",
            "e1 -> e5",
            "e3 -> e4",
            "e6 -> e7",
            "e8 -> e9",
            "e10 -> e11",
        ],
    );
    let (words, _) = drawn(&sample("maelstrom.json"), &[]);
    assert!(
        words[1].ends_with("c1 sends broadcast '{\"message\":7}' to n0"),
        "{words:?}"
    );
    // The logs of two nodes, whose clients have none.
    let folder = Folder::new();
    for name in ["n1.log", "n2.log"] {
        folder.write(name, fs::read(sample(name)).unwrap());
    }
    let finished = checked(&folder.path(""), &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(on_property(&finished, "received was sent").0, "open");
    let counts = finished.last_event().counts;
    let of = |names: [&str; 5]| names.map(|name| counts[name]);
    assert_eq!(
        of(["processes", "sent", "received", "lost", "unlogged"]),
        [2, 3, 3, 0, 1]
    );
    assert_eq!(drawn(&folder.path(""), &[]).1, ["e1 -> e3", "e4 -> e5"]);
    // The same messages as each node's input and output, without words.
    let line = |from: &str, to: &str, body: &str| {
        format!("{{\"src\":\"{from}\",\"dest\":\"{to}\",\"body\":{body}}}\n")
    };
    let ask = line("n1", "n2", "{\"type\":\"add\",\"msg_id\":4}");
    let answer = line("n2", "n1", "{\"type\":\"add_ok\",\"in_reply_to\":4}");
    let other = line("n3", "n1", "{\"type\":\"add\",\"msg_id\":0}");
    let folder = Folder::new();
    folder.write("first.log", format!("{ask}{answer}{other}"));
    folder.write("n2.log", format!("{ask}{answer}"));
    let finished = checked(&folder.path(""), &[]);
    let counts = finished.last_event().counts;
    let of = |names: [&str; 4]| names.map(|name| counts[name]);
    assert_eq!(
        of(["processes", "sent", "received", "longest_chain"]),
        [2, 2, 3, 5],
        "{finished:?}"
    );
}

#[test]
fn a_message_of_maelstrom_with_a_wrong_number() {
    let folder = Folder::new();
    for (id, why) in [
        ("-1", "-1"),
        ("1.5", "1.5"),
        ("\"x\"", "\"x\""),
        ("1e30", "1e+30"),
    ] {
        let good = "{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{\"msg_id\":1}}\n";
        let log = format!("{good}{}", good.replace(":1}", &format!(":{id}}}")));
        let finished = checked(&folder.write("m.log", log), &[]);
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let (_, found) = on_property(&finished, "well formed");
        assert!(
            found.ends_with(&format!("m.log:2: msg_id is no integer from 0: {why}")),
            "{found}"
        );
    }
}

#[test]
fn numbers_that_no_clock_has_are_named_once() {
    let folder = Folder::new();
    let fields = ["--fields", "host=h,clock=c,time=t"];
    for (line, word, expected) in [
        (
            "{\"h\":\"a\",\"c\":{\"a\":-1}}",
            "FAIL",
            "the clock's entry for a is negative: -1",
        ),
        (
            "{\"h\":\"a\",\"c\":{\"a\":1.5}}",
            "FAIL",
            "the clock's entry for a is no integer: 1.5",
        ),
        (
            "{\"h\":\"a\",\"c\":{\"a\":1e30}}",
            "FAIL",
            "the clock's entry for a is too large: 1e+30",
        ),
        (
            "{\"h\":\"a\",\"c\":{\"a\":5000000000}}",
            "FAIL",
            "the clock's entry for its host a is too large: 5000000000",
        ),
        (
            "{\"h\":\"a\",\"c\":{\"a\":0}}",
            "FAIL",
            "the clock has no entry for its host a",
        ),
        (
            "{\"h\":\"a\",\"c\":{\"a\":true}}",
            "FAIL",
            "the clock's entry for a is not a number: true",
        ),
        (
            "{\"h\":\"a\",\"c\":7}",
            "FAIL",
            "the clock is a number, and that of line 1 is a vector",
        ),
        (
            "{\"h\":\"a\",\"c\":null}",
            "warn",
            "the field 'c' is null: not an event",
        ),
        (
            "{\"h\":\"a\"}",
            "warn",
            "the field 'c' is missing: not an event",
        ),
        (
            "{\"c\":{\"a\":1}}",
            "warn",
            "the field 'h' is missing: not an event",
        ),
        (
            "{\"h\":[],\"c\":{\"a\":1}}",
            "FAIL",
            "the host is neither a text nor a number: []",
        ),
        ("words", "warn", "not a JSON object: words"),
        (
            "{\"h\":\"b\",\"c\":{\"b\":2},\"t\":\"noon\"}",
            "warn",
            "'noon' is no time that is known: the event has none",
        ),
    ] {
        let path = folder.write(
            "x.json",
            format!("{{\"h\":\"b\",\"c\":{{\"b\":1}}}}\n{line}\n"),
        );
        let finished = checked(&path, &fields);
        let found = on_property(&finished, "well formed");
        assert_eq!(found, (word.to_owned(), format!("{path}:2: {expected}")));
        assert_eq!(
            finished.code,
            Some(i32::from(word == "FAIL")),
            "{finished:?}"
        );
        assert!(trace(&[&[path.as_str()], &fields[..]].concat()).code == Some(0));
    }
    // A file that has only such lines.
    let path = folder.write("x.json", "{\"h\":\"a\",\"c\":null}\n");
    let finished = checked(&path, &fields);
    assert_eq!((finished.code, finished.out.as_str()), (Some(2), ""));
    assert_eq!(
        finished.err,
        format!("lamport: {path}: the field 'c' is null: not an event\n")
    );
    // Arrays that do not show whose entries they have.
    let path = folder.write(
        "x.json",
        "{\"h\":\"a\",\"c\":[1]}\n{\"h\":\"b\",\"c\":[2]}\n",
    );
    let finished = checked(&path, &fields);
    assert_eq!(finished.code, Some(2));
    assert!(
        finished
            .err
            .contains("the logs do not show which entry is whose"),
        "{finished:?}"
    );
}

#[test]
fn fields_that_make_no_sense_are_refused() {
    for (fields, why) in [
        ("host", "'host' is not NAME=FIELD"),
        ("host=", "'host=' is not NAME=FIELD"),
        ("host=h", "clock=FIELD is missing"),
        ("clock=c,event=e", "host=FIELD is missing"),
        (
            "host=h,clock=c,node=n",
            "'node' is not one of host, clock, event, time",
        ),
        ("host=h,host=i,clock=c", "host is given twice"),
    ] {
        let line = format!("usage: invalid value '{fields}' for '--fields <FIELDS>': {why}");
        check_refusals(
            LAMPORT,
            &[(&["trace", &sample("zap.jsonl"), "--fields", fields], &line)],
        );
    }
    let regex = r"(?<host>a)(?<clock>b)(?<event>c)";
    let fields = [
        "trace",
        &sample("zap.jsonl"),
        "--fields",
        "host=node,clock=vc",
    ];
    check_refusals(
        LAMPORT,
        &[
            (
                &[&fields[..], &["--regex", regex]].concat(),
                "--fields: goes without --regex: a log has one layout",
            ),
            (
                &[&fields[..], &["--delimiter", "x"]].concat(),
                "--delimiter: goes without --fields: lines of JSON are one execution",
            ),
        ],
    );
}

#[test]
fn a_json_log_without_fields_says_what_reads_it() {
    for name in ["zap.jsonl", "pino.ndjson", "lamport.jsonl"] {
        let finished = checked(&sample(name), &[]);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        let expected = "no field 'v': not an event (--fields reads JSON of other tools)\n";
        assert!(finished.err.ends_with(expected), "{finished:?}");
    }
}

#[test]
fn json_over_several_lines_and_in_arrays() {
    let folder = Folder::new();
    let fields = ["--fields", "host=h,clock=c,event=e"];
    let one = "{\"h\":\"a\",\"c\":{\"a\":1},\"e\":\"x\"}";
    let two = "{\"h\":\"b\",\"c\":{\"a\":1,\"b\":1},\"e\":\"y\"}";
    let pretty = |text: &str| text.replace(",\"", ",\n  \"").replacen('{', "{\n  ", 1);
    for log in [
        format!("{one}\n{two}\n"),
        format!("[{one},{two}]"),
        format!("[\n{one},\n{two}\n]\n"),
        format!("[\n  {},\n  {}\n]\n", pretty(one), pretty(two)),
        format!("{}\n{}\n", pretty(one), pretty(two)),
        format!("# a comment\n{one}\n\n{two}\n"),
    ] {
        let path = folder.write("x.json", &log);
        let finished = checked(&path, &fields);
        assert_eq!(finished.code, Some(0), "{log}: {finished:?}");
        assert_eq!(
            on_property(&finished, "well formed").0,
            "ok",
            "{log}: {finished:?}"
        );
        assert_eq!(drawn(&path, &fields).1, ["e0 -> e1"]);
    }
    let path = folder.write(
        "x.json",
        format!("[\n{}\n, 5,\n{}", pretty(one), &pretty(two)[..20]),
    );
    let finished = checked(&path, &fields);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(
        (word, why.replace(&path, "log")),
        ("warn".to_owned(), "log:6: not a JSON object: 5,\\n{\\n  \"h\":\"b\",\\n  \"c\":{; log:7: the log is truncated here".to_owned())
    );
}

#[test]
fn lines_that_end_as_on_windows_are_read_alike() {
    let folder = Folder::new();
    for entry in fs::read_dir(sample("")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let logs = [("\n", "unix"), ("\r\n", "windows")].map(|(end, system)| {
            let path = Path::new(&folder.path(system)).join(&name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text.replace('\n', end)).unwrap();
            trace(&[&path.to_string_lossy(), "--show", "all"])
        });
        let [unix, windows] = &logs;
        assert_eq!(windows.code, unix.code, "{name}: {windows:?}");
        let out = unix.out.replace("/unix/", "/windows/");
        assert_eq!(windows.out, out, "{name}");
    }
}

#[test]
fn modified_samples_are_read_without_a_panic() {
    use rand::{RngExt, SeedableRng};
    let folder = Folder::new();
    let mut random = rand_pcg::Pcg32::seed_from_u64(1);
    let fields = [
        "host=name,clock=vc,event=msg,time=time",
        "host=node,clock=vc,event=msg,time=ts",
        "host=service.node.name,clock=labels.vclock,time=@timestamp",
        "host=host,clock=clock",
    ];
    let samples = fs::read_dir(sample("")).unwrap();
    let samples: Vec<_> = samples
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    let parts: [&[u8]; 8] = [
        b"{",
        b"\"",
        b"[",
        b"-1",
        b"1e30",
        b"null",
        b"\n",
        b"\xff\xfe",
    ];
    for round in 0..40 {
        let mut paths = Vec::new();
        for (number, log) in samples.iter().enumerate() {
            let mut log = log.clone();
            for _ in 0..random.random_range(1..6) {
                let at = random.random_range(0..log.len());
                match random.random_range(0..3) {
                    0 => log[at] = random.random_range(0..=255),
                    1 => drop(log.splice(
                        at..at,
                        parts[random.random_range(0..parts.len())].iter().copied(),
                    )),
                    _ => log.truncate(at.max(40)),
                }
            }
            paths.push(folder.write(&format!("{round}-{number}.log"), log));
        }
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        let svg = folder.path("x.svg");
        let mut flags = vec!["--check", "--all-findings", "--svg", &svg, "--axis", "wall"];
        if round % 2 == 0 {
            flags.extend(["--fields", fields[round / 2 % fields.len()]]);
        }
        let finished = trace(&[&paths[..], &flags].concat());
        let (lines, code) = (finished.err.lines().count(), finished.code);
        assert!(
            matches!((code, lines), (Some(0 | 1), _) | (Some(2), 1)),
            "{finished:?}"
        );
        assert!(!finished.err.contains("panicked"), "{finished:?}");
    }
}
