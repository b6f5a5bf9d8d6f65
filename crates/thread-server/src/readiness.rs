//! Readiness notification (epoll, by mio), for the models that do everything on one thread.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

use common::exit::{Failure, why};
use mio::{Events, Interest, Poll, Token, event::Source, unix::SourceFd};

use crate::{
    acceptor::{Acceptor, TryAccept},
    client::Client,
};

/// No client has this number.
const LISTENER: Token = Token(0);
const STOP: Token = Token(usize::MAX);

/// The readiness of the listener, of the request to stop, and of everything else for which one thread waits.
pub struct Readiness<'a> {
    acceptor: &'a Acceptor<'a>,
    poll: Poll,
    events: Events,
    /// Whether the listener may be ready: the kernel notifies once.
    listener_ready: bool,
    /// No attempt to accept before this moment, after a shortage.
    retry_at: Option<Instant>,
    /// Whether no client will be accepted any more.
    pub closed: bool,
}

impl std::fmt::Debug for Readiness<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readiness")
            .field("closed", &self.closed)
            .finish_non_exhaustive()
    }
}

impl<'a> Readiness<'a> {
    /// Readiness of the acceptor's listener and of the request to stop.
    ///
    /// # Errors
    /// When the system has no descriptors left (exit code 2).
    pub fn new(acceptor: &'a Acceptor<'a>) -> Result<Self, Failure> {
        let register = || {
            let poll = Poll::new()?;
            for (file, token) in [
                (acceptor.as_fd(), LISTENER),
                (acceptor.context.shutdown.wake_up().socket().as_fd(), STOP),
            ] {
                let mut source = SourceFd(&file.as_raw_fd());
                poll.registry()
                    .register(&mut source, token, Interest::READABLE)?;
            }
            Ok(poll)
        };
        Ok(Self {
            acceptor,
            poll: register().map_err(cannot_wait)?,
            events: Events::with_capacity(1024),
            listener_ready: true,
            retry_at: None,
            closed: false,
        })
    }

    /// Waits for this source too; it is reported by `number`, once each time it becomes ready.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn add(&self, source: &mut impl Source, number: u64) -> io::Result<()> {
        let token = Token(usize::try_from(number).unwrap_or(usize::MAX));
        self.poll
            .registry()
            .register(source, token, Interest::READABLE)
    }

    /// Accepts a client if one is waiting and it is not too soon for an attempt.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub fn accept(&mut self) -> Result<Option<Client<'a>>, Failure> {
        let too_soon = |until: Instant| Instant::now() < until;
        if self.closed || !self.listener_ready || self.retry_at.is_some_and(too_soon) {
            return Ok(None);
        }
        self.retry_at = None;
        match self.acceptor.try_accept()? {
            TryAccept::Client(client) => return Ok(Some(client)),
            TryAccept::Empty => self.listener_ready = false,
            TryAccept::RetryAfter(pause) => self.retry_at = Some(Instant::now() + pause),
            TryAccept::Closed => self.closed = true,
        }
        Ok(None)
    }

    /// Accepts no client for a while, after `operation` failed because a resource is short.
    pub fn back_off(&mut self, operation: &str, error: &io::Error) {
        let pause = self.acceptor.next_pause(operation, error);
        self.retry_at = Some(Instant::now() + pause);
    }

    /// Waits until something is ready, until the moment `until`, or until the next attempt to accept is due; the
    /// numbers of what is ready. With `more` to accept already, it does not wait.
    ///
    /// # Errors
    /// When the system cannot poll.
    pub fn wait(
        &mut self,
        until: Option<Instant>,
        more: bool,
    ) -> Result<impl Iterator<Item = u64> + use<>, Failure> {
        let next = until.into_iter().chain(self.retry_at).min();
        let timeout = if more {
            Some(Duration::ZERO)
        } else {
            next.map(|next| next.saturating_duration_since(Instant::now()))
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                return Err(cannot_wait(error));
            }
            _ => {}
        }
        let ready: Vec<_> = self
            .events
            .iter()
            .map(|event| event.token().0 as u64)
            .collect();
        // After a request to stop, the next attempt to accept drains the backlog.
        let is_ready = |token: Token| ready.contains(&(token.0 as u64));
        self.listener_ready |= is_ready(LISTENER) || is_ready(STOP);
        Ok(ready.into_iter())
    }
}

fn cannot_wait(error: io::Error) -> Failure {
    Failure::could_not_run("wait for clients", why(&error))
}
