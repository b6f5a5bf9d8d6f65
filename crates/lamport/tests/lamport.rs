//! The command line, and the handout's program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{
    event::{Kind, Record},
    testing::{self, Finished, Folder, Running, command, run, start},
};
use lamport::config::Cli;

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

const HANDOUT: &str = include_str!("../src/handout.rs");

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        LAMPORT,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(LAMPORT);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() > 300);
}

#[test]
fn a_flag_of_another_subcommand_is_refused_with_its_name() {
    let refused: &[(&str, &str)] = &[
        (
            "trace L --check --loss 50%",
            "--loss: trace does not take it; simulate, run and node do",
        ),
        (
            "trace L --check --processes 9",
            "--processes: trace does not take it; simulate, run, check, explore and compare do",
        ),
        (
            "trace L --seeds 1000",
            "--seeds: trace does not take it; simulate does",
        ),
        (
            "trace L --crash p2@1s",
            "--crash: trace does not take it; simulate and run do",
        ),
        (
            "trace L --replay /nonexistent",
            "--replay: trace does not take it; simulate and check do",
        ),
        (
            "trace L --transport tcp",
            "--transport: trace does not take it; run and node do",
        ),
        (
            "trace L --may-lose 1",
            "--may-lose: trace does not take it; check and explore do",
        ),
        (
            "run events --seeds 1000",
            "--seeds: run does not take it; simulate does",
        ),
        (
            "run events --replay /nonexistent",
            "--replay: run does not take it; simulate and check do",
        ),
        (
            "run events --managed 5",
            "usage: unexpected argument '--managed'",
        ),
        (
            "check mutex --seed 1",
            "--seed: check does not take it; simulate, run, compare and node do",
        ),
        (
            "check mutex --rate 1",
            "--rate: check does not take it; simulate and run do",
        ),
        (
            "check mutex --for 1s",
            "--for: check does not take it; simulate, run and node do",
        ),
        (
            "check mutex --transport udp",
            "--transport: check does not take it; run and node do",
        ),
        (
            "check mutex --clock 1",
            "--clock: check does not take it; node does",
        ),
        (
            "check mutex --loss 1",
            "--loss: check does not take it; simulate, run and node do",
        ),
        (
            "simulate mutex --memory 1MiB",
            "--memory: simulate does not take it; check and explore do",
        ),
        (
            "explore mutex --logs x",
            "--logs: explore does not take it; simulate, run and check do",
        ),
        (
            "explore mutex --replay x",
            "--replay: explore does not take it; simulate and check do",
        ),
        (
            "simulate mutex --listen 127.0.0.1:0",
            "--listen: simulate does not take it; explore and node do",
        ),
        (
            "simulate mutex --peer p2=x:1",
            "--peer: simulate does not take it; node does",
        ),
        (
            "simulate mutex --may-lose 1",
            "--may-lose: simulate does not take it; check and explore do",
        ),
        (
            "simulate mutex --svg x",
            "--svg: simulate does not take it; trace does",
        ),
        (
            "node events --name p1 --count 3",
            "--count: node does not take it; simulate, run, check and explore do",
        ),
        (
            "node events --name p1 --crash p1@1s",
            "--crash: node does not take it; simulate and run do",
        ),
        (
            "--loss 5% --bug no-advance",
            "--loss: goes after a subcommand that takes it: simulate, run or node",
        ),
        (
            "--bug no-advance",
            "--bug: goes after a subcommand that takes it: simulate, run, check, explore or node",
        ),
        (
            "--seeds 3 simulate mutex",
            "--seeds: goes after the subcommand that takes it: simulate",
        ),
        // Beside these its own flags mean nothing.
        (
            "simulate mutex --replay x --seed 3",
            "--seed: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --seeds 3",
            "--seeds: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --count 3",
            "--count: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --rate 3",
            "--rate: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --for 3s",
            "--for: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --logs y",
            "--logs: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --loss 3%",
            "--loss: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --crash p1@1s",
            "--crash: means nothing with --replay",
        ),
        (
            "simulate mutex --replay x --faults y",
            "--faults: means nothing with --replay",
        ),
        (
            "check mutex --replay x --states 3",
            "--states: means nothing with --replay",
        ),
        (
            "check mutex --replay x --memory 1GiB",
            "--memory: means nothing with --replay",
        ),
        (
            "check mutex --replay x --may-lose 1",
            "--may-lose: means nothing with --replay",
        ),
        ("check mutex --show all", "--show: goes with --replay"),
        // Snapshots of one.
        (
            "simulate snapshot --processes 1",
            "--processes: 1 is not in 2 to 100",
        ),
        (
            "check vector-snapshot --liveness",
            "--liveness: vector-snapshot: snapshots and transfers are numbered, so no path comes back to an earlier state",
        ),
        (
            "check mutex --liveness --channels unordered",
            "--channels: means nothing with --liveness",
        ),
        (
            "check mutex --max-clock 4 --channels unordered",
            "--max-clock: the channels of the TLA+ module LamportMutex are FIFO",
        ),
        (
            "simulate snapshot --replay x --channels unordered",
            "--channels: means nothing with --replay",
        ),
        // An election among one, or two that are the same.
        (
            "simulate bully --processes 1",
            "--processes: 1 is not in 2 to 100",
        ),
        ("node bully --name p1", "--peer: 1 to 49 peers are required"),
        (
            "node ring --name p1 --peer p1=127.0.0.1:5001",
            "--peer p1=127.0.0.1:5001: this is the name of this process",
        ),
        (
            "simulate ring --bug no-timeout",
            "--bug no-timeout: ring cannot have this bug; it can have no-discard, no-removal, old-terms",
        ),
        (
            "simulate bully --links p1-p2",
            "--links: only with wireless, whose processes reach their neighbours only",
        ),
        (
            "check wireless --links p1-p9",
            "--links p1-p9: no process is called 'p9'; there are p1 to p3",
        ),
        (
            "run wireless --links p1",
            "--links p1: 'p1' is no link, such as p1-p2",
        ),
        (
            "simulate wireless --links p1-p2,p2-p2",
            "--links p1-p2,p2-p2: 'p2-p2': a process reaches itself anyway",
        ),
        (
            "explore wireless --capacities 1,2",
            "--capacities 1,2: 2 capacities for 3 processes",
        ),
        (
            "simulate wireless --capacities 1,2,many",
            "--capacities 1,2,many: 'many' is no capacity: a number, at most 4294967295",
        ),
        (
            "check mutex --may-suspect 1",
            "--may-suspect: mutex has no failure detector",
        ),
        (
            "simulate mutex --detector heartbeats",
            "--detector: mutex has no failure detector",
        ),
        (
            "check mutex --processes 2 --may-crash 5",
            "--may-crash: 5 is not in 0 to 2",
        ),
        ("trace L --axis wall", "--axis: goes with --svg"),
        (
            "trace L --lanes thread --html x",
            "--lanes: goes with --svg",
        ),
        (
            "trace L --range 1..2 --check",
            "--range: goes with --svg, --mermaid or --show: nothing else of this is drawn in part",
        ),
    ];
    for (arguments, line) in refused {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        testing::check_refusals(LAMPORT, &[(&arguments, line)]);
    }
}

