//! An event's fields, and the event in words. All of it is safe to show.

use common::text::visible;
use serde_json::{Map, Value};

use super::{EventId, Trace};
use crate::words::Facts;

/// The fields of a line that every event has, and that are shown by other means.
const COMMON: [&str; 8] = [
    "v", "run", "node", "thread", "seq", "time", "event", "level",
];

/// The longest text of a field that is shown, in letters.
const LONGEST: usize = 2000;

/// What an event says beside what every event says.
#[derive(Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Those of this event, as they stand in its line.
    pub fn of(trace: &Trace, event: EventId) -> Self {
        let line = trace.text(trace.events[event].text);
        // It was read before, so it can be read again.
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

    /// This one.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|field| field.0 == name);
        found.map(|field| field.1.as_str())
    }

    /// All of them, in the order of their names.
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
    // What the programs write is safe already; other tools write what they like.
    beginning(text, LONGEST)
}

/// At most so many letters of a text, safe to show.
pub(super) fn beginning(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => visible(text.as_bytes()),
        Some((end, _)) => format!("{}…", visible(&text.as_bytes()[..end])),
    }
}

/// What the event's process does in it, as the end of a sentence that begins with the process's name.
pub fn words(trace: &Trace, event: EventId) -> String {
    words_of(trace, event, &Fields::of(trace, event))
}

/// The same, of fields that were read before.
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

/// The whole event: its process, the time of its logical clock, what it does, and where it is logged.
pub fn sentence(trace: &Trace, event: EventId) -> String {
    let name = &trace.process_of(event).name;
    let time = trace.events[event].clock;
    let time = time.map_or_else(String::new, |time| format!(" at {time}"));
    let (words, place) = (words(trace, event), trace.place_of(event));
    format!("{name}{time} {words} ({place})")
}

/// A name of at most so many letters: those left out are in the middle, for names differ at their ends.
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

/// A text of at most so many letters.
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
