//! Experiment 3, the server: six ways to serve many clients.
//!
//! | module | job |
//! | --- | --- |
//! | [`exchange`] | the heart of the handout's program: receive, print, reply, close |
//! | [`models`] | accept, and who serves: the handout's thread for each client, and five other ways |
//! | [`server`] | what every model works with, and the frame around it |
//! | [`entrance`] | letting clients in: accept errors survived, the backlog served at a stop |
//! | [`places`] | at most so many clients at once |
//! | [`child`] | the process that serves one client |
//! | [`tally`] | counting what became of the clients |
//! | [`config`] | what the server can be told |

pub mod child;
pub mod config;
pub mod entrance;
pub mod exchange;
pub mod models;
pub mod places;
pub mod server;
pub mod tally;

use std::fmt::Write;

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
        (Kind::Accept, Some(peer)) => {
            write!(lines.answer, "Connection from {peer}")
                .expect("a String takes all that is written");
        }
        (Kind::Receive, _) => lines.answer.extend(["Received: ", text]),
        (Kind::Local | Kind::Stop, _) => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
