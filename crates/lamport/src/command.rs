//! Runs the subcommand of the command line.

use std::fs::File;

use common::{
    exit::{Failure, Summary},
    files,
    journal::Journal,
    shutdown::Shutdown,
};

use crate::{
    check,
    config::{Cli, Command},
    handout,
    node::{BoundSocket, command::Plan},
    run, simulate,
    trace::{self, args::TraceArgs},
};

/// The input of a subcommand that reads typed commands.
///
/// # Errors
/// When standard input is not there, or already read (exit code 2).
pub fn input(cli: &Cli) -> Result<Option<File>, Failure> {
    let reads = matches!(cli.command, Some(Command::Node { .. }));
    reads
        .then(|| files::standard_input("typed commands"))
        .transpose()
}

/// Runs the subcommand, or the handout's two clocks. `shutdown` makes the signals end the run; `bind` binds the socket of a
/// node.
///
/// # Errors
/// When it cannot run so (exit code 2).
pub fn run<'app>(
    cli: &Cli,
    typed: Option<File>,
    journal: &Journal,
    shutdown: &dyn Fn() -> Result<&'app Shutdown, Failure>,
    bind: impl FnOnce(&Cli) -> Result<BoundSocket, Failure>,
) -> Result<Summary, Failure> {
    match &cli.command {
        None => handout::run(journal),
        // It holds nothing that a signal could lose, and may wait for a pipe.
        Some(Command::Trace(files)) => {
            let args = TraceArgs::new(files, &cli.options)?;
            trace::command::run(cli, &args, journal)
        }
        Some(Command::Simulate { algorithm }) => {
            simulate::command::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Check { algorithm }) => {
            check::command::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Explore { algorithm }) => {
            check::explore::run(cli, *algorithm, journal, shutdown()?)
        }
        Some(Command::Run { algorithm }) => {
            let settings = run::Settings::new(cli, *algorithm)?;
            run::run(&settings, journal, shutdown()?)
        }
        Some(Command::Node { algorithm, managed }) => {
            let plan = Plan::new(cli, *algorithm, *managed)?;
            let bound = bind(cli)?;
            let typed = typed.expect("a node reads typed commands");
            plan.run(cli, &bound, typed, journal, shutdown()?)
        }
    }
}
