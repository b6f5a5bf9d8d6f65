//! Letting clients in: no error of accept(2) that would pass ends the server, and after a request to stop those who
//! stand in the kernel's backlog still come in.

use std::{
    collections::VecDeque,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind, Level},
    exit::{Failure, why},
    journal::Journal,
    net::{BRIEFLY, Doorbell, Interest, Woken, canonical, wait},
    shutdown::Shutdown,
};

use crossbeam::channel::{Receiver, Sender, bounded};

use crate::{config::Settings, exchange::Client, tally::Tally};

/// The first pause after an accept error, in which clients may end and free what was missing; it doubles up to
/// [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How often accept errors are told: under a shortage every other client may meet one.
const TELL_AGAIN: Duration = Duration::from_secs(10);

/// The listening socket and who stands at it. Any number of threads may let clients in.
#[derive(Debug)]
pub struct Entrance<'a> {
    listener: TcpListener,
    settings: &'a Settings,
    tally: &'a Tally,
    journal: &'a Journal,
    shutdown: &'a Shutdown,
    /// How many clients came in.
    clients: AtomicU64,
    closed: AtomicBool,
    trouble: Mutex<Trouble>,
    /// Those who stood in the kernel's backlog when the stop was requested, and are not let in yet.
    late: Mutex<Late>,
}

#[derive(Debug, Default)]
struct Late {
    waiting: VecDeque<(TcpStream, SocketAddr)>,
    /// How many there were so far.
    all: usize,
}

/// How many descriptors are left over for what serving a client takes, when the backlog is taken over.
const SPARE: usize = 8;

#[derive(Debug, Default)]
struct Trouble {
    /// The pause after the last accept error; None while all is well.
    pause: Option<Duration>,
    /// When an accept error was last told.
    told: Option<Instant>,
}

/// What a look at the entrance shows.
#[derive(Debug)]
pub enum Knock {
    /// A client, let in.
    Client(Client),
    /// Nobody is there now.
    Nobody,
    /// Something that a client needs is short; look again after so long.
    Later(Duration),
    /// Nobody will come any more.
    Closed,
}

impl<'a> Entrance<'a> {
    /// An entrance at this listener, which does not block.
    pub fn new(
        listener: TcpListener,
        settings: &'a Settings,
        tally: &'a Tally,
        journal: &'a Journal,
        shutdown: &'a Shutdown,
    ) -> Self {
        Self {
            listener,
            settings,
            tally,
            journal,
            shutdown,
            clients: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            trouble: Mutex::default(),
            late: Mutex::default(),
        }
    }

    /// Lets one client in if one is there. Once a stop was requested those come in who stood in the backlog then, and
    /// it is closed behind them, or when the grace time is over.
    ///
    /// # Errors
    /// When the listener itself is of no use any more.
    pub fn knock(&self) -> Result<Knock, Failure> {
        if self.shutdown.overdue(self.settings.grace) {
            self.close();
            return Ok(Knock::Closed);
        }
        let accepted = if self.shutdown.requested() {
            self.late()
        } else {
            self.listener.accept()
        };
        match accepted {
            Ok((stream, peer)) => {
                lock(&self.trouble).pause = None;
                let number = 1 + self.clients.fetch_add(1, Relaxed);
                let peer = canonical(peer);
                self.tally.began();
                self.journal.record(Event::new(Kind::Accept).peer(peer));
                Ok(Knock::Client(Client {
                    number,
                    stream,
                    peer,
                    accepted: Instant::now(),
                }))
            }
            Err(error) => match error.kind() {
                _ if self.closed.load(Relaxed) => Ok(Knock::Closed),
                io::ErrorKind::WouldBlock => Ok(Knock::Nobody),
                // The client was gone before it came in, or a signal came.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => self.knock(),
                io::ErrorKind::InvalidInput => Err(Failure::could_not_run("accept", why(&error))),
                _ => Ok(Knock::Later(self.pause("accept", &error))),
            },
        }
    }

    /// The next of those who stood in the backlog when the stop was requested. They are taken over all at once, so that
    /// newcomers cannot take the places of those who are let in; only descriptors may run short, and then the rest
    /// comes when others have ended.
    fn late(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let mut late = lock(&self.late);
        if late.waiting.is_empty() && !self.closed.load(Relaxed) {
            self.listener.set_nonblocking(true)?;
            let spare: Vec<_> = (0..SPARE)
                .map_while(|_| self.listener.try_clone().ok())
                .collect();
            let short = loop {
                // The kernel holds one more than the backlog's length.
                if late.all > usize::try_from(self.settings.backlog).unwrap_or(usize::MAX) {
                    break None;
                }
                match self.listener.accept() {
                    Ok(client) => {
                        late.all += 1;
                        late.waiting.push_back(client);
                    }
                    Err(error) => match error.kind() {
                        io::ErrorKind::WouldBlock => break None,
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => {}
                        _ => break Some(error),
                    },
                }
            };
            drop(spare);
            match short {
                None => self.close(),
                Some(error) if late.waiting.is_empty() => return Err(error),
                Some(_) => {}
            }
        }
        late.waiting
            .pop_front()
            .ok_or_else(|| io::ErrorKind::WouldBlock.into())
    }

