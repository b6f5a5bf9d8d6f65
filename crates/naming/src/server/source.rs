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
    /// How to read the names again, when they come from a file.
    pub reload: Option<Reload>,
}

/// How to read a names file again.
pub struct Reload {
    /// The file.
    pub path: PathBuf,
    /// Reads it, and what is mounted.
    pub read: Box<dyn Fn() -> Result<Space, Failure> + Send>,
}

impl fmt::Debug for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reload")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
