//! What the client that walks and the recursive server have in common: the steps of a resolution, with the system's random numbers, and
//! its events: its queries, what arrives, what the cache has, and faults.

use std::{net::SocketAddr, time::Duration};

use common::{
    event::{Event, Kind, Level},
    message::{Carrier, MessageId},
};
use ring::rand::{SecureRandom, SystemRandom};

use crate::{
    dns::{request::Transport, shown},
    resolver::{Ask, Cache, Note, Output, Resolution, World},
};

/// Why a resolution cannot go on.
pub const NO_RANDOM: &str = "the system has no random numbers";

/// One step of a resolution at this time; None without random numbers, which nobody can guess.
pub fn step(
    resolution: &mut Resolution,
    (cache, now): (&mut Cache, Duration),
    step: impl FnOnce(&mut Resolution, &mut World<'_>) -> Output,
) -> Option<Output> {
    let random = SystemRandom::new();
    let mut failed = false;
    let mut number = || {
        let mut bytes = [0; 2];
        failed |= random.fill(&mut bytes).is_err();
        u16::from_ne_bytes(bytes)
    };
    let mut world = World {
        now,
        cache,
        random: &mut number,
    };
    let output = step(resolution, &mut world);
    (!failed).then_some(output)
}

fn carrier(ask: &Ask) -> Carrier {
    match ask.transport {
        Transport::Udp => Carrier::Udp,
        Transport::Tcp => Carrier::Tcp,
    }
}

fn with_length(event: Event, message: &[u8]) -> Event {
    Event {
        bytes: Some(message.len() as u64),
        ..event
    }
}

/// The question of a message in words: `server1.flat.lab. A`.
pub fn question(message: &[u8]) -> String {
    shown::question(message).map_or_else(String::new, |(name, rtype)| format!("{name} {rtype}"))
}

/// A query that is sent next, from this address.
pub fn sent(ask: &Ask, local: SocketAddr) -> Event {
    let number = shown::number(&ask.message);
    let event = Event::new(Kind::Send)
        .peer(ask.server)
        .message(MessageId::new(carrier(ask), local, ask.server, number))
        .text(question(&ask.message));
    with_length(event, &ask.message)
}

/// A message that arrived in answer to it.
pub fn received(ask: &Ask, local: SocketAddr, from: SocketAddr, message: &[u8]) -> Event {
    let number = shown::number(message);
    let asked = question(message);
    let asked = if asked.is_empty() {
        question(&ask.message)
    } else {
        asked
    };
    let event = Event::new(Kind::Receive)
        .peer(from)
        .message(MessageId::new(carrier(ask), from, local, number))
        .resolved(asked, shown::outcome(message));
    with_length(event, message)
}

/// What happened on the way.
pub fn noted(note: &Note) -> Event {
    match note {
        Note::Fault(server, fault) if !fault.is_harmless() => {
            let event = Event::error(Level::Warn, note);
            match server {
                Some(server) => event.peer(*server),
                None => event,
            }
        }
        note => Event::new(Kind::Local).text(note.to_string()),
    }
}
