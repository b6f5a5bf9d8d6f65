//! Runs made by hand, each with one property violated.

use std::time::Duration;

use super::*;
use common::event;

use crate::{
    clock::Timestamp,
    ids::{Names, ProcessId},
    process::Meaning,
};

/// A run, event by event; each happens a millisecond after the one before.
#[derive(Default)]
struct Story(Vec<RunEvent>);

const P1: ProcessId = ProcessId(0);
const P2: ProcessId = ProcessId(1);
const P3: ProcessId = ProcessId(2);

fn stamp(time: u64, process: ProcessId) -> Timestamp {
    Timestamp { time, process }
}

impl Story {
    fn event(
        mut self,
        process: ProcessId,
        time: u64,
        what: MessageAction,
        meaning: Option<Meaning>,
    ) -> Self {
        self.0.push(RunEvent {
            process,
            at: Duration::from_millis(self.0.len() as u64),
            time,
            what,
            meaning,
        });
        self
    }

    fn local(self, process: ProcessId, time: u64, meaning: Meaning) -> Self {
        self.event(process, time, MessageAction::Local, Some(meaning))
    }

    fn send(
        self,
        process: ProcessId,
        time: u64,
        to: To,
        number: u64,
        meaning: Option<Meaning>,
    ) -> Self {
        let what = MessageAction::Send {
            to,
            number,
            word: "message".into(),
            text: String::new(),
        };
        self.event(process, time, what, meaning)
    }

    fn receive(self, process: ProcessId, time: u64, from: ProcessId, number: u64) -> Self {
        let what = MessageAction::Receive {
            from,
            to: To::All,
            number,
            word: "message".into(),
            text: String::new(),
        };
        self.event(process, time, what, None)
    }

    fn request(self, process: ProcessId, time: u64) -> Self {
        self.send(process, time, To::All, 1, Some(Meaning::Request))
    }

    fn multicast(self, process: ProcessId, time: u64, number: u64) -> Self {
        let meaning = Meaning::Multicast(String::new());
        self.send(process, time, To::All, number, Some(meaning))
    }

    fn deliver(self, process: ProcessId, time: u64, multicast: Timestamp, said: &str) -> Self {
        self.local(process, time, Meaning::Deliver(multicast, said.into()))
    }

    fn verdict(&self, algorithm: Algorithm, gone: &[ProcessId]) -> Verdict {
        let names = Names::numbered(3);
        Verdict::of(&RunUnderTest::new(algorithm, &names, &self.0).gone(gone))
    }

    /// The violated properties, and the two events where there are two.
    fn violated(&self, algorithm: Algorithm, gone: &[ProcessId]) -> Vec<Violated> {
        let verdict = self.verdict(algorithm, gone);
        let violated = verdict.checks.iter().filter(|check| check.is_violated());
        let violated: Vec<_> = violated
            .map(|check| (check.property, check.events))
            .collect();
        assert_eq!(violated.is_empty(), verdict.holds());
        violated
    }
}

/// A property, and the two events that violate it.
type Violated = (Property, Option<(usize, usize)>);

#[test]
fn a_clock_that_does_not_move_is_found() {
    let one = To::One(P2);
    let good = Story::default()
        .send(P1, 1, one, 1, None)
        .receive(P2, 2, P1, 1);
    assert_eq!(good.violated(Algorithm::Events, &[]), []);
    let same = Story::default()
        .send(P1, 2, one, 1, None)
        .receive(P2, 2, P1, 1);
    let broken = [(Property::Clocks, Some((0, 1)))];
    assert_eq!(same.violated(Algorithm::Events, &[]), broken);
    let stands = Story::default()
        .local(P3, 1, Meaning::Local(String::new()))
        .send(P1, 5, one, 1, None)
        .send(P1, 5, one, 2, None);
    let broken = [(Property::Clocks, Some((1, 2)))];
    assert_eq!(stands.violated(Algorithm::Events, &[]), broken);
}

#[test]
fn duplicate_reordered_and_unsent_messages_are_found() {
    let sent = || {
        Story::default()
            .send(P1, 1, To::All, 1, None)
            .send(P1, 2, To::All, 2, None)
    };
    let channels = |one, other| vec![(Property::Channels, Some((one, other)))];
    let twice = sent().receive(P2, 3, P1, 1).receive(P2, 4, P1, 1);
    assert_eq!(twice.violated(Algorithm::Events, &[]), channels(2, 3));
    let reordered = sent().receive(P2, 3, P1, 2).receive(P2, 4, P1, 1);
    assert_eq!(reordered.violated(Algorithm::Events, &[]), channels(2, 3));
    let nowhere = sent().receive(P2, 3, P1, 3);
    assert_eq!(nowhere.violated(Algorithm::Events, &[]), channels(2, 2));
    // Of a process that was killed the last events may be missing.
    assert_eq!(nowhere.violated(Algorithm::Events, &[P1]), []);
}

