//! The diagrams as SVG, a part of them, and malicious texts in a log.

use std::{fs, process::Command};

use common::testing::{Folder, command};

use crate::{LAMPORT, exchange, line, on_thread, trace};

#[test]
fn the_newest_or_any_range_is_shown() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let numbers = |arguments: &[&str]| {
        let finished = trace(&[&[client.as_str(), &server], arguments].concat());
        let lines = finished.out.lines().skip(1);
        let number = |line: &str| line.get(..7)?.trim().parse::<u32>().ok();
        lines.map_while(number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&["--show", "2"]), [6, 7]);
    assert_eq!(numbers(&["--range", "2..4"]), [2, 3, 4]);
    assert_eq!(numbers(&["--range", "..1"]), [0, 1]);
    assert_eq!(numbers(&["--range", "6.."]), [6, 7]);
    assert_eq!(numbers(&["--range", "2..6", "--show", "2"]), [5, 6]);
    assert_eq!(numbers(&["--range", "90..95"]), [0_u32; 0]);
}

/// All tags are closed, and none is active content.
fn well_formed(svg: &str) {
    let mut open = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').expect("a tag ends");
        assert!(!tag.contains('<'), "{tag}");
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(|it| it.is_alphanumeric())
            .collect();
        let known = [
            "svg", "title", "defs", "marker", "path", "style", "rect", "text", "line", "g",
            "circle",
        ];
        assert!(known.contains(&name.as_str()), "{tag}");
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, false) => open.push(name),
            (false, true) => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn svg_has_lanes_messages_and_a_legend() {
    let folder = Folder::new();
    let [client, server] = exchange(&folder);
    let path = folder.path("trace.svg");
    for axis in ["logical", "wall"] {
        let finished = trace(&[&client, &server, "--svg", &path, "--axis", axis]);
        assert_eq!(finished.code, Some(0));
        assert_eq!(finished.err, format!("written: {path}\n"));
        let svg = fs::read_to_string(&path).unwrap();
        well_formed(&svg);
        assert_eq!(svg.matches("class=\"lane\"").count(), 2);
        // Two, and one in the legend.
        assert_eq!(svg.matches("marker-end").count(), 3);
        assert_eq!(svg.matches("class=\"send\"").count(), 3);
        assert_eq!(svg.matches("class=\"receive\"").count(), 3);
        let title = if axis == "wall" {
            "time since"
        } else {
            "Lamport time"
        };
        assert!(svg.contains(title));
    }
}

#[test]
fn threads_have_a_bar_for_each_client() {
    let folder = Folder::new();
    let peer = |number: u32| format!("\"peer\":\"127.0.0.1:{number}\"");
    let log = [
        on_thread("s", "main", 0, 10, "accept", &peer(1)),
        on_thread("s", "main", 1, 12, "accept", &peer(2)),
        on_thread("s", "main", 2, 14, "accept", &peer(3)),
        on_thread("s", "worker-1", 3, 50, "close", &peer(1)),
        on_thread("s", "worker-2", 4, 60, "close", &peer(2)),
        // The first worker is free again.
        on_thread("s", "worker-1", 5, 90, "close", &peer(3)),
    ];
    let log = folder.write("s.jsonl", log.concat());
    let path = folder.path("threads.svg");
    trace(&[&log, "--svg", &path, "--axis", "wall", "--lanes", "thread"]);
    let svg = fs::read_to_string(&path).unwrap();
    well_formed(&svg);
    let bars: Vec<&str> = svg
        .lines()
        .filter(|line| line.contains("class=\"bar\""))
        .collect();
    assert_eq!(bars.len(), 4, "three and one in the legend");
    let number = |bar: &str, name: &str| -> f64 {
        let (_, rest) = bar.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse().unwrap()
    };
    let end = |bar: &str| number(bar, "x") + number(bar, "width");
    assert!(
        (number(bars[2], "x") - end(bars[0])).abs() < 0.2,
        "{bars:?}"
    );
    assert_eq!(number(bars[2], "y"), number(bars[0], "y"));
    assert!(number(bars[1], "y") > number(bars[0], "y"));
    for name in ["s · main", "s · worker-1", "s · worker-2"] {
        assert!(svg.contains(name), "{name}");
    }
}

