//! Readiness notification, for the models that do everything on one thread.

use std::{
    io,
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    sys::readiness::{self, Watch},
};

use crate::{
    acceptor::{Acceptor, TryAccept},
    client::Client,
};

/// No client has this number.
const LISTENER: usize = 0;
const STOP: usize = usize::MAX;

/// How many events are reported at a time.
const MOST: usize = 1024;

/// The readiness of the listener, of the request to stop, and of everything else for which one thread waits.
#[derive(Debug)]
pub struct Readiness<'a> {
    acceptor: &'a Acceptor<'a>,
    system: readiness::Readiness,
    /// The watch of the listener, until it is closed.
    listener: Option<Watch>,
    _stop: Watch,
    /// Whether the listener may be ready: the kernel notifies once.
    listener_ready: bool,
    /// No attempt to accept before this moment, after a shortage.
    retry_at: Option<Instant>,
    /// Whether no client will be accepted any more.
    pub closed: bool,
}

impl<'a> Readiness<'a> {
    /// Readiness of the acceptor's listener and of the request to stop.
    ///
    /// # Errors
    /// When the system has no descriptors left (exit code 2).
    pub fn new(acceptor: &'a Acceptor<'a>) -> Result<Self, Failure> {
        let system = readiness::Readiness::new(MOST).map_err(cannot_wait)?;
        let listener = acceptor.watch(&system, LISTENER).map_err(cannot_wait)?;
        let stop = acceptor.context.shutdown.wake_up().socket();
        let stop = system.watch(stop, STOP).map_err(cannot_wait)?;
        Ok(Self {
            acceptor,
            system,
            listener: Some(listener),
            _stop: stop,
            listener_ready: true,
            retry_at: None,
            closed: false,
        })
    }

    /// What the system waits with, to have it watch what is reported by another number.
    pub fn system(&self) -> &readiness::Readiness {
        &self.system
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
        let accepted = self.acceptor.try_accept()?;
        if self.acceptor.is_closed() {
            self.listener = None;
        }
        match accepted {
            TryAccept::Client(client) => return Ok(Some(client)),
            TryAccept::Empty => {
                self.listener_ready = false;
                if let Some(listener) = &mut self.listener {
                    self.system.watch_again(listener).map_err(cannot_wait)?;
                }
            }
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
        let ready: Vec<_> = self.system.wait(timeout).map_err(cannot_wait)?.collect();
        // After a request to stop, the next attempt to accept drains the backlog.
        self.listener_ready |= ready.contains(&LISTENER) || ready.contains(&STOP);
        Ok(ready.into_iter().map(|number| number as u64))
    }
}

fn cannot_wait(error: io::Error) -> Failure {
    Failure::could_not_run("wait for clients", why(&error))
}
