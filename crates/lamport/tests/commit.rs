//! Distributed commit, by the real program: its messages, and what a crash of the coordinator does.

use common::{
    event::{Event, Kind, Verdict},
    testing::{Finished, Folder, run},
};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

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
fn a_transaction_costs_as_many_messages_as_its_rounds() {
    for (algorithm, rounds) in [("two-phase", 4), ("three-phase", 6)] {
        for processes in [3, 5, 9, 17] {
            let arguments =
                format!("simulate {algorithm} --processes {processes} --count 1 --show 0 --json");
            let finished = lamport(&arguments);
            assert_eq!(finished.code, Some(0), "{finished:?}");
            let events = finished.events();
            let sent = events
                .last()
                .and_then(|report| report.counts.get("sent").copied());
            assert_eq!(sent, Some(rounds * (processes - 1)), "{arguments}");
        }
    }
}

#[test]
fn a_crash_of_the_coordinator_blocks_two_phases_and_not_three() {
    let seeds = "--processes 4 --count 3 --crash p1@40ms --seeds 60 --json";
    let blocked = lamport(&format!("simulate two-phase {seeds}"));
    assert_eq!(blocked.code, Some(1), "{blocked:?}");
    let events = blocked.events();
    let (verdict, why) = check(&events, "every process decides");
    assert!(
        verdict == Verdict::Fail && why.contains("not decided: ") && why.contains("p1 did not"),
        "{why}"
    );
    assert_ne!(check(&events, "atomicity").0, Verdict::Fail);
    let decided = lamport(&format!("simulate three-phase {seeds}"));
    assert_eq!(decided.code, Some(0), "{decided:?}");
}

/// docs/reference/model-checking.md has it as a table.
#[test]
fn what_the_protocols_tolerate() {
    const DECIDES: &[&str] = &["every process decides"];
    const BOTH: &[&str] = &["atomicity", "every process decides"];
    let folder = Folder::new();
    let logs = folder.path("logs");
    for (arguments, violated) in [
        ("two-phase", &[][..]),
        ("two-phase --may-lose 1", DECIDES),
        ("two-phase --may-duplicate 1", &[]),
        ("two-phase --may-reorder 1 --count 2", &[]),
        ("two-phase --may-crash 1", DECIDES),
        ("two-phase --may-suspect 1", &[]),
        ("two-phase --may-crash 1 --bug no-blocking", &["atomicity"]),
        ("three-phase", &[]),
        ("three-phase --may-lose 1", DECIDES),
        ("three-phase --may-duplicate 1", &[]),
        ("three-phase --may-reorder 1 --count 2", &[]),
        ("three-phase --may-crash 1 --count 2", &[]),
        ("three-phase --may-crash 2", &[]),
        ("three-phase --may-suspect 1", &[]),
        ("three-phase --may-crash 1 --may-suspect 1", BOTH),
    ] {
        let finished = lamport(&format!("check {arguments} --logs {logs} --json"));
        let events = finished.events().into_iter();
        let failed = events.filter(|event| event.verdict == Some(Verdict::Fail));
        let failed: Vec<_> = failed.filter_map(|event| event.check).collect();
        assert!(failed.iter().eq(violated), "{arguments}: {failed:?}");
    }
}

#[test]
fn real_processes_agree_over_an_unreliable_network_and_after_a_crash() {
    let network = "--loss 10% --duplicate 10% --reorder 10%";
    for arguments in [
        format!("two-phase {network} --for 600ms"),
        format!("three-phase {network} --processes 4 --for 600ms --crash p1@300ms"),
    ] {
        let finished = lamport(&format!("run {arguments} --json"));
        assert_eq!(finished.code, Some(0), "{arguments}: {finished:?}");
        let events = finished.events();
        assert_eq!(check(&events, "atomicity").0, Verdict::Ok, "{finished:?}");
    }
}
