//! An event's fields, and the event in words. All of it is safe to show.

use common::{process::words::Facts, text::beginning};
use serde_json::{Map, Value};

use super::{EventId, Trace};

/// The fields that every event has; they are shown separately.
const COMMON: [&str; 8] = [
    "v", "run", "node", "thread", "seq", "time", "event", "level",
];

/// The longest text of a field that is shown, in characters.
const LONGEST: usize = 2000;

/// The fields of an event except those that every event has.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The fields in the line of an event.
    pub fn of(trace: &Trace, event: EventId) -> Self {
        let line = trace.text(trace.events[event].text);
        // The line was parsed before, so it can be parsed again.
        let line: Map<String, Value> = serde_json::from_str(line).unwrap_or_default();
        let fields = line
            .into_iter()
            .filter(|(name, _)| !COMMON.contains(&name.as_str()));
        Self(
            fields
                .map(|(name, value)| (shown(&name), text(&value)))
                .collect(),
        )
    }

    /// The field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|field| field.0 == name);
        found.map(|field| field.1.as_str())
    }

    /// All fields, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => shown(text),
        Value::Object(figures) => {
            let figures: Vec<_> = figures
                .iter()
                .map(|(name, figure)| format!("{} {figure}", shown(name)))
                .collect();
            shown(&figures.join(", "))
        }
        other => shown(&other.to_string()),
    }
}

fn shown(text: &str) -> String {
    // The texts of our programs are safe; those of other tools may not be.
    beginning(text, LONGEST)
}

/// The event as a sentence without its subject, the name of the process.
pub fn words(trace: &Trace, event: EventId) -> String {
    words_of(trace, event, &Fields::of(trace, event))
}

/// The same, with fields that were parsed before.
pub fn words_of(trace: &Trace, event: EventId, fields: &Fields) -> String {
    let get = |name| fields.get(name).unwrap_or_default();
    Facts {
        kind: trace.events[event].kind,
        peer: get("peer"),
        text: get("text"),
        message_type: get("message_type"),
        meaning: get("meaning"),
        timestamp: get("timestamp"),
        name: get("name"),
        value: get("value"),
        check: get("check"),
        verdict: get("verdict"),
        anomaly: get("anomaly"),
    }
    .words()
}

/// The event as a sentence: process, logical time, words, file and line.
pub fn sentence(trace: &Trace, event: EventId) -> String {
    let name = &trace.process_of(event).name;
    let time = trace.events[event].clock;
    let time = time.map_or_else(String::new, |time| format!(" at {time}"));
    let (words, place) = (words(trace, event), trace.place_of(event));
    format!("{name}{time} {words} ({place})")
}

/// A name of at most `most` characters, shortened in the middle, because names differ at their ends.
pub fn short_name(name: &str, most: usize) -> String {
    let letters = name.chars().count();
    if letters <= most {
        return name.to_owned();
    }
    let end = most.saturating_sub(1) / 2;
    let start = most.saturating_sub(1) - end;
    let (first, last) = (name.chars().take(start), name.chars().skip(letters - end));
    first.chain(['…']).chain(last).collect()
}

/// A text of at most `most` characters.
pub fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let mut short: String = text.chars().take(most.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}
