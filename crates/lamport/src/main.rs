//! Reads the command line and runs the subcommand.

use std::process::ExitCode;

use common::app;
use lamport::{command, config::Cli, view};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view::of(cli),
        |cli, app| {
            let typed = command::input(&cli)?;
            command::run(&cli, typed, app.journal(), &|| app.catch_signals())
        },
    )
}
