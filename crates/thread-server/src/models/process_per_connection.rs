//! A process for each client. The accepted socket is its standard input; what it has to tell, it reports over a pipe,
//! so that there is still one printer and one log. The parent accepts, makes processes, reads their reports and reaps
//! them, all on one thread.

use std::{
    collections::HashMap,
    io::{self, Read},
    net::SocketAddr,
    os::unix::process::ExitStatusExt,
    process,
    sync::Arc,
    time::Duration,
};

use common::exit::{Failure, why};
use mio::unix::pipe;

use super::watch::Watch;
use crate::{
    child::{self, Report},
    exchange::Client,
    server::{Model, Server},
    tally::Outcome,
};

pub(super) struct ProcessPerConnection;

/// A process that lives.
struct Child {
    process: process::Child,
    /// Its name in the log.
    name: Arc<str>,
    peer: SocketAddr,
    /// The parent's end of the pipe to which it reports.
    pipe: pipe::Receiver,
    /// What came over it and is no whole line yet.
    unread: Vec<u8>,
    /// Whether it has told its last event itself.
    told: bool,
    /// How it ended with the client, once that is known.
    ended: Option<(Outcome, Option<Duration>)>,
}

struct Parent<'a> {
    server: &'a Server<'a>,
    watch: Watch<'a>,
    children: HashMap<u64, Child>,
}

impl Model for ProcessPerConnection {
    fn serve(&self, server: &Server<'_>) -> Result<(), Failure> {
        let mut parent = Parent {
            server,
            watch: Watch::new(server)?,
            children: HashMap::new(),
        };
        // A client for whom there was no process yet.
        let mut next: Option<Client> = None;
        let mut ended_all = false;
        loop {
            let overdue = server.shutdown.overdue(server.settings.grace);
            if overdue && !ended_all {
                ended_all = true;
                parent.end_all();
            }
            let room = parent.children.len() < server.settings.max_clients;
            if room && next.is_none() {
                next = parent.watch.admit()?;
            }
            let mut more = false;
            if room && let Some(client) = next.take() {
                match parent.make_process(&client) {
                    Ok(()) => more = true,
                    Err(_) if overdue => server.handle_client(&client),
                    Err(error) => {
                        parent.watch.pause("process", &error);
                        next = Some(client);
                    }
                }
            }
            if parent.watch.closed && parent.children.is_empty() && next.is_none() {
                return Ok(());
            }
            let stop = server.shutdown.since().filter(|_| !overdue);
            let end = stop.map(|since| since + server.settings.grace);
            for number in parent.watch.wait(end, more)? {
                parent.read_reports(number);
            }
        }
    }
}

impl Parent<'_> {
    /// Makes a process for this client and forgets our own copy of the connection.
    fn make_process(&mut self, client: &Client) -> io::Result<()> {
        let (mut process, reports) = child::spawn(client, &self.server.service)?;
        let mut pipe = pipe::Receiver::from(reports);
        let watched = pipe
            .set_nonblocking(true)
            .and_then(|()| self.watch.add(&mut pipe, client.number));
        if let Err(error) = watched {
            let _ = process.kill();
            let _ = process.wait();
            return Err(error);
        }
        self.server.tally.made_one();
        let child = Child {
            name: format!("process-{}", process.id()).into(),
            process,
            peer: client.peer,
            pipe,
            unread: Vec::new(),
            told: false,
            ended: None,
        };
        self.children.insert(client.number, child);
        Ok(())
    }

    /// Ends those who are not at their end by themselves.
    fn end_all(&mut self) {
        for child in self.children.values_mut() {
            child.ended.get_or_insert((Outcome::Stopped, None));
            // It may have ended already.
            let _ = child.process.kill();
        }
    }

    /// Reads what a child has reported, and reaps it when the pipe is at its end.
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
                    child.take_reports(self.server);
                }
                _ => break,
            }
        }
        if let Some(child) = self.children.remove(&number) {
            child.reap(self.server);
        }
    }
}

impl Child {
    fn take_reports(&mut self, server: &Server<'_>) {
        while let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.unread.drain(..=end).collect();
            match serde_json::from_slice(&line) {
                Ok(Report::Event(event)) => server.journal.record_of(&self.name, event),
                Ok(Report::Ended(outcome, first_byte)) => {
                    self.told = true;
                    self.ended = Some((outcome, first_byte));
                }
                // Only our own program writes here, but the line may have been cut short with it.
                Err(_) => {}
            }
        }
    }

    /// A child that has ended, or was ended.
    fn reap(mut self, server: &Server<'_>) {
        let status = self.process.wait();
        let (outcome, first_byte) = self.ended.take().unwrap_or_else(|| {
            let how = match status {
                Ok(status) => match status.signal() {
                    Some(signal) => format!("by signal {signal}"),
                    None => format!("with {status}"),
                },
                Err(error) => why(&error),
            };
            (Outcome::Failed(format!("its process ended {how}")), None)
        });
        if !self.told {
            server.service.tell_end(self.peer, &outcome);
        }
        server.tally.ended(&outcome, first_byte);
    }
}
