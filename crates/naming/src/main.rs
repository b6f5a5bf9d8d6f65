//! Reads the command line and the names, and answers, changes or serves them.

use std::{process::ExitCode, sync::Arc};

use common::{
    app::{self, App},
    event::{Event, Kind},
    exit::{Failure, Summary},
    net,
    shutdown::Asked,
    text::visible_path,
};
use naming::{
    ask, change,
    config::{Cli, Command},
    dns::key,
    read_names,
    server::{self, Again, Counts, Job, Sockets, Source},
    store::Store,
};

fn main() -> ExitCode {
    app::main(
        |cli: &Cli| naming::view(cli),
        |cli, app| {
            let journal = app.journal();
            match &cli.command {
                Some(Command::Serve) => serve(cli, app),
                Some(Command::Resolve { asked, rtype }) => {
                    ask::server(&cli, asked, rtype.as_deref(), journal, app.catch_signals()?)
                }
                Some(Command::List | Command::Tree | Command::Export) => {
                    ask::all(&cli, &read_names(&cli)?, journal, app.catch_signals()?)
                }
                Some(Command::Explain { .. }) => ask::explain(&cli, &read_names(&cli)?, journal),
                Some(Command::Import { file }) => change::import(&cli, file, journal),
                Some(Command::Keygen { key_name }) => {
                    let text = key::generate(key_name, cli.options.key.as_deref())?;
                    match &cli.options.key {
                        Some(path) => journal.record(
                            Event::new(Kind::Local)
                                .text(format!("key {key_name} in {}", visible_path(path))),
                        ),
                        None => text
                            .lines()
                            .for_each(|line| journal.record(Event::new(Kind::Resolve).text(line))),
                    }
                    Ok(Summary::done("1 key"))
                }
                Some(
                    Command::Register { .. }
                    | Command::Unregister { .. }
                    | Command::Rename { .. }
                    | Command::Link { .. },
                ) => change::make(&cli, journal, app.catch_signals()?),
                _ => ask::names(&cli, &read_names(&cli)?, journal, app.catch_signals()?),
            }
        },
    )
}

fn serve(cli: Cli, app: &App) -> Result<Summary, Failure> {
    let journal = app.journal();
    let (listen, settings) = cli.server()?;
    net::raise_descriptor_limit();
    let source = source(cli, journal)?;
    let sockets = Sockets::bind(listen, settings.workers)?;
    let counts = Arc::new(Counts::default());
    let (jobs, work) = server::jobs();
    let (again, counted) = (jobs.clone(), Arc::clone(&counts));
    let shutdown = app.catch_signals_and_hangup(move |asked| match asked {
        Asked::SoFar => Some(Event::report(&counted.summary("so far "))),
        Asked::Stopping => None,
        Asked::Again => {
            // When so much work waits, one more request to read the names changes nothing.
            let _ = again.try_send(Job::Again);
            None
        }
    })?;
    server::run(
        sockets,
        &settings,
        source,
        (jobs, work),
        &counts,
        journal,
        shutdown,
    )
}

/// The names to serve: those of the store, or of the file, which fills a new store.
fn source(cli: Cli, journal: &common::journal::Journal) -> Result<Source, Failure> {
    let mounts = cli.options.mount.clone().unwrap_or_default();
    let serial = ask::serial_of_now();
    let Some(path) = &cli.options.store else {
        let space = read_names(&cli)?;
        let again = cli.options.names.clone().map(|path| Again {
            path,
            read: Box::new(move || read_names(&cli)),
        });
        return Ok(Source {
            space,
            store: None,
            serial,
            again,
        });
    };
    let store = Store::open(path)?;
    let (space, serial) = match store.serial()? {
        Some(serial) => {
            if let Some(names) = &cli.options.names {
                let text = format!(
                    "{} has the names; {} is not read, it only fills a new store",
                    visible_path(path),
                    visible_path(names)
                );
                journal.record(Event::new(Kind::Local).text(text));
            }
            (store.load()?, serial)
        }
        None => {
            let space = match &cli.options.names {
                Some(names) => naming::file::read(names)?,
                None => naming::names::of_the_handout(),
            };
            store.fill(&space, serial)?;
            (space, serial)
        }
    };
    Ok(Source {
        space: naming::mount(&mounts, space)?,
        store: Some(store),
        serial,
        again: None,
    })
}