#[test]
fn variables_and_keys_of_another_subcommand_are_not_for_this_one() {
    let folder = Folder::new();
    let logs = folder.path("logs");
    let simulated = run(LAMPORT, &["simulate", "mutex", "--logs", &logs]);
    assert_eq!(simulated.code, Some(0), "{simulated:?}");
    let lab = r#"{"lamport": {"seed": 7, "may-lose": 100, "axis": "wall", "count": 2, "listen": "127.0.0.1:1"}}"#;
    let lab = folder.write("lab.json", lab);
    let with_lab = |arguments: &[&str]| {
        let mut command = testing::command(LAMPORT, arguments);
        command.env("LAB_CONFIG", &lab).env("LAMPORT_LOSS", "1%");
        Running::start(command).finish()
    };
    let traced = with_lab(&["trace", &logs, "--check"]);
    assert_eq!(traced.code, Some(0), "{traced:?}");
    let expected = run(
        LAMPORT,
        &[
            "simulate", "mutex", "--seed", "7", "--count", "2", "--loss", "1%",
        ],
    );
    assert_eq!(with_lab(&["simulate", "mutex"]), expected);
    let checked = with_lab(&["check", "mutex", "--max-clock", "2", "--processes", "2"]);
    assert_eq!(
        checked.code,
        Some(0),
        "the flag goes before what the file says to all: {checked:?}"
    );
    let wrong = folder.write("wrong.json", r#"{"lamport": {"sed": 7}}"#);
    testing::check_refusals(
        LAMPORT,
        &[(
            &["--config", &wrong],
            &format!("{wrong}:1:18: lamport.sed: unknown field"),
        )],
    );
}

fn with_input(arguments: &[&str], input: &str) -> Finished {
    let mut running = start(LAMPORT, arguments);
    running.type_in(input);
    running.close_stdin();
    running.finish()
}

#[test]
fn a_dash_is_standard_input_or_standard_output() {
    let folder = Folder::new();
    let log = folder.path("log");
    assert_eq!(run(LAMPORT, &["--log", &log]).code, Some(0));
    let logged = run(LAMPORT, &["--log", "-"]);
    assert_eq!((logged.code, logged.err.as_str()), (Some(0), ""));
    let kinds: Vec<Kind> = logged.events().iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Start, Kind::Send, Kind::Receive, Kind::Stop]);
    let from_file = run(LAMPORT, &["trace", &log, "--show", "all"]);
    let text = std::fs::read_to_string(&log).unwrap();
    assert_eq!(
        with_input(&["trace", "-", "--show", "all"], &text),
        from_file
    );

    let svg = folder.path("svg");
    assert_eq!(run(LAMPORT, &["trace", &log, "--svg", &svg]).code, Some(0));
    let drawn = run(
        LAMPORT,
        &["trace", &log, "--svg", "-", "--check", "--quiet"],
    );
    assert_eq!(drawn.out, std::fs::read_to_string(&svg).unwrap());
    assert_eq!((drawn.code, drawn.err.as_str()), (Some(0), ""));

    let lab = r#"{"lamport": {"seeds": 3, "show": "0"}}"#;
    let lab_read = with_input(&["simulate", "mutex", "--config", "-"], lab);
    let flags = run(
        LAMPORT,
        &["simulate", "mutex", "--seeds", "3", "--show", "0"],
    );
    assert_eq!(lab_read, flags);
}

