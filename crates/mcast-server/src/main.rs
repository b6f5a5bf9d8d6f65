//! Reads the command line, joins the group, and runs the server.

use std::process::ExitCode;

use common::{
    app,
    config::Options as _,
    multicast::{Membership, Reach, Receiver, doctor},
};
use mcast_server::config::{Cli, Command};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| mcast_server::view(cli.options.output().json),
        |cli, app| {
            let wanted = cli.options.wanted();
            if let Some(Command::Doctor) = cli.command {
                let shutdown = app.catch_signals()?;
                return doctor::run(wanted, Reach::default(), app.journal(), shutdown);
            }
            let membership = Membership::new(wanted)?;
            let receiver = Receiver::join(&membership)?;
            mcast_server::run(receiver, &membership, app.journal(), app.catch_signals()?)
        },
    )
}
