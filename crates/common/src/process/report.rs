//! The output of a run: its events, and the logs of its processes.

use std::{
    fmt,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer};

use super::{
    fault_event::{Fault, PathEvent},
    ids::{Names, ProcessId, new_session},
    physical::HardwareClock,
    run_event::RunEvent,
};
use crate::{
    event::{Event, Kind, Record, Time, VERSION},
    exit::{Failure, why},
    journal::Journal,
    json,
    message::Carrier,
    text::{visible, visible_path},
};

/// How many events are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Show(pub usize);

impl FromStr for Show {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self(usize::MAX));
        }
        let number = text.parse().map(Self);
        number.map_err(|_| format!("'{}' is no number, nor all", visible(text.as_bytes())))
    }
}

impl<'de> Deserialize<'de> for Show {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        json::from_text(deserializer)
    }
}

impl fmt::Display for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            usize::MAX => f.write_str("all"),
            number => number.fmt(f),
        }
    }
}

/// A run, and the journal that receives its events.
#[derive(Debug)]
pub struct Report<'a> {
    /// The event by which each process says what it runs.
    pub ready: Event,
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

    /// Prints the events of a run and the faults between them, `most` of them.
    pub fn path(&self, path: &[PathEvent], most: usize) {
        for event in path.iter().take(most) {
            match event {
                PathEvent::Event(event) => self.event(event),
                PathEvent::Fault(at, fault) => {
                    self.record(*at, fault.event(self.names, self.over));
                }
            }
        }
        let more = path.len().saturating_sub(most) as u64;
        if let Some(next) = path.get(most) {
            let text = format!("and {more} more; --show all prints them");
            self.record(next.at(), line(text));
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

    /// Writes one log per process, as the process would write it itself, in simulated time, or by its hardware clock. The log of a process that crashes
    /// ends then, without a stop.
    ///
    /// # Errors
    /// When a file cannot be written (exit code 2).
    pub fn logs(
        &self,
        folder: &Path,
        run: &str,
        events: &[RunEvent],
        (crashes, clocks): (&[(ProcessId, Duration)], &[HardwareClock]),
    ) -> Result<(), Failure> {
        let end = events.last().map_or(Duration::ZERO, |last| last.at);
        for process in ProcessId::all(self.names.count()) {
            let path = log_path(folder, self.names.of(process));
            let crash = crashes.iter().find(|crash| crash.0 == process);
            let own = events.iter().filter(|event| event.process == process);
            let own = own.map(|event| PathEvent::Event(event.clone()));
            let crash = crash.map(|(_, at)| PathEvent::Fault(*at, Fault::Crashed(process)));
            let log = Log {
                names: self.names,
                over: self.over,
                run,
                ready: self.ready.clone(),
                ended: Some(end),
                began: Duration::ZERO,
                clocks,
            };
            log.write(&path, [process], own.chain(crash))?;
        }
        Ok(())
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

/// Creates the given folder for logs, or a new temporary folder of this program.
///
/// # Errors
/// When it cannot be created (exit code 2).
pub fn folder_or_temporary(given: Option<&Path>, program: &str) -> Result<PathBuf, Failure> {
    let temporary = || {
        let (process, session) = (std::process::id(), new_session());
        std::env::temp_dir().join(format!("{program}-{process}-{session:08x}"))
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

/// A log of processes, each with the events that it would write itself, in simulated time.
#[derive(Debug)]
pub struct Log<'a> {
    /// The names of all processes.
    pub names: &'a Names,
    /// The transport of the messages.
    pub over: Carrier,
    /// The name of the run.
    pub run: &'a str,
    /// The first event of each process.
    pub ready: Event,
    /// When the processes stop; None if the run could continue. One that crashes does not stop.
    pub ended: Option<Duration>,
    /// When the run began, since 1970; a simulated one begins then.
    pub began: Duration,
    /// The hardware clocks of the processes, if they are not right.
    pub clocks: &'a [HardwareClock],
}

impl Log<'_> {
    /// Writes the events of these processes into a file.
    ///
    /// # Errors
    /// When the file cannot be written (exit code 2).
    pub fn write(
        &self,
        path: &Path,
        processes: impl IntoIterator<Item = ProcessId> + Clone,
        events: impl Iterator<Item = PathEvent>,
    ) -> Result<(), Failure> {
        let mut next = vec![0; self.names.count()];
        let mut crashed = vec![false; self.names.count()];
        let mut line = Vec::new();
        let mut write = |file: &mut BufWriter<File>, process: ProcessId, at, event| {
            let seq = &mut next[process.index()];
            let record = Record {
                v: VERSION,
                run: self.run.into(),
                node: self.names.of(process).into(),
                thread: if self.began.is_zero() {
                    "simulated"
                } else {
                    "lab"
                }
                .into(),
                seq: *seq,
                event: Event {
                    time: match self.clocks.get(process.index()) {
                        Some(clock) => clock.reading(at).wall(),
                        None => moment(self.began + at),
                    },
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
                write(&mut file, process, Duration::ZERO, self.ready.clone())?;
            }
            for event in events {
                let (process, at, logged) = match event {
                    PathEvent::Event(event) => {
                        let logged = event.event(self.names, self.over);
                        (event.process, event.at, logged)
                    }
                    PathEvent::Fault(at, fault) => {
                        let process = fault.process();
                        crashed[process.index()] |= fault == Fault::Crashed(process);
                        (process, at, fault.event(self.names, self.over))
                    }
                };
                write(&mut file, process, at, logged)?;
            }
            if let Some(end) = self.ended {
                let ended = processes.into_iter().filter(|it| !crashed[it.index()]);
                for process in ended {
                    write(&mut file, process, end, Event::new(Kind::Stop))?;
                }
            }
            file.flush()
        };
        all().map_err(|error| cannot(path, &error))
    }
}
