//! Real processes, started, supervised, stopped and checked by the real program.

use std::fs;

use common::{
    event::{Kind, Verdict},
    testing::{Finished, Folder, command, read_log, run, start, wait_for},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

const BAD: [&str; 6] = ["--loss", "10%", "--duplicate", "10%", "--reorder", "10%"];

fn run_for(time: &str, arguments: &[&str]) -> Finished {
    run(
        LAMPORT,
        &[&["run"], arguments, &["--for", time, "--json"]].concat(),
    )
}

/// Which checks failed.
fn violated(finished: &Finished) -> Vec<String> {
    let events = finished.events().into_iter();
    let checks = events.filter(|event| event.kind == Kind::Check);
    let failed = checks.filter(|check| check.verdict != Some(Verdict::Ok));
    failed
        .filter_map(|check| check.check.map(Into::into))
        .collect()
}

fn assert_done(finished: &Finished) {
    let found = (finished.code, violated(finished));
    assert_eq!(found, (Some(0), vec![]), "{finished:?}");
}

/// Removes the folder in which the logs of a run with a violation are kept.
fn remove_logs(finished: &Finished) {
    let kept = "the logs of this run are kept in ";
    let folder = finished.err.lines().find_map(|line| line.split_once(kept));
    fs::remove_dir_all(folder.expect("the logs are kept").1).unwrap();
}

#[test]
fn five_processes_exclude_each_other_over_a_bad_network() {
    for transport in ["udp", "tcp"] {
        let arguments = ["mutex", "--processes", "5", "--transport", transport];
        let finished = run_for("500ms", &[&arguments, BAD.as_slice()].concat());
        assert_done(&finished);
        let counts = finished.last_event().counts;
        assert!(counts["entries"] >= 5, "{counts:?}");
        assert_eq!(counts["sent"], 12 * counts["entries"]);
        assert_eq!(counts["received"], counts["sent"]);
    }
}

#[test]
fn the_living_agree_on_a_leader_after_the_first_one_is_killed() {
    for algorithm in ["bully", "ring"] {
        let crash = ["--count", "3", "--crash", "p3@300ms"];
        let finished = run_for("2s", &[&[algorithm], &crash[..], &BAD[..]].concat());
        assert_done(&finished);
        let checks = finished.events().into_iter();
        let mut checks = checks.filter_map(|check| check.text);
        assert!(
            checks.any(|text| text == "all that live have p2 as their leader"),
            "{}",
            finished.out
        );
    }
}

#[test]
fn the_best_of_a_wireless_network_leads() {
    let count = ["wireless", "--processes", "5", "--count", "3"];
    let finished = run_for("500ms", &[&count, &BAD[..]].concat());
    assert_done(&finished);
    let found = "all that are connected have p2 as their leader; the tree of term ";
    let mut checks = finished.events().into_iter().filter_map(|check| check.text);
    assert!(
        checks.any(|text| text.starts_with(found)),
        "{}",
        finished.out
    );
}

#[test]
fn all_replicas_of_the_account_are_equal_in_the_end() {
    let finished = run_for(
        "5s",
        &[&["total", "--count", "20"], BAD.as_slice()].concat(),
    );
    assert_done(&finished);
    let mut events = finished.events().into_iter();
    let equal = events.find(|event| event.check.as_deref() == Some("equal accounts"));
    let text = equal.unwrap().text.unwrap();
    assert!(text.ends_with(" in the end on all 3 replicas"), "{text}");
    assert_eq!(finished.last_event().counts["delivered"], 3 * 3 * 20);
}

#[test]
fn every_algorithm_runs() {
    for algorithm in [
        "events",
        "ricart-agrawala",
        "central",
        "token-ring",
        "maekawa",
        "causal",
    ] {
        let finished = run_for(
            "5s",
            &[&[algorithm, "--count", "5"], BAD.as_slice()].concat(),
        );
        assert_done(&finished);
        assert!(finished.last_event().counts["events"] >= 15);
    }
}

#[test]
fn each_process_writes_a_log_and_the_verdict_is_made_from_these() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    for _ in 0..2 {
        let arguments = ["mutex", "--count", "3", "--logs", &logs, "--show", "all"];
        let finished = run_for("5s", &arguments);
        assert_done(&finished);
        let events = finished.events().into_iter();
        let shown = events.filter(|event| event.clock.is_some()).count();
        let mut logged = 0;
        for name in ["p1", "p2", "p3"] {
            let records = read_log(format!("{logs}/{name}.jsonl"));
            assert!(records.iter().all(|record| record.node == name));
            let clocks = records.iter().filter(|record| record.event.clock.is_some());
            logged += clocks.count();
        }
        assert_eq!(shown, logged, "without the events of the earlier run");
    }
}

