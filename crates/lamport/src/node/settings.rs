//! The settings of one process.

use std::time::Duration;

use crate::{algorithms::Algorithm, bug::Bug, workload::Workload};

/// The settings of one process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The injected bug.
    pub bug: Option<Bug>,
    /// The initial time of its clock.
    pub clock: u64,
    /// The random seed.
    pub seed: u64,
    /// The operations that it starts by itself; None when it executes typed commands.
    pub workload: Option<Workload>,
    /// When it ends by itself.
    pub lasting: Option<Duration>,
}
