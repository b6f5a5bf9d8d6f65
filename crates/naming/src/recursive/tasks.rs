//! The resolutions in progress, and the clients that wait for them.
//!
//! | bound | is | beyond it |
//! | --- | --- | --- |
//! | resolutions at once | [`MOST_TASKS`] | SERVFAIL |
//! | waiting queries | [`MOST_WAITING`], of one address [`MOST_OF_ONE`] | SERVFAIL |
//! | time of a resolution | [`LIMIT`] | SERVFAIL |

use std::{
    collections::{BTreeSet, HashMap},
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use common::{
    exit::why,
    sys::{
        batches::{Peer, Source},
        readiness::{Readiness, Watch},
    },
};
use domain::base::iana::Rtype;

use super::{counts::Counts, log::Log, settings::LIMIT};
use crate::{
    dns::{owner::Owner, request::Transport},
    exchange::{Exchange, Socket},
    resolver::{Answer, Ask, Cache, Fault, Note, Outcome, Output, Resolution, Roots, World},
    resolving,
};

/// How many resolutions there may be at once.
pub(super) const MOST_TASKS: usize = 512;

/// How many queries may wait for them.
pub(super) const MOST_WAITING: usize = 4096;

/// How many of one address: one client leaves room for others.
pub(super) const MOST_OF_ONE: usize = 256;

/// Where a reply goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReplyTo {
    /// To this peer, from the address that it asked.
    Udp(Peer, Option<Source>),
    /// To the connection with this number.
    Tcp(usize),
}

/// A query that waits for its reply.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) message: Vec<u8>,
    pub(super) transport: Transport,
    pub(super) client: SocketAddr,
    /// The address that it asked.
    pub(super) asked: SocketAddr,
    pub(super) reply_to: ReplyTo,
    /// Whether the query is in the log, and the reply is to be.
    pub(super) logged: bool,
}

/// A resolution that has ended, and who waits for it.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) waiters: Vec<Waiter>,
    pub(super) outcome: Outcome,
}

#[derive(Debug)]
struct Task {
    resolution: Resolution,
    question: (Owner, Rtype),
    /// The query that waits for its reply.
    exchange: Option<(Ask, Exchange, Watch)>,
    until: Instant,
    waiters: Vec<Waiter>,
}

/// The resolutions, and what they share.
#[derive(Debug)]
pub(super) struct Tasks<'s> {
    roots: &'s Roots,
    cache: Cache,
    counts: &'s Counts,
    begun: Instant,
    tasks: HashMap<usize, Task>,
    by_question: HashMap<(Owner, Rtype), usize>,
    deadlines: BTreeSet<(Instant, usize)>,
    waiting: usize,
    waiting_of: HashMap<IpAddr, usize>,
    buffer: Vec<u8>,
}

impl<'s> Tasks<'s> {
    pub(super) fn new(roots: &'s Roots, cache: usize, counts: &'s Counts) -> Self {
        Self {
            roots,
            cache: Cache::new(cache),
            counts,
            begun: Instant::now(),
            tasks: HashMap::new(),
            by_question: HashMap::new(),
            deadlines: BTreeSet::new(),
            waiting: 0,
            waiting_of: HashMap::new(),
            buffer: vec![0; usize::from(u16::MAX)],
        }
    }

    /// Whether this is the number of a resolution.
    pub(super) fn has(&self, number: usize) -> bool {
        self.tasks.contains_key(&number)
    }

