//! Temporary folders, event logs and recorded texts.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::event::Record;

/// A temporary folder, removed at the end of the test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A new, empty folder.
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "lab-test-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    /// The path of a file in it, as an argument of a command.
    pub fn path(&self, name: &str) -> String {
        self.0
            .join(name)
            .to_str()
            .expect("a temporary folder has a plain name")
            .to_owned()
    }

    /// Writes a file in it and returns its path.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, content).expect("a temporary file");
        path
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(super) fn parse(line: &str) -> Record<'static> {
    Record::parse(line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// Reads an event log, and checks that its numbers run from 0 without a gap.
pub fn read_log(path: impl AsRef<Path>) -> Vec<Record<'static>> {
    let text = fs::read_to_string(&path).expect("a log");
    let records: Vec<_> = text.lines().map(parse).collect();
    assert!(
        (0..records.len() as u64).eq(records.iter().map(|record| record.seq)),
        "no gap in seq"
    );
    records
}

/// Compares a text with the recorded one at `path`; `UPDATE_SNAPSHOTS=1` records it.
pub fn snapshot(path: impl AsRef<Path>, text: &str) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, text).expect("a snapshot that can be written");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == text,
        "{} differs, UPDATE_SNAPSHOTS=1 records it:\n{text}",
        path.as_ref().display()
    );
}
