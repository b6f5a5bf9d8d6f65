//! The kernel's word on what is ready (epoll, by mio), for the models that do everything on one thread.

use std::{
    io,
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

use common::exit::{Failure, why};
use mio::{Events, Interest, Poll, Token, event::Source, unix::SourceFd};

use crate::{entrance::Knock, exchange::Client, server::Server};

/// No client has this number.
const ENTRANCE: Token = Token(0);
const STOP: Token = Token(usize::MAX);

/// The entrance, the request to stop, and whatever else one thread waits for.
pub(super) struct Watch<'a> {
    server: &'a Server<'a>,
    poll: Poll,
    events: Events,
    /// Whether somebody may stand at the entrance: the kernel tells of newcomers once.
    newcomers: bool,
    /// No look at the entrance before this moment, after something was short.
    pause: Option<Instant>,
    /// Whether nobody will come any more.
    pub(super) closed: bool,
}

impl<'a> Watch<'a> {
    pub(super) fn new(server: &'a Server<'a>) -> Result<Self, Failure> {
        let watch = || {
            let poll = Poll::new()?;
            for (file, token) in [
                (server.entrance.as_fd(), ENTRANCE),
                (server.shutdown.as_fd(), STOP),
            ] {
                let mut source = SourceFd(&file.as_raw_fd());
                poll.registry()
                    .register(&mut source, token, Interest::READABLE)?;
            }
            Ok(poll)
        };
        Ok(Self {
            server,
            poll: watch().map_err(cannot)?,
            events: Events::with_capacity(1024),
            newcomers: true,
            pause: None,
            closed: false,
        })
    }

    /// Watches this too; what is ready is told by `number`, once each time it becomes so.
    pub(super) fn add(&self, source: &mut impl Source, number: u64) -> io::Result<()> {
        let token = Token(usize::try_from(number).unwrap_or(usize::MAX));
        self.poll
            .registry()
            .register(source, token, Interest::READABLE)
    }

    /// The next client, if one is there now and it is not too soon to look.
    pub(super) fn admit(&mut self) -> Result<Option<Client>, Failure> {
        if self.closed || !self.newcomers || self.pause.is_some_and(|until| Instant::now() < until)
        {
            return Ok(None);
        }
        self.pause = None;
        match self.server.entrance.knock()? {
            Knock::Client(client) => return Ok(Some(client)),
            Knock::Nobody => self.newcomers = false,
            Knock::Later(pause) => self.pause = Some(Instant::now() + pause),
            Knock::Closed => self.closed = true,
        }
        Ok(None)
    }

    /// Something that a client needs is short (`what`): nobody is let in for a while.
    pub(super) fn pause(&mut self, what: &str, error: &io::Error) {
        self.pause = Some(Instant::now() + self.server.entrance.pause(what, error));
    }

    /// Waits until something is ready, until the moment `until`, or until it is time to look at the entrance again;
    /// the numbers of what is ready. Where `more` may stand at the entrance already, it only looks.
    pub(super) fn wait(
        &mut self,
        until: Option<Instant>,
        more: bool,
    ) -> Result<impl Iterator<Item = u64> + use<>, Failure> {
        let next = until.into_iter().chain(self.pause).min();
        let left = if more {
            Some(Duration::ZERO)
        } else {
            next.map(|next| next.saturating_duration_since(Instant::now()))
        };
        match self.poll.poll(&mut self.events, left) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(cannot(error)),
            _ => {}
        }
        let ready: Vec<_> = self
            .events
            .iter()
            .map(|event| event.token().0 as u64)
            .collect();
        // A stop changes what a look at the entrance shows.
        let tells = |token: Token| ready.contains(&(token.0 as u64));
        self.newcomers |= tells(ENTRANCE) || tells(STOP);
        Ok(ready.into_iter())
    }
}

fn cannot(error: io::Error) -> Failure {
    Failure::could_not_run("wait for clients", why(&error))
}
