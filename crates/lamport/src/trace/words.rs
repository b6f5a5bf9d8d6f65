//! An event's fields, and the event in words. All of it is safe to show.

use common::{event::Kind, text::visible};
use serde_json::{Map, Value};

use super::{EventId, Trace};

/// The fields of a line that every event has, and that are told by other means.
const COMMON: [&str; 8] = [
    "v", "run", "node", "thread", "seq", "time", "event", "level",
];

/// The longest text of a field that is told, in letters.
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
    let (peer, text, name, value) = (get("peer"), get("text"), get("name"), get("value"));
    let what = match (text, name, value) {
        ("", "", "") => "a message".to_owned(),
        ("", name, "") => name.to_owned(),
        ("", "", value) => value.to_owned(),
        ("", name, value) => format!("{name}: {value}"),
        (text, "", _) => format!("'{text}'"),
        (text, name, _) => format!("{name} '{text}'"),
    };
    let with = |verb: &str, object: &str| match object {
        "" => verb.trim_end_matches(':').to_owned(),
        object => format!("{verb} {object}"),
    };
    match trace.events[event].kind {
        Kind::Start => with("starts:", text),
        Kind::Ready => with("is ready:", if text.is_empty() { peer } else { text }),
        Kind::Connect => with("connects to", peer),
        Kind::Accept => with("accepts", peer),
        Kind::Send => match peer {
            "" => format!("sends {what} to all"),
            peer => format!("sends {what} to {peer}"),
        },
        Kind::Receive => match value {
            "" => format!("receives {what} from {peer}"),
            // Beside a text the value is what is odd about it.
            odd if !text.is_empty() => format!("receives {what} from {peer}, {odd}"),
            _ => format!("receives {what} from {peer}"),
        },
        Kind::Close => with("closes the connection to", peer),
        Kind::Resolve => with("resolves", &format!("{name}: {value}")),
        Kind::Register => match value {
            "" => with("takes away", name),
            value => format!("registers {name}: {value}"),
        },
        Kind::Check => with("checks", &format!("{name}: {value}")),
        Kind::Error => with("fails:", text),
        // A summary begins with the word itself.
        Kind::Stop => with("stops:", text.strip_prefix("stopped: ").unwrap_or(text)),
        Kind::Local => match (text, name) {
            ("", "") => "does something".to_owned(),
            ("", "enter") => with("enters the critical section, by", value),
            ("", "deliver") => with("delivers", value),
            ("", _) => what,
            (text, _) => text.to_owned(),
        },
    }
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
