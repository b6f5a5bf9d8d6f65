//! The services that nodes may ask, as Maelstrom's doc/services.md describes them: key-value stores that are linearizable
//! (`lin-kv`), sequentially consistent (`seq-kv`) and last-write-wins (`lww-kv`), and a timestamp oracle (`lin-tso`). And `clock`, the hardware clock of the node that asks.

use std::collections::{BTreeMap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use super::message::{
    Body, KEY_DOES_NOT_EXIST, MALFORMED_REQUEST, NOT_SUPPORTED, PRECONDITION_FAILED, body, kind,
};

/// How many past states of `seq-kv` a reader may still see.
const PAST: usize = 16;

/// The replicas of `lww-kv`, and the share of requests before which two of them merge.
const REPLICAS: usize = 5;
const MERGES: f64 = 0.2;

/// The most keys of a store.
const MOST_KEYS: usize = 100_000;

type Keys = BTreeMap<String, Value>;

/// The services.
#[derive(Debug)]
pub(super) struct Services {
    random: Pcg64Mcg,
    linearizable: Keys,
    /// The past values of each key of `seq-kv`, each with the number of the operation that wrote it.
    sequential: BTreeMap<String, VecDeque<(u64, Value)>>,
    operations: u64,
    /// The operation of `seq-kv` up to which each node has seen the store.
    seen: BTreeMap<usize, u64>,
    /// Each replica's values with the times of their writes.
    replicas: Vec<BTreeMap<String, (u64, Value)>>,
    writes: u64,
    timestamp: u64,
}

/// An error of the protocol, and why.
type Refused = (u64, String);

impl Services {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: Pcg64Mcg::seed_from_u64(seed ^ 0x5e71_11ce),
            linearizable: Keys::new(),
            sequential: BTreeMap::new(),
            operations: 0,
            seen: BTreeMap::new(),
            replicas: vec![BTreeMap::new(); REPLICAS],
            writes: 0,
            timestamp: 0,
        }
    }

    /// The reply of a service, but for the clock, to a request of this node.
    pub(super) fn reply(&mut self, service: &str, node: usize, request: &Body) -> Body {
        let done = match service {
            "lin-tso" => self.oracle(request),
            "seq-kv" => self.sequential(node, request),
            "lww-kv" => self.last_write_wins(request),
            _ => {
                let keys = &mut self.linearizable;
                let present = |key: &str| keys.get(key).cloned();
                change(request, present).map(|(reply, change)| {
                    if let Some((key, value)) = change {
                        bounded(keys, key, value);
                    }
                    reply
                })
            }
        };
        answer(request, done)
    }

    fn oracle(&mut self, request: &Body) -> Result<Body, Refused> {
        if kind(request) != "ts" {
            return Err(unknown(request));
        }
        self.timestamp += 1;
        Ok(body("ts_ok", [("ts", self.timestamp.into())]))
    }

    /// All operations have one order, and those of a node are in the order in which it asks. A read may show a past state, but
    /// none before what the node has seen.
    fn sequential(&mut self, node: usize, request: &Body) -> Result<Body, Refused> {
        let seen = self.seen.get(&node).copied().unwrap_or_default();
        let moment = match kind(request) {
            "read" => {
                let oldest = seen.max(self.operations.saturating_sub(PAST as u64));
                self.random.random_range(oldest..=self.operations)
            }
            _ => self.operations,
        };
        let keys = &self.sequential;
        let at = |key: &str| {
            let mut values = keys.get(key)?.iter().rev();
            let value = values.find(|(written, _)| *written <= moment)?;
            Some(value.1.clone())
        };
        let done = change(request, at);
        let mut now = moment;
        let done = done.map(|(reply, change)| {
            if let Some((key, value)) = change {
                self.operations += 1;
                now = self.operations;
                let full = self.sequential.len() >= MOST_KEYS;
                if !full || self.sequential.contains_key(&key) {
                    let values = self.sequential.entry(key).or_default();
                    values.push_back((now, value));
                    if values.len() > PAST + 1 {
                        values.pop_front();
                    }
                }
            }
            reply
        });
        self.seen.insert(node, now);
        done
    }

    /// Each request goes to a random replica; now and then two of them merge, and the later write wins.
    fn last_write_wins(&mut self, request: &Body) -> Result<Body, Refused> {
        if self.random.random_bool(MERGES) {
            let one = self.random.random_range(0..REPLICAS);
            let other = self.random.random_range(0..REPLICAS);
            let mut merged = self.replicas[one].clone();
            for (key, written) in &self.replicas[other] {
                if merged.get(key).is_none_or(|present| present.0 < written.0) {
                    merged.insert(key.clone(), written.clone());
                }
            }
            self.replicas[one].clone_from(&merged);
            self.replicas[other] = merged;
        }
        let replica = self.random.random_range(0..REPLICAS);
        let keys = &mut self.replicas[replica];
        let (reply, change) = change(request, |key| Some(keys.get(key)?.1.clone()))?;
        if let Some((key, value)) = change {
            self.writes += 1;
            if keys.len() < MOST_KEYS || keys.contains_key(&key) {
                keys.insert(key, (self.writes, value));
            }
        }
        Ok(reply)
    }
}

