//! Runs made by hand, each with one promise broken.

use std::time::Duration;

use super::*;
use crate::{clock::Timestamp, process::Deed};

/// A run told event by event; times of day follow one another.
#[derive(Default)]
struct Story(Vec<Happening>);

const P1: ProcessId = ProcessId(0);
const P2: ProcessId = ProcessId(1);
const P3: ProcessId = ProcessId(2);

fn stamp(time: u64, process: ProcessId) -> Timestamp {
    Timestamp { time, process }
}

impl Story {
    fn event(mut self, process: ProcessId, time: u64, what: What, deed: Option<Deed>) -> Self {
        self.0.push(Happening {
            process,
            at: Duration::from_millis(self.0.len() as u64),
            time,
            what,
            deed,
        });
        self
    }

    fn local(self, process: ProcessId, time: u64, deed: Deed) -> Self {
        self.event(process, time, What::Local, Some(deed))
    }

    fn send(self, process: ProcessId, time: u64, to: To, number: u64, deed: Option<Deed>) -> Self {
        let what = What::Send {
            to,
            number,
            word: "message".into(),
            text: String::new(),
        };
        self.event(process, time, what, deed)
    }

    fn receive(self, process: ProcessId, time: u64, from: ProcessId, number: u64) -> Self {
        let what = What::Receive {
            from,
            to: To::All,
            number,
            word: "message".into(),
            text: String::new(),
        };
        self.event(process, time, what, None)
    }

    fn request(self, process: ProcessId, time: u64) -> Self {
        self.send(process, time, To::All, 1, Some(Deed::Request))
    }

    fn multicast(self, process: ProcessId, time: u64, number: u64) -> Self {
        let deed = Deed::Multicast(String::new());
        self.send(process, time, To::All, number, Some(deed))
    }

    fn deliver(self, process: ProcessId, time: u64, multicast: Timestamp, said: &str) -> Self {
        self.local(process, time, Deed::Deliver(multicast, said.into()))
    }

    /// What is broken: the rules, and the two events where there are two.
    fn broken(&self, algorithm: Algorithm, gone: &[ProcessId]) -> Vec<(&'static str, Wrong)> {
        let verdict = Verdict::of(&Case {
            algorithm,
            names: &Names::numbered(3),
            happenings: &self.0,
            gone,
        });
        let broken = verdict.checks.iter();
        let broken: Vec<_> = broken
            .filter_map(|check| Some((check.rule, check.wrong?)))
            .collect();
        assert_eq!(broken.is_empty(), verdict.holds());
        broken
    }
}

#[test]
fn a_clock_that_does_not_move_is_found() {
    let one = To::One(P2);
    let good = Story::default()
        .send(P1, 1, one, 1, None)
        .receive(P2, 2, P1, 1);
    assert_eq!(good.broken(Algorithm::Events, &[]), []);
    let same = Story::default()
        .send(P1, 2, one, 1, None)
        .receive(P2, 2, P1, 1);
    let broken = [("clock condition", Wrong::Events(0, 1))];
    assert_eq!(same.broken(Algorithm::Events, &[]), broken);
    let stands = Story::default()
        .local(P3, 1, Deed::Local(String::new()))
        .send(P1, 5, one, 1, None)
        .send(P1, 5, one, 2, None);
    let broken = [("clock condition", Wrong::Events(1, 2))];
    assert_eq!(stands.broken(Algorithm::Events, &[]), broken);
}

#[test]
fn messages_that_come_twice_or_overtake_or_from_nowhere_are_found() {
    let sent = || {
        Story::default()
            .send(P1, 1, To::All, 1, None)
            .send(P1, 2, To::All, 2, None)
    };
    let channels = |one, other| vec![("channels", Wrong::Events(one, other))];
    let twice = sent().receive(P2, 3, P1, 1).receive(P2, 4, P1, 1);
    assert_eq!(twice.broken(Algorithm::Events, &[]), channels(2, 3));
    let overtaken = sent().receive(P2, 3, P1, 2).receive(P2, 4, P1, 1);
    assert_eq!(overtaken.broken(Algorithm::Events, &[]), channels(2, 3));
    let nowhere = sent().receive(P2, 3, P1, 3);
    assert_eq!(nowhere.broken(Algorithm::Events, &[]), channels(2, 2));
    // Of a process that was killed the last events may be missing.
    assert_eq!(nowhere.broken(Algorithm::Events, &[P1]), []);
}

#[test]
fn two_at_once_are_found_even_where_time_kept_them_apart() {
    let enter = |story: Story, process, time| {
        let (request, inside) = (stamp(time, process), time + 1);
        story
            .request(process, time)
            .local(process, inside, Deed::Enter(request))
    };
    let leave = |story: Story, process, time| {
        let deed = Deed::Leave(stamp(time - 2, process));
        story.send(process, time, To::All, 2, Some(deed))
    };
    let both = enter(enter(Story::default(), P1, 1), P2, 1);
    let broken = both.broken(Algorithm::Mutex, &[]);
    assert_eq!(broken[0], ("mutual exclusion", Wrong::Events(1, 3)));
    // The first had left, but the second could not know.
    let lucky = enter(leave(enter(Story::default(), P1, 1), P1, 3), P2, 7);
    assert_eq!(
        lucky.broken(Algorithm::Mutex, &[]),
        [("mutual exclusion", Wrong::Events(1, 4))]
    );
    // Told by another, it can.
    let told = leave(enter(Story::default(), P1, 1), P1, 3)
        .receive(P3, 4, P1, 2)
        .send(P3, 5, To::One(P2), 1, None)
        .receive(P2, 6, P3, 1);
    assert_eq!(enter(told, P2, 7).broken(Algorithm::Mutex, &[]), []);
}

