//! Reads the command line, opens the sockets, and runs the client.

use std::{fs::File, io, os::fd::AsFd, process::ExitCode};

use common::{
    app,
    exit::{Failure, why},
    multicast::Receiver,
};
use mcast_client::{
    config::{Cli, Settings},
    sending::Senders,
};

fn main() -> ExitCode {
    app::main(
        |_: &Cli| Box::new(mcast_client::view),
        |cli, app| {
            let settings = Settings::new(cli.options)?;
            if !settings.messages.is_empty() {
                let senders = Senders::new(&settings, settings.membership.group.port())?;
                return mcast_client::send_and_end(
                    senders,
                    &settings.messages,
                    app.journal(),
                    app.catch_signals()?,
                );
            }
            let receiver =
                Receiver::join(settings.membership.group, &settings.membership.interface)?;
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
