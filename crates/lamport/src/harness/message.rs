//! The messages of Maelstrom's protocol (<https://github.com/jepsen-io/maelstrom>, doc/protocol.md): one JSON object on a
//! line, with `src`, `dest` and a `body`, which has a `type` and, of requests and replies, `msg_id` and `in_reply_to`.

use common::text::beginning;
use serde::Serialize;
use serde_json::{Map, Value};

/// The body of a message.
pub type Body = Map<String, Value>;

/// Who takes the reports of nodes, and is their failure detector.
pub const LAB: &str = "lab";

/// The service that is the hardware clock of the node that asks.
pub const CLOCK: &str = "clock";

/// The nanoseconds of its unit, a microsecond: more digits than those of the present day do not fit into the numbers of some languages.
pub const CLOCK_UNIT: i64 = 1_000;

/// The longest line of a node, in bytes.
pub const LONGEST_LINE: usize = 1 << 20;

/// The form of a message, as it is shown where a line has another form.
pub const FORM: &str = r#"{"src": "n1", "dest": "n2", "body": {"type": …}}"#;

/// How many letters of a line are shown.
const SHOWN: usize = 80;

/// A message.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// The sender.
    pub src: String,
    /// The receiver.
    pub dest: String,
    /// The payload.
    pub body: Body,
}

impl Message {
    /// Reads a line.
    ///
    /// # Errors
    /// What was expected, and what the line is instead.
    pub fn parse(line: &[u8]) -> Result<Self, String> {
        let not = |what: &str| format!("expected {FORM}, found {what}: {}", excerpt(line));
        if line.iter().all(u8::is_ascii_whitespace) {
            return Err(format!("expected {FORM}, found an empty line"));
        }
        let value: Value = serde_json::from_slice(line).map_err(|error| {
            let text = error.to_string();
            let why = text.split(" at line ").next().unwrap_or_default();
            not(&format!("no JSON ({why} at column {})", error.column()))
        })?;
        let Value::Object(mut object) = value else {
            return Err(not("no object"));
        };
        let mut text = |name: &str| match object.remove(name) {
            Some(Value::String(text)) => Ok(text),
            None => Err(not(&format!("no {name}"))),
            Some(_) => Err(not(&format!("a {name} that is no string"))),
        };
        let (src, dest) = (text("src")?, text("dest")?);
        let body = match object.remove("body") {
            Some(Value::Object(body)) => body,
            None => return Err(not("no body")),
            Some(_) => return Err(not("a body that is no object")),
        };
        for name in ["msg_id", "in_reply_to"] {
            match body.get(name) {
                None | Some(Value::Null) => {}
                Some(id) if id.as_u64().is_some() => {}
                Some(id) => {
                    let id = excerpt(id.to_string().as_bytes());
                    return Err(format!("expected an integer as {name}, found {id}"));
                }
            }
        }
        Ok(Self { src, dest, body })
    }

    /// The message as a line, with its end.
    pub fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).expect("a message is JSON");
        line.push(b'\n');
        line
    }
}

/// The type of a message; empty where it has none.
pub fn kind(body: &Body) -> &str {
    body.get("type").and_then(Value::as_str).unwrap_or_default()
}

/// The number in this field.
pub fn number(body: &Body, name: &str) -> Option<u64> {
    body.get(name).and_then(Value::as_u64)
}

/// A field that is an integer with a sign.
pub fn integer(body: &Body, name: &str) -> Option<i64> {
    body.get(name).and_then(Value::as_i64)
}

/// What stands in these fields, for the end of a sentence about what was expected in place of it: `term none, leader "n9"`.
pub(super) fn found(body: &Body, names: &[&str]) -> String {
    let field = |name: &&str| {
        let value = body.get(*name).map_or("none".to_owned(), Value::to_string);
        format!("{name} {value}")
    };
    let fields: Vec<_> = names.iter().map(field).collect();
    excerpt(fields.join(", ").as_bytes())
}

/// A body of this type with these fields.
pub fn body<const N: usize>(kind: &str, fields: [(&str, Value); N]) -> Body {
    let mut body = Body::new();
    body.insert("type".into(), kind.into());
    body.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    body
}

