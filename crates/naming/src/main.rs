//! Reads the command line, binds the name server's sockets, and runs the command.

use std::{
    io::{IsTerminal, stderr},
    process::ExitCode,
    sync::Arc,
};

use common::{
    app::{self, App},
    event::Event,
    exit::{Failure, Summary},
    files, net,
    process::node::transport::BoundSocket,
    shutdown::SignalRequest,
};
use naming::{
    commands,
    config::{Cli, Command},
    location::schemes::LocationScheme,
    names, recursive, ring, run,
    server::{self, Control, Sockets},
    view,
};

fn main() -> ExitCode {
    app::main(view::of, |cli, app| {
        let show_progress = stderr().is_terminal() && cli.options.quiet != Some(true);
        commands::run(&cli, app, serve, show_progress)
    })
}

fn serve(cli: &Cli, app: &App) -> Result<Summary, Failure> {
    match cli.command {
        Some(Command::Chord) => return chord(cli, app),
        Some(Command::Run { scheme, managed }) => return run_processes(cli, scheme, managed, app),
        _ => {}
    }
    if let Some((listen, settings)) = cli.recursive_server()? {
        net::raise_descriptor_limit();
        let sockets = Sockets::bind(listen, 1)?;
        let counts = Arc::new(recursive::Counts::default());
        let so_far = Arc::clone(&counts);
        let shutdown = app.catch_signals_and_report(move |request| {
            let asked = request == SignalRequest::SoFar;
            asked.then(|| Event::report(&so_far.summary("so far ")))
        })?;
        return recursive::run(sockets, &settings, &counts, app.journal(), shutdown);
    }
    let (listen, settings) = cli.server()?;
    net::raise_descriptor_limit();
    let source = names::to_serve(&cli.options, app.journal())?;
    let sockets = Sockets::bind(listen, settings.workers)?;
    names::check_delegations(&cli.options, |ip| sockets.are_at(ip))?;
    let control = Control::default();
    let shutdown = app.catch_signals_and_report(control.on_signal())?;
    server::run(sockets, &settings, source, control, app.journal(), shutdown)
}

fn chord(cli: &Cli, app: &App) -> Result<Summary, Failure> {
    if let Some(nodes) = cli.options.ring {
        return run::run(&cli.ring(nodes)?, app.journal(), app.catch_signals()?);
    }
    let plan = cli.node()?;
    let listen = cli.node_address(&plan)?;
    let input = files::standard_input("typed commands")?;
    let bound = BoundSocket::udp(listen)?;
    plan.run((&bound, listen), input, app.journal(), app.catch_signals()?)
}

fn run_processes(
    cli: &Cli,
    scheme: LocationScheme,
    managed: bool,
    app: &App,
) -> Result<Summary, Failure> {
    if !managed {
        return run::run(&cli.run(scheme)?, app.journal(), app.catch_signals()?);
    }
    let plan = cli.process_of_run(scheme)?;
    let input = files::standard_input("lines of the supervisor")?;
    let bound = BoundSocket::udp(ring::FREE)?;
    plan.run(&bound, input, app.journal(), app.catch_signals()?)
}
