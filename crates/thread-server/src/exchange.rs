//! One exchange with one client, as a finite-state machine that never waits (van Steen & Tanenbaum, Distributed
//! Systems, "Threads").
//!
//! [`Exchange::advance`] goes as far as it can and returns what has to happen before it can go on. A thread that serves
//! one client waits for that by itself ([`Client`](crate::client::Client)); the event-driven model waits for all of its
//! clients at once. Both serve a client by the same steps.

use std::{
    io::{self, Read, Write},
    net::{Shutdown as Direction, SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    message::{Carrier, MessageId},
    net::{self, LONGEST_MESSAGE, canonical, try_read},
    sys::{clock, listener::read_briefly},
};

use crate::{
    context::Context,
    outcome::{Outcome, Unanswered},
};

/// How many bytes beyond the longest request are read and discarded, and for how long.
const EXCESS: usize = 1 << 20;
const EXCESS_TIME: Duration = Duration::from_secs(1);

/// What an exchange needs before it can advance.
#[derive(Clone, Debug)]
pub enum Step {
    /// Input, or this moment.
    AwaitInput(Instant),
    /// This moment.
    Sleep(Instant),
    /// Nothing: a request of this length is in the buffer, to be logged.
    Received(usize),
    /// Nothing: the exchange has ended.
    Done(Outcome),
}

/// One exchange with one client. The connection closes when it is dropped.
#[derive(Debug)]
pub struct Exchange<'a> {
    context: &'a Context<'a>,
    stream: TcpStream,
    peer: SocketAddr,
    accepted: Instant,
    stage: Stage,
    /// Whether a read ends by itself, after [`net::BRIEFLY`] at most: a request mostly arrives with its connection or
    /// right after it.
    ends_by_itself: bool,
    first_byte: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The client has to send something by this moment.
    Receiving(Instant),
    /// The request was received.
    Received(Request),
    /// The reply is ready at this moment.
    Working(Instant, Request),
    /// The client was answered, and sends more than is read: the number of bytes discarded so far.
    Discarding(Instant, usize),
}

/// What remains of a request after it was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Request {
    /// Nothing.
    Complete,
    /// It filled the buffer, so there may be more.
    MaybeLonger,
}

impl<'a> Exchange<'a> {
    /// An exchange over a connection that was accepted at this moment.
    pub fn new(
        context: &'a Context<'a>,
        stream: TcpStream,
        peer: SocketAddr,
        accepted: Instant,
    ) -> Self {
        Self {
            context,
            stream,
            peer,
            accepted,
            stage: Stage::Receiving(accepted + context.settings.timeout),
            ends_by_itself: false,
            first_byte: None,
        }
    }

    /// The connection.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The client's address.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// When the connection was accepted.
    pub fn accepted(&self) -> Instant {
        self.accepted
    }

    /// What the server works with.
    pub fn context(&self) -> &'a Context<'a> {
        self.context
    }

    /// Makes a read wait for up to [`net::BRIEFLY`]: one system call for a client that sends at once, where to try, to
    /// wait and to try again are three.
    pub fn block_briefly(&mut self) {
        self.ends_by_itself = read_briefly(&self.stream, net::BRIEFLY).is_ok();
    }

    /// Goes as far as it can without waiting; a request is read into `buffer`, and answered with `reply`. To be called
    /// again when what the step needs is there, or after a request to stop.
    pub fn advance(&mut self, buffer: &mut [u8], reply: &[u8]) -> Step {
        loop {
            match self.stage {
                Stage::Receiving(until) => return self.receive(until, buffer),
                Stage::Received(request) => {
                    self.spin();
                    self.stage =
                        Stage::Working(Instant::now() + self.context.settings.work, request);
                }
                Stage::Working(until, request) => {
                    if !self.context.settings.work.is_zero()
                        && let Some(until) = self.context.remaining(until)
                    {
                        return Step::Sleep(until);
                    }
                    if let Err(error) = self.send(reply) {
                        return Step::Done(Err(error.into()));
                    }
                    if request == Request::Complete {
                        return Step::Done(Ok(()));
                    }
                    // Closing a connection with unread data resets it (RFC 1122 section 4.2.2.13), and the client
                    // could lose the reply. Should this fail, the client is answered all the same.
                    let _ = self.stream.shutdown(Direction::Write);
                    self.stage = Stage::Discarding(Instant::now() + EXCESS_TIME, 0);
                }
                Stage::Discarding(until, discarded) => return self.discard(until, discarded),
            }
        }
    }

