//! Reads the command line, binds the socket of a node, and runs the subcommand.

use std::process::ExitCode;

use common::{app, exit::Failure};
use lamport::{
    command,
    config::Cli,
    node::{BoundSocket, FREE},
    view,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view::of(cli),
        |cli, app| {
            let typed = command::input(&cli)?;
            command::run(&cli, typed, app.journal(), &|| app.catch_signals(), bind)
        },
    )
}

fn bind(cli: &Cli) -> Result<BoundSocket, Failure> {
    BoundSocket::new(cli.transport(), cli.listen(FREE)?)
}
