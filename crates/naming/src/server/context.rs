//! What the server's threads share: settings, counts, the queue of the registrar, the log.

use std::{
    collections::BTreeSet,
    convert::Infallible,
    fmt,
    net::SocketAddr,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use common::{
    exit::Summary, journal::Journal, message::Carrier, net, rate_limit::RateLimit,
    shutdown::Shutdown, text::plural,
};
use crossbeam::channel::Sender;

use super::{
    events::{exchange, warning},
    job::Job,
    snapshot::ZoneSnapshot,
};
use crate::dns::{publish, tsig::SigningKeys};

/// The server's settings.
#[derive(Debug)]
pub struct Settings {
    /// The zones in DNS.
    pub dns: publish::Settings,
    /// How many threads answer over UDP.
    pub workers: usize,
    /// The keys that may sign updates and transfers; the first signs notices.
    pub keys: SigningKeys,
    /// The secondaries, which are notified of changes and may transfer the zones.
    pub secondaries: Vec<SocketAddr>,
    /// How many TCP connections there may be at once.
    pub max_clients: usize,
    /// How long a TCP connection may be idle.
    pub timeout: Duration,
}

/// What the server has done so far.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) udp: AtomicU64,
    pub(super) tcp: AtomicU64,
    pub(super) updates: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) transfers: AtomicU64,
    pub(super) unanswered: AtomicU64,
    /// Notices that a secondary took, and those that failed.
    pub(super) notices: AtomicU64,
    pub(super) notices_failed: AtomicU64,
}

impl Counts {
    pub(super) fn summary(&self, prefix: &str) -> Summary {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (udp, tcp) = (get(&self.udp), get(&self.tcp));
        let queries = match udp + tcp {
            1 => "1 query".to_owned(),
            count => format!("{count} queries"),
        };
        let text = format!(
            "{prefix}{queries} ({udp} over UDP, {tcp} over TCP), {} made, {} refused, {}",
            plural(get(&self.updates), "update"),
            get(&self.refused),
            plural(get(&self.transfers), "transfer"),
        );
        Summary::done(text)
            .count("udp_queries", udp)
            .count("tcp_queries", tcp)
            .count("updates", get(&self.updates))
            .count("updates_refused", get(&self.refused))
            .count("transfers", get(&self.transfers))
            .count("unanswered", get(&self.unanswered))
            .count("notices", get(&self.notices))
            .count("notices_failed", get(&self.notices_failed))
    }

    pub(super) fn add(&self, count: impl Fn(&Self) -> &AtomicU64, more: u64) {
        if more > 0 {
            count(self).fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// The two ends of an exchange, as the client knows them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Client {
    pub(super) peer: SocketAddr,
    /// The address that it sent its message to.
    pub(super) asked: SocketAddr,
}

/// The machine at a socket address: a link-local one in its zone.
pub(super) fn machine(mut address: SocketAddr) -> SocketAddr {
    address.set_port(0);
    net::canonical(address)
}

/// What all threads that serve clients share.
#[derive(Debug)]
pub(super) struct Context<'s> {
    pub(super) settings: &'s Settings,
    pub(super) address: SocketAddr,
    pub(super) snapshot: &'s ZoneSnapshot,
    pub(super) jobs: Sender<Job>,
    pub(super) counts: &'s Counts,
    pub(super) journal: &'s Journal,
    pub(super) shutdown: &'s Shutdown,
    /// Which other machines may transfer the zones without a key.
    pub(super) transfers_to: BTreeSet<SocketAddr>,
    pub(super) limits: LogLimits<'s>,
    /// Closed when no thread is left that could send an update.
    pub(super) _alive: Sender<Infallible>,
}

impl Context<'_> {
    /// Whether the machine at this address may transfer the zones without a key.
    pub(super) fn may_transfer(&self, peer: SocketAddr) -> bool {
        self.transfers_to.contains(&machine(peer))
    }

    /// Logs a query and its answer, which is sent next.
    pub(super) fn log(&self, carrier: Carrier, query: &[u8], reply: &[u8], client: Client) {
        for event in exchange(client.asked, carrier, query, reply, client.peer) {
            self.journal.record(event);
        }
    }

    /// Logs a query over TCP, within the rate limit.
    pub(super) fn log_tcp(&self, query: &[u8], reply: &[u8], client: Client) {
        if self.limits.one_more(&self.limits.tcp) {
            self.log(Carrier::Tcp, query, reply, client);
        }
    }

    /// Logs a refusal, within the rate limit.
    pub(super) fn log_refusal(&self, peer: SocketAddr, text: impl fmt::Display) {
        if self.limits.one_more(&self.limits.refusals) {
            self.journal.record(warning(text).peer(peer));
        }
    }
}

/// How many queries over TCP, and how many refusals, are logged: an attacker must not fill the log.
#[derive(Debug)]
pub(super) struct LogLimits<'s> {
    tcp: Mutex<RateLimit>,
    refusals: Mutex<RateLimit>,
    journal: &'s Journal,
}

impl<'s> LogLimits<'s> {
    pub(super) fn new(journal: &'s Journal) -> Self {
        Self {
            tcp: Mutex::new(RateLimit::new("queries were answered over TCP")),
            refusals: Mutex::new(RateLimit::new("messages were refused")),
            journal,
        }
    }

    fn one_more(&self, limit: &Mutex<RateLimit>) -> bool {
        let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
        limit.go_on(self.journal);
        limit.one_more()
    }
}

impl Drop for LogLimits<'_> {
    fn drop(&mut self) {
        for limit in [&self.tcp, &self.refusals] {
            let mut limit = limit.lock().unwrap_or_else(PoisonError::into_inner);
            limit.finish(self.journal);
        }
    }
}
