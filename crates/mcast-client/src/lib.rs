//! Experiment 4, the client: a member of a multicast group that prints what it hears and sends what is typed.
//!
//! | module | job |
//! | --- | --- |
//! | [`client`] | the handout's program, join, receive, print; and beside it, send what is typed |
//! | [`sending`] | one message to every destination: multicast, unicast or broadcast |
//! | [`typed`] | lines from standard input, bounded and interruptible |
//! | [`config`] | what the client can be told |

pub mod client;
pub mod config;
pub mod sending;
pub mod typed;

pub use client::{run, send_and_end};
use common::{
    event::{Event, Kind},
    journal::{Lines, usual_view},
};

/// What a person sees of the client's events: the handout's line, how the group was joined and what was sent.
pub fn view(event: &Event, lines: &mut Lines) {
    let text = event.text.as_deref().unwrap_or_default();
    match event.kind {
        Kind::Ready => lines.status = format!("listening on {text}"),
        Kind::Receive => lines.answer = format!("Received message: {text}"),
        Kind::Stop => lines.status.push_str(text),
        _ => usual_view(event, lines),
    }
}
