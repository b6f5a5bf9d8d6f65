//! Maelstrom's messages (<https://github.com/jepsen-io/maelstrom>), one a line: `src`, `dest` and a `body` with `msg_id` or `in_reply_to`.
//!
//! A line may have words before the message (`Received`, `Sent`, as its libraries log), or be an object around it with a `type` and a
//! `time` in nanoseconds, as in its journal. Where no line says whether the message was sent or received, the log is that of the node
//! that its name has, or that all messages of one of several logs have in common; another one is a journal of the whole network, in which each
//! line is both the send and the receive of its message.

use std::hash::{DefaultHasher, Hash, Hasher};

use common::{
    event::{Kind, Level},
    message::Carrier,
    text::visible,
};
use hashbrown::HashMap;
use serde_json::{Map, Value, json};

use super::{
    Claim,
    block::{Block, Channel, Numbers, Piece, Raw, excerpt},
    fields::object,
    findings::Severity,
    foreign::ForeignEvents,
    known::is_comment,
    wall,
};

/// The longest name of a node, in bytes.
const LONGEST_NODE: usize = 256;

/// A message in a line.
struct Line {
    number: u32,
    message: Message,
}

struct Message {
    /// Whether the line says that it was sent, or that it was received.
    action: Option<Kind>,
    from: String,
    to: String,
    /// The same on both sides.
    number: u64,
    numbers: Numbers,
    body: Map<String, Value>,
    /// In microseconds.
    time: Option<i64>,
}

/// Whether a line has a message.
pub(super) fn fits(line: &str) -> bool {
    matches!(message(line.trim()), Some(Ok(_)))
}

/// Parses a whole log. `name` is that of its file; `several` says whether it is one of several logs.
pub(super) fn parse(piece: Piece, name: &str, several: bool, all: bool) -> Block {
    let mut events = ForeignEvents::new(piece.file, all);
    let mut lines: Vec<Line> = Vec::new();
    for (number, line) in piece.text.lines().enumerate() {
        let number = piece.line.saturating_add(number as u32);
        let line = line.trim();
        if line.is_empty() || is_comment(line) {
            continue;
        }
        match message(line) {
            Some(Ok(message)) => lines.push(Line { number, message }),
            Some(Err(why)) => events.problem(number, Severity::Fail, why),
            None => {
                let words = format!("not a message of Maelstrom: {}", excerpt(line));
                events.problem(number, Severity::Warn, words);
            }
        }
    }
    let owner = owner(&lines, name, several).map(str::to_owned);
    let mut next: HashMap<u32, u64> = HashMap::new();
    for Line { number, message } in &lines {
        let is_owner = |node: &str| owner.as_deref().is_none_or(|owner| owner == node);
        let actions = match message.action {
            Some(action) => [action == Kind::Send, action == Kind::Receive],
            None => [is_owner(&message.from), is_owner(&message.to)],
        };
        for (action, _) in [Kind::Send, Kind::Receive]
            .into_iter()
            .zip(actions)
            .filter(|(_, is_taken)| *is_taken)
        {
            add(&mut events, &mut next, *number, message, action);
        }
    }
    events.block
}

/// The node whose log it is; None if it is a journal of the whole network.
fn owner<'l>(lines: &'l [Line], name: &str, several: bool) -> Option<&'l str> {
    let first = &lines.first()?.message;
    let mut common = vec![first.from.as_str(), first.to.as_str()];
    common.dedup();
    common.retain(|node| {
        let mut others = lines.iter();
        others.all(|line| line.message.from == *node || line.message.to == *node)
    });
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    if let Some(named) = words.find_map(|word| common.iter().find(|node| **node == word)) {
        return Some(named);
    }
    // Clients, whose names begin with c, have no logs.
    common.retain(|node| !node.starts_with('c'));
    match common.as_slice() {
        [node] if several => Some(node),
        _ => None,
    }
}

fn add(
    events: &mut ForeignEvents,
    next: &mut HashMap<u32, u64>,
    line: u32,
    message: &Message,
    kind: Kind,
) {
    let (node, peer) = match kind {
        Kind::Send => (&message.from, &message.to),
        _ => (&message.to, &message.from),
    };
    let thread = events.writer("", node);
    let number = next.entry(thread).or_default();
    let mut body = message.body.clone();
    let word = |value: Option<Value>| match value {
        Some(Value::String(word)) => visible(word.as_bytes()),
        other => other.map_or_else(String::new, |other| other.to_string()),
    };
    let mut fields = Map::new();
    fields.insert("peer".to_owned(), visible(peer.as_bytes()).into());
    fields.insert("message_type".to_owned(), word(body.remove("type")).into());
    for name in ["msg_id", "in_reply_to"] {
        if let Some(value) = body.remove(name) {
            fields.insert(name.to_owned(), value);
        }
    }
    if !body.is_empty() {
        let text = Value::Object(body).to_string();
        fields.insert("text".to_owned(), visible(text.as_bytes()).into());
    }
    let (start, length) = events.text(&Value::Object(fields));
    let channel = events.channel(Channel {
        over: Carrier::Udp,
        from: message.from.clone(),
        to: message.to.clone(),
        numbers: message.numbers,
    });
    events.block.events.push(Raw {
        line,
        start,
        length,
        thread,
        number: *number,
        time: message.time,
        kind,
        level: Level::Info,
        clock: None,
        message: Some((channel, message.number)),
        claim: Claim::None,
        suppressed: false,
    });
    *number += 1;
}

