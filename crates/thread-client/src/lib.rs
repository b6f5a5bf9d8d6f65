//! Experiment 3, the client: one, or a crowd of them at once.
//!
//! | module | job |
//! | --- | --- |
//! | [`client`] | the handout's program: connect, send, receive, print, close |
//! | [`crowd`] | many clients at once, a thread each, and one summary |
//! | [`config`] | what the client can be told |

pub mod client;
pub mod config;
pub mod crowd;

use common::{
    event::{Event, Kind, Level},
    journal::{Lines, View, usual_view},
};
pub use crowd::run;

/// What a person sees of the client's events: the handout's line for each client, and when there are several the
/// summary.
pub fn view(clients: usize) -> View {
    Box::new(move |event: &Event, lines: &mut Lines| {
        let text = event.text.as_deref().unwrap_or_default();
        match event.kind {
            Kind::Receive => lines.answer = format!("Received from server: {text}"),
            Kind::Stop if clients > 1 => lines.answer.push_str(text),
            // One client was interrupted: no answer, and no failure either.
            Kind::Stop if event.counts.get("failed").is_some_and(|failed| *failed > 0) => {
                lines.status.push_str(text);
            }
            // In a crowd the summary tells how many failed, and why.
            Kind::Error if event.level < Level::Error => {}
            _ => usual_view(event, lines),
        }
    })
}
