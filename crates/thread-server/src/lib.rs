//! Experiment 3, the server: six ways to serve many clients.
//!
//! | module | job |
//! | --- | --- |
//! | [`handout`] | the handout's program: accept, start a thread; receive, print, reply, close |
//! | [`threaded`] | accepting and starting threads, under a limit of clients and through shortages |
//! | [`client`], [`exchange`] | one exchange: what waits, and the state machine that never waits |
//! | [`models`] | five more ways to serve many clients |
//! | [`server`] | the frame: what all work with, and which model serves |
//! | [`acceptor`], [`permits`] | accept errors, the backlog at a stop; the limit of clients |
//! | [`readiness`] | readiness notification, for the models on one thread |
//! | [`child`] | the process that serves one client |
//! | [`context`], [`outcome`] | what all of them share, and how an exchange ends |
//! | [`tally`] | the counts of the run |
//! | [`config`] | the program's options |

pub mod acceptor;
pub mod child;
pub mod client;
pub mod config;
pub mod context;
pub mod exchange;
pub mod handout;
pub mod models;
pub mod outcome;
pub mod permits;
pub mod readiness;
pub mod server;
pub mod tally;
pub mod threaded;

use std::fmt::Write;

use common::{
    event::{Event, Kind},
    journal::{Lines, View, usual_view},
};
pub use server::run;

/// How the server's events are shown to people: with the handout's lines. With `--json` its counts are a part of the
/// answer.
pub fn view(json: bool) -> View {
    Box::new(move |event: &Event, lines: &mut Lines| show(json, event, lines))
}

fn show(json: bool, event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match (event.kind, &event.peer) {
        (Kind::Ready, _) => lines.status = format!("listening on {text}"),
        (Kind::Accept, Some(peer)) => {
            write!(lines.answer, "Connection from {peer}")
                .expect("writing to a String does not fail");
        }
        (Kind::Receive, _) => {
            let content = event.content_in_short();
            lines.answer.extend(["Received: ", &content]);
        }
        // Without a text the program could not run, and the error has been shown.
        (Kind::Stop, _) if text.is_empty() => {}
        (Kind::Report | Kind::Stop, _) if json => lines.answer.push_str(text),
        (Kind::Report | Kind::Stop, _) => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
