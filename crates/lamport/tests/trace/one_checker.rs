//! The logs of the simulator, of real processes and of hand-driven nodes are checked by the code that checks a run in memory:
//! the verdicts agree, for every algorithm and injected bug.

use std::collections::HashSet;

use common::{
    event::{Kind, Record},
    testing::{Folder, run, start},
};

use crate::{LAMPORT, bugs::ALGORITHMS, on_property, trace, verdict};

/// Asserts that the verdicts on a simulated run and on its logs are the same.
fn agree(arguments: &[&str]) {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let simulated = run(
        LAMPORT,
        &[
            &["simulate"],
            arguments,
            &["--json", "--show", "0", "--logs", &logs],
        ]
        .concat(),
    );
    let logged = trace(&[&logs, "--check", "--json"]);
    assert_eq!(
        simulated.code, logged.code,
        "{arguments:?}\n{simulated:?}\n{logged:?}"
    );
    // After the verdict follows a counterexample with its verdict.
    let mut of_run = verdict(&simulated);
    let first = of_run
        .iter()
        .skip(1)
        .position(|check| check.0 == "clock condition");
    of_run.truncate(first.map_or(of_run.len(), |first| first + 1));
    // It may violate other properties, too.
    let mut known = HashSet::new();
    of_run.retain(|check| known.insert(check.0.clone()));
    let of_logs = verdict(&logged);
    for (property, word, _) in &of_run {
        let same = of_logs.iter().find(|check| check.0 == *property);
        match same {
            Some((_, logged, why)) => assert_eq!(logged, word, "{arguments:?}: {property}: {why}"),
            // The algorithm `events` logs no events on which properties are defined.
            None => assert_eq!((arguments[0], property.as_str()), ("events", "channels")),
        }
    }
}

#[test]
fn the_simulator_and_its_logs_agree_for_every_algorithm_and_bug() {
    for (algorithm, bugs) in ALGORITHMS {
        for bug in bugs.iter().map(Some).chain([None]) {
            for seed in ["1", "2", "3"] {
                let mut arguments = vec![algorithm, "--seed", seed, "--processes", "3"];
                if let Some(bug) = bug {
                    arguments.extend(["--bug", bug]);
                }
                agree(&arguments);
            }
        }
    }
}

#[test]
fn they_agree_over_an_unreliable_network_and_with_crashes() {
    for (algorithm, _) in ALGORITHMS {
        agree(&[
            algorithm,
            "--loss",
            "10%",
            "--duplicate",
            "10%",
            "--reorder",
            "10%",
        ]);
        agree(&[algorithm, "--crash", "p2@50ms", "--for", "300ms"]);
    }
}

#[test]
fn what_no_message_exercised_is_open_in_every_command() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let arguments = ["events", "--count", "1", "--json", "--logs", &logs];
    let simulated = run(LAMPORT, &[&["simulate"], &arguments[..]].concat());
    let in_trace = trace(&[&logs, "--check", "--json"]);
    let checked = run(LAMPORT, &["check", "events", "--count", "1", "--json"]);
    std::fs::remove_dir_all(&logs).unwrap();
    let ran = run(LAMPORT, &[&["run", "--for", "1s"], &arguments[..]].concat());
    for finished in [&simulated, &in_trace, &checked, &ran] {
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let (word, why) = on_property(finished, "clock condition");
        assert_eq!(
            (word.as_str(), why.as_str()),
            ("open", "no message was sent")
        );
    }
    let (word, why) = on_property(&in_trace, "causes come first");
    assert_eq!(
        (word.as_str(), why.as_str()),
        ("open", "no message was received")
    );
}

