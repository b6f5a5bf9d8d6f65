//! Letting clients in: at most so many at once, and no error of accept(2) that would pass ends the server.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Level},
    exit::{Failure, why},
    journal::Journal,
    net,
    shutdown::Shutdown,
};
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

use crate::config::Settings;

/// The first pause after an accept error, in which clients may end and free what was missing; it doubles up to
/// [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How often accept errors are told: under a shortage every other client may meet one.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// A counting semaphore: a place is a token in a bounded channel.
#[derive(Debug)]
pub struct Places {
    tokens: Sender<()>,
    taken: Receiver<()>,
}

/// One client's place; free again when dropped.
#[derive(Debug)]
pub struct Place(Receiver<()>);

impl Places {
    /// So many places.
    pub fn new(number: usize) -> Self {
        let (tokens, taken) = bounded(number);
        Self { tokens, taken }
    }

    /// Waits for a place; after a request to stop for `grace` at most.
    fn take(&self, grace: Duration, shutdown: &Shutdown) -> Option<Place> {
        if self.tokens.try_send(()).is_err() {
            select! {
                send(self.tokens, ()) -> _ => {}
                recv(shutdown.channel()) -> _ => {
                    let end = shutdown.since()? + grace;
                    self.tokens.send_deadline((), end).ok()?;
                }
            }
        }
        Some(Place(self.taken.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Each place put one token in, so there is one to take out.
        let _ = self.0.try_recv();
    }
}

/// Where clients come in. Dropping it closes the listening socket.
#[derive(Debug)]
pub struct Entrance<'a> {
    listener: TcpListener,
    places: &'a Places,
    settings: &'a Settings,
    journal: &'a Journal,
    shutdown: &'a Shutdown,
    /// The pause after the last accept error; None while all is well.
    pause: Option<Duration>,
    /// When an accept error was last told.
    told: Option<Instant>,
    /// How many clients came in after the request to stop.
    late: i32,
}

impl<'a> Entrance<'a> {
    /// An entrance at this listener.
    pub fn new(
        listener: TcpListener,
        places: &'a Places,
        settings: &'a Settings,
        journal: &'a Journal,
        shutdown: &'a Shutdown,
    ) -> Self {
        Self {
            listener,
            places,
            settings,
            journal,
            shutdown,
            pause: None,
            told: None,
            late: 0,
        }
    }

    /// The next client, with its place. None once a stop was requested and those who stood in the backlog then
    /// (it holds no more than its length) have come in, or the grace time is over.
    ///
    /// # Errors
    /// When the listener itself is of no use any more.
    pub fn admit(&mut self) -> Result<Option<(TcpStream, SocketAddr, Place)>, Failure> {
        loop {
            // The kernel holds one more than the backlog's length.
            if self.late > self.settings.backlog || self.shutdown.overdue(self.settings.grace) {
                return Ok(None);
            }
            let Some(place) = self.places.take(self.settings.grace, self.shutdown) else {
                return Ok(None);
            };
            match net::accept(&self.listener, self.shutdown) {
                Ok(accepted) => {
                    self.pause = None;
                    self.late += i32::from(self.shutdown.requested());
                    return Ok(accepted.map(|(stream, peer)| (stream, peer, place)));
                }
                // The client was gone before it came in.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                    return Err(Failure::could_not_run("accept", why(&error)));
                }
                Err(error) => self.back_off("accept", &error),
            }
        }
    }

    /// Something that a client needs is short: it is tried again after a pause, in which other clients may end.
    /// Those who are not in yet stay in the backlog.
    pub fn back_off(&mut self, what: &str, error: &io::Error) {
        if self.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            let text = format!("{what}: {}; newcomers wait in the backlog", why(error));
            self.journal.record(Event::error(Level::Warn, text));
            self.told = Some(Instant::now());
        }
        let pause = self
            .pause
            .map_or(PAUSE, |pause| (2 * pause).min(LONGEST_PAUSE));
        self.pause = Some(pause);
        let begun = Instant::now();
        if self.shutdown.sleep(pause) {
            // The clients in hand have to end before another one can come in, stop or no stop.
            thread::sleep(
                pause
                    .min(self.settings.grace)
                    .saturating_sub(begun.elapsed()),
            );
        }
    }
}
