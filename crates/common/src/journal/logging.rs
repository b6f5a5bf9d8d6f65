//! The event log as the thread `journal` keeps it: what cannot be written is counted, and said in the log where it is
//! missing.

use std::time::{Duration, Instant};

use super::log::LogFile;
use crate::{
    event::{Event, Level},
    exit::{Failure, why},
    text::{grouped, plural},
};

/// A log that fails again and again, as on a disk that is nearly full, is said to fail once in this time.
const SAID_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Logging {
    file: LogFile,
    /// Whether the last write failed.
    fails: bool,
    /// How many events are missing at the end of the file.
    missing: u64,
    /// How many are missing in all, and why the last of them.
    missing_in_all: u64,
    last_why: String,
    /// When it was last said that it fails.
    said: Option<Instant>,
    /// Whether that was said of the failure that lasts.
    is_said: bool,
}

impl Logging {
    pub(super) fn new(file: LogFile) -> Self {
        Self {
            file,
            fails: false,
            missing: 0,
            missing_in_all: 0,
            last_why: String::new(),
            said: None,
            is_said: false,
        }
    }

    /// Whether the last write failed.
    pub(super) fn fails(&self) -> bool {
        self.fails
    }

    /// Appends the lines of a batch; a failure that is to be said.
    pub(super) fn append(&mut self, lines: &[u8]) -> Option<Failure> {
        let not = self.file.append(lines).err()?;
        let why = why(&not.error);
        self.missing += not.lines;
        self.missing_in_all += not.lines;
        self.last_why.clone_from(&why);
        self.fails = true;
        if self.said.is_some_and(|said| said.elapsed() < SAID_EVERY) {
            return None;
        }
        self.said = Some(Instant::now());
        self.is_said = true;
        Some(Failure::could_not_run(self.file.name(), why))
    }

    /// The event that stands in the log where others are missing.
    pub(super) fn notice(&self) -> Event {
        let text = format!(
            "{} before this one could not be written: {}",
            plural(self.missing, "event"),
            self.last_why
        );
        Event::error(Level::Warn, text).counts([("unwritten", self.missing)])
    }

    /// Appends the line of that event, with which the log goes on; whether that went well, and what is to be said of it.
    pub(super) fn go_on(&mut self, notice: &[u8]) -> Result<Option<String>, ()> {
        self.file.append(notice).map_err(drop)?;
        self.fails = false;
        let missing = std::mem::take(&mut self.missing);
        let said = std::mem::take(&mut self.is_said);
        Ok(said.then(|| {
            let (name, events) = (self.file.name(), events_are(missing));
            format!("{name}: it is written again; {events} missing")
        }))
    }

    /// At the end: the failure to say when events are missing.
    pub(super) fn finish(&self) -> Option<Failure> {
        if self.missing_in_all == 0 {
            return None;
        }
        let events = events_are(self.missing_in_all);
        let text = format!("{events} not written: {}", self.last_why);
        Some(Failure::could_not_run(self.file.name(), text))
    }

    /// Opens the path again; what to say of it, and whether that is a warning.
    pub(super) fn reopen(&mut self) -> (Level, String) {
        match self.file.reopen() {
            Ok(None) => (Level::Info, format!("{}: opened again", self.file.name())),
            Ok(Some(repaired)) => (Level::Warn, format!("{repaired}; opened again")),
            Err(failure) => {
                let text = format!("{failure}; the file that was open is written on");
                (Level::Warn, text)
            }
        }
    }
}

/// `1 event is`, `2,912 events are`.
fn events_are(count: u64) -> String {
    match count {
        1 => "1 event is".to_owned(),
        more => grouped(more) + " events are",
    }
}
