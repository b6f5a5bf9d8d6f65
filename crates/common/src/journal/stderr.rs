//! The thread `stderr`: writes standard error, for which nobody waits.
//!
//! Lines wait in a bounded queue. While standard error takes what is written, a full queue holds back the writer as any
//! other; once it takes nothing, further lines are dropped and counted, and the count stands where they would have stood.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::sink::write_all;
use crate::{
    text::grouped,
    threads::{
        channel::{self, Receiver, RecvTimeoutError, SendTimeoutError, Sender, TrySendError},
        thread::{self, JoinHandle},
    },
};

/// How many lines may wait.
const QUEUE: usize = if cfg!(shuttle) { 1 } else { 1024 };

/// How many bytes are written at once.
const BATCH: usize = 64 * 1024;

/// How long a write may take before standard error counts as not read.
const PATIENCE: Duration = Duration::from_millis(100);

/// How long the end of the program waits for a standard error that takes nothing.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// How often a waiting thread checks that standard error takes something.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Since when the thread waits for standard error, in milliseconds from `begun`; [`IDLE`] when it does not.
    since: AtomicU64,
    /// Lines that were dropped since the last that was written.
    dropped: AtomicU64,
    /// How often lines were handed over, and are not written yet.
    pending: AtomicU64,
}

const IDLE: u64 = u64::MAX;

impl State {
    fn now(&self) -> u64 {
        self.begun.elapsed().as_millis().try_into().unwrap_or(IDLE)
    }

    /// Standard error took something, and is to take more, or not.
    fn took(&self, more: bool) {
        let since = if more { self.now() } else { IDLE };
        self.since.store(since, Ordering::Relaxed);
    }

    fn waits_for(&self, time: Duration) -> bool {
        let since = self.since.load(Ordering::Relaxed);
        since != IDLE && self.now().saturating_sub(since) >= time.as_millis() as u64
    }
}

/// Where lines for standard error go.
#[derive(Clone, Debug)]
pub(super) struct ErrorSender {
    lines: Sender<Vec<u8>>,
    state: Arc<State>,
}

impl ErrorSender {
    /// Hands over lines, or drops and counts them when standard error is not read. `waiting` is called now and then.
    pub(super) fn put(&self, lines: Vec<u8>, waiting: impl Fn()) {
        self.state.pending.fetch_add(1, Ordering::Relaxed);
        let Err(TrySendError::Full(mut lines)) = self.lines.try_send(lines) else {
            return;
        };
        loop {
            if self.state.waits_for(PATIENCE) {
                self.state.pending.fetch_sub(1, Ordering::Relaxed);
                let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
                self.state.dropped.fetch_add(count, Ordering::Relaxed);
                return;
            }
            waiting();
            match self.lines.send_timeout(lines, TICK) {
                Ok(()) | Err(SendTimeoutError::Disconnected(_)) => return,
                Err(SendTimeoutError::Timeout(back)) => lines = back,
            }
        }
    }
}

/// The end of the thread.
#[derive(Debug)]
pub(super) struct ErrorEnding {
    /// Disconnects when the thread has ended.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
    state: Arc<State>,
}

impl ErrorEnding {
    /// Waits until all is written and the thread has ended, or standard error has taken nothing for [`LAST_WAIT`]. A
    /// thread that was given up (`sender_is_left`) may still have a sender: then until all is written.
    pub(super) fn wait(self, sender_is_left: bool) {
        while self.ended.recv_timeout(TICK) != Err(RecvTimeoutError::Disconnected) {
            let is_done = sender_is_left && self.state.pending.load(Ordering::Relaxed) == 0;
            if is_done || self.state.waits_for(LAST_WAIT) {
                return;
            }
        }
        if let Err(panic) = self.thread.join() {
            std::panic::resume_unwind(panic);
        }
    }
}

/// Starts the thread.
pub(super) fn start(
    mut err: Box<dyn Write + Send>,
    program: &'static str,
) -> io::Result<(ErrorSender, ErrorEnding)> {
    let (sender, lines) = channel::bounded(QUEUE);
    let (ending, ended) = channel::bounded::<()>(0);
    let state = Arc::new(State {
        begun: Instant::now(),
        since: AtomicU64::new(IDLE),
        dropped: AtomicU64::new(0),
        pending: AtomicU64::new(0),
    });
    let theirs = Arc::clone(&state);
    let thread = thread::Builder::new()
        .name("stderr".into())
        .spawn(move || {
            let _ending = ending;
            run(&mut err, &lines, program, &theirs);
        })?;
    let sender = ErrorSender {
        lines: sender,
        state: Arc::clone(&state),
    };
    Ok((
        sender,
        ErrorEnding {
            ended,
            thread,
            state,
        },
    ))
}

fn run(err: &mut Box<dyn Write + Send>, lines: &Receiver<Vec<u8>>, program: &str, state: &State) {
    // Should standard error be closed, no output is left.
    let mut write = |bytes: &[u8]| {
        state.took(true);
        let _ = write_all(err, bytes, || state.took(true));
        state.took(false);
    };
    let report_dropped = |write: &mut dyn FnMut(&[u8])| {
        let dropped = state.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            let more = grouped(dropped);
            let note = format!(
                "{program}: … and {more} more lines, dropped while standard error was not read\n"
            );
            write(note.as_bytes());
        }
    };
    while let Ok(mut batch) = lines.recv() {
        let (mut more, mut taken) = (true, 1);
        while more && batch.len() < BATCH {
            more = lines.try_recv().is_ok_and(|next| {
                batch.extend(next);
                taken += 1;
                true
            });
        }
        write(&batch);
        let left = state.pending.fetch_sub(taken, Ordering::Relaxed) - taken;
        // What was dropped came after all that waited.
        if left == 0 {
            report_dropped(&mut write);
        }
    }
    report_dropped(&mut write);
}
