//! From the command line to the command.

use std::io::{self, IsTerminal};

use common::{
    app::App,
    config::Options as _,
    event::{Event, Kind, Level},
    exit::{Failure, Summary},
    files,
    sys::replacing::HAS_MODES,
    text::visible_path,
};

use crate::{
    ask, change, check, compare,
    config::{Cli, Command},
    delegate,
    dns::key,
    iterate,
    names::read,
    simulate, stored,
};

/// Runs the command; without one, the handout's program. `serve` binds the sockets of the name server, or of
/// a node, and runs it;
/// `show_progress` is whether somebody sees standard error.
///
/// # Errors
/// As the command (exit code 1 or 2).
pub fn run(
    cli: &Cli,
    app: &App,
    serve: impl FnOnce(&Cli, &App) -> Result<Summary, Failure>,
    show_progress: bool,
) -> Result<Summary, Failure> {
    let (journal, options) = (app.journal(), &cli.options);
    // Signals are caught once the names are read: until then there is nothing that a signal could lose.
    match &cli.command {
        None => Ok(ask::handout(&read(options)?, journal)),
        Some(Command::Serve | Command::Chord | Command::Run { .. }) => serve(cli, app),
        Some(Command::Flat { .. } | Command::Structured { .. }) => {
            ask::resolve(cli, &read(options)?, journal, app.catch_signals()?)
        }
        Some(Command::List) => Ok(ask::list(&read(options)?, journal, app.catch_signals()?)),
        Some(Command::Tree) => Ok(ask::tree(&read(options)?, journal, app.catch_signals()?)),
        Some(Command::Explain { .. }) => ask::explain(cli, &read(options)?, journal),
        Some(Command::Compare) => compare::run(
            &cli.comparison()?,
            journal,
            app.catch_signals()?,
            show_progress,
        ),
        Some(Command::Simulate { scheme }) => {
            simulate::command::run(&cli.simulation(*scheme)?, journal, app.catch_signals()?)
        }
        Some(Command::Check { scheme }) => {
            let output = options.output();
            let shows_progress = !output.json && !output.quiet && io::stdout().is_terminal();
            let settings = cli.check(*scheme)?;
            check::command::run(&settings, journal, app.catch_signals()?, shows_progress)
        }
        Some(Command::Export) => ask::export(cli, &read(options)?, journal, app.catch_signals()?),
        Some(Command::Import { file }) => change::import(cli, file, journal),
        Some(Command::Resolve { queries, rtype }) if options.iterative == Some(true) => {
            cli.check_iterative()?;
            iterate::run(
                cli,
                queries,
                rtype.as_deref(),
                journal,
                app.catch_signals()?,
            )
        }
        Some(Command::Resolve { queries, rtype }) => ask::server(
            cli,
            queries,
            rtype.as_deref(),
            journal,
            app.catch_signals()?,
        ),
        Some(
            Command::Register { .. }
            | Command::Unregister { .. }
            | Command::Rename { .. }
            | Command::Link { .. },
        ) => change::run(cli, journal, app.catch_signals()?),
        Some(Command::Delegate { .. }) => delegate::run(cli, journal, app.catch_signals()?),
        Some(Command::Store {
            action,
            file,
            output,
        }) => stored::run(cli, *action, file, output.as_deref(), journal),
        Some(Command::Keygen { key_name }) => {
            let file = options.key.as_deref();
            let file = file.filter(|path| !files::is_standard(path));
            let text = key::generate(key_name, file)?;
            match file {
                Some(path) => {
                    journal.record(Event::new(Kind::Write).text(visible_path(path)));
                    if !HAS_MODES {
                        let text = format!(
                            "{}: this system lets those read the key who may read its folder",
                            visible_path(path)
                        );
                        journal.record(Event::error(Level::Warn, text));
                    }
                }
                None => text
                    .lines()
                    .for_each(|line| journal.record(Event::new(Kind::Output).text(line))),
            }
            Ok(Summary::done("1 key"))
        }
    }
}
