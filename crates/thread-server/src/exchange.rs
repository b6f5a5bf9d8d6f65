//! The heart of the handout's server: receive, print, reply, close. Every model serves its clients with this.
//!
//! It is written as a state machine that never waits: [`Exchange::step`] goes as far as it can and says what has to
//! happen before the next step. A thread that serves one client waits right there ([`Service::serve`]); the
//! event-driven server waits for all of its clients at once.

use std::{
    io::{self, Read, Write},
    net::{Shutdown as Direction, SocketAddr, TcpStream},
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::why,
    journal::Journal,
    message::{Carrier, MessageId},
    net::{self, Interest, LONGEST_MESSAGE, canonical, try_read},
    shutdown::Shutdown,
};
use nix::time::{ClockId, clock_gettime};

use crate::{config::Settings, tally::Outcome};

/// Where an exchange tells what happens: the journal, or the pipe to the process that has one.
pub trait Tell: Sync {
    /// Tells what happened on this thread.
    fn tell(&self, event: Event);
}

impl Tell for Journal {
    fn tell(&self, event: Event) {
        self.record(event);
    }
}

/// A client that was let in. The connection is closed when it is dropped.
#[derive(Debug)]
pub struct Client {
    /// Its number, from 1.
    pub number: u64,
    /// The connection.
    pub stream: TcpStream,
    /// Its address.
    pub peer: SocketAddr,
    /// When it was let in.
    pub accepted: Instant,
}

/// What is needed to serve clients.
#[derive(Clone, Copy)]
pub struct Service<'a> {
    /// The server's address.
    pub us: SocketAddr,
    /// What to answer, and how long everything may take.
    pub settings: &'a Settings,
    /// Where to tell what happens.
    pub journal: &'a dyn Tell,
    /// The request to stop.
    pub shutdown: &'a Shutdown,
}

impl std::fmt::Debug for Service<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Service")
            .field("us", &self.us)
            .finish_non_exhaustive()
    }
}

/// What an exchange waits for.
#[derive(Clone, Debug)]
pub enum Step {
    /// Until there is something to read, but no longer than this.
    Read(Instant),
    /// Until this moment.
    Sleep(Instant),
    /// Nothing: it is over. With the time from letting the client in to the first byte of its answer.
    Done(Outcome, Option<Duration>),
}

/// One exchange with one client.
#[derive(Clone, Debug)]
pub struct Exchange {
    stage: Stage,
    /// Whether a read waits [`net::BRIEFLY`]: a client's message mostly comes with its connection or right after it.
    patient: bool,
    first_byte: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// The client has until then to say something.
    Receiving(Instant),
    /// It was heard; the answer is worked on until then.
    Working(Instant, Length),
    /// It was answered, and sends more than anybody reads: so many bytes so far.
    ReadingAway(Instant, usize),
}

/// How long a message is, as far as it matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Length {
    /// It was read whole.
    Whole,
    /// As long as the longest that is read: there may be more.
    Longest,
}

impl Exchange {
    /// An exchange that begins.
    pub fn new(client: &Client, settings: &Settings) -> Self {
        Self {
            stage: Stage::Receiving(client.accepted + settings.timeout),
            patient: false,
            first_byte: None,
        }
    }

    /// Goes on as far as it can without waiting. To be called again when what the step waits for is there, its time
    /// is over, or a stop was requested.
    pub fn step(&mut self, client: &Client, service: &Service<'_>) -> Step {
        let outcome = match self.advance(client, service) {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(waiting)) => return waiting,
            Err(error) => Outcome::Failed(why(&error)),
        };
        Step::Done(outcome, self.first_byte)
    }

    fn read(&self, mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = if self.patient {
                stream.read(buffer)
            } else {
                try_read(stream, buffer)
            };
            match read {
                // A signal, on the thread that it happened to come to.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn advance(
        &mut self,
        client: &Client,
        service: &Service<'_>,
    ) -> io::Result<Result<Outcome, Step>> {
        let mut stream = &client.stream;
        let mut message = [0; LONGEST_MESSAGE];
        loop {
            match self.stage {
                Stage::Receiving(until) => match self.read(stream, &mut message) {
                    Ok(0) => return Ok(Ok(Outcome::Vanished)),
                    Ok(length) => {
                        service.tell_message(Kind::Receive, client, &message[..length])?;
                        service.spin();
                        self.stage = Stage::Working(
                            Instant::now() + service.settings.work,
                            if length < message.len() {
                                Length::Whole
                            } else {
                                Length::Longest
                            },
                        );
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        return Ok(match service.time_left(until) {
                            Some(until) => Err(Step::Read(until)),
                            None if service.overdue() => Ok(Outcome::Stopped),
                            None => Ok(Outcome::Silent),
                        });
                    }
                    Err(error) => return Err(error),
                },
                Stage::Working(until, length) => {
                    if !service.settings.work.is_zero()
                        && let Some(until) = service.time_left(until)
                    {
                        return Ok(Err(Step::Sleep(until)));
                    }
                    let reply = service.settings.reply.as_bytes();
                    self.first_byte = Some(client.accepted.elapsed());
                    let sent = service.message(Kind::Send, client, reply)?;
                    // Never waits: a new connection's send buffer has room for the longest reply.
                    stream.write_all(reply)?;
                    service.journal.tell(sent);
                    if length == Length::Whole {
                        return Ok(Ok(Outcome::Answered));
                    }
                    // Closing a connection with data unread resets it (RFC 1122 section 4.2.2.13), and the client
                    // could lose the answer that is on its way. Should this fail, the client is answered all the same.
                    let _ = stream.shutdown(Direction::Write);
                    self.stage = Stage::ReadingAway(Instant::now() + READ_AWAY_FOR, 0);
                }
                Stage::ReadingAway(until, length) if length < READ_AWAY => {
                    match self.read(stream, &mut message) {
                        Ok(more @ 1..) => self.stage = Stage::ReadingAway(until, length + more),
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            return Ok(service
                                .time_left(until)
                                .map_or(Ok(Outcome::Answered), |until| Err(Step::Read(until))));
                        }
                        _ => return Ok(Ok(Outcome::Answered)),
                    }
                }
                Stage::ReadingAway(..) => return Ok(Ok(Outcome::Answered)),
            }
        }
    }
}

