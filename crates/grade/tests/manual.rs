//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use grade::config::Cli;

/// Submissions that meet every requirement, alone and in a class, and logs.
const PREPARE: &str = r#"
for program in server client receiver sender names:naming clock; do
    cp $TESTS/submissions/${program#*:}/right/${program%:*}.py .
done
cp $TESTS/submissions/name-server/right/dns.py .
cp $WHOLE node.py
mkdir -p logs class/alice
cp server.py class/alice
cat >suite.json <<'END'
{"version": 1, "parts": [{"experiment": "threads", "role": "server",
  "command": "python3 server.py", "files": ["server.py"]}]}
END
event() { echo "{\"v\":1,\"run\":\"r\",\"node\":\"$1\",\"thread\":\"main\",\"seq\":$2,\
\"time\":\"2026-11-25T00:00:00.000000Z\",\"level\":\"info\",$3}" >>logs/$1.jsonl; }
for node in p1 p2; do event $node 0 '"event":"ready","algorithm":"mutex"'; done
event p1 1 '"event":"send","message":"udp:p1>p2#1","clock":5'
event p2 1 '"event":"receive","message":"udp:p1>p2#1","clock":6'
"#;

#[test]
fn every_example_of_the_help_runs() {
    if testing::have_program("python3") {
        let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let prepare = format!(
            "TESTS={crates}/grade/tests; WHOLE={crates}/lamport/tests/nodes/whole.py{PREPARE}"
        );
        testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_grade"), &prepare);
    }
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["grade"]);
}
