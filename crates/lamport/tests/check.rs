//! The model checker: its report, the replay of its counterexamples, and the explorer.

#[path = "support/bugs.rs"]
mod bugs;
#[path = "support/checked.rs"]
mod checked;
#[path = "support/explorer.rs"]
mod explorer;

use std::{
    fs,
    net::{SocketAddr, TcpListener},
};

use common::{
    event::{Event, Kind, Record},
    testing::{self, Finished, Folder, Running, run, start},
};

use bugs::ALGORITHMS;
use checked::{checks, lamport};

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

#[test]
fn the_published_instance_is_reported_with_the_published_counts() {
    let finished = lamport("check mutex --processes 3 --max-clock 6");
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let module = "the TLA+ module LamportMutex, 3 processes, clocks up to 6\n";
    assert_eq!(finished.err, module);
    let lines: Vec<_> = finished.out.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "ok    mutual exclusion       in every state",
            "ok    type correctness       in every state",
            "ok    at most 3 in a channel  messages, in every state",
        ]
    );
    let counts = "724274 distinct states, depth 61, 2496351 generated (2729079 with the 232728 that lead to a clock beyond 6); in ";
    assert!(lines[3].starts_with(counts), "{}", lines[3]);
    assert!(lines[3].ends_with(" distinct states a second"));
    assert_eq!(lines.len(), 4);
}

#[test]
fn machines_read_the_same() {
    let finished = lamport("check mutex --processes 2 --max-clock 3 --json --workers 3");
    assert_eq!(finished.code, Some(0));
    let ok = |rule: &str| (rule.to_owned(), "ok".to_owned());
    let expected = [
        "mutual exclusion",
        "type correctness",
        "at most 3 in a channel",
    ];
    assert_eq!(checks(&finished), expected.map(ok));
    let Event { kind, counts, .. } = finished.last_event();
    assert_eq!(kind, Kind::Report);
    for (name, expected) in [
        ("distinct", 191),
        ("depth", 22),
        ("generated", 340),
        ("generated_with_beyond", 384),
        ("complete", 1),
        ("violated", 0),
    ] {
        assert_eq!(counts[name], expected, "{name}: {counts:?}");
    }
    assert!(counts["elapsed_us"] > 0 && counts["distinct_per_s"] > 0);
}

/// The arguments of the commands that replay the counterexamples.
fn replay_commands(finished: &Finished) -> Vec<String> {
    let commands = finished.out.lines().filter_map(|line| {
        let command = line.strip_prefix("replay in the simulator: lamport ")?;
        Some(command.to_owned())
    });
    commands.collect()
}

#[test]
fn an_injected_bug_is_shown_step_by_step_and_replayed_in_the_simulator() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let finished = run(
        LAMPORT,
        &[
            "check",
            "mutex",
            "--processes",
            "2",
            "--bug",
            "no-tie-break",
            "--logs",
            &logs,
        ],
    );
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let file = format!("{logs}/mutual-exclusion.jsonl");
    let expected = format!(
        "\
ok    clock condition        on every path
FAIL  mutual exclusion       the first had not exited when the second entered
                             p1 at 4 enters the critical section, by its request of 1
                             p2 at 5 enters the critical section, by its request of 1
ok    every request granted  eventually, on every path
ok    in timestamp order     on every path
shortest counterexample to \"mutual exclusion\", 5 steps:
    1  p2 at 1 requests the critical section: sends request to all
    2  p1 at 1 requests the critical section: sends request to all
    3  p1 at 2 receives request from p2
    3  p1 at 3 sends acknowledgement to p2
    3  p1 at 4 enters the critical section, by its request of 1
    4  p2 at 2 receives request from p1
    4  p2 at 3 sends acknowledgement to p1
    5  p2 at 4 receives acknowledgement from p1
    5  p2 at 5 enters the critical section, by its request of 1
event log: {file}
replay in the simulator: lamport simulate mutex --processes 2 --bug no-tie-break --replay {file}
"
    );
    assert!(finished.out.starts_with(&expected), "{}", finished.out);

    let log = fs::read_to_string(&file).unwrap();
    let log: Vec<_> = log
        .lines()
        .map(|line| Record::parse(line).unwrap())
        .collect();
    let clocks = log.iter().filter(|record| record.event.clock.is_some());
    assert_eq!(clocks.count(), 9);
    for name in ["p1", "p2"] {
        let own = log.iter().filter(|record| record.node == name);
        let mut numbered = own.enumerate();
        assert!(numbered.all(|(number, record)| record.seq == number as u64));
    }

    let replayed = lamport(&replay_commands(&finished)[0]);
    assert_eq!(replayed.code, Some(1), "{replayed:?}");
    let path = |out: &str| -> Vec<String> {
        let events = out.lines().filter_map(|line| line.split_once("  p"));
        let events = events.filter(|(before, _)| !before.is_empty());
        events.map(|(_, event)| event.to_owned()).collect()
    };
    assert_eq!(path(&replayed.out)[..9], path(&expected)[2..]);
    assert!(replayed.out.contains("\nFAIL  mutual exclusion "));

    // Without the bug the processes behave differently, and so do those of another algorithm.
    for (other, line, why) in [
        (
            "simulate mutex",
            11,
            "but in the replay p2 waits for a message",
        ),
        (
            "check mutex",
            11,
            "but in the replay p2 waits for a message",
        ),
        (
            "simulate total",
            3,
            "but in the replay p2 at 1 sends multicast",
        ),
    ] {
        let different = lamport(&format!("{other} --processes 2 --replay {file}"));
        assert_eq!(different.code, Some(2), "{different:?}");
        assert!(
            different
                .err
                .contains(&format!("{file}:{line}: in the log p"))
        );
        assert!(different.err.contains(why), "{}", different.err);
    }
}

