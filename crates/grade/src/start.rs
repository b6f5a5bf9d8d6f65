//! The last step before a submission runs: limits of the process, then its command in this process's place.

use std::{
    ffi::{OsStr, OsString},
    io,
};

use common::sys::{
    processes::{NEEDED_VARIABLES, replace_this, shell},
    sandbox::{self, OUTPUT_IS_TERMINAL, run_as_first},
};
use serde::{Deserialize, Serialize};

use crate::{
    limits::Limits,
    sandbox::{Isolation, Walls},
};

/// The variables of the grader's environment that a submission gets: where compilers and interpreters are, and no secrets.
const INHERITED: [&str; 16] = [
    "PATH",
    "HOME",
    "LD_LIBRARY_PATH",
    "JAVA_HOME",
    "GOROOT",
    "GOPATH",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "PYENV_ROOT",
    "PYENV_VERSION",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "NODE_PATH",
    "RBENV_ROOT",
    "GEM_HOME",
];

/// What to start.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Start {
    /// The command, for a shell.
    pub command: String,
    /// The longest file that it may write, in bytes.
    pub file: u64,
    /// Memory of each of its processes, in bytes.
    pub memory: u64,
    /// How many processes and threads it may have, where its user namespace counts them.
    pub processes: Option<u64>,
    /// Whether this process is the first of its namespace: it stays, and takes the processes that leave their parents.
    pub is_first: bool,
    /// The mark in its environment.
    pub mark: String,
}

/// The mark in the environment of all processes of a submission, by which those that have left their parent are found
/// where there is no sandbox.
pub fn mark() -> String {
    format!("GRADED_BY={}", std::process::id())
}

impl Start {
    /// The start of this command in this sandbox.
    pub fn of(command: &str, walls: &Walls, limits: Limits) -> Self {
        let is_counted = walls.isolation == Isolation::Bubblewrap;
        Self {
            command: command.to_owned(),
            file: limits.disk,
            memory: limits.memory,
            processes: is_counted.then_some(limits.processes + 64),
            is_first: walls.isolation == Isolation::Unshare,
            mark: mark(),
        }
    }

    /// The words that ask this program for it; no command interpreter changes them.
    ///
    /// # Errors
    /// When they cannot be written as JSON.
    pub fn words(&self, walls: &Walls) -> io::Result<[OsString; 3]> {
        let json = serde_json::to_vec(self)?;
        let digits: String = json.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok([walls.grader.clone().into(), "start".into(), digits.into()])
    }

    /// What [`Self::words`] asks for.
    ///
    /// # Errors
    /// When it is nothing.
    pub fn of_word(word: &OsStr) -> io::Result<Self> {
        let pairs = word.as_encoded_bytes().chunks(2).map(|pair| {
            let digits = str::from_utf8(pair).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        let json: Option<Vec<u8>> = pairs.collect();
        Ok(serde_json::from_slice(&json.unwrap_or_default())?)
    }

    /// Becomes the submission, or, as the first process of its namespace, waits for it and returns its exit code.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn become_it(&self) -> io::Result<u8> {
        let limits = sandbox::Limits {
            file: self.file,
            // A shell's loop could outrun the watch over all processes; one process cannot outrun this.
            memory: 4 * self.memory,
            processes: self.processes,
        };
        limits.apply()?;
        let mut command = shell(&self.command);
        command.env_clear();
        for name in INHERITED.iter().chain(NEEDED_VARIABLES) {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        if let Some((name, value)) = self.mark.split_once('=') {
            command.env(name, value);
        }
        command
            .envs([("LANG", "C.UTF-8"), ("TERM", "dumb"), ("NO_COLOR", "1")])
            .env("PYTHONDONTWRITEBYTECODE", "1");
        if OUTPUT_IS_TERMINAL {
            command.env("TMPDIR", "/tmp");
        } else {
            // To a pipe it would print only once it has much.
            command.env("PYTHONUNBUFFERED", "1");
        }
        if self.is_first {
            run_as_first(command)
        } else {
            Err(replace_this(&mut command, None))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn what_is_to_start_is_asked_for_in_words_that_no_shell_changes() {
        let walls = Walls {
            isolation: Isolation::None,
            grader: PathBuf::from("grade"),
            folder: PathBuf::from("."),
            is_copied: false,
            masks: Vec::new(),
            disk: 1,
            group: None,
        };
        let command = "echo \"50% & more\" > 'a file' # \u{e9}";
        let start = Start::of(command, &walls, Limits::default());
        let words = start.words(&walls).unwrap();
        assert!(
            words[2]
                .to_str()
                .unwrap()
                .chars()
                .all(|one| one.is_ascii_alphanumeric())
        );
        let again = Start::of_word(&words[2]).unwrap();
        assert_eq!(again.command, command);
        assert!(Start::of_word(OsStr::new("7b7")).is_err());
        assert!(Start::of_word(OsStr::new("zz")).is_err());
    }
}
