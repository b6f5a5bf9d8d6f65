//! Distributed snapshots, by the real program: their messages, what unordered channels do to them, and a crash of the initiator.

use common::{
    event::{Event, Kind, Verdict},
    testing::{Finished, Folder, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

const NETWORK: &str = "--loss 10% --duplicate 10% --reorder 10%";

fn lamport(arguments: &str) -> Finished {
    let arguments: Vec<_> = arguments.split_whitespace().collect();
    run(LAMPORT, &arguments)
}

/// The verdict on a property, in words too.
fn check(events: &[Event], property: &str) -> (Verdict, String) {
    let of_it =
        |event: &&Event| event.kind == Kind::Check && event.check.as_deref() == Some(property);
    let check = events.iter().rfind(of_it).unwrap();
    let text = check.text.as_deref().unwrap_or_default();
    (check.verdict.unwrap(), text.to_owned())
}

#[test]
fn a_snapshot_costs_a_marker_in_each_channel_and_a_report() {
    for processes in [3, 5] {
        let others = processes - 1;
        // Each of the others transfers once.
        for (algorithm, messages) in [
            ("snapshot", others + processes * others + others),
            ("vector-snapshot", others + others + others),
        ] {
            let arguments = format!(
                "simulate {algorithm} --processes {processes} --count 1 --rate 0.1 --show 0 --json"
            );
            let finished = lamport(&arguments);
            assert_eq!(finished.code, Some(0), "{finished:?}");
            let events = finished.events();
            let sent = events
                .last()
                .and_then(|report| report.counts.get("sent").copied());
            assert_eq!(sent, Some(messages), "{arguments}");
        }
    }
}

#[test]
fn markers_need_fifo_channels_and_vector_time_does_not() {
    let simulate = |algorithm: &str, more: &str| {
        lamport(&format!(
            "simulate {algorithm} --channels unordered --seeds 100 --show 0 {more}"
        ))
    };
    let wrong = simulate("snapshot", "--json");
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    let events = wrong.events();
    assert_eq!(check(&events, "money conserved").0, Verdict::Fail);
    assert!(
        check(&events, "channels").1.ends_with("in any order"),
        "{}",
        wrong.out
    );
    let minimal = simulate("snapshot", "");
    let command = minimal.out.lines().find_map(|line| {
        let (_, command) = line.split_once("minimal counterexample, ")?;
        command.split_once(": lamport ").map(|(_, command)| command)
    });
    assert_eq!(lamport(command.unwrap()).code, Some(1), "{}", minimal.out);
    let right = simulate("vector-snapshot", NETWORK);
    assert_eq!(right.code, Some(0), "{right:?}");
}

#[test]
fn a_snapshot_whose_initiator_crashes_stays_incomplete_and_is_not_wrong() {
    for algorithm in ["snapshot", "vector-snapshot"] {
        let arguments =
            format!("simulate {algorithm} --count 3 --crash p1@10ms --seeds 100 --show 0 --json");
        let finished = lamport(&arguments);
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
    // Another process crashes: the initiator waits.
    let finished = lamport("simulate snapshot --count 3 --crash p3@10ms --seeds 10 --json");
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let (verdict, why) = check(&finished.events(), "snapshots completed");
    assert!(
        verdict == Verdict::Fail && why.starts_with("not completed: 1 of p1"),
        "{why}"
    );
    assert_ne!(
        check(&finished.events(), "money conserved").0,
        Verdict::Fail
    );
}

#[test]
fn the_log_of_a_run_over_unordered_channels_says_so() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = lamport(&format!(
        "simulate vector-snapshot --channels unordered --seed 3 --show 0 --logs {logs}"
    ));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let traced = lamport(&format!("trace {logs} --check --json"));
    assert_eq!(traced.code, Some(0), "{traced:?}");
    let (verdict, found) = check(&traced.events(), "channels");
    assert_eq!(verdict, Verdict::Ok);
    assert!(found.ends_with("in any order"), "{found}");
}

#[test]
fn real_processes_take_snapshots_over_an_unreliable_network() {
    for arguments in [
        format!("snapshot {NETWORK}"),
        format!("vector-snapshot {NETWORK} --channels unordered"),
    ] {
        let finished = lamport(&format!("run {arguments} --for 600ms --json"));
        assert_eq!(finished.code, Some(0), "{arguments}: {finished:?}");
        let events = finished.events();
        for property in ["consistent cut", "money conserved", "snapshots completed"] {
            let (verdict, found) = check(&events, property);
            assert_eq!(verdict, Verdict::Ok, "{property}: {found}");
        }
    }
}
