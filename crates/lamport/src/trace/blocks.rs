//! Logs in blocks of whole lines: one thread reads, several parse.

use std::{
    io::{self, BufRead, Read},
    thread,
};

use common::{
    exit::{Failure, why},
    parallel,
};
use crossbeam::channel;

use super::{
    block::{Block, LONGEST, Piece},
    complete::complete,
    fields,
    findings::Severity,
    head::{self, Format, HEAD, WithHead},
    layouts::{self, Layout},
    lines, maelstrom,
    sources::{self, Source},
};

/// The longest line that is skipped, in bytes; after a longer one the rest of the file is not read.
const LONGEST_SKIPPED: usize = 256 << 20;

/// The approximate length of a block, in bytes.
const BLOCK: usize = 1 << 20;

/// The most that is kept of all logs together, in bytes.
const MOST: usize = 3 << 30;

/// The most of a log in a layout, which is read as a whole, in bytes.
const MOST_OF_LAYOUT: usize = 512 << 20;

/// The capacity of the queues before and after the parsing threads, in blocks.
const QUEUE: usize = 4;

/// A little less than the largest block of memory that glibc does not take from the kernel by itself, in bytes.
const REUSED: usize = (32 << 20) - (64 << 10);

struct Work {
    format: Format,
    piece: Piece,
    /// Whether it is one of several logs with Maelstrom's messages.
    several: bool,
}

impl Work {
    fn parse(self, sources: &[Source], layout: &Layout) -> Block {
        let Self {
            format,
            piece,
            several,
        } = self;
        let all = layout.all_findings;
        match (format, &layout.fields) {
            (Format::Fields, Some(names)) => fields::parse(piece, names, all),
            (Format::WholeFields, Some(names)) => fields::parse_whole(piece, names, all),
            (Format::Maelstrom, _) => {
                let name = sources[piece.file as usize].stem();
                maelstrom::parse(piece, &name, several, all)
            }
            (Format::Layout, _) => layouts::parse(piece, layout),
            _ => lines::parse(piece, all),
        }
    }
}

