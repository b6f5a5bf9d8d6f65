//! The real program, in simulated time.

#[path = "support/bugs.rs"]
mod bugs;

use std::{fs, process::Command};

use common::{
    event::{Event, Kind, Verdict},
    testing::{self, Finished, Folder, command, read_log, run},
};

use bugs::ALGORITHMS;

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

fn simulate(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(LAMPORT, &[&["simulate"], arguments.as_slice()].concat())
}

/// The checked properties, and whether they hold.
fn checks(finished: &Finished) -> Vec<(String, bool)> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    checks
        .map(|check| {
            let holds = check.verdict == Some(Verdict::Ok);
            (check.check.unwrap().into(), holds)
        })
        .collect()
}

#[test]
fn every_algorithm_has_its_properties_over_an_unreliable_network() {
    for (algorithm, _) in ALGORITHMS {
        // A process that goes on after it was suspected can come back with an old token.
        let crash = match algorithm {
            "token-ring" => "--crash p2@50ms",
            _ => "--crash p2@50ms..500ms",
        };
        let finished = simulate(&format!(
            "{algorithm} --processes 4 --seeds 25 --loss 10% --duplicate 10% --reorder 10% --delay exp:5ms \
             --partition p1/p2,p3@30ms..300ms --partition p4>*@100ms..1s {crash}"
        ));
        assert_eq!(finished.code, Some(0), "{finished:?}");
        assert!(
            finished
                .out
                .starts_with("25 seeds, no violation; the last run:"),
            "{}",
            finished.out
        );
    }
}

