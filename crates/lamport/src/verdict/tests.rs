//! Constructed runs, each of which violates one property.

use std::time::Duration;

use clap::ValueEnum;
use common::{
    event,
    process::{
        Meaning, To,
        clock::Timestamp,
        ids::{Names, ProcessId},
        property::Property,
        run_event::{MessageAction, RunEvent},
        verdict::check::Check,
    },
};

use super::*;

/// A run, event by event; each is a millisecond after the one before.
#[derive(Default)]
struct Scenario(Vec<RunEvent>);

const P1: ProcessId = ProcessId(0);
const P2: ProcessId = ProcessId(1);
const P3: ProcessId = ProcessId(2);

fn stamp(time: u64, process: ProcessId) -> Timestamp {
    Timestamp { time, process }
}

impl Scenario {
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

    fn deliver(self, process: ProcessId, time: u64, multicast: Timestamp, result: &str) -> Self {
        self.local(process, time, Meaning::Deliver(multicast, result.into()))
    }

    fn verdict(&self, algorithm: Algorithm, unfinished: &[ProcessId]) -> Verdict {
        let names = Names::numbered(3);
        super::of(
            algorithm,
            &RunUnderTest::new(&names, &self.0).unfinished(unfinished),
        )
    }

    /// The violated properties, and the two events where there are two.
    fn violated(&self, algorithm: Algorithm, unfinished: &[ProcessId]) -> Vec<Violated> {
        let verdict = self.verdict(algorithm, unfinished);
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
fn a_clock_that_does_not_advance_is_found() {
    let one = To::One(P2);
    let good = Scenario::default()
        .send(P1, 1, one, 1, None)
        .receive(P2, 2, P1, 1);
    assert_eq!(good.violated(Algorithm::Events, &[]), []);
    let same = Scenario::default()
        .send(P1, 2, one, 1, None)
        .receive(P2, 2, P1, 1);
    let violation = [(Property::Clocks, Some((0, 1)))];
    assert_eq!(same.violated(Algorithm::Events, &[]), violation);
    let unchanged = Scenario::default()
        .local(P3, 1, Meaning::Local(String::new()))
        .send(P1, 5, one, 1, None)
        .send(P1, 5, one, 2, None);
    let violation = [(Property::Clocks, Some((1, 2)))];
    assert_eq!(unchanged.violated(Algorithm::Events, &[]), violation);
}

#[test]
fn duplicate_reordered_and_unsent_messages_are_found() {
    let sent = || {
        Scenario::default()
            .send(P1, 1, To::All, 1, None)
            .send(P1, 2, To::All, 2, None)
    };
    let channels = |one, other| vec![(Property::Channels, Some((one, other)))];
    let duplicate = sent().receive(P2, 3, P1, 1).receive(P2, 4, P1, 1);
    assert_eq!(duplicate.violated(Algorithm::Events, &[]), channels(2, 3));
    let reordered = sent().receive(P2, 3, P1, 2).receive(P2, 4, P1, 1);
    assert_eq!(reordered.violated(Algorithm::Events, &[]), channels(2, 3));
    let unsent = sent().receive(P2, 3, P1, 3);
    assert_eq!(unsent.violated(Algorithm::Events, &[]), channels(2, 2));
    // The last events of a process that was killed may be missing.
    assert_eq!(unsent.violated(Algorithm::Events, &[P1]), []);
}

#[test]
fn two_processes_inside_are_found_even_if_only_timing_kept_them_apart() {
    let enter = |scenario: Scenario, process, time| {
        let (request, inside) = (stamp(time, process), time + 1);
        scenario
            .request(process, time)
            .local(process, inside, Meaning::Enter(request))
    };
    let exit = |scenario: Scenario, process, time| {
        let meaning = Meaning::Exit(stamp(time - 2, process));
        scenario.send(process, time, To::All, 2, Some(meaning))
    };
    let both = enter(enter(Scenario::default(), P1, 1), P2, 1);
    let violation = both.violated(Algorithm::Mutex, &[]);
    assert_eq!(violation[0], (Property::MutualExclusion, Some((1, 3))));
    // The first exited, but this did not happen before the entry of the second.
    let lucky = enter(exit(enter(Scenario::default(), P1, 1), P1, 3), P2, 7);
    assert_eq!(
        lucky.violated(Algorithm::Mutex, &[]),
        [(Property::MutualExclusion, Some((1, 4)))]
    );
    // Here it did, by way of a third process.
    let informed = exit(enter(Scenario::default(), P1, 1), P1, 3)
        .receive(P3, 4, P1, 2)
        .send(P3, 5, To::One(P2), 1, None)
        .receive(P2, 6, P3, 1);
    assert_eq!(enter(informed, P2, 7).violated(Algorithm::Mutex, &[]), []);
}

#[test]
fn events_missing_in_the_log_of_a_killed_process_are_no_violation() {
    let entered = || {
        Scenario::default()
            .request(P1, 1)
            .local(P1, 2, Meaning::Enter(stamp(1, P1)))
    };
    let enters = |scenario: Scenario| {
        scenario
            .request(P2, 8)
            .local(P2, 9, Meaning::Enter(stamp(8, P2)))
    };
    // Its release was received, though its log does not contain the send.
    let cut_off = enters(entered().receive(P2, 4, P1, 2));
    assert_eq!(cut_off.violated(Algorithm::Mutex, &[P1]), []);
    let violation = [(Property::MutualExclusion, Some((1, 3)))];
    assert_eq!(
        enters(entered()).violated(Algorithm::Mutex, &[P1]),
        violation
    );
    // It is not expected to deliver.
    let one = stamp(1, P1);
    let delivered = Scenario::default()
        .multicast(P1, 1, 1)
        .deliver(P2, 3, one, "x: 7")
        .deliver(P3, 3, one, "x: 7")
        .deliver(P2, 5, stamp(2, P1), "y: 8")
        .deliver(P3, 5, stamp(2, P1), "y: 8");
    assert_eq!(delivered.violated(Algorithm::Total, &[P1]), []);
    // A process that ended by itself logged all its sends.
    let unknown = [
        (Property::SameSequence, Some((3, 3))),
        (Property::AllDelivered, None),
    ];
    assert_eq!(delivered.violated(Algorithm::Total, &[]), unknown);
}

#[test]
fn requests_not_granted_or_granted_out_of_order_are_found() {
    let entry = |scenario: Scenario, process, request: u64, time, number| {
        scenario
            .local(process, time, Meaning::Enter(stamp(request, process)))
            .send(
                process,
                time + 1,
                To::All,
                number,
                Some(Meaning::Exit(stamp(request, process))),
            )
    };
    let requested = Scenario::default().request(P1, 2).request(P2, 1);
    let unfair = entry(requested, P1, 2, 3, 2).receive(P2, 5, P1, 2);
    let unfair = entry(unfair, P2, 1, 6, 2);
    let order = [(Property::TimestampOrder, Some((2, 5)))];
    assert_eq!(unfair.violated(Algorithm::Mutex, &[]), order);
    assert_eq!(
        unfair.violated(Algorithm::Central, &[]),
        [],
        "a coordinator does not grant by timestamp"
    );
    let pending = entry(
        Scenario::default().request(P1, 1).request(P2, 1),
        P1,
        1,
        2,
        2,
    );
    let granted = [(Property::Granted, None)];
    assert_eq!(pending.violated(Algorithm::Mutex, &[]), granted);
}

#[test]
fn deliveries_in_another_order_or_missing_are_found() {
    let (one, other) = (stamp(1, P1), stamp(1, P2));
    let sent = || Scenario::default().multicast(P1, 1, 1).multicast(P2, 1, 1);
    let at = |scenario: Scenario, process, first, second| {
        scenario
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
    let violation = [(Property::SameSequence, Some((2, 6)))];
    assert_eq!(swapped.violated(Algorithm::Total, &[]), violation);
    let missing = at(at(sent(), P1, one, other), P2, one, other).deliver(P3, 4, one, "x: 7");
    let violation = [(Property::AllDelivered, None)];
    assert_eq!(missing.violated(Algorithm::Total, &[]), violation);
    let unequal = at(at(sent(), P1, one, other), P2, one, other)
        .deliver(P3, 4, one, "x: 7")
        .deliver(P3, 5, other, "y: 9");
    let violation = [(Property::EqualAccounts, None)];
    assert_eq!(unequal.violated(Algorithm::Total, &[]), violation);
}

#[test]
fn an_answer_delivered_before_its_question_is_found() {
    let (question, answer) = (stamp(1, P1), stamp(4, P2));
    let scenario = Scenario::default()
        .multicast(P1, 1, 1)
        .deliver(P1, 2, question, "?")
        .receive(P2, 2, P1, 1)
        .deliver(P2, 3, question, "?")
        .multicast(P2, 4, 1)
        .deliver(P2, 5, answer, "!")
        .deliver(P1, 6, answer, "!");
    let late = scenario
        .deliver(P3, 6, answer, "!")
        .deliver(P3, 7, question, "?");
    let violation = [(Property::CausalOrder, Some((0, 7)))];
    assert_eq!(late.violated(Algorithm::Causal, &[]), violation);
}

#[test]
fn a_multicast_delivered_twice_is_found_and_violates_no_order() {
    let one = stamp(1, P1);
    let scenario = Scenario::default()
        .multicast(P1, 1, 1)
        .deliver(P1, 2, one, "!")
        .deliver(P2, 2, one, "!")
        .deliver(P3, 2, one, "!")
        .deliver(P3, 3, one, "!");
    let duplicate = [(Property::DeliveredOnce, Some((0, 4)))];
    assert_eq!(scenario.violated(Algorithm::Causal, &[]), duplicate);
    // The duplicate is not counted among the multicasts before the next one, either.
    let reply = scenario
        .multicast(P3, 4, 1)
        .deliver(P1, 5, stamp(4, P3), "?");
    let missing = [
        (Property::DeliveredOnce, Some((0, 4))),
        (Property::AllDelivered, None),
    ];
    assert_eq!(reply.violated(Algorithm::Causal, &[]), missing);
}

#[test]
fn the_verdict_does_not_depend_on_the_order_within_a_microsecond() {
    let entry = |process, request: u64, micros: u64, time: u64| {
        let mut scenario =
            Scenario::default().local(process, time, Meaning::Enter(stamp(request, process)));
        scenario.0[0].at = Duration::from_micros(micros);
        scenario.0.remove(0)
    };
    let (one, other) = (entry(P1, 2, 7, 3), entry(P2, 1, 7, 3));
    for events in [
        vec![one.clone(), other.clone()],
        vec![other.clone(), one.clone()],
    ] {
        let violated = Scenario(events).violated(Algorithm::Mutex, &[]);
        let properties: Vec<_> = violated.into_iter().map(|(property, _)| property).collect();
        assert_eq!(properties, [Property::MutualExclusion]);
    }
    let later = entry(P2, 1, 8, 3);
    let violated = Scenario(vec![one, later]).violated(Algorithm::Mutex, &[]);
    assert!(violated.contains(&(Property::TimestampOrder, Some((0, 1)))));
}

/// The verdict on a property, and why.
fn of(verdict: &Verdict, property: Property) -> (event::Verdict, &str) {
    let mut checks = verdict.checks.iter();
    let check = checks.find(|check| check.property == property).unwrap();
    (check.verdict, &check.found)
}

const OPEN: event::Verdict = event::Verdict::Open;

#[test]
fn what_was_not_exercised_is_open() {
    let scenario = Scenario::default().local(P1, 1, Meaning::Local(String::new()));
    for &algorithm in Algorithm::value_variants() {
        let verdict = scenario.verdict(algorithm, &[]);
        assert!(verdict.holds());
        let open = |check: &Check| check.verdict == OPEN;
        assert!(verdict.checks.iter().all(open), "{:?}", verdict.checks);
        let clocks = of(&verdict, Property::Clocks);
        assert_eq!(clocks, (OPEN, "no message was sent"));
    }
}

#[test]
fn half_of_what_a_property_says_is_not_all_of_it() {
    let expect = |scenario: &Scenario, algorithm, property, expected: &str| {
        let verdict = scenario.verdict(algorithm, &[]);
        assert_eq!(of(&verdict, property), (OPEN, expected), "{algorithm:?}");
    };
    // Clocks that advance by themselves, and ignore messages, pass without a message.
    let steps = Scenario::default()
        .local(P1, 1, Meaning::Local(String::new()))
        .local(P1, 2, Meaning::Local(String::new()));
    let why = "no message was sent; held for all 1 steps of the processes";
    expect(&steps, Algorithm::Events, Property::Clocks, why);
    let sent = steps.send(P1, 3, To::One(P2), 1, None);
    let why = "no message was received; held for all 2 steps of the processes";
    expect(&sent, Algorithm::Events, Property::Clocks, why);
    expect(
        &sent,
        Algorithm::Events,
        Property::Channels,
        "no message was received",
    );

    // One process alone cannot be inside with another.
    let entry = |scenario: Scenario, process, time| {
        scenario
            .request(process, time)
            .local(process, time + 1, Meaning::Enter(stamp(time, process)))
            .local(process, time + 2, Meaning::Exit(stamp(time, process)))
    };
    let once = entry(Scenario::default(), P1, 1);
    let why = "only one process entered the critical section";
    expect(&once, Algorithm::Mutex, Property::MutualExclusion, why);
    let why = "the critical section was entered only once";
    expect(&once, Algorithm::Mutex, Property::TimestampOrder, why);
    let twice = entry(once, P1, 4).verdict(Algorithm::Mutex, &[]);
    assert_eq!(of(&twice, Property::TimestampOrder).0, event::Verdict::Ok);
    assert_eq!(of(&twice, Property::MutualExclusion).0, OPEN);

    // One sequence cannot differ from another, and without a cause no order is kept.
    let multicast = Scenario::default().multicast(P1, 1, 1);
    for (algorithm, order) in [
        (Algorithm::Total, Property::SameSequence),
        (Algorithm::Causal, Property::CausalOrder),
    ] {
        for property in [order, Property::DeliveredOnce] {
            expect(
                &multicast,
                algorithm,
                property,
                "no process delivered anything",
            );
        }
    }
    let delivered = multicast.deliver(P1, 2, stamp(1, P1), "x: 7");
    let why = "only one process delivered anything";
    expect(&delivered, Algorithm::Total, Property::SameSequence, why);
    let why = "no multicast happened before another that was delivered";
    expect(&delivered, Algorithm::Causal, Property::CausalOrder, why);
}

#[test]
fn what_a_process_without_an_end_has_not_done_is_open() {
    let pending = Scenario::default().request(P1, 1);
    let verdict = pending.verdict(Algorithm::Mutex, &[P1]);
    let why = "not granted so far: p1's of 1; the log of p1 ends without a stop";
    assert_eq!(of(&verdict, Property::Granted), (OPEN, why));
    let delivered = Scenario::default()
        .multicast(P1, 1, 1)
        .deliver(P1, 2, stamp(1, P1), "x: 7")
        .deliver(P2, 3, stamp(1, P1), "x: 7");
    let verdict = delivered.verdict(Algorithm::Total, &[P2, P3]);
    let why = "of 1 multicast delivered p3 0 so far; the logs of p2, p3 end without a stop";
    assert_eq!(of(&verdict, Property::AllDelivered), (OPEN, why));
    // Of one that crashed nothing is expected.
    let names = Names::numbered(3);
    let run = RunUnderTest::new(&names, &delivered.0);
    let (verdict, why) = (
        super::of(Algorithm::Total, &run.crashed(&[P3])),
        "1 multicast, each at all 2 processes",
    );
    assert_eq!(
        of(&verdict, Property::AllDelivered),
        (event::Verdict::Ok, why)
    );
    let verdict = super::of(Algorithm::Total, &run.crashed(&[P1, P2, P3]));
    assert_eq!(of(&verdict, Property::AllDelivered).0, OPEN);
    let run = RunUnderTest::new(&names, &pending.0);
    let verdict = super::of(Algorithm::Mutex, &run.crashed(&[P1]));
    assert!(verdict.holds());
}
