//! Reads the command line, listens, and runs the server.

use std::process::ExitCode;

use common::{app, net};
use thread_server::config::{Cli, Settings};

fn main() -> ExitCode {
    app::main(
        |_: &Cli| Box::new(thread_server::view),
        |cli, app| {
            let settings = Settings::new(cli.options)?;
            net::raise_descriptor_limit();
            let listener = net::listen(settings.listen, settings.backlog)?;
            thread_server::run(listener, &settings, app.journal(), app.catch_signals()?)
        },
    )
}
