//! The sources of logs: files, folders, gzip.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use common::{
    exit::{Failure, why},
    files,
    text::visible_path,
};
use flate2::bufread::MultiGzDecoder;

/// A log to read.
#[derive(Debug)]
pub struct Source {
    /// The path.
    pub path: PathBuf,
    /// The path, safe to print.
    pub shown: String,
}

/// The file name extensions of logs; `.gz` may follow each.
const ENDINGS: [&str; 3] = [".jsonl", ".log", ".txt"];

/// The first bytes of gzip (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The size of the read buffer, in bytes.
const BUFFER: usize = 1 << 20;

/// The files, and the files in folders that are logs by their names; without duplicates.
///
/// # Errors
/// When a file does not exist, or a folder contains no log (exit code 2).
pub fn find(paths: &[PathBuf]) -> Result<Vec<Source>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        let failed = |error: io::Error| failed(path, &error);
        if files::is_standard(path) || !fs::metadata(path).map_err(failed)?.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if is_log(&entry.file_name().to_string_lossy()) && entry.path().is_file() {
                inside.push(entry.path());
            }
        }
        if inside.is_empty() {
            let why = format!("no event log in it ({}, each also .gz)", ENDINGS.join(", "));
            return Err(Failure::could_not_run(visible_path(path), why));
        }
        inside.sort();
        found.append(&mut inside);
    }
    let mut seen = HashSet::new();
    found.retain(|path| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    let source = |path: PathBuf| Source {
        shown: visible_path(&path),
        path,
    };
    Ok(found.into_iter().map(source).collect())
}

fn is_log(name: &str) -> bool {
    let name = name.strip_suffix(".gz").unwrap_or(name);
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn open(path: &Path) -> io::Result<File> {
    match files::is_standard(path) {
        true => files::open(path).map_err(|failure| io::Error::other(failure.why)),
        false => File::open(path),
    }
}

/// The failure of reading a file (exit code 2).
pub(super) fn failed(path: &Path, error: &io::Error) -> Failure {
    Failure::could_not_run(visible_path(path), why(error))
}

impl Source {
    /// Opens it; a compressed file is decompressed while it is read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> io::Result<Box<dyn BufRead + Send>> {
        let mut file = BufReader::with_capacity(BUFFER, open(&self.path)?);
        if file.fill_buf()?.starts_with(&GZIP) {
            let decompressed: Box<dyn Read + Send> = Box::new(MultiGzDecoder::new(file));
            return Ok(Box::new(BufReader::with_capacity(BUFFER, decompressed)));
        }
        Ok(Box::new(file))
    }
}
