//! What people and machines get to see of a run: its events, the logs of its processes, and the shortest run that is
//! wrong.

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
    text::{plural, visible_path},
};

use crate::{
    algorithms::Algorithm,
    happening::Happening,
    process::{Names, ProcessId},
    shortest::Broken,
};

/// The run that is told of, and where.
#[derive(Debug)]
pub struct Report<'a> {
    /// What it ran.
    pub algorithm: Algorithm,
    /// What the processes are called.
    pub names: &'a Names,
    /// What their messages went over.
    pub over: Carrier,
    /// Where it is told.
    pub journal: &'a Journal,
}

/// A line of the answer that is no event of a process.
pub fn line(text: impl Into<String>) -> Event {
    Event::new(Kind::Local).text(text)
}

impl Report<'_> {
    /// Tells the first so many events.
    pub fn events(&self, happenings: &[Happening], most: usize) {
        let shown = happenings.iter().take(most);
        shown.for_each(|happening| self.event(happening));
        let more = happenings.len().saturating_sub(most) as u64;
        if more > 0 {
            let text = format!("and {more} more; --show all shows them");
            self.tell(happenings[most].at, line(text));
        }
    }

    /// One event of a process, with the whole sentence as its text.
    pub fn event(&self, happening: &Happening) {
        let mut event = happening.event(self.names, self.over);
        event.time = moment(happening.at);
        event.text = Some(happening.sentence(self.names));
        let process: Arc<str> = self.names.of(happening.process).into();
        self.journal.record_of(&process, event);
    }

    /// Tells something in the time of the run, so that the same seed says the same to the byte.
    pub fn tell(&self, at: Duration, event: Event) {
        let time = moment(at);
        self.journal.record(Event { time, ..event });
    }

    /// Tells of the shortest run that breaks a promise: how to see it, and what happens in it.
    pub fn schedule(&self, broken: &Broken, at: Duration) {
        let command = broken.command(self.algorithm);
        let schedule = broken.schedule();
        let events = plural(schedule.len() as u64, "event");
        self.tell(
            at,
            line(format!(
                "the shortest run that shows it, {events}: {command}"
            )),
        );
        for happening in schedule {
            self.event(happening);
        }
        let wrong = broken
            .verdict
            .checks
            .iter()
            .filter(|check| check.wrong.is_some());
        for check in wrong {
            self.tell(at, check.event());
        }
    }

    /// Writes each process's events into a log of its own, as if it had kept it itself in simulated time.
    ///
    /// # Errors
    /// When a file cannot be written (exit code 2).
    pub fn logs(&self, folder: &Path, run: &str, happenings: &[Happening]) -> Result<(), Failure> {
        for process in ProcessId::all(self.names.count()) {
            let path = folder.join(format!("{}.jsonl", self.names.of(process)));
            let own = happenings.iter().filter(|own| own.process == process);
            self.log(&path, run, own)?;
        }
        Ok(())
    }

    /// Writes events of any processes into one log, each process's as it would keep them itself.
    ///
    /// # Errors
    /// When the file cannot be written (exit code 2).
    pub fn log<'h>(
        &self,
        path: &Path,
        run: &str,
        happenings: impl Iterator<Item = &'h Happening>,
    ) -> Result<(), Failure> {
        let mut next = vec![0; self.names.count()];
        let write = || {
            let mut file = BufWriter::new(File::create(path)?);
            let mut line = Vec::new();
            for happening in happenings {
                let mut event = happening.event(self.names, self.over);
                event.time = moment(happening.at);
                let seq = &mut next[happening.process.index()];
                let record = Record {
                    v: VERSION,
                    run: run.into(),
                    node: self.names.of(happening.process).into(),
                    thread: "simulated".into(),
                    seq: *seq,
                    event,
                };
                *seq += 1;
                line.clear();
                record.write_line(&mut line);
                file.write_all(&line)?;
            }
            file.flush()
        };
        write().map_err(|error| cannot(path, &error))
    }
}

/// A folder for logs.
///
/// # Errors
/// When there can be none (exit code 2).
pub fn folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| cannot(path, &error))
}

/// This folder for logs, or where none is given a new one among the system's temporary ones.
///
/// # Errors
/// When there can be none (exit code 2).
pub fn folder_or_another(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let another = || {
        let (process, number) = (std::process::id(), crate::node::new_session());
        std::env::temp_dir().join(format!("lamport-{process}-{number:08x}"))
    };
    let path = given.map_or_else(another, Path::to_owned);
    folder(&path)?;
    Ok(path)
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::could_not_run(format!("--logs {}", visible_path(path)), why(error))
}

/// A moment of simulated time, which begins in 1970.
pub fn moment(at: Duration) -> Time {
    Time::new(UNIX_EPOCH + at)
}
