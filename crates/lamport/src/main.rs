//! Reads the command line and runs the handout's two clocks.

use std::process::ExitCode;

use common::app;
use lamport::config::Cli;

fn main() -> ExitCode {
    app::main(
        |_: &Cli| Box::new(lamport::view),
        |_, app| {
            app.catch_signals()?;
            lamport::run(app.journal())
        },
    )
}
