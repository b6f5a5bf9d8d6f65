//! Logs in blocks of whole lines: one thread reads, several parse.

use std::{
    io::{self, BufRead},
    num::NonZero,
    thread,
};

use common::exit::{Failure, why};
use crossbeam::channel;

use super::{
    block::{Block, LONGEST, Piece},
    findings::Severity,
    layouts::{self, Layout},
    lines,
    sources::{self, Source},
};

/// The longest line that is skipped, in bytes; after a longer one the rest of the file is not read.
const LONGEST_SKIPPED: usize = 256 << 20;

/// The approximate length of a block, in bytes.
const BLOCK: usize = 1 << 20;

/// The most that is kept of all logs together, in bytes.
const MOST: usize = 3 << 30;

/// The most of a log with vector clocks, which is read as a whole, in bytes.
const MOST_OF_LAYOUT: usize = 512 << 20;

/// The capacity of the queues before and after the parsing threads, in blocks.
const QUEUE: usize = 4;

enum Work {
    Lines(Piece),
    Layout(Piece),
}

/// Reads all logs; the blocks are in the order of the files and their lines. A log that is not an event log is read in the
/// given `layout`, or in the known one that fits.
///
/// # Errors
/// When a file cannot be opened (exit code 2).
pub fn read(sources: &[Source], layout: &Layout) -> Result<Vec<Block>, Failure> {
    let (to_do, work) = channel::bounded::<(usize, Work)>(QUEUE);
    let (results, done) = channel::bounded::<(usize, Block)>(QUEUE);
    let mut blocks: Vec<(usize, Block)> = Vec::new();
    thread::scope(|scope| {
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let cannot = |error| Failure::could_not_run("thread", why(&error));
        let reader = Reader {
            to_do,
            results: results.clone(),
            numbers: 0,
            kept: 0,
        };
        let reading = named("reader")
            .spawn_scoped(scope, move || reader.all(sources))
            .map_err(cannot)?;
        let workers = thread::available_parallelism().map_or(1, NonZero::get);
        for number in 1..=workers.min(8) {
            let (work, results) = (work.clone(), results.clone());
            let parse = move || {
                for (number, work) in work {
                    let block = match work {
                        Work::Lines(piece) => lines::parse(piece),
                        Work::Layout(piece) => layouts::parse(piece, layout),
                    };
                    if results.send((number, block)).is_err() {
                        break;
                    }
                }
            };
            named(&format!("lines-{number}"))
                .spawn_scoped(scope, parse)
                .map_err(cannot)?;
        }
        drop((work, results));
        blocks.extend(done);
        reading.join().expect("the reader does not panic")
    })?;
    blocks.sort_by_key(|(number, _)| *number);
    Ok(blocks.into_iter().map(|(_, block)| block).collect())
}

/// Divides files into blocks of whole lines.
struct Reader {
    to_do: channel::Sender<(usize, Work)>,
    /// For problems with a file itself.
    results: channel::Sender<(usize, Block)>,
    numbers: usize,
    kept: usize,
}

