//! What a person sees of the events: the lines of the results.

use common::{
    event::Kind,
    journal::{View, usual_view},
};

/// The view of every command.
pub fn new() -> View {
    Box::new(|event, lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match event.kind {
            Kind::Check | Kind::Output => lines.answer.push_str(text),
            Kind::Local | Kind::Report => lines.status.push_str(text),
            Kind::Write => lines.status = format!("written: {text}"),
            _ => usual_view(event, lines),
        }
    })
}
