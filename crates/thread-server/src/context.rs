//! What every part of the server works with: one context, shared by the acceptor, the models and the exchanges.

use std::{
    fmt,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::Failure,
    shutdown::Shutdown,
};

use crate::{config::Settings, outcome::Outcome};

/// Where events and outcomes go: to the journal and the tally, or from a child process over a pipe to its parent.
pub trait Recorder: fmt::Debug + Sync {
    /// Records an event of this thread.
    fn record(&self, event: Event);

    /// Announces that the server is ready at this address; the port was left to the system, or not. A child is never ready.
    ///
    /// # Errors
    /// `--ready-file FILE: why` (exit code 2).
    fn ready(
        &self,
        event: Event,
        _address: SocketAddr,
        _port_was_free: bool,
    ) -> Result<(), Failure> {
        self.record(event);
        Ok(())
    }

    /// Records an event of a child process, which has this name. A child has no children.
    fn record_of(&self, _name: &Arc<str>, event: Event) {
        self.record(event);
    }

    /// Counts how an exchange ended, with the time from the accept to the first byte of the reply.
    fn count(&self, outcome: &Outcome, first_byte: Option<Duration>);
}

/// What every part of the server works with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The address on which the server listens.
    pub address: SocketAddr,
    /// The server's settings.
    pub settings: &'a Settings,
    /// Where events and outcomes go.
    pub recorder: &'a dyn Recorder,
    /// The request to stop.
    pub shutdown: &'a Shutdown,
}

impl Context<'_> {
    /// Whether the grace time after a request to stop is over.
    pub fn overdue(&self) -> bool {
        self.shutdown.overdue(self.settings.grace)
    }

    /// The end of the grace time, once a stop was requested.
    pub fn grace_end(&self) -> Option<Instant> {
        self.shutdown
            .since()
            .map(|since| since + self.settings.grace)
    }

    /// `until`, or the end of the grace time if that is sooner; None when that moment has passed.
    pub fn remaining(&self, until: Instant) -> Option<Instant> {
        let until = self.grace_end().map_or(until, |end| until.min(end));
        (Instant::now() < until).then_some(until)
    }

    /// Records and counts the end of an exchange. To be called before the connection closes, so that a client that
    /// sees it closed finds both done.
    pub fn record_end(&self, peer: SocketAddr, outcome: &Outcome, first_byte: Option<Duration>) {
        self.record_close(peer, outcome);
        self.recorder.count(outcome, first_byte);
    }

    /// Records the end of a connection, after a warning if the client was not answered.
    pub fn record_close(&self, peer: SocketAddr, outcome: &Outcome) {
        if let Err(unanswered) = outcome {
            let text = format!("{peer}: {}", unanswered.warning(self.settings));
            self.recorder
                .record(Event::error(Level::Warn, text).peer(peer));
        }
        self.recorder.record(Event::new(Kind::Close).peer(peer));
    }
}
