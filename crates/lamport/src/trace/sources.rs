//! The sources of logs: files, folders, gzip, UTF-16.

use std::{
    collections::HashSet,
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use common::{
    exit::{Failure, why},
    files,
    text::{natural, visible, visible_path},
};
use flate2::bufread::MultiGzDecoder;

use super::utf16::{ByteOrder, FromUtf16};

/// A log to read.
#[derive(Debug)]
pub struct Source {
    /// The path.
    pub path: PathBuf,
    /// The path, safe to print.
    pub shown: String,
    /// Whether it was found in a folder.
    pub(super) is_found: bool,
}

/// The logs to read.
#[derive(Debug, Default)]
pub struct Found {
    /// They.
    pub sources: Vec<Source>,
    /// What was passed over, and why, safe to print: the first files of each folder that have other names.
    pub passed_over: Vec<(String, String)>,
}

/// The file name extensions of logs. The number or date of a rotated log may follow each, and `.gz`.
const ENDINGS: [&str; 7] = [
    ".log", ".txt", ".json", ".jsonl", ".ndjson", ".out", ".shiviz",
];

/// How many files that were passed over are named.
const NAMED: usize = 5;

/// The first bytes of gzip (RFC 1952 section 2.3.1).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The size of the read buffer, in bytes; larger reads pass it by.
const BUFFER: usize = 64 << 10;

/// The files, and the files in folders that are logs by their names; without duplicates.
///
/// # Errors
/// When a file does not exist, or a folder contains no log (exit code 2).
pub fn find(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Vec::new();
    let mut passed_over = Vec::new();
    for path in paths {
        let failed = |error: io::Error| failed(path, &error);
        if files::is_standard(path) || !fs::metadata(path).map_err(failed)?.is_dir() {
            found.push((path.clone(), false));
            continue;
        }
        let (mut inside, mut others) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if is_log(&name.to_string_lossy()) && entry.path().is_file() {
                inside.push((entry.path(), true));
            } else {
                let end = if entry.path().is_dir() { "/" } else { "" };
                others.push(visible(name.as_encoded_bytes()) + end);
            }
        }
        others.sort_by(|a, b| natural(a, b));
        let others = in_words(&others);
        if inside.is_empty() {
            let passed = match others.as_str() {
                "" => String::new(),
                others => format!("; passed over: {others}"),
            };
            let why = format!(
                "no log in it ({}, each also rotated and .gz){passed}",
                ENDINGS.join(", ")
            );
            return Err(Failure::could_not_run(visible_path(path), why));
        }
        if !others.is_empty() {
            passed_over.push((visible_path(path), format!("not named as a log: {others}")));
        }
        inside.sort();
        found.append(&mut inside);
    }
    let mut seen = HashSet::new();
    found.retain(|(path, _)| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    let source = |(path, is_found): (PathBuf, bool)| Source {
        shown: visible_path(&path),
        path,
        is_found,
    };
    Ok(Found {
        sources: found.into_iter().map(source).collect(),
        passed_over,
    })
}

fn in_words(names: &[String]) -> String {
    let first = &names[..names.len().min(NAMED)];
    match names.len() - first.len() {
        0 => first.join(", "),
        more => format!("{}, and {more} more", first.join(", ")),
    }
}

/// Whether a file is a log by its name: `x.log`, `x.log.gz`, and as programs rotate logs `x.log.1`, `x.log.2.gz`, `x.log-20261125`,
/// `x.log.2026-11-25`, `x.log.old`.
fn is_log(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let after = |ending: &&str| Some(&name[name.rfind(*ending)? + ending.len()..]);
    ENDINGS
        .iter()
        .filter_map(after)
        .any(|rest| rest.is_empty() || is_rotation(rest))
}

/// Whether what follows a name is the number or date of a rotated log.
fn is_rotation(rest: &str) -> bool {
    let is_date = |letter: char| letter.is_ascii_digit() || "-_.t:z".contains(letter);
    let ends = rest.ends_with(|letter: char| letter.is_ascii_digit() || letter == 'z');
    rest == ".old" || rest.starts_with(['.', '-', '_']) && ends && rest.chars().all(is_date)
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
        let mut text: Box<dyn BufRead + Send> = match file.fill_buf()?.starts_with(&GZIP) {
            true => {
                let decompressed: Box<dyn Read + Send> = Box::new(MultiGzDecoder::new(file));
                Box::new(BufReader::with_capacity(BUFFER, decompressed))
            }
            false => Box::new(file),
        };
        // An error in a compressed file is reported when it is read.
        let order = text.fill_buf().ok().and_then(ByteOrder::of);
        if let Some(order) = order {
            let converted = FromUtf16::new(text, order);
            return Ok(Box::new(BufReader::with_capacity(BUFFER, converted)));
        }
        Ok(text)
    }

    /// Whether it may be something else than a log: found in a folder, with a name that other files have too.
    pub(super) fn may_be_other(&self) -> bool {
        let name = self.shown.to_ascii_lowercase();
        self.is_found
            && [".json", ".txt"]
                .iter()
                .any(|ending| name.ends_with(ending))
    }

    /// The name of the file without its folder.
    pub(super) fn stem(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::is_log;

    #[test]
    fn logs_by_their_names() {
        for name in [
            "x.log",
            "x.LOG",
            "x.txt",
            "x.json",
            "x.jsonl",
            "x.ndjson",
            "x.out",
            "x.shiviz",
            "x.log.gz",
            "x.log.1",
            "x.log.12.gz",
            "x.log-20261125",
            "x.log-20261125.gz",
            "x.log.2026-11-25",
            "x.log.2026-11-25_17",
            "x.log-2026-11-25T17:25:54Z",
            "x.log.old",
            "x.1.log",
            "x.out-20261125",
            "x.txt.3",
            "p.log.1.jsonl",
            "nohup.out",
        ] {
            assert!(is_log(name), "{name}");
        }
        for name in [
            "",
            "log",
            "x.md",
            "x.html",
            "x.log.bak",
            "x.log.zst",
            "x.svg",
            "x1",
            "x.1",
            "catalog",
            "x.logs",
            "x.log.1.html",
            "x.log1",
            "x.gz",
            "x.tar.gz",
            "20261125",
        ] {
            assert!(!is_log(name), "{name}");
        }
    }
}