#[test]
fn invalid_settings_of_a_check_and_a_replay_are_refused() {
    let folder = Folder::new();
    let no_log = folder.write("no-log.jsonl", "hello\n");
    let of_nobody = folder.write("of-nobody.jsonl", "");
    let nowhere = folder.path("nowhere.jsonl");
    let line = |file: &str, why: &str| format!("{file}{why}");
    testing::check_refusals(
        LAMPORT,
        &[
            (
                &["check", "mutex", "--loss", "10%"],
                "--loss: check does not take it; simulate, run and node do",
            ),
            (
                &["check", "total", "--max-clock", "3"],
                "--max-clock: only with mutex: it bounds the TLA+ module LamportMutex",
            ),
            (
                &["check", "mutex", "--max-clock", "3", "--count", "1"],
                "--max-clock: checks the TLA+ module LamportMutex, and --count the processes",
            ),
            (
                &["check", "mutex", "--max-clock", "3", "--may-lose", "1"],
                "--max-clock: the network of the TLA+ module LamportMutex has no faults",
            ),
            (
                &["check", "mutex", "--max-clock", "201"],
                "--max-clock: 201 is not in 1 to 200",
            ),
            (
                &["check", "mutex", "--max-clock", "3", "--processes", "6"],
                "--processes: 6 is not in 2 to 5",
            ),
            (
                &["check", "mutex", "--processes", "9"],
                "--processes: 9 is not in 2 to 8",
            ),
            (
                &["check", "mutex", "--may-lose", "101"],
                "--may-lose: 101 is not in 0 to 100",
            ),
            (
                &["check", "mutex", "--workers", "0"],
                "--workers: 0 is not in 1 to 1024",
            ),
            (
                &["check", "events", "--bug", "no-tie-break"],
                "--bug no-tie-break: events cannot have this bug",
            ),
            (
                &["check", "mutex", "--logs", "/dev/null/x"],
                "--logs /dev/null/x: ",
            ),
            (
                &["simulate", "mutex", "--replay", &nowhere],
                &line(&nowhere, ": no such file"),
            ),
            (
                &["simulate", "mutex", "--replay", &no_log],
                &line(&no_log, ":1: "),
            ),
            (
                &["simulate", "mutex", "--replay", &of_nobody],
                &line(&of_nobody, ": no event of p1, p2, "),
            ),
            (
                &["simulate", "mutex", "--may-lose", "1"],
                "--may-lose: simulate does not take it; check and explore do",
            ),
            (
                &["run", "mutex", "--max-clock", "6"],
                "--max-clock: run does not take it; check and explore do",
            ),
            (
                &["simulate", "mutex", "--replay", "/dev/zero"],
                "/dev/zero:1: not text: it begins with the byte 0x00",
            ),
            (
                &["explore", "mutex", "--delay", "1ms"],
                "--delay: explore does not take it; simulate, run and node do",
            ),
        ],
    );
}

#[test]
fn the_defaults_find_every_bug_that_an_algorithm_takes() {
    for (algorithm, bugs) in ALGORITHMS {
        for bug in bugs {
            // The bound keeps it short: each bug is found long before.
            let folder = Folder::new();
            let logs = folder.path("logs");
            let flags = match *bug {
                // Without a crash there is nothing to wait for.
                "no-blocking" => "--may-crash 1",
                "late-parent" => "--processes 4 --may-crash 0",
                // Every final state is right.
                "no-removal" => "--liveness",
                _ => "",
            };
            let found = lamport(&format!(
                "check {algorithm} {flags} --bug {bug} --states 20000 --logs {logs}"
            ));
            assert_eq!(found.code, Some(1), "{algorithm} {bug}: {found:?}");
        }
    }
}

#[test]
fn a_property_that_no_path_exercises_is_open() {
    let sent = "no message was sent";
    let alone = "only one process entered the critical section";
    for (arguments, property, why) in [
        ("events --count 1", "clock condition", sent),
        ("events --count 1 --bug no-advance", "clock condition", sent),
        ("central --processes 2", "mutual exclusion", alone),
        (
            "mutex --processes 2 --max-clock 1",
            "mutual exclusion",
            "no process entered the critical section",
        ),
        (
            "mutex --processes 3 --max-clock 2",
            "mutual exclusion",
            alone,
        ),
    ] {
        let finished = lamport(&format!("check {arguments}"));
        assert_eq!(finished.code, Some(0), "{arguments}: {finished:?}");
        let line = format!("open  {property:<22} {why}\n");
        assert!(
            finished.out.contains(&line),
            "{arguments}: {}",
            finished.out
        );
        let says = finished
            .out
            .contains("no violation by the bug no-advance within these bounds");
        assert_eq!(says, arguments.contains("--bug"), "{}", finished.out);
    }
}