fn bounded(keys: &mut Keys, key: String, value: Value) {
    if keys.len() < MOST_KEYS || keys.contains_key(&key) {
        keys.insert(key, value);
    }
}

fn unknown(request: &Body) -> Refused {
    let text = format!("this service has no request of type '{}'", kind(request));
    (NOT_SUPPORTED, text)
}

/// The reply to a request for the clock, which shows what `clock` says, in microseconds.
pub(super) fn read_clock(request: &Body, clock: impl FnOnce() -> i64) -> Body {
    let done = match kind(request) {
        "read" => Ok(body("read_ok", [("time", clock().into())])),
        _ => Err(unknown(request)),
    };
    answer(request, done)
}

/// What was done, or why it was not, as the reply to a request.
fn answer(request: &Body, done: Result<Body, Refused>) -> Body {
    let mut reply = done.unwrap_or_else(|(code, text)| {
        body("error", [("code", code.into()), ("text", text.into())])
    });
    if let Some(id) = request.get("msg_id") {
        reply.insert("in_reply_to".into(), id.clone());
    }
    reply
}

/// A value that an operation writes, with its key.
type Change = Option<(String, Value)>;

/// The reply to a request for a store with these values, and what it changes.
fn change(
    request: &Body,
    present: impl Fn(&str) -> Option<Value>,
) -> Result<(Body, Change), Refused> {
    let field = |name: &str| {
        let missing = || {
            (
                MALFORMED_REQUEST,
                format!("{} without {name}", kind(request)),
            )
        };
        request.get(name).cloned().ok_or_else(missing)
    };
    let no_key = || (KEY_DOES_NOT_EXIST, "no such key".to_owned());
    match kind(request) {
        "read" => {
            let value = present(&field("key")?.to_string()).ok_or_else(no_key)?;
            Ok((body("read_ok", [("value", value)]), None))
        }
        "write" => {
            let key = field("key")?.to_string();
            Ok((body("write_ok", []), Some((key, field("value")?))))
        }
        "cas" => {
            let (key, from, to) = (field("key")?.to_string(), field("from")?, field("to")?);
            let creates = request.get("create_if_not_exists") == Some(&Value::Bool(true));
            match present(&key) {
                None if creates => {}
                None => return Err(no_key()),
                Some(value) if value == from => {}
                Some(value) => {
                    let text = format!("current value {value} is not {from}");
                    return Err((PRECONDITION_FAILED, text));
                }
            }
            Ok((body("cas_ok", []), Some((key, to))))
        }
        _ => Err(unknown(request)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(services: &mut Services, service: &str, node: usize, request: Value) -> Value {
        let Value::Object(request) = request else {
            panic!("an object")
        };
        Value::Object(services.reply(service, node, &request))
    }

    #[test]
    fn the_linearizable_store_reads_writes_and_compares() {
        let mut services = Services::new(1);
        let mut ask = |request| ask(&mut services, "lin-kv", 0, request);
        let read = json!({"type": "read", "key": "x", "msg_id": 1});
        assert_eq!(ask(read.clone())["code"], 20);
        let cas = |from: u64, to: u64| json!({"type": "cas", "key": "x", "from": from, "to": to});
        assert_eq!(ask(cas(1, 2))["code"], 20);
        let write = json!({"type": "write", "key": "x", "value": 1, "msg_id": 4});
        assert_eq!(ask(write), json!({"type": "write_ok", "in_reply_to": 4}));
        assert_eq!(ask(cas(2, 3))["code"], 22);
        assert_eq!(ask(cas(1, 3)), json!({"type": "cas_ok"}));
        let found = json!({"type": "read_ok", "value": 3, "in_reply_to": 1});
        assert_eq!(ask(read), found);
        assert_eq!(ask(json!({"type": "read"}))["code"], 12);
        assert_eq!(ask(json!({"type": "grow"}))["code"], 10);
        let create =
            json!({"type": "cas", "key": "y", "from": 0, "to": 5, "create_if_not_exists": true});
        assert_eq!(ask(create), json!({"type": "cas_ok"}));
    }

    #[test]
    fn the_clock_is_only_read() {
        let ask = |request: Value| {
            let request = request.as_object().expect("an object");
            Value::Object(read_clock(request, || 7_000_001))
        };
        let read = json!({"type": "read", "msg_id": 1});
        let found = json!({"type": "read_ok", "time": 7_000_001, "in_reply_to": 1});
        assert_eq!(ask(read), found);
        let set = json!({"type": "set", "time": 1});
        assert_eq!(ask(set)["code"], 10);
    }

    #[test]
    fn a_node_of_the_sequential_store_sees_its_own_writes_and_never_goes_back() {
        let mut services = Services::new(1);
        let mut stale = 0;
        let mut last = 0;
        for number in 1..=200u64 {
            let write = json!({"type": "write", "key": "x", "value": number});
            ask(&mut services, "seq-kv", 0, write);
            let read = || json!({"type": "read", "key": "x"});
            assert_eq!(ask(&mut services, "seq-kv", 0, read())["value"], number);
            let other = ask(&mut services, "seq-kv", 1, read());
            let other = other["value"].as_u64().unwrap_or_default();
            assert!(other >= last, "{other} after {last}");
            stale += u64::from(other < number);
            last = other;
        }
        assert!(stale > 20, "{stale}");
    }
}