impl Reader {
    fn all(mut self, sources: &[Source]) -> Result<(), Failure> {
        for (file, source) in sources.iter().enumerate() {
            let failed = |error| sources::failed(&source.path, &error);
            let mut from = source.open().map_err(failed)?;
            let file = file as u32;
            match first_byte(&mut *from) {
                Ok((None, _)) => self.problem(file, 1, Severity::Open, "the file is empty"),
                Ok((Some(b'{'), line)) => self.lines(file, line, &mut *from),
                Ok((Some(byte), line)) if byte.is_ascii_control() => {
                    let words = format!("not text: it begins with the byte {byte:#04x}");
                    self.problem(file, line, Severity::Fail, words);
                }
                Ok((Some(_), line)) => self.layout(file, line, &mut *from),
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    fn put(&mut self, work: Work) {
        let number = self.next();
        // The receivers are gone only if all parsing threads have panicked, which the join reports.
        let _ = self.to_do.send((number, work));
    }

    fn next(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    fn problem(&mut self, file: u32, line: u32, severity: Severity, words: impl Into<String>) {
        let number = self.next();
        let block = Block {
            file,
            problems: vec![(severity, line, words.into())],
            ..Block::default()
        };
        let _ = self.results.send((number, block));
    }

    fn stopped(&mut self, file: u32, line: u32, error: &io::Error) {
        let (severity, words) = match error.kind() {
            io::ErrorKind::UnexpectedEof => (
                Severity::Warn,
                "the compressed file is truncated here".to_owned(),
            ),
            _ => (
                Severity::Fail,
                format!("cannot be read further: {}", why(error)),
            ),
        };
        self.problem(file, line, severity, words);
    }

    fn lines(&mut self, file: u32, mut line: u32, from: &mut dyn BufRead) {
        let mut bytes: Vec<u8> = Vec::new();
        loop {
            if self.kept > MOST {
                let words = format!("more than {} GiB of logs: the rest is not read", MOST >> 30);
                return self.problem(file, line, Severity::Fail, words);
            }
            let read = match from.fill_buf() {
                Ok(read) => read,
                Err(error) => {
                    self.piece(file, line, bytes, true);
                    return self.stopped(file, line, &error);
                }
            };
            let length = read.len();
            if length == 0 {
                return self.piece(file, line, bytes, true);
            }
            bytes.extend_from_slice(read);
            from.consume(length);
            if bytes.len() < BLOCK {
                continue;
            }
            let rest = match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => bytes.split_off(end + 1),
                None if bytes.len() <= LONGEST => continue,
                None => {
                    let words = format!("longer than {LONGEST} bytes: skipped");
                    self.problem(file, line, Severity::Fail, words);
                    let Some(end) = skip_line(from, bytes.len()) else {
                        let words = format!(
                            "no end of line within {} MiB: the rest of the file is not read",
                            LONGEST_SKIPPED >> 20
                        );
                        return self.problem(file, line, Severity::Fail, words);
                    };
                    line += u32::from(end);
                    bytes.clear();
                    continue;
                }
            };
            let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
            self.piece(file, line, std::mem::replace(&mut bytes, rest), false);
            line = line.saturating_add(lines as u32);
        }
    }

    fn piece(&mut self, file: u32, line: u32, bytes: Vec<u8>, last: bool) {
        if bytes.is_empty() {
            return;
        }
        self.kept += bytes.len();
        let cut_off = last && !bytes.ends_with(b"\n");
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..good];
            let lines = before.iter().filter(|byte| **byte == b'\n').count() as u32;
            self.problem(file, line + lines, Severity::Fail, "not UTF-8");
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        self.put(Work::Lines(Piece {
            file,
            line,
            text,
            cut_off,
        }));
    }

    /// A log in another layout, which is parsed as a whole.
    fn layout(&mut self, file: u32, line: u32, from: &mut dyn BufRead) {
        let mut bytes = Vec::new();
        loop {
            match from.fill_buf() {
                Ok([]) => break,
                Ok(read) => {
                    let length = read.len();
                    bytes.extend_from_slice(read);
                    from.consume(length);
                }
                Err(error) => {
                    self.stopped(file, line, &error);
                    break;
                }
            }
            if bytes.len() > MOST_OF_LAYOUT {
                let most = MOST_OF_LAYOUT >> 20;
                let words = format!("longer than {most} MiB: the rest is not read");
                self.problem(file, line, Severity::Fail, words);
                break;
            }
        }
        self.kept += bytes.len();
        if self.kept > MOST {
            let words = format!("more than {} GiB of logs: the rest is not read", MOST >> 30);
            return self.problem(file, line, Severity::Fail, words);
        }
        // Editors on Windows end lines with CR LF.
        let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        self.put(Work::Layout(Piece {
            file,
            line,
            text,
            cut_off: false,
        }));
    }
}

/// The first byte that is not whitespace, and the number of its line; everything before it is consumed.
fn first_byte(from: &mut dyn BufRead) -> io::Result<(Option<u8>, u32)> {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let mut line = 1;
    let mut passed = 0;
    if from.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
        from.consume(BYTE_ORDER_MARK.len());
    }
    loop {
        let read = from.fill_buf()?;
        if read.is_empty() {
            return Ok((None, line));
        }
        let spaces = read
            .iter()
            .take_while(|byte| byte.is_ascii_whitespace())
            .count();
        line += read[..spaces].iter().filter(|byte| **byte == b'\n').count() as u32;
        let byte = read.get(spaces).copied();
        from.consume(spaces);
        passed += spaces;
        if byte.is_some() || passed > LONGEST_SKIPPED {
            return Ok((byte, line));
        }
    }
}

/// Skips the rest of a line of which `skipped` bytes were read. Returns whether it has an end; None if it is too long.
fn skip_line(from: &mut dyn BufRead, mut skipped: usize) -> Option<bool> {
    loop {
        // A read error ends the line here; the next read reports it.
        let Ok(read) = from.fill_buf() else {
            return Some(false);
        };
        if read.is_empty() {
            return Some(false);
        }
        let end = read.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(read.len(), |end| end + 1);
        from.consume(length);
        skipped += length;
        if end.is_some() {
            return Some(true);
        }
        if skipped > LONGEST_SKIPPED {
            return None;
        }
    }
}