#[test]
fn two_at_once_are_found_even_where_time_kept_them_apart() {
    let enter = |story: Story, process, time| {
        let (request, inside) = (stamp(time, process), time + 1);
        story
            .request(process, time)
            .local(process, inside, Meaning::Enter(request))
    };
    let leave = |story: Story, process, time| {
        let meaning = Meaning::Exit(stamp(time - 2, process));
        story.send(process, time, To::All, 2, Some(meaning))
    };
    let both = enter(enter(Story::default(), P1, 1), P2, 1);
    let broken = both.violated(Algorithm::Mutex, &[]);
    assert_eq!(broken[0], (Property::MutualExclusion, Some((1, 3))));
    // The first had left, but the second could not know.
    let lucky = enter(leave(enter(Story::default(), P1, 1), P1, 3), P2, 7);
    assert_eq!(
        lucky.violated(Algorithm::Mutex, &[]),
        [(Property::MutualExclusion, Some((1, 4)))]
    );
    // Told by another, it can.
    let known = leave(enter(Story::default(), P1, 1), P1, 3)
        .receive(P3, 4, P1, 2)
        .send(P3, 5, To::One(P2), 1, None)
        .receive(P2, 6, P3, 1);
    assert_eq!(enter(known, P2, 7).violated(Algorithm::Mutex, &[]), []);
}

#[test]
fn whoever_was_killed_before_it_had_written_that_it_left_is_not_accused() {
    let entered = || {
        Story::default()
            .request(P1, 1)
            .local(P1, 2, Meaning::Enter(stamp(1, P1)))
    };
    let enters = |story: Story| {
        story
            .request(P2, 8)
            .local(P2, 9, Meaning::Enter(stamp(8, P2)))
    };
    // Its release has come, though its log has none.
    let cut_off = enters(entered().receive(P2, 4, P1, 2));
    assert_eq!(cut_off.violated(Algorithm::Mutex, &[P1]), []);
    let broken = [(Property::MutualExclusion, Some((1, 3)))];
    assert_eq!(enters(entered()).violated(Algorithm::Mutex, &[P1]), broken);
    // Nor is it missed where it should have delivered.
    let one = stamp(1, P1);
    let delivered = Story::default()
        .multicast(P1, 1, 1)
        .deliver(P2, 3, one, "x: 7")
        .deliver(P3, 3, one, "x: 7")
        .deliver(P2, 5, stamp(2, P1), "y: 8")
        .deliver(P3, 5, stamp(2, P1), "y: 8");
    assert_eq!(delivered.violated(Algorithm::Total, &[P1]), []);
    // Of a process that ended it is known that it did not send.
    let unknown = [
        (Property::SameSequence, Some((3, 3))),
        (Property::AllDelivered, None),
    ];
    assert_eq!(delivered.violated(Algorithm::Total, &[]), unknown);
}

#[test]
fn requests_not_granted_or_in_the_wrong_order_are_found() {
    let entry = |story: Story, process, request: u64, time, number| {
        story
            .local(process, time, Meaning::Enter(stamp(request, process)))
            .send(
                process,
                time + 1,
                To::All,
                number,
                Some(Meaning::Exit(stamp(request, process))),
            )
    };
    let asked = Story::default().request(P1, 2).request(P2, 1);
    let wrong = entry(asked, P1, 2, 3, 2).receive(P2, 5, P1, 2);
    let wrong = entry(wrong, P2, 1, 6, 2);
    let order = [(Property::TimestampOrder, Some((2, 5)))];
    assert_eq!(wrong.violated(Algorithm::Mutex, &[]), order);
    assert_eq!(
        wrong.violated(Algorithm::Central, &[]),
        [],
        "a coordinator keeps no such order"
    );
    let open = entry(Story::default().request(P1, 1).request(P2, 1), P1, 1, 2, 2);
    let granted = [(Property::Granted, None)];
    assert_eq!(open.violated(Algorithm::Mutex, &[]), granted);
}

