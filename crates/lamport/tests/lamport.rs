//! The real program.

use common::{
    event::{Kind, Record},
    testing::{self, Finished, run},
};
use lamport::config::Cli;

const LAMPORT: &str = env!("CARGO_BIN_EXE_lamport");

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        LAMPORT,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
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
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind, event.clock))
        .collect();
    assert_eq!(told, [(Kind::Send, Some(1)), (Kind::Receive, Some(2))]);
    assert!(events[0].message.is_some() && events[0].message == events[1].message);
}
