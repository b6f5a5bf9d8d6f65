//! `resolve --iterative`: the client walks through the name servers itself, from the root on (iterative name resolution).

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    time::{Duration, Instant},
};

use common::{
    endpoint,
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    net::{self, Interest, Woken},
    shutdown::Shutdown,
    text::{micros, plural, visible, whole_micros},
};
use domain::base::iana::{Rcode, Rtype};

use crate::{
    answers::Answers,
    ask,
    config::{Cli, SERVER},
    dns::{owner::Owner, shown},
    exchange::{Exchange, Socket},
    resolver::{Answer, Ask, Cache, Fault, Outcome, Output, Resolution, Roots, World},
    resolving,
};

/// The size of the client's cache, in bytes: it lasts for one command.
const CACHE: usize = 4 << 20;

/// Resolves each name.
///
/// # Errors
/// When a name or an option is not valid (exit code 2).
pub fn run(
    cli: &Cli,
    queries: &[String],
    rtype: Option<&str>,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let zones = cli.zones()?;
    let limit = cli.timeout(Duration::from_secs(5))?;
    let server = cli.options.server.as_deref();
    let roots = server.map(|server| endpoint::connect("--server", server, SERVER));
    let roots = Roots::new(roots.unwrap_or_else(|| Ok(vec![SERVER]))?);
    let mut walker = Walker {
        roots: roots.ok_or_else(|| Failure::could_not_run("--server", "it has no address"))?,
        cache: Cache::new(CACHE),
        begun: Instant::now(),
        limit,
        journal,
        shutdown,
        buffer: vec![0; usize::from(u16::MAX)],
        sent: 0,
        asked: BTreeSet::new(),
    };
    let mut answers = Answers::new(journal);
    for name in queries {
        let (owner, types) = ask::question(cli, name, rtype, &zones)?;
        let shown = visible(name.as_bytes());
        let begun = Instant::now();
        (walker.sent, walker.asked) = (0, BTreeSet::new());
        match walker.values(&owner, types)? {
            Err(why) => answers.missing(&Failure::no(shown, why)),
            Ok(values) => answers.resolved(values.into_iter().map(|value| {
                let event = Event::new(Kind::Resolve).resolved(shown.clone(), value);
                event.counts([("elapsed_us", whole_micros(begun.elapsed()))])
            })),
        }
        let text = format!(
            "{owner} took {} to {} in {}",
            match walker.sent {
                1 => "1 query".to_owned(),
                sent => format!("{sent} queries"),
            },
            plural(walker.asked.len() as u64, "server"),
            micros(whole_micros(begun.elapsed()))
        );
        let counts = [("queries_sent", walker.sent)];
        journal.record(Event::new(Kind::Report).text(text).counts(counts));
    }
    Ok(answers.summary())
}

/// A client that walks.
#[derive(Debug)]
struct Walker<'c> {
    roots: Roots,
    cache: Cache,
    begun: Instant,
    limit: Duration,
    journal: &'c Journal,
    shutdown: &'c Shutdown,
    buffer: Vec<u8>,
    /// How many queries this name took, and which servers got them.
    sent: u64,
    asked: BTreeSet<SocketAddr>,
}

