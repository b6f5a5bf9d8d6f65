//! Answering over TCP (RFC 7766): a thread for each connection, as many questions on it as its client likes.

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
    message::Carrier,
    net::{self, Interest, Woken, try_read},
};
use crossbeam::channel::bounded;
use domain::{
    base::{Message, iana::Rcode},
    tsig::ServerSequence,
};

use super::{
    Shared,
    handle::{Back, Handled, handle, tell},
    warning,
};
use crate::dns::{
    answer::{self, Next, Transport, answer},
    transfer::transfer,
    zone::Zone,
};

/// How long to wait before trying again when there is no room for one more connection, or no descriptor.
const PAUSE: Duration = Duration::from_millis(20);

/// Lets connections in until a stop is requested.
pub(super) fn run<'scope, 's: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    listener: &TcpListener,
    shared: &Arc<Shared<'s>>,
) {
    let open = Arc::new(AtomicUsize::new(0));
    let mut number = 0_u64;
    loop {
        // As many as there may be: the kernel holds the others.
        if open.load(Ordering::Acquire) >= shared.settings.max_clients {
            if shared.shutdown.sleep(PAUSE) {
                return;
            }
            continue;
        }
        match net::wait(listener, Interest::Read, None, Some(shared.shutdown)) {
            Ok(Woken::Stopping) => return,
            Ok(_) => {}
            Err(error) => {
                return shared
                    .journal
                    .record(warning(format!("wait for connections: {error}")));
            }
        }
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => {
                shared
                    .journal
                    .record(warning(format!("accept: {}", common::exit::why(&error))));
                if shared.shutdown.sleep(PAUSE) {
                    return;
                }
                continue;
            }
        };
        number += 1;
        open.fetch_add(1, Ordering::AcqRel);
        let (shared, counted) = (Arc::clone(shared), Arc::clone(&open));
        let started = thread::Builder::new()
            .name(format!("tcp-{number}"))
            .spawn_scoped(scope, move || {
                Connection::new(stream, peer, &shared).serve();
                counted.fetch_sub(1, Ordering::AcqRel);
            });
        if started.is_err() {
            open.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

struct Connection<'c, 's> {
    stream: TcpStream,
    peer: SocketAddr,
    shared: &'c Shared<'s>,
}

impl<'c, 's> Connection<'c, 's> {
    fn new(stream: TcpStream, peer: SocketAddr, shared: &'c Shared<'s>) -> Self {
        Self {
            stream,
            peer,
            shared,
        }
    }

    fn until(&self) -> Instant {
        Instant::now() + self.shared.settings.timeout
    }

    /// A client that stalls, says nonsense or goes away loses its connection, and nobody else notices.
    fn serve(&self) {
        let ready = self
            .stream
            .set_nonblocking(true)
            .and_then(|()| self.stream.set_nodelay(true));
        let mut reader = self.shared.published.reader();
        let (mut message, mut out) = (Vec::new(), Vec::new());
        while ready.is_ok() && self.read(&mut message).is_ok() {
            let zone = Arc::clone(reader.zone());
            let is_query = message.get(2).is_some_and(|flags| flags & 0xf8 == 0);
            self.shared
                .counts
                .add(|counts| &counts.tcp, u64::from(is_query));
            match answer(&zone, &message, Transport::Tcp, &mut out) {
                Next::Answer => {}
                Next::Silence => break,
                next => match self.handle(&zone, &message, next) {
                    Some(Ok(reply)) => out = reply,
                    Some(Err(_)) | None => break,
                },
            }
            if is_query && !out.is_empty() && self.shared.one_more(&self.shared.telling_tcp) {
                tell(self.shared, Carrier::Tcp, &message, &out, self.peer);
            }
            if self.write(&out).is_err() {
                break;
            }
            out.clear();
        }
    }

    /// The answer to a message that takes longer; an empty one when it is sent already, None when there is none.
    fn handle(&self, zone: &Arc<Zone>, message: &[u8], next: Next) -> Option<io::Result<Vec<u8>>> {
        let (back, answers) = bounded(1);
        match handle(self.shared, zone, message, next, self.peer, Back::Tcp(back)) {
            Handled::Silence => None,
            Handled::Reply(reply) => Some(Ok(reply)),
            Handled::Later => answers
                .recv_timeout(self.shared.settings.timeout)
                .ok()
                .map(Ok),
            Handled::Transfer(message, transaction) => Some(self.transfer(
                zone,
                &message,
                transaction.map(|transaction| ServerSequence::from(*transaction)),
            )),
        }
    }

    fn transfer(
        &self,
        zone: &Zone,
        message: &[u8],
        sequence: Option<ServerSequence<Arc<domain::tsig::Key>>>,
    ) -> io::Result<Vec<u8>> {
        let mut refused = Vec::new();
        let (Some((apex, _)), Ok(question)) = (
            answer::transferred(zone, message),
            Message::from_slice(message),
        ) else {
            answer::refuse(message, Rcode::NOTAUTH, &mut refused);
            return Ok(refused);
        };
        let records = transfer(zone, apex, question, sequence, |part| self.write(part))?;
        self.shared.counts.add(|counts| &counts.transfers, 1);
        let text = format!(
            "zone {apex} with serial {} transferred to {}: {records} records",
            zone.serial, self.peer
        );
        self.shared.journal.record(
            Event::new(Kind::Local)
                .peer(self.peer)
                .text(text)
                .counts([("records", records)]),
        );
        Ok(refused)
    }

    /// Reads one message, behind its length in two bytes.
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
                        Some(self.shared.shutdown),
                    )?)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes one message behind its length.
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
