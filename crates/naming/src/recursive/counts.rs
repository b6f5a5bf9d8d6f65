//! What the server has done so far.

use std::sync::atomic::{AtomicU64, Ordering};

use common::exit::Summary;

/// The counts, which a signal reports while the server runs.
#[derive(Debug, Default)]
pub struct Counts {
    pub(super) udp: AtomicU64,
    pub(super) tcp: AtomicU64,
    /// Queries that the cache answered, those that were joined to an equal one, and those that took queries of the server.
    pub(super) hits: AtomicU64,
    pub(super) joined: AtomicU64,
    pub(super) misses: AtomicU64,
    /// Queries of the server to others, and the faults that it met.
    pub(super) sent: AtomicU64,
    pub(super) faults: AtomicU64,
    /// Queries that were answered SERVFAIL, and REFUSED.
    pub(super) failed: AtomicU64,
    pub(super) refused: AtomicU64,
    /// The size of the cache now.
    pub(super) entries: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl Counts {
    /// One more.
    pub(super) fn add(&self, count: impl Fn(&Self) -> &AtomicU64) {
        count(self).fetch_add(1, Ordering::Relaxed);
    }

    /// The size of the cache.
    pub(super) fn cache(&self, (entries, bytes): (usize, usize)) {
        self.entries.store(entries as u64, Ordering::Relaxed);
        self.bytes.store(bytes as u64, Ordering::Relaxed);
    }

    /// The counts so far, after these words.
    pub fn summary(&self, prefix: &str) -> Summary {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (udp, tcp) = (get(&self.udp), get(&self.tcp));
        let queries = |count| match count {
            1 => "1 query".to_owned(),
            count => format!("{count} queries"),
        };
        let (hits, joined, misses) = (get(&self.hits), get(&self.joined), get(&self.misses));
        let text = format!(
            "{prefix}{} ({udp} over UDP, {tcp} over TCP): {hits} from the cache, {joined} joined, {misses} resolved by {} to \
             servers; {} failed, {} refused; {} in the cache",
            queries(udp + tcp),
            queries(get(&self.sent)),
            get(&self.failed),
            get(&self.refused),
            match get(&self.entries) {
                1 => "1 entry".to_owned(),
                count => format!("{count} entries"),
            },
        );
        Summary::done(text)
            .count("udp_queries", udp)
            .count("tcp_queries", tcp)
            .count("cache_hits", hits)
            .count("joined", joined)
            .count("cache_misses", misses)
            .count("queries_sent", get(&self.sent))
            .count("faults", get(&self.faults))
            .count("failed", get(&self.failed))
            .count("refused", get(&self.refused))
            .count("cache_entries", get(&self.entries))
            .count("cache_bytes", get(&self.bytes))
    }
}
