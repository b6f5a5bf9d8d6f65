//! Connections over TCP (RFC 7766): a thread for each, which answers any number of queries.

use std::{
    io::{self, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, Scope},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    net::{self, Interest, Woken, try_read},
};
use crossbeam::channel::bounded;

use super::{
    context::{Client, Context},
    events::warning,
    handle::{Disposition, handle},
    job::{Job, ReplyTo, WithHardLinks},
};
use crate::dns::{
    answer::{Next, answer},
    owner::Owner,
    request::{Request, Transport},
    transfer::{HardLinks, asks_for_hard_links, transfer_with},
    tsig::Signer,
    zone::Zone,
};

/// How long to wait before the next try when there is no room for another connection, or no descriptor.
const PAUSE: Duration = Duration::from_millis(20);

/// Accepts connections until a stop is requested.
pub(super) fn run<'scope, 's: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    listener: &TcpListener,
    context: &Arc<Context<'s>>,
) {
    let open = Arc::new(AtomicUsize::new(0));
    let mut number = 0_u64;
    loop {
        // At the limit, further connections wait in the backlog.
        if open.load(Ordering::Acquire) >= context.settings.max_clients {
            if context.shutdown.sleep(PAUSE) {
                return;
            }
            continue;
        }
        match net::wait(listener, Interest::Read, None, Some(context.shutdown)) {
            Ok(Woken::Stopping) => return,
            Ok(_) => {}
            Err(error) => {
                return context
                    .journal
                    .record(warning(format!("wait for connections: {error}")));
            }
        }
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                context
                    .journal
                    .record(warning(format!("accept: {}", common::exit::why(&error))));
                if context.shutdown.sleep(PAUSE) {
                    return;
                }
                continue;
            }
        };
        number += 1;
        open.fetch_add(1, Ordering::AcqRel);
        let (context, counted) = (Arc::clone(context), Arc::clone(&open));
        let started = thread::Builder::new()
            .name(format!("tcp-{number}"))
            .spawn_scoped(scope, move || {
                Connection::new(stream, peer, &context).serve();
                counted.fetch_sub(1, Ordering::AcqRel);
            });
        if started.is_err() {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

struct Connection<'c, 's> {
    stream: TcpStream,
    client: Client,
    context: &'c Context<'s>,
}

impl<'c, 's> Connection<'c, 's> {
    fn new(stream: TcpStream, peer: SocketAddr, context: &'c Context<'s>) -> Self {
        let asked = stream.local_addr().unwrap_or(context.address);
        let (peer, asked) = (net::canonical(peer), net::canonical(asked));
        Self {
            stream,
            client: Client { peer, asked },
            context,
        }
    }

    fn until(&self) -> Instant {
        Instant::now() + self.context.settings.timeout
    }

    /// Serves the connection until the client closes it, is idle for too long, or sends something that is not a message.
    fn serve(&self) {
        let ready = self
            .stream
            .set_nonblocking(true)
            .and_then(|()| self.stream.set_nodelay(true));
        let mut reader = self.context.snapshot.reader();
        let (mut message, mut out) = (Vec::new(), Vec::new());
        while ready.is_ok() && self.read(&mut message).is_ok() {
            let zone = Arc::clone(reader.zone());
            let is_query = message.get(2).is_some_and(|flags| flags & 0xf8 == 0);
            self.context
                .counts
                .add(|counts| &counts.tcp, u64::from(is_query));
            match answer(&zone, &message, Transport::Tcp, &mut out) {
                Next::Answer => {}
                Next::Ignore => break,
                next => match self.handle(&zone, &message, next) {
                    Some(Ok(reply)) => out = reply,
                    Some(Err(_)) | None => break,
                },
            }
            if is_query && !out.is_empty() {
                self.context.log_tcp(&message, &out, self.client);
            }
            if self.write(&out).is_err() {
                break;
            }
            out.clear();
        }
    }

    /// Handles a message that is not answered at once: the answer, an empty one when it is sent already, or None.
    fn handle(&self, zone: &Arc<Zone>, message: &[u8], next: Next) -> Option<io::Result<Vec<u8>>> {
        let (reply_to, answers) = bounded(1);
        match handle(
            self.context,
            zone,
            message,
            next,
            self.client,
            ReplyTo::Tcp(reply_to),
        ) {
            Disposition::Ignore => None,
            Disposition::Reply(reply) => Some(Ok(reply)),
            Disposition::Deferred => answers
                .recv_timeout(self.context.settings.timeout)
                .ok()
                .map(Ok),
            Disposition::Transfer(apex, message, mut signer) => {
                let transferred = self.transfer(zone, &apex, &message, signer.as_deref_mut());
                // Its messages are sent already.
                Some(transferred.map(|()| Vec::new()))
            }
        }
    }

    fn transfer(
        &self,
        zone: &Zone,
        apex: &Owner,
        message: &[u8],
        signer: Option<&mut Signer>,
    ) -> io::Result<()> {
        let Some(request) = Request::read(message, Transport::Tcp) else {
            return Ok(());
        };
        let with_links = match asks_for_hard_links(&request) && *apex == zone.zones.names {
            true => Some(self.with_hard_links()?),
            false => None,
        };
        let none = HardLinks::new();
        let (zone, links) = match &with_links {
            Some(with_links) => (&with_links.zone, &with_links.links),
            None => (zone, &none),
        };
        let send = |part: &[u8]| self.write(part);
        let records = transfer_with(zone, apex, links, &request, signer, send)?;
        self.context.counts.add(|counts| &counts.transfers, 1);
        let text = format!(
            "zone {apex} with serial {} transferred to {}: {records} records",
            zone.serial(apex),
            self.client.peer
        );
        self.context.journal.record(
            Event::new(Kind::Local)
                .peer(self.client.peer)
                .text(text)
                .counts([("records", records)]),
        );
        Ok(())
    }

    /// The zones and their hard links, which the registrar knows.
    fn with_hard_links(&self) -> io::Result<WithHardLinks> {
        let (to, links) = bounded(1);
        let sent = self.context.jobs.try_send(Job::HardLinks(to));
        sent.map_err(|_| io::Error::from(io::ErrorKind::WouldBlock))?;
        links
            .recv_timeout(self.context.settings.timeout)
            .map_err(|_| io::ErrorKind::TimedOut.into())
    }

    /// Reads one message, which follows its length in two bytes.
    fn read(&self, message: &mut Vec<u8>) -> io::Result<()> {
        let until = self.until();
        let mut length = [0; 2];
        self.fill(&mut length, until)?;
        message.resize(usize::from(u16::from_be_bytes(length)), 0);
        self.fill(message, until)
    }

    fn fill(&self, mut buffer: &mut [u8], until: Instant) -> io::Result<()> {
        while !buffer.is_empty() {
            match try_read(&self.stream, buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => buffer = &mut buffer[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    net::woken(net::wait(
                        &self.stream,
                        Interest::Read,
                        Some(until),
                        Some(self.context.shutdown),
                    )?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes one message, after its length in two bytes.
    fn write(&self, message: &[u8]) -> io::Result<()> {
        if message.is_empty() {
            return Ok(());
        }
        let length = u16::try_from(message.len()).map_err(io::Error::other)?;
        let whole = [&length.to_be_bytes(), message].concat();
        let (mut rest, until) = (whole.as_slice(), self.until());
        while !rest.is_empty() {
            match (&self.stream).write(rest) {
                Ok(length) => rest = &rest[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    net::woken(net::wait(&self.stream, Interest::Write, Some(until), None)?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
