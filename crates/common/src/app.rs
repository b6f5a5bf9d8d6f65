//! The frame around every program's `main`: command line, journal, signals, failure, exit code.

use std::{
    cell::Cell,
    ffi::OsString,
    io::{self, IsTerminal, Write},
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, SystemTime},
};

#[cfg(feature = "net")]
use crate::journal::READY_FILE;
use crate::{
    capacity,
    config::{self, CommandLine, Early, Options, Output},
    event::{Event, Kind, Level},
    exit::{Exit, Failure, Summary, why},
    files,
    journal::{Answers, Journal, LogFile, Sinks, Style, View},
    shutdown::{self, Shutdown, SignalGuard, SignalRequest},
    sys::errors::is_closed_pipe,
    sys::terminal::{self, Stream},
    text::{check_name, visible},
};

/// What the frame lends to a program.
#[derive(Debug)]
pub struct App {
    journal: Journal,
    shutdown: Shutdown,
    signals: SignalGuard,
    report: Report,
    caught: Cell<bool>,
}

/// The program's answer to a signal, once it has one.
#[derive(Clone, Default)]
struct Report(Arc<Mutex<Option<Answer>>>);

type Answer = Box<dyn Fn(SignalRequest) -> Option<Event> + Send>;

impl Report {
    fn lock(&self) -> MutexGuard<'_, Option<Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles a signal: SIGHUP opens the log again, SIGUSR1 reports, in every program.
    fn handle(&self, request: SignalRequest, journal: &Journal) {
        if request == SignalRequest::Again {
            journal.reopen_log();
        }
        let answer = self.lock().as_ref().and_then(|answer| answer(request));
        match answer {
            Some(event) => journal.report(event, request == SignalRequest::SoFar),
            None if request == SignalRequest::SoFar => journal.report_figures(),
            None => {}
        }
    }
}

impl std::fmt::Debug for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Report").finish_non_exhaustive()
    }
}

impl App {
    /// The journal of the program's events.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// From now on SIGINT and SIGTERM request the shutdown that this returns; until now they ended the process.
    /// A program calls it when it holds everything it needs and is about to take work.
    ///
    /// # Errors
    /// When the handlers cannot be installed (exit code 2).
    pub fn catch_signals(&self) -> Result<&Shutdown, Failure> {
        if !self.caught.replace(true) {
            let caught = self.signals.catch_stop();
            caught.map_err(|error| Failure::could_not_run("signal handlers", why(&error)))?;
        }
        Ok(&self.shutdown)
    }

    /// The same, and from now on `report` makes the event that answers a signal: the figures so far (SIGUSR1), what there
    /// is still to do before the program stops. It also learns of SIGHUP.
    ///
    /// # Errors
    /// As [`Self::catch_signals`].
    pub fn catch_signals_and_report(
        &self,
        report: impl Fn(SignalRequest) -> Option<Event> + Send + 'static,
    ) -> Result<&Shutdown, Failure> {
        *self.report.lock() = Some(Box::new(report));
        self.catch_signals()
    }
}

/// A whole program: reads the command line, shows events with `view`, runs `body` and turns what comes of it into
/// the last event and the exit code.
pub fn main<C: CommandLine>(
    view: impl FnOnce(&C) -> View,
    body: impl FnOnce(C, &App) -> Result<Summary, Failure>,
) -> ExitCode {
    main_with(std::env::args_os().collect(), view, body)
}

/// The same with these arguments, of which the first is the program's name.
pub fn main_with<C: CommandLine>(
    arguments: Vec<OsString>,
    view: impl FnOnce(&C) -> View,
    body: impl FnOnce(C, &App) -> Result<Summary, Failure>,
) -> ExitCode {
    capacity::save_address_space();
    let ended = match config::command_line::<C>(arguments.iter().cloned()) {
        Ok(command) => run(command, &arguments, view, body),
        Err(Early::Show(text)) => shown(text.print()),
        Err(Early::Print(text)) => shown(io::stdout().write_all(text.as_bytes())),
        Err(Early::Fail(failure)) => Err(failure),
    };
    ended
        .unwrap_or_else(|failure| {
            last_words(&format!("{}: {failure}\n", C::PROGRAM));
            failure.exit
        })
        .into()
}

/// What the command line asked to see is the answer; a pipe closed on it is no fault.
fn shown(written: io::Result<()>) -> Result<Exit, Failure> {
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if !is_closed_pipe(&error) => {
            Err(Failure::could_not_run("standard output", why(&error)))
        }
        _ => Ok(Exit::Done),
    }
}

/// Writes on standard error, unless it is not read: that may be the very failure.
fn last_words(line: &str) {
    let write = |line: &str| drop(io::stderr().write_all(line.as_bytes()));
    let (writing, written) = crossbeam::channel::bounded::<()>(0);
    let (room, copy) = (capacity::check_start(), line.to_owned());
    let thread = room.is_ok().then(|| {
        thread::Builder::new()
            .name("last-words".into())
            .spawn(move || {
                let _writing = writing;
                write(&copy);
            })
    });
    match thread {
        Some(Ok(_)) => drop(written.recv_timeout(Duration::from_secs(1))),
        // Without room for a thread, that is the failure.
        _ => write(line),
    }
}

