//! Reads the command line, binds the name server's sockets, and runs the command.

use std::process::ExitCode;

use common::{
    app::{self, App},
    exit::{Failure, Summary},
    net,
};
use naming::{
    commands,
    config::Cli,
    names,
    server::{self, Control, Sockets},
    view,
};

fn main() -> ExitCode {
    app::main(view::of, |cli, app| commands::run(&cli, app, serve))
}

fn serve(cli: &Cli, app: &App) -> Result<Summary, Failure> {
    let (listen, settings) = cli.server()?;
    net::raise_descriptor_limit();
    let source = names::to_serve(&cli.options, app.journal())?;
    let sockets = Sockets::bind(listen, settings.workers)?;
    names::check_delegations(&cli.options, |ip| sockets.are_at(ip))?;
    let control = Control::default();
    let shutdown = app.catch_signals_and_report(control.on_signal())?;
    server::run(sockets, &settings, source, control, app.journal(), shutdown)
}
