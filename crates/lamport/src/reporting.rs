//! The output of a run: its events, the logs of its processes, and a minimal counterexample.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use common::{
    event::{Event, Kind, Record, Time, VERSION},
    exit::{Failure, why},
    journal::Journal,
    message::Carrier,
    text::visible_path,
};

use crate::{
    algorithms::Algorithm,
    fault_event::Fault,
    ids::{Names, ProcessId, new_session},
    run_event::RunEvent,
};

/// A run, and the journal that receives its events.
#[derive(Debug)]
pub struct Report<'a> {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The names of the processes.
    pub names: &'a Names,
    /// The transport of the messages.
    pub over: Carrier,
    /// The journal.
    pub journal: &'a Journal,
}

/// A line of output that is not an event of a process.
pub fn line(text: impl Into<String>) -> Event {
    Event::new(Kind::Output).text(text)
}

impl Report<'_> {
    /// Prints the events, `most` of them.
    pub fn events(&self, events: &[RunEvent], most: usize) {
        let shown = events.iter().take(most);
        shown.for_each(|event| self.event(event));
        let more = events.len().saturating_sub(most) as u64;
        if more > 0 {
            let text = format!("and {more} more; --show all prints them");
            self.record(events[most].at, line(text));
        }
    }

    /// Prints an event of a process, with the whole sentence as its text.
    pub fn event(&self, event: &RunEvent) {
        let mut logged = event.event(self.names, self.over);
        logged.time = moment(event.at);
        logged.text = Some(event.sentence(self.names));
        let process: Arc<str> = self.names.of(event.process).into();
        self.journal.record_of(&process, logged);
    }

    /// Records an event at a time of the run, so that the same seed prints the same bytes.
    pub fn record(&self, at: Duration, event: Event) {
        let time = moment(at);
        self.journal.record(Event { time, ..event });
    }

    /// An event as it stands in the log of its process, at its time.
    pub fn logged(&self, event: &RunEvent) -> (ProcessId, Duration, Event) {
        (event.process, event.at, event.event(self.names, self.over))
    }

    /// Writes one log per process, as the process would write it itself, in simulated time. The log of a process that crashes
    /// ends then, without a stop.
    ///
    /// # Errors
    /// When a file cannot be written (exit code 2).
    pub fn logs(
        &self,
        folder: &Path,
        run: &str,
        events: &[RunEvent],
        crashes: &[(ProcessId, Duration)],
    ) -> Result<(), Failure> {
        let end = events.last().map_or(Duration::ZERO, |last| last.at);
        for process in ProcessId::all(self.names.count()) {
            let path = log_path(folder, self.names.of(process));
            let crash = crashes.iter().find(|crash| crash.0 == process);
            let own = events.iter().filter(|event| event.process == process);
            let own = own
                .map(|event| self.logged(event))
                .chain(crash.map(|(_, at)| {
                    let crash = Fault::Crashed(process);
                    (process, *at, crash.event(self.names, self.over))
                }));
            let gone: Vec<_> = crash.iter().map(|crash| crash.0).collect();
            self.log(&path, run, [process], own, &gone, Some(end))?;
        }
        Ok(())
    }

    /// Writes the events of these processes into one log, each process's as it would write them itself. If they `ended`,
    /// each has a stop then, but those that are `gone`.
    ///
    /// # Errors
    /// When the file cannot be written (exit code 2).
    pub fn log(
        &self,
        path: &Path,
        run: &str,
        processes: impl IntoIterator<Item = ProcessId> + Clone,
        events: impl Iterator<Item = (ProcessId, Duration, Event)>,
        gone: &[ProcessId],
        ended: Option<Duration>,
    ) -> Result<(), Failure> {
        let mut next = vec![0; self.names.count()];
        let mut line = Vec::new();
        let mut write = |file: &mut BufWriter<File>, process: ProcessId, at, event| {
            let seq = &mut next[process.index()];
            let record = Record {
                v: VERSION,
                run: run.into(),
                node: self.names.of(process).into(),
                thread: "simulated".into(),
                seq: *seq,
                event: Event {
                    time: moment(at),
                    ..event
                },
            };
            *seq += 1;
            line.clear();
            record.write_line(&mut line);
            file.write_all(&line)
        };
        let all = || {
            let mut file = BufWriter::new(File::create(path)?);
            for process in processes.clone() {
                let ready = Event::new(Kind::Ready).algorithm(self.algorithm.word());
                write(&mut file, process, Duration::ZERO, ready)?;
            }
            for (process, at, event) in events {
                write(&mut file, process, at, event)?;
            }
            if let Some(end) = ended {
                for process in processes.into_iter().filter(|it| !gone.contains(it)) {
                    write(&mut file, process, end, Event::new(Kind::Stop))?;
                }
            }
            file.flush()
        };
        all().map_err(|error| cannot(path, &error))
    }
}

/// The log of the process of this name in a folder.
pub fn log_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Creates a folder for logs.
///
/// # Errors
/// When it cannot be created (exit code 2).
pub fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| cannot(path, &error))
}

/// Creates the given folder for logs, or a new temporary folder.
///
/// # Errors
/// When it cannot be created (exit code 2).
pub fn folder_or_temporary(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let temporary = || {
        let (process, session) = (std::process::id(), new_session());
        std::env::temp_dir().join(format!("lamport-{process}-{session:08x}"))
    };
    let path = given.map_or_else(temporary, Path::to_owned);
    folder(&path)?;
    Ok(path)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::could_not_run(format!("--logs {}", visible_path(path)), why(error))
}

/// A point of simulated time, which starts in 1970.
pub fn moment(at: Duration) -> Time {
    Time::new(UNIX_EPOCH + at)
}
