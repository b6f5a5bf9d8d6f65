//! At most so many clients at once, for models whose accepting thread is not the one that serves.

use std::time::Duration;

use common::shutdown::Shutdown;
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

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

    /// A place, if one is free.
    pub fn try_take(&self) -> Option<Place> {
        self.tokens.try_send(()).ok()?;
        Some(Place(self.taken.clone()))
    }

    /// Waits for a place; after a request to stop for `grace` at most.
    pub fn take(&self, grace: Duration, shutdown: &Shutdown) -> Option<Place> {
        self.try_take().or_else(|| {
            select! {
                send(self.tokens, ()) -> _ => {}
                recv(shutdown.channel()) -> _ => {
                    let end = shutdown.since()? + grace;
                    self.tokens.send_deadline((), end).ok()?;
                }
            }
            Some(Place(self.taken.clone()))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Each place put one token in, so there is one to take out.
        let _ = self.0.try_recv();
    }
}
