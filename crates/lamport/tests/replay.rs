//! The replay of logs: every line and every field of them, the faults, and the paths of the model checker.

#[path = "support/checked.rs"]
mod checked;

use std::{fs, path::Path};

use clap::ValueEnum;
use common::testing::{Finished, Folder};
use lamport::{
    algorithms::Algorithm,
    simulate::replay::{Script, repeat},
};

use checked::{checks, lamport};

/// The arguments of the commands that replay the counterexamples.
fn replay_commands(finished: &Finished) -> Vec<String> {
    let commands = finished.out.lines().filter_map(|line| {
        let (_, command) = line
            .strip_prefix("replay in the ")?
            .split_once(": lamport ")?;
        Some(command.to_owned())
    });
    commands.collect()
}

/// The log of all processes of a simulated run.
fn simulated(folder: &Folder, arguments: &str) -> String {
    let logs = folder.path("logs");
    let finished = lamport(&format!("simulate {arguments} --show 0 --logs {logs}"));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let mut files: Vec<_> = fs::read_dir(&logs)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let all: Vec<_> = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    fs::remove_dir_all(&logs).unwrap();
    all.concat()
}

/// Why a replay in this process refuses the log; None if it repeats it.
fn refusal(folder: &Folder, algorithm: Algorithm, log: &str) -> Option<String> {
    let file = folder.write("changed.jsonl", log);
    let script = Script::of_processes(None, algorithm, Path::new(&file));
    let replayed = script.and_then(|script| repeat(algorithm, None, &script));
    replayed.err().map(|failure| failure.to_string())
}

/// The same line with another value of a field; None if it has no such field.
fn with_another(line: &str, field: &str) -> Option<String> {
    let mut event: serde_json::Value = serde_json::from_str(line).unwrap();
    let value = event.get_mut(field)?;
    let old = value.as_str().unwrap_or_default().to_owned();
    *value = match field {
        "clock" => (value.as_u64()? + 1).into(),
        "timestamp" => {
            let (time, process) = old.split_once(',')?;
            format!("{},{process}", time.parse::<u64>().ok()? + 1).into()
        }
        "message" => {
            let (of, number) = old.split_once('#')?;
            format!("{of}#{}", number.parse::<u64>().ok()? + 1000).into()
        }
        "peer" if old == "p1" => "p2".into(),
        "peer" => "p1".into(),
        "meaning" if old == "enter" => "exit".into(),
        "meaning" if old == "multicast" => "request".into(),
        "meaning" => "enter".into(),
        _ => format!("{old}x").into(),
    };
    Some(event.to_string())
}

#[test]
fn every_field_that_the_run_determines_is_compared() {
    let folder = Folder::new();
    let mut fields = std::collections::BTreeSet::new();
    for &algorithm in Algorithm::value_variants() {
        let log = simulated(
            &folder,
            &format!("{} --processes 3 --count 3", algorithm.word()),
        );
        assert_eq!(refusal(&folder, algorithm, &log), None);
        let lines: Vec<_> = log.lines().collect();
        // Of each kind of event the last one.
        let mut kinds = std::collections::BTreeMap::new();
        for (number, line) in lines.iter().enumerate() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            if ["send", "receive", "local"].contains(&event["event"].as_str().unwrap()) {
                let of = |field: &str| event.get(field).map(ToString::to_string);
                kinds.insert((of("event"), of("message_type"), of("meaning")), number);
            }
        }
        for (kind, number) in kinds {
            for field in [
                "clock",
                "message",
                "peer",
                "message_type",
                "meaning",
                "timestamp",
                "text",
            ] {
                let Some(changed) = with_another(lines[number], field) else {
                    continue;
                };
                let mut log = lines.clone();
                log[number] = &changed;
                let why = refusal(&folder, algorithm, &log.join("\n"));
                let why = why.unwrap_or_else(|| panic!("{algorithm:?} {kind:?}: {field}"));
                let named = if field == "message" {
                    "message number"
                } else {
                    field
                };
                let here = format!(":{}: in the log p", number + 1);
                // A receive is identified by the number of its message.
                let unsent = why.contains("in the replay no process has sent it: message ");
                // Where clocks disagree, it may come before the send that is not its own any more.
                assert!(
                    why.contains(&here) || field == "message" && unsent,
                    "{algorithm:?} {kind:?} {field}: {why}"
                );
                assert!(
                    why.contains(&format!("{named} ")) || field == "message" && unsent,
                    "{algorithm:?} {kind:?} {field}: {why}"
                );
                fields.insert(field);
            }
        }
    }
    assert_eq!(fields.len(), 7, "{fields:?}");
}

