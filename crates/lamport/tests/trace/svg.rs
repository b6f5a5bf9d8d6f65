//! What one can read in an SVG that is 900 px wide, and the limit of Mermaid.

use std::fs;

use common::testing::{Folder, run};

use crate::{LAMPORT, line, message, on_thread, trace};

/// The texts of a picture: the left and the right edge, the base line, the size of the letters in pixels at a width of 900, the words.
fn texts(svg: &str) -> Vec<(f64, f64, f64, f64, String)> {
    let (_, rest) = svg.split_once("viewBox=\"0 0 ").unwrap();
    let width: f64 = rest.split(' ').next().unwrap().parse().unwrap();
    let sizes = [
        ("text{", 12.0),
        (".small{", 11.0),
        (".title{", 11.0),
        (".label{", 11.0),
    ];
    for (class, size) in sizes {
        let (_, rule) = svg.split_once(class).unwrap();
        let (rule, _) = rule.split_once('}').unwrap();
        assert!(rule.contains(&format!("{size}px")), "{class}{rule}");
    }
    let mut found = Vec::new();
    for text in svg.split("<text ").skip(1) {
        let (attributes, rest) = text.split_once('>').unwrap();
        let words = rest.split('<').next().unwrap().to_owned();
        let number = |name: &str| -> f64 {
            let (_, value) = attributes.split_once(&format!("{name}=\"")).unwrap();
            value.split('"').next().unwrap().parse().unwrap()
        };
        let size = if attributes.contains("class=") {
            11.0
        } else {
            12.0
        };
        // Letters of a common font are narrower on average.
        let length = words.chars().count() as f64 * size * 0.55;
        let left = match attributes.contains("middle") {
            true => number("x") - length / 2.0,
            false => number("x"),
        };
        found.push((
            left,
            left + length,
            number("y"),
            size * 900.0 / width,
            words,
        ));
    }
    found
}

/// The least space between two texts on one line.
const GAP: f64 = 3.0;

/// Each text is large enough, inside the picture, and apart from every other.
fn readable(svg: &str) {
    let texts = texts(svg);
    for (left, right, _, size, words) in &texts {
        assert!(*size >= 11.0, "{words}: {size} px");
        assert!(
            *left >= 0.0 && *right <= 900.0,
            "{words}: {left} to {right}"
        );
    }
    for (place, one) in texts.iter().enumerate() {
        for other in &texts[place + 1..] {
            let apart =
                one.1 + GAP <= other.0 || other.1 + GAP <= one.0 || (one.2 - other.2).abs() >= 11.0;
            assert!(apart, "{one:?} is too near {other:?}");
        }
    }
}

#[test]
fn the_term_of_a_leader_is_a_bar_until_it_crashes() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let run_of = "simulate bully --processes 3 --count 1 --crash p3@100ms --show 0 --logs";
    let arguments: Vec<&str> = run_of.split(' ').chain([logs.as_str()]).collect();
    assert_eq!(run(LAMPORT, &arguments).code, Some(0));
    let path = folder.path("bully.svg");
    assert_eq!(trace(&[&logs, "--svg", &path]).code, Some(0));
    let svg = fs::read_to_string(path).unwrap();
    // Two leaders and the legend.
    assert_eq!(svg.matches("class=\"term\"").count(), 3, "{svg}");
    for name in [">term 1<", ">term 2<", ">leads in this term<"] {
        assert_eq!(svg.matches(name).count(), 1, "{name}: {svg}");
    }
    let width = |name: &str| -> f64 {
        let bar = svg.split("class=\"term\"").find(|bar| bar.contains(name));
        let width = bar.and_then(|bar| bar.split("width=\"").nth(1));
        let width = width.and_then(|width| width.split('"').next());
        width.expect(name).parse().unwrap()
    };
    // The first one does not last to the end.
    assert!(width("leader of term 1") < 700.0, "{svg}");
}

