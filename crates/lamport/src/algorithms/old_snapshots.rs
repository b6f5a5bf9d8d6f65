//! Tests: messages of an old snapshot, of an unknown one and of a wrong size are discarded by both algorithms.

use common::process::{
    Action, Command, Meaning, Process, Stamped, clock::Timestamp, clocked::Clocked, ids::ProcessId,
};

use super::{
    snapshot::{self, Snapshot},
    vector_snapshot::{self, Content, VectorSnapshot},
};
use crate::{bug::Bug, vector_clock::VectorClock};

const P1: ProcessId = ProcessId(0);
const P2: ProcessId = ProcessId(1);

/// The events of a process that receives these messages of the other one.
fn meanings<P: Process<Settings = Option<Bug>>>(
    node: &mut Clocked<P>,
    messages: &[P::Message],
) -> Vec<Meaning> {
    let mut actions = Vec::new();
    let mut meanings = Vec::new();
    for message in messages {
        let message = Stamped {
            time: 1,
            content: message.clone(),
        };
        let meaning = node.before_receiving(P2, &message, &mut actions).unwrap();
        node.receive(P2, message, &mut actions).unwrap();
        let events = actions.drain(..).filter_map(|action| match action {
            Action::Event { meaning, .. } => meaning,
            _ => None,
        });
        meanings.extend(events.chain(meaning));
    }
    meanings
}

fn id(time: u64, process: ProcessId) -> Timestamp {
    Timestamp { time, process }
}

#[test]
fn a_marker_of_an_old_snapshot_is_discarded() {
    let mut p1 = Clocked::<Snapshot>::new(P1, 2, &None);
    let mut actions = Vec::new();
    p1.command(Command::Snapshot, &mut actions).unwrap();
    let refused = p1.command(Command::Snapshot, &mut actions);
    assert!(refused.is_err(), "{refused:?}");
    use snapshot::Payload::{Marker, Report, Transfer};
    let own = id(1, P1);
    let complete = meanings(
        &mut p1,
        &[Transfer(1, 30), Marker(own), Report(own, 970, 0)],
    );
    assert_eq!(
        complete,
        [
            Meaning::Credit(id(1, P2), 30),
            Meaning::RecordChannel(own, P2, 30),
            Meaning::Complete(own, 2000),
        ]
    );
    let old = meanings(&mut p1, &[Marker(own), Report(own, 970, 0)]);
    assert_eq!(old, []);
    // Of the other one the later of two is recorded, and of nobody none.
    let other = meanings(
        &mut p1,
        &[
            Marker(id(2, P2)),
            Marker(id(1, P2)),
            Marker(id(1, ProcessId(7))),
        ],
    );
    let recorded = [
        Meaning::Record(id(2, P2), 1030),
        Meaning::RecordChannel(id(2, P2), P2, 0),
    ];
    assert_eq!(other, recorded);
}

#[test]
fn a_report_on_an_old_snapshot_is_discarded() {
    let mut p1 = Clocked::<VectorSnapshot>::new(P1, 2, &None);
    p1.command(Command::Snapshot, &mut Vec::new()).unwrap();
    let time = |counts: [u64; 2]| {
        let mut time = VectorClock::new(2);
        time.advance(P1, counts[0]);
        time.advance(P2, counts[1]);
        time
    };
    let message = |counts, content| vector_snapshot::Payload {
        time: time(counts),
        content,
    };
    let report = message([1, 0], Content::Report(1, 970, 1));
    // It is complete with the transfer that the counter says, and not before.
    assert_eq!(meanings(&mut p1, std::slice::from_ref(&report)), []);
    let crossing = message([0, 0], Content::Transfer(1, 30));
    let complete = meanings(&mut p1, &[crossing]);
    let own = id(1, P1);
    assert_eq!(
        complete,
        [
            Meaning::RecordChannel(own, P2, 30),
            Meaning::Complete(own, 2000),
            Meaning::Credit(id(1, P2), 30),
        ]
    );
    let old = [report, message([1, 0], Content::InTransit(1, 30))];
    assert_eq!(meanings(&mut p1, &old), []);
    let wrong = vector_snapshot::Payload {
        time: VectorClock::new(3),
        content: Content::Snapshot,
    };
    assert_eq!(meanings(&mut p1, &[wrong]), []);
}