#[test]
fn no_line_is_passed_over() {
    let folder = Folder::new();
    let log = simulated(&folder, "mutex --processes 3 --count 1");
    let lines: Vec<_> = log.lines().collect();
    let place = lines
        .iter()
        .rposition(|line| line.contains("\"local\""))
        .unwrap();
    let changed = |line: String| {
        let mut log: Vec<_> = lines.iter().map(|line| (*line).to_owned()).collect();
        log[place] = line;
        refusal(&folder, Algorithm::Mutex, &log.join("\n")).expect("it is refused")
    };
    let event: serde_json::Value = serde_json::from_str(lines[place]).unwrap();
    let without = |fields: &[&str]| {
        let mut event = event.clone();
        for field in fields {
            event.as_object_mut().unwrap().remove(*field);
        }
        event
    };
    let why = changed(without(&["meaning", "timestamp"]).to_string());
    assert!(
        why.ends_with("no event of mutex: it has no message type and no meaning"),
        "{why}"
    );
    let mut unknown = event.clone();
    unknown["meaning"] = "dances".into();
    let why = changed(unknown.to_string());
    assert!(
        why.ends_with("no event of mutex: its fields do not fit together"),
        "{why}"
    );
    let mut fault = without(&["clock", "meaning", "timestamp"]);
    fault["event"] = "fault".into();
    let why = changed(fault.to_string());
    assert!(why.contains("a fault that a replay does not know"), "{why}");

    // Without the last events of a process that stopped.
    let exit = lines
        .iter()
        .rposition(|line| line.contains("\"exit\""))
        .unwrap();
    let step: Vec<_> = lines
        .iter()
        .enumerate()
        .filter(|(at, _)| *at != exit)
        .collect();
    let step: Vec<_> = step.into_iter().map(|(_, line)| *line).collect();
    assert!(refusal(&folder, Algorithm::Mutex, &step.join("\n")).is_some());
}

#[test]
fn a_timestamp_of_an_unknown_process_is_refused_at_its_own_line() {
    let folder = Folder::new();
    for (arguments, algorithm, meaning) in [
        (
            "causal --processes 3 --count 1",
            Algorithm::Causal,
            "deliver",
        ),
        ("mutex --processes 3 --count 1", Algorithm::Mutex, "exit"),
    ] {
        let log = simulated(&folder, arguments);
        let mut lines: Vec<String> = log.lines().map(str::to_owned).collect();
        let has_meaning = |line: &String| line.contains(&format!("\"meaning\":\"{meaning}\""));
        let place = lines.iter().rposition(has_meaning).unwrap();
        let mut event: serde_json::Value = serde_json::from_str(&lines[place]).unwrap();
        let (time, _) = event["timestamp"]
            .as_str()
            .unwrap()
            .split_once(',')
            .unwrap();
        let stamp = format!("{time},p9");
        event["timestamp"] = stamp.clone().into();
        lines[place] = event.to_string();
        let why = refusal(&folder, algorithm, &lines.join("\n")).unwrap();
        let number = place + 1;
        let expected =
            format!("changed.jsonl:{number}: timestamp {stamp}: the run has no process p9");
        assert!(why.ends_with(&expected), "{why}");
    }
}

