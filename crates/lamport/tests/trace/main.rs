//! The logs of several programs as one computation, by the real program.

mod bad_input;
#[path = "../support/bugs.rs"]
mod bugs;
mod drawing;
mod foreign;
mod guesses;
mod missing;
mod one_checker;
mod page;
mod page_cut;
mod page_lanes;
mod page_questions;
mod reading;
mod svg;
mod text;
mod vectors;
mod verdict;
mod webdriver;

use common::{
    event::{Event, Kind},
    testing::{Finished, Folder, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// `lamport trace` with these arguments.
fn trace(arguments: &[&str]) -> Finished {
    run(LAMPORT, &[&["trace"], arguments].concat())
}

/// A line of a log: so many microseconds after midnight, and what else there is to say.
fn line(node: &str, seq: u64, micros: u64, event: &str, more: &str) -> String {
    on_thread(node, "main", seq, micros, event, more)
}

fn on_thread(node: &str, thread: &str, seq: u64, micros: u64, event: &str, more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(
        "{{\"v\":1,\"run\":\"r\",\"node\":\"{node}\",\"thread\":\"{thread}\",\"seq\":{seq},\"time\":\"2026-11-24T00:00:00.{micros:06}Z\",\"level\":\"info\",\"event\":\"{event}\"{comma}{more}}}\n"
    )
}

/// The fields of a message.
fn message(id: &str) -> String {
    format!("\"message\":\"{id}\",\"peer\":\"peer\"")
}

/// A client that asks a server and is answered, each in its own log.
fn exchange(folder: &Folder) -> [String; 2] {
    let (ask, answer) = (
        message("tcp:127.0.0.1:4>127.0.0.1:5#1"),
        message("tcp:127.0.0.1:5>127.0.0.1:4#1"),
    );
    let client = [
        line("client", 0, 10, "start", ""),
        line("client", 1, 20, "send", &ask),
        line("client", 2, 50, "receive", &answer),
        line("client", 3, 60, "stop", ""),
    ];
    let server = [
        line("server", 0, 0, "start", ""),
        line("server", 1, 30, "receive", &ask),
        line("server", 2, 40, "send", &answer),
        line("server", 3, 90, "stop", ""),
    ];
    [
        folder.write("client.jsonl", client.concat()),
        folder.write("server.jsonl", server.concat()),
    ]
}

/// A verdict in JSON: each property, its verdict, and why.
fn verdict(finished: &Finished) -> Vec<(String, String, String)> {
    let checks = finished
        .events()
        .into_iter()
        .filter(|event| event.kind == Kind::Check);
    let words = |check: Event| {
        (
            check.check.unwrap().into_owned(),
            check.verdict.unwrap().word().to_owned(),
            check.text.unwrap(),
        )
    };
    checks.map(words).collect()
}

/// The verdict on one property, and why.
fn on_property(finished: &Finished, property: &str) -> (String, String) {
    let found = verdict(finished)
        .into_iter()
        .find(|check| check.0 == property);
    let (_, word, why) = found.unwrap_or_else(|| panic!("{property}: {finished:?}"));
    (word, why)
}