#[test]
fn the_cut_of_a_snapshot_is_a_line_with_its_verdict() {
    let folder = Folder::new();
    let svg_of = |arguments: &str, log: &str| {
        let logs = folder.path("logs");
        let arguments: Vec<&str> = arguments.split(' ').chain(["--logs", &logs]).collect();
        run(LAMPORT, &arguments);
        let path = folder.path("cut.svg");
        let log = format!("{logs}{log}");
        assert_eq!(trace(&[&log, "--svg", &path]).code, Some(0));
        fs::read_to_string(path).unwrap()
    };
    let svg = svg_of("simulate snapshot --count 1 --show 0", "");
    for class in ["cut", "inconsistent", "message violating"] {
        let drawn = svg.matches(&format!("<path class=\"{class}\"")).count();
        assert_eq!(drawn, usize::from(class == "cut"), "{class}: {svg}");
    }
    assert!(
        svg.contains("the cut of snapshot 1 of p1: consistent"),
        "{svg}"
    );
    assert!(svg.contains(">a consistent cut<"), "{svg}");
    // The path ends before p3 records its state.
    let unordered = "check snapshot --channels unordered";
    let svg = svg_of(unordered, "/consistent-cut.jsonl");
    for class in ["cut", "inconsistent", "message violating"] {
        let drawn = svg.matches(&format!("<path class=\"{class}\"")).count();
        assert_eq!(drawn, usize::from(class != "cut"), "{class}: {svg}");
    }
    assert!(
        svg.contains(
            "inconsistent, as the message from p2 to p3 is received before it and sent after it"
        ) || svg.contains("inconsistent, as the message from p1 to p2"),
        "{svg}"
    );
}

#[test]
fn the_critical_section_is_a_bar_with_its_name() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let run_of = "simulate mutex --processes 3 --count 1 --show 0 --logs";
    let arguments: Vec<&str> = run_of.split(' ').chain([logs.as_str()]).collect();
    assert_eq!(run(LAMPORT, &arguments).code, Some(0));
    let path = folder.path("mutex.svg");
    assert_eq!(trace(&[&logs, "--svg", &path]).code, Some(0));
    let svg = fs::read_to_string(path).unwrap();
    // Three entries and the legend.
    assert_eq!(svg.matches("class=\"section\"").count(), 4, "{svg}");
    assert_eq!(svg.matches(">critical section</text>").count(), 3, "{svg}");
    assert!(
        !svg.contains("class=\"local\""),
        "no anonymous square: {svg}"
    );
    assert!(
        svg.contains(">Lamport time →<") && svg.contains(">process<"),
        "{svg}"
    );
    readable(&svg);
}