#[test]
fn the_processes_are_those_of_the_log() {
    let folder = Folder::new();
    for (algorithm, processes) in [("events", 4), ("total", 3), ("mutex", 5)] {
        let log = simulated(
            &folder,
            &format!("{algorithm} --processes {processes} --count 2"),
        );
        let file = folder.write("all.jsonl", &log);
        let replayed = lamport(&format!("simulate {algorithm} --replay {file} --json"));
        assert_eq!(replayed.code, Some(0), "{replayed:?}");
        // A setting of the lab for other commands is none of a replay.
        let lab = folder.write(
            "lab.json",
            r#"{"lamport": {"processes": 3, "crash": ["p9@1s"], "max-clock": 4, "loss": "10%"}}"#,
        );
        let replayed = lamport(&format!(
            "check {algorithm} --replay {file} --config {lab} --show 0"
        ));
        assert_eq!(replayed.code, Some(0), "{replayed:?}");
        let fewer = processes - 1;
        let refused = lamport(&format!(
            "simulate {algorithm} --processes {fewer} --replay {file}"
        ));
        assert_eq!(refused.code, Some(2), "{refused:?}");
        let why = format!(
            "lamport: --processes {fewer}: the log {file} has {processes} processes, p{processes} among them"
        );
        assert!(refused.err.starts_with(&why), "{}", refused.err);
    }
    // Other names.
    let log = simulated(&folder, "mutex --processes 3 --count 1");
    let named = ["bob", "dora", "alice"];
    let log = (1..=3).zip(named).fold(log, |log, (number, name)| {
        log.replace(&format!("p{number}"), name)
    });
    let file = folder.write("named.jsonl", log);
    let replayed = lamport(&format!("simulate mutex --replay {file}"));
    assert_eq!(replayed.code, Some(0), "{replayed:?}");
    assert!(
        replayed
            .out
            .contains("dora at 1 requests the critical section")
    );
}

#[test]
fn faults_stand_in_the_log_of_a_path_and_are_replayed() {
    let folder = Folder::new();
    for (arguments, property, faults) in [
        (
            "mutex --processes 2 --may-lose 1",
            "every-request-granted",
            1,
        ),
        ("mutex --processes 2 --may-reorder 1", "mutual-exclusion", 1),
        ("total --processes 2 --may-duplicate 1", "delivered-once", 1),
        ("causal --may-crash 1", "everything-delivered", 2),
    ] {
        let logs = folder.path("logs");
        let found = lamport(&format!("check {arguments} --logs {logs}"));
        assert_eq!(found.code, Some(1), "{arguments}: {found:?}");
        let file = format!("{logs}/{property}.jsonl");
        let log = fs::read_to_string(&file).unwrap();
        let of_faults = log
            .lines()
            .filter(|line| line.contains("\"event\":\"fault\""));
        assert_eq!(of_faults.count(), faults, "{arguments}: {log}");
        let algorithm = arguments.split_whitespace().next().unwrap();
        let replayed = lamport(&format!("simulate {algorithm} --replay {file}"));
        assert_eq!(replayed.code, Some(1), "{arguments}: {replayed:?}");
        // The replay prints each event and each fault that the check printed.
        let step = |out: &str| -> Vec<String> {
            let from = |line: &str| Some(line.trim_start().split_once("  ")?.1.to_owned());
            let is_step = |line: &&str| line.starts_with("  ") && !line.starts_with("      ");
            out.lines().filter(is_step).filter_map(from).collect()
        };
        for printed in step(&replayed.out) {
            assert!(
                step(&found.out).contains(&printed),
                "{arguments}: {printed}"
            );
        }
        let fault = match property {
            "every-request-granted" => "the network loses a message from ",
            "mutual-exclusion" => "the network delivers the next message from ",
            "delivered-once" => "the network duplicates the next message from ",
            _ => "is lost in the crash of p",
        };
        assert!(
            replayed.out.contains(fault),
            "{arguments}: {}",
            replayed.out
        );
        // The reader of logs takes it, and finds the same.
        let traced = lamport(&format!("trace {file} --check --json"));
        assert_eq!(traced.code, Some(1), "{arguments}: {traced:?}");
        let failed = (property.replace('-', " "), "FAIL".to_owned());
        assert!(
            checks(&traced).contains(&failed),
            "{arguments}: {}",
            traced.out
        );
        fs::remove_dir_all(&logs).unwrap();
    }
}

