//! Cuts through the page's diagram, and the bars of critical sections and terms.

use std::{collections::HashMap, fs};

use common::testing::{Folder, run};
use lamport::trace::{computation::Computation, cut::recorded, layouts::Layout};
use serde_json::{Value, json};

use crate::{
    LAMPORT, line, message,
    page::{numbers, page_of, page_of_a_run},
    page_lanes::{CLIENTS, crowd, texts},
    trace,
    webdriver::Browser,
};

/// The keys of the WebDriver protocol.
const LEFT: char = '\u{e012}';
const RIGHT: char = '\u{e014}';
const DOWN: char = '\u{e015}';
const END: char = '\u{e010}';
const ESCAPE: char = '\u{e00c}';

fn cut(browser: &Browser) -> Value {
    browser.run("window.trace.frame(); return window.trace.cut()")
}

fn words(browser: &Browser) -> String {
    let words = browser.run("return document.getElementById('cut-words').textContent");
    words.as_str().unwrap().to_owned()
}

/// The middle of the handle of a lane.
fn handle(browser: &Browser, lane: &str) -> (f64, f64) {
    let found = browser.run(&format!(
        "window.trace.frame();
        const box = document.querySelector('[role=slider][aria-label=\"cut, {lane}\"]').getBoundingClientRect();
        return [box.left + box.width / 2, box.top + box.height / 2]"
    ));
    (found[0].as_f64().unwrap(), found[1].as_f64().unwrap())
}

fn place(browser: &Browser, event: usize) -> (f64, f64) {
    let at = browser.run(&format!("return window.trace.positionOf({event})"));
    (at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap())
}

/// What the focused handle says.
fn focused(browser: &Browser) -> String {
    let said = browser.run(
        "const it = document.activeElement; return `${it.getAttribute('aria-label')}: ${it.getAttribute('aria-valuetext')}`",
    );
    said.as_str().unwrap().to_owned()
}

/// Three processes: 0 is p1's send of what p2 receives as 1, 2 is p2's send of what p3 receives as 4; 3 and 5 are local.
fn three() -> String {
    let (one, two) = (message("udp:p1>p2#1"), message("udp:p2>p3#1"));
    [
        line("p1", 0, 10, "send", &one),
        line("p1", 1, 40, "local", "\"text\":\"works\""),
        line("p2", 0, 20, "receive", &one),
        line("p2", 1, 30, "send", &two),
        line("p3", 0, 50, "receive", &two),
        line("p3", 1, 60, "local", "\"text\":\"works\""),
    ]
    .concat()
}

