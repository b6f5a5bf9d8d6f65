//! Experiment 4, the server: a member of a multicast group that prints what it hears.
//!
//! | module | job |
//! | --- | --- |
//! | [`server`] | the handout's program: join, receive, print |
//! | [`config`] | what the server can be told |

pub mod config;
pub mod server;

use common::{
    event::{Event, Kind},
    journal::{Lines, usual_view},
};
pub use server::run;

/// What a person sees of the server's events: the handout's lines, and how the group was joined.
pub fn view(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match (event.kind, &event.peer) {
        (Kind::Ready, Some(group)) => {
            lines.answer = format!("Multicast server running on {group}");
            lines.status = format!("listening on {text}");
        }
        (Kind::Receive, _) => lines.answer = format!("Received data: {text}"),
        (Kind::Stop, _) => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