impl Walker<'_> {
    /// The values of a name, of all these types; or why there are none.
    fn values(
        &mut self,
        owner: &Owner,
        types: Vec<Rtype>,
    ) -> Result<Result<Vec<String>, String>, Failure> {
        let mut values = Vec::new();
        let mut missing = String::new();
        for rtype in types {
            let answer = match self.resolve(owner, rtype)? {
                Outcome::Failed(why) => return Ok(Err(why)),
                Outcome::Answer(answer) => answer,
            };
            let Answer {
                rcode,
                records,
                soa,
            } = answer;
            let found = records
                .iter()
                .filter(|set| set.rtype == rtype || rtype == Rtype::ANY);
            for set in found {
                values.extend(set.data.iter().map(|data| shown::raw(set.rtype, data)));
            }
            missing = match (rcode, soa) {
                (Rcode::NOERROR, _) => format!("{owner} has no record of this type"),
                (Rcode::NXDOMAIN, Some(soa)) => {
                    format!("{} has no such name (NXDOMAIN)", soa.owner)
                }
                (rcode, _) => format!("{} for {owner}", shown::rcode(rcode)),
            };
            if rcode != Rcode::NOERROR {
                break;
            }
        }
        Ok(match values.is_empty() {
            true => Err(missing),
            false => Ok(values),
        })
    }

    fn resolve(&mut self, owner: &Owner, rtype: Rtype) -> Result<Outcome, Failure> {
        let deadline = self.begun.elapsed() + self.limit;
        let roots = self.roots.clone();
        let mut resolution = Resolution::new(owner.clone(), rtype, roots, deadline);
        let mut output = self.step(&mut resolution, Resolution::start)?;
        loop {
            let ask = match output {
                Output::Done(outcome) => return Ok(outcome),
                Output::Ask(ask) => ask,
                Output::Wait => return Ok(Outcome::Failed("it waits for nothing".into())),
            };
            self.sent += 1;
            self.asked.insert(ask.server);
            output = self.exchange(&mut resolution, &ask)?;
        }
    }

    /// Sends a query, and waits for what ends the wait: the next query, or the end.
    fn exchange(&mut self, resolution: &mut Resolution, ask: &Ask) -> Result<Output, Failure> {
        let unreachable = |error: std::io::Error| Fault::Unreachable(why(&error));
        let mut exchange = match Exchange::open(ask) {
            Ok(exchange) => exchange,
            Err(error) => {
                return self.step(resolution, |it, world| it.failed(unreachable(error), world));
            }
        };
        self.journal.record(resolving::sent(ask, exchange.local));
        let mut failed = exchange.send(&ask.message).err();
        loop {
            if let Some(error) = failed.take() {
                return self.step(resolution, |it, world| it.failed(unreachable(error), world));
            }
            let until = Some(self.begun + ask.until);
            let shutdown = Some(self.shutdown);
            let woken = match exchange.socket() {
                Socket::Udp(socket) => net::wait(socket, Interest::Read, until, shutdown),
                Socket::Tcp(stream, frames) if frames.unwritten() > 0 => {
                    net::wait(stream, Interest::Write, until, shutdown)
                }
                Socket::Tcp(stream, _) => net::wait(stream, Interest::Read, until, shutdown),
            };
            match woken.map_err(|error| Failure::could_not_run("wait", why(&error)))? {
                Woken::Stopping => return Err(Failure::could_not_run("resolve", "stopped")),
                Woken::TimedOut => {
                    return self.step(resolution, |it, world| it.failed(Fault::NoReply, world));
                }
                Woken::Ready => {}
            }
            match exchange.receive(&mut self.buffer) {
                Ok(None) => {}
                Err(error) => failed = Some(error),
                Ok(Some((from, message))) => {
                    let event = resolving::received(ask, exchange.local, from, &message);
                    self.journal.record(event);
                    let received = |it: &mut Resolution, world: &mut World<'_>| {
                        it.received(from, &message, world)
                    };
                    match self.step(resolution, received)? {
                        Output::Wait => {}
                        output => return Ok(output),
                    }
                }
            }
        }
    }

    /// One step of the state machine, with what happened on the way.
    fn step(
        &mut self,
        resolution: &mut Resolution,
        step: impl FnOnce(&mut Resolution, &mut World<'_>) -> Output,
    ) -> Result<Output, Failure> {
        let now = self.begun.elapsed();
        let output = resolving::step(resolution, (&mut self.cache, now), step);
        let output = output.ok_or_else(|| Failure::could_not_run("resolve", resolving::NO_RANDOM));
        let output = output?;
        for note in resolution.take_notes() {
            self.journal.record(resolving::noted(&note));
        }
        Ok(output)
    }
}
