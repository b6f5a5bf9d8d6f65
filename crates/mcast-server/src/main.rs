//! Reads the command line, joins the group, and runs the server.

use std::process::ExitCode;

use common::{app, multicast::Receiver};
use mcast_server::config::Cli;

fn main() -> ExitCode {
    app::main(
        |_: &Cli| Box::new(mcast_server::view),
        |cli, app| {
            let membership = cli.options.membership()?;
            let receiver = Receiver::join(membership.group, &membership.interface)?;
            mcast_server::run(receiver, &membership, app.journal(), app.catch_signals()?)
        },
    )
}
