//! The limits of the model checker: states, memory, an interrupt; they hold while a round goes on.

#[path = "support/checked.rs"]
mod checked;
#[path = "support/explorer.rs"]
mod explorer;

use std::{
    fs,
    time::{Duration, Instant},
};

use common::{
    event::Kind,
    testing::{self, start},
    text::plural,
};

use checked::{checks, lamport};
use explorer::ask;

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

#[test]
fn more_states_than_the_limit_give_no_verdict() {
    let finished = lamport("check mutex --processes 3 --states 1000");
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let open = "open  mutual exclusion       not violated in the first ";
    assert!(finished.out.contains(open), "{}", finished.out);
    let more = "lamport: --states 1000: there are more: no violation in the first 1000 states,";
    assert!(finished.err.contains(more), "{}", finished.err);
    assert!(
        finished.err.contains(" states, to depth "),
        "{}",
        finished.err
    );
    // A violation is a verdict, whatever the number of further states.
    let finished = lamport("check mutex --bug no-acknowledgement --states 1000");
    assert_eq!(finished.code, Some(1), "{finished:?}");
}

#[test]
fn an_interrupt_ends_the_search_and_every_verdict_is_open() {
    // A search that takes far longer than the test.
    let mut running = start(LAMPORT, &["check", "total", "--count", "9", "--json"]);
    running.err_line("3 processes of total");
    let finished = running.interrupt();
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let verdicts = checks(&finished);
    assert_eq!(verdicts.len(), 4);
    assert!(verdicts.iter().all(|(_, value)| value == "open"));
    let report = finished.events().into_iter().rev();
    let report = report.into_iter().find(|event| event.kind == Kind::Report);
    let counts = report.unwrap().counts;
    assert_eq!(counts["complete"], 0);
    let far = format!(
        "lamport: check total: interrupted: no violation in the first {}, to depth {}\n",
        plural(counts["distinct"], "state"),
        counts["depth"]
    );
    assert!(finished.err.ends_with(&far), "{}", finished.err);
}

/// The number after these words.
fn number_after(text: &str, words: &str) -> u64 {
    let rest = text
        .split(words)
        .nth(1)
        .unwrap_or_else(|| panic!("no {words:?} in {text}"));
    let digits = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..digits].parse().unwrap()
}

#[test]
fn the_number_of_states_is_held_to_within_a_hundredth() {
    for (arguments, states) in [
        ("total --count 2", 777),
        ("total --count 2 --workers 3", 10_000),
        ("causal --processes 5 --count 2", 30_000),
        ("mutex --processes 3 --max-clock 9 --workers 5", 100_000),
    ] {
        let asked = format!("check {arguments} --states {states}");
        let finished = lamport(&asked);
        assert_eq!(finished.code, Some(2), "{asked}: {finished:?}");
        let found = number_after(&finished.err, "no violation in the first ");
        assert!(
            found <= states && found >= states - states / 100,
            "{asked}: {found}"
        );
    }
    // As many as there are is no limit.
    let exactly = lamport("check mutex --processes 2 --max-clock 3 --states 191");
    assert_eq!(exactly.code, Some(0), "{exactly:?}");
    let fewer = lamport("check mutex --processes 2 --max-clock 3 --states 190");
    assert_eq!(fewer.code, Some(2), "{fewer:?}");
}

#[test]
fn the_memory_of_the_states_is_bounded() {
    for arguments in ["total --count 3", "mutex --max-clock 20"] {
        let asked = format!("check {arguments} --memory 32MiB");
        let finished = lamport(&asked);
        assert_eq!(finished.code, Some(2), "{asked}: {finished:?}");
        let why =
            "lamport: --memory 32MiB: there are more states than fit: no violation in the first ";
        assert!(finished.err.contains(why), "{asked}: {}", finished.err);
        let states = number_after(&finished.err, "no violation in the first ");
        assert!(states > 30_000, "{asked}: {states}");
    }
    let refused = lamport("check mutex --memory 1");
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.err.contains("'1' is not a size: 512MiB, 2GiB"),
        "{}",
        refused.err
    );
}

#[test]
fn the_process_takes_little_more_than_the_memory_that_it_is_given() {
    // Whole states and packed ones, without and with faults, and more threads than there are processors.
    for arguments in [
        "total --count 9 --workers 2",
        "ricart-agrawala --count 2 --may-duplicate 1 --workers 2",
        "mutex --count 3 --reduction off --workers 4",
        "mutex --max-clock 40 --workers 2",
    ] {
        let asked = format!("check {arguments} --memory 32MiB --json");
        let program: Vec<_> = asked.split(' ').collect();
        let running = start(LAMPORT, &program);
        // The kernel keeps the most that the process had until it is waited for; it is read while the search goes on.
        let status = format!("/proc/{}/status", running.id());
        let mut most = 0;
        while let Ok(text) = fs::read_to_string(&status)
            && text.contains("VmHWM:")
        {
            most = most.max(number_after(&text.replace(['\t', ' '], ""), "VmHWM:"));
            std::thread::sleep(Duration::from_millis(1));
        }
        let finished = running.finish();
        assert_eq!(finished.code, Some(2), "{asked}: {finished:?}");
        // A quarter more for what the allocator keeps free, and 16 MiB for the program.
        let allowed = 32 * 1024 * 5 / 4 + 16 * 1024;
        assert!((20_000..allowed).contains(&most), "{asked}: {most} KiB");
    }
}

#[test]
fn without_memory_the_search_ends_and_aborts_nothing() {
    // A limit of the address space, which the search cannot know of when it is told to take more.
    let command =
        format!("ulimit -v 400000; exec {LAMPORT} check mutex --max-clock 40 --memory 64GiB");
    let finished = testing::Running::start(testing::command("sh", &["-c", &command])).finish();
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished.err.contains("there are more states than fit"),
        "{}",
        finished.err
    );
}

#[test]
fn an_interrupt_is_answered_in_the_middle_of_a_round() {
    for arguments in [
        &["check", "mutex", "--max-clock", "40"][..],
        &["check", "total", "--count", "9"],
    ] {
        let mut running = start(LAMPORT, arguments);
        running.err_line("");
        // Until it has states by the hundred thousand, which would take long to free one by one.
        let status = format!("/proc/{}/status", running.id());
        let enough = Instant::now() + Duration::from_secs(20);
        while Instant::now() < enough {
            let text = fs::read_to_string(&status)
                .unwrap()
                .replace(['\t', ' '], "");
            if number_after(&text, "VmRSS:") > 100_000 {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let before = Instant::now();
        let finished = running.interrupt();
        let took = before.elapsed();
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(
            finished
                .err
                .contains("interrupted: no violation in the first "),
            "{}",
            finished.err
        );
        // 0.2 s, and what a machine with other work adds; the round would go on for longer.
        assert!(took < Duration::from_secs(2), "{arguments:?}: {took:?}");
    }
}

#[test]
fn the_explorer_obeys_the_same_bounds() {
    for (flag, value) in [("--states", "5000"), ("--memory", "4MiB")] {
        let arguments = [
            "explore",
            "total",
            "--count",
            "3",
            "--listen",
            "127.0.0.1:0",
            flag,
            value,
        ];
        let mut running = start(LAMPORT, &arguments);
        let address = running.ready();
        ask(address, "POST", "/.runtocompletion");
        let line = running.err_line_with(flag);
        assert!(line.contains("the explorer does not follow them"), "{line}");
        let status = ask(address, "GET", "/.status");
        let states = number_after(&status, "\"unique_state_count\":");
        assert!(states <= 50_000, "{flag}: {status}");
        let finished = running.interrupt();
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}
