//! The server's events: messages received and sent, names registered, warnings.

use std::{fmt, net::SocketAddr};

use common::{
    event::{Event, Kind, Level},
    message::{Carrier, MessageId},
};
use domain::base::iana::Rtype;

use crate::{dns::shown, name::Place, space::Space};

/// A query and its answer. They are recorded before the answer is sent, so that no clock shows it received before.
pub(super) fn exchange(
    address: SocketAddr,
    carrier: Carrier,
    query: &[u8],
    reply: &[u8],
    peer: SocketAddr,
) -> [Event; 2] {
    let received = received(address, carrier, query, peer);
    let asked = received.text.clone().unwrap_or_default();
    let id = MessageId::new(carrier, address, peer, shown::number(query));
    let sent = Event::new(Kind::Send)
        .peer(peer)
        .message(id)
        .resolved(asked, shown::outcome(reply));
    [received, with_length(sent, reply)]
}

/// A message that was received.
pub(crate) fn received(
    address: SocketAddr,
    carrier: Carrier,
    message: &[u8],
    peer: SocketAddr,
) -> Event {
    let (name, rtype) =
        shown::question(message).unwrap_or_else(|| ("a malformed message".into(), Rtype::ANY));
    let id = MessageId::new(carrier, peer, address, shown::number(message));
    let event = Event::new(Kind::Receive).peer(peer).message(id);
    with_length(event.text(format!("{name} {rtype}")), message)
}

/// The same event, with the length of its message.
pub(super) fn with_length(event: Event, message: &[u8]) -> Event {
    Event {
        bytes: Some(message.len() as u64),
        ..event
    }
}

/// What a place stands for now.
pub(super) fn registered(space: &Space, place: &Place) -> Event {
    let meaning = space
        .get(place)
        .and_then(|entry| space.meaning(place, entry));
    Event {
        name: Some(place.to_string()),
        value: meaning.map(|meaning| meaning.to_string()),
        ..Event::new(Kind::Register)
    }
}

/// An error that does not keep the server from serving.
pub(super) fn warning(text: impl fmt::Display) -> Event {
    Event::error(Level::Warn, text)
}
