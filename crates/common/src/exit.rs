//! How a program ends: the exit codes, the one line of a failure, and the summary of a run.

use std::{collections::BTreeMap, fmt, io, process::ExitCode};

use crate::sys::errors;

/// The exit code of every program of the lab.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: it ran, and the answer is no: a name not found, a client that failed, too few messages.
    No = 1,
    /// 2: it could not run: usage, configuration, address in use, unreadable input.
    CouldNotRun = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a program did not do what it was asked to; shown as one line, `program: what: why`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// The code to end with.
    pub exit: Exit,
    /// What was being done, or to what: `listen on 127.0.0.1:12345`.
    pub what: String,
    /// Why it failed, and what to do about it where that is obvious; no full stop.
    pub why: String,
}

impl Failure {
    /// A failure that kept the program from running at all (exit code 2).
    pub fn could_not_run(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self {
            exit: Exit::CouldNotRun,
            what: what.to_string(),
            why: why.to_string(),
        }
    }

    /// A negative answer of a program that did run (exit code 1).
    pub fn no(what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self {
            exit: Exit::No,
            what: what.to_string(),
            why: why.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl std::error::Error for Failure {}

/// What a run came to: the last words of a program and the code it ends with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Summary {
    /// The code to end with.
    pub exit: Exit,
    /// One line for people.
    pub text: String,
    /// The same for machines; each name says its unit where it has one (`elapsed_us`).
    pub counts: BTreeMap<String, u64>,
}

impl Summary {
    /// A run that did what it was asked to.
    pub fn done(text: impl Into<String>) -> Self {
        Self {
            exit: Exit::Done,
            text: text.into(),
            counts: BTreeMap::new(),
        }
    }

    /// The same summary with one more count.
    #[must_use]
    pub fn count(mut self, name: &str, value: u64) -> Self {
        self.counts.insert(name.to_owned(), value);
        self
    }

    /// The same summary with another exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same summary without its text, which was recorded as a report already and is not printed again.
    #[must_use]
    pub fn reported(mut self) -> Self {
        self.text.clear();
        self
    }
}

/// The reason of an I/O error in plain words: no error number, no capital, no full stop.
pub fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".into(),
        io::ErrorKind::AddrNotAvailable => "no such address on this machine".into(),
        io::ErrorKind::NotFound => "no such file".into(),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let text = match error.raw_os_error() {
                Some(_) => errors::words(error, text),
                None => text,
            };
            let mut letters = text.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_one_line() {
        let failure = Failure::could_not_run(
            "listen on 127.0.0.1:1",
            why(&io::Error::from_raw_os_error(13)),
        );
        assert_eq!(
            failure.to_string(),
            "listen on 127.0.0.1:1: permission denied"
        );
    }

    #[test]
    fn codes_are_the_contract() {
        assert_eq!(
            [Exit::Done as u8, Exit::No as u8, Exit::CouldNotRun as u8],
            [0, 1, 2]
        );
    }
}
