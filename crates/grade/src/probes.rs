//! The requirements of each kind of submission, and the probe of each.
//!
//! A probe does what a student would do by hand: it starts the submission, talks to it, and looks at what comes back.

pub mod client;
pub mod clock;
pub mod connection;
pub mod kernel;
pub mod multicast;
pub mod name_server;
mod names;
pub mod naming;
pub mod node;
pub mod server;
mod started;
pub mod tidy;

use crate::requirement::{Probed, Requirement};

/// A kind of submission, being probed.
pub trait Role {
    /// What it has to do; each after those that it needs.
    const REQUIREMENTS: &'static [Requirement];

    /// Probes one of them.
    ///
    /// # Errors
    /// Why it is not met.
    fn probe(&mut self, id: &str) -> Probed;

    /// Whether what is left has to be probed in a new sandbox: the submission has ended, and what it leaves, such as its
    /// port, would be taken for a failure of the next start.
    fn is_spent(&self) -> bool {
        false
    }
}
