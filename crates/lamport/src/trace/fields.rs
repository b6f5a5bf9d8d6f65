//! Logs of other tools in lines of JSON, by the names of their fields.

use std::borrow::Cow;

use serde_json::{Deserializer, Map, Value};

use super::{
    block::{Block, LONGEST, Piece, excerpt},
    clock_text::LoggedClock,
    findings::Severity,
    foreign::{ForeignEvent, ForeignEvents},
    known::is_comment,
};
use crate::trace_flags::FieldNames;

/// Where the text of an event is if the user does not say it.
const TEXTS: [&str; 4] = ["event", "msg", "message", "text"];

/// The fields that mean something in our own logs.
const OURS: [&str; 6] = [
    "text",
    "meaning",
    "message_type",
    "name",
    "value",
    "timestamp",
];

/// Parses the lines.
pub(super) fn parse(piece: Piece, names: &FieldNames, all: bool) -> Block {
    let mut events = ForeignEvents::new(piece.file, all);
    for (number, line) in piece.text.split_inclusive('\n').enumerate() {
        let number = piece.line.saturating_add(number as u32);
        let trimmed = line.trim();
        if trimmed.is_empty() || is_comment(trimmed) || matches!(trimmed, "[" | "]") {
            continue;
        }
        if line.len() > LONGEST {
            let words = format!("longer than {LONGEST} bytes: skipped");
            events.problem(number, Severity::Fail, words);
            continue;
        }
        let Some(value) = object(trimmed) else {
            let words = match piece.cut_off && !line.ends_with('\n') && trimmed.starts_with('{') {
                true => "truncated line: its process was killed while it wrote".to_owned(),
                false => format!("not a JSON object: {}", excerpt(trimmed)),
            };
            events.problem(number, Severity::Warn, words);
            continue;
        };
        one(&mut events, number, value, names);
    }
    events.block
}

/// Parses a log whose objects are elements of an array, or several lines long.
pub(super) fn parse_whole(piece: Piece, names: &FieldNames, all: bool) -> Block {
    let mut events = ForeignEvents::new(piece.file, all);
    let (mut line, mut rest) = (piece.line, piece.text.as_str());
    let mut passed = |rest: &mut &str, length: usize| {
        let (before, after) = rest.split_at(length);
        line = line.saturating_add(before.matches('\n').count() as u32);
        *rest = after;
        line
    };
    loop {
        let between = |letter: char| letter.is_whitespace() || ",[]".contains(letter);
        let skipped = rest.len() - rest.trim_start_matches(between).len();
        let here = passed(&mut rest, skipped);
        if rest.is_empty() {
            return events.block;
        }
        let mut values = Deserializer::from_str(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) if value.is_object() => {
                passed(&mut rest, values.byte_offset());
                one(&mut events, here, value, names);
            }
            Some(Err(error)) if error.is_eof() => {
                events.problem(here, Severity::Warn, "the log is truncated here");
                return events.block;
            }
            _ => {
                let words = format!("not a JSON object: {}", excerpt(rest));
                events.problem(here, Severity::Warn, words);
                let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
                passed(&mut rest, end);
            }
        }
    }
}

/// Whether the objects of a log that begins so are not one a line.
pub(super) fn is_whole(head: &str) -> bool {
    let first = head
        .lines()
        .find(|line| !line.trim().is_empty() && !is_comment(line));
    first.is_some_and(|first| {
        let first = first.trim();
        first.starts_with(['[', '{']) && first.len() < LONGEST && object(first).is_none()
    })
}

/// Whether a line has a host and a clock in these fields.
pub(super) fn fit(line: &str, names: &FieldNames) -> bool {
    object(line.trim()).is_some_and(|value| {
        let found = |name| find(&value, name).is_some_and(|found| !found.is_null());
        found(&names.host) && found(&names.clock)
    })
}

/// The object in a line: alone, as an element of an array, or after words of another program, as in syslog.
pub(super) fn object(line: &str) -> Option<Value> {
    let line = line.trim_end_matches(',');
    let start = line.find('{')?;
    let read = |text: &str| {
        serde_json::from_str::<Value>(text)
            .ok()
            .filter(Value::is_object)
    };
    read(&line[start..]).or_else(|| read(line[start..].strip_suffix(']')?.trim_end()))
}

