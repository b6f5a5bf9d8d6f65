//! The workers that answer over UDP: each takes the datagrams that wait in one batch, and reuses its memory for the
//! answers.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use common::{
    exit::why,
    message::Carrier,
    net::{self, Interest, Woken},
    rate_limit::RateLimit,
    sys::batches::{Incoming, Outgoing, Peer, Port, Source},
};

use super::{
    context::{Client, Context},
    events::warning,
    handle::{Disposition, handle},
    job::ReplyTo,
};
use crate::dns::{
    answer::{Next, answer},
    request::{Transport, UDP_MAX},
};

/// How long queries that arrived before a stop are still answered.
const GRACE: Duration = Duration::from_secs(1);

/// Answers until a stop is requested and no query is left.
pub(super) fn run(port: &Arc<Port>, context: &Context) {
    let mut reader = context.snapshot.reader();
    let mut incoming = Incoming::new(port);
    let mut outgoing = Outgoing::new(port, usize::from(UDP_MAX) * 2);
    let mut log_limit = RateLimit::new("queries were answered");
    while !context.shutdown.overdue(GRACE) {
        let count = match incoming.receive(port) {
            Ok(count) => count,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => {
                    log_limit.go_on(context.journal);
                    let shutdown = Some(context.shutdown);
                    match net::wait(port.socket(), Interest::Read, None, shutdown) {
                        Ok(Woken::Stopping) | Err(_) => break,
                        _ => continue,
                    }
                }
                // The error of an earlier answer; the next call receives.
                io::ErrorKind::Interrupted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset => continue,
                _ => {
                    let text = format!("receive: {}", why(&error));
                    context.journal.record(warning(text));
                    context.shutdown.request();
                    break;
                }
            },
        };
        let zone = reader.zone();
        let mut unanswered = 0;
        for index in 0..count {
            let Some(datagram) = incoming.get(index) else {
                continue;
            };
            let message = datagram.message;
            let client = || client(&datagram.peer, datagram.source, context.address);
            let out = outgoing.memory();
            match answer(zone, message, Transport::Udp, out) {
                Next::Answer => {}
                Next::Ignore => {
                    unanswered += 1;
                    continue;
                }
                next => {
                    let Some(client) = client() else {
                        continue;
                    };
                    let reply_to = ReplyTo::Udp {
                        port: Arc::clone(port),
                        from: datagram.source,
                        to: datagram.peer,
                    };
                    match handle(context, zone, message, next, client, reply_to) {
                        Disposition::Reply(reply) => *out = reply,
                        Disposition::Deferred => continue,
                        Disposition::Ignore | Disposition::Transfer(..) => {
                            unanswered += 1;
                            continue;
                        }
                    }
                }
            }
            if log_limit.one_more()
                && let Some(client) = client()
            {
                context.log(Carrier::Udp, message, out, client);
            }
            outgoing.push(datagram.peer, datagram.source);
        }
        let answered = outgoing.send(port);
        context.counts.add(|counts| &counts.udp, answered as u64);
        context.counts.add(|counts| &counts.unanswered, unanswered);
        log_limit.go_on(context.journal);
    }
    log_limit.finish(context.journal);
}

/// The two ends of an exchange, as its client knows them.
fn client(peer: &Peer, source: Option<Source>, listen: SocketAddr) -> Option<Client> {
    let peer = net::canonical(peer.address()?);
    let asked = source.map_or(listen, |source| SocketAddr::new(source.ip(), listen.port()));
    Some(Client { peer, asked })
}
