//! A bounded channel into a thread that writes, and how long it may make no progress.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    shutdown::Shutdown,
    threads::{
        channel::{self, Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError},
        thread::{self, JoinHandle},
    },
};

/// How long an output may take nothing, once a stop was requested, before it is given up.
pub const STALL: Duration = if cfg!(test) {
    Duration::from_millis(200)
} else {
    Duration::from_secs(5)
};

/// How often a waiting thread checks that the writing thread makes progress.
const TICK: Duration = Duration::from_millis(50);

/// When a writing thread last got on: it took something to write, or had written it.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    begun: Instant,
    /// Milliseconds from `begun`.
    last: Arc<AtomicU64>,
}

impl Progress {
    pub(super) fn made(&self) {
        self.last
            .store(self.since_begun(Instant::now()), Ordering::Relaxed);
    }

    fn since_begun(&self, moment: Instant) -> u64 {
        moment
            .saturating_duration_since(self.begun)
            .as_millis()
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// Whether a stop was requested and the thread has not got on since, or for long.
    fn stalled(&self, shutdown: &Shutdown) -> bool {
        shutdown.since().is_some_and(|since| {
            let last = self
                .last
                .load(Ordering::Relaxed)
                .max(self.since_begun(since));
            self.since_begun(Instant::now()).saturating_sub(last) >= STALL.as_millis() as u64
        })
    }
}

/// Where the others put what the thread is to write.
#[derive(Debug)]
pub(super) struct BoundedSender<T> {
    queue: Sender<T>,
    progress: Progress,
    shutdown: Shutdown,
}

impl<T> Clone for BoundedSender<T> {
    fn clone(&self) -> Self {
        Self {
            queue: self.queue.clone(),
            progress: self.progress.clone(),
            shutdown: self.shutdown.clone(),
        }
    }
}

impl<T> BoundedSender<T> {
    /// Puts something in, and waits for room if there is none, calling `waiting` now and then. False when it was
    /// given up. (A thread that panicked takes nothing more; its panic is brought up when it is waited for.)
    pub(super) fn put(&self, item: T, waiting: impl Fn()) -> bool {
        let Err(TrySendError::Full(mut item)) = self.queue.try_send(item) else {
            return true;
        };
        loop {
            match self.queue.send_timeout(item, TICK) {
                Ok(()) | Err(SendTimeoutError::Disconnected(_)) => return true,
                Err(SendTimeoutError::Timeout(back)) => item = back,
            }
            waiting();
            if self.progress.stalled(&self.shutdown) {
                return false;
            }
        }
    }

    /// Puts something in if there is room: what is written anyway needs no waking.
    #[cfg_attr(shuttle, allow(dead_code))]
    pub(super) fn wake(&self, item: T) {
        let _ = self.queue.try_send(item);
    }

    /// The request to stop, after which what stands still is given up.
    #[cfg(feature = "net")]
    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// How much waits to be written.
    pub(super) fn waiting(&self) -> u64 {
        self.queue.len() as u64
    }
}

/// The end of a writing thread, waited for once.
#[derive(Debug)]
pub(super) struct WriterHandle<R> {
    /// Disconnects when the thread has ended.
    ended: Receiver<()>,
    thread: JoinHandle<R>,
    progress: Progress,
    shutdown: Shutdown,
}

impl<R> WriterHandle<R> {
    /// Waits for the thread, which was asked to end, calling `waiting` now and then. None when it was given up.
    pub(super) fn wait(self, waiting: impl Fn()) -> Option<R> {
        while self.ended.recv_timeout(TICK) != Err(RecvTimeoutError::Disconnected) {
            waiting();
            if self.progress.stalled(&self.shutdown) {
                return None;
            }
        }
        Some(
            self.thread
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
    }
}

/// Starts a thread that writes what comes in.
pub(super) fn thread<T: Send + 'static, R: Send + 'static>(
    name: &str,
    room: usize,
    shutdown: Shutdown,
    body: impl FnOnce(Receiver<T>, Progress) -> R + Send + 'static,
) -> io::Result<(BoundedSender<T>, WriterHandle<R>)> {
    let (queue, items) = channel::bounded(room);
    let (ending, ended) = channel::bounded(0);
    let progress = Progress {
        begun: Instant::now(),
        last: Arc::default(),
    };
    let theirs = progress.clone();
    let thread = thread::Builder::new().name(name.into()).spawn(move || {
        let _ending = ending;
        body(items, theirs)
    })?;
    let queue = BoundedSender {
        queue,
        progress: progress.clone(),
        shutdown: shutdown.clone(),
    };
    Ok((
        queue,
        WriterHandle {
            ended,
            thread,
            progress,
            shutdown,
        },
    ))
}
