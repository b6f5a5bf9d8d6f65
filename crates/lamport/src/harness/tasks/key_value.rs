//! `lin-kv`: reads, writes and compare-and-sets of keys, linearizable (Herlihy & Wing 1990). Each key is checked alone, as a
//! history is linearizable when that of each of its objects is; a key has so few operations that all their orders can be tried.

use std::{collections::BTreeMap, time::Duration};

use common::text::{micros, plural, whole_micros};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;
use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

use crate::{
    harness::{
        history::History,
        message::{
            Body, KEY_DOES_NOT_EXIST, PRECONDITION_FAILED, body, excerpt, is_definite, kind, number,
        },
        task::{Answer, End, Exchange, Task},
    },
    property::Property,
    verdict::Check,
};

/// How many keys are in use at a time, and how many operations a key has until another one takes its place.
const KEYS: u64 = 3;
const OPERATIONS: u64 = 20;

/// Values are below this, so that a compare-and-set succeeds at times.
const VALUES: u64 = 5;

/// The most operations of one key whose results are unknown: each doubles the orders.
const MOST_UNKNOWN: usize = 6;

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
    /// The keys in use, and how many operations each has had.
    keys: Vec<(u64, u64)>,
    next_key: u64,
    /// The number of the last invocation or result.
    moment: u64,
    calls: BTreeMap<u64, Vec<Call>>,
    /// The key and the place of each client's call that waits.
    waiting: BTreeMap<(usize, u64), (u64, usize)>,
}

impl KeyValue {
    pub(super) fn new(_: usize) -> Self {
        Self {
            keys: (0..KEYS).map(|key| (key, 0)).collect(),
            next_key: KEYS,
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
    fn request(&mut self, _: usize, random: &mut Pcg64Mcg) -> Body {
        let place = random.random_range(0..self.keys.len());
        let (key, operations) = &mut self.keys[place];
        *operations += 1;
        let this = *key;
        if *operations >= OPERATIONS {
            self.keys[place] = (self.next_key, 0);
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
