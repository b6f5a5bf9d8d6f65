//! The real program, asked as a student or a script asks it.

use common::{
    event::{Kind, Record},
    testing::{self, Finished, Folder, Running, read_log, run},
};
use naming::config::Cli;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

fn answered(arguments: &[&str], out: &str) {
    let finished = run(NAMING, arguments);
    assert_eq!(
        finished,
        Finished {
            code: Some(0),
            out: out.to_owned(),
            err: String::new()
        },
        "{arguments:?}"
    );
}

fn refused(arguments: &[&str], code: i32, why: &str) {
    let finished = run(NAMING, arguments);
    let err = format!("naming: {why}\n");
    assert_eq!(
        finished,
        Finished {
            code: Some(code),
            out: String::new(),
            err
        },
        "{arguments:?}"
    );
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        NAMING,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn the_handouts_two_answers() {
    answered(
        &[],
        "IP address of server1: 192.168.1.2\nIP address of region1 server1: 192.168.1.2\n",
    );
}

#[test]
fn flat_and_structured_names() {
    answered(&["flat", "server2"], "IP address of server2: 192.168.1.3\n");
    answered(
        &["flat", "server2", "server1", "--short"],
        "192.168.1.3\n192.168.1.2\n",
    );
    let server4 = "IP address of region2 server4: 192.168.2.2\n";
    answered(&["structured", "region2/server4"], server4);
    answered(&["structured", "region2", "server4"], server4);
    answered(
        &[
            "--short",
            "structured",
            "region1/server1",
            "region2/server3",
        ],
        "192.168.1.2\n192.168.2.1\n",
    );
}

#[test]
fn the_list_has_every_name() {
    let list = "server1 192.168.1.2\nserver2 192.168.1.3\n\
        region1/server1 192.168.1.2\nregion1/server2 192.168.1.3\n\
        region2/server3 192.168.2.1\nregion2/server4 192.168.2.2\n";
    answered(&["list"], list);
}

#[test]
fn json_is_the_answer_as_events_and_the_log_has_them_too() {
    let folder = Folder::new();
    let log = folder.path("log");
    let finished = run(
        NAMING,
        &[
            "--json",
            "structured",
            "region1/server1",
            "--log",
            &log,
            "--name",
            "asker",
        ],
    );
    let record = Record::parse(finished.out.trim_end()).unwrap();
    assert_eq!(
        (record.event.name.as_deref(), record.event.value.as_deref()),
        (Some("region1/server1"), Some("192.168.1.2"))
    );
    let records = read_log(log);
    assert_eq!(records[1], record);
    assert!(records.iter().all(|record| record.node == "asker"));
    assert_eq!(records.last().unwrap().event.kind, Kind::Stop);
}

#[test]
fn a_name_that_does_not_exist_is_one_line_with_a_hint() {
    refused(
        &["flat", "server9"],
        1,
        "server9: no such name; did you mean server1?",
    );
    let why =
        "region1/server9: region1 has no server9; it has server1, server2; did you mean server1?";
    refused(&["structured", "region1/server9"], 1, why);
    refused(
        &["structured", "server1"],
        1,
        "server1: server1 is a flat name; did you mean naming flat server1?",
    );
    refused(&["flat", "a\x1bb"], 1, "a\\x1bb: no such name");
    refused(
        &["structured", "region1//server1"],
        2,
        "path 'region1//server1': a component is empty",
    );
    // The others are answered all the same.
    let finished = run(NAMING, &["flat", "server9", "server1"]);
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(1), "IP address of server1: 192.168.1.2\n")
    );
}

#[test]
fn names_from_a_file() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        "\u{feff}{\"printer\": \"2001:db8::9\", \"eu\": {\"de\": {\"www\": \"10.0.0.1\"}}}",
    );
    answered(
        &["list", "--names", &names],
        "printer 2001:db8::9\neu/de/www 10.0.0.1\n",
    );
    answered(
        &["structured", "eu", "de", "www", "--names", &names],
        "IP address of eu de www: 10.0.0.1\n",
    );
    let bad = folder.write(
        "bad.json",
        "{\"eu\": {\n  \"de\": {\"www\": \"10.0.0.256\"}\n}}",
    );
    refused(
        &["--names", &bad],
        2,
        &format!("{bad}:2:28: eu.de.www: '10.0.0.256' is no IP address"),
    );
    let broken = folder.write("broken.json", "{\"eu\": ");
    refused(
        &["--names", &broken],
        2,
        &format!("{broken}:1:7: EOF while parsing a value"),
    );
    refused(
        &["--names", "/nonexistent"],
        2,
        "/nonexistent: no such file",
    );
    refused(&["--names", "/"], 2, "/: is a directory");
}

#[test]
fn an_output_that_fails_is_told_and_one_that_is_closed_is_not() {
    let mut full = testing::command("sh", &["-c", "exec \"$0\" list >/dev/full", NAMING]);
    full.env_remove("LAB_CONFIG");
    let finished = Running::start(full).finish();
    assert_eq!(finished.code, Some(2));
    assert_eq!(
        finished.err,
        "naming: standard output: no space left on device\n"
    );

    let finished = Running::start_with_closed_out(testing::command(NAMING, &["list"])).finish();
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
}

#[test]
fn a_wrong_command_is_one_line() {
    let why =
        "usage: unrecognized subcommand 'flta'; a similar subcommand exists: 'flat'; see --help";
    refused(&["flta", "server1"], 2, why);
    let why = "usage: the following required arguments were not provided: <NAME>...; see --help";
    refused(&["flat"], 2, why);
}

#[test]
fn colour_is_for_terminals_and_no_color_is_honoured() {
    if !testing::have_program("script") {
        return;
    }
    // What script runs has a terminal for its standard error.
    let told = |no_colour: Option<&str>| {
        let asked = format!("{NAMING} flat nobody");
        let mut command = testing::command("script", &["-qec", &asked, "/dev/null"]);
        command.envs(no_colour.map(|value| ("NO_COLOR", value)));
        let finished = Running::start(command).finish();
        assert_eq!(finished.code, Some(1), "{finished:?}");
        finished.out.trim_end().to_owned()
    };
    assert_eq!(told(None), "\x1b[1;31mnaming: nobody: no such name\x1b[0m");
    assert_eq!(told(Some("1")), "naming: nobody: no such name");
    assert_eq!(
        run(NAMING, &["flat", "nobody"]).err,
        "naming: nobody: no such name\n"
    );
}
