//! A process for each client. The accepted socket is its standard input; it reports its events over a pipe, so that the
//! server has one output and one log. The parent accepts, creates processes, reads their reports and reaps them, all on
//! one thread.

use std::{
    collections::HashMap,
    io::{self, Read},
    net::SocketAddr,
    process,
    sync::Arc,
    time::Duration,
};

use common::{
    capacity::{self, Budget, Cost},
    exit::{Failure, why},
    sys::{hand_over, readiness::ChildPipe},
};

use crate::{
    acceptor::Acceptor,
    child::{self, Report},
    client::Client,
    context::Recorder,
    handout::handle_client,
    outcome::{Outcome, Unanswered},
    readiness::Readiness,
};

/// A process that serves a client.
struct Child {
    process: process::Child,
    /// Its name in the log.
    name: Arc<str>,
    peer: SocketAddr,
    /// The parent's end of the pipe over which it reports.
    pipe: ChildPipe,
    /// What came over it and is no whole line yet.
    unread: Vec<u8>,
    /// Whether it reported the end of the exchange, and so has recorded it.
    reported_end: bool,
    /// How the exchange ended, once that is known.
    ended: Option<(Outcome, Option<Duration>)>,
}

struct Parent<'a> {
    acceptor: &'a Acceptor<'a>,
    readiness: Readiness<'a>,
    children: HashMap<u64, Child>,
    processes: Budget,
}

/// What a process takes: a table of pages and what it does not share with the others.
const PROCESS: Cost = Cost {
    tasks: 1,
    maps: 0,
    address_space: 0,
    memory: 512 * 1024,
};

/// Serves every client, and returns when no client will be accepted any more and all processes have ended.
///
/// # Errors
/// When the listener fails, or the system cannot poll.
pub fn serve(acceptor: &Acceptor<'_>) -> Result<(), Failure> {
    let context = acceptor.context;
    let mut parent = Parent {
        acceptor,
        readiness: Readiness::new(acceptor)?,
        children: HashMap::new(),
        processes: Budget::new(PROCESS),
    };
    acceptor.ready()?;
    // A client for which no process could be created yet.
    let mut next: Option<Client<'_>> = None;
    let mut killed = false;
    loop {
        let overdue = context.overdue();
        if overdue && !killed {
            killed = true;
            parent.kill_all();
        }
        let room = parent.children.len() < context.settings.max_clients;
        if room && next.is_none() {
            next = parent.readiness.accept()?;
        }
        let mut more = false;
        if room && let Some(mut client) = next.take() {
            match parent.create_process(&client) {
                Ok(()) => more = true,
                Err(_) if overdue => handle_client(&mut client),
                Err(error) => {
                    parent.readiness.back_off("process", &error);
                    if parent.children.is_empty() {
                        // No process will end and free what is short.
                        handle_client(&mut client);
                    } else {
                        next = Some(client);
                    }
                }
            }
        }
        if parent.readiness.closed && parent.children.is_empty() && next.is_none() {
            return Ok(());
        }
        let end = context.grace_end().filter(|_| !overdue);
        for number in parent.readiness.wait(end, more)? {
            parent.read_reports(number);
        }
    }
}

impl Parent<'_> {
    /// Creates a process for this client, whose connection the caller then drops.
    fn create_process(&mut self, client: &Client<'_>) -> io::Result<()> {
        let _allowed = self.processes.allow()?;
        let (mut process, reports) = child::spawn(client).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::other(capacity::no_task(&error)),
            _ => error,
        })?;
        let number = usize::try_from(client.number).unwrap_or(usize::MAX);
        let pipe = match self.readiness.system().watch_pipe(reports, number) {
            Ok(pipe) => pipe,
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                return Err(error);
            }
        };
        self.acceptor.tally.created();
        let child = Child {
            name: format!("process-{}", process.id()).into(),
            process,
            peer: client.exchange.peer(),
            pipe,
            unread: Vec::new(),
            reported_end: false,
            ended: None,
        };
        self.children.insert(client.number, child);
        Ok(())
    }

    /// Kills the processes that have not ended within the grace time.
    fn kill_all(&mut self) {
        for child in self.children.values_mut() {
            child.ended.get_or_insert((Err(Unanswered::Stopped), None));
            // It may have ended already.
            let _ = child.process.kill();
        }
    }

    /// Reads the reports of a child, and reaps it at the end of its pipe.
    fn read_reports(&mut self, number: u64) {
        let Some(child) = self.children.get_mut(&number) else {
            return;
        };
        let mut bytes = [0; 4096];
        loop {
            match child.pipe.read(&mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(length @ 1..) => {
                    child.unread.extend_from_slice(&bytes[..length]);
                    child.handle_reports(self.acceptor.context.recorder);
                }
                _ => break,
            }
        }
        if let Some(child) = self.children.remove(&number) {
            child.reap(self.acceptor);
        }
    }
}

impl Child {
    fn handle_reports(&mut self, recorder: &dyn Recorder) {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            match serde_json::from_slice(&line) {
                Ok(Report::Event(event)) => recorder.record_of(&self.name, event),
                Ok(Report::Ended(outcome, first_byte)) => {
                    self.reported_end = true;
                    self.ended = Some((outcome, first_byte));
                }
                // Only this program writes here, but a process that is killed may leave half a line.
                Err(_) => {}
            }
        }
    }

    /// Waits for a process that has ended or was killed, and counts its client.
    fn reap(mut self, acceptor: &Acceptor<'_>) {
        let status = self.process.wait();
        let (outcome, first_byte) = self.ended.take().unwrap_or_else(|| {
            let how = match status {
                Ok(status) => match hand_over::signal_of(status) {
                    Some(signal) => format!("by signal {signal}"),
                    None => format!("with {status}"),
                },
                Err(error) => why(&error),
            };
            let why = format!("its process ended {how}");
            (Err(Unanswered::Failed(why)), None)
        });
        if !self.reported_end {
            acceptor.context.record_close(self.peer, &outcome);
        }
        acceptor.context.recorder.count(&outcome, first_byte);
    }
}
