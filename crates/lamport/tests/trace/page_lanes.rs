//! What the page shows at first sight: lanes, labels, tooltips, a narrow window, paper.

use common::testing::Folder;
use serde_json::Value;

use crate::{line, message, page::page_of, webdriver::Browser};

/// Clients of one server: all send, it receives and answers all, all receive.
pub(crate) const CLIENTS: u64 = 40;

/// The logs of the server `z` and its clients; event 0 is the first send, and z receives it at [`CLIENTS`].
pub(crate) fn crowd() -> String {
    let client = |number: u64| format!("c{:02}", number + 1);
    let mut lines = String::new();
    for (phase, event) in ["send", "receive", "send", "receive"].iter().enumerate() {
        for number in 0..CLIENTS {
            let name = client(number);
            let (id, text) = match phase {
                0 | 1 => (format!("udp:{name}>z#1"), format!("ask {name}")),
                _ => (format!("udp:z>{name}#1"), format!("answer {name}")),
            };
            let phase = phase as u64;
            let (node, seq) = match phase {
                0 => (name.as_str(), 0),
                3 => (name.as_str(), 1),
                _ => ("z", (phase - 1) * CLIENTS + number),
            };
            let fields = format!("{},\"text\":\"{text}\"", message(&id));
            lines += &line(node, seq, phase * CLIENTS + number, event, &fields);
        }
    }
    lines
}

pub(crate) fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().unwrap_or_else(|| panic!("{value}"));
    let text = |text: &Value| text.as_str().unwrap().to_owned();
    texts.iter().map(text).collect()
}

/// A page of the crowd.
fn opened(browser: &Browser, folder: &Folder, address: &str) {
    let path = page_of(folder, &folder.write("crowd.jsonl", crowd()));
    browser.open("about:blank");
    browser.open(&format!("file://{path}{address}"));
    browser.run("window.trace.frame()");
}

/// Chooses in the menus of the page.
fn choose(browser: &Browser, id: &str, value: &str) {
    browser.run(&format!(
        "const it = document.getElementById('{id}'); it.value = '{value}'; it.onchange(); window.trace.frame()"
    ));
}

fn press(browser: &Browser, id: &str) {
    browser.run(&format!(
        "document.getElementById('{id}').click(); window.trace.frame()"
    ));
}

fn number(browser: &Browser, script: &str) -> f64 {
    let value = browser.run(&format!("return {script}"));
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{script}: {value}"))
}

