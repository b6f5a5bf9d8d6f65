//! The examples of the help, which run and end as their words say; and the reference page, which has every flag.

use common::testing;
use lamport::config::Cli;

/// Logs of our programs and of others, and a node.
const PREPARE: &str = r#"
cp $TESTS/nodes/whole.py node.py
case $EXAMPLE in *trace*)
    lamport simulate mutex --count 2 --logs logs --quiet >simulated
    cp logs/p1.jsonl server.jsonl
    cp logs/p2.jsonl client.jsonl
    cp $TESTS/trace/samples/govector.txt shiviz.log
    cp $TESTS/trace/samples/pino.ndjson app.ndjson ;;
esac
"#;

#[test]
fn every_example_of_the_help_runs() {
    if testing::have_program("python3") {
        let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
        let prepare = format!("TESTS={tests}{PREPARE}");
        testing::check_examples::<Cli>(env!("CARGO_BIN_EXE_lamport"), &prepare);
    }
}

#[test]
fn every_flag_stands_on_a_reference_page() {
    testing::check_reference::<Cli>(&["lamport", "model-checking", "trace", "nodes"]);
}
