//! The logs of the processes of a ring, as one run in the order of the wall clock, which all of them share.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

use common::{
    event::{Kind, Record},
    exit::{Failure, why},
    process::{
        Meaning,
        clock::Timestamp,
        ids::{Names, ProcessId},
        run_event::{LoggedMeaning, MessageAction, RunEvent},
        verdict::run::Places,
    },
    text::visible_path,
};

/// A run, as its processes logged it.
#[derive(Debug)]
pub(super) struct LoggedRun {
    /// The events with a meaning.
    pub(super) events: Vec<RunEvent>,
    /// File and line of each.
    places: Vec<(PathBuf, usize)>,
    /// How many messages were sent.
    pub(super) sent: u64,
    /// How many entities were handed over.
    pub(super) moves: u64,
}

impl LoggedRun {
    /// Reads the log of each process. The last line of one that was killed may be cut off.
    ///
    /// # Errors
    /// When a log cannot be read (exit code 2).
    pub(super) fn read(names: &Names, path: impl Fn(&str) -> PathBuf) -> Result<Self, Failure> {
        let mut all = Vec::new();
        let (mut sent, mut moves) = (0, 0);
        for process in ProcessId::all(names.count()) {
            let path = path(names.of(process));
            let failed = |error| Failure::could_not_run(visible_path(&path), why(&error));
            let file = BufReader::new(File::open(&path).map_err(failed)?);
            for (number, line) in file.split(b'\n').enumerate() {
                let line = line.map_err(failed)?;
                let record = std::str::from_utf8(&line).ok().map(Record::parse);
                let Some(Ok(Record { event, .. })) = record else {
                    continue;
                };
                sent += u64::from(event.kind == Kind::Send);
                let meaning = LoggedMeaning {
                    meaning: event.meaning.as_deref().unwrap_or_default(),
                    timestamp: "",
                    text: event.text.as_deref().unwrap_or_default(),
                    name: event.name.as_deref().unwrap_or_default(),
                    value: event.value.as_deref().unwrap_or_default(),
                };
                let (at, time) = (event.time.since_1970(), event.clock.unwrap_or_default());
                let own = Timestamp { time, process };
                let mut known = |name: &str| names.process(name).unwrap_or(process);
                if let Some(meaning) = meaning.read(own, &mut known) {
                    moves += u64::from(matches!(meaning, Meaning::Move(..)));
                    let event = RunEvent {
                        process,
                        at,
                        time,
                        what: MessageAction::Local,
                        meaning: Some(meaning),
                    };
                    all.push((event, (path.clone(), number + 1)));
                }
            }
        }
        all.sort_by_key(|(event, _)| (event.at, event.time, event.process));
        let (events, places) = all.into_iter().unzip();
        Ok(Self {
            events,
            places,
            sent,
            moves,
        })
    }
}

impl Places for LoggedRun {
    fn place(&self, event: usize) -> String {
        let (path, line) = &self.places[event];
        let name = path.file_name().map_or(path.as_path(), Path::new);
        format!("{}:{line}", visible_path(name))
    }
}
