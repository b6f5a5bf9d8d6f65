//! The parts of this program that it starts itself: `inside` the outer sandbox, and the `start` of a submission in the
//! inner one. Their first argument says which; no subcommand is called so.

use std::{ffi::OsString, io, process::ExitCode};

use common::exit::why;

use crate::{inside, start::Start};

/// One of them.
#[derive(Debug)]
pub enum Part {
    /// The attacking part; its job is a line of JSON on standard input.
    Inside,
    /// A submission's start, with what to start.
    Start(OsString),
}

/// The part that these arguments ask for, if they do.
pub fn part(mut arguments: impl Iterator<Item = OsString>) -> Option<Part> {
    match arguments.nth(1)?.to_str()? {
        "inside" => Some(Part::Inside),
        "start" => Some(Part::Start(arguments.next()?)),
        _ => None,
    }
}

/// Does the part's work.
pub fn main(part: Part) -> ExitCode {
    let error = match part {
        Part::Inside => match inside::run(io::stdin().lock(), io::stdout()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error,
        },
        Part::Start(task) => match serde_json::from_slice::<Start>(task.as_encoded_bytes()) {
            Ok(start) => start.become_it(),
            Err(error) => error.into(),
        },
    };
    // The grader outside shows it.
    let _ = io::Write::write_all(&mut io::stderr(), format!("{}\n", why(&error)).as_bytes());
    // As a shell that cannot run a command.
    ExitCode::from(126)
}
