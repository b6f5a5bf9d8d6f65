//! Reads the command line, listens, and runs the server.

use std::{process::ExitCode, sync::Arc};

use common::{app, event::Event, net, shutdown::Asked};
use thread_server::{
    child,
    config::{Cli, Settings},
    tally::Tally,
};

fn main() -> ExitCode {
    if let Some(task) = child::task(std::env::args_os()) {
        return child::main(task);
    }
    app::main(
        |_: &Cli| Box::new(thread_server::view),
        |cli, app| {
            let settings = Settings::new(cli.options)?;
            net::raise_descriptor_limit();
            let listener = net::listen(settings.listen, settings.backlog)?;
            let tally = Arc::new(Tally::new(settings.model));
            let (counted, grace) = (Arc::clone(&tally), settings.grace);
            let shutdown = app.catch_signals_and_report(move |asked| match asked {
                Asked::SoFar => Some(Event::report(&counted.summary("so far"))),
                Asked::Stopping => counted.stopping(grace),
                Asked::Again => None,
            })?;
            thread_server::run(listener, &settings, &tally, app.journal(), shutdown)
        },
    )
}