#[test]
fn faults_that_contradict_the_log_are_refused() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let found = lamport(&format!("check causal --may-crash 1 --logs {logs}"));
    assert_eq!(found.code, Some(1), "{found:?}");
    let log = fs::read_to_string(format!("{logs}/everything-delivered.jsonl")).unwrap();
    let of = |part: &str| {
        let line = log.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("{part}: {log}"))
    };
    let (crash, loss) = (of("\"crashed\""), of("\"lost\""));
    // Which of several shortest counterexamples it is depends on how states are hashed.
    let lost: serde_json::Value = serde_json::from_str(loss).unwrap();
    let [from, to] = ["peer", "node"].map(|field| lost[field].as_str().unwrap());
    assert_eq!(refusal(&folder, Algorithm::Causal, &log), None);
    let changed = |line: &str, by: &str| {
        let log = log.replace(line, by);
        refusal(&folder, Algorithm::Causal, &log).unwrap_or_else(|| panic!("{by}"))
    };
    let another = changed(loss, &loss.replace("#1", "#7"));
    assert!(
        another.contains(&format!(
            "but message 7 from {from} to {to} is not in flight"
        )),
        "{another}"
    );
    let ordered = changed(loss, &loss.replace("\"lost\"", "\"reordered\""));
    assert!(
        ordered.contains(&format!(
            "but message 1 from {from} to {to} is the next one in order"
        )),
        "{ordered}"
    );
    let crashed: serde_json::Value = serde_json::from_str(crash).unwrap();
    let (node, seq) = (
        crashed["node"].as_str().unwrap(),
        crashed["seq"].as_u64().unwrap(),
    );
    let again = crash.replace(&format!("\"seq\":{seq}"), &format!("\"seq\":{}", seq + 1));
    let twice = changed(crash, &format!("{crash}\n{again}"));
    assert!(
        twice.contains(&format!("but {node} had crashed before")),
        "{twice}"
    );
}

#[test]
fn paths_of_the_published_module_are_replayed_by_the_module() {
    let folder = Folder::new();
    for bug in ["no-tie-break", "no-acknowledgement", "no-advance"] {
        let logs = folder.path(bug);
        let found = lamport(&format!(
            "check mutex --processes 2 --max-clock 4 --bug {bug} --logs {logs}"
        ));
        assert_eq!(found.code, Some(1), "{found:?}");
        let commands = replay_commands(&found);
        assert!(!commands.is_empty());
        for command in commands {
            let (_, file) = command.rsplit_once(' ').unwrap();
            let property = Path::new(file).file_stem().unwrap().to_str().unwrap();
            let failed = (property.replace('-', " "), "FAIL".to_owned());
            // The log says which model it is of, and how many processes there are.
            let short = format!("check mutex --bug {bug} --replay {file}");
            for command in [&command, &short] {
                let replayed = lamport(&format!("{command} --json"));
                assert_eq!(replayed.code, Some(1), "{replayed:?}");
                assert!(
                    checks(&replayed).contains(&failed),
                    "{bug}: {}",
                    replayed.out
                );
                assert_eq!(checks(&replayed).len(), 3);
            }
            let in_simulator = lamport(&format!("simulate mutex --bug {bug} --replay {file}"));
            assert_eq!(in_simulator.code, Some(2));
            let why = "it is a path of the TLA+ module LamportMutex; lamport check mutex --replay ";
            assert!(in_simulator.err.contains(why), "{}", in_simulator.err);
            // Without the bug the module does something else.
            let without = lamport(&format!("check mutex --replay {file}"));
            assert_eq!(without.code, Some(2), "{without:?}");
            assert!(
                without.err.contains("but in the module "),
                "{}",
                without.err
            );
            let log = fs::read_to_string(file).unwrap();
            let changed = folder.write(
                "changed.jsonl",
                log.replacen("\"clock\":1", "\"clock\":2", 1),
            );
            let refused = lamport(&format!("check mutex --bug {bug} --replay {changed}"));
            assert_eq!(refused.code, Some(2), "{refused:?}");
            assert!(
                refused.err.contains(": the log has clock 2 and not 1"),
                "{}",
                refused.err
            );
        }
    }
}