/// How many bytes beyond the longest message are read away, and for how long.
const READ_AWAY: usize = 1 << 20;
const READ_AWAY_FOR: Duration = Duration::from_secs(1);

impl Service<'_> {
    /// Serves one client on this thread, waiting as long as it takes.
    pub fn serve(&self, client: &Client) -> (Outcome, Option<Duration>) {
        let mut exchange = Exchange::new(client, self.settings);
        exchange.patient = client.stream.set_read_timeout(Some(net::BRIEFLY)).is_ok();
        loop {
            // After a request to stop, the steps know of it.
            let stop = (!self.shutdown.requested()).then_some(self.shutdown);
            match exchange.step(client, self) {
                Step::Read(until) => {
                    if let Err(error) = net::wait(&client.stream, Interest::Read, Some(until), stop)
                    {
                        return (Outcome::Failed(why(&error)), None);
                    }
                }
                Step::Sleep(until) => {
                    let left = until.saturating_duration_since(Instant::now());
                    match stop {
                        Some(shutdown) => drop(shutdown.sleep(left)),
                        None => thread::sleep(left),
                    }
                }
                Step::Done(outcome, first_byte) => return (outcome, first_byte),
            }
        }
    }

    /// Tells how it ended with a client.
    pub fn tell_end(&self, peer: SocketAddr, outcome: &Outcome) {
        if let Some(trouble) = outcome.trouble(self.settings) {
            let text = format!("{peer}: {trouble}");
            self.journal
                .tell(Event::error(Level::Warn, text).peer(peer));
        }
        self.journal.tell(Event::new(Kind::Close).peer(peer));
    }

    /// Whether the grace time after a request to stop is over.
    fn overdue(&self) -> bool {
        self.shutdown.overdue(self.settings.grace)
    }

    /// Until when there is still time: `until`, or the end of the grace time. None when there is none left.
    fn time_left(&self, until: Instant) -> Option<Instant> {
        let end = self
            .shutdown
            .since()
            .map(|since| since + self.settings.grace);
        let until = end.map_or(until, |end| until.min(end));
        (Instant::now() < until).then_some(until)
    }

    /// Burns as much of the processor as the settings say; a thread that waits for its turn burns nothing.
    fn spin(&self) {
        let burnt = || {
            clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::MAX, Duration::from)
        };
        if self.settings.spin.is_zero() {
            return;
        }
        let end = burnt() + self.settings.spin;
        while burnt() < end && !self.overdue() {
            for _ in 0..100 {
                std::hint::spin_loop();
            }
        }
    }

    fn tell_message(&self, kind: Kind, client: &Client, content: &[u8]) -> io::Result<()> {
        self.journal.tell(self.message(kind, client, content)?);
        Ok(())
    }

    /// The event of the first message from the client, or the first to it.
    fn message(&self, kind: Kind, client: &Client, content: &[u8]) -> io::Result<Event> {
        let us = if self.us.ip().is_unspecified() {
            canonical(client.stream.local_addr()?)
        } else {
            self.us
        };
        let (from, to) = if kind == Kind::Send {
            (us, client.peer)
        } else {
            (client.peer, us)
        };
        Ok(Event::new(kind)
            .peer(client.peer)
            .message(MessageId::new(Carrier::Tcp, from, to, 1))
            .content(content))
    }
}
