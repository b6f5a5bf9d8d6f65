//! Accepting clients: an error of accept(2) that may pass does not end the server, and after a request to stop the
//! connections in the listen backlog are still accepted.

use std::{
    collections::VecDeque,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use common::{
    capacity,
    event::{Event, Kind, Level},
    exit::{Failure, why},
    net::{AcceptWait, BRIEFLY, Interest, Woken, canonical, drop_requests, wait},
    sys::{
        listener::Listener,
        readiness::{Readiness, Watch},
        wake_up::WakeUp,
    },
};

use crossbeam::channel::{Receiver, Sender, bounded};

use crate::{client::Client, context::Context, exchange::Exchange, tally::Tally};

/// The first pause after an accept error, in which clients may end and free what was short; it doubles up to
/// [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How often accept errors are logged: during a shortage every second client may meet one.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The listening socket. Any number of threads may accept from it.
#[derive(Debug)]
pub struct Acceptor<'a> {
    /// What the server works with.
    pub context: &'a Context<'a>,
    /// The counts of the run.
    pub tally: &'a Tally,
    listener: Listener,
    /// How many clients were accepted.
    clients: AtomicU64,
    /// Whether the kernel drops the requests for new connections.
    dropping: AtomicBool,
    closed: AtomicBool,
    backoff: Mutex<AcceptBackoff>,
    drained: Mutex<DrainedBacklog>,
}

/// The connections that were in the listen backlog when the stop was requested.
#[derive(Debug, Default)]
struct DrainedBacklog {
    /// Those that wait to be accepted.
    waiting: VecDeque<(TcpStream, SocketAddr)>,
    /// How many there were so far.
    total: usize,
}

#[derive(Debug, Default)]
struct AcceptBackoff {
    /// The pause after the last accept error; None after a success.
    pause: Option<Duration>,
    /// When an accept error was last logged.
    logged: Option<Instant>,
}

/// The result of an attempt to accept a client.
#[derive(Debug)]
pub enum TryAccept<'a> {
    /// A client.
    Client(Client<'a>),
    /// No client is waiting.
    Empty,
    /// A resource that a client needs is short; try again after this time.
    RetryAfter(Duration),
    /// No client will be accepted any more.
    Closed,
}

impl<'a> Acceptor<'a> {
    /// An acceptor at this listener, which does not block.
    pub fn new(listener: TcpListener, context: &'a Context<'a>, tally: &'a Tally) -> Self {
        Self {
            context,
            tally,
            listener: Listener::new(listener),
            clients: AtomicU64::new(0),
            dropping: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            backoff: Mutex::default(),
            drained: Mutex::default(),
        }
    }

    /// Announces that the server is ready: the model has all that it needs to serve.
    ///
    /// # Errors
    /// When the announcement cannot be written (exit code 2).
    pub fn ready(&self) -> Result<(), Failure> {
        let Context {
            address,
            settings,
            recorder,
            ..
        } = *self.context;
        let ready = Event::new(Kind::Ready).text(address.to_string());
        recorder.ready(ready, address, settings.listen.port() == 0)
    }

