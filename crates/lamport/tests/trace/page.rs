//! The page, in a real browser.

use std::collections::BTreeSet;

use common::testing::{Folder, run};
use lamport::trace::{computation::Computation, layouts::Layout, order};
use serde_json::Value;

use crate::{LAMPORT, line, message, trace, webdriver::Browser};

/// The keys of the WebDriver protocol.
const RIGHT: char = '\u{e014}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';

pub(crate) fn numbers(value: &Value) -> Vec<usize> {
    let numbers = value.as_array().unwrap_or_else(|| panic!("{value}"));
    numbers
        .iter()
        .map(|number| number.as_u64().unwrap() as usize)
        .collect()
}

/// Of each event, by its number in causal order: its timestamp, and all events that it knows.
fn computed(computation: &Computation) -> Vec<(Vec<u32>, BTreeSet<usize>)> {
    let (trace, rank) = (&computation.trace, &computation.order.rank);
    let mut all = Vec::new();
    order::walk(
        trace,
        &computation.links,
        &computation.order,
        |event, vector| {
            let mut past = BTreeSet::new();
            for (process, known) in vector.iter().enumerate() {
                let own = trace.events[event].process as usize == process;
                let events = trace.processes[process].events.clone();
                // Up to the last event of the computation that is known; of its own process up to this event.
                let last = match own {
                    true => event,
                    false => match events
                        .clone()
                        .find(|other| trace.own_entry(*other) == *known)
                    {
                        Some(last) if *known > 0 => last + 1,
                        _ => events.start,
                    },
                };
                past.extend((events.start..last).map(|event| rank[event] as usize));
            }
            let mut vector = vector.to_vec();
            vector.resize(trace.processes.len(), 0);
            all.push((vector, past));
        },
    );
    all
}

/// The logs of a simulated run, and the page of it.
pub(crate) fn page_of_a_run(folder: &Folder, simulated: &str) -> (String, String) {
    let logs = folder.path("logs");
    let arguments = format!("simulate {simulated} --show 0 --logs {logs}");
    let arguments: Vec<_> = arguments.split(' ').collect();
    assert_eq!(run(LAMPORT, &arguments).code, Some(0));
    let path = page_of(folder, &logs);
    (logs, path)
}

/// The page of these logs.
pub(crate) fn page_of(folder: &Folder, logs: &str) -> String {
    let path = folder.path("page.html");
    assert_eq!(trace(&[logs, "--html", &path]).code, Some(0));
    path
}

