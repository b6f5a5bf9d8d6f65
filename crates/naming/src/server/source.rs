//! The names that a server starts with, and how it reads them again.

use std::{fmt, path::PathBuf};

use common::exit::Failure;

use crate::{space::Space, store::Store};

/// The names to serve, and their source.
#[derive(Debug)]
pub struct Source {
    /// The names.
    pub space: Space,
    /// The store that keeps changes, if there is one.
    pub store: Option<Store>,
    /// The serial of the zones at their last change.
    pub serial: u32,
    /// How to read again what comes from files, when something does.
    pub reload: Option<Reload>,
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