#[test]
fn a_handle_is_dragged_and_the_page_says_whether_the_cut_is_consistent() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let path = page_of(&folder, &folder.write("three.jsonl", three()));
    browser.open(&format!("file://{path}"));
    browser.run("document.getElementById('cut').click()");
    // Straight through the middle: three events are before it, and p2's message is in transit.
    assert_eq!(
        cut(&browser),
        json!({"last": [0, 2, -1], "consistent": true, "violations": [], "inTransit": [[2, 4]], "unreceived": []})
    );
    assert!(
        words(&browser).starts_with("✓ Consistent cut, 1 message in transit"),
        "{}",
        words(&browser)
    );
    // Before the first event of p1, although p2 has received its message.
    let (at, first) = (handle(&browser, "p1"), place(&browser, 0));
    browser.drag(at, (first.0 - 15.0, first.1));
    let dragged = cut(&browser);
    assert_eq!(dragged["last"], json!([-1, 2, -1]));
    assert_eq!(dragged["violations"], json!([[0, 1]]));
    let said = words(&browser);
    assert!(
        said.starts_with("✗ Inconsistent cut: event 1 (p2 "),
        "{said}"
    );
    assert!(said.contains("(event 0 of p1) after it"), "{said}");
    let listed = browser.run("return [...document.querySelectorAll('#cut-violations button, #cut-transit button')].map(it => it.textContent)");
    let listed = texts(&listed);
    assert_eq!(listed.len(), 2, "{listed:?}");
    assert!(listed[0].starts_with("p1 → p2: ") && listed[1].starts_with("p2 → p3: "));
    // On an event it snaps to one side of it.
    let (at, last) = (handle(&browser, "p3"), place(&browser, 4));
    browser.drag(at, last);
    assert!((handle(&browser, "p3").0 - last.0).abs() > 5.0);
    // The handle on the axis draws the line straight again: after everything that it is right of.
    let (at, end) = (handle(&browser, "all lanes"), place(&browser, 4));
    browser.drag(at, (end.0 + 15.0, at.1));
    let straight = cut(&browser);
    assert_eq!(straight["last"], json!([3, 2, 4]));
    assert_eq!(straight["consistent"], true);
    // The address keeps it.
    browser.run("window.trace.select(3)");
    browser.run("document.getElementById('cut-past').click()");
    assert_eq!(cut(&browser)["last"], json!([3, -1, -1]));
    let link = format!("file://{path}#axis=wall&cut=3,1,");
    browser.open("about:blank");
    browser.open(&link);
    assert_eq!(cut(&browser)["last"], json!([3, 1, -1]));
    for wrong in ["cut=3,1", "cut=1,3,", "cut=3,1,99", "cut=x,y,z"] {
        browser.open("about:blank");
        browser.open(&format!("file://{path}#{wrong}"));
        assert_eq!(cut(&browser), Value::Null, "{wrong}");
    }
    // The clock of p2 is behind: at one time of the clocks its receive is over, and the send has not begun.
    let one = message("udp:p1>p2#1");
    let log = line("p1", 0, 100, "send", &one) + &line("p2", 0, 20, "receive", &one);
    let path = page_of(&folder, &folder.write("behind.jsonl", log));
    for (axis, consistent) in [("wall", false), ("logical", true), ("order", true)] {
        browser.open("about:blank");
        browser.open(&format!("file://{path}#axis={axis}"));
        browser
            .run("document.getElementById('fit').click(); document.getElementById('cut').click()");
        assert_eq!(cut(&browser)["consistent"], consistent, "{axis}");
    }
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn the_handles_of_a_cut_have_keys_and_names() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let path = page_of(&folder, &folder.write("three.jsonl", three()));
    browser.open(&format!("file://{path}"));
    browser.run("document.querySelector('canvas').focus()");
    browser.press('c');
    assert_eq!(
        focused(&browser),
        "cut, all lanes: 3 events before the cut; the cut is consistent, 1 in transit"
    );
    // The next event in causal order: consistent still.
    browser.press(RIGHT);
    assert_eq!(cut(&browser)["last"], json!([3, 2, -1]));
    browser.press(DOWN);
    browser.press(LEFT);
    browser.press(LEFT);
    browser.press(LEFT);
    assert_eq!(cut(&browser)["last"], json!([-1, 2, -1]));
    let said = focused(&browser);
    assert!(
        said.starts_with("cut, p1: before all events; 0 of 2 events before the cut"),
        "{said}"
    );
    assert!(said.ends_with("the cut is inconsistent"), "{said}");
    browser.press(DOWN);
    browser.press(DOWN);
    browser.press(DOWN);
    browser.press(END);
    assert_eq!(cut(&browser)["last"], json!([-1, 2, 5]));
    assert!(
        focused(&browser).starts_with("cut, p3: after event 5"),
        "{}",
        focused(&browser)
    );
    // One stop for the Tab key, and everything that can be worked has a name.
    let stops = "return [...document.querySelectorAll('[role=slider]')].filter(it => it.tabIndex === 0).length";
    assert_eq!(browser.run(stops), 1);
    let nameless =
        "return [...document.querySelectorAll('[role=slider]')].filter(it => !it.ariaLabel).length";
    assert_eq!(browser.run(nameless), 0);
    // Without p1, of which a filter hides the lane: the sentence says so.
    browser.run("document.querySelector('#process-choices input').click()");
    assert!(
        words(&browser).contains("hidden by the filters"),
        "{}",
        words(&browser)
    );
    browser.press(ESCAPE);
    assert_eq!(cut(&browser), Value::Null);
    assert_eq!(
        browser.run("return document.querySelectorAll('[role=slider]:focus').length"),
        0
    );
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn a_cut_goes_through_many_lanes_folded_ones_and_those_of_a_program() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let path = page_of(&folder, &folder.write("crowd.jsonl", crowd()));
    browser.resize(390, 844);
    browser.open(&format!("file://{path}"));
    browser.run("window.trace.select(0); for (let i = 0; i < 12; i++) document.getElementById('zoom-in').click(); window.trace.select(-1)");
    browser.run("document.getElementById('cut').click(); window.trace.frame()");
    let clients = CLIENTS as usize;
    assert!(
        browser
            .run("return window.trace.folded()")
            .as_u64()
            .unwrap()
            > 20
    );
    // The lanes that are folded take part: only the first events are before it.
    let last: Vec<i64> = serde_json::from_value(cut(&browser)["last"].clone()).unwrap();
    let before = last.iter().filter(|event| **event >= 0).count();
    assert_eq!(last.len(), clients + 1);
    assert!((1..10).contains(&before), "{last:?}");
    // Nothing is wider than a phone, and the sentence never changes the height of the diagram.
    let size = "return [document.documentElement.scrollWidth, document.getElementById('canvas').getBoundingClientRect().height]";
    let consistent = browser.run(size);
    assert_eq!(consistent[0], 390);
    // The server has received all, and no client has sent anything.
    let hash = format!("{}{}", ",".repeat(clients), 2 * clients - 1);
    browser.run(&format!("location.hash = '#cut={hash}'; dispatchEvent(new Event('hashchange')); window.trace.frame()"));
    let wrong = cut(&browser);
    assert_eq!(wrong["violations"].as_array().unwrap().len(), clients);
    assert_eq!(numbers(&wrong["violations"][0]), [0, clients]);
    assert!(
        words(&browser).ends_with("39 more like it."),
        "{}",
        words(&browser)
    );
    assert_eq!(browser.run(size), consistent);
    let shown = "return document.querySelectorAll('#cut-violations button').length";
    assert_eq!(browser.run(shown), 20);
    // All clients are one lane with one handle.
    browser.resize(1400, 900);
    browser.run("document.getElementById('fit').click(); document.getElementById('group').click(); document.getElementById('programs-fold').click(); window.trace.frame()");
    let lane = format!("c × {CLIENTS}");
    let (at, middle) = (handle(&browser, &lane), place(&browser, clients - 1));
    browser.drag(at, (middle.0 + 12.0, at.1));
    let all = cut(&browser);
    assert_eq!(all["consistent"], true);
    let last = numbers(&all["last"]);
    assert!((0..clients).eq(last[..clients].iter().copied()), "{last:?}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}

/// The messages of the logs in a folder, by their identity: a send and a receive, each as (process, position in its log).
fn messages(folder: &str) -> Vec<((String, usize), (String, usize))> {
    let mut sends = HashMap::new();
    let mut receives = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let log = fs::read_to_string(entry.unwrap().path()).unwrap();
        for (at, line) in log.lines().enumerate() {
            let event: Value = serde_json::from_str(line).unwrap();
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let place = (text("node"), at);
            match event["event"].as_str() {
                Some("send") => drop(sends.insert(text("message"), place)),
                Some("receive") => receives.push((text("message"), place)),
                _ => {}
            }
        }
    }
    let link = |(id, receive): (String, _)| (sends[&id].clone(), receive);
    receives.into_iter().map(link).collect()
}