fn run<C: CommandLine>(
    mut command: C,
    arguments: &[OsString],
    view: impl FnOnce(&C) -> View,
    body: impl FnOnce(C, &App) -> Result<Summary, Failure>,
) -> Result<Exit, Failure> {
    capacity::check_start()?;
    let output = command.options().output();
    let cannot =
        |what: &'static str| move |error: io::Error| Failure::could_not_run(what, why(&error));
    let shutdown = Shutdown::new().map_err(cannot("start"))?;
    let answers = answers(&output)?;
    let (sinks, repaired) = sinks(&output)?;
    let view = view(&command);
    #[cfg(feature = "net")]
    let ready_file = output.file(READY_FILE).map(std::path::Path::to_owned);
    let (journal, writing) =
        Journal::start(style::<C>(output, answers)?, sinks, view, shutdown.clone())
            .map_err(cannot("start"))?;
    #[cfg(feature = "net")]
    ready_file
        .into_iter()
        .for_each(|path| journal.set_ready_file(path));
    let report = Report::default();
    let (answer, asked) = (report.clone(), journal.clone());
    let handler = Box::new(move |request| answer.handle(request, &asked));
    let signals = shutdown::on_signals(shutdown.clone(), handler).map_err(cannot("start"))?;

    let arguments: Vec<String> = arguments
        .iter()
        .skip(1)
        .map(|argument| visible(argument.as_encoded_bytes()))
        .collect();
    journal.record(
        Event::new(Kind::Start).text(
            [&[C::PROGRAM.to_owned()], arguments.as_slice()]
                .concat()
                .join(" "),
        ),
    );
    if let Some(text) = repaired {
        journal.record(Event::error(Level::Warn, text));
    }
    let app = App {
        journal: journal.clone(),
        shutdown,
        signals,
        report,
        caught: Cell::new(false),
    };
    let summary = body(command, &app).unwrap_or_else(|failure| {
        journal.record(Event::failure(&failure));
        Summary {
            exit: failure.exit,
            ..Summary::done("")
        }
    });
    journal.record(Event::stop(&summary));
    let written = writing.finish()?;
    drop(app);
    Ok(summary.exit.max(written))
}

/// The outputs, and what was repaired of the log.
fn sinks(output: &Output) -> Result<(Sinks, Option<String>), Failure> {
    let stream = |stream, name| {
        terminal::output(stream).map_err(|error| Failure::could_not_run(name, why(&error)))
    };
    let out = stream(Stream::Out, "standard output")?;
    let err = stream(Stream::Err, "standard error")?;
    let log = output.log.as_ref().filter(|path| !files::is_standard(path));
    let (log, repaired) = log.map(|path| LogFile::open(path)).transpose()?.unzip();
    let sinks = Sinks {
        err_is_out: terminal::is_same_output(),
        out,
        err,
        log,
    };
    Ok((sinks, repaired.flatten()))
}

/// What standard output shows; it has one user.
fn answers(output: &Output) -> Result<Answers, Failure> {
    let mut users = Vec::new();
    if output.log.as_deref().is_some_and(files::is_standard) {
        users.push(("--log -".to_owned(), Answers::Log));
    }
    let written = output
        .files
        .iter()
        .filter(|(_, path)| files::is_standard(path));
    users.extend(written.map(|(flag, _)| (format!("{flag} -"), Answers::None)));
    if output.json {
        users.push(("--json".to_owned(), Answers::Json));
    }
    match users.as_slice() {
        [] => Ok(Answers::Lines),
        [(_, answers)] => Ok(*answers),
        [(first, _), (second, _), ..] => {
            let why = format!("standard output is used by {first} already");
            Err(Failure::could_not_run(second, why))
        }
    }
}

fn style<C: CommandLine>(output: Output, answers: Answers) -> Result<Style, Failure> {
    let node = output.name.unwrap_or_else(|| C::PROGRAM.to_owned());
    let run = match std::env::var("LAB_RUN") {
        Ok(run) if !run.is_empty() => run,
        _ => format!(
            "{}-{}",
            humantime::format_rfc3339_seconds(SystemTime::now()),
            std::process::id()
        ),
    };
    for (what, name) in [("--name", &node), ("LAB_RUN", &run)] {
        check_name(name).map_err(|why| Failure::could_not_run(what, why))?;
    }
    Ok(Style {
        program: C::PROGRAM,
        node,
        run,
        answers,
        quiet: output.quiet,
        colour: has_colour(&io::stderr()),
    })
}

/// Whether what is written there may have colours: a terminal that is not dumb, and NO_COLOR is not set.
pub fn has_colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal()
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && terminal::enable_colour()
}