    fn receive(&mut self, until: Instant, buffer: &mut [u8]) -> Step {
        match self.read(buffer) {
            Ok(0) => Step::Done(Err(Unanswered::Closed)),
            Ok(length) => {
                self.stage = Stage::Received(if length < buffer.len() {
                    Request::Complete
                } else {
                    Request::MaybeLonger
                });
                Step::Received(length)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                match self.context.remaining(until) {
                    Some(until) => Step::AwaitInput(until),
                    None if self.context.overdue() => Step::Done(Err(Unanswered::Stopped)),
                    None => Step::Done(Err(Unanswered::Idle)),
                }
            }
            Err(error) => Step::Done(Err(error.into())),
        }
    }

    // Out of line, as its event would take room on the stack of every thread that waits.
    #[inline(never)]
    fn send(&mut self, reply: &[u8]) -> io::Result<()> {
        self.first_byte = Some(self.accepted.elapsed());
        let sent = self.message(Kind::Send, reply);
        // Never waits: a new connection's send buffer has room for the longest reply.
        self.stream.write_all(reply)?;
        self.context.recorder.record(sent);
        Ok(())
    }

    // Out of line, as its buffer would take room on the stack of every thread that waits.
    #[cold]
    #[inline(never)]
    fn discard(&mut self, until: Instant, mut discarded: usize) -> Step {
        let mut excess = [0; LONGEST_MESSAGE];
        while discarded < EXCESS {
            match self.read(&mut excess) {
                Ok(length @ 1..) => discarded += length,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stage = Stage::Discarding(until, discarded);
                    return match self.context.remaining(until) {
                        Some(until) => Step::AwaitInput(until),
                        None => Step::Done(Ok(())),
                    };
                }
                _ => break,
            }
        }
        Step::Done(Ok(()))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = if self.ends_by_itself {
                self.stream.read(buffer)
            } else {
                try_read(&self.stream, buffer)
            };
            match read {
                // A signal was delivered to this thread.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    /// Uses as much processor time as the settings say; a thread that waits for a processor uses none.
    fn spin(&self) {
        let used = || clock::of_thread().unwrap_or(Duration::MAX);
        if self.context.settings.spin.is_zero() {
            return;
        }
        let end = used() + self.context.settings.spin;
        while used() < end && !self.context.overdue() {
            for _ in 0..100 {
                std::hint::spin_loop();
            }
        }
    }

    /// Logs the request, which is printed as `Received: …`.
    // Out of line for the same reason.
    #[inline(never)]
    pub fn log_received(&self, request: &[u8]) {
        let received = self.message(Kind::Receive, request);
        self.context.recorder.record(received);
    }

    /// Records and counts how the exchange ended.
    pub fn record_close(&self, outcome: &Outcome) {
        self.context.record_end(self.peer, outcome, self.first_byte);
    }

    /// The event of the client's first message, or of the first message to it.
    fn message(&self, kind: Kind, content: &[u8]) -> Event {
        let server = self.context.address;
        let server = if server.ip().is_unspecified() {
            self.stream.local_addr().map_or(server, canonical)
        } else {
            server
        };
        let (from, to) = if kind == Kind::Send {
            (server, self.peer)
        } else {
            (self.peer, server)
        };
        Event::new(kind)
            .peer(self.peer)
            .message(MessageId::new(Carrier::Tcp, from, to, 1))
            .content(content)
    }
}
