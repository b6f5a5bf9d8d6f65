//! The name server: its threads, and what runs where.
//!
//! ```text
//!  udp-1 … udp-N    each with a socket of its own (SO_REUSEPORT) and the newest zones ──► answer
//!  tcp              accepts; tcp-1 … one connection each                    ──► answer, transfer
//!        │ updates, through a bounded channel              ▲ publishes
//!        └──────────────► registrar: space, store, zones ─┘──► notify: notifies the secondaries
//! ```
//!
//! | module | job |
//! | --- | --- |
//! | [`source`] | the names that the server starts with |
//! | `sockets` | the sockets, bound |
//! | `context` | what the threads share: settings, counts, the log |
//! | `job`, `events` | what goes to the registrar; what goes to the log |
//! | `snapshot` | the newest zones, published by one thread and read by all |
//! | `udp`, `tcp`, `handle` | messages in and answers out; signed messages, updates and transfers |
//! | `ledger` | the serials, and where they are kept |
//! | `registrar`, `notify` | changes of names; notices to the secondaries |

mod context;
pub(crate) mod events;
mod handle;
mod job;
mod ledger;
mod notify;
mod registrar;
mod snapshot;
mod sockets;
pub mod source;
mod tcp;
mod udp;

use std::{
    sync::Arc,
    thread::{self, Scope},
};

use common::{
    event::{Event, Kind},
    exit::{Failure, Summary, why},
    journal::Journal,
    shutdown::{Shutdown, SignalRequest},
    text::plural,
};
use crossbeam::channel::{Receiver, Sender, bounded};

pub use self::{context::Settings, sockets::Sockets};
use self::{
    context::{Context, Counts, LogLimits},
    job::Job,
    ledger::Ledger,
    notify::Notifier,
    registrar::{NamesOf, Registrar},
    snapshot::ZoneSnapshot,
    source::Source,
};
use crate::dns::publish::{number, publish};

/// The server's inputs beside the sockets: its counts can be reported, and its names read again, while it runs.
#[derive(Debug)]
pub struct Control {
    counts: Arc<Counts>,
    jobs: Sender<Job>,
    queue: Receiver<Job>,
}

impl Default for Control {
    fn default() -> Self {
        let (jobs, queue) = job::queue();
        Self {
            counts: Arc::default(),
            jobs,
            queue,
        }
    }
}

impl Control {
    /// What a signal does: SIGUSR1 reports the counts, SIGHUP has the registrar read the names again.
    pub fn on_signal(&self) -> impl Fn(SignalRequest) -> Option<Event> + Send + 'static {
        let (counts, jobs) = (Arc::clone(&self.counts), self.jobs.clone());
        move |request| match request {
            SignalRequest::SoFar => Some(Event::report(&counts.summary("so far "))),
            SignalRequest::Stopping => None,
            SignalRequest::Again => {
                // A full queue delays the request until the next signal.
                let _ = jobs.try_send(Job::Reload);
                None
            }
        }
    }
}

/// Serves until a stop is requested.
///
/// # Errors
/// When a name is too long for DNS in the zone, or a thread cannot be started (exit code 2).
pub fn run(
    sockets: Sockets,
    settings: &Settings,
    source: Source,
    control: Control,
    journal: &Journal,
    shutdown: &Shutdown,
) -> Result<Summary, Failure> {
    let Control {
        counts,
        jobs,
        queue,
    } = control;
    let names = source.space.count() as u64;
    let mut zone = publish(&source.space, 0, &settings.dns)
        .map_err(|refusal| Failure::could_not_run(&refusal.place, refusal.why))?;
    let Source {
        space,
        keeper,
        reload,
        delegated,
    } = source;
    let ledger = Ledger::open(keeper, &space, &zone, delegated, journal)?;
    number(&mut zone, &space, ledger.serials(), &settings.dns);
    let snapshot = ZoneSnapshot::new(zone.clone());
    let (changed, changes) = bounded(1);
    let names_of = NamesOf {
        space,
        zone,
        ledger,
        reload,
    };
    let registrar = Registrar::new(names_of, settings, &snapshot, changed, &counts, journal)?;
    let (alive, ended) = bounded(0);
    let secondaries = settings.secondaries.iter();
    let context = Context {
        settings,
        address: sockets.address,
        snapshot: &snapshot,
        jobs,
        counts: &counts,
        journal,
        shutdown,
        transfers_to: secondaries.copied().map(context::machine).collect(),
        limits: LogLimits::new(journal),
        _alive: alive,
    };
    let text = format!(
        "{}, zone {}, {}",
        sockets.address,
        settings.dns.zones.names,
        plural(names, "name")
    );
    thread::scope(|scope| {
        start(scope, "registrar".into(), shutdown, move || {
            registrar.run(&queue, &ended)
        })?;
        let notifier = Notifier::new(
            sockets.address,
            settings,
            &snapshot,
            &counts,
            journal,
            shutdown,
        );
        start(scope, "notify".into(), shutdown, move || {
            notifier.run(&changes);
        })?;
        let context = Arc::new(context);
        for (index, socket) in sockets.udp.into_iter().enumerate() {
            let context = Arc::clone(&context);
            start(scope, format!("udp-{}", index + 1), shutdown, move || {
                udp::run(&socket, &context)
            })?;
        }
        let ready = Event::new(Kind::Ready).text(text);
        let ready = journal.ready(ready, &[sockets.address], sockets.port_was_free);
        ready.inspect_err(|_| shutdown.request())?;
        tcp::run(scope, &sockets.tcp, &context);
        Ok::<_, Failure>(())
    })?;
    Ok(counts.summary(""))
}

/// Starts a thread; when that fails, the others are asked to stop.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: String,
    shutdown: &Shutdown,
    work: impl FnOnce() + Send + 'scope,
) -> Result<(), Failure> {
    let started = thread::Builder::new()
        .name(name.clone())
        .spawn_scoped(scope, work);
    started.map(drop).map_err(|error| {
        shutdown.request();
        Failure::could_not_run(format!("thread {name}"), why(&error))
    })
}
