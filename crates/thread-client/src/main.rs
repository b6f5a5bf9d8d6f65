//! Reads the command line, resolves the server's name, and runs the client.

use std::{
    io::{IsTerminal, stderr},
    net::SocketAddr,
    process::ExitCode,
};

use common::{app, endpoint, net};
use thread_client::config::{Cli, Settings};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| thread_client::view(&cli.options),
        |cli, app| {
            let show_progress = stderr().is_terminal() && cli.options.quiet != Some(true);
            let settings = Settings::new(cli.options)?;
            net::raise_descriptor_limit();
            let addresses = endpoint::connect(
                "--connect",
                &settings.connect,
                SocketAddr::from(net::SERVER),
            )?;
            let shutdown = app.catch_signals()?;
            thread_client::run(
                &addresses,
                &settings,
                app.journal(),
                shutdown,
                show_progress,
            )
        },
    )
}
