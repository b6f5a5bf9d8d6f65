//! What a name space cannot hold of a zone file.

use std::{fmt, path::PathBuf};

use common::text::{visible, visible_path};

/// Where a record is: the number of its file, and the line in it.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct At {
    pub(super) file: usize,
    pub(super) line: usize,
}

/// A record that was left out, because a name space cannot hold it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// Its file.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: usize,
    /// Why it was left out.
    pub why: String,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, why) = (visible_path(&self.file), visible(self.why.as_bytes()));
        write!(f, "{file}:{}: left out: {why}", self.line)
    }
}