#[test]
fn every_counterexample_is_confirmed_by_the_simulator() {
    let folder = Folder::new();
    for (number, arguments) in [
        "events --bug no-advance --count 2",
        "mutex --processes 2 --bug no-acknowledgement",
        "mutex --processes 2 --bug no-advance",
        "ricart-agrawala --processes 2 --count 2 --bug no-tie-break",
        "central --bug no-acknowledgement",
        "total --processes 2 --bug no-tie-break",
        "causal --bug no-hold-back",
        "mutex --processes 2 --may-lose 1",
        "mutex --processes 2 --may-reorder 1",
        "mutex --processes 2 --may-crash 1",
        "mutex --processes 2 --may-duplicate 1 --count 2",
        "causal --may-crash 1",
        "ricart-agrawala --processes 2 --may-duplicate 1 --count 2",
        "central --may-duplicate 1 --count 2",
        "total --processes 2 --may-duplicate 1",
        "causal --may-lose 1",
        "token-ring --processes 2 --bug no-round",
        "token-ring --processes 2 --bug keep-token",
        "token-ring --processes 2 --may-duplicate 1",
        "maekawa --bug no-relinquish",
        "maekawa --may-lose 1",
    ]
    .into_iter()
    .enumerate()
    {
        let logs = folder.path(&number.to_string());
        let found = lamport(&format!("check {arguments} --logs {logs}"));
        assert_eq!(found.code, Some(1), "{arguments}: {found:?}");
        let commands = replay_commands(&found);
        assert!(!commands.is_empty(), "{}", found.out);
        for command in commands {
            let (_, file) = command.rsplit_once('/').unwrap();
            let rule = file.trim_end_matches(".jsonl").replace('-', " ");
            let replayed = lamport(&format!("{command} --json"));
            assert_eq!(replayed.code, Some(1), "{arguments}: {replayed:?}");
            assert!(
                checks(&replayed).contains(&(rule, "FAIL".to_owned())),
                "{arguments}: {}",
                replayed.out
            );
        }
    }
}

#[test]
fn the_logs_of_real_processes_are_replayed_to_the_last_event() {
    let folder = Folder::new();
    for (algorithm, events) in [("mutex", 6 * 11), ("total", 6 * 12), ("causal", 6 * 6)] {
        let logs = folder.path(algorithm);
        let arguments = "--count 2 --for 10s --loss 10% --duplicate 10% --reorder 10%";
        let real = lamport(&format!("run {algorithm} {arguments} --logs {logs}"));
        assert_eq!(real.code, Some(0), "{real:?}");
        let read = |name: &str| fs::read_to_string(format!("{logs}/{name}.jsonl")).unwrap();
        let all = ["p3", "p1", "p2"].map(read).concat();
        let file = folder.write("all.jsonl", all);
        let replayed = lamport(&format!("simulate {algorithm} --replay {file} --json"));
        assert_eq!(replayed.code, Some(0), "{replayed:?}");
        assert_eq!(
            replayed.last_event().counts["events"],
            events,
            "{algorithm}"
        );
    }
}

#[test]
fn logs_are_replayed_in_causal_order_with_any_number_of_messages_in_flight() {
    let folder = Folder::new();
    for arguments in [
        // Effects have the time of their causes.
        "mutex --delay 0ms",
        // Far more on their way at once than a channel lets go.
        "causal --processes 2 --count 600 --rate 1000000",
    ] {
        let logs = folder.path("logs");
        let simulated = lamport(&format!("simulate {arguments} --show 0 --logs {logs}"));
        assert_eq!(simulated.code, Some(0), "{simulated:?}");
        let all = ["p1", "p2", "p3"]
            .map(|name| fs::read_to_string(format!("{logs}/{name}.jsonl")).unwrap_or_default());
        let file = folder.write("all.jsonl", all.concat());
        let (algorithm, rest) = arguments.split_once(' ').unwrap();
        let processes = if rest.starts_with("--processes 2") {
            2
        } else {
            3
        };
        let replayed = lamport(&format!(
            "simulate {algorithm} --processes {processes} --replay {file} --show 0"
        ));
        assert_eq!(replayed.code, Some(0), "{arguments}: {replayed:?}");
        assert!(replayed.out.contains("over reliable FIFO channels\n"));
        fs::remove_dir_all(&logs).unwrap();
    }
}
