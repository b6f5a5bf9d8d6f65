//! Event logs of processes, read back as whoever judges them, or runs them again, sees them.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use common::{
    event::Record,
    exit::{Failure, why},
    text::visible_path,
};

use crate::{
    happening::Happening,
    process::{Names, ProcessId},
    verdict::in_causal_order,
};

/// The longest line of a log, in bytes.
const LONGEST: u64 = 1 << 20;

/// How many events are read from one log.
const MOST_EVENTS: usize = 5_000_000;

/// The log of this process in the folder.
pub(crate) fn path(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.jsonl"))
}

/// Reads all logs, and brings what happened into one order; times are from the first event on. The last line of a
/// process that is gone may be cut off.
pub(crate) fn read(
    folder: &Path,
    names: &Names,
    gone: &[ProcessId],
) -> Result<Vec<Happening>, Failure> {
    let mut of_each: Vec<Vec<Happening>> = Vec::new();
    for process in ProcessId::all(names.count()) {
        let path = path(folder, names.of(process));
        let read = read_one(&path, names, gone.contains(&process))?;
        let own = read.into_iter().map(|(_, happening)| happening);
        of_each.push(own.filter(|own| own.process == process).collect());
    }
    let first = of_each.iter().flatten().map(|happening| happening.at).min();
    for happening in of_each.iter_mut().flatten() {
        happening.at -= first.unwrap_or_default();
    }
    Ok(in_causal_order(of_each))
}

/// Reads one log: the events of these processes, and the line that each stands in. The last line may be `cut_off`.
pub(crate) fn read_one(
    path: &Path,
    names: &Names,
    cut_off: bool,
) -> Result<Vec<(usize, Happening)>, Failure> {
    let failed = |line: usize, why: String| {
        let place = if line == 0 {
            String::new()
        } else {
            format!(":{line}")
        };
        Failure::could_not_run(format!("{}{place}", visible_path(path)), why)
    };
    let file = File::open(path).map_err(|error| failed(0, why(&error)))?;
    let mut file = BufReader::new(file);
    let mut happenings = Vec::new();
    let mut text = String::new();
    for number in 1.. {
        text.clear();
        let length = file.by_ref().take(LONGEST + 1).read_line(&mut text);
        let length = length.map_err(|error| failed(number, why(&error)))?;
        if length == 0 {
            break;
        }
        if length as u64 > LONGEST {
            return Err(failed(number, format!("longer than {LONGEST} bytes")));
        }
        if happenings.len() > MOST_EVENTS {
            return Err(failed(number, format!("more than {MOST_EVENTS} events")));
        }
        let record = match Record::parse(&text) {
            Ok(record) => record,
            Err(_) if cut_off && !text.ends_with('\n') => break,
            Err(error) => return Err(failed(number, error.to_string())),
        };
        let at: Duration = record.event.time.since_1970();
        let process = names.process(&record.node);
        let happening =
            process.and_then(|process| Happening::of_event(process, at, &record.event, names));
        happenings.extend(happening.map(|happening| (number, happening)));
    }
    Ok(happenings)
}
