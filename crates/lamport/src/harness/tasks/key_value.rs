//! `lin-kv`: reads, writes and compare-and-sets of keys, linearizable (Herlihy & Wing 1990). Each key is checked alone, as a
//! history is linearizable when that of each of its objects is; a key has so few operations that all their orders can be tried.

use std::{collections::BTreeMap, time::Duration};

use common::{
    process::{property::Property, verdict::check::Check},
    text::{micros, plural, whole_micros},
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::harness::{
    history::History,
    message::{
        Body, KEY_DOES_NOT_EXIST, PRECONDITION_FAILED, body, excerpt, is_definite, kind, number,
    },
    task::{Answer, End, Exchange, Task},
};

/// How many clients share keys, how many keys these have at a time, and how many operations a key has until another one takes its
/// place. The tester tries the orders of concurrent operations one after the other, so that there must be few.
const CLIENTS: usize = 3;
const KEYS: u64 = 3;
const OPERATIONS: u64 = 15;

/// Values are below this, so that a compare-and-set succeeds at times.
const VALUES: u64 = 5;

/// The most operations of one key whose results are unknown: each doubles the orders.
const MOST_UNKNOWN: usize = 3;

/// The present value of a key.
#[derive(Clone, Debug, Default)]
struct Register(Option<Value>);

/// An operation.
#[derive(Clone, Debug)]
enum Operation {
    Read,
    Write(u64),
    Cas(u64, u64),
}

/// Its result.
#[derive(Clone, Debug, PartialEq)]
enum Found {
    Value(Value),
    Done,
    Differs,
    NoKey,
}

impl SequentialSpec for Register {
    type Op = Operation;
    type Ret = Found;

    fn invoke(&mut self, operation: &Operation) -> Found {
        match operation {
            Operation::Read => self.0.clone().map_or(Found::NoKey, Found::Value),
            Operation::Write(value) => {
                self.0 = Some((*value).into());
                Found::Done
            }
            Operation::Cas(from, to) => match &self.0 {
                None => Found::NoKey,
                Some(value) if value.as_u64() == Some(*from) => {
                    self.0 = Some((*to).into());
                    Found::Done
                }
                Some(_) => Found::Differs,
            },
        }
    }
}

/// An operation of a client on a key.
#[derive(Clone, Debug)]
struct Call {
    node: usize,
    operation: Operation,
    /// Its place among all invocations and results.
    invoked: u64,
    /// Its place, its time and its result; None if that is unknown.
    returned: Option<(u64, Duration, Found)>,
    /// Whether it has definitely not happened.
    refused: bool,
}

/// The workload.
#[derive(Debug)]
pub(super) struct KeyValue {
    /// The keys in use, and how many operations each has had, for each group of clients.
    keys: Vec<Vec<(u64, u64)>>,
    next_key: u64,
    /// The number of the last invocation or result.
    moment: u64,
    calls: BTreeMap<u64, Vec<Call>>,
    /// The key and the place of each client's call that waits.
    waiting: BTreeMap<(usize, u64), (u64, usize)>,
}

impl KeyValue {
    pub(super) fn new(nodes: usize) -> Self {
        let groups = nodes.div_ceil(CLIENTS) as u64;
        let keys = |group: u64| (0..KEYS).map(|key| (group * KEYS + key, 0)).collect();
        Self {
            keys: (0..groups).map(keys).collect(),
            next_key: groups * KEYS,
            moment: 0,
            calls: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// The operations whose results are known, and those that may have happened: of which each client is another one from
    /// then on.
    fn tester(calls: &[Call], until: u64) -> LinearizabilityTester<usize, Register> {
        let mut moments: Vec<(u64, usize, bool)> = Vec::new();
        let mut threads = BTreeMap::new();
        let mut next = 1_000;
        let mut thread_of = Vec::new();
        for (place, call) in calls.iter().enumerate() {
            let thread = *threads.entry(call.node).or_insert(call.node);
            thread_of.push(thread);
            if call.refused || call.invoked > until {
                continue;
            }
            let returned = call
                .returned
                .as_ref()
                .filter(|returned| returned.0 <= until);
            if returned.is_none() && matches!(call.operation, Operation::Read) {
                continue;
            }
            moments.push((call.invoked, place, false));
            match returned {
                Some(returned) => moments.push((returned.0, place, true)),
                None => {
                    threads.insert(call.node, next);
                    next += 1;
                }
            }
        }
        moments.sort_unstable_by_key(|moment| moment.0);
        let mut tester = LinearizabilityTester::new(Register::default());
        for (_, place, is_return) in moments {
            let call = &calls[place];
            let thread = thread_of[place];
            let done = match (&call.returned, is_return) {
                (Some((.., found)), true) => tester.on_return(thread, found.clone()).map(drop),
                _ => tester.on_invoke(thread, call.operation.clone()).map(drop),
            };
            done.expect("a client has one call at a time");
        }
        tester
    }

    /// The first result that fits no order of the operations, and the calls until then.
    fn violation(calls: &[Call]) -> Option<usize> {
        if Self::tester(calls, u64::MAX).is_consistent() {
            return None;
        }
        let mut returns: Vec<_> = calls
            .iter()
            .enumerate()
            .filter(|(_, call)| !call.refused)
            .filter_map(|(place, call)| Some((call.returned.as_ref()?.0, place)))
            .collect();
        returns.sort_unstable();
        let mut returns = returns.into_iter();
        returns
            .find(|(moment, _)| !Self::tester(calls, *moment).is_consistent())
            .map(|(_, place)| place)
    }

    fn words(call: &Call, end: &End<'_>) -> String {
        let node = end.name(call.node);
        let operation = match call.operation {
            Operation::Read => "read".to_owned(),
            Operation::Write(value) => format!("write {value}"),
            Operation::Cas(from, to) => format!("cas {from} to {to}"),
        };
        let found = match &call.returned {
            None => "no answer".to_owned(),
            Some((_, at, found)) => {
                let found = match found {
                    Found::Value(value) => excerpt(value.to_string().as_bytes()),
                    Found::Done => "done".to_owned(),
                    Found::Differs => "another value".to_owned(),
                    Found::NoKey => "no such key".to_owned(),
                };
                format!("{found} at {}", micros(whole_micros(*at)))
            }
        };
        format!("{node} {operation}: {found}")
    }
}

impl Task for KeyValue {
    fn request(&mut self, node: usize, random: &mut Pcg64Mcg) -> Body {
        let group = node % self.keys.len();
        let keys = &mut self.keys[group];
        let place = random.random_range(0..keys.len());
        let (key, operations) = &mut keys[place];
        *operations += 1;
        let this = *key;
        if *operations >= OPERATIONS {
            keys[place] = (self.next_key, 0);
            self.next_key += 1;
        }
        let key = ("key", this.into());
        let value = |random: &mut Pcg64Mcg| Value::from(random.random_range(0..VALUES));
        match random.random_range(0..4) {
            0 | 1 => body("read", [key]),
            2 => body("write", [key, ("value", value(random))]),
            _ => body("cas", [key, ("from", value(random)), ("to", value(random))]),
        }
    }

    fn invoked(&mut self, node: usize, id: u64, request: &Body) {
        let Some(key) = number(request, "key") else {
            return;
        };
        let field = |name| number(request, name).unwrap_or_default();
        let operation = match kind(request) {
            "read" => Operation::Read,
            "write" => Operation::Write(field("value")),
            _ => Operation::Cas(field("from"), field("to")),
        };
        self.moment += 1;
        let calls = self.calls.entry(key).or_default();
        self.waiting.insert((node, id), (key, calls.len()));
        calls.push(Call {
            node,
            operation,
            invoked: self.moment,
            returned: None,
            refused: false,
        });
    }

    fn answered(
        &mut self,
        _: &mut History,
        at: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let waiting = self.waiting.remove(&(exchange.node, exchange.id));
        let Some((key, place)) = waiting else {
            return Ok(());
        };
        let Some(call) = self
            .calls
            .get_mut(&key)
            .and_then(|calls| calls.get_mut(place))
        else {
            return Ok(());
        };
        let found = match (exchange.answer, &call.operation) {
            (Answer::Ok(reply, _), Operation::Read) => match reply.get("value") {
                None => return Err("expected a field value in read_ok, found none".to_owned()),
                Some(Value::Null) => Found::NoKey,
                Some(value) => Found::Value(value.clone()),
            },
            (Answer::Ok(..), _) => Found::Done,
            (Answer::Error(KEY_DOES_NOT_EXIST), Operation::Read | Operation::Cas(..)) => {
                Found::NoKey
            }
            (Answer::Error(PRECONDITION_FAILED), Operation::Cas(..)) => Found::Differs,
            (Answer::Error(code), _) => {
                call.refused = is_definite(code);
                return Ok(());
            }
            (Answer::None, _) => return Ok(()),
        };
        self.moment += 1;
        call.returned = Some((self.moment, at, found));
        Ok(())
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let property = Property::Linearizable;
        let (mut checked, mut undecided) = (0, 0);
        for (key, calls) in &self.calls {
            let unknown = calls.iter().filter(|call| {
                call.returned.is_none()
                    && !call.refused
                    && !matches!(call.operation, Operation::Read)
            });
            if unknown.count() > MOST_UNKNOWN {
                undecided += 1;
                continue;
            }
            checked += calls.iter().filter(|call| call.returned.is_some()).count() as u64;
            if let Some(place) = Self::violation(calls) {
                let shown = &calls[place.saturating_sub(4)..place];
                let before: Vec<_> = shown.iter().map(|call| Self::words(call, end)).collect();
                let found = format!(
                    "key {key}: {} fits no order of the operations; before it {}",
                    Self::words(&calls[place], end),
                    before.join("; ")
                );
                return vec![Check::unfulfilled(property, found)];
            }
        }
        let operations = plural(checked, "operation");
        vec![if checked == 0 {
            Check::open(property, "no operation has a result")
        } else if undecided > 0 {
            let keys = plural(undecided, "key");
            let found = format!(
                "{keys} with more than {MOST_UNKNOWN} operations without an answer; held for {operations}"
            );
            Check::open(property, found)
        } else {
            let keys = plural(self.calls.len() as u64, "key");
            Check::ok(property, format!("{operations} on {keys} have an order"))
        }]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn call(node: usize, operation: Operation, invoked: u64, returned: (u64, Found)) -> Call {
        Call {
            node,
            operation,
            invoked,
            returned: Some((returned.0, Duration::ZERO, returned.1)),
            refused: false,
        }
    }

    #[test]
    fn a_read_of_an_old_value_after_a_write_is_no_order_and_beside_it_is_one() {
        let value = |value: u64| Found::Value(value.into());
        let mut calls = vec![
            call(0, Operation::Write(1), 1, (2, Found::Done)),
            call(1, Operation::Write(2), 3, (6, Found::Done)),
            call(2, Operation::Read, 4, (5, value(1))),
        ];
        assert_eq!(KeyValue::violation(&calls), None);
        calls.push(call(2, Operation::Read, 7, (8, value(1))));
        assert_eq!(KeyValue::violation(&calls), Some(3));
        // A write whose result is unknown may have happened, or not, or happen later.
        calls[3] = call(2, Operation::Read, 7, (8, value(3)));
        assert_eq!(KeyValue::violation(&calls), Some(3));
        let mut unknown = call(0, Operation::Write(3), 6, (0, Found::Done));
        unknown.returned = None;
        calls.insert(2, unknown);
        assert_eq!(KeyValue::violation(&calls), None);
        // One that was refused has not happened.
        calls[2].refused = true;
        assert_eq!(KeyValue::violation(&calls), Some(4));
    }

    #[test]
    fn the_most_concurrent_history_of_a_key_is_checked_in_a_short_time() {
        let mut calls = Vec::new();
        for round in 0..OPERATIONS / CLIENTS as u64 {
            for node in 0..CLIENTS {
                let (from, to) = (round * 100, round * 100 + 50);
                let write = Operation::Write(node as u64);
                calls.push(call(
                    node,
                    write,
                    from + node as u64,
                    (to + node as u64, Found::Done),
                ));
            }
        }
        // The last read fits none of the orders, so all are tried.
        let never = Found::Value(99.into());
        calls.push(call(0, Operation::Read, 10_000, (10_001, never)));
        let started = Instant::now();
        assert!(KeyValue::violation(&calls).is_some());
        assert!(
            started.elapsed() < Duration::from_secs(5),
            "{:?}",
            started.elapsed()
        );
    }
}
