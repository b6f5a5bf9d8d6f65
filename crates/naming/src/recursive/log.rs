//! The server's events, within a rate: neither its clients nor the servers that it asks can fill the log.

use std::{fmt, net::SocketAddr};

use common::{
    event::{Event, Kind, Level},
    journal::Journal,
    message::{Carrier, MessageId},
    rate_limit::RateLimit,
};

use crate::{
    dns::shown,
    resolver::{Ask, Note},
    resolving,
    server::events::received,
};

/// The log.
#[derive(Debug)]
pub(super) struct Log<'j> {
    journal: &'j Journal,
    clients: RateLimit,
    servers: RateLimit,
    warnings: RateLimit,
}

impl<'j> Log<'j> {
    pub(super) fn new(journal: &'j Journal) -> Self {
        Self {
            journal,
            clients: RateLimit::new("queries were answered"),
            servers: RateLimit::new("messages were exchanged with servers"),
            warnings: RateLimit::new("faults and refusals were met"),
        }
    }

    /// Begins the next second, when one is over.
    pub(super) fn go_on(&mut self) {
        for limit in [&mut self.clients, &mut self.servers, &mut self.warnings] {
            limit.go_on(self.journal);
        }
    }

    /// A query of a client; whether it is logged, and so is its reply.
    pub(super) fn asked(
        &mut self,
        carrier: Carrier,
        query: &[u8],
        client: SocketAddr,
        asked: SocketAddr,
    ) -> bool {
        let logged = self.clients.one_more();
        if logged {
            self.journal.record(received(asked, carrier, query, client));
        }
        logged
    }

    /// The reply to it, which is sent next.
    pub(super) fn answered(
        &self,
        carrier: Carrier,
        reply: &[u8],
        client: SocketAddr,
        asked: SocketAddr,
    ) {
        let number = shown::number(reply);
        let event = Event::new(Kind::Send)
            .peer(client)
            .message(MessageId::new(carrier, asked, client, number))
            .resolved(resolving::question(reply), shown::outcome(reply));
        self.journal.record(Event {
            bytes: Some(reply.len() as u64),
            ..event
        });
    }

    /// A query to a server, which is sent next.
    pub(super) fn sent(&mut self, ask: &Ask, local: SocketAddr) {
        if self.servers.one_more() {
            self.journal.record(resolving::sent(ask, local));
        }
    }

    /// A message from a server.
    pub(super) fn received(
        &mut self,
        ask: &Ask,
        local: SocketAddr,
        from: SocketAddr,
        message: &[u8],
    ) {
        if self.servers.one_more() {
            let event = resolving::received(ask, local, from, message);
            self.journal.record(event);
        }
    }

    /// What happened on the way.
    pub(super) fn noted(&mut self, note: &Note) {
        let limit = match note {
            Note::Fault(..) => &mut self.warnings,
            _ => &mut self.servers,
        };
        if limit.one_more() {
            self.journal.record(resolving::noted(note));
        }
    }

    /// Something that is not as it should be, about a client.
    pub(super) fn warn(&mut self, peer: SocketAddr, text: impl fmt::Display) {
        if self.warnings.one_more() {
            let event = Event::error(Level::Warn, text);
            self.journal.record(event.peer(peer));
        }
    }

    /// Something that is not as it should be, about the server itself.
    pub(super) fn warn_of_itself(&mut self, text: impl fmt::Display) {
        if self.warnings.one_more() {
            self.journal.record(Event::error(Level::Warn, text));
        }
    }
}

impl Drop for Log<'_> {
    fn drop(&mut self) {
        for limit in [&mut self.clients, &mut self.servers, &mut self.warnings] {
            limit.finish(self.journal);
        }
    }
}