#[test]
fn long_delays_do_not_end_a_run() {
    for delay in ["40s", "exp:10s", "normal:20s,5s"] {
        let finished = simulate(&format!("mutex --count 2 --delay {delay}"));
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}

#[test]
fn the_seed_determines_the_output_to_the_byte() {
    let folder = Folder::new();
    let simulate = |seed: &str, json: &str, logs: &str| {
        let logs = folder.path(logs);
        let arguments = [
            "simulate",
            "total",
            "--seed",
            seed,
            "--loss",
            "20%",
            "--reorder",
            "20%",
            "--show",
            "all",
            "--logs",
            &logs,
            json,
        ];
        let mut command: Command = command(LAMPORT, &arguments);
        let output = command.env("LAB_RUN", "test").output().unwrap().stdout;
        let logs = ["p1", "p2", "p3"].map(|name| fs::read(format!("{logs}/{name}.jsonl")).unwrap());
        (output, logs)
    };
    for json in ["--json", "--json=false"] {
        let one = simulate("7", json, "one");
        assert!(one.0.len() > 10_000 && one.1[0].len() > 10_000);
        assert!(
            one == simulate("7", json, "other"),
            "the same seed, the same run"
        );
        assert!(
            one != simulate("8", json, "third"),
            "another seed, another run"
        );
    }
}

#[test]
fn every_injected_bug_is_found_and_its_minimal_counterexample_is_reproduced() {
    for (algorithm, bug, rule) in [
        ("events", "no-advance", "clock condition"),
        ("mutex", "no-advance", "clock condition"),
        ("mutex", "no-tie-break", "mutual exclusion"),
        ("mutex", "no-acknowledgement", "mutual exclusion"),
        ("mutex", "unfair-queue", "mutual exclusion"),
        ("ricart-agrawala", "no-tie-break", "mutual exclusion"),
        ("ricart-agrawala", "no-acknowledgement", "mutual exclusion"),
        ("central", "no-acknowledgement", "mutual exclusion"),
        ("central", "no-advance", "clock condition"),
        ("token-ring", "no-round", "mutual exclusion"),
        ("token-ring", "no-acknowledgement", "mutual exclusion"),
        ("token-ring", "no-advance", "clock condition"),
        ("maekawa", "no-acknowledgement", "mutual exclusion"),
        ("maekawa", "no-advance", "clock condition"),
        ("total", "no-tie-break", "same sequence"),
        ("total", "no-acknowledgement", "same sequence"),
        ("causal", "no-hold-back", "causal order"),
        ("causal", "no-advance", "clock condition"),
        ("bully", "no-acknowledgement", "one leader a term"),
        ("ring", "no-discard", "one leader a term"),
    ] {
        let finished = simulate(&format!("{algorithm} --bug {bug} --seeds 100"));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        let again = finished.out.lines().find_map(|line| {
            let (_, command) = line
                .strip_prefix("minimal counterexample, ")?
                .split_once(": ")?;
            command.strip_prefix("lamport simulate ")
        });
        let again = simulate(&format!("{} --json", again.expect("a counterexample")));
        assert_eq!(again.code, Some(1));
        assert!(
            checks(&again).contains(&(rule.to_owned(), false)),
            "{algorithm} {bug}: {}",
            again.out
        );
    }
}

#[test]
fn bugs_of_elections_are_found_when_the_leader_crashes() {
    for (algorithm, bug, property) in [
        ("bully", "no-timeout", "agreement in the end"),
        ("bully", "old-terms", "one leader a term"),
        ("ring", "old-terms", "one leader a term"),
        ("ring", "no-removal", "agreement in the end"),
    ] {
        let asked = format!("{algorithm} --crash p3@30ms --delay exp:10ms --count 3 --json");
        let finished = simulate(&format!("{asked} --bug {bug} --seeds 1000"));
        assert_eq!(finished.code, Some(1), "{algorithm} {bug}: {finished:?}");
        let failed = (property.to_owned(), false);
        assert!(checks(&finished).contains(&failed), "{}", finished.out);
        let without = simulate(&format!("{asked} --seeds 200"));
        assert_eq!(without.code, Some(0), "{}", without.out);
    }
}

#[test]
fn the_highest_process_leads_after_each_crash_whatever_the_failure_detector() {
    for algorithm in ["bully", "ring"] {
        for detector in ["perfect", "heartbeats"] {
            let finished = simulate(&format!(
                "{algorithm} --processes 5 --seeds 3 --count 2 --detector {detector} --loss 10% --reorder 10% \
                 --crash p5@200ms --crash p4@900ms --crash p2@100ms..1500ms"
            ));
            assert_eq!(
                finished.code,
                Some(0),
                "{algorithm} {detector}: {finished:?}"
            );
            assert!(
                finished
                    .out
                    .contains("all that live have p3 as their leader"),
                "{}",
                finished.out
            );
        }
    }
}

#[test]
fn in_a_wireless_network_the_best_that_is_connected_leads_over_a_tree() {
    let (agree, best) = ("agreement in the end", "have p2 as their leader");
    for (bug, processes, crash, seeds) in [
        ("no-acknowledgement", 3, "", 100),
        (
            "no-timeout",
            3,
            "--crash p1@30ms --count 3 --delay exp:10ms",
            100,
        ),
        ("late-parent", 4, "", 10),
    ] {
        let asked = format!("wireless --processes {processes} {crash} --seeds {seeds} --json");
        let finished = simulate(&format!("{asked} --bug {bug}"));
        let failed = (agree.to_owned(), false);
        assert!(
            checks(&finished).contains(&failed),
            "{bug}: {}",
            finished.out
        );
        let without = simulate(&asked);
        assert_eq!(without.code, Some(0), "{bug}: {}", without.out);
    }
    // p5, the middle of nine, and p8, the best, crash; p2 is away for a while, and parts the network.
    for detector in ["perfect", "heartbeats"] {
        let finished = simulate(&format!(
            "wireless --processes 9 --seeds 20 --count 3 --detector {detector} --loss 10% --reorder 10% --duplicate 10% \
             --crash p5@200ms --crash p8@500ms --crash p2@300ms..900ms"
        ));
        assert_eq!(finished.code, Some(0), "{detector}: {finished:?}");
        let tree = finished.out.split_once("the tree of term ");
        let tree = tree.and_then(|(_, tree)| tree.lines().next()).unwrap();
        let all = (1..=9).filter(|number| ![5, 8].contains(number));
        let is_whole = all
            .into_iter()
            .all(|number| tree.contains(&format!("p{number}")));
        assert!(is_whole && finished.out.contains(best), "{}", finished.out);
    }
    // Two that do not reach each other lead alone.
    let finished = simulate("wireless --count 1 --crash p1@100ms");
    let found = "all that are connected have p2 or p3 as their leader";
    assert!(
        finished.code == Some(0) && finished.out.contains(found),
        "{}",
        finished.out
    );
}

#[test]
fn a_process_that_waits_for_ever_is_found_in_a_few_seeds() {
    for (algorithm, bug) in [
        ("token-ring", "keep-token"),
        ("maekawa", "no-relinquish"),
        ("maekawa", "no-tie-break"),
    ] {
        let finished = simulate(&format!(
            "{algorithm} --bug {bug} --seeds 20 --json --show 0"
        ));
        assert_eq!(finished.code, Some(1), "{algorithm} {bug}: {finished:?}");
        let held = checks(&finished);
        assert!(
            held.contains(&("every request granted".into(), false)),
            "{algorithm} {bug}: {held:?}"
        );
    }
}

#[test]
fn a_verdict_names_the_first_two_events_that_violate_a_property() {
    let finished = simulate("mutex --processes 2 --count 1 --seed 132 --bug no-tie-break --show 0");
    let broken = "\
FAIL  mutual exclusion       the first had not exited when the second entered
                             p1 at 4 enters the critical section, by its request of 1
                             p2 at 5 enters the critical section, by its request of 1
";
    assert!(finished.out.contains(broken), "{}", finished.out);
    let lines: Vec<_> = finished.out.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.starts_with("minimal counterexample, 9 events: "));
    let schedule = &lines[at.expect("a counterexample") + 1..][..9];
    assert!(
        schedule[0].ends_with("p1 at 1 requests the critical section: sends request to all"),
        "{schedule:?}"
    );
    assert!(
        schedule[8].ends_with("p2 at 5 enters the critical section, by its request of 1"),
        "{schedule:?}"
    );
}

