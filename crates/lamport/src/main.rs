//! Reads the command line and does what it says.

use std::{fs::File, io, os::fd::AsFd, process::ExitCode};

use common::{
    app,
    exit::{Failure, why},
};
use lamport::{
    check,
    config::{Cli, Command},
    node::{Bound, command::Plan},
    run, simulate, trace, view,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view::of(cli),
        |cli, app| {
            let journal = app.journal();
            let shutdown = || app.catch_signals();
            if !matches!(
                cli.command,
                Some(Command::Check { .. } | Command::Explore { .. })
            ) {
                cli.nothing_of_check()?;
            }
            match &cli.command {
                None => lamport::handout(journal),
                // It holds nothing that a signal could lose, and may wait for a pipe.
                Some(Command::Trace(asked)) => trace::command::run(&cli, asked, journal),
                Some(Command::Simulate { algorithm }) => {
                    simulate::command::run(&cli, *algorithm, journal, shutdown()?)
                }
                Some(Command::Check { algorithm }) => {
                    check::command::run(&cli, *algorithm, journal, shutdown()?)
                }
                Some(Command::Explore { algorithm }) => {
                    check::explore::run(&cli, *algorithm, journal, shutdown()?)
                }
                Some(Command::Run { algorithm }) => {
                    let settings = run::Settings::new(&cli, *algorithm)?;
                    run::run(&settings, journal, shutdown()?)
                }
                Some(Command::Node { algorithm, managed }) => {
                    let plan = Plan::new(&cli, *algorithm, *managed)?;
                    let transport = cli.options.transport.unwrap_or_default();
                    let bound = Bound::new(transport, Plan::listen(&cli))?;
                    // Read without std's buffer, which could hold a line that a wait for input would not see.
                    let typed = io::stdin().as_fd().try_clone_to_owned();
                    let typed = typed
                        .map_err(|error| Failure::could_not_run("standard input", why(&error)))?;
                    plan.run(&cli, &bound, File::from(typed), journal, shutdown()?)
                }
            }
        },
    )
}
