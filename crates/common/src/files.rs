//! Files that an argument names, where `-` is standard input or standard output.
//!
//! A standard stream has one user: a second one is refused with one line.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{
    exit::{Failure, why},
    sys::{
        self,
        errors::is_closed_pipe,
        terminal::{self, Input, Stream},
    },
    text::visible_path,
};

/// Whether standard input has a reader.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Whether the path is `-`: a standard stream.
pub fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Standard input for this one reader, without std's buffer, which could hold a line that a wait for input would not
/// see.
///
/// # Errors
/// When it is not open, or has another reader (exit code 2).
pub fn standard_input(reader: &str) -> Result<Input, Failure> {
    claim_input(reader)?;
    terminal::input().map_err(|error| Failure::could_not_run("standard input", why(&error)))
}

/// Refuses a second reader.
fn claim_input(reader: &str) -> Result<(), Failure> {
    if IS_READ.swap(true, Ordering::Relaxed) {
        let why = "standard input has one reader, and another one is named";
        return Err(Failure::could_not_run(reader, why));
    }
    Ok(())
}

/// Opens a file for reading; `-` is standard input.
///
/// # Errors
/// `FILE: why`, when it cannot be opened, and when standard input has another reader (exit code 2).
pub fn open(path: &Path) -> Result<File, Failure> {
    if is_standard(path) {
        claim_input("-")?;
        let input = terminal::input_file();
        return input.map_err(|error| Failure::could_not_run("standard input", why(&error)));
    }
    sys::files::open(path).map_err(|error| Failure::could_not_run(visible_path(path), why(&error)))
}

/// Reads a file of at most `limit` bytes; `-` is standard input.
///
/// # Errors
/// `FILE: why`, when it cannot be read or is longer (exit code 2).
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    read_open(path, open(path)?, limit)
}

/// The same of a file that is open; `path` is its name in errors.
///
/// # Errors
/// As [`read`].
pub fn read_open(path: &Path, file: impl Read, limit: u64) -> Result<Vec<u8>, Failure> {
    let failed = |why: String| Failure::could_not_run(visible_path(path), why);
    let mut content = Vec::new();
    let read = file.take(limit + 1).read_to_end(&mut content);
    read.map_err(|error| failed(why(&error)))?;
    if content.len() as u64 > limit {
        return Err(failed(format!("longer than {limit} bytes")));
    }
    Ok(content)
}

/// Writes a file; `-` is standard output, whose end may be closed early.
///
/// # Errors
/// `FLAG FILE: why`, when it cannot be written (exit code 2).
pub fn write(
    flag: &str,
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let written = if is_standard(path) {
        terminal::output(Stream::Out).and_then(|output| whole(output, content))
    } else {
        File::create(path).and_then(|file| whole(file, content))
    };
    match written {
        Err(error) if is_standard(path) && is_closed_pipe(&error) => Ok(()),
        written => written.map_err(|error| {
            Failure::could_not_run(format!("{flag} {}", visible_path(path)), why(&error))
        }),
    }
}

fn whole(
    file: impl Write,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    content(&mut file)?;
    file.flush()
}