#[test]
fn messages_for_an_entry_are_as_the_papers_count_them() {
    for (algorithm, processes, each) in [
        ("mutex", 5, 3 * 4),
        ("mutex", 2, 3),
        ("ricart-agrawala", 5, 2 * 4),
        ("ricart-agrawala", 9, 2 * 8),
        ("central", 5, 3),
        ("central", 9, 3),
    ] {
        let finished = simulate(&format!(
            "{algorithm} --processes {processes} --loss 10% --duplicate 10% --json --show 0"
        ));
        let counts = finished.last_event().counts;
        let users = if algorithm == "central" {
            processes - 1
        } else {
            processes
        };
        assert_eq!(counts["entries"], users * 10, "{algorithm}");
        assert_eq!(counts["sent"], counts["entries"] * each, "{algorithm}");
        assert_eq!(
            counts["received"], counts["sent"],
            "none lost, none duplicated"
        );
    }
}

#[test]
fn the_textbooks_account_ends_with_one_of_two_balances_on_all_replicas() {
    let mut seen = [false; 2];
    for seed in 1..=20 {
        let finished = simulate(&format!("total --processes 2 --count 1 --seed {seed}"));
        assert_eq!(finished.code, Some(0));
        for (place, account) in ["1110.00", "1111.00"].into_iter().enumerate() {
            seen[place] |= finished
                .out
                .contains(&format!("{account} in the end on all 2 replicas"));
        }
    }
    assert_eq!(seen, [true, true], "both orders occur");
}

#[test]
fn a_process_that_waits_for_a_crashed_one_is_named() {
    let finished = simulate("mutex --crash p2@20ms --json --show 0");
    assert_eq!(finished.code, Some(1));
    let held = checks(&finished);
    assert!(held.contains(&("mutual exclusion".into(), true)));
    assert!(held.contains(&("every request granted".into(), false)));
    let finished = simulate("mutex --crash p2@20ms --show 0");
    assert!(
        finished.out.contains("p2 did not terminate normally"),
        "{}",
        finished.out
    );
    assert!(
        finished
            .err
            .contains("reports: p2: no message for 2 s; suspected failed or partitioned"),
        "{}",
        finished.err
    );

    // The algorithm events continues without it.
    let finished = simulate("events --crash p2@20ms --show 0");
    assert_eq!(finished.code, Some(0), "{}", finished.out);
}

#[test]
fn a_token_is_made_again_when_its_holder_has_crashed() {
    let finished = simulate("token-ring --processes 5 --seeds 50 --crash p2@20ms --crash p4@60ms");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let finished = simulate("token-ring --crash p1@0s --show all --count 2");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.out.contains("suspects p1") && finished.out.contains("sends regenerate"),
        "{}",
        finished.out
    );
    // One that only stops for a while comes back with its token.
    let finished = simulate("token-ring --seeds 200 --crash p2@20ms..60ms --json");
    assert!(
        checks(&finished).contains(&("mutual exclusion".into(), false)),
        "{}",
        finished.out
    );
}

#[test]
fn a_permanent_partition_does_not_violate_the_order() {
    let finished = simulate("total --partition p1/*@20ms --json --show 0");
    let held = checks(&finished);
    assert!(
        held.contains(&("same sequence".into(), true)),
        "{}",
        finished.out
    );
    assert!(
        held.contains(&("everything delivered".into(), false)),
        "{}",
        finished.out
    );
    assert_eq!(finished.code, Some(1));
}