#[test]
fn a_violation_names_file_and_line_of_both_events() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    run(
        LAMPORT,
        &[
            "simulate",
            "mutex",
            "--bug",
            "no-tie-break",
            "--seed",
            "1",
            "--show",
            "0",
            "--logs",
            &logs,
        ],
    );
    let finished = trace(&[&logs, "--check", "--json"]);
    let (word, why) = on_property(&finished, "mutual exclusion");
    assert_eq!((finished.code, word.as_str()), (Some(1), "FAIL"), "{why}");
    let places: Vec<_> = why
        .split(['(', ')'])
        .filter_map(|part| part.strip_prefix(logs.as_str())?.rsplit_once(':'))
        .collect();
    assert_eq!(places.len(), 2, "{why}");
    for (file, line) in places {
        let log = std::fs::read_to_string(format!("{logs}{file}")).unwrap();
        let line = log.lines().nth(line.parse::<usize>().unwrap() - 1).unwrap();
        let event = Record::parse(line).unwrap().event;
        assert_eq!(event.meaning.as_deref(), Some("enter"), "{why}");
    }
}

/// The logs of a mutual exclusion of two processes.
fn exclusion(folder: &Folder) -> [String; 2] {
    let logs = folder.path("logs");
    run(
        LAMPORT,
        &[
            "simulate",
            "mutex",
            "--processes",
            "2",
            "--count",
            "3",
            "--show",
            "0",
            "--logs",
            &logs,
        ],
    );
    ["p1", "p2"].map(|name| format!("{logs}/{name}.jsonl"))
}

#[test]
fn a_missing_log_leaves_properties_open() {
    let folder = Folder::new();
    let [one, other] = exclusion(&folder);
    let both = trace(&[&one, &other, "--check", "--json"]);
    assert_eq!(on_property(&both, "mutual exclusion").0, "ok");
    let alone = trace(&[&one, "--check", "--json"]);
    assert_eq!(alone.code, Some(0));
    for property in [
        "mutual exclusion",
        "every request granted",
        "in timestamp order",
    ] {
        let (word, why) = on_property(&alone, property);
        assert_eq!(word, "open", "{why}");
        assert!(why.ends_with("as far as is logged; no log of p2"), "{why}");
    }
}

#[test]
fn a_truncated_log_is_no_violation() {
    let folder = Folder::new();
    let [one, other] = exclusion(&folder);
    let text = std::fs::read_to_string(&other).unwrap();
    let lines: Vec<_> = text.lines().collect();
    for kept in 1..lines.len() {
        let cut = folder.write(
            "cut.jsonl",
            lines[..kept].join("\n") + "\n" + &lines[kept][..9],
        );
        let finished = trace(&[&one, &cut, "--check", "--json"]);
        let violated: Vec<_> = verdict(&finished)
            .into_iter()
            .filter(|check| check.1 == "FAIL" && check.0 != "every request granted")
            .collect();
        assert!(violated.is_empty(), "{kept} lines: {violated:?}");
    }
}

#[test]
fn one_lamport_time_in_the_terminal_the_diagram_and_the_picture() {
    let folder = Folder::new();
    let [one, other] = exclusion(&folder);
    let picture = folder.path("run.svg");
    let finished = trace(&[&one, &other, "--json", "--show", "all", "--svg", &picture]);
    let picture = std::fs::read_to_string(picture).unwrap();
    let mut entries = 0;
    for log in [&one, &other] {
        let log = std::fs::read_to_string(log).unwrap();
        for record in log.lines().map(|line| Record::parse(line).unwrap()) {
            let event = record.event;
            if event.meaning.as_deref() != Some("enter") {
                continue;
            }
            entries += 1;
            let (time, node) = (event.clock.unwrap(), record.node);
            let words = format!("{node} enters the critical section");
            let mut drawn = finished.events().into_iter().filter(|row| {
                row.clock == Some(time)
                    && row.kind == Kind::Output
                    && row.text.as_ref().unwrap().contains(&words)
            });
            let row = drawn
                .next()
                .unwrap_or_else(|| panic!("{words} at {time}: {finished:?}"));
            let text = row.text.unwrap();
            assert_eq!(
                text.split_whitespace().nth(1),
                Some(time.to_string().as_str()),
                "{text}"
            );
            assert!(
                picture.contains(&format!("Lamport time {time}: {words}")),
                "{words} at {time}"
            );
        }
    }
    assert_eq!(entries, 6);
    assert!(
        !picture.contains("computed"),
        "logs that carry clocks need no others"
    );
}

