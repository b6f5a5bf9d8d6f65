//! Nodes of other languages that elect, commit, take snapshots and synchronize their clocks.

#[path = "support/nodes.rs"]
mod nodes;

use std::{
    fs,
    sync::{Mutex, PoisonError},
};

use common::{
    event::Verdict,
    testing::{Folder, check_several, have_program, run},
};

use nodes::{BAD, assert_holds, checks, run_nodes, violated};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// The tests of this file run one after the other: each has enough nodes for all processors.
static ALONE: Mutex<()> = Mutex::new(());

/// The command for a node of this workload.
fn node(workload: &str, fault: &str) -> String {
    let program = match workload {
        "election" => "elect",
        "time" => "cristian",
        other => other,
    };
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nodes");
    format!("python3 {path}/{program}.py {fault}")
}

#[test]
fn nodes_elect_and_commit_when_the_leader_or_the_coordinator_is_killed() {
    if !have_program("python3") {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let few = ["--count", "5", "--rate", "100", "--crash"];
    for (workload, kill, found) in [
        (
            "election",
            "n3@150ms",
            "all that live have n2 as their leader",
        ),
        ("commit", "n3@30ms", "transaction"),
        ("commit", "n1@600ms", "all 5 transactions"),
    ] {
        let arguments = [&few[..], &[kill], &BAD].concat();
        let finished = run_nodes(workload, &node(workload, ""), &arguments);
        assert_holds(&finished, workload);
        let last = checks(&finished).pop().unwrap();
        assert!(last.2.contains(found), "{finished:?}");
    }
    // The coordinator has decided, and does not reach n3 any more; n2 has not heard of it, or has.
    let kill = [
        "--partition",
        "n1>n3@200ms",
        "--crash",
        "n1@400ms",
        "--delay",
        "30ms",
        "--rate",
        "1000",
    ];
    let arguments = [&kill[..], &["--for", "300ms", "--settle", "300ms"]].concat();
    let finished = run_nodes("commit", &node("commit", ""), &arguments);
    assert_holds(&finished, "two-phase commit asks the others");
    // Those whose violation two events show are in the tests of `grade node`.
    for (workload, fault, arguments, property, found) in [
        (
            "election",
            "lowest",
            &[][..],
            "agreement in the end",
            "and not n3, the best that lives",
        ),
        (
            "commit",
            "willing",
            &[],
            "protocol",
            "expected the vote abort on 2, for which its client has asked",
        ),
        (
            "commit",
            "waits",
            &["--crash", "n3@30ms"],
            "every process decides",
            "n3 did not terminate normally",
        ),
    ] {
        let few = ["--count", "8", "--rate", "100", "--settle", "200ms"];
        let arguments = [&few[..], arguments].concat();
        let finished = run_nodes(workload, &node(workload, fault), &arguments);
        let (name, text) = violated(&finished);
        assert_eq!(name, property, "{workload} {fault}: {text}");
        assert!(text.contains(found), "{workload} {fault}: {text}");
    }
}

/// How many runs go on at once: nodes wait more than they compute, but those that start need the processor.
const AT_ONCE: usize = 5;

/// These flags, and of the others those that are not among them.
fn with<'a>(flags: &'a str, others: &[&'a str]) -> Vec<&'a str> {
    let flags: Vec<_> = flags.split_whitespace().collect();
    let others = others.chunks(2).filter(|pair| !flags.contains(&pair[0]));
    let others: Vec<_> = others.flatten().copied().collect();
    [flags, others].concat()
}

#[test]
fn right_nodes_take_snapshots_and_synchronize_and_elect_by_capacity_over_a_bad_network() {
    if !have_program("python3") {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = Folder::new();
    let line =
        "--links n1-n2,n2-n3,n3-n4,n4-n5 --capacities 3,1,9,5,5 --processes 5 --crash n3@400ms";
    let cases = [
        ("snapshot", "", "3000 in processes and channels together"),
        ("time", "", "at worst"),
        (
            "time",
            "--clock-offset n2=1h --clock-offset n3=-1h --slow *>n1:20ms@0s",
            "at worst",
        ),
        ("berkeley", "", "at worst"),
        (
            "berkeley",
            "--processes 5 --clock-offset n1=1h",
            "near the majority's clocks",
        ),
        ("wireless", "", "have n2 as their leader"),
        // The best was what connected the others.
        ("wireless", line, "have n1 or n5 as their leader"),
    ];
    check_several(&cases, AT_ONCE, |(workload, flags, found)| {
        let logs = folder.path(&format!("{workload}{}", flags.len()));
        let [plot, svg] = ["plot", "svg"].map(|name| format!("{logs}-{name}.svg"));
        let few = [
            "--count", "12", "--rate", "50", "--seed", "4", "--logs", &logs, "--plot", &plot,
        ];
        let few = with(flags, &few);
        let finished = run_nodes(workload, &node(workload, ""), &[&few[..], &BAD].concat());
        let checks = checks(&finished);
        let holds = checks.iter().all(|check| check.1 == Verdict::Ok);
        let is_found = checks.iter().any(|check| check.2.contains(found));
        let traced = run(LAMPORT, &["trace", &logs, "--check", "--svg", &svg]);
        let [plot, svg] = [plot, svg].map(|file| fs::read_to_string(file).unwrap_or_default());
        let is_drawn = match *workload {
            // By the transfers, and not by the frames that carry them.
            "snapshot" => svg.contains("a consistent cut") && !svg.contains("an inconsistent cut"),
            "wireless" => plot.contains("latency"),
            _ => plot.contains("Error against the clock of n1"),
        };
        let holds = holds && is_found && finished.code == Some(0) && traced.code == Some(0);
        (!holds || !is_drawn).then(|| format!("{workload}: {finished:?} {traced:?}"))
    });
}

#[test]
fn what_is_wrong_with_a_snapshot_a_clock_or_a_wireless_election_is_named() {
    if !have_program("python3") {
        return;
    }
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let late = "--delay 0ms..20ms";
    let cases = [
        (
            "snapshot",
            "late-record",
            "--processes 4 --count 60 --rate 300 --delay 0ms..20ms",
            "consistent cut",
            "a transfer was received before the cut",
        ),
        (
            "snapshot",
            "no-channels",
            late,
            "money conserved",
            " are recorded in place of 3000",
        ),
        (
            "snapshot",
            "twice",
            "--duplicate 30%",
            "nothing invented",
            " was credited ",
        ),
        (
            "snapshot",
            "liar",
            "",
            "money conserved",
            "a balance of 1000 is recorded in place of",
        ),
        (
            "snapshot",
            "silent",
            "",
            "snapshots completed",
            "not completed: ",
        ),
        (
            "snapshot",
            "alone",
            "",
            "money conserved",
            " has not recorded its state",
        ),
        (
            "time",
            "refuse",
            "",
            "every request answered",
            "requests were refused",
        ),
        ("time", "idle", "", "every round ends", "waiting: n"),
        (
            "time",
            "frozen",
            "--clock-offset n2=200ms",
            "protocol",
            "as its clock is set, found the reading",
        ),
        (
            "berkeley",
            "first-round",
            "",
            "every round ends",
            "rounds in which a majority agreed: the clock of n",
        ),
        (
            "time",
            "no-halving",
            late,
            "error within bound",
            "the clock is wrong by ",
        ),
        (
            "time",
            "stale",
            "--delay exp:40ms",
            "error within bound",
            "the clock is wrong by ",
        ),
        (
            "time",
            "set-back",
            "--clock-offset n2=40ms",
            "no clock set back",
            "the clock is set back by",
        ),
        (
            "time",
            "own-clock",
            "--clock-offset n2=40ms",
            "protocol",
            "expected adjust after a message to n1, and one from it since, found none",
        ),
        (
            "time",
            "machine-clock",
            "",
            "protocol",
            "expected as reading what the clock has shown this node",
        ),
        (
            "time",
            "boast",
            "",
            "protocol",
            "expected a delay of at most ",
        ),
        (
            "berkeley",
            "no-halving",
            late,
            "skew after each round",
            "two clocks differ by ",
        ),
        (
            "berkeley",
            "average-all",
            "",
            "outliers left out",
            "a majority agrees, and is drawn away",
        ),
        (
            "berkeley",
            "set-back",
            "",
            "no clock set back",
            "the clock is set back by",
        ),
        (
            "berkeley",
            "once",
            "--loss 60%",
            "every request answered",
            "n1 left 1 of its 1 request unanswered",
        ),
        (
            "wireless",
            "greatest-number",
            "",
            "agreement in the end",
            "and not n2, the best that is connected",
        ),
        (
            "wireless",
            "one-term",
            "--crash n2@100ms",
            "one leader a term",
            "two processes lead in one term",
        ),
        (
            "wireless",
            "trusts",
            "--crash n2@100ms",
            "agreement in the end",
            "and not n1, the best that is connected",
        ),
        (
            "wireless",
            "shouts",
            "",
            "protocol",
            "expected one of its neighbours as dest, ",
        ),
    ];
    check_several(
        &cases,
        AT_ONCE,
        |(workload, fault, flags, property, found)| {
            let few = [
                "--count", "20", "--rate", "100", "--seed", "3", "--settle", "500ms",
            ];
            let few = with(flags, &few);
            let finished = run_nodes(workload, &node(workload, fault), &few);
            let mut checks = checks(&finished).into_iter();
            let is_named = checks.any(|(name, verdict, text)| {
                name == *property && verdict == Verdict::Fail && text.contains(found)
            });
            (!is_named || finished.code != Some(1))
                .then(|| format!("{workload} {fault}: {finished:?}"))
        },
    );
}
