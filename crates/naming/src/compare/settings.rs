//! What is compared.

use std::{path::PathBuf, time::Duration};

use super::schemes::SchemeName;

/// What is compared.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The numbers of nodes.
    pub nodes: Vec<usize>,
    /// The schemes, in the order of the table.
    pub schemes: Vec<SchemeName>,
    /// The number of names.
    pub names: usize,
    /// The number of look-ups.
    pub lookups: u64,
    /// The number of moves among them.
    pub moves: u64,
    /// The delay of a link across the whole network.
    pub delay: Duration,
    /// The seed.
    pub seed: u64,
    /// Where the picture goes.
    pub plot: Option<PathBuf>,
}
