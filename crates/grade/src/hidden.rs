//! The parts of this program that it starts itself: `inside` the outer sandbox, the `start` of a submission in the inner
//! one, and `lamport`. Their first argument says which; no subcommand is called so.

use std::{ffi::OsString, io, process::ExitCode};

use common::{app, exit::why};

use lamport::{command, config, node, view};

use crate::{inside, own, start::Start};

/// One of them.
#[derive(Debug)]
pub enum Part {
    /// The attacking part; its job is a line of JSON on standard input.
    Inside,
    /// A submission's start, with what to start.
    Start(OsString),
    /// `lamport`, with its command line: it runs nodes and checks logs.
    Lamport(Vec<OsString>),
}

/// The part that these arguments ask for, if they do.
pub fn part(mut arguments: impl Iterator<Item = OsString>) -> Option<Part> {
    let first = arguments.nth(1)?;
    match first.to_str()? {
        own::LAMPORT => Some(Part::Lamport(
            [first].into_iter().chain(arguments).collect(),
        )),
        "inside" => Some(Part::Inside),
        "start" => Some(Part::Start(arguments.next()?)),
        _ => None,
    }
}

/// Does the part's work.
pub fn main(part: Part) -> ExitCode {
    let error = match part {
        Part::Lamport(arguments) => return lamport_main(arguments),
        Part::Inside => match inside::run(io::stdin().lock(), io::stdout()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => error,
        },
        Part::Start(task) => match Start::of_word(&task).and_then(|start| start.become_it()) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => error,
        },
    };
    // The grader outside shows it.
    let _ = io::Write::write_all(&mut io::stderr(), format!("{}\n", why(&error)).as_bytes());
    // As a shell that cannot run a command.
    ExitCode::from(126)
}

/// What the program `lamport` does.
fn lamport_main(arguments: Vec<OsString>) -> ExitCode {
    app::main_with(
        arguments,
        |cli: &config::Cli| view::of(cli),
        |cli, app| {
            let typed = command::input(&cli)?;
            let catch = || app.catch_signals();
            command::run(&cli, typed, app.journal(), &catch, node::bind)
        },
    )
}
