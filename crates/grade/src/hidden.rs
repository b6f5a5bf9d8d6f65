//! The parts of this program that it starts itself: `inside` the outer sandbox, and the `start` of a submission in the
//! inner one. Their first argument says which; no subcommand is called so.

use std::{ffi::OsString, io, process::ExitCode};

use common::{app, exit::why};

use lamport::{
    command, config,
    node::{BoundSocket, FREE},
    view,
};

use crate::{inside, own, start::Start};

/// One of them.
#[derive(Debug)]
pub enum Part {
    /// The attacking part; its job is a line of JSON on standard input.
    Inside,
    /// A submission's start, with what to start.
    Start(OsString),
    /// `lamport`, under whose name this program was started: it runs nodes and checks logs.
    Lamport,
}

/// The part that these arguments ask for, if they do.
pub fn part(mut arguments: impl Iterator<Item = OsString>) -> Option<Part> {
    if arguments.next()? == own::LAMPORT {
        return Some(Part::Lamport);
    }
    match arguments.next()?.to_str()? {
        "inside" => Some(Part::Inside),
        "start" => Some(Part::Start(arguments.next()?)),
        _ => None,
    }
}

/// Does the part's work.
pub fn main(part: Part) -> ExitCode {
    let error = match part {
        Part::Lamport => return lamport_main(),
        Part::Inside => match inside::run(io::stdin().lock(), io::stdout()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error,
        },
        Part::Start(task) => match serde_json::from_slice::<Start>(task.as_encoded_bytes()) {
            Ok(start) => match start.become_it() {
                Ok(code) => return ExitCode::from(code),
                Err(error) => error,
            },
            Err(error) => error.into(),
        },
    };
    // The grader outside shows it.
    let _ = io::Write::write_all(&mut io::stderr(), format!("{}\n", why(&error)).as_bytes());
    // As a shell that cannot run a command.
    ExitCode::from(126)
}

/// What the program `lamport` does.
fn lamport_main() -> ExitCode {
    app::main(
        |cli: &config::Cli| view::of(cli),
        |cli, app| {
            let typed = command::input(&cli)?;
            let bind = |cli: &config::Cli| BoundSocket::new(cli.transport(), cli.listen(FREE)?);
            command::run(&cli, typed, app.journal(), &|| app.catch_signals(), bind)
        },
    )
}
