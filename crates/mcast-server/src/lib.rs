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
    journal::{Lines, View},
    multicast::hearing,
};
pub use server::run;

/// What a person sees of the server's events: the handout's lines, and how each datagram came.
pub fn view(json: bool) -> View {
    Box::new(move |event: &Event, lines: &mut Lines| {
        hearing::view(event, lines, "Received data", json);
        if event.kind == Kind::Ready
            && let Some(group) = &event.peer
        {
            lines.answer = format!("Multicast server running on {group}");
        }
    })
}