/// The value of a field: by its whole name, or below others by a name with dots. Text that is JSON is looked into.
fn find<'v>(value: &'v Value, name: &str) -> Option<Cow<'v, Value>> {
    let below = |inner: &'v Value, rest: &str| match inner {
        Value::String(text) => {
            let inner: Value = serde_json::from_str(text).ok()?;
            find(&inner, rest).map(|found| Cow::Owned(found.into_owned()))
        }
        inner => find(inner, rest),
    };
    match value {
        Value::Object(fields) => {
            if let Some(found) = fields.get(name) {
                return Some(Cow::Borrowed(found));
            }
            let mut dots = name.match_indices('.');
            dots.find_map(|(dot, _)| below(fields.get(&name[..dot])?, &name[dot + 1..]))
        }
        Value::Array(elements) => {
            let (place, rest) = name.split_once('.').unwrap_or((name, ""));
            let element = elements.get(place.parse::<usize>().ok()?)?;
            match rest {
                "" => Some(Cow::Borrowed(element)),
                rest => below(element, rest),
            }
        }
        _ => None,
    }
}

fn one(events: &mut ForeignEvents, line: u32, value: Value, names: &FieldNames) {
    let required = |name: &str| match find(&value, name) {
        Some(found) if !found.is_null() => Ok(found),
        found => {
            let why = if found.is_some() {
                "is null"
            } else {
                "is missing"
            };
            Err(format!("the field '{}' {why}: not an event", excerpt(name)))
        }
    };
    let (host, clock) = match (required(&names.host), required(&names.clock)) {
        (Ok(host), Ok(clock)) => (host, clock),
        (Err(why), _) | (_, Err(why)) => return events.problem(line, Severity::Warn, why),
    };
    let Some(host) = text_of(&host).filter(|host| !host.is_empty()) else {
        let words = format!(
            "the host is neither a text nor a number: {}",
            excerpt(&host.to_string())
        );
        return events.problem(line, Severity::Fail, words);
    };
    let clock = match LoggedClock::of_value(&clock) {
        Ok(clock) => clock,
        Err(why) => return events.problem(line, Severity::Fail, why),
    };
    let time = names.time.as_ref().and_then(|name| find(&value, name));
    let time = time.filter(|time| !time.is_null());
    let text = match &names.event {
        Some(name) => find(&value, name),
        None => TEXTS.iter().find_map(|name| find(&value, name)),
    };
    let text = match text.as_deref() {
        Some(text) => text_of(text).unwrap_or_else(|| text.to_string()),
        None => value.to_string(),
    };
    let time = time.map(|time| text_of(&time).unwrap_or_else(|| time.to_string()));
    let used = |name: &str| {
        let named = [
            Some(&names.host),
            Some(&names.clock),
            names.event.as_ref(),
            names.time.as_ref(),
        ];
        named.into_iter().flatten().any(|used| used == name) || OURS.contains(&name)
    };
    let fields: Map<String, Value> = match value {
        Value::Object(fields) => fields.into_iter().filter(|(name, _)| !used(name)).collect(),
        _ => Map::new(),
    };
    events.event(ForeignEvent {
        line,
        execution: "",
        host: &host,
        clock,
        time,
        text: &text,
        fields,
    });
}

/// The text of a string or number.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_found_wherever_they_are() {
        let value = json!({"a": {"b": {"c": 1}}, "a.b": {"d": 2}, "log": "{\"vc\":{\"p\":3}}", "list": [{"x": 4}, 5]});
        for (name, expected) in [
            ("a.b.c", json!(1)),
            ("a.b.d", json!(2)),
            ("log.vc", json!({"p": 3})),
            ("log.vc.p", json!(3)),
            ("list.0.x", json!(4)),
            ("list.1", json!(5)),
        ] {
            assert_eq!(find(&value, name).as_deref(), Some(&expected), "{name}");
        }
        for name in ["b", "a.c", "list.2", "list.x", "a.b.c.d", "log.x", ""] {
            assert_eq!(find(&value, name), None, "{name}");
        }
    }

    #[test]
    fn objects_are_found_in_their_lines() {
        for line in [
            "{\"a\":1}",
            "{\"a\":1},",
            "[{\"a\":1}]",
            "[{\"a\":1},",
            "Nov 25 17:25:54 host app[7]: {\"a\":1}",
        ] {
            assert_eq!(object(line), Some(json!({"a": 1})), "{line}");
        }
        for line in ["", "words", "{\"a\":", "[1]", "{a}"] {
            assert_eq!(object(line), None, "{line}");
        }
    }
}
