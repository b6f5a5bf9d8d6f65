//! Reads the command line, binds the socket of a node, and runs the subcommand.

use std::process::ExitCode;

use common::app;
use lamport::{command, config::Cli, node, view};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view::of(cli),
        |cli, app| {
            let typed = command::input(&cli)?;
            let catch = || app.catch_signals();
            command::run(&cli, typed, app.journal(), &catch, node::bind)
        },
    )
}