#[test]
fn it_renders_and_computes_the_causal_past() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let (logs, path) = page_of_a_run(&folder, "causal --processes 4 --count 8 --seed 3");
    let computation = Computation::read(&[logs.into()], &Layout::default()).unwrap();
    let expected = computed(&computation);
    assert!(expected.len() > 100);

    browser.open(&format!("file://{path}#event=20"));
    assert_eq!(browser.run("return window.trace.count"), expected.len());
    assert_eq!(browser.run("return window.trace.selected()"), 20);
    for (event, (vector, past)) in expected.iter().enumerate() {
        let known = numbers(&browser.run(&format!("return window.trace.past({event})")));
        assert!(
            known.iter().copied().eq(past.iter().copied()),
            "{event}: {known:?}, not {past:?}"
        );
        let future = numbers(&browser.run(&format!("return window.trace.future({event})")));
        let follows = |other: &usize| expected[*other].1.contains(&event);
        assert!((0..expected.len()).filter(follows).eq(future), "{event}");
        if event % 25 == 0 {
            // As a person does it: with the mouse, once it is in view.
            browser.run(&format!("window.trace.select({event})"));
            let place = browser.run(&format!("return window.trace.positionOf({event})"));
            browser.press(ESCAPE);
            assert_eq!(browser.run("return window.trace.selected()").as_u64(), None);
            browser.click(place["x"].as_f64().unwrap(), place["y"].as_f64().unwrap());
            let details = |name: &str| browser.attribute("#details", name).unwrap();
            assert_eq!(details("data-event"), event.to_string());
            assert_eq!(details("data-past"), past.len().to_string());
            let entries: Vec<_> = vector.iter().map(u32::to_string).collect();
            assert_eq!(details("data-vector"), entries.join(","));
        }
    }
    // Something is drawn: not all of the picture has one colour.
    let colours = "const canvas = document.querySelector('canvas'), context = canvas.getContext('2d');
        window.trace.frame();
        const data = context.getImageData(0, 0, canvas.width, canvas.height).data, seen = new Set();
        for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
        return seen.size";
    assert!(browser.run(colours).as_u64().unwrap() > 10);
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn it_can_be_moved_searched_and_stepped_through() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let (ask, other) = (message("udp:p1>p2#1"), message("udp:p1>p2#2"));
    let log = [
        line("p1", 0, 10, "send", &format!("{ask},\"text\":\"needle\"")),
        line("p1", 1, 20, "send", &other),
        line("p2", 0, 30, "receive", &other),
        line(
            "p2",
            1,
            40,
            "receive",
            &format!("{ask},\"text\":\"needle\""),
        ),
        line("p3", 0, 50, "local", ""),
    ];
    let path = page_of(&folder, &folder.write("all.jsonl", log.concat()));
    browser.open(&format!("file://{path}#event=0"));
    let selected = || browser.run("return window.trace.selected()");
    browser.run("document.querySelector('canvas').focus()");
    browser.press(RIGHT);
    assert_eq!(selected(), 1);
    // To the receive of the reordered message.
    browser.press(ENTER);
    assert_eq!(selected(), 2);
    let view = || browser.run("return JSON.stringify(window.trace.view())");
    let before = view();
    browser.wheel(600.0, 400.0, -300);
    browser.run("window.trace.frame()");
    assert_ne!(view(), before);
    browser.write("input[type=search]", "needle");
    browser.write("input[type=search]", "\u{e007}");
    let found = selected();
    assert!(found == 0 || found == 3, "{found}");
    browser.write("input[type=search]", "\u{e007}");
    assert_ne!(selected(), found);
    assert_eq!(browser.run("return window.trace.visible()"), 5);
    // Everything that can be worked has a name.
    let nameless = "return [...document.querySelectorAll('button, input, select, canvas:not([aria-hidden=true])')].filter(it =>
        !(it.getAttribute('aria-label') || it.getAttribute('title') || it.textContent.trim() || it.labels?.length)).map(it => it.outerHTML)";
    assert_eq!(browser.run(nameless), Value::Array(Vec::new()));
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn malicious_texts_do_nothing() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let evil = "</script><script>window.caught = 1</script><img src=x onerror='window.caught = 1'>";
    let fields = format!("\"text\":\"{evil}\",\"peer\":\"{evil}\",\"{evil}\":\"{evil}\"");
    let log = line(evil, 0, 10, "local", &fields) + &line(evil, 1, 20, "receive", &fields);
    let path = page_of(&folder, &folder.write("evil.jsonl", log));
    browser.open(&format!("file://{path}#event=1"));
    assert_eq!(browser.run("return window.trace.count"), 2);
    assert_eq!(browser.run("return window.caught"), Value::Null);
    assert_eq!(browser.run("return document.images.length"), 0);
    let shown = browser.run("return document.querySelector('#details').textContent");
    assert!(shown.as_str().unwrap().contains(evil), "{shown}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn a_hundred_thousand_events_open() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let (_, path) = page_of_a_run(&folder, "events --processes 16 --count 3300 --rate 10000");
    browser.open(&format!("file://{path}"));
    let count = browser.run("return window.trace.count").as_u64().unwrap();
    assert!(count > 100_000, "{count}");
    browser.run("window.trace.select(50000); window.trace.frame()");
    let past = browser.attribute("#details", "data-past").unwrap();
    assert!(past.parse::<u64>().unwrap() > 1000, "{past}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}
