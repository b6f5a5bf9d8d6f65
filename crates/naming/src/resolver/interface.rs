//! What goes into a resolution, and what comes out of it.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use domain::base::iana::Rcode;

use super::{cache::Cache, rrset::RrSet};
use crate::dns::{owner::Owner, request::Transport};

/// The addresses of the root's server; the port of the first is that of every other server, too.
#[derive(Clone, Debug)]
pub struct Roots(Arc<[SocketAddr]>);

impl Roots {
    /// These addresses; None when there are none.
    pub fn new(addresses: Vec<SocketAddr>) -> Option<Self> {
        (!addresses.is_empty()).then(|| Self(addresses.into()))
    }

    /// The port of all servers.
    pub fn port(&self) -> u16 {
        self.0[0].port()
    }

    /// The addresses.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.0
    }
}

/// What a resolution uses of the world around it.
pub struct World<'w> {
    /// The time, since any moment that stays the same.
    pub now: Duration,
    /// What is known.
    pub cache: &'w mut Cache,
    /// Numbers that nobody can guess.
    pub random: &'w mut dyn FnMut() -> u16,
}

impl fmt::Debug for World<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A query to be sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ask {
    /// Where to.
    pub server: SocketAddr,
    /// How.
    pub transport: Transport,
    /// The message.
    pub message: Vec<u8>,
    /// The zone that the server is asked about.
    pub zone: Owner,
    /// Until when its reply is waited for.
    pub until: Duration,
}

/// What is to be done next.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Send this query, instead of the one before.
    Ask(Ask),
    /// Wait for the reply as before.
    Wait,
    /// It has ended.
    Done(Outcome),
}

/// An answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The code: NOERROR, NXDOMAIN, or YXDOMAIN where an alias is too long.
    pub rcode: Rcode,
    /// The aliases on the way, and the records.
    pub records: Vec<RrSet>,
    /// The SOA record of a negative answer, with the TTL of the answer.
    pub soa: Option<RrSet>,
}

/// How a resolution ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// With an answer, which may be negative.
    Answer(Answer),
    /// Without, for this reason.
    Failed(String),
}