#[test]
fn lanes_are_ordered_folded_and_grouped() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    opened(&browser, &folder, "");
    let lanes = || texts(&browser.run("return window.trace.lanes()"));
    let folded = || number(&browser, "window.trace.folded()") as usize;

    // All are in view when everything is: the server is among its clients, and by name it is the last one.
    browser.resize(1400, 2400);
    press(&browser, "fit");
    assert_eq!((lanes().len(), folded()), (CLIENTS as usize + 1, 0));
    let place = lanes().iter().position(|lane| lane == "z").unwrap();
    assert!((5..36).contains(&place), "{place}");
    choose(&browser, "order", "name");
    assert_eq!(lanes().last().unwrap(), "z");
    let address = browser.run("return location.hash");
    assert!(address.as_str().unwrap().contains("order=name"));

    // In the beginning only some have events: the others are one strip, which says how many; a click shows them.
    browser.resize(600, 900);
    browser.run("window.trace.select(0); for (let i = 0; i < 12; i++) document.getElementById('zoom-in').click(); window.trace.frame()");
    assert_eq!(lanes().len() + folded(), CLIENTS as usize + 1);
    let hidden = folded();
    assert!(hidden > 20, "{hidden}");
    let status = browser.run("return document.getElementById('status').textContent");
    let words = format!("{hidden} lanes without an event in view");
    assert!(status.as_str().unwrap().contains(&words), "{status}");
    let bottom = number(
        &browser,
        "document.querySelector('#canvas').getBoundingClientRect().bottom",
    );
    browser.click(60.0, bottom - 36.0);
    browser.run("window.trace.frame()");
    assert_eq!(folded(), 0);
    assert_eq!(
        browser.run("return document.getElementById('fold').checked"),
        false
    );

    // The lanes of a program are one.
    browser.resize(1400, 900);
    press(&browser, "fit");
    press(&browser, "group");
    press(&browser, "programs-fold");
    assert_eq!(lanes(), [format!("c × {CLIENTS}"), "z × 1".to_owned()]);
    let first = browser.run("const box = document.querySelector('#canvas').getBoundingClientRect(), at = window.trace.positionOf(0);
        return [box.left + 8, at.y]");
    browser.click(first[0].as_f64().unwrap(), first[1].as_f64().unwrap());
    browser.run("window.trace.frame()");
    assert!(lanes().len() > 10, "{:?}", lanes());
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn no_label_is_over_another_and_the_selected_event_has_one() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    opened(&browser, &folder, "");
    let mut most_of_server = 0;
    for selected in (0..4 * CLIENTS).step_by(7) {
        for zoom in ["fit"].into_iter().chain(std::iter::repeat_n("zoom-in", 6)) {
            browser.run(&format!("window.trace.select({selected})"));
            press(&browser, zoom);
            if browser.run(&format!("return window.trace.inView({selected})")) == false {
                continue;
            }
            let labels = browser.run("return window.trace.labels()");
            let labels = labels.as_array().unwrap();
            let of = |label: &Value, name: &str| label[name].as_f64().unwrap();
            let own = labels
                .iter()
                .any(|label| label["event"] == selected && label["text"] != "");
            assert!(own, "{selected} {zoom}: {labels:?}");
            for (at, one) in labels.iter().enumerate() {
                for other in &labels[at + 1..] {
                    let beside = of(one, "x") + of(one, "width") <= of(other, "x")
                        || of(other, "x") + of(other, "width") <= of(one, "x");
                    let above = (of(one, "y") - of(other, "y")).abs() >= 11.0;
                    assert!(beside || above, "{selected} {zoom}: {one} {other}");
                }
            }
            // The server has 80 events: it keeps labels where there is room.
            let of_server =
                |label: &&Value| (CLIENTS..3 * CLIENTS).contains(&label["event"].as_u64().unwrap());
            most_of_server = most_of_server.max(labels.iter().filter(of_server).count());
        }
    }
    assert!(most_of_server > 5, "{most_of_server}");
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn it_explains_itself_and_covers_nothing() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    opened(&browser, &folder, "");
    browser.resize(900, 700);
    browser.run("window.trace.frame()");
    let shown = |id: &str| {
        browser.run(&format!(
            "return document.getElementById('{id}').checkVisibility()"
        )) == true
    };
    let text = |id: &str| {
        browser.run(&format!(
            "return document.getElementById('{id}').textContent"
        ))
    };
    assert!(shown("hint"));
    assert!(
        text("hint")
            .as_str()
            .unwrap()
            .starts_with("Lanes are processes, time goes right, arrows are messages;")
    );

    // All rules, also those that the logs have nothing of.
    let rules = text("verdict-list");
    for rule in [
        "well formed",
        "one name, one process",
        "received was sent",
        "causes come first",
        "clock condition",
        "vector clocks",
        "wall clocks",
    ] {
        assert!(rules.as_str().unwrap().contains(rule), "{rule}: {rules}");
    }
    assert_eq!(browser.run("const it = document.getElementById('verdict-list'); return it.scrollHeight - it.clientHeight"), 0);

    // The tooltip of an event beside the panel.
    let covers = "const a = document.getElementById('tooltip').getBoundingClientRect(), b = document.getElementById('panel').getBoundingClientRect();
        return [a.width, Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)]";
    for width in [900, 400] {
        browser.resize(width, 700);
        browser.run("document.getElementById('panel').hidden = false; window.trace.frame()");
        for event in 0..4 * CLIENTS {
            if event % 9 != 0
                || browser.run(&format!("return window.trace.inView({event})")) == false
            {
                continue;
            }
            let at = browser.run(&format!("return window.trace.positionOf({event})"));
            browser.point(at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap());
            let covered: Vec<f64> = browser
                .run(covers)
                .as_array()
                .unwrap()
                .iter()
                .map(|it| it.as_f64().unwrap())
                .collect();
            assert!(covered[0] > 50.0, "{event}: {covered:?}");
            assert!(
                covered[1] <= 0.0 || covered[2] <= 0.0,
                "{event}: {covered:?}"
            );
        }
    }
    browser.resize(900, 700);

    // A click ends the explanation.
    let at = browser.run("return window.trace.positionOf(0)");
    browser.click(at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap());
    assert!(!shown("hint"));

    // Filters that leave nothing say so.
    for (none, words) in [
        ("processes-none", "No process is chosen"),
        ("kinds-none", "No kind of event is chosen"),
    ] {
        press(&browser, none);
        assert!(
            shown("empty") && text("empty").as_str().unwrap().contains(words),
            "{none}"
        );
        press(&browser, "empty-all");
        assert!(!shown("empty"));
        assert_eq!(
            number(&browser, "window.trace.visible()") as u64,
            4 * CLIENTS
        );
    }
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn a_search_centres_its_match_with_the_other_end_in_view() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    opened(&browser, &folder, "");
    browser.resize(1000, 600);
    for (needle, event, other) in [
        ("ask c20", 19, 59),
        ("answer c31", 110, 150),
        ("ask c01", 0, 40),
        ("ask c40", 39, 79),
    ] {
        browser.run("document.getElementById('search').value = ''; window.trace.select(-1)");
        browser.write("input[type=search]", &format!("{needle}\u{e007}"));
        browser.run("window.trace.frame()");
        assert_eq!(
            browser.run("return window.trace.selected()"),
            event,
            "{needle}"
        );
        let in_view = |event: i32| {
            browser.run(&format!(
                "window.trace.frame(); return window.trace.inView({event})"
            )) == true
        };
        assert!(in_view(event) && in_view(other), "{needle}");
        let away = format!("const box = document.getElementById('diagram').getBoundingClientRect();
            return Math.abs(window.trace.positionOf({event}).x - box.left - box.width / 2) / box.width");
        let away = browser.run(&away).as_f64().unwrap();
        assert!(away < 0.2, "{needle}: {away}");
    }
    assert_eq!(browser.console(), Vec::<Value>::new());
}