    /// Accepts a client if one is waiting. After a request to stop, it accepts the connections that were in the backlog
    /// then; the listener closes behind them, or when the grace time is over.
    ///
    /// # Errors
    /// When the listener fails for good.
    pub fn try_accept(&self) -> Result<TryAccept<'a>, Failure> {
        if self.context.overdue() {
            self.close();
            return Ok(TryAccept::Closed);
        }
        let accepted = if self.context.shutdown.requested() {
            self.accept_drained()
        } else {
            self.listener.accept()
        };
        match accepted {
            Ok((stream, peer)) => {
                lock(&self.backoff).pause = None;
                let number = 1 + self.clients.fetch_add(1, Relaxed);
                let peer = canonical(peer);
                self.tally.accepted();
                self.context
                    .recorder
                    .record(Event::new(Kind::Accept).peer(peer));
                let exchange = Exchange::new(self.context, stream, peer, Instant::now());
                Ok(TryAccept::Client(Client::new(number, exchange)))
            }
            Err(error) => match error.kind() {
                _ if self.closed.load(Relaxed) => Ok(TryAccept::Closed),
                io::ErrorKind::WouldBlock => Ok(TryAccept::Empty),
                // The client closed before it was accepted, or a signal was delivered.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => self.try_accept(),
                io::ErrorKind::InvalidInput => Err(Failure::could_not_run("accept", why(&error))),
                _ => Ok(TryAccept::RetryAfter(self.next_pause("accept", &error))),
            },
        }
    }

    /// The next of the connections that were in the backlog when the stop was requested. The backlog is drained at once,
    /// so that the address becomes free; when descriptors run short, the rest stays in it and follows after other
    /// clients have ended, and no request for a new connection is taken meanwhile.
    fn accept_drained(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut drained = lock(&self.drained);
        if drained.waiting.is_empty() && !self.closed.load(Relaxed) {
            self.take_no_more();
            self.listener.never_block()?;
            // Those that serving a client takes are not for further clients.
            let spare = self.context.settings.model.descriptors();
            let mut left = capacity::descriptors().number;
            let backlog = usize::try_from(self.context.settings.backlog).unwrap_or(usize::MAX);
            let shortage = loop {
                // The kernel holds one more than the backlog's length.
                if drained.total > backlog {
                    break None;
                }
                if left <= spare && !drained.waiting.is_empty() {
                    return Ok(drained.waiting.pop_front().expect("one at least"));
                }
                match self.listener.accept() {
                    Ok(connection) => {
                        drained.total += 1;
                        left = left.saturating_sub(1);
                        drained.waiting.push_back(connection);
                    }
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock => break None,
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                        _ => break Some(error),
                    },
                }
            };
            match shortage {
                None => self.close(),
                Some(error) if drained.waiting.is_empty() => return Err(error),
                Some(_) => {}
            }
        }
        drained
            .waiting
            .pop_front()
            .ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Makes [`Self::try_accept`] wait for up to [`BRIEFLY`]: when clients arrive one after another that is one system
    /// call for each, where to try, to wait and to try again are three. For threads that do nothing else.
    pub fn block_briefly(&self) {
        self.listener.block_briefly(BRIEFLY);
    }

    /// Accepts a client if one is waiting; never waits.
    ///
    /// # Errors
    /// As [`Self::try_accept`].
    pub fn accept_waiting(&self) -> Result<Option<Client<'a>>, Failure> {
        let now = Some(Instant::now());
        let waiting = |listener: &_| wait(listener, Interest::Read, now, None);
        match self.listener.with(waiting) {
            Ok(Woken::Ready) => {}
            _ => return Ok(None),
        }
        match self.try_accept()? {
            TryAccept::Client(client) => Ok(Some(client)),
            _ => Ok(None),
        }
    }

    /// Waits for the next client and accepts it. None when no client will be accepted any more.
    ///
    /// # Errors
    /// As [`Self::try_accept`].
    pub fn accept(&self) -> Result<Option<Client<'a>>, Failure> {
        let shutdown = Some(self.context.shutdown);
        self.accept_after(&|listener| wait(listener, Interest::Read, None, shutdown).map(drop))
    }

    /// The same for one of several threads that wait: a client wakes only one of them.
    ///
    /// # Errors
    /// As [`Self::try_accept`].
    pub fn accept_exclusively(&self, waits: &WaitPool) -> Result<Option<Client<'a>>, Failure> {
        let stop = self.context.shutdown.wake_up();
        self.accept_after(&|listener| waits.wait(listener, stop))
    }

    fn accept_after(
        &self,
        wait: &dyn Fn(&TcpListener) -> io::Result<()>,
    ) -> Result<Option<Client<'a>>, Failure> {
        loop {
            match self.try_accept()? {
                TryAccept::Client(client) => return Ok(Some(client)),
                TryAccept::Empty => self.with_listener(wait)?,
                TryAccept::RetryAfter(pause) => self.back_off(pause),
                TryAccept::Closed => return Ok(None),
            }
        }
    }

    /// Does something with the listener, unless it was closed; the next attempt to accept finds that.
    fn with_listener(
        &self,
        work: impl FnOnce(&TcpListener) -> io::Result<()>,
    ) -> Result<(), Failure> {
        match self.listener.with(work) {
            Err(_) if self.is_closed() => Ok(()),
            done => done.map_err(cannot_wait),
        }
    }

    /// A pool of this number of waits for the listener, or fewer where descriptors are short: half of them are for
    /// clients.
    ///
    /// # Errors
    /// When the system has no descriptor for one (exit code 2).
    pub fn wait_pool(&self, number: usize) -> Result<WaitPool, Failure> {
        let half = usize::try_from(capacity::descriptors().number / 2).unwrap_or(usize::MAX);
        let number = number.min(half).max(1);
        let (give_back, free) = bounded(number);
        for _ in 0..number {
            let stop = self.context.shutdown.wake_up();
            let wait = self
                .listener
                .with(|listener| AcceptWait::new(listener, stop));
            let wait = wait.map_err(cannot_wait)?;
            // There is room for all.
            let _ = give_back.send(wait);
        }
        Ok(WaitPool { give_back, free })
    }

    /// How long to wait before the next attempt, after `operation` failed because a resource that a client needs is
    /// short. Other clients may end meanwhile; further ones wait in the backlog.
    pub fn next_pause(&self, operation: &str, error: &io::Error) -> Duration {
        let mut backoff = lock(&self.backoff);
        let due = |logged: Instant| logged.elapsed() >= LOG_INTERVAL;
        if backoff.logged.is_none_or(due) {
            let text = format!(
                "{operation}: {}; new clients wait in the backlog",
                why(error)
            );
            self.context
                .recorder
                .record(Event::error(Level::Warn, text));
            backoff.logged = Some(Instant::now());
        }
        let pause = backoff
            .pause
            .map_or(PAUSE, |pause| (2 * pause).min(LONGEST_PAUSE));
        backoff.pause = Some(pause);
        pause
    }

    /// Waits for this time, also after a request to stop: clients have to end before another one can be accepted.
    pub fn back_off(&self, pause: Duration) {
        let start = Instant::now();
        if self.context.shutdown.sleep(pause) {
            self.take_no_more();
            let pause = pause.min(self.context.settings.grace);
            thread::sleep(pause.saturating_sub(start.elapsed()));
        }
    }

    /// Keeps the connections that are in the backlog, and lets no further ones in.
    fn take_no_more(&self) {
        if !self.dropping.swap(true, Relaxed) {
            // Should it fail, connections that come meanwhile are accepted too, up to the backlog's length.
            let _ = self.listener.with(drop_requests);
        }
    }

    /// The watch of the listener, until it was closed.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch(&self, readiness: &Readiness, number: usize) -> io::Result<Watch> {
        self.listener
            .with(|listener| readiness.watch(listener, number))
    }

    /// Whether connections are refused by now.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Refuses connections from now on.
    fn close(&self) {
        if !self.closed.swap(true, Relaxed) {
            self.listener.close();
        }
    }
}

/// The failure of a model whose worker of this number, of so many, could not be started.
pub fn no_worker(number: usize, workers: usize, error: &io::Error) -> Failure {
    let flag = format_args!("--workers {workers}");
    capacity::no_thread(flag, format_args!("worker {number}"), error)
}

fn cannot_wait(error: io::Error) -> Failure {
    Failure::could_not_run("wait for clients", why(&error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for the listener, for more threads than there are such waits: a thread that finds none free waits for one.
#[derive(Debug)]
pub struct WaitPool {
    give_back: Sender<AcceptWait>,
    free: Receiver<AcceptWait>,
}

impl WaitPool {
    fn wait(&self, listener: &TcpListener, stop: &WakeUp) -> io::Result<()> {
        // Both ends live as long as this does. A stop wakes every thread that holds one, and so each of the threads that
        // wait for one.
        if let Ok(wait) = self.free.recv() {
            let woken = wait.wait(listener, stop);
            let _ = self.give_back.send(wait);
            woken?;
        }
        Ok(())
    }
}
