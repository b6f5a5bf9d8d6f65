//! A journal for tests that call a program's library.

use std::path::PathBuf;

use super::files::{Folder, read_log};
use crate::{
    event::Event,
    exit::Exit,
    journal::{Answers, Journal, LogFile, Sinks, Style, View, Writing},
    shutdown::Shutdown,
};

/// A journal for calling a program's library directly; it keeps the events.
#[derive(Debug)]
pub struct Recorder {
    /// Where the library records its events.
    pub journal: Journal,
    /// What stops the library.
    pub shutdown: Shutdown,
    writing: Writing,
    log: Folder,
}

impl Recorder {
    /// A journal that shows events with `view`.
    pub fn new(view: View) -> Self {
        let (shutdown, log) = (Shutdown::new().expect("descriptors"), Folder::new());
        let style = Style {
            program: "test",
            node: "test".into(),
            run: "test".into(),
            answers: Answers::Lines,
            quiet: false,
            colour: false,
        };
        let path = PathBuf::from(log.path("log"));
        let (file, _) = LogFile::open(&path).expect("a temporary file");
        let sinks = Sinks {
            out: Box::new(std::io::sink()),
            err: Box::new(std::io::sink()),
            err_is_out: false,
            log: Some(file),
        };
        let (journal, writing) =
            Journal::start(style, sinks, view, shutdown.clone()).expect("a thread");
        Self {
            journal,
            shutdown,
            writing,
            log,
        }
    }

    /// All events, when the library is done.
    pub fn events(self) -> Vec<Event> {
        assert_eq!(self.writing.finish(), Ok(Exit::Done));
        read_log(self.log.path("log"))
            .into_iter()
            .map(|record| record.event)
            .collect()
    }
}
