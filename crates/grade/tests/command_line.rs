//! What every program does alike, and what the command line refuses.

use common::testing::{self, Folder};
use grade::config::Cli;

const GRADE: &str = env!("CARGO_BIN_EXE_grade");

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}

#[test]
fn the_command_line_is_valid_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        GRADE,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(GRADE);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 16);
}

#[test]
fn what_cannot_be_graded_is_refused_in_one_line() {
    let folder = Folder::new();
    let points = folder.write("points.json", r#"{"idel": 3}"#);
    let part = r#"{"experiment": "clock", "command": "x""#;
    let suite_of = |version: u32, more: &str| {
        format!(r#"{{"version": {version}, "parts": [{part}{more}}}]}}"#)
    };
    let suite = folder.write("suite.json", suite_of(1, ""));
    let old = folder.write("old.json", suite_of(2, ""));
    let role = folder.write("role.json", suite_of(1, r#", "role": "client""#));
    let two = r#"{"version": 1, "parts": [{"experiment": "threads", "command": "x", "files": ["server.py"]},
        {"experiment": "threads", "role": "client", "command": "x", "files": ["client.py"]}]}"#;
    let two = folder.write("two.json", two);
    let workload =
        r#"{"version": 1, "parts": [{"experiment": "node", "command": "x", "workload": "foo"}]}"#;
    let workload = folder.write("workload.json", workload);
    for name in ["files", "empty"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    folder.write("files/alice.py", "");
    let cmd = ["threads", "--cmd", "true"];
    let with = |more: &[&'static str]| [&cmd, more].concat();
    testing::check_refusals(
        GRADE,
        &[
            (&["threads"], "--cmd: needed"),
            (
                &["multicast", "--cmd", "true", "--role", "server"],
                "--role: multicast has the roles",
            ),
            (
                &["multicast", "--cmd", "true", "--address", "127.0.0.1:5007"],
                "--address: 127.0.0.1:5007 is no multicast group",
            ),
            (&["naming"], "--cmd: needed"),
            (
                &["naming", "--cmd", "true", "--names", "x"],
                "--names: the names of a server",
            ),
            (
                &[
                    "naming",
                    "--server",
                    "127.0.0.1:5300",
                    "--names",
                    "/nowhere.json",
                ],
                "/nowhere.json: no such file",
            ),
            (
                &["naming", "--server", "nobody.invalid"],
                "--server nobody.invalid: ",
            ),
            (
                &["naming", "--server", "192.0.2.1:53", "--cmd", "true"],
                "--server 192.0.2.1:53: 192.0.2.1:53 is no loopback",
            ),
            (&["all"], "--submissions: needed"),
            (&["all", "--submissions", "/"], "--suite: needed"),
            (
                &[
                    "all",
                    "--submissions",
                    "/nowhere",
                    "--suite",
                    suite.as_str(),
                ],
                "/nowhere: no such file",
            ),
            (
                &["all", "--submissions", "/", "--suite", old.as_str()],
                &format!("{old}: version 2 of a suite"),
            ),
            (
                &["all", "--submissions", "/", "--suite", role.as_str()],
                &format!("{role}: parts[0]: clock and node have no roles"),
            ),
            (
                &[
                    "all",
                    "--submissions",
                    &folder.path("files"),
                    "--suite",
                    &two,
                ],
                &format!(
                    "--submissions {}: alice.py may be client.py or server.py",
                    folder.path("files")
                ),
            ),
            (
                &[
                    "all",
                    "--submissions",
                    &folder.path("empty"),
                    "--suite",
                    &two,
                ],
                &format!(
                    "--submissions {}: no submission in it",
                    folder.path("empty")
                ),
            ),
            (
                &["node", "ehco", "--cmd", "true"],
                "WORKLOAD: ehco is no workload of nodes; did you mean echo?; there are echo, unique-ids",
            ),
            (
                &["all", "--submissions", "/", "--suite", &workload],
                &format!("{workload}: parts[0]: foo is no workload of nodes; there are"),
            ),
            (&["threads", "--cmd", " "], "--cmd: needed"),
            (&["thread", "--cmd", "true"], "usage: "),
            (
                &with(&["--timeout", "1ms"]),
                "--timeout: 1ms is not in 100ms to 10m",
            ),
            (&with(&["--repeat", "0"]), "--repeat: 0 is not in 1 to 1000"),
            (
                &with(&["--address", "192.0.2.1:80"]),
                "--address: 192.0.2.1:80 is no loopback",
            ),
            (
                &with(&["--only", "idel"]),
                "--only: no requirement of threads-server is called idel; did you mean idle?",
            ),
            (
                &with(&["--role", "client", "--hidden", "idle"]),
                "--hidden: no requirement of threads-client is called idle",
            ),
            (
                &[&cmd, &["--points", points.as_str()][..]].concat(),
                "--points: no requirement",
            ),
            (
                &with(&["--points", "/nowhere.json"]),
                "/nowhere.json: no such file",
            ),
        ],
    );
}