#[test]
fn frames_have_the_given_delay_and_none_crosses_a_partition() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let slow = ["events", "--count", "3", "--delay", "40ms", "--logs", &logs];
    assert_done(&run_for("5s", &slow));
    let of = |name| read_log(format!("{logs}/{name}.jsonl")).into_iter();
    let events: Vec<_> = ["p1", "p2", "p3"].into_iter().flat_map(of).collect();
    let mut received = 0;
    for receipt in events
        .iter()
        .filter(|record| record.event.kind == Kind::Receive)
    {
        let mut sent = events
            .iter()
            .filter(|record| record.event.kind == Kind::Send);
        let sent = sent
            .find(|sent| sent.event.message == receipt.event.message)
            .unwrap();
        let [from, to] = [sent, receipt].map(|record| record.event.time.since_1970());
        assert!((to - from).as_millis() >= 40, "{from:?} {to:?}");
        received += 1;
    }
    assert_eq!(received, 6);

    let finished = run_for(
        "200ms",
        &["events", "--count", "3", "--partition", "*>p1@0s"],
    );
    let counts = finished.last_event().counts;
    assert_eq!((counts["sent"], counts["received"]), (6, 4), "{finished:?}");
}

#[test]
fn an_injected_bug_shows_in_real_processes() {
    let finished = run(
        LAMPORT,
        &[
            "run",
            "mutex",
            "--bug",
            "no-acknowledgement",
            "--processes",
            "5",
            "--for",
            "1s",
            "--rate",
            "1000",
            "--delay",
            "1ms..10ms",
        ],
    );
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let at = finished
        .out
        .find("FAIL  mutual exclusion")
        .expect("the verdict");
    let events: Vec<_> = finished.out[at..].lines().skip(1).take(2).collect();
    let enters = |line: &&str| line.contains(" enters the critical section");
    assert!(events.iter().all(enters), "{events:?}");
    let minimal = "minimal counterexample, 4 events: lamport simulate mutex";
    assert!(finished.out.contains(minimal), "{}", finished.out);
    remove_logs(&finished);
}

#[test]
fn a_killed_process_is_reported_and_suspected_by_the_others() {
    let finished = run(
        LAMPORT,
        &["run", "mutex", "--crash", "p2@300ms", "--for", "600ms"],
    );
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for line in [
        "p2: killed by signal 9, as requested",
        "reports: p2: no message for 2 s; suspected failed or partitioned",
    ] {
        assert!(finished.err.contains(line), "{}", finished.err);
    }
    assert!(
        finished.out.contains("p2 did not terminate normally"),
        "{}",
        finished.out
    );
    assert!(
        finished
            .out
            .contains("mutual exclusion       at most one process in the critical section"),
        "{}",
        finished.out
    );
    remove_logs(&finished);
    // The algorithm events continues without it.
    assert_done(&run_for("600ms", &["events", "--crash", "p2@300ms"]));
}

#[test]
fn a_process_that_recovers_only_delays_the_others() {
    let crash = ["--crash", "p2@200ms..600ms"];
    let partition = ["--partition", "p1/p3@300ms..700ms"];
    assert_done(&run_for(
        "900ms",
        &[&["ricart-agrawala"], &crash[..], &partition].concat(),
    ));
}

#[test]
fn a_run_waits_for_a_process_that_is_suspected_but_has_not_ended() {
    let partition = ["--partition", "p1/p2@0s..3500ms"];
    let finished = run_for(
        "6s",
        &[&["events", "--count", "3"], &partition[..]].concat(),
    );
    assert_done(&finished);
    let counts = finished.last_event().counts;
    assert_eq!((counts["sent"], counts["received"]), (6, 6), "{finished:?}");
}

#[test]
fn an_interrupt_ends_the_run_and_it_is_checked() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let mut running = start(LAMPORT, &["run", "mutex", "--for", "1m", "--logs", &logs]);
    running.err_line("3 processes of mutex over udp");
    wait_for(|| {
        fs::read_to_string(format!("{logs}/p1.jsonl"))
            .ok()
            .filter(|log| log.contains("send"))
    });
    let finished = running.interrupt();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(
        finished.out.contains("ok    clock condition"),
        "{}",
        finished.out
    );
}

#[test]
fn the_programs_variables_are_not_inherited_by_its_processes() {
    let folder = Folder::new();
    let mut command = command(LAMPORT, &["run", "events", "--count", "2"]);
    let log = folder.path("log");
    let set = [
        ("LAMPORT_LOG", log.as_str()),
        ("LAMPORT_NAME", "all"),
        ("LAMPORT_JSON", "true"),
    ];
    let output = command.envs(set).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(read_log(&log).iter().all(|record| record.node == "all"));
}
