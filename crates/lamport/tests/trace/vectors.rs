//! Logs of programs in any language that carry vector clocks.

use std::fs;

use common::testing::{Finished, Folder};

use crate::{on_property, trace};

const SHIVIZ: &str = "\
a starts
a {\"a\":1}
b receives
b {\"b\":1, \"a\":1}
c receives from b
c {\"c\":1, \"b\":1, \"a\":1}
a goes on
a {\"a\":2}
";

fn check(log: &str, more: &[&str]) -> (Finished, String) {
    let folder = Folder::new();
    let path = folder.write("shiviz.log", log);
    let finished = trace(&[&[path.as_str(), "--check", "--json"], more].concat());
    assert!(!finished.out.is_empty(), "{finished:?}");
    let words = verdict_of(&finished).replace(&path, "log");
    (finished, words)
}

fn verdict_of(finished: &Finished) -> String {
    let (word, why) = on_property(finished, "vector clocks");
    format!("{word} {why}")
}

/// The links, by the numbers of the events in causal order.
fn links(log: &str, more: &[&str]) -> Vec<String> {
    let folder = Folder::new();
    let path = folder.write("some.log", log);
    let dot = folder.path("graph.dot");
    let finished = trace(&[&[path.as_str(), "--dot", &dot], more].concat());
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let graph = fs::read_to_string(dot).unwrap();
    let links = graph.lines().filter(|line| line.contains("color=blue"));
    links
        .map(|line| line.trim().split(" [").next().unwrap().to_owned())
        .collect()
}

#[test]
fn shivizs_and_govectors_layouts_are_known() {
    let (finished, words) = check(SHIVIZ, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(
        words,
        "ok each of 4 vector clocks is that of the events that happened before"
    );
    assert_eq!(finished.last_event().counts["processes"], 3);
    // What c knows of a it has from b.
    assert_eq!(links(SHIVIZ, &[]), ["e0 -> e2", "e2 -> e3"]);
    let lines: Vec<_> = SHIVIZ.lines().collect();
    let govector: String = lines
        .chunks(2)
        .map(|pair| format!("{}\n{}\n", pair[1], pair[0]))
        .collect();
    assert_eq!(links(&govector, &[]), ["e0 -> e2", "e2 -> e3"]);
    let with_header = format!("(?<host>\\S*) (?<clock>{{.*}})\\n(?<event>.*)\n\n{govector}");
    assert_eq!(links(&with_header, &[]), ["e0 -> e2", "e2 -> e3"]);
    let on_windows = with_header.replace('\n', "\r\n");
    assert_eq!(links(&on_windows, &[]), ["e0 -> e2", "e2 -> e3"]);
}

#[test]
fn any_layout_by_a_regular_expression() {
    let lines: Vec<_> = SHIVIZ.lines().collect();
    let own: String = lines
        .chunks(2)
        .map(|pair| {
            let (host, clock) = pair[1].split_once(' ').unwrap();
            format!("[{host}] INFO {} vc={clock}\n", pair[0])
        })
        .collect();
    let regex = r"\[(?<host>\w+)\] (?<level>[A-Z]{4}) (?<event>.*) vc=(?<clock>{.*})";
    assert_eq!(links(&own, &["--regex", regex]), ["e0 -> e2", "e2 -> e3"]);
}

#[test]
fn executions_are_separated_by_the_delimiter() {
    let header = "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n^=== (?<trace>.*) ===$\n";
    let log = format!("{header}=== one ===\n{SHIVIZ}=== two ===\n{SHIVIZ}");
    let (finished, words) = check(&log, &[]);
    assert_eq!(finished.code, Some(0), "{words}");
    assert_eq!(finished.last_event().counts["processes"], 6);
    let folder = Folder::new();
    let path = folder.write("some.log", log.clone() + "a remark\n");
    let finished = trace(&[&path, "--check", "--json"]);
    let (_, why) = on_property(&finished, "well formed");
    assert!(
        why.ends_with(":21: not an event in this layout: a remark"),
        "{why}"
    );
    let shown = trace(&[&path, "--show", "all"]);
    assert!(shown.out.contains("two/b b receives"), "{shown:?}");
}

#[test]
fn logs_of_several_processes_are_merged() {
    let folder = Folder::new();
    let one = folder.write("a.log", "e\na {\"a\":1}\n");
    let two = folder.write("b.log", "f\nb {\"a\":1, \"b\":1}\n");
    let finished = trace(&[&two, &one, "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_event().counts["longest_chain"], 2);
}

#[test]
fn impossible_clocks_are_found() {
    for (log, expected) in [
        // Knows b's event, and not what that one knew.
        (
            "e\nc {\"c\":1}\nf\nb {\"b\":1,\"c\":1}\ng\na {\"a\":1,\"b\":1}\n",
            "FAIL log:5: has c:0, but 1 event of c happened before",
        ),
        (
            "e\na {\"a\":1}\nf\na {\"a\":3}\n",
            "FAIL log:3: its own entry 3 of a follows 1 at log:1: 1 event missing",
        ),
        (
            "e\na {\"a\":2}\n",
            "FAIL log:1: a begins with its own entry 2, not 1: its first events are missing",
        ),
        (
            "e\na {\"a\":1}\nf\na {\"a\":1}\n",
            "FAIL log:3: its own entry 1 of a is at log:1 already",
        ),
        // Forgets what it knew.
        (
            "e\nb {\"b\":1}\nf\na {\"a\":1,\"b\":1}\ng\na {\"a\":2}\n",
            "FAIL log:5: has b:0, but 1 event of b happened before",
        ),
    ] {
        let (finished, words) = check(log, &[]);
        assert_eq!(finished.code, Some(1), "{words}");
        assert!(words.starts_with(expected), "{words}");
    }
}

#[test]
fn events_that_happened_before_each_other_are_a_cycle() {
    let (finished, _) = check("e\na {\"a\":1,\"b\":1}\nf\nb {\"a\":1,\"b\":1}\n", &[]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(on_property(&finished, "causes come first").0, "FAIL");
}

#[test]
fn lines_in_no_layout_are_named() {
    let log = format!("{SHIVIZ}\nsome remark\nanother {{\nb {{\"b\":}}\n");
    let folder = Folder::new();
    let path = folder.write("some.log", log);
    let finished = trace(&[&path, "--check", "--json"]);
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "FAIL");
    assert!(
        why.contains(&format!("{path}:11: the clock is not a JSON object")),
        "{why}"
    );
}

#[test]
fn other_lines_are_skipped_and_reported() {
    let (finished, words) = check(&format!("{SHIVIZ}\nsome remark\n"), &[]);
    assert_eq!(finished.code, Some(0), "{words}");
    let (word, why) = on_property(&finished, "well formed");
    assert_eq!(word, "warn");
    assert!(
        why.ends_with(":10: not an event in this layout: some remark"),
        "{why}"
    );
}

#[test]
fn lines_out_of_order_are_sorted() {
    let (finished, words) = check("f\na {\"a\":2}\ne\na {\"a\":1}\n", &[]);
    assert_eq!(finished.code, Some(0));
    assert_eq!(
        words,
        "warn log:3: out of order, its own entry 1 after 2 at log:1"
    );
}

#[test]
fn executions_by_a_flag_and_clocks_with_escaped_quotes() {
    let escaped = SHIVIZ.replace('"', "\\\"");
    let log = format!("run 1\n{escaped}run 2\n{escaped}");
    let folder = Folder::new();
    let path = folder.write("tla.log", log);
    let finished = trace(&[&path, "--delimiter", "^run [0-9]+$", "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(finished.last_event().counts["processes"], 6);
}
