//! The names that a server starts with, and how it reads them again.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use common::exit::Failure;

use crate::{
    marks::MarksFile,
    name::Place,
    space::Space,
    store::{DurableNames, Store},
};

/// The names to serve, and their source.
#[derive(Debug)]
pub struct Source {
    /// The names.
    pub space: Space,
    /// Where names and serials are kept.
    pub keeper: Keeper,
    /// How to read again what comes from files, when something does.
    pub reload: Option<Reload>,
    /// The names that the command line delegates otherwise than a filled store, which keeps them from now on.
    pub delegated: BTreeSet<Place>,
}

/// Where names and serials are kept.
#[derive(Debug)]
pub enum Keeper {
    /// In a store: both.
    Store(Box<DurableNames>),
    /// In a names file, and the serials beside it.
    Beside(MarksFile),
    /// The serials follow the time.
    Clock,
}

/// Reads the names again; those that a store holds are read from it.
pub type ReadAgain = Box<dyn Fn(Option<&Store>) -> Result<Space, Failure> + Send>;

/// How to read names files again.
pub struct Reload {
    /// The files: that of the names, where no store holds them, and those that are mounted.
    pub paths: Vec<PathBuf>,
    /// Reads them.
    pub read: ReadAgain,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload")
            .field("paths", &self.paths)
            .finish_non_exhaustive()
    }
}
