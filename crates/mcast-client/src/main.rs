//! Reads the command line, and runs the handout's client, a load, or the doctor.

use std::process::ExitCode;

use common::{
    app,
    config::Options as _,
    files,
    multicast::{doctor, view::view},
};
use mcast_client::{
    config::{Cli, Command, Settings},
    handout, load,
    sending::Senders,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view(handout::WORDS, cli.options.output().json),
        |cli, app| {
            if let Some(Command::Doctor) = cli.command {
                let (args, ttl) = (cli.options.membership(), cli.options.ttl);
                return doctor::run(args, ttl, app.journal(), app.catch_signals()?);
            }
            let settings = Settings::new(&cli.options)?;
            if let Some(load) = &settings.load {
                let senders = Senders::new(&settings, settings.membership.port)?;
                return load::run(senders, load, app.journal(), app.catch_signals()?);
            }
            let typed = files::standard_input("typed messages")?;
            let shutdown = app.catch_signals()?;
            handout::run(&settings, typed, app.journal(), shutdown)
        },
    )
}