#[test]
fn a_phone_shows_the_panel_below_and_paper_only_the_diagram() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let folder = Folder::new();
    browser.resize(390, 844);
    browser.emulate("", "dark");
    opened(&browser, &folder, "");
    assert_eq!(
        number(&browser, "document.documentElement.scrollWidth"),
        390.0
    );
    let shown = |selector: &str| {
        browser.run(&format!(
            "return document.querySelector('{selector}').checkVisibility()"
        )) == true
    };
    assert!(!shown("#panel"));
    let at = browser.run("return window.trace.positionOf(0)");
    browser.click(at["x"].as_f64().unwrap(), at["y"].as_f64().unwrap());
    assert!(shown("#panel"));
    let below = "document.getElementById('panel').getBoundingClientRect().top - document.getElementById('diagram').getBoundingClientRect().bottom";
    assert!(number(&browser, below) >= -1.0);
    assert!(
        number(
            &browser,
            "document.getElementById('panel').getBoundingClientRect().width"
        ) > 380.0
    );

    browser.resize(750, 1060);
    browser.emulate("print", "dark");
    browser.run("window.dispatchEvent(new Event('beforeprint'))");
    for (selector, is_there) in [
        ("#canvas", true),
        ("#legend-lines", true),
        ("#panel", false),
        ("#search", false),
        ("#filters", false),
        ("#status", false),
        ("#theme", false),
    ] {
        assert_eq!(shown(selector), is_there, "{selector}");
    }
    assert!(
        number(
            &browser,
            "document.getElementById('canvas').getBoundingClientRect().width / innerWidth"
        ) > 0.95
    );
    assert!(
        number(
            &browser,
            "document.getElementById('canvas').getBoundingClientRect().height"
        ) < 1060.0
    );
    // White paper although the screen is dark.
    let corner = "return [...document.getElementById('canvas').getContext('2d').getImageData(900, 70, 1, 1).data].slice(0, 3)";
    assert!(
        browser
            .run(corner)
            .as_array()
            .unwrap()
            .iter()
            .all(|part| part.as_u64().unwrap() > 200)
    );
    assert_eq!(
        browser.run("return getComputedStyle(document.body).backgroundColor"),
        "rgb(255, 255, 255)"
    );
    browser.run("window.dispatchEvent(new Event('afterprint'))");
    browser.emulate("", "dark");
    browser.run("window.trace.frame()");
    assert!(
        browser
            .run(corner)
            .as_array()
            .unwrap()
            .iter()
            .all(|part| part.as_u64().unwrap() < 100)
    );
    assert!(shown("#panel"));
    // Chromium warns of the slow reading of pixels.
    let errors = |entry: &Value| entry["level"] == "SEVERE";
    assert!(!browser.console().iter().any(errors));
}
