//! Terms of processes that have crashed.

use common::process::{Action, clocked::Clocked};

use super::*;

#[test]
fn a_later_term_of_a_crashed_process_does_not_end_an_election_for_good() {
    let [p1, p2] = [ProcessId(0), ProcessId(1)];
    let mut process = Clocked::<Ring>::new(p2, 3, &None);
    let mut actions = Vec::new();
    process
        .detect(Detection::Suspect(p1), &mut actions)
        .unwrap();
    process.command(Command::Elect, &mut actions).unwrap();
    let (time, content) = (9, Payload::Election(2, p1));
    process
        .receive(p1, Stamped { time, content }, &mut actions)
        .unwrap();
    let sent = actions.into_iter().filter_map(|action| match action {
        Action::Event { send, .. } => send,
        _ => None,
    });
    let to = To::One(ProcessId(2));
    let elections = [1, 3].map(|term| (to, Payload::Election(term, p2)));
    assert!(sent.eq(elections), "in the term after the one of p1");
}