#[test]
fn the_logs_of_sender_and_receiver_identify_a_message_alike() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = run(
        LAMPORT,
        &[
            "simulate", "mutex", "--logs", &logs, "--loss", "30%", "--count", "2",
        ],
    );
    assert_eq!(finished.code, Some(0));
    let logs: Vec<Vec<Event>> = ["p1", "p2", "p3"]
        .map(|name| {
            let records = read_log(format!("{logs}/{name}.jsonl"));
            assert!(records.iter().all(|record| record.node == name));
            records.into_iter().map(|record| record.event).collect()
        })
        .into();
    let all = || logs.iter().flatten();
    for received in all().filter(|event| event.kind == Kind::Receive) {
        let sent =
            all().find(|event| event.kind == Kind::Send && event.message == received.message);
        assert!(sent.unwrap().clock < received.clock && sent.unwrap().time < received.time);
    }
    assert_eq!(
        all()
            .filter(|event| event.meaning.as_deref() == Some("enter"))
            .count(),
        6
    );
}

#[test]
fn faults_are_read_from_a_file() {
    let folder = Folder::new();
    let good = folder.write(
        "good.json",
        r#"{"loss": "20%", "duplicate": 0.1, "delay": "normal:5ms,1ms", "partition": ["p1/p2@10ms..90ms"], "crash": ["p3@1ms..9ms"]}"#,
    );
    let finished = run(
        LAMPORT,
        &["simulate", "mutex", "--faults", &good, "--seeds", "5"],
    );
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let wrong = |name: &str, text: &str| (folder.write(name, text), name.to_owned());
    for ((file, _), why) in [
        (
            wrong("a", r#"{"los": "20%"}"#),
            ":1:6: los: unknown field `los`, expected one of",
        ),
        (
            wrong("b", r#"{"loss": "200%"}"#),
            ":1:15: loss: '200%' is not a share below 1",
        ),
        (
            wrong("c", r#"{"loss": 2}"#),
            ":1:10: loss: 2 is not a share below 1",
        ),
        (
            wrong("d", r#"{"crash": "p1"}"#),
            ":1:14: crash: invalid type",
        ),
        (wrong("e", "{"), ":1:1: EOF"),
    ] {
        let line = format!("{file}{why}");
        testing::check_refusals(
            LAMPORT,
            &[(&["simulate", "mutex", "--faults", &file], &line)],
        );
    }
}

#[test]
fn invalid_settings_of_a_simulation_are_refused() {
    testing::check_refusals(
        LAMPORT,
        &[
            (&["simulate"], "usage: "),
            (
                &["simulate", "mutexx"],
                "usage: invalid value 'mutexx' for '<ALGORITHM>'",
            ),
            (
                &["simulate", "mutex", "--processes", "1"],
                "--processes: 1 is not in 2 to 100",
            ),
            (
                &["simulate", "mutex", "--count", "0"],
                "--count: 0 is not in 1 to 1000000",
            ),
            (
                &["simulate", "mutex", "--rate", "NaN"],
                "--rate: NaN is not in 0.001 to 1000000",
            ),
            (
                &["simulate", "events", "--bug", "no-tie-break"],
                "--bug no-tie-break: events cannot have this bug; it can have no-advance",
            ),
            (
                &["simulate", "mutex", "--crash", "p4@1s"],
                "--crash p4@1s: no process is called 'p4'; did you mean p1?",
            ),
            (
                &["simulate", "mutex", "--loss", "100%"],
                "usage: invalid value '100%' for '--loss <SHARE>'",
            ),
            (
                &["simulate", "mutex", "--seeds", "2", "--logs", "x"],
                "--logs x: only with one seed",
            ),
            (
                &["simulate", "mutex", "--logs", "/dev/null/x"],
                "--logs /dev/null/x: ",
            ),
        ],
    );
}

#[test]
fn an_interrupted_series_says_how_far_it_came() {
    let mut running = testing::start(
        LAMPORT,
        &["simulate", "mutex", "--seeds", "1000000", "--show", "all"],
    );
    running.out_line_with("enters the critical section");
    let finished = running.interrupt();
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let why = "lamport: simulate mutex: interrupted: no violation in ";
    assert!(finished.err.contains(why), "{}", finished.err);
    assert!(
        finished.err.ends_with(" of 1000000 seeds\n"),
        "{}",
        finished.err
    );
}
