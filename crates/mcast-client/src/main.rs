//! Reads the command line, opens the sockets, and runs the client.

use std::{fs::File, io, os::fd::AsFd, process::ExitCode};

use common::{
    app,
    config::Options as _,
    exit::{Failure, why},
    multicast::{Receiver, doctor},
};
use mcast_client::{
    config::{Cli, Command, Settings},
    load,
    sending::Senders,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| mcast_client::view(cli.options.output().json),
        |cli, app| {
            if let Some(Command::Doctor) = cli.command {
                let (wanted, reach) = (cli.options.wanted(), cli.options.reach());
                return doctor::run(wanted, reach, app.journal(), app.catch_signals()?);
            }
            let settings = Settings::new(&cli.options)?;
            if let Some(load) = &settings.load {
                let senders = Senders::new(&settings, settings.membership.port)?;
                return load::run(senders, load, app.journal(), app.catch_signals()?);
            }
            let receiver = Receiver::join(&settings.membership)?;
            let senders = Senders::new(&settings, receiver.group.port())?;
            // Read without std's buffer, which could hold a line that a wait for input would not see.
            let typed = io::stdin().as_fd().try_clone_to_owned();
            let typed =
                typed.map_err(|error| Failure::could_not_run("standard input", why(&error)))?;
            mcast_client::run(
                receiver,
                senders,
                File::from(typed),
                &settings.membership,
                app.journal(),
                app.catch_signals()?,
            )
        },
    )
}