#[test]
fn a_log_on_a_closed_pipe_ends_quietly() {
    let arguments = ["simulate", "total", "--count", "1000", "--log", "-"];
    let finished = Running::start_with_closed_out(command(LAMPORT, &arguments)).finish();
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
}

#[test]
fn a_standard_stream_has_one_user() {
    let folder = Folder::new();
    let log = folder.path("log");
    assert_eq!(run(LAMPORT, &["--log", &log]).code, Some(0));
    let refused: &[(&[&str], &str)] = &[
        (
            &["--log", "-", "--json"],
            "--json: standard output is used by --log - already",
        ),
        (
            &["trace", &log, "--svg", "-", "--dot", "-"],
            "--dot -: standard output is used by --svg - already",
        ),
        (
            &["trace", &log, "--svg", "-", "--log", "-"],
            "--svg -: standard output is used by --log - already",
        ),
    ];
    testing::check_refusals(LAMPORT, refused);
    let node = ["node", "events", "--name", "p1", "--config", "-"];
    let twice = with_input(&node, "{}");
    let why = "lamport: typed commands: standard input has one reader, and another one is named\n";
    assert_eq!((twice.code, twice.err.as_str()), (Some(2), why));
}

#[test]
fn the_handouts_two_lines() {
    let out = "Clock1 Time after sending: 1\nClock2 Time after receiving: 2\n".to_owned();
    assert_eq!(
        run(LAMPORT, &[]),
        Finished {
            code: Some(0),
            out,
            err: String::new()
        }
    );
}

#[test]
fn json_has_the_same_two_events_of_one_message() {
    let finished = run(LAMPORT, &["--json"]);
    let events: Vec<_> = finished
        .out
        .lines()
        .map(|line| Record::parse(line).unwrap().event)
        .collect();
    let clocks: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.clock))
        .collect();
    assert_eq!(clocks, [(Kind::Send, Some(1)), (Kind::Receive, Some(2))]);
    assert!(events[0].message.is_some() && events[0].message == events[1].message);
}

#[test]
fn the_handouts_file_is_short_and_the_page_of_the_experiment_shows_its_heart() {
    let page = include_str!("../../../docs/student/synchronization.md");
    testing::check_handout(HANDOUT, "crates/lamport/src/handout.rs", page);
    // Its class is the clock of all algorithms, which the page shows, too.
    let clock = include_str!("../../common/src/process/clock.rs");
    assert!(page.contains("crates/common/src/process/clock.rs"));
    let blocks = page.split("```rust\n").skip(1);
    let blocks: Vec<_> = blocks
        .map(|block| block.split_once("```\n").unwrap().0)
        .collect();
    let rules = blocks.iter().filter(|block| clock.contains(**block));
    let shown = rules.filter(|block| block.contains("fn send") && block.contains("fn receive"));
    assert_eq!(shown.count(), 1, "the page shows another clock");
}

/// The labels that `handout.rs` prints stand in no other source file, so the default run prints them by this file.
#[test]
fn the_default_run_goes_through_the_handouts_file() {
    let labels: Vec<_> = HANDOUT
        .split('"')
        .filter(|text| text.starts_with("Clock"))
        .collect();
    let printed = run(LAMPORT, &[]).out;
    let printed: Vec<_> = printed
        .lines()
        .map(|line| line.rsplit_once(": ").unwrap().0)
        .collect();
    assert_eq!(printed, labels);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    for path in sources(folder) {
        let text = fs::read_to_string(&path).unwrap();
        let own = path == folder.join("handout.rs");
        for label in &labels {
            assert_eq!(text.contains(label), own, "{label} in {}", path.display());
        }
    }
}

/// All source files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let below = folders.iter().flat_map(|folder| sources(folder));
    let files = files
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    files.chain(below).collect()
}

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}