#[test]
fn idle_intervals_are_cut_out_of_the_wall_clock_axis() {
    let folder = Folder::new();
    let times = [0, 10, 20, 900_000, 900_010, 900_020];
    let log: String = (0..6)
        .map(|seq| line("p", seq, times[seq as usize], "local", ""))
        .collect();
    let log = folder.write("p.jsonl", log);
    let path = folder.path("idle.svg");
    trace(&[&log, "--svg", &path, "--axis", "wall"]);
    let svg = fs::read_to_string(path).unwrap();
    well_formed(&svg);
    assert!(svg.contains(">900 ms idle<"), "{svg}");
    let places: Vec<f64> = svg
        .lines()
        .filter_map(|line| line.strip_prefix("<g><rect class=\"local\" x=\""))
        .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
        .collect();
    // The events on both sides of it stay apart.
    assert!(
        places[1] - places[0] > 50.0 && places[5] - places[4] > 50.0,
        "{places:?}"
    );
    // An interval with an open connection is not idle.
    let peer = "\"peer\":\"127.0.0.1:4\"";
    let log = line("s", 0, 0, "accept", peer) + &line("s", 1, 900_000, "close", peer);
    let log = folder.write("s.jsonl", log);
    let path = folder.path("busy.svg");
    trace(&[&log, "--svg", &path, "--axis", "wall"]);
    assert!(!fs::read_to_string(path).unwrap().contains(" idle<"));
}

#[test]
fn an_svg_of_too_many_events_has_the_newest() {
    let folder = Folder::new();
    let log: String = (0..20_100)
        .map(|seq| line("p", seq, seq, "local", ""))
        .collect();
    let log = folder.write("p.jsonl", log);
    let path = folder.path("many.svg");
    let finished = trace(&[&log, "--svg", &path]);
    let warning =
        "lamport: --svg draws the newest 20000 of 20100 events; --range draws others, --html all\n";
    assert!(finished.err.starts_with(warning), "{finished:?}");
    let svg = fs::read_to_string(path).unwrap();
    assert_eq!(svg.matches("<g>").count(), 20_000);
    assert!(svg.contains("event 20099,") && !svg.contains("event 99,"));
}

/// A malicious text.
const EVIL: &str = "<script>alert(1)</script>&\\u001b[2J\\u009b31m\\u202e\\\"];A-->>B#38;\\n```";

#[test]
fn malicious_texts_are_shown_as_text_everywhere() {
    let folder = Folder::new();
    let fields = format!(
        "\"text\":\"{EVIL}\",\"name\":\"{EVIL}\",\"{EVIL}\":1,\"message\":\"udp:{EVIL}>{EVIL}#1\",\"peer\":\"{EVIL}\""
    );
    let log = on_thread(EVIL, EVIL, 0, 10, "send", &fields)
        + &line("other", 0, 20, "receive", &fields)
        + &line(EVIL, 5, 20, EVIL, &fields);
    let log = folder.write("evil.jsonl", log);
    let files = ["html", "svg", "shiviz", "mermaid", "perfetto", "dot"]
        .map(|kind| (kind, folder.path(&format!("out.{kind}"))));
    for (kind, path) in &files {
        let finished = trace(&[&log, &format!("--{kind}"), path]);
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let text = fs::read_to_string(path).unwrap();
        let hidden = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        let escaped = !text.contains(hidden);
        assert!(escaped, "{kind}");
        match *kind {
            "svg" => well_formed(&text),
            "html" => {
                // The page's own two, and none of the log's.
                assert_eq!(text.matches("<script").count(), 2);
                assert_eq!(text.matches("</script").count(), 2);
            }
            "mermaid" => assert_eq!(text.lines().count(), 1 + 2 + 2, "{text}"),
            "perfetto" => drop(serde_json::from_str::<serde_json::Value>(&text).unwrap()),
            "dot" => {
                let quotes = text.replace("\\\\", "").replace("\\\"", "");
                assert!(
                    quotes
                        .lines()
                        .all(|line| line.matches('"').count() % 2 == 0),
                    "{text}"
                );
            }
            _ => {}
        }
    }
    for arguments in [
        &["--show", "all"][..],
        &["--check"],
        &["--json", "--show", "all"],
        &["--json", "--check"],
    ] {
        let finished = trace(&[&[log.as_str()], arguments].concat());
        let shown = finished.out + &finished.err;
        assert!(
            !shown.contains(|letter: char| letter.is_control() && letter != '\n'),
            "{shown:?}"
        );
    }
}

#[test]
fn only_terminals_get_colour() {
    let folder = Folder::new();
    let [client, _] = exchange(&folder);
    assert!(!trace(&[&client]).out.contains('\x1b'));
    if !common::testing::have("script", common::testing::have_program("script")) {
        return;
    }
    let on_terminal = |variable: &str| {
        let lamport = format!("{variable} {LAMPORT} trace {client}");
        let mut script: Command = command("script", &["-qec", &lamport, "/dev/null"]);
        let output = script.stdin(std::process::Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(
        on_terminal("A=b").contains("\x1b[36m●\x1b[0m"),
        "{:?}",
        on_terminal("A=b")
    );
    assert!(!on_terminal("NO_COLOR=1").contains('\x1b'));
}