/// The fields of a body beside those of the protocol, as text; empty where there are none.
pub fn content(body: &Body) -> String {
    let own = |name: &String| !["type", "msg_id", "in_reply_to"].contains(&name.as_str());
    let fields = body.iter().filter(|(name, _)| own(name));
    let fields: Vec<_> = fields
        .map(|(name, value)| {
            let text = match value {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            };
            format!("{name} {text}")
        })
        .collect();
    excerpt(fields.join(", ").as_bytes())
}

/// The beginning of a text from a node, safe to show.
pub fn excerpt(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * SHOWN)]);
    beginning(text.trim_end(), SHOWN)
}

/// Checks that a report of a node is of a type that the workload knows.
///
/// # Errors
/// What it is instead.
pub fn expect_report(body: &Body, known: &[&str]) -> Result<(), String> {
    if known.contains(&kind(body)) {
        return Ok(());
    }
    let found = found(body, &["type"]);
    Err(format!(
        "expected a report of type {}, found {found}",
        known.join(" or ")
    ))
}

/// The errors that the protocol defines: the code, the name, and whether the operation has definitely not happened.
const ERRORS: [(u64, &str, bool); 11] = [
    (0, "timeout", false),
    (1, "node-not-found", true),
    (10, "not-supported", true),
    (11, "temporarily-unavailable", true),
    (12, "malformed-request", true),
    (13, "crash", false),
    (14, "abort", true),
    (20, "key-does-not-exist", true),
    (21, "key-already-exists", true),
    (22, "precondition-failed", true),
    (30, "txn-conflict", true),
];

/// The node does not support the request.
pub const NOT_SUPPORTED: u64 = 10;
/// The node cannot serve the request now.
pub const TEMPORARILY_UNAVAILABLE: u64 = 11;
/// The request is not of the form that the node expects.
pub const MALFORMED_REQUEST: u64 = 12;
/// The operation was aborted.
pub const ABORT: u64 = 14;
/// The key does not exist.
pub const KEY_DOES_NOT_EXIST: u64 = 20;
/// The condition of the operation does not hold.
pub const PRECONDITION_FAILED: u64 = 22;

/// Whether an operation that ended with this error has definitely not happened.
pub fn is_definite(code: u64) -> bool {
    ERRORS.iter().any(|error| error.0 == code && error.2)
}

/// An error in words: `error 11 (temporarily-unavailable)`.
pub fn error_words(code: u64) -> String {
    match ERRORS.iter().find(|error| error.0 == code) {
        Some((code, name, _)) => format!("error {code} ({name})"),
        None => format!("error {code}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_message_or_it_is_said_what_was_expected() {
        let line = br#"{"src":"n1","dest":"c1","body":{"type":"echo_ok","in_reply_to":7},"id":3}"#;
        let message = Message::parse(line).unwrap();
        assert_eq!((&*message.src, &*message.dest), ("n1", "c1"));
        assert_eq!(number(&message.body, "in_reply_to"), Some(7));
        for (line, found) in [
            ("hello", "found no JSON (expected value at column 1): hello"),
            ("", "found an empty line"),
            ("[1]", "found no object: [1]"),
            (r#"{"src":"n1"}"#, "found no dest: "),
            (
                r#"{"src":1,"dest":"n2","body":{}}"#,
                "a src that is no string",
            ),
            (
                r#"{"src":"n1","dest":"n2","body":3}"#,
                "a body that is no object",
            ),
            (
                r#"{"src":"n1","dest":"n2","body":{"msg_id":"x"}}"#,
                "expected an integer as msg_id, found \"x\"",
            ),
        ] {
            let why = Message::parse(line.as_bytes()).unwrap_err();
            assert!(why.contains(found), "{line}: {why}");
        }
    }

    #[test]
    fn what_is_shown_of_a_node_is_short_and_steers_no_terminal() {
        let text = excerpt(&[&b"\x1b[2J"[..], &[b'x'; 1000]].concat());
        assert!(text.starts_with(r"\x1b[2Jx") && text.ends_with('…') && text.len() < 100);
        let body = body("add", [("delta", 3.into()), ("msg_id", 1.into())]);
        assert_eq!(content(&body), "delta 3");
    }
}
