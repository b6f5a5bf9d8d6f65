//! Which servers did not answer lately, so that others are asked first; and which do not know EDNS(0).

use std::{collections::HashMap, net::SocketAddr, time::Duration};

/// How long a server that did not answer comes after the others.
const PENALTY: Duration = Duration::from_secs(30);

/// How long a server is asked without EDNS(0) after it refused it.
const PLAIN: Duration = Duration::from_secs(600);

/// How many servers are remembered; one more, and all are forgotten.
const MOST: usize = 4096;

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    silent_until: Duration,
    plain_until: Duration,
}

/// The servers of which something is known.
#[derive(Debug, Default)]
pub(super) struct Health(HashMap<SocketAddr, Known>);

impl Health {
    fn known(&mut self, server: SocketAddr) -> &mut Known {
        if self.0.len() >= MOST && !self.0.contains_key(&server) {
            self.0.clear();
        }
        self.0.entry(server).or_default()
    }

    /// Whether a server did not answer lately.
    pub(super) fn is_silent(&self, server: SocketAddr, now: Duration) -> bool {
        self.0
            .get(&server)
            .is_some_and(|known| known.silent_until > now)
    }

    /// A server did not answer.
    pub(super) fn silent(&mut self, server: SocketAddr, now: Duration) {
        self.known(server).silent_until = now + PENALTY;
    }

    /// A server answered.
    pub(super) fn answered(&mut self, server: SocketAddr) {
        if let Some(known) = self.0.get_mut(&server) {
            known.silent_until = Duration::ZERO;
        }
    }

    /// Whether a server is asked without EDNS(0).
    pub(super) fn is_plain(&self, server: SocketAddr, now: Duration) -> bool {
        self.0
            .get(&server)
            .is_some_and(|known| known.plain_until > now)
    }

    /// A server does not know EDNS(0).
    pub(super) fn plain(&mut self, server: SocketAddr, now: Duration) {
        self.known(server).plain_until = now + PLAIN;
    }
}
