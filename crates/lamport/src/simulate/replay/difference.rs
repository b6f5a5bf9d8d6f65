//! What differs between a line of a log and the event that a replay has in its place: every field that the run determines.

use common::{
    event::Event,
    message::{Carrier, MessageId},
    process::{ids::Names, run_event::RunEvent},
    text::visible,
};

/// What differs, in words; None if nothing does.
pub(super) fn difference(logged: &Event, replayed: &RunEvent, names: &Names) -> Option<String> {
    // What carries the messages is not determined by the run.
    let over = logged
        .message
        .as_ref()
        .map_or(Carrier::Memory, |id| id.over);
    let event = replayed.event(names, over);
    let mut differences = Vec::new();
    let mut compare = |field: &str, logged: Option<String>, replayed: Option<String>| {
        if logged != replayed {
            let shown = |value: Option<String>| match value {
                Some(value) => visible(value.as_bytes()),
                None => "nothing".to_owned(),
            };
            let (logged, replayed) = (shown(logged), shown(replayed));
            differences.push(format!("{field} {logged} and not {replayed}"));
        }
    };
    let word = |event: &Event| Some(event.kind.word().to_owned());
    compare("event", word(logged), word(&event));
    compare("clock", text(&logged.clock), text(&event.clock));
    let [from, to, number] = parts(&logged.message);
    let [its_from, its_to, its_number] = parts(&event.message);
    compare("sender", from, its_from);
    compare("receiver", to, its_to);
    compare("message number", number, its_number);
    compare("peer", text(&logged.peer), text(&event.peer));
    for (field, logged, replayed) in [
        ("message_type", &logged.message_type, &event.message_type),
        ("meaning", &logged.meaning, &event.meaning),
    ] {
        compare(field, text(logged), text(replayed));
    }
    compare("timestamp", text(&logged.timestamp), text(&event.timestamp));
    compare("name", text(&logged.name), text(&event.name));
    compare("value", text(&logged.value), text(&event.value));
    compare("text", quoted(&logged.text), quoted(&event.text));
    (!differences.is_empty()).then(|| format!("the log has {}", differences.join(", ")))
}

fn text(field: &Option<impl ToString>) -> Option<String> {
    field.as_ref().map(ToString::to_string)
}

fn quoted(text: &Option<String>) -> Option<String> {
    text.as_ref().map(|text| format!("'{text}'"))
}

/// The sender, the receiver and the number of a message.
fn parts(message: &Option<MessageId>) -> [Option<String>; 3] {
    match message {
        None => [None, None, None],
        Some(id) => [
            Some(id.from.to_string()),
            Some(id.to.to_string()),
            Some(id.number.to_string()),
        ],
    }
}
