//! Reads the command line, resolves the server's name, and runs the client.

use std::process::ExitCode;

use common::{app, net};
use thread_client::config::{Cli, Settings};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| thread_client::view(cli.options.clients.unwrap_or(1)),
        |cli, app| {
            let settings = Settings::new(cli.options)?;
            net::raise_descriptor_limit();
            let addresses = net::resolve("--connect", &settings.connect)?;
            thread_client::run(&addresses, &settings, app.journal(), app.catch_signals()?)
        },
    )
}