#[test]
fn large_and_small_runs_are_readable_at_900_pixels() {
    let folder = Folder::new();
    for (name, simulated) in [
        ("few", "events --processes 2 --count 1"),
        (
            "many",
            "total --processes 9 --count 4 --loss 10% --duplicate 20% --reorder 20%",
        ),
        ("lanes", "events --processes 40 --count 3"),
    ] {
        let logs = folder.path(name);
        let arguments = format!("simulate {simulated} --show 0 --logs {logs}");
        let arguments: Vec<&str> = arguments.split(' ').collect();
        assert_eq!(run(LAMPORT, &arguments).code, Some(0));
        for (axis, lanes) in [("logical", "process"), ("wall", "thread")] {
            let path = folder.path("run.svg");
            let finished = trace(&[&logs, "--svg", &path, "--axis", axis, "--lanes", lanes]);
            assert_eq!(finished.code, Some(0), "{finished:?}");
            readable(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_bar_of_a_thread_names_its_client() {
    let folder = Folder::new();
    let client = |number: u64| {
        let name = format!("client-{number}");
        let peer = "\"peer\":\"127.0.0.1:9\"";
        let id = format!("\"message\":\"tcp:127.0.0.1:{number}>127.0.0.1:9#1\",{peer}");
        line(&name, 0, 10 + number, "connect", peer)
            + &line(&name, 1, 20 + number, "send", &id)
            + &line(&name, 2, 50_100 + number, "close", peer)
    };
    let at = |number: u64| format!("\"peer\":\"127.0.0.1:{number}\"");
    let receive = |number: u64| {
        format!(
            "\"message\":\"tcp:127.0.0.1:{number}>127.0.0.1:9#1\",{}",
            at(number)
        )
    };
    let server = [
        on_thread("server", "main", 0, 12, "accept", &at(1)),
        on_thread("server", "main", 1, 13, "accept", &at(2)),
        on_thread("server", "worker-1", 2, 30, "receive", &receive(1)),
        on_thread("server", "worker-2", 3, 31, "receive", &receive(2)),
        on_thread("server", "worker-1", 4, 50_000, "close", &at(1)),
        on_thread("server", "worker-2", 5, 50_001, "close", &at(2)),
    ];
    let server = folder.write("server.jsonl", server.concat());
    let clients = [1, 2].map(|number| folder.write(&format!("{number}.jsonl"), client(number)));
    let path = folder.path("threads.svg");
    let flags = ["--svg", &path, "--axis", "wall", "--lanes", "thread"];
    trace(&[&[&*server, &clients[0], &clients[1]], &flags[..]].concat());
    let svg = fs::read_to_string(&path).unwrap();
    for served in [
        "server · worker-1 serves client-1<",
        "server · worker-2 serves client-2<",
    ] {
        assert!(svg.contains(served), "{served}: {svg}");
    }
    assert!(
        svg.contains("class=\"label\"") && svg.contains(">client-1</text>"),
        "{svg}"
    );
    assert!(
        svg.contains("2 connections, served by 2 threads; at most 2 at the same time"),
        "{svg}"
    );
    assert!(!svg.contains("concurrent"), "{svg}");
    readable(&svg);
    // Clients that are threads of one program, and have the same peer.
    let thread = |number: u64| {
        let peer = "\"peer\":\"127.0.0.1:9\"";
        let name = format!("client-{number}");
        let seq = number * 2;
        on_thread("clients", &name, seq, 100 + seq, "connect", peer)
            + &on_thread("clients", &name, seq + 1, 50_000 + seq, "close", peer)
    };
    let mut lines: Vec<String> = (0..3).map(thread).collect();
    lines.sort();
    let clients = folder.write("clients.jsonl", lines.concat());
    trace(&[&[&*clients], &flags[..]].concat());
    let svg = fs::read_to_string(&path).unwrap();
    assert_eq!(
        svg.matches("class=\"bar\"").count(),
        4,
        "three and one in the legend: {svg}"
    );
    // Without the log of the client its address is its name.
    trace(&[&[&*server], &flags[..]].concat());
    let svg = fs::read_to_string(&path).unwrap();
    assert!(svg.contains(">127.0.0.1:2</text>"), "{svg}");
}

#[test]
fn mermaid_says_when_a_diagram_is_too_large_and_which_range_fits() {
    let folder = Folder::new();
    let exchange = |number: u64| {
        let id = message(&format!("udp:p1>p2#{number}"));
        [
            line("p1", number, 10 * number, "send", &id),
            line("p2", number, 10 * number + 5, "receive", &id),
        ]
    };
    let log = |count: u64| (0..count).flat_map(exchange).collect::<String>();
    let path = folder.path("out.mermaid");
    let small = folder.write("small.jsonl", log(10));
    assert_eq!(
        trace(&[&small, "--mermaid", &path]).err,
        format!("written: {path}\n")
    );
    let large = folder.write("large.jsonl", log(3000));
    let finished = trace(&[&large, "--mermaid", &path]);
    assert_eq!(finished.code, Some(0));
    let (_, rest) = finished
        .err
        .split_once("at most 50000 by default: --range ")
        .unwrap();
    let range = rest.split(' ').next().unwrap();
    let finished = trace(&[&large, "--mermaid", &path, "--range", range]);
    assert_eq!(finished.err, format!("written: {path}\n"), "{range} fits");
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.len() > 25_000 && text.len() <= 50_000,
        "{}",
        text.len()
    );
}

#[test]
fn what_an_event_is_to_a_look_up_stands_beside_it() {
    let folder = Folder::new();
    let local = |seq: u64, meaning: &str, value: &str| {
        let clock = seq + 1;
        let value = match value {
            "" => String::new(),
            value => format!(",\"value\":\"{value}\""),
        };
        let more =
            format!("\"clock\":{clock},\"meaning\":\"{meaning}\",\"name\":\"server1\"{value}");
        line("p1", seq, seq, "local", &more)
    };
    let log = [
        local(0, "insert", "p1"),
        local(1, "look-up", ""),
        local(2, "found", "p1"),
        local(3, "look-up", ""),
        local(4, "found", ""),
    ];
    let log = folder.write("p1.jsonl", log.concat());
    let path = folder.path("look-ups.svg");
    trace(&[&log, "--svg", &path]);
    let svg = fs::read_to_string(&path).unwrap();
    for (words, times) in [
        (">inserts</text>", 1),
        (">looks up</text>", 2),
        (">finds p1</text>", 1),
        (">finds nothing</text>", 1),
    ] {
        assert_eq!(svg.matches(words).count(), times, "{words}: {svg}");
    }
    readable(&svg);
}