/// Reads all logs; the blocks are in the order of the files and their lines. A log is read in the given `layout`, or else in the known
/// one that fits.
///
/// # Errors
/// When a file cannot be opened (exit code 2).
pub fn read(sources: &[Source], layout: &Layout) -> Result<Vec<Block>, Failure> {
    reuse_memory();
    let (to_do, work) = channel::bounded::<(usize, Work)>(QUEUE);
    let (results, done) = channel::bounded::<(usize, Block)>(QUEUE);
    let mut blocks: Vec<(usize, Block)> = Vec::new();
    thread::scope(|scope| {
        let named = |name: &str| thread::Builder::new().name(name.to_owned());
        let cannot = |error| Failure::could_not_run("thread", why(&error));
        let reader = Reader {
            to_do,
            results: results.clone(),
            layout,
            maelstrom: Vec::new(),
            numbers: 0,
            kept: 0,
        };
        let reading = named("reader")
            .spawn_scoped(scope, move || reader.all(sources))
            .map_err(cannot)?;
        let workers = parallel::processors();
        for number in 1..=workers.min(8) {
            let (work, results) = (work.clone(), results.clone());
            let parse = move || {
                for (number, work) in work {
                    if results.send((number, work.parse(sources, layout))).is_err() {
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
    let mut blocks: Vec<Block> = blocks.into_iter().map(|(_, block)| block).collect();
    complete(&mut blocks);
    Ok(blocks)
}

/// Has memory that is freed reused. glibc takes each block of some size from the kernel and returns it, page by page and while other
/// threads wait for the kernel's lock, unless a larger one was freed before (mallopt(3), "dynamic mmap threshold"): a quarter of
/// the time that it takes to read and check a million events.
fn reuse_memory() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(REUSED)));
}

/// Divides files into blocks of whole lines.
struct Reader<'l> {
    to_do: channel::Sender<(usize, Work)>,
    /// For problems with a file itself.
    results: channel::Sender<(usize, Block)>,
    layout: &'l Layout,
    /// The logs with Maelstrom's messages, each with the number of its block.
    maelstrom: Vec<(usize, Piece)>,
    numbers: usize,
    kept: usize,
}

impl Reader<'_> {
    fn all(mut self, sources: &[Source]) -> Result<(), Failure> {
        for (file, source) in sources.iter().enumerate() {
            let failed = |error| sources::failed(&source.path, &error);
            let mut from = source.open().map_err(failed)?;
            self.one(file as u32, source, &mut *from).map_err(failed)?;
        }
        let several = self.maelstrom.len() > 1;
        for (number, piece) in std::mem::take(&mut self.maelstrom) {
            let format = Format::Maelstrom;
            let work = Work {
                format,
                piece,
                several,
            };
            let _ = self.to_do.send((number, work));
        }
        Ok(())
    }

    fn one(&mut self, file: u32, source: &Source, from: &mut dyn BufRead) -> io::Result<()> {
        let is_guessed = self.layout.event.is_none() && self.layout.fields.is_none();
        let (byte, line) = first_byte(from)?;
        let mut from = WithHead::new(from);
        let Some(byte) = byte else {
            self.problem(file, 1, Severity::Open, "the file is empty");
            return Ok(());
        };
        if let Some(program) = head::compressed(from.head()) {
            let words = format!("compressed by {program}, which is not read: decompress it");
            self.problem(file, line, Severity::Fail, words);
            return Ok(());
        }
        if is_guessed && byte.is_ascii_control() {
            let words = format!("not text: it begins with the byte {byte:#04x}");
            self.problem(file, line, Severity::Fail, words);
            return Ok(());
        }
        match head::format(from.head(), self.layout) {
            Some(Format::Json) | None if source.may_be_other() => {
                let number = self.next();
                let block = Block {
                    file,
                    is_passed_over: true,
                    ..Block::default()
                };
                let _ = self.results.send((number, block));
            }
            Some(format @ (Format::EventLog | Format::Json | Format::Fields)) => {
                self.lines(format, file, line, &mut from);
            }
            Some(format @ (Format::Layout | Format::Maelstrom | Format::WholeFields)) => {
                self.whole(format, file, line, source.is_found, &mut from);
            }
            None => self.whole(Format::Layout, file, line, source.is_found, &mut from),
        }
        Ok(())
    }

    fn put(&mut self, format: Format, piece: Piece) {
        let number = self.next();
        if format == Format::Maelstrom {
            return self.maelstrom.push((number, piece));
        }
        let work = Work {
            format,
            piece,
            several: false,
        };
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

    fn lines(&mut self, format: Format, file: u32, mut line: u32, from: &mut WithHead<'_>) {
        // A short log takes no more memory than it needs.
        let length = if from.is_whole() { HEAD } else { BLOCK };
        // The begun line after the last block.
        let mut rest: Vec<u8> = Vec::new();
        loop {
            if self.kept > MOST {
                let words = format!("more than {} GiB of logs: the rest is not read", MOST >> 30);
                return self.problem(file, line, Severity::Fail, words);
            }
            let (mut bytes, is_full) = next_bytes(&rest, length, from);
            match is_full {
                Ok(true) => {}
                Ok(false) => return self.piece(format, file, line, bytes, true),
                Err(error) => {
                    self.piece(format, file, line, bytes, true);
                    return self.stopped(file, line, &error);
                }
            }
            rest = match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => bytes.split_off(end + 1),
                None if bytes.len() <= LONGEST => bytes.split_off(0),
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
                    rest = Vec::new();
                    continue;
                }
            };
            let lines = lines_in(&bytes);
            self.piece(format, file, line, bytes, false);
            line = line.saturating_add(lines);
        }
    }

    fn piece(&mut self, format: Format, file: u32, line: u32, bytes: Vec<u8>, last: bool) {
        if bytes.is_empty() {
            return;
        }
        self.kept += bytes.len();
        let cut_off = last && !bytes.ends_with(b"\n");
        let mut bytes = bytes;
        if bytes.len() < bytes.capacity() / 2 {
            bytes.shrink_to_fit();
        }
        let mut bad_line = None;
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            let good = error.utf8_error().valid_up_to();
            let before = &error.as_bytes()[..good];
            bad_line = Some(lines_in(before));
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        let piece = Piece {
            file,
            line,
            text,
            cut_off,
            is_found: false,
        };
        self.put(format, piece);
        if let Some(bad_line) = bad_line {
            self.problem(file, line + bad_line, Severity::Fail, "not UTF-8");
        }
    }

    /// A log in another layout, which is parsed as a whole.
    fn whole(
        &mut self,
        format: Format,
        file: u32,
        line: u32,
        is_found: bool,
        from: &mut dyn BufRead,
    ) {
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
        let piece = Piece {
            file,
            line,
            text,
            cut_off: false,
            is_found,
        };
        self.put(format, piece);
    }
}

/// The rest, and after it so many bytes or all that are left; whether there may be more.
fn next_bytes(rest: &[u8], more: usize, from: &mut impl Read) -> (Vec<u8>, io::Result<bool>) {
    // The kernel zeroes what is new, and the bytes are read to where they stay.
    let mut bytes = vec![0; rest.len() + more];
    bytes[..rest.len()].copy_from_slice(rest);
    let mut end = rest.len();
    let is_full = loop {
        if end == bytes.len() {
            break Ok(true);
        }
        match from.read(&mut bytes[end..]) {
            Ok(0) => break Ok(false),
            Ok(length) => end += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => break Err(error),
        }
    };
    bytes.truncate(end);
    (bytes, is_full)
}

/// The number of line ends.
fn lines_in(bytes: &[u8]) -> u32 {
    // In so many a byte counts them, which is what makes it fast.
    let chunks = bytes.chunks(usize::from(u8::MAX));
    let lines = chunks.map(|chunk| {
        chunk
            .iter()
            .map(|byte| u8::from(*byte == b'\n'))
            .sum::<u8>()
    });
    lines.map(u32::from).sum()
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
        line += lines_in(&read[..spaces]);
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
