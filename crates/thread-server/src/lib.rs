//! Experiment 3, the server: a thread for each client.
//!
//! | module | job |
//! | --- | --- |
//! | [`server`] | the handout's program: accept, spawn, receive, print, reply, close |
//! | [`entrance`] | letting clients in: the limit of clients, and accept errors survived |
//! | [`tally`] | counting what became of the clients |
//! | [`config`] | what the server can be told |

pub mod config;
pub mod entrance;
pub mod server;
pub mod tally;

use common::{
    event::{Event, Kind},
    journal::{Lines, usual_view},
};
pub use server::run;

/// What a person sees of the server's events: the handout's lines.
pub fn view(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match (event.kind, &event.peer) {
        (Kind::Ready, _) => lines.status = format!("listening on {text}"),
        (Kind::Accept, Some(peer)) => lines.answer = format!("Connection from {peer}"),
        (Kind::Receive, _) => lines.answer = format!("Received: {text}"),
        (Kind::Local | Kind::Stop, _) => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