/// The message in a line, or what is wrong with it; None if there is none.
fn message(line: &str) -> Option<Result<Message, String>> {
    let start = line.find('{')?;
    let before = &line[..start];
    let mut action = None;
    for word in before.split(|letter: char| !letter.is_ascii_alphabetic()) {
        action = match word.to_ascii_lowercase().as_str() {
            "sent" | "send" | "sending" | "sends" => Some(Kind::Send),
            "received" | "receive" | "recv" | "receiving" | "receives" => Some(Kind::Receive),
            _ => action,
        };
    }
    let mut time = before_words(before);
    let mut value = match object(line) {
        Some(value) => value,
        None => of_go(&line[start..])?,
    };
    let time_of = |value: &Value| match value.get("time") {
        Some(Value::String(text)) => wall::micros(text),
        Some(Value::Number(number)) => number.as_u64().map(|nanos| (nanos / 1000) as i64),
        _ => None,
    };
    time = time_of(&value).or(time);
    if let Some(inner) = value.get_mut("message").filter(|inner| inner.is_object()) {
        let inner = inner.take();
        action = match value.get("type").and_then(Value::as_str) {
            Some("send" | ":send") => Some(Kind::Send),
            Some("recv" | "receive" | ":recv") => Some(Kind::Receive),
            _ => action,
        };
        value = inner;
    }
    let node = |name: &str| match value.get(name) {
        Some(Value::String(node)) if (1..=LONGEST_NODE).contains(&node.len()) => Some(node.clone()),
        _ => None,
    };
    let (from, to) = (node("src")?, node("dest")?);
    let Value::Object(body) = value.get_mut("body").map(Value::take)? else {
        return Some(Err("the message has no body that is an object".to_owned()));
    };
    let id = |name: &str| match body.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(id) => match id.as_u64() {
            Some(id) => Ok(Some(id)),
            None => Err(format!(
                "{name} is no integer from 0: {}",
                excerpt(&id.to_string())
            )),
        },
    };
    let (numbers, number) = match (id("msg_id"), id("in_reply_to")) {
        (Err(why), _) | (_, Err(why)) => return Some(Err(why)),
        (Ok(Some(id)), _) => (Numbers::Sent, id),
        (Ok(None), Ok(Some(id))) => (Numbers::Answered, id),
        (Ok(None), Ok(None)) => {
            let mut hash = DefaultHasher::new();
            Value::Object(body.clone()).to_string().hash(&mut hash);
            (Numbers::Hashed, hash.finish())
        }
    };
    Some(Ok(Message {
        action,
        number,
        numbers,
        from,
        to,
        body,
        time,
    }))
}

/// The time at the beginning of a line, before other words.
fn before_words(before: &str) -> Option<i64> {
    let end = before.match_indices(' ').map(|(end, _)| end);
    let end = end.chain([before.len()]).take(4);
    let times: Vec<i64> = end.filter_map(|end| wall::micros(&before[..end])).collect();
    times.last().copied()
}

/// A message as Go's library logs the received ones: `{c1 n1 {"type":"echo"}}`.
fn of_go(text: &str) -> Option<Value> {
    let inside = text.strip_prefix('{')?.strip_suffix('}')?;
    let (from, rest) = inside.split_once(' ')?;
    let (to, body) = rest.split_once(' ')?;
    let body: Value = serde_json::from_str(body).ok()?;
    Some(json!({"src": from, "dest": to, "body": body}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_in_their_lines() {
        for (line, action, (from, to, key)) in [
            (
                r#"{"src":"c1","dest":"n1","body":{"type":"echo","msg_id":1}}"#,
                None,
                ("c1", "n1", (Numbers::Sent, 1)),
            ),
            (
                r#"{"id":3,"src":"n1","dest":"c1","body":{"type":"echo_ok","in_reply_to":1}}"#,
                None,
                ("n1", "c1", (Numbers::Answered, 1)),
            ),
            (
                r#"{"src":"n1","dest":"c1","body":{"type":"echo_ok","msg_id":0,"in_reply_to":1}}"#,
                None,
                ("n1", "c1", (Numbers::Sent, 0)),
            ),
            (
                r#"2023/02/23 13:41:12 Sent {"src":"n1","dest":"c1","body":{"msg_id":2}}"#,
                Some(Kind::Send),
                ("n1", "c1", (Numbers::Sent, 2)),
            ),
            (
                r#"2023/02/23 13:41:12 Received {c1 n1 {"type":"echo","msg_id":5}}"#,
                Some(Kind::Receive),
                ("c1", "n1", (Numbers::Sent, 5)),
            ),
            (
                r#"{"type":"recv","time":5000,"message":{"src":"c1","dest":"n1","body":{"msg_id":6}}}"#,
                Some(Kind::Receive),
                ("c1", "n1", (Numbers::Sent, 6)),
            ),
        ] {
            let found = message(line).unwrap().unwrap();
            assert_eq!(found.action, action, "{line}");
            assert_eq!((&*found.from, &*found.to), (from, to), "{line}");
            assert_eq!((found.numbers, found.number), key, "{line}");
        }
        for line in [
            "",
            "{}",
            r#"{"src":"a"}"#,
            r#"{"src":"a","dest":"b"}"#,
            r#"{"src":1,"dest":"b","body":{}}"#,
        ] {
            assert!(message(line).is_none(), "{line}");
        }
        for id in ["-1", "1.5", "\"x\"", "1e30"] {
            let line = format!(r#"{{"src":"a","dest":"b","body":{{"msg_id":{id}}}}}"#);
            assert!(message(&line).unwrap().is_err(), "{line}");
        }
    }
}