#[test]
fn real_processes_and_their_logs_agree() {
    for (algorithm, more) in [
        ("mutex", ["--transport", "tcp"]),
        ("total", ["--transport", "tcp"]),
        ("causal", ["--loss", "10%"]),
        ("mutex", ["--bug", "no-acknowledgement"]),
    ] {
        let folder = Folder::new();
        let logs = folder.path("logs");
        let arguments = [
            "run", algorithm, "--for", "300ms", "--json", "--logs", &logs,
        ];
        let ran = run(LAMPORT, &[&arguments[..], &more[..]].concat());
        let logged = trace(&[&logs, "--check", "--json"]);
        assert_eq!(ran.code, logged.code, "{algorithm} {more:?}: {logged:?}");
        let of_logs = verdict(&logged);
        // The verdict on a minimal counterexample may follow that on the run.
        let of_run = verdict(&ran);
        let properties: HashSet<_> = of_run.iter().map(|check| &check.0).collect();
        for check in of_run.iter().take(properties.len()) {
            let same = of_logs.iter().find(|other| other.0 == check.0).unwrap();
            assert_eq!(
                same.1, check.1,
                "{algorithm} {more:?}: {}: {}",
                check.0, same.2
            );
        }
    }
}

#[test]
fn three_nodes_driven_by_hand_get_their_verdict_from_their_logs() {
    let folder = Folder::new();
    // A loopback address of this process alone, so that the ports collide with no other test.
    let process = std::process::id();
    let address = format!("127.{}.{}.250", process >> 8 & 0xff, process & 0xff);
    let at = |number: usize| format!("{address}:{}", 4900 + number);
    let mut nodes: Vec<_> = (1..=3)
        .map(|number| {
            let (name, listen) = (format!("p{number}"), at(number));
            let log = folder.path(&format!("{name}.jsonl"));
            let others = (1..=3).filter(|other| *other != number);
            let peers: Vec<_> = others
                .map(|other| format!("p{other}={}", at(other)))
                .collect();
            let mut node = start(
                LAMPORT,
                &[
                    "node", "mutex", "--name", &name, "--listen", &listen, "--log", &log, "--peer",
                    &peers[0], "--peer", &peers[1],
                ],
            );
            node.ready();
            node
        })
        .collect();
    nodes[0].type_in("lock\n");
    nodes[0].out_line_with("enters the critical section");
    nodes[1].type_in("lock\nhelp\nqueue\n");
    nodes[1].out_line_with("requests the critical section");
    nodes[0].type_in("unlock\n");
    nodes[1].out_line_with("enters the critical section");
    nodes[1].type_in("unlock\n");
    nodes[1].out_line_with("exits the critical section");
    nodes[2].out_line_with("receives release from p2");
    for node in nodes {
        assert_eq!(node.interrupt().code, Some(0));
    }
    let finished = trace(&[&folder.path(""), "--check", "--json"]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    for property in [
        "mutual exclusion",
        "every request granted",
        "in timestamp order",
    ] {
        let (word, why) = on_property(&finished, property);
        assert_eq!(word, "ok", "{property}: {why}");
    }
    // What help and queue print moves no clock.
    let (word, why) = on_property(&finished, "clock condition");
    assert_eq!(word, "ok", "{why}");
}

#[test]
fn concurrent_pairs_are_those_of_different_processes_of_one_execution() {
    let folder = Folder::new();
    let share = |log: &str| {
        let path = folder.write("vectors.log", log);
        let finished = trace(&[&path, "--check", "--json"]);
        finished
            .last_event()
            .counts
            .get("concurrent_percent")
            .copied()
    };
    // Two hosts that never communicate, whose logs begin late.
    let unrelated = "a works\na {\"a\":1000}\nb works\nb {\"b\":1000}\n";
    assert_eq!(share(unrelated), Some(100));
    let related = "a sends\na {\"a\":1}\nb receives\nb {\"b\":1, \"a\":1}\n";
    assert_eq!(share(related), Some(0));
    assert_eq!(share("a works\na {\"a\":1}\na works\na {\"a\":2}\n"), None);
}
