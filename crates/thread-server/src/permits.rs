//! A limit of clients at once, for models in which another thread accepts than serves: a counting semaphore.

use std::time::Duration;

use common::shutdown::Shutdown;
use crossbeam::{
    channel::{Receiver, Sender, bounded},
    select,
};

/// A counting semaphore: each permit in use is a token in a bounded channel.
#[derive(Debug)]
pub struct Permits {
    acquire: Sender<()>,
    release: Receiver<()>,
}

/// A permit for one client; released when dropped.
#[derive(Debug)]
pub struct Permit(Receiver<()>);

impl Permits {
    /// This number of permits.
    pub fn new(number: usize) -> Self {
        let (acquire, release) = bounded(number);
        Self { acquire, release }
    }

    /// A permit, if one is free.
    pub fn try_acquire(&self) -> Option<Permit> {
        self.acquire.try_send(()).ok()?;
        Some(Permit(self.release.clone()))
    }

    /// Waits for a permit; after a request to stop for at most `grace`.
    pub fn acquire(&self, grace: Duration, shutdown: &Shutdown) -> Option<Permit> {
        self.try_acquire().or_else(|| {
            select! {
                send(self.acquire, ()) -> _ => {}
                recv(shutdown.channel()) -> _ => {
                    let end = shutdown.since()? + grace;
                    self.acquire.send_deadline((), end).ok()?;
                }
            }
            Some(Permit(self.release.clone()))
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        // Each permit put one token in, so there is one to take out.
        let _ = self.0.try_recv();
    }
}
