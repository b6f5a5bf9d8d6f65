//! Experiment 4, the client: a member of a multicast group that prints what it hears and sends what is typed.
//!
//! | module | job |
//! | --- | --- |
//! | [`client`] | the handout's program, join, receive, print; and beside it, send what is typed |
//! | [`load`] | messages sent without a person, at a given rate |
//! | [`sending`] | one message to every destination: multicast, unicast or broadcast |
//! | [`datagrams`] | many datagrams of one length, stamped, one behind the other |
//! | [`config`] | what the client can be told |

pub mod client;
pub mod config;
pub mod datagrams;
pub mod load;
pub mod sending;

pub use client::run;
use common::{
    event::{Event, Kind},
    journal::{Lines, View},
    multicast::hearing,
};

/// What a person sees of the client's events: the handout's line, how each datagram came, and what was sent.
pub fn view(json: bool) -> View {
    Box::new(move |event: &Event, lines: &mut Lines| {
        if event.kind != Kind::Send {
            hearing::view(event, lines, "Received message", json);
        }
    })
}