#[test]
fn the_verdict_on_any_cut_is_that_of_the_log() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let (logs, path) = page_of_a_run(&folder, "mutex --processes 4 --count 3 --seed 5");
    let computation = Computation::read(&[logs.clone().into()], &Layout::default()).unwrap();
    let (trace, rank) = (&computation.trace, &computation.order.rank);
    // Each event's number on the page, by its process and its place in the log.
    let events: Vec<Vec<usize>> = trace
        .processes
        .iter()
        .map(|process| process.events.clone().map(|id| rank[id] as usize).collect())
        .collect();
    let index: HashMap<_, _> = (0..)
        .zip(&trace.processes)
        .map(|(at, it)| (it.node.clone(), at))
        .collect();
    let messages: Vec<_> = messages(&logs)
        .into_iter()
        .map(|((from, sent), (to, received))| ((index[&from], sent), (index[&to], received)))
        .collect::<Vec<((usize, usize), (usize, usize))>>();
    assert!(messages.len() > 60);
    browser.open(&format!("file://{path}"));
    // Numbers by chance, the same each time (Knuth's MMIX generator).
    let mut state = 7_u64;
    let mut chance = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let total = rank.len();
    let mut verdicts = [0, 0];
    for round in 0..60 {
        // Straight ones in causal order, the same with one handle moved, and those without any order.
        let until = chance(total);
        let mut counts: Vec<usize> = events
            .iter()
            .map(|of| of.iter().filter(|event| **event <= until).count())
            .collect();
        let moved = chance(events.len());
        match round % 3 {
            0 => {}
            1 => counts[moved] = chance(events[moved].len() + 1),
            _ => counts = events.iter().map(|of| chance(of.len() + 1)).collect(),
        }
        let last: Vec<_> = events
            .iter()
            .zip(&counts)
            .map(|(of, count)| {
                count
                    .checked_sub(1)
                    .map_or(String::new(), |at| of[at].to_string())
            })
            .collect();
        browser.run(&format!(
            "location.hash = '#cut={}'; dispatchEvent(new Event('hashchange'))",
            last.join(",")
        ));
        let is_before = |(process, at): (usize, usize)| at < counts[process];
        let pair = |((from, sent), (to, received)): &((usize, usize), (usize, usize))| {
            (events[*from][*sent], events[*to][*received])
        };
        let mut violations: Vec<_> = messages
            .iter()
            .filter(|(send, receive)| is_before(*receive) && !is_before(*send))
            .map(pair)
            .collect();
        violations.sort_by_key(|(from, to)| (*to, *from));
        let mut in_transit: Vec<_> = messages
            .iter()
            .filter(|(send, receive)| is_before(*send) && !is_before(*receive))
            .map(pair)
            .collect();
        in_transit.sort_unstable();
        let shown = cut(&browser);
        assert_eq!(shown["consistent"], violations.is_empty(), "{counts:?}");
        assert_eq!(shown["violations"], json!(violations), "{counts:?}");
        assert_eq!(shown["inTransit"], json!(in_transit), "{counts:?}");
        verdicts[usize::from(violations.is_empty())] += 1;
        if let Some((from, to)) = violations.first() {
            let said = words(&browser);
            let names = said.contains(&format!("event {to} ("))
                && said.contains(&format!(") is before it, its send (event {from} "));
            assert!(names, "{said}");
        }
    }
    assert!(verdicts[0] > 15 && verdicts[1] > 19, "{verdicts:?}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn the_cut_that_a_snapshot_recorded_is_a_place_of_the_cut() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let mut verdicts = [0, 0];
    // Markers need channels that keep the order: without them some cuts are inconsistent.
    for seed in 1..=20 {
        let folder = Folder::new();
        let logs = folder.path("logs");
        let arguments = format!(
            "simulate snapshot --channels unordered --count 3 --seed {seed} --show 0 --logs {logs}"
        );
        let arguments: Vec<_> = arguments.split(' ').collect();
        run(LAMPORT, &arguments);
        let computation = Computation::read(&[logs.clone().into()], &Layout::default()).unwrap();
        let rank = &computation.order.rank;
        let recorded = recorded(&computation);
        assert!(!recorded.is_empty());
        let violations: Vec<_> = recorded
            .iter()
            .map(|cut| cut.violation.map(|link| [rank[link.from], rank[link.to]]))
            .collect();
        // A page of each kind is enough.
        let kinds: Vec<_> = violations
            .iter()
            .map(|it| usize::from(it.is_none()))
            .collect();
        if kinds.iter().all(|kind| verdicts[*kind] > 0) {
            continue;
        }
        let path = folder.path("page.html");
        trace(&[&logs, "--html", &path]);
        browser.open("about:blank");
        browser.open(&format!("file://{path}"));
        browser.run("document.getElementById('cut').click()");
        for (number, (violation, kind)) in violations.iter().zip(kinds).enumerate() {
            browser.run(&format!(
                "document.getElementById('cut-recorded-{number}').click()"
            ));
            let shown = cut(&browser);
            assert_eq!(shown["consistent"], violation.is_none(), "{seed}: {shown}");
            let first = violation.map_or(Value::Null, |pair| json!(pair));
            assert_eq!(shown["violations"][0], first, "{seed}: {shown}");
            verdicts[kind] += 1;
        }
        if verdicts.iter().all(|count| *count > 0) {
            break;
        }
    }
    assert!(verdicts.iter().all(|count| *count > 0), "{verdicts:?}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn critical_sections_and_terms_are_bars() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let runs = [
        (
            "bully --processes 3 --count 1 --crash p3@100ms --seed 7",
            "term",
            "term 1",
        ),
        (
            "mutex --processes 3 --count 2 --seed 4",
            "section",
            "critical section",
        ),
    ];
    for (simulated, kind, name) in runs {
        let folder_of_run = Folder::new();
        let (logs, path) = page_of_a_run(&folder_of_run, simulated);
        let svg = folder.path("picture.svg");
        assert_eq!(trace(&[&logs, "--svg", &svg]).code, Some(0));
        let drawn = fs::read_to_string(&svg).unwrap();
        browser.open("about:blank");
        browser.open(&format!("file://{path}"));
        browser.run("document.getElementById('fit').click(); window.trace.frame()");
        let spans = browser.run("return window.trace.spans()");
        let spans = spans.as_array().unwrap();
        // As many as in the picture, of which one more is in the legend.
        let expected = drawn.matches(&format!("class=\"{kind}\"")).count() - 1;
        assert!(expected > 1);
        assert_eq!(spans.len(), expected, "{spans:?}");
        assert_eq!(
            (spans[0]["kind"].as_str(), spans[0]["name"].as_str()),
            (Some(kind), Some(name))
        );
        // Pointing at it says what it is, and a click selects the event with which it begins.
        let edge = browser.run("const box = document.getElementById('canvas').getBoundingClientRect(); return [box.left, box.top]");
        let of = |name: &str| spans[0]["box"][name].as_f64().unwrap();
        let at = (
            edge[0].as_f64().unwrap() + of("x") + of("width") / 2.0,
            edge[1].as_f64().unwrap() + of("y") + 3.0,
        );
        browser.point(at.0, at.1);
        let tooltip = browser.run(
            "const it = document.getElementById('tooltip'); return it.hidden ? '' : it.textContent",
        );
        let tooltip = tooltip.as_str().unwrap();
        assert!(tooltip.starts_with(&format!("{name} of p")), "{tooltip}");
        browser.click(at.0, at.1);
        assert_eq!(
            browser.run("return window.trace.selected()"),
            spans[0]["from"]
        );
        let legend = browser.run("return document.getElementById('legend-lines').textContent");
        assert!(
            legend.as_str().unwrap().contains("a critical section (CS)"),
            "{legend}"
        );
    }
    assert_eq!(browser.console(), Vec::<Value>::new());
}