#[test]
fn what_the_lab_file_says_to_other_commands_refuses_no_check() {
    let folder = Folder::new();
    let lab = folder.write(
        "lab.json",
        r#"{"lamport": {"loss": "10%", "crash": ["p9@1s"], "delay": "5ms", "count": 2, "max-clock": 3, "may-lose": 1}}"#,
    );
    for (arguments, subject) in [
        // The lab file's own settings, as far as they fit the algorithm and the command line.
        (
            "total --processes 2",
            "2 processes of total, 2 operations each; at most 1 message lost",
        ),
        (
            "mutex --processes 2",
            "the TLA+ module LamportMutex, 2 processes, clocks up to 3",
        ),
        (
            "mutex --processes 2 --max-clock 2",
            "the TLA+ module LamportMutex, 2 processes, clocks up to 2",
        ),
        (
            "mutex --processes 2 --count 1",
            "2 processes of mutex, 1 operation each; at most 1 message lost",
        ),
        (
            "mutex --processes 2 --count 1 --may-lose 0",
            "2 processes of mutex, 1 operation each; reliable FIFO channels",
        ),
    ] {
        let finished = lamport(&format!("check {arguments} --config {lab}"));
        assert!(finished.code < Some(2), "{arguments}: {finished:?}");
        assert_eq!(finished.err.lines().next(), Some(subject), "{arguments}");
    }
}

#[test]
fn the_defaults_exercise_every_property() {
    for (algorithm, _) in ALGORITHMS {
        // Two processes where three have many states.
        let fewer = match algorithm {
            "mutex" | "total" => "--processes 2",
            _ => "",
        };
        let finished = lamport(&format!("check {algorithm} {fewer} --json"));
        assert_eq!(finished.code, Some(0), "{algorithm}: {finished:?}");
        let verdicts = checks(&finished);
        let all_ok = verdicts.iter().all(|(_, verdict)| verdict == "ok");
        assert!(all_ok && !verdicts.is_empty(), "{algorithm}: {verdicts:?}");
    }
}

#[test]
fn a_terminal_shows_the_progress() {
    if !testing::have_program("script") {
        return;
    }
    // script runs the program on a terminal; the search takes longer than the first progress line.
    let asked = format!("{LAMPORT} check total --count 9 --states 300000");
    let command = testing::command("script", &["-qec", &asked, "/dev/null"]);
    let finished = Running::start(command).finish();
    assert_eq!(finished.code, Some(2), "{finished:?}");
    let mut shown = finished.out.split("\r\x1b[K");
    let progress = shown.find(|shown| shown.contains(" distinct, depth "));
    let progress = progress.unwrap_or_else(|| panic!("{finished:?}"));
    assert!(progress.contains(" states, ") && progress.ends_with(" distinct a second"));
    // The next line replaces it.
    let last = finished.out.rsplit("\r\x1b[K").next().unwrap();
    assert!(last.contains("open  clock condition"), "{last}");
    assert!(!last.contains(" distinct a second"), "{last}");
}

/// The explorer's response.
fn get(address: SocketAddr, path: &str) -> String {
    let answer = explorer::ask(address, "GET", path);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

#[test]
fn the_explorer_shows_the_same_states_in_words() {
    for (arguments, action, outcome, state) in [
        (
            "mutex --processes 2",
            "the timer of p1 expires",
            "p1 at 1 requests the critical section: sends request to all",
            r"p1 > p2: request of 1\n",
        ),
        (
            "mutex --processes 2 --max-clock 3",
            "Request(p1)",
            "p1 at 1 requests the critical section: sends request to all",
            r"p1: clock 1\n    p1: request of 1\n    acknowledged by p1\n",
        ),
    ] {
        let arguments = format!("explore {arguments} --listen 127.0.0.1:0");
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let mut running = start(LAMPORT, &arguments);
        let address = running.ready();
        assert!(get(address, "/").contains("Stateright Explorer"));
        assert!(get(address, "/.status").contains("mutual exclusion"));
        let states = get(address, "/.states/0");
        let first = get(address, "/.states/0/0");
        assert!(
            states.contains(action) && states.contains(outcome),
            "{states}"
        );
        assert!(states.contains(state), "{states}");
        assert!(first.contains("p2"), "{first}");
        let finished = running.interrupt();
        assert_eq!(finished.code, Some(0), "{finished:?}");
    }
}

#[test]
fn an_explorer_whose_address_is_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = run(LAMPORT, &["explore", "mutex", "--listen", &address]);
    assert_eq!(finished.code, Some(2));
    let why = format!("lamport: listen on {address}: address in use");
    assert!(finished.err.starts_with(&why), "{}", finished.err);
}
