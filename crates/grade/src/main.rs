//! Reads the command line and grades; or is the part of itself that runs inside a sandbox.

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
};

use common::app;
use grade::{command, config::Cli, hidden, view};

fn main() -> ExitCode {
    if let Some(part) = hidden::part(std::env::args_os()) {
        return hidden::main(part);
    }
    app::main(
        |_: &Cli| view::new(),
        |cli, app| {
            let show_progress = stderr().is_terminal() && cli.options.quiet != Some(true);
            command::run(cli, app.journal(), &|| app.catch_signals(), show_progress)
        },
    )
}
