//! Nodes of other languages under the lab's network: the workloads, the faults, and what is said of a bad node.

#[path = "support/nodes.rs"]
mod nodes;

use std::{fs, path::Path, time::Instant};

use common::{
    event::{Kind, Verdict},
    testing::{Folder, have_program, read_log, run, wait_for},
};

use nodes::{BAD, assert_holds, checks, run_nodes, violated};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

/// The command for a node of the tests.
fn whole(workload: &str, fault: &str) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nodes/whole.py");
    format!("python3 {path} {workload} {fault}")
}

#[test]
fn right_nodes_hold_every_property_of_every_workload_over_a_bad_network() {
    if !have_program("python3") {
        return;
    }
    let workloads = [
        "echo",
        "unique-ids",
        "broadcast",
        "g-set",
        "g-counter",
        "pn-counter",
        "lin-kv",
        "mutex",
        "total",
    ];
    for workload in workloads {
        let few = ["--count", "6", "--rate", "50", "--seed", "1"];
        let finished = run_nodes(workload, &whole(workload, ""), &[&few[..], &BAD].concat());
        assert_holds(&finished, workload);
        let counts = finished.last_event().counts;
        assert!(
            counts["requests"] >= 18 && counts["median_us"] > 0,
            "{counts:?}"
        );
    }
    // Requests that are handed on to the first node, which answers them.
    let few = ["--count", "6", "--rate", "50"];
    let finished = run_nodes("lin-kv", &whole("lin-kv", "forward"), &few);
    assert_holds(&finished, "forwarded requests");
    // A message that is lost has no receive, and one that is duplicated has two.
    let few = [
        "--count",
        "10",
        "--rate",
        "100",
        "--duplicate",
        "30%",
        "--loss",
        "30%",
    ];
    let finished = run_nodes("clocks", &whole("clocks", ""), &few);
    assert_holds(&finished, "clocks");
}

#[test]
fn a_wrong_node_is_named_with_the_property_that_it_violates() {
    if !have_program("python3") {
        return;
    }
    for (workload, fault, property, found) in [
        ("echo", "changed", "echo as sent", " and replied \"?\""),
        (
            "echo",
            "error",
            "every request answered",
            " replied to echo with error 12 (malformed-request): what?",
        ),
        (
            "echo",
            "mute",
            "every request answered",
            "n1 left 1 of its 1 request unanswered, n2",
        ),
        ("unique-ids", "same", "unique ids", "1 was made by n"),
        ("broadcast", "silent", "nothing lost", "n1 lacks "),
        (
            "g-set",
            "double",
            "nothing invented",
            ", twice in one reply",
        ),
        (
            "g-counter",
            "silent",
            "final value",
            "the sum of all additions is ",
        ),
        (
            "lin-kv",
            "alone",
            "linearizable",
            " fits no order of the operations; before it n",
        ),
        (
            "clocks",
            "no-max",
            "clock condition",
            "a message must be received at a later time than it was sent",
        ),
        ("clocks", "off-by-one", "clock condition", ""),
        (
            "clocks",
            "silent",
            "every receive reported",
            "n1 reported 0 of its ",
        ),
        (
            "mutex",
            "greedy",
            "mutual exclusion",
            "enters the critical section",
        ),
        (
            "total",
            "unordered",
            "same sequence",
            "both are the next delivery of their process, and they differ",
        ),
    ] {
        let count = match fault {
            "mute" => "1",
            _ => "20",
        };
        let few = [
            "--count", count, "--rate", "200", "--settle", "200ms", "--delay", "0ms..9ms",
        ];
        let finished = run_nodes(workload, &whole(workload, fault), &few);
        let (name, text) = violated(&finished);
        assert_eq!(name, property, "{workload} {fault}: {text}");
        assert!(text.contains(found), "{workload} {fault}: {text}");
    }
}

