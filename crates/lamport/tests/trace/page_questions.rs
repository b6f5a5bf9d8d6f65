//! What the page is asked: why, what differs between two executions, where is something like this.

use std::{fs, path::Path};

use common::testing::Folder;
use serde_json::Value;

use crate::{
    LAMPORT, line, message,
    page::{numbers, page_of},
    page_lanes::{CLIENTS, crowd, texts},
    trace,
    webdriver::Browser,
};

fn choose(browser: &Browser, id: &str, value: &str) {
    browser.run(&format!(
        "const it = document.getElementById('{id}'); it.value = '{value}'; it.onchange(); window.trace.frame()"
    ));
}

fn motifs(browser: &Browser) -> Vec<Vec<usize>> {
    let found = browser.run("return window.trace.motifs()");
    found.as_array().unwrap().iter().map(numbers).collect()
}

#[test]
fn why_is_a_chain_of_messages_or_concurrency() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let logs = folder.path("logs");
    let simulated = [
        "simulate",
        "mutex",
        "--processes",
        "3",
        "--count",
        "1",
        "--seed",
        "4",
        "--show",
        "0",
        "--logs",
        &logs,
    ];
    assert_eq!(common::testing::run(LAMPORT, &simulated).code, Some(0));
    let path = page_of(&folder, &logs);
    browser.open(&format!("file://{path}"));
    let count = browser.run("return window.trace.count").as_u64().unwrap() as usize;
    for selected in (0..count).step_by(5) {
        let past = numbers(&browser.run(&format!("return window.trace.past({selected})")));
        let future = numbers(&browser.run(&format!("return window.trace.future({selected})")));
        for other in (0..count).step_by(3).filter(|other| *other != selected) {
            browser.run(&format!("location.hash = '#event={selected}&why={other}'; dispatchEvent(new Event('hashchange'))"));
            let why = browser.run("return window.trace.why()");
            let words = why["words"].as_str().unwrap().to_owned();
            let is_ordered = past.contains(&other) || future.contains(&other);
            assert_eq!(
                why["chain"].is_array(),
                is_ordered,
                "{selected} {other}: {words}"
            );
            assert_eq!(words.contains("are concurrent"), !is_ordered, "{words}");
            if !is_ordered {
                continue;
            }
            let chain = numbers(&why["chain"]);
            let ends = (*chain.first().unwrap(), *chain.last().unwrap());
            assert_eq!(ends, (selected.min(other), selected.max(other)));
            for step in chain.windows(2) {
                let causes = format!(
                    "return window.trace.past({}).includes({})",
                    step[1], step[0]
                );
                assert_eq!(browser.run(&causes), true, "{chain:?}");
            }
        }
    }

    // As a person does it: by the button, and a click on the other event; and with the keys.
    browser.open("about:blank");
    browser.open(&format!("file://{path}#event=8"));
    browser.run("document.getElementById('why-choose').click(); window.trace.frame()");
    let at = browser.run("return window.trace.positionOf(0)");
    browser.click(at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap());
    assert_eq!(browser.run("return window.trace.selected()"), 8);
    let words = browser.run("return document.getElementById('why').textContent");
    assert!(words.as_str().unwrap().starts_with("event 0 ("), "{words}");
    browser.run("document.getElementById('canvas').focus()");
    browser.press('w');
    browser.press('\u{e010}');
    let why = browser.run("return window.trace.why()");
    assert!(
        why["words"].as_str().unwrap().contains("event 8 ("),
        "{why}"
    );
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn two_executions_are_compared() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    // After its receive b does different things.
    let of = |run: &str, start: u64, steps: &str| {
        let id = message("udp:a>b#1");
        let command = format!("\"text\":\"a --log {run}.jsonl\"");
        let mut lines = line("a", 0, start - 1, "start", &command)
            + &line("a", 1, start, "send", &id)
            + &line("b", 0, start + 1, "receive", &id);
        for (number, step) in (1..).zip(steps.split(' ')) {
            let text = format!("\"text\":\"{step}\"");
            lines += &line("b", number, start + 1 + number, "local", &text);
        }
        lines.replace("\"run\":\"r\"", &format!("\"run\":\"{run}\""))
    };
    let (one, two) = (
        folder.write("one.jsonl", of("one", 10, "k1 k2 k3 k4 done")),
        folder.write("two.jsonl", of("two", 500, "k0 k1 k3 k4 k5 done")),
    );
    let path = folder.path("page.html");
    assert_eq!(trace(&[&one, &two, "--html", &path]).code, Some(0));
    browser.open(&format!("file://{path}"));
    browser.run("document.getElementById('compare-on').click(); window.trace.frame()");
    let lanes = || texts(&browser.run("return window.trace.lanes()"));
    assert_eq!(lanes(), ["A · a", "A · b", "B · a", "B · b"]);
    let result = browser.run("return document.getElementById('compare-result').textContent");
    assert_eq!(result, "1 event only in A, 2 only in B.");
    let differences = numbers(&browser.run("return window.trace.differences()"));
    assert_eq!(differences.len(), 3);
    for text in ["k2", "k0", "k5"] {
        browser.run("document.getElementById('difference-next').click()");
        let details = browser.run("return document.querySelector('#details p').textContent");
        assert_eq!(details, text);
    }
    // Both begin at the left.
    let left = |event: usize| {
        browser.run(&format!(
            "window.trace.frame(); return window.trace.positionOf({event}).x"
        ))
    };
    assert_eq!(left(0), left(8));
    browser.run("document.getElementById('compare-on').click(); window.trace.frame()");
    assert_eq!(lanes().len(), 4);
    assert_ne!(left(0), left(8));

    // Two executions in one file; the same ones have no difference.
    let log = "== x\na {\"a\":1}\nstart\nb {\"b\":1,\"a\":1}\ngot it\n== y\na {\"a\":1}\nstart\nb {\"b\":1,\"a\":1}\ngot it\n";
    let log = folder.write("two.log", log);
    let regex = "(?<host>\\w+) (?<clock>{.*})\\n(?<event>.*)";
    let arguments = [
        &log,
        "--regex",
        regex,
        "--delimiter",
        "^== (?<trace>.*)$",
        "--html",
        &path,
    ];
    assert_eq!(trace(&arguments).code, Some(0));
    browser.open("about:blank");
    browser.open(&format!("file://{path}"));
    browser.run("document.getElementById('compare-on').click(); window.trace.frame()");
    assert_eq!(lanes(), ["A · a", "A · b", "B · a", "B · b"]);
    let result = browser.run("return document.getElementById('compare-result').textContent");
    assert_eq!(result, "Both have the same events on each process.");
    // The events have the roles that the clocks show.
    let kind = |event: usize| {
        browser.run(&format!("window.trace.select({event})"));
        let heading = browser.run("return document.querySelector('#details h2').textContent");
        heading
            .as_str()
            .unwrap()
            .split(": ")
            .nth(1)
            .unwrap()
            .to_owned()
    };
    let mut kinds: Vec<_> = (0..4).map(kind).collect();
    kinds.sort();
    assert_eq!(kinds, ["receive", "receive", "send", "send"]);
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn motifs_are_found() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    let path = page_of(&folder, &folder.write("crowd.jsonl", crowd()));
    browser.open(&format!("file://{path}"));
    let clients = CLIENTS as usize;
    choose(&browser, "motif", "reply");
    let found = motifs(&browser);
    let expected: Vec<_> = (0..clients)
        .map(|it| vec![it, it + clients, it + 2 * clients, it + 3 * clients])
        .collect();
    assert_eq!(found, expected);
    browser.run("document.getElementById('motif-next').click(); window.trace.frame()");
    for event in &found[0] {
        assert_eq!(
            browser.run(&format!("return window.trace.inView({event})")),
            true,
            "{event}"
        );
    }
    // The chain of two messages from one client to another, with its ends far apart.
    browser.run("location.hash = '#event=130&why=5'; dispatchEvent(new Event('hashchange')); window.trace.frame()");
    browser.run("document.getElementById('why-show').click(); window.trace.frame()");
    let chain = numbers(&browser.run("return window.trace.why().chain"));
    assert_eq!((chain[0], chain.len()), (5, 48));
    for event in chain {
        assert_eq!(
            browser.run(&format!("return window.trace.inView({event})")),
            true,
            "{event}"
        );
    }
    // The server receives from all before it sends to all.
    choose(&browser, "motif", "gather");
    assert_eq!(motifs(&browser), [(0..2 * clients).collect::<Vec<_>>()]);
    choose(&browser, "motif", "broadcast");
    assert_eq!(
        motifs(&browser),
        [(2 * clients..4 * clients).collect::<Vec<_>>()]
    );
    browser.run("const it = document.getElementById('motif-least'); it.value = '41'; it.oninput()");
    assert_eq!(motifs(&browser), Vec::<Vec<usize>>::new());

    // Drawn: a send and its receive on the server, and the server's answer.
    for event in [5, 5 + clients, 5 + 2 * clients] {
        browser.run(&format!(
            "window.trace.select({event}); document.getElementById('canvas').focus()"
        ));
        browser.press('m');
    }
    assert_eq!(
        browser.run("return document.getElementById('motif').value"),
        "drawn"
    );
    let found = motifs(&browser);
    assert_eq!(found.len(), clients);
    assert!(
        found
            .iter()
            .all(|events| events.len() == 3 && events[1] == events[0] + clients)
    );
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn the_page_of_the_documentation_opens() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace/index.html");
    browser.open(&format!("file://{path}#event=20"));
    assert_eq!(browser.run("return window.trace.selected()"), 20);
    assert!(
        browser.run("return window.trace.folded !== undefined") == true,
        "scripts/pictures.sh makes it again"
    );
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn the_page_of_the_documentation_has_the_script_and_style_as_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../../docs/trace/index.html")).unwrap();
    for entry in fs::read_dir(root.join("src/trace/page")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if path
            .extension()
            .is_some_and(|extension| extension != "html")
        {
            let current = page.contains(&text);
            assert!(current, "{path:?}: scripts/pictures.sh makes it again");
        }
    }
}
