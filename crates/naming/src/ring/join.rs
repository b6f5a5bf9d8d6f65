//! By whom a process joins.

use std::{fmt, net::SocketAddr};

use common::text::visible;

/// The member by which a process joins.
#[derive(Clone, Debug)]
pub enum JoinBy {
    /// The one with this name, a `--peer`.
    Name(String),
    /// The one at this address, as it was given.
    Address(String, SocketAddr),
}

/// As it was given.
impl fmt::Display for JoinBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Name(given) | Self::Address(given, _)) = self;
        f.write_str(&visible(given.as_bytes()))
    }
}
