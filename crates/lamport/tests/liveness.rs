//! `check --liveness`: the lasso in words, as a picture and replayed; what is refused, and limits.

#[path = "support/checked.rs"]
mod checked;

use common::{
    event::{Event, Kind},
    testing::{self, Folder},
};

use checked::{checks, lamport};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

const UNFAIR: &str = "check central --processes 4 --bug unfair-queue --liveness";

#[test]
fn a_starving_process_is_shown_drawn_and_replayed() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = lamport(&format!("{UNFAIR} --logs {logs}"));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let file = format!("{logs}/every-request-granted.jsonl");
    let out = &finished.out;
    for line in [
        "FAIL  every request granted  p4 waits for ever\n",
        "a lasso: a path of 5 steps, and a loop of 10:\n    1  p2 at 1 requests the critical section",
        "    6  p4 at 2 local event 'waits; the steps from here on repeat for ever'\n    7  p",
        "   17  p4 at 3 local event 'still waits, as at the beginning of the loop'\nand so on for ever, from step 7 again\n",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    // The others go on in the loop, the starving process does nothing.
    let (_, cycle) = out.split_once("repeat for ever'\n").unwrap();
    let (cycle, _) = cycle.split_once("still waits").unwrap();
    for process in ["p2", "p3"] {
        let enters = cycle.lines().filter(|line| {
            line.contains(&format!("  {process} at "))
                && line.contains("enters the critical section")
        });
        assert_eq!(enters.count(), 1, "{cycle}");
    }

    let replay = out
        .lines()
        .find_map(|line| line.strip_prefix("replay in the simulator: lamport "));
    let replayed = lamport(replay.unwrap());
    assert_eq!(replayed.code, Some(1), "{replayed:?}");
    assert!(
        replayed
            .out
            .contains("leads back to the same state, but for the values of clocks\n")
    );
    let fail =
        "FAIL  every request granted  not granted in the loop, which repeats for ever: p4's of 1\n";
    assert!(replayed.out.contains(fail), "{}", replayed.out);

    let svg = folder.path("lasso.svg");
    let drawn = lamport(&format!("trace {file} --check --svg {svg}"));
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    let svg = std::fs::read_to_string(svg).unwrap();
    assert!(svg.contains("repeat for ever") && svg.contains("as at the beginning of the loop"));
}

#[test]
fn the_algorithms_starve_nobody_and_elections_end() {
    let (granted, agreement) = ("every request granted", "agreement in the end");
    for (arguments, property) in [
        ("central", granted),
        ("ricart-agrawala", granted),
        ("mutex", granted),
        ("central --reduction off", granted),
        ("bully", agreement),
        ("ring --may-crash 0 --may-suspect 1", agreement),
    ] {
        let finished = lamport(&format!("check {arguments} --liveness --json"));
        assert_eq!(finished.code, Some(0), "{arguments}: {finished:?}");
        let holds = (property.to_owned(), "ok".to_owned());
        assert_eq!(checks(&finished), [holds], "{arguments}");
        let Event { kind, counts, .. } = finished.last_event();
        assert_eq!(kind, Kind::Report);
        assert_eq!(
            (counts["complete"], counts["fair"], counts["violated"]),
            (1, 0, 0)
        );
        assert!(counts["distinct"] > 20, "{counts:?}");
    }
}

#[test]
fn what_no_lasso_can_be_searched_for_is_refused() {
    let clocks = "--liveness: not with --bug no-tie-break: states are without the values of clocks, and with the bug equal times";
    testing::check_refusals(
        LAMPORT,
        &[
            (
                &["check", "events", "--liveness"],
                "--liveness: events: it has no liveness property",
            ),
            (
                &["check", "total", "--liveness"],
                "--liveness: total: its processes count multicasts",
            ),
            (
                &["check", "mutex", "--liveness", "--bug", "no-tie-break"],
                clocks,
            ),
            (
                &[
                    "check",
                    "central",
                    "--liveness",
                    "--bug",
                    "no-acknowledgement",
                ],
                "--liveness: not with --bug no-acknowledgement: messages that nobody waits for pile up",
            ),
            (
                &["check", "central", "--liveness", "--count", "2"],
                "--count: means nothing with --liveness: operations have no end",
            ),
            (
                &["check", "central", "--liveness", "--may-lose", "1"],
                "--may-lose: means nothing with --liveness: fairness is that of reliable FIFO channels",
            ),
            (
                &["check", "mutex", "--liveness", "--max-clock", "4"],
                "--max-clock: means nothing with --liveness",
            ),
            (
                &["explore", "mutex", "--liveness"],
                "--liveness: explore does not take it; check does",
            ),
        ],
    );
}

#[test]
fn a_limit_leaves_it_open() {
    let finished = lamport("check ricart-agrawala --liveness --states 100");
    assert_eq!(finished.code, Some(2), "{finished:?}");
    assert!(
        finished
            .out
            .starts_with("open  every request granted  no lasso in the first ")
    );
    assert!(
        finished
            .err
            .contains("--states 100: there are more: no lasso in the first "),
        "{finished:?}"
    );
}
