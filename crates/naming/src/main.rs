//! Reads the command line and the names, and answers.

use std::process::ExitCode;

use common::app;
use naming::{config::Cli, file, names::Names};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| naming::view(cli),
        |cli, app| {
            let names = match &cli.options.names {
                Some(path) => file::read(path)?,
                None => Names::of_the_handout(),
            };
            Ok(naming::run(
                &names,
                &cli.queries()?,
                app.journal(),
                app.catch_signals()?,
            ))
        },
    )
}
