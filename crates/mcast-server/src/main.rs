//! Reads the command line, and runs the handout's server or the doctor.

use std::process::ExitCode;

use common::{
    app,
    config::Options as _,
    multicast::{Membership, doctor, view::view},
};
use mcast_server::{
    config::{Cli, Command},
    handout,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| view(handout::WORDS, cli.options.output().json),
        |cli, app| {
            let args = cli.options.membership();
            match cli.command {
                Some(Command::Doctor) => {
                    doctor::run(args, None, app.journal(), app.catch_signals()?)
                }
                None => handout::run(&Membership::new(args)?, app.journal(), app.catch_signals()?),
            }
        },
    )
}