#[test]
fn whoever_was_killed_before_it_had_written_that_it_left_is_not_accused() {
    let entered = || {
        Story::default()
            .request(P1, 1)
            .local(P1, 2, Deed::Enter(stamp(1, P1)))
    };
    let enters = |story: Story| story.request(P2, 8).local(P2, 9, Deed::Enter(stamp(8, P2)));
    // Its release has come, though its log has none.
    let cut_off = enters(entered().receive(P2, 4, P1, 2));
    assert_eq!(cut_off.broken(Algorithm::Mutex, &[P1]), []);
    let broken = [("mutual exclusion", Wrong::Events(1, 3))];
    assert_eq!(enters(entered()).broken(Algorithm::Mutex, &[P1]), broken);
    // Nor is it missed where it should have delivered.
    let one = stamp(1, P1);
    let delivered = Story::default()
        .multicast(P1, 1, 1)
        .deliver(P2, 3, one, "x: 7")
        .deliver(P3, 3, one, "x: 7")
        .deliver(P2, 5, stamp(2, P1), "y: 8")
        .deliver(P3, 5, stamp(2, P1), "y: 8");
    assert_eq!(delivered.broken(Algorithm::Total, &[P1]), []);
    let everywhere = [("everything delivered", Wrong::Missing)];
    assert_eq!(delivered.broken(Algorithm::Total, &[]), everywhere);
}

#[test]
fn requests_not_granted_or_in_the_wrong_order_are_found() {
    let visit = |story: Story, process, request: u64, time, number| {
        story
            .local(process, time, Deed::Enter(stamp(request, process)))
            .send(
                process,
                time + 1,
                To::All,
                number,
                Some(Deed::Leave(stamp(request, process))),
            )
    };
    let asked = Story::default().request(P1, 2).request(P2, 1);
    let wrong = visit(asked, P1, 2, 3, 2).receive(P2, 5, P1, 2);
    let wrong = visit(wrong, P2, 1, 6, 2);
    let order = [("in timestamp order", Wrong::Events(2, 5))];
    assert_eq!(wrong.broken(Algorithm::Mutex, &[]), order);
    assert_eq!(
        wrong.broken(Algorithm::Central, &[]),
        [],
        "a coordinator promises no such order"
    );
    let open = visit(Story::default().request(P1, 1).request(P2, 1), P1, 1, 2, 2);
    let granted = [("every request granted", Wrong::Missing)];
    assert_eq!(open.broken(Algorithm::Mutex, &[]), granted);
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
    assert_eq!(good.broken(Algorithm::Total, &[]), []);
    let swapped = at(
        at(at(sent(), P1, one, other), P2, one, other),
        P3,
        other,
        one,
    );
    let broken = [("same sequence", Wrong::Events(2, 6))];
    assert_eq!(swapped.broken(Algorithm::Total, &[]), broken);
    let missing = at(at(sent(), P1, one, other), P2, one, other).deliver(P3, 4, one, "x: 7");
    let broken = [("everything delivered", Wrong::Missing)];
    assert_eq!(missing.broken(Algorithm::Total, &[]), broken);
    let unequal = at(at(sent(), P1, one, other), P2, one, other)
        .deliver(P3, 4, one, "x: 7")
        .deliver(P3, 5, other, "y: 9");
    let broken = [("equal accounts", Wrong::Missing)];
    assert_eq!(unequal.broken(Algorithm::Total, &[]), broken);
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
    let broken = [("causal order", Wrong::Events(0, 7))];
    assert_eq!(late.broken(Algorithm::Causal, &[]), broken);
}

#[test]
fn logs_are_merged_so_that_no_effect_comes_before_its_cause() {
    // By its clock, p2 received before p1 had sent.
    let story = Story::default()
        .receive(P2, 2, P1, 1)
        .local(P2, 3, Deed::Local(String::new()))
        .local(P1, 1, Deed::Local(String::new()))
        .send(P1, 2, To::All, 1, None);
    let of = |process| {
        let own = story
            .0
            .iter()
            .filter(|happening| happening.process == process);
        own.cloned().collect::<Vec<_>>()
    };
    let merged = in_causal_order([P1, P2, P3].map(of).into());
    let order: Vec<_> = merged
        .iter()
        .map(|happening| (happening.process, happening.time))
        .collect();
    assert_eq!(order, [(P1, 1), (P1, 2), (P2, 2), (P2, 3)]);
    // Logs in which all wait for one another are merged all the same.
    let circle = Story::default()
        .receive(P1, 1, P2, 1)
        .send(P1, 2, To::All, 1, None)
        .receive(P2, 1, P1, 1)
        .send(P2, 2, To::All, 1, None);
    let of = |process| {
        let own = circle
            .0
            .iter()
            .filter(|happening| happening.process == process);
        own.cloned().collect::<Vec<_>>()
    };
    assert_eq!(in_causal_order(vec![of(P1), of(P2)]).len(), 4);
}