    /// Whether none is in progress.
    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// When the next wait for a reply is over.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(until, _)| *until)
    }

    /// What the cache alone answers.
    pub(super) fn cached(&mut self, name: &Owner, rtype: Rtype) -> Option<Answer> {
        let now = self.begun.elapsed();
        Resolution::cached(name, rtype, &mut self.cache, now)
    }

    /// Begins a resolution with this number for a query, or has the query wait for one of the same question. What has ended
    /// at once, by the cache, is returned.
    ///
    /// # Errors
    /// The query, and which bound it would exceed.
    #[allow(clippy::result_large_err)]
    pub(super) fn add(
        &mut self,
        question: (Owner, Rtype),
        waiter: Waiter,
        number: usize,
        readiness: &Readiness,
        log: &mut Log<'_>,
    ) -> Result<Option<Finished>, (Waiter, String)> {
        let joined = self.by_question.get(&question).copied();
        let mut resolution = None;
        if joined.is_none() {
            let deadline = self.begun.elapsed() + LIMIT;
            let (name, rtype) = question.clone();
            if let Some(why) = self.cache.failure(&name, rtype, self.begun.elapsed()) {
                self.counts.add(|counts| &counts.hits);
                return Ok(Some(Finished {
                    waiters: vec![waiter],
                    outcome: Outcome::Failed(why),
                }));
            }
            let mut new = Resolution::new(name, rtype, self.roots.clone(), deadline);
            let output = self.step(&mut new, log, Resolution::start);
            if let Output::Done(outcome) = output {
                self.counts.add(|counts| &counts.hits);
                return Ok(Some(Finished {
                    waiters: vec![waiter],
                    outcome,
                }));
            }
            resolution = Some((new, output));
        }
        let of_client = self.waiting_of.get(&waiter.client.ip());
        let bound = if self.waiting >= MOST_WAITING {
            Some(format!("{MOST_WAITING} queries wait already"))
        } else if of_client.is_some_and(|count| *count >= MOST_OF_ONE) {
            Some(format!(
                "{MOST_OF_ONE} queries of this address wait already"
            ))
        } else if joined.is_none() && self.tasks.len() >= MOST_TASKS {
            Some(format!("{MOST_TASKS} resolutions are in progress already"))
        } else {
            None
        };
        if let Some(bound) = bound {
            return Err((waiter, bound));
        }
        self.waiting += 1;
        *self.waiting_of.entry(waiter.client.ip()).or_default() += 1;
        if let Some(task) = joined.and_then(|number| self.tasks.get_mut(&number)) {
            self.counts.add(|counts| &counts.joined);
            task.waiters.push(waiter);
            return Ok(None);
        }
        self.counts.add(|counts| &counts.misses);
        let Some((resolution, output)) = resolution else {
            return Ok(None);
        };
        self.by_question.insert(question.clone(), number);
        let task = Task {
            resolution,
            question,
            exchange: None,
            until: Instant::now() + LIMIT,
            waiters: vec![waiter],
        };
        Ok(self.go_on(number, task, output, readiness, log))
    }

    /// Reads what has arrived for a resolution.
    pub(super) fn ready(
        &mut self,
        number: usize,
        readiness: &Readiness,
        log: &mut Log<'_>,
    ) -> Option<Finished> {
        let mut task = self.take(number)?;
        loop {
            let Some((ask, exchange, watch)) = &mut task.exchange else {
                return self.go_on(number, task, Output::Wait, readiness, log);
            };
            let output = match exchange.receive(&mut self.buffer) {
                Ok(None) => {
                    let again = match exchange.socket() {
                        Socket::Udp(_) => readiness.watch_again(watch),
                        Socket::Tcp(_, frames) => {
                            readiness.watch_stream_again(watch, frames.unwritten() > 0)
                        }
                    };
                    match again {
                        Ok(()) => Output::Wait,
                        Err(error) => self.unreachable(&mut task.resolution, log, &error),
                    }
                }
                Ok(Some((from, message))) => {
                    log.received(ask, exchange.local, from, &message);
                    let output = self.step(&mut task.resolution, log, |it, world| {
                        it.received(from, &message, world)
                    });
                    if output == Output::Wait {
                        continue;
                    }
                    output
                }
                Err(error) => self.unreachable(&mut task.resolution, log, &error),
            };
            return self.go_on(number, task, output, readiness, log);
        }
    }

    /// Ends the waits that are over at this moment.
    pub(super) fn time_out(
        &mut self,
        now: Instant,
        readiness: &Readiness,
        log: &mut Log<'_>,
    ) -> Vec<Finished> {
        let mut finished = Vec::new();
        while let Some((until, number)) = self.deadlines.first().copied()
            && until <= now
        {
            let Some(mut task) = self.take(number) else {
                self.deadlines.remove(&(until, number));
                continue;
            };
            let output = self.step(&mut task.resolution, log, |it, world| {
                it.failed(Fault::NoReply, world)
            });
            finished.extend(self.go_on(number, task, output, readiness, log));
        }
        finished
    }

    /// Ends every resolution without an answer.
    pub(super) fn end_all(&mut self, why: &str) -> Vec<Finished> {
        let numbers: Vec<_> = self.tasks.keys().copied().collect();
        let tasks = numbers.into_iter().filter_map(|number| self.take(number));
        let tasks: Vec<_> = tasks.collect();
        let ended = tasks.into_iter().map(|task| {
            let outcome = Outcome::Failed(why.to_owned());
            self.finish(task, outcome)
        });
        ended.collect()
    }

    fn take(&mut self, number: usize) -> Option<Task> {
        let task = self.tasks.remove(&number)?;
        self.deadlines.remove(&(task.until, number));
        Some(task)
    }

    fn finish(&mut self, task: Task, outcome: Outcome) -> Finished {
        self.by_question.remove(&task.question);
        for waiter in &task.waiters {
            self.waiting -= 1;
            let client = waiter.client.ip();
            if let Some(count) = self.waiting_of.get_mut(&client) {
                *count -= 1;
                if *count == 0 {
                    self.waiting_of.remove(&client);
                }
            }
        }
        Finished {
            waiters: task.waiters,
            outcome,
        }
    }

    /// Does what a resolution says, until it waits or has ended.
    fn go_on(
        &mut self,
        number: usize,
        mut task: Task,
        mut output: Output,
        readiness: &Readiness,
        log: &mut Log<'_>,
    ) -> Option<Finished> {
        loop {
            match output {
                Output::Done(outcome) => {
                    let (name, rtype) = &task.question;
                    match &outcome {
                        Outcome::Failed(why) => {
                            let now = self.begun.elapsed();
                            self.cache.add_failure(name, *rtype, why, now);
                        }
                        Outcome::Answer(_) => self.cache.forget_failure(name, *rtype),
                    }
                    self.counts.cache(self.cache.size());
                    return Some(self.finish(task, outcome));
                }
                Output::Wait => break,
                Output::Ask(ask) => {
                    // The socket of the query before is closed first.
                    task.exchange = None;
                    task.until = self.begun + ask.until;
                    match self.send(ask, number, readiness, log) {
                        Ok(exchange) => {
                            task.exchange = Some(exchange);
                            break;
                        }
                        Err(error) => {
                            output = self.unreachable(&mut task.resolution, log, &error);
                        }
                    }
                }
            }
        }
        self.deadlines.insert((task.until, number));
        self.tasks.insert(number, task);
        None
    }

    fn send(
        &mut self,
        ask: Ask,
        number: usize,
        readiness: &Readiness,
        log: &mut Log<'_>,
    ) -> std::io::Result<(Ask, Exchange, Watch)> {
        let mut exchange = Exchange::open(&ask)?;
        log.sent(&ask, exchange.local);
        self.counts.add(|counts| &counts.sent);
        exchange.send(&ask.message)?;
        let watch = match exchange.socket() {
            Socket::Udp(socket) => readiness.watch(socket, number)?,
            Socket::Tcp(stream, frames) => {
                readiness.watch_stream(stream, number, frames.unwritten() > 0)?
            }
        };
        Ok((ask, exchange, watch))
    }

    fn unreachable(
        &mut self,
        resolution: &mut Resolution,
        log: &mut Log<'_>,
        error: &std::io::Error,
    ) -> Output {
        let fault = Fault::Unreachable(why(error));
        self.step(resolution, log, |it, world| it.failed(fault, world))
    }

    fn step(
        &mut self,
        resolution: &mut Resolution,
        log: &mut Log<'_>,
        step: impl FnOnce(&mut Resolution, &mut World<'_>) -> Output,
    ) -> Output {
        let now = self.begun.elapsed();
        let output = resolving::step(resolution, (&mut self.cache, now), step);
        for note in resolution.take_notes() {
            if matches!(&note, Note::Fault(_, fault) if !fault.is_harmless()) {
                self.counts.add(|counts| &counts.faults);
            }
            log.noted(&note);
        }
        output.unwrap_or_else(|| Output::Done(Outcome::Failed(resolving::NO_RANDOM.into())))
    }
}
