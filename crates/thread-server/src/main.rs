//! Reads the command line, listens, and runs the server.

use std::{process::ExitCode, sync::Arc};

use common::{app, config::Options as _, event::Event, net, shutdown::SignalRequest};
use thread_server::{
    child,
    config::{Cli, Settings},
    server::ServerRecorder,
    tally::Tally,
};

fn main() -> ExitCode {
    if let Some(task) = child::task(std::env::args_os()) {
        return child::main(task);
    }
    app::main(
        |cli: &Cli| thread_server::view(cli.options.output().json),
        |cli, app| {
            let settings = Settings::new(cli.options)?;
            net::raise_descriptor_limit();
            let listener = net::listen(settings.listen, settings.backlog)?;
            let tally = Arc::new(Tally::new(settings.model));
            let (counts, grace) = (Arc::clone(&tally), settings.grace);
            let shutdown = app.catch_signals_and_report(move |request| match request {
                SignalRequest::SoFar => Some(Event::report(&counts.summary("so far"))),
                SignalRequest::Stopping => counts.stopping(grace),
                SignalRequest::Again => None,
            })?;
            let recorder = ServerRecorder {
                journal: app.journal(),
                tally: &tally,
            };
            thread_server::run(listener, &settings, &tally, &recorder, shutdown)
        },
    )
}
