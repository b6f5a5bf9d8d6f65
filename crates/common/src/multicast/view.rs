//! What people see of the events of both programs.

use super::doctor;
use crate::{
    event::{Event, Kind},
    journal::{Lines, View, usual_view},
};

/// The words that the handout's program prints.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// Before the group's address, once the program has joined; None: it prints nothing then.
    pub running: Option<&'static str>,
    /// Before the text of each message received.
    pub received: &'static str,
}

/// Shows the events of a program that prints these words. With `json` the reports and the summary are part of the answer.
pub fn view(words: Words, json: bool) -> View {
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match event.kind {
            Kind::Ready => {
                lines.status = format!("listening on {text}");
                if let (Some(running), Some(group)) = (words.running, &event.peer) {
                    lines.answer = format!("{running} {group}");
                }
            }
            Kind::Receive => {
                let content = event.content_in_short();
                lines.answer = format!("{}: {content}{}", words.received, tag(event));
            }
            Kind::Check => lines.answer = doctor::line(event),
            Kind::Report | Kind::Stop if json => lines.answer.push_str(text),
            Kind::Local | Kind::Report | Kind::Stop => lines.status.push_str(text),
            _ => usual_view(event, lines),
        }
    })
}

/// How a message was addressed, numbered and received: ` [multicast, mcast-client/5f3a9c21 #17, reordered]`.
fn tag(event: &Event) -> String {
    let stamp = event
        .message
        .as_ref()
        .map(|id| format!(", {} #{}", id.from, id.number));
    let anomaly = event
        .anomaly
        .map(|anomaly| format!(", {}", anomaly.words()));
    format!(
        " [{}{}{}]",
        event.mode.map_or("unknown mode", |mode| mode.word()),
        stamp.unwrap_or_default(),
        anomaly.unwrap_or_default()
    )
}
