//! Clock synchronization, by the real program: how far clocks can be wrong, what asymmetric delays do to them, and clocks that jump.

use std::fs;

use common::{
    event::{Event, Kind, Verdict},
    testing::{Finished, Folder, read_log, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

fn lamport(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(LAMPORT, &arguments)
}

/// The verdict on a property, in words too.
fn check(finished: &Finished, property: &str) -> (Verdict, String) {
    let events = finished.events();
    let of_it =
        |event: &&Event| event.kind == Kind::Check && event.check.as_deref() == Some(property);
    let check = events.iter().find(of_it).unwrap();
    let text = check.text.as_deref().unwrap_or_default();
    (check.verdict.unwrap(), text.to_owned())
}

const ERROR: &str = "error within bound";
const BACK: &str = "no clock set back";

/// A length of time in words, in milliseconds.
fn millis(text: &str) -> f64 {
    let mut words = text.trim_end_matches(',').split(' ');
    let (number, unit) = (words.next().unwrap(), words.next().unwrap());
    let number: f64 = number.parse().unwrap();
    match unit.trim_end_matches(',') {
        "ns" => number / 1e6,
        "µs" => number / 1e3,
        "ms" => number,
        _ => number * 1e3,
    }
}

/// The largest error of a run, and what it may be, in milliseconds: `at worst 3 ms, where 5 ms is possible, …`.
fn worst(found: &str) -> (f64, f64) {
    let parts = found.strip_prefix("at worst ").unwrap();
    let (error, rest) = parts.split_once(", where ").unwrap();
    (millis(error), millis(rest))
}

/// A reply that takes 20 ms longer than the request puts the clock 10 ms wrong; the bound, half of the round trip, says so.
#[test]
fn asymmetric_delays_make_an_error_that_the_bound_allows() {
    for algorithm in ["cristian", "ntp"] {
        let run = |slow: &str| {
            let finished = lamport(&format!(
                "simulate {algorithm} --delay 1ms --slow {slow} --count 3 --rate 2 --show 0 --json"
            ));
            assert_eq!(finished.code, Some(0), "{finished:?}");
            worst(&check(&finished, ERROR).1)
        };
        let (error, bound) = run("p1>*:20ms");
        assert!((error - 10.0).abs() < 0.2, "{algorithm}: {error}");
        assert!((10.9..11.5).contains(&bound), "{algorithm}: {bound}");
        // As far as both directions are slower, nothing is wrong but the bound.
        let (error, bound) = run("p1/*:10ms");
        assert!(error < 0.2 && (10.9..11.5).contains(&bound), "{error}");
    }
}

/// A client that asks again waits longer, so that a reply comes in time.
#[test]
fn long_delays_do_not_keep_clocks_from_being_set() {
    for arguments in [
        "cristian --delay 2s",
        "ntp --delay exp:500ms",
        "berkeley --delay 30ms",
    ] {
        let finished = lamport(&format!("simulate {arguments} --count 10 --show 0 --json"));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert_eq!(check(&finished, BACK).0, Verdict::Ok, "{finished:?}");
    }
}

/// Cristian's round trip has the time that the server needs; NTP's delay has not.
#[test]
fn ntp_subtracts_what_the_server_needs() {
    let finished = lamport("simulate ntp --delay 1ms --count 3 --show 0 --json");
    let (_, bound) = worst(&check(&finished, ERROR).1);
    assert!((0.99..1.01).contains(&bound), "{bound}");
}

#[test]
fn a_clock_that_jumps_is_named_and_set_right_again() {
    let arguments = "cristian --processes 2 --delay 1ms --count 20 --show 0 --json";
    let back = lamport(&format!("simulate {arguments} --clock-jump p2@50ms:-500ms"));
    assert_eq!(back.code, Some(1), "{back:?}");
    let (verdict, why) = check(&back, BACK);
    assert_eq!(verdict, Verdict::Fail);
    assert!(
        why.starts_with("its hardware clock has jumped by -500 ms; p2 at "),
        "{why}"
    );
    // The next reply sets it right, and every round ends.
    assert_eq!(check(&back, ERROR).0, Verdict::Ok, "{back:?}");
    let forward = lamport(&format!("simulate {arguments} --clock-jump p2@50ms:+500ms"));
    assert_eq!(forward.code, Some(0), "{forward:?}");
}

#[test]
fn a_clock_that_is_not_one_of_the_run_and_one_process_are_refused() {
    for (arguments, why) in [
        (
            "simulate cristian --clock-offset p4=1s",
            "--clock-offset p4=1s: no process is called 'p4'",
        ),
        ("simulate ntp --processes 1", "--processes: 1 is not in 2"),
        (
            "simulate mutex --plot x.svg",
            "--plot: mutex sets no clocks",
        ),
        ("check cristian --liveness", "time passes"),
        (
            "run time --node x --clock-offset p2=1s",
            "--clock-offset p2=1s: no process is called 'p2'",
        ),
        ("simulate cristian --slow p1", "--slow p1: not A>B:DELAY"),
    ] {
        let finished = lamport(arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(why), "{}", finished.err);
    }
}

/// docs/reference/model-checking.md has it as a table.
#[test]
fn what_clock_synchronization_tolerates() {
    const ENDS: &[&str] = &["every round ends"];
    let folder = Folder::new();
    let logs = folder.path("logs");
    for (arguments, violated) in [
        ("cristian --processes 2 --count 2 --may-lose 1", &[][..]),
        ("cristian --processes 2 --count 2 --may-duplicate 1", &[]),
        ("cristian --processes 2 --count 2 --may-reorder 1", &[]),
        ("cristian --processes 2 --count 2 --may-crash 1", ENDS),
        ("ntp --processes 2 --count 2 --may-lose 1", &[]),
        ("ntp --processes 2 --count 2 --may-duplicate 1", &[]),
        ("ntp --processes 2 --count 2 --may-reorder 1", &[]),
        ("ntp --processes 2 --count 2 --may-crash 1", ENDS),
        ("berkeley --count 1 --may-lose 1", &[]),
        ("berkeley --count 1 --may-duplicate 1", &[]),
        ("berkeley --processes 2 --count 2 --may-reorder 1", &[]),
        ("berkeley --count 1 --may-crash 1", &[]),
    ] {
        let finished = lamport(&format!("check {arguments} --logs {logs} --json"));
        let events = finished.events().into_iter();
        let failed = events.filter(|event| event.verdict == Some(Verdict::Fail));
        let failed: Vec<_> = failed.filter_map(|event| event.check).collect();
        assert!(failed.iter().eq(violated), "{arguments}: {failed:?}");
    }
}

/// Each bug is found, by a path as short as can be.
#[test]
fn each_bug_is_found_in_every_interleaving_and_by_simulation() {
    const SKEW: &str = "skew after each round";
    let folder = Folder::new();
    let logs = folder.path("logs");
    for (arguments, property, steps) in [
        ("cristian --bug no-halving", ERROR, 4),
        ("cristian --bug stale-reply", ERROR, 5),
        ("cristian --bug set-back", BACK, 3),
        ("berkeley --bug average-outliers", "outliers left out", 5),
        ("berkeley --bug no-halving", SKEW, 5),
        ("berkeley --bug stale-reply", SKEW, 8),
        ("berkeley --bug set-back", BACK, 4),
        ("ntp --bug wrong-sign", ERROR, 4),
        ("ntp --bug stale-reply", ERROR, 6),
        ("ntp --bug set-back", BACK, 4),
    ] {
        // Two processes show all of them but the clock that is far off.
        let processes = if property.starts_with("outliers") {
            3
        } else {
            2
        };
        let checked = lamport(&format!(
            "check {arguments} --processes {processes} --logs {logs}"
        ));
        assert_eq!(checked.code, Some(1), "{checked:?}");
        let shortest = format!("shortest counterexample to \"{property}\", {steps} steps:");
        assert!(
            checked.out.contains(&shortest),
            "{shortest}: {}",
            checked.out
        );
        let simulated = lamport(&format!("simulate {arguments} --seeds 100 --json"));
        assert_eq!(simulated.code, Some(1), "{simulated:?}");
        assert_eq!(check(&simulated, property).0, Verdict::Fail, "{arguments}");
    }
}

/// The log of a process is written by its hardware clock, and `trace` finds by how much it is off.
#[test]
fn the_logs_of_clocks_that_are_off_disagree_and_trace_says_by_how_much() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let simulated = lamport(&format!(
        "simulate mutex --count 2 --show 0 --clock-offset p2=40ms --logs {logs}"
    ));
    assert_eq!(simulated.code, Some(0), "{simulated:?}");
    let traced = lamport(&format!("trace {logs} --check --json"));
    let (verdict, found) = check(&traced, "wall clocks");
    assert_eq!(verdict, Verdict::Warn, "{found}");
    let (corrections, _) = found.split_once(" for p2").unwrap();
    let (_, by) = corrections.rsplit_once('-').unwrap();
    // Messages take 1 ms at least.
    assert!((30.0..40.0).contains(&millis(by)), "{found}");
}

#[test]
fn real_processes_have_clocks_that_are_off_and_set_them_right() {
    let folder = Folder::new();
    let (logs, plot) = (folder.path("logs"), folder.path("clocks.svg"));
    let network = "--loss 10% --duplicate 10% --reorder 10%";
    let finished = lamport(&format!(
        "run ntp --for 400ms --rate 50 {network} --clock-offset p2=2s --logs {logs} --plot {plot} --json"
    ));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(check(&finished, ERROR).0, Verdict::Ok, "{finished:?}");
    assert!(
        fs::read_to_string(&plot)
            .unwrap()
            .contains("Delay of each sample")
    );
    // What it sent and received; it is ready by the machine's clock.
    let time = |name: &str| {
        let log = read_log(format!("{logs}/{name}.jsonl"));
        let mut events = log.iter().map(|record| &record.event);
        let sent = events.find(|event| event.kind == Kind::Send).unwrap();
        sent.time.since_1970().as_secs_f64()
    };
    let ahead = time("p2") - time("p1");
    assert!((1.0..3.0).contains(&ahead), "{ahead}");
    let traced = lamport(&format!("trace {logs} --check --json"));
    assert_eq!(check(&traced, ERROR), check(&finished, ERROR));
}