    /// Has [`Self::knock`] wait for [`BRIEFLY`] itself: when clients come one after another that is one system call for
    /// each, where a look, a wait and another look are three. For threads that have nothing else to do.
    pub fn be_patient(&self) {
        let listener = socket2::SockRef::from(&self.listener);
        // Should one fail, the looks are impatient as before.
        if listener.set_read_timeout(Some(BRIEFLY)).is_ok() {
            let _ = listener.set_nonblocking(false);
        }
    }

    /// Lets one client in if one is there, and never waits.
    ///
    /// # Errors
    /// As [`Self::knock`].
    pub fn peek(&self) -> Result<Option<Client>, Failure> {
        match wait(self, Interest::Read, Some(Instant::now()), None) {
            Ok(Woken::Ready) => {}
            _ => return Ok(None),
        }
        match self.knock()? {
            Knock::Client(client) => Ok(Some(client)),
            _ => Ok(None),
        }
    }

    /// The next client; waits for it. None when nobody will come any more.
    ///
    /// # Errors
    /// As [`Self::knock`].
    pub fn admit(&self) -> Result<Option<Client>, Failure> {
        self.admit_when(|| wait(self, Interest::Read, None, Some(self.shutdown)).map(drop))
    }

    /// The same for one of several threads that wait: a client wakes only one of them.
    ///
    /// # Errors
    /// As [`Self::knock`].
    pub fn admit_one_of_many(&self, doorbells: &Doorbells) -> Result<Option<Client>, Failure> {
        self.admit_when(|| doorbells.wait())
    }

    fn admit_when(&self, wait: impl Fn() -> io::Result<()>) -> Result<Option<Client>, Failure> {
        loop {
            match self.knock()? {
                Knock::Client(client) => return Ok(Some(client)),
                Knock::Nobody => wait()
                    .map_err(|error| Failure::could_not_run("wait for clients", why(&error)))?,
                Knock::Later(pause) => self.rest(pause),
                Knock::Closed => return Ok(None),
            }
        }
    }

    /// Places at the door for so many of several threads.
    ///
    /// # Errors
    /// When the system has no descriptors for them (exit code 2).
    pub fn doorbells(&self, number: usize) -> Result<Doorbells, Failure> {
        let (back, free) = bounded(number);
        for _ in 0..number {
            let doorbell = Doorbell::new(&self.listener, self.shutdown)
                .map_err(|error| Failure::could_not_run("wait for clients", why(&error)))?;
            // There is room for all.
            let _ = back.send(doorbell);
        }
        Ok(Doorbells { back, free })
    }

    /// Something that a client needs is short (`what`): how long to wait before it is tried again. In that time
    /// other clients may end; those who are not in yet stay in the backlog.
    pub fn pause(&self, what: &str, error: &io::Error) -> Duration {
        let mut trouble = lock(&self.trouble);
        if trouble.told.is_none_or(|told| told.elapsed() >= TELL_AGAIN) {
            let text = format!("{what}: {}; newcomers wait in the backlog", why(error));
            self.journal.record(Event::error(Level::Warn, text));
            trouble.told = Some(Instant::now());
        }
        let pause = trouble
            .pause
            .map_or(PAUSE, |pause| (2 * pause).min(LONGEST_PAUSE));
        trouble.pause = Some(pause);
        pause
    }

    /// Waits for so long. The clients in hand have to end before another one can come in, stop or no stop.
    pub fn rest(&self, pause: Duration) {
        let begun = Instant::now();
        if self.shutdown.sleep(pause) {
            let pause = pause.min(self.settings.grace);
            thread::sleep(pause.saturating_sub(begun.elapsed()));
        }
    }

    /// From here on newcomers are refused.
    fn close(&self) {
        if !self.closed.swap(true, Relaxed) {
            // Other threads may be about to accept, so the socket stays; it only listens no longer.
            let _ = socket2::SockRef::from(&self.listener).shutdown(std::net::Shutdown::Read);
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Places at the door, for any number of threads: who finds none free waits for one.
#[derive(Debug)]
pub struct Doorbells {
    back: Sender<Doorbell>,
    free: Receiver<Doorbell>,
}

impl Doorbells {
    fn wait(&self) -> io::Result<()> {
        // Both ends live as long as this does. A stop wakes all who are at the door, and so those who wait for a place.
        if let Ok(doorbell) = self.free.recv() {
            let woken = doorbell.wait();
            let _ = self.back.send(doorbell);
            woken?;
        }
        Ok(())
    }
}

impl AsFd for Entrance<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
