//! `g-counter` and `pn-counter`: in the end every node reads the sum of what was added.

use std::{ops::RangeInclusive, time::Duration};

use common::process::{property::Property, verdict::check::Check};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::harness::{
    history::History,
    message::{Body, body, excerpt, integer, is_definite},
    task::{Answer, End, Exchange, Task},
};

/// The workload.
#[derive(Debug)]
pub(super) struct Counter {
    /// Whether the counter may shrink.
    shrinks: bool,
    /// The sum of the additions that nodes took.
    sum: i64,
    added: u64,
    /// The sums of the negative and of the positive additions that may have happened.
    perhaps: (i64, i64),
    /// What each node read last, in the end.
    last: Vec<Option<i64>>,
}

impl Counter {
    pub(super) fn new(nodes: usize, shrinks: bool) -> Self {
        Self {
            shrinks,
            sum: 0,
            added: 0,
            perhaps: (0, 0),
            last: vec![None; nodes],
        }
    }

    fn possible(&self) -> RangeInclusive<i64> {
        self.sum + self.perhaps.0..=self.sum + self.perhaps.1
    }

    fn value(reply: &Body) -> Result<i64, String> {
        integer(reply, "value").ok_or_else(|| {
            let found = reply
                .get("value")
                .map_or_else(|| "none".to_owned(), Value::to_string);
            let found = excerpt(found.as_bytes());
            format!("expected an integer as value in read_ok, found {found}")
        })
    }
}

impl Task for Counter {
    fn request(&mut self, _: usize, random: &mut Pcg64Mcg) -> Body {
        if random.random_bool(0.5) {
            return body("read", []);
        }
        let least = if self.shrinks { -5 } else { 0 };
        let delta: i64 = random.random_range(least..=5);
        body("add", [("delta", delta.into())])
    }

    fn answered(
        &mut self,
        _: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let delta = integer(exchange.request, "delta");
        match (exchange.answer, delta) {
            (Answer::Ok(..), Some(delta)) => {
                self.sum += delta;
                self.added += 1;
            }
            (Answer::Error(code), _) if is_definite(code) => {}
            (Answer::Error(_) | Answer::None, Some(delta)) => {
                self.perhaps.0 += delta.min(0);
                self.perhaps.1 += delta.max(0);
            }
            (Answer::Ok(reply, _), None) => {
                Self::value(reply)?;
            }
            (Answer::Error(_) | Answer::None, None) => {}
        }
        Ok(())
    }

    fn read(&self) -> Option<Body> {
        Some(body("read", []))
    }

    fn is_read(&mut self, node: usize, reply: &Body) -> Result<bool, String> {
        let value = Some(Self::value(reply)?);
        let before = std::mem::replace(&mut self.last[node], value);
        Ok(before != value)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        end.of_those_up(&self.last)
            .all(|(_, read)| read.is_some_and(|read| self.possible().contains(&read)))
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let property = Property::FinalValue;
        let possible = self.possible();
        let expected = match (*possible.start(), *possible.end()) {
            (one, other) if one == other => one.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let mut wrong = Vec::new();
        for (node, read) in end.of_those_up(&self.last) {
            match read {
                Some(read) if possible.contains(read) => {}
                Some(read) => wrong.push(format!("{} read {read}", end.name(node))),
                None => wrong.push(format!("{} answered no read in the end", end.name(node))),
            }
        }
        vec![if !wrong.is_empty() {
            let found = format!(
                "the sum of all additions is {expected}; {}",
                wrong.join(", ")
            );
            Check::unfulfilled(property, found)
        } else if self.added == 0 {
            Check::open(property, "no node took an addition")
        } else {
            let found = format!("every node reads {expected} after {} additions", self.added);
            Check::ok(property, found)
        }]
    }
}
