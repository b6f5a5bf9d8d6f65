//! A folder for what is needed for a while.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder that is removed when it is dropped.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new one.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("grade-{}-{number}", std::process::id());
        // In a sandbox, whose /tmp is new, the folder that TMPDIR names may be missing.
        let make = |parent: PathBuf| {
            let folder = parent.join(&name);
            fs::create_dir(&folder).map(|()| Self(folder))
        };
        make(std::env::temp_dir()).or_else(|_| make("/tmp".into()))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // In a sandbox it ends with that.
        let _ = fs::remove_dir_all(&self.0);
    }
}