#[test]
fn deliveries_in_another_order_or_missing_are_found() {
    let (one, other) = (stamp(1, P1), stamp(1, P2));
    let sent = || Story::default().multicast(P1, 1, 1).multicast(P2, 1, 1);
    let at = |story: Story, process, first, second| {
        story
            .deliver(process, 4, first, "x: 7")
            .deliver(process, 5, second, "y: 8")
    };
    let good = at(
        at(at(sent(), P1, one, other), P2, one, other),
        P3,
        one,
        other,
    );
    assert_eq!(good.violated(Algorithm::Total, &[]), []);
    let swapped = at(
        at(at(sent(), P1, one, other), P2, one, other),
        P3,
        other,
        one,
    );
    let broken = [(Property::SameSequence, Some((2, 6)))];
    assert_eq!(swapped.violated(Algorithm::Total, &[]), broken);
    let missing = at(at(sent(), P1, one, other), P2, one, other).deliver(P3, 4, one, "x: 7");
    let broken = [(Property::AllDelivered, None)];
    assert_eq!(missing.violated(Algorithm::Total, &[]), broken);
    let unequal = at(at(sent(), P1, one, other), P2, one, other)
        .deliver(P3, 4, one, "x: 7")
        .deliver(P3, 5, other, "y: 9");
    let broken = [(Property::EqualAccounts, None)];
    assert_eq!(unequal.violated(Algorithm::Total, &[]), broken);
}

#[test]
fn an_answer_before_its_question_is_found() {
    let (question, answer) = (stamp(1, P1), stamp(4, P2));
    let story = Story::default()
        .multicast(P1, 1, 1)
        .deliver(P1, 2, question, "?")
        .receive(P2, 2, P1, 1)
        .deliver(P2, 3, question, "?")
        .multicast(P2, 4, 1)
        .deliver(P2, 5, answer, "!")
        .deliver(P1, 6, answer, "!");
    let late = story
        .deliver(P3, 6, answer, "!")
        .deliver(P3, 7, question, "?");
    let broken = [(Property::CausalOrder, Some((0, 7)))];
    assert_eq!(late.violated(Algorithm::Causal, &[]), broken);
}

#[test]
fn a_multicast_that_is_delivered_twice_is_found_and_breaks_no_order() {
    let one = stamp(1, P1);
    let story = Story::default()
        .multicast(P1, 1, 1)
        .deliver(P1, 2, one, "!")
        .deliver(P2, 2, one, "!")
        .deliver(P3, 2, one, "!")
        .deliver(P3, 3, one, "!");
    let twice = [(Property::DeliveredOnce, Some((0, 4)))];
    assert_eq!(story.violated(Algorithm::Causal, &[]), twice);
    // A duplicate is no cause of what its receiver sends, either.
    let reply = story.multicast(P3, 4, 1).deliver(P1, 5, stamp(4, P3), "?");
    let missing = [
        (Property::DeliveredOnce, Some((0, 4))),
        (Property::AllDelivered, None),
    ];
    assert_eq!(reply.violated(Algorithm::Causal, &[]), missing);
}

#[test]
fn the_verdict_does_not_depend_on_the_order_of_one_microsecond() {
    let entry = |process, request: u64, micros: u64, place: u64| {
        let mut story =
            Story::default().local(process, place, Meaning::Enter(stamp(request, process)));
        story.0[0].at = Duration::from_micros(micros);
        story.0.remove(0)
    };
    let (one, other) = (entry(P1, 2, 7, 3), entry(P2, 1, 7, 3));
    for events in [
        vec![one.clone(), other.clone()],
        vec![other.clone(), one.clone()],
    ] {
        let violated = Story(events).violated(Algorithm::Mutex, &[]);
        let properties: Vec<_> = violated.into_iter().map(|(property, _)| property).collect();
        assert_eq!(properties, [Property::MutualExclusion]);
    }
    let later = entry(P2, 1, 8, 3);
    let violated = Story(vec![one, later]).violated(Algorithm::Mutex, &[]);
    assert!(violated.contains(&(Property::TimestampOrder, Some((0, 1)))));
}

#[test]
fn what_was_not_exercised_is_open() {
    let story = Story::default().local(P1, 1, Meaning::Local(String::new()));
    for algorithm in [
        Algorithm::Events,
        Algorithm::Mutex,
        Algorithm::Total,
        Algorithm::Causal,
    ] {
        let verdict = story.verdict(algorithm, &[]);
        assert!(verdict.holds());
        let open = |check: &Check| check.verdict == event::Verdict::Open;
        assert!(verdict.checks.iter().all(open), "{:?}", verdict.checks);
    }
}
