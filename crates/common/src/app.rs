//! The frame around every program's `main`: command line, journal, signals, failure, exit code.

use std::{
    cell::OnceCell,
    fs::{File, OpenOptions},
    io::{self, IsTerminal, Write},
    os::fd::{AsFd, OwnedFd},
    process::ExitCode,
    thread,
    time::{Duration, SystemTime},
};

use crate::{
    capacity,
    config::{self, CommandLine, Early, Options, Output},
    event::{Event, Kind},
    exit::{Exit, Failure, Summary, why},
    files,
    journal::{Answers, Journal, Sinks, Style, View},
    shutdown::{self, Shutdown, SignalGuard, SignalRequest},
    text::{check_name, visible, visible_path},
};

/// What the frame lends to a program.
#[derive(Debug)]
pub struct App {
    journal: Journal,
    shutdown: Shutdown,
    signals: OnceCell<SignalGuard>,
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
        self.catch(None, false)
    }

    /// The same, and from now on signals make the program report its figures so far (SIGUSR1), and what
    /// there is still to do before it stops.
    ///
    /// # Errors
    /// As [`Self::catch_signals`].
    pub fn catch_signals_and_report(
        &self,
        report: impl Fn(SignalRequest) -> Option<Event> + Send + 'static,
    ) -> Result<&Shutdown, Failure> {
        self.catch(self.reporting(report), false)
    }

    /// The same, and SIGHUP is reported too, and ends nothing.
    ///
    /// # Errors
    /// As [`Self::catch_signals`].
    pub fn catch_signals_and_hangup(
        &self,
        report: impl Fn(SignalRequest) -> Option<Event> + Send + 'static,
    ) -> Result<&Shutdown, Failure> {
        self.catch(self.reporting(report), true)
    }

    fn reporting(
        &self,
        report: impl Fn(SignalRequest) -> Option<Event> + Send + 'static,
    ) -> shutdown::Report {
        let journal = self.journal.clone();
        Some(Box::new(move |asked| {
            if let Some(event) = report(asked) {
                journal.record(event);
            }
        }))
    }

    fn catch(&self, report: shutdown::Report, hangup: bool) -> Result<&Shutdown, Failure> {
        if self.signals.get().is_none() {
            let guard = shutdown::on_signals(self.shutdown.clone(), report, hangup)
                .map_err(|error| Failure::could_not_run("signal handlers", why(&error)))?;
            self.signals.get_or_init(|| guard);
        }
        Ok(&self.shutdown)
    }
}

/// A whole program: reads the command line, shows events with `view`, runs `body` and turns what comes of it into
/// the last event and the exit code.
pub fn main<C: CommandLine>(
    view: impl FnOnce(&C) -> View,
    body: impl FnOnce(C, &App) -> Result<Summary, Failure>,
) -> ExitCode {
    capacity::save_address_space();
    let ended = match config::command_line::<C>(std::env::args_os()) {
        Ok(command) => run(command, view, body),
        // Help and version are the answer; a pipe closed on them is no fault.
        Err(Early::Show(text)) => match text.print() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Failure::could_not_run("standard output", why(&error)))
            }
            _ => Ok(Exit::Done),
        },
        Err(Early::Fail(failure)) => Err(failure),
    };
    ended
        .unwrap_or_else(|failure| {
            last_words(format!("{}: {failure}\n", C::PROGRAM));
            failure.exit
        })
        .into()
}

/// Writes on standard error, unless it is not read: that may be the very failure.
fn last_words(line: String) {
    let (writing, written) = crossbeam::channel::bounded::<()>(0);
    let thread = thread::Builder::new()
        .name("last-words".into())
        .spawn(move || {
            let _writing = writing;
            let _ = io::stderr().write_all(line.as_bytes());
        });
    if thread.is_ok() {
        let _ = written.recv_timeout(Duration::from_secs(1));
    }
}

fn run<C: CommandLine>(
    mut command: C,
    view: impl FnOnce(&C) -> View,
    body: impl FnOnce(C, &App) -> Result<Summary, Failure>,
) -> Result<Exit, Failure> {
    capacity::check_start()?;
    let output = command.options().output();
    let cannot =
        |what: &'static str| move |error: io::Error| Failure::could_not_run(what, why(&error));
    let shutdown = Shutdown::new().map_err(cannot("start"))?;
    let answers = answers(&output)?;
    let sinks = sinks(&output)?;
    let view = view(&command);
    let (journal, writing) =
        Journal::start(style::<C>(output, answers)?, sinks, view, shutdown.clone())
            .map_err(cannot("start"))?;

    let arguments: Vec<String> = std::env::args_os()
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
    let app = App {
        journal: journal.clone(),
        shutdown,
        signals: OnceCell::new(),
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

fn sinks(output: &Output) -> Result<Sinks, Failure> {
    // Descriptors of their own, without std's line buffer and lock: the journal writes in batches, and a write that
    // hangs must not keep others from the stream.
    let owned = |stream: io::Result<OwnedFd>, name| {
        stream
            .map(File::from)
            .map_err(|error| Failure::could_not_run(name, why(&error)))
    };
    let out = owned(io::stdout().as_fd().try_clone_to_owned(), "standard output")?;
    let err = owned(io::stderr().as_fd().try_clone_to_owned(), "standard error")?;
    let log = output.log.as_ref().filter(|path| !files::is_standard(path));
    let log = log.map(|path| {
        let file = OpenOptions::new().append(true).create(true).open(path);
        file.map(|file| (path.clone(), file)).map_err(|error| {
            Failure::could_not_run(format!("--log {}", visible_path(path)), why(&error))
        })
    });
    Ok(Sinks {
        out: Box::new(out),
        err: Box::new(err),
        log: log.transpose()?,
    })
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
}