#[test]
fn a_breach_of_the_protocol_is_one_line_with_the_node_the_line_and_what_was_expected() {
    if !have_program("python3") {
        return;
    }
    let form = r#"expected {"src": "n1", "dest": "n2", "body": {"type": …}}, found"#;
    for (fault, found) in [
        ("no-json", format!("n1: line 2 of its output: {form} no JSON (expected value at column 1): got echo")),
        ("no-body", format!("n1: line 2 of its output: {form} no body: ")),
        ("wrong-src", r#"n1: line 2 of its output: expected "n1" as src, found "n9""#.to_owned()),
        ("nowhere", r#"n1: line 2 of its output: expected a known dest, found "n77"; there are n1 to n1, "#.to_owned()),
        ("to-nothing", "n1: line 2 of its output: expected a reply to a request, found one to 1001, which c1 has not asked this node".to_owned()),
        ("twice", "n1: line 3 of its output: expected one reply to each request, found another one to request 1 of c1".to_owned()),
        ("other-type", "n1: line 2 of its output: expected echo_ok or error in reply to echo, found 'yes'".to_owned()),
        ("no-reply-id", "n1: line 2 of its output: expected in_reply_to in a message to c1, found none".to_owned()),
        ("no-code", "n1: line 2 of its output: expected an integer as code in an error, found none".to_owned()),
        ("long", format!("n1: line 2 of its output: {form} a line of more than 1048576 bytes")),
        ("exit", "n1: ended with exit code 3 after line 1 of its output: expected it to go on until its standard input ends; its last words: I have had enough".to_owned()),
    ] {
        let few = ["--processes", "1", "--count", "1", "--rate", "1000"];
        let finished = run_nodes("echo", &whole("echo", fault), &few);
        let (name, text) = violated(&finished);
        assert_eq!(name, "protocol", "{fault}: {text}");
        assert!(text.starts_with(&found), "{fault}: {text}");
        let others = checks(&finished).into_iter().filter(|check| check.1 == Verdict::Fail);
        assert_eq!(others.count(), 1, "{fault}: the rest is open");
    }
}

#[test]
fn a_command_that_cannot_be_started_and_flags_that_mean_nothing_are_usage_errors() {
    for (arguments, line) in [
        (
            "run echo --processes 1 --node ./no-such-node",
            "lamport: start n1: ",
        ),
        (
            "run echo",
            "lamport: echo: a workload of nodes: add --node COMMAND",
        ),
        (
            "run echo --node true --transport tcp",
            "lamport: --transport: means nothing with --node",
        ),
        (
            "run mutex --restart p1@1s",
            "lamport: --restart: only of nodes: add --node COMMAND",
        ),
        (
            "run mutex --plot p.svg",
            "lamport: --plot: only of nodes: add --node COMMAND",
        ),
        (
            "simulate mutex --faults FAULTS",
            "lamport: restart p1@1s: only of nodes: add --node COMMAND",
        ),
        (
            "run echo --node true --partition n1/n9",
            "lamport: --partition n1/n9: no process is called 'n9'",
        ),
        (
            "run commit --node true --restart n1@1s..2s",
            "lamport: --restart: commit: its nodes must keep what they know",
        ),
        (
            "run snapshot --node true --restart n1@1s..2s",
            "lamport: --restart: snapshot: its nodes must keep what they know",
        ),
        (
            "run wireless --node true --links p1-p2",
            "lamport: --links p1-p2: no process is called 'p1'; there are n1 to n3",
        ),
        (
            "run time --node true --links n1-n2",
            "lamport: --links: only with wireless",
        ),
        (
            "node wireless --stdio --capacities 1,2",
            "lamport: --capacities: means nothing with --stdio",
        ),
        (
            "node mutex --stdio --listen 127.0.0.1:0",
            "lamport: --listen: means nothing with --stdio",
        ),
    ] {
        let folder = Folder::new();
        let faults = folder.write("faults.json", r#"{"restart": ["p1@1s"]}"#);
        let arguments = arguments.replace("FAULTS", &faults);
        let arguments: Vec<_> = arguments.split(' ').collect();
        let finished = run(LAMPORT, &arguments);
        assert_eq!(finished.code, Some(2), "{finished:?}");
        assert!(finished.err.contains(line), "{finished:?}");
    }
}

#[test]
fn nodes_that_are_paused_killed_and_started_again_catch_up() {
    if !have_program("python3") {
        return;
    }
    let faults = [
        "--count",
        "5",
        "--rate",
        "100",
        "--crash",
        "n1@300ms..500ms",
        "--restart",
        "n2@300ms..500ms",
    ];
    let finished = run_nodes("broadcast", &whole("broadcast", ""), &faults);
    assert_holds(&finished, "a restart");
    for words in [
        "n1: paused, as requested",
        "n1: resumed",
        "n2: killed, as requested",
        "n2: started again",
    ] {
        assert!(finished.err.contains(words), "{finished:?}");
    }
    // Of one that stays away nothing is expected.
    let faults = ["--count", "5", "--rate", "100", "--crash", "n3@300ms"];
    let finished = run_nodes("broadcast", &whole("broadcast", ""), &faults);
    assert_holds(&finished, "a crash");
    assert!(
        finished.err.contains("n3: killed, as requested"),
        "{finished:?}"
    );
}

#[test]
fn a_partition_in_one_direction_loses_what_crosses_it_and_ends_with_the_load() {
    if !have_program("python3") {
        return;
    }
    let folder = Folder::new();
    let (logs, plot) = (folder.path("logs"), folder.path("plot.svg"));
    let arguments = [
        "--processes",
        "2",
        "--for",
        "300ms",
        "--rate",
        "50",
        "--partition",
        "n1>n2@0s",
        "--logs",
        &logs,
        "--plot",
        &plot,
    ];
    let finished = run_nodes("g-set", &whole("g-set", ""), &arguments);
    assert_holds(&finished, "a partition");
    let count = |node: &str, kind: Kind, peer: &str| {
        let records = read_log(format!("{logs}/{node}.jsonl")).into_iter();
        let of = |event: &common::event::Event| {
            let named = event.peer.as_ref().map(ToString::to_string);
            event.kind == kind && named.as_deref() == Some(peer)
        };
        records.filter(|record| of(&record.event)).count()
    };
    assert!(
        count("n2", Kind::Fault, "n1") > 5,
        "lost messages stand in the log of the receiver"
    );
    assert_eq!(
        count("n1", Kind::Fault, "n2"),
        0,
        "the other direction is open"
    );
    assert!(
        count("n2", Kind::Receive, "n1") > 0,
        "it ends with the load"
    );
    let svg = fs::read_to_string(plot).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("cut n1&gt;n2"),
        "{svg}"
    );
    let checked = run(LAMPORT, &["trace", &logs, "--check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
}

#[test]
fn the_logs_of_nodes_have_the_verdict_of_their_run() {
    if !have_program("python3") {
        return;
    }
    let folder = Folder::new();
    for (workload, fault, code, property) in [
        ("mutex", "", 0, "mutual exclusion"),
        ("mutex", "greedy", 1, "mutual exclusion"),
        ("total", "", 0, "everything delivered"),
        ("clocks", "no-max", 1, "clock condition"),
    ] {
        let logs = folder.path(&format!("{workload}{fault}"));
        let few = ["--count", "8", "--rate", "200", "--logs", &logs];
        let finished = run_nodes(
            workload,
            &whole(workload, fault),
            &[&few[..], &BAD].concat(),
        );
        assert_eq!(finished.code, Some(code), "{finished:?}");
        let checked = run(LAMPORT, &["trace", &logs, "--check", "--json"]);
        assert_eq!(checked.code, Some(code), "{checked:?}");
        let found = checks(&checked)
            .into_iter()
            .find(|check| check.0 == property);
        let verdict = if code == 0 {
            Verdict::Ok
        } else {
            Verdict::Fail
        };
        assert_eq!(found.map(|check| check.1), Some(verdict), "{checked:?}");
    }
}

#[test]
fn nothing_survives_and_what_a_node_says_is_bounded() {
    if !have_program("python3") {
        return;
    }
    let few = ["--processes", "1", "--count", "1", "--rate", "1000"];
    let finished = run_nodes("echo", &whole("echo", "hides"), &few);
    assert_holds(&finished, "a hidden process");
    let hidden = finished
        .err
        .lines()
        .filter_map(|line| line.strip_prefix("n1: hidden "));
    let hidden: Vec<_> = hidden.collect();
    assert_eq!(hidden.len(), 2, "{finished:?}");
    for number in hidden {
        // A killed process ends only when it gets a processor.
        wait_for(|| {
            let state = fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            (state.is_empty() || state.contains(") Z ")).then_some(())
        });
    }

    let folder = Folder::new();
    let logs = folder.path("logs");
    let arguments = [&few[..], &["--logs", &logs]].concat();
    let finished = run_nodes("echo", &whole("echo", "chatty"), &arguments);
    assert_holds(&finished, "a chatty node");
    let words = finished.err.lines().filter(|line| line.starts_with("n1: "));
    assert_eq!(words.count(), 101, "{finished:?}");
    let all = fs::read_to_string(format!("{logs}/n1.stderr")).unwrap();
    assert_eq!(all.lines().count(), 10_000);
}

#[test]
fn the_algorithms_of_this_program_are_nodes_too() {
    let mut faults = [0; 3];
    for (algorithm, workload) in [
        ("events", "clocks"),
        ("mutex", "mutex"),
        ("ricart-agrawala", "mutex"),
        ("central", "mutex"),
        ("token-ring", "mutex"),
        ("maekawa", "mutex"),
        ("total", "total"),
        ("causal", "causal"),
        ("bully", "election"),
        ("ring", "election"),
        ("two-phase", "commit"),
        ("three-phase", "commit"),
        ("wireless", "wireless"),
        ("snapshot", "snapshot"),
        ("vector-snapshot", "snapshot"),
        ("cristian", "time"),
        ("ntp", "time"),
        ("berkeley", "berkeley"),
    ] {
        let command = format!("{LAMPORT} node {algorithm} --stdio");
        let bad = match algorithm {
            "events" => &["--loss", "10%"][..],
            _ => &BAD,
        };
        let few = [&["--count", "8", "--rate", "100"], bad].concat();
        let finished = run_nodes(workload, &command, &few);
        assert_holds(&finished, algorithm);
        let counts = finished.last_event().counts;
        for (sum, name) in faults.iter_mut().zip(["lost", "duplicates", "reordered"]) {
            *sum += counts[name];
        }
    }
    assert!(faults.iter().all(|count| *count > 0), "{faults:?}");
    for (bug, workload, property) in [
        (
            "mutex --bug no-acknowledgement",
            "mutex",
            "mutual exclusion",
        ),
        ("total --bug no-acknowledgement", "total", "same sequence"),
        ("causal --bug no-hold-back", "causal", "causal order"),
        ("events --bug no-advance", "clocks", "clock condition"),
        (
            "snapshot --bug no-channel-state",
            "snapshot",
            "money conserved",
        ),
        ("cristian --bug no-halving", "time", "error within bound"),
        ("ntp --bug wrong-sign", "time", "error within bound"),
        (
            "berkeley --bug no-halving",
            "berkeley",
            "skew after each round",
        ),
    ] {
        let command = format!("{LAMPORT} node {bug} --stdio");
        let few = [
            "--count",
            "30",
            "--rate",
            "200",
            "--delay",
            "0ms..20ms",
            "--seed",
            "3",
        ];
        let finished = run_nodes(workload, &command, &few);
        let found = checks(&finished)
            .into_iter()
            .find(|check| check.1 == Verdict::Fail);
        assert_eq!(
            found.map(|check| check.0).as_deref(),
            Some(property),
            "{finished:?}"
        );
        let explained = finished
            .events()
            .into_iter()
            .filter(|event| event.clock.is_some());
        assert!((2..=40).contains(&explained.count()), "{finished:?}");
    }
}

#[test]
fn a_long_line_costs_little_and_a_node_that_never_starts_is_waited_for_ten_seconds_at_most() {
    // A shell is quicker than Python, and never answers.
    let started = Instant::now();
    let finished = run_nodes("echo", "head -c 100000000 /dev/zero", &["--processes", "1"]);
    let (name, text) = violated(&finished);
    assert_eq!(name, "protocol");
    assert!(text.contains("of more than 1048576 bytes"), "{text}");
    assert!(started.elapsed().as_secs() < 8);
    assert!(Path::new("/bin/sh").exists());
}
