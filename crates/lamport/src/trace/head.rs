//! What a log is: by what the user says, and otherwise by its first lines.

use std::io::{self, BufRead, Read};

use super::{
    fields, known,
    layouts::{self, Layout},
    maelstrom,
};

/// How a log is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Format {
    /// Lines of the event log, version 1.
    EventLog,
    /// Lines of JSON that are no events.
    Json,
    /// Lines of JSON, by the names of their fields.
    Fields,
    /// The same, over several lines or in an array.
    WholeFields,
    /// Maelstrom's messages.
    Maelstrom,
    /// Events with clocks in a layout.
    Layout,
}

/// How much of a log shows what it is, in bytes.
pub(super) const HEAD: usize = 64 << 10;

/// How many of its lines.
const LINES: usize = 1000;

/// The programs that compress files, by the first bytes of what they write. Gzip is read.
const COMPRESSED: [(&[u8], &str); 5] = [
    (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], "xz"),
    (b"BZh", "bzip2"),
    (&[0x04, 0x22, 0x4d, 0x18], "lz4"),
    (b"PK\x03\x04", "zip"),
];

/// The format of a log that begins so; None if nothing is known about it.
pub(super) fn format(head: &[u8], layout: &Layout) -> Option<Format> {
    let text = String::from_utf8_lossy(head);
    let guess = guess(&text);
    // What the user says wins where it can be meant: logs of several kinds may be read together.
    let is_meant = match (&layout.event, &layout.fields) {
        (Some(regex), _) => layouts::finds_event(regex, &text),
        (None, Some(_)) if fields::is_whole(&text) && !lines(&text).any(is_event) => {
            return Some(Format::WholeFields);
        }
        (None, Some(names)) => lines(&text).any(|line| fields::fit(line, names)),
        (None, None) => return guess,
    };
    match (guess, layout.fields.is_some()) {
        (Some(Format::EventLog), _) if !is_meant => guess,
        (_, true) => Some(Format::Fields),
        (_, false) => Some(Format::Layout),
    }
}

fn lines(text: &str) -> impl Iterator<Item = &str> + Clone {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.take(LINES)
}

fn guess(text: &str) -> Option<Format> {
    let mut without_remarks =
        lines(text).skip_while(|line| known::is_comment(line) && !known::is_header(line));
    let first = without_remarks.next()?;
    if is_event(first) {
        return Some(Format::EventLog);
    }
    if known::is_header(first)
        || lines(text).any(|line| known::is_clock(line) || known::is_tlc(line))
    {
        return Some(Format::Layout);
    }
    if lines(text).any(is_event) {
        return Some(Format::EventLog);
    }
    if lines(text).any(maelstrom::fits) {
        return Some(Format::Maelstrom);
    }
    let has_object = lines(text).any(|line| line.starts_with('{'));
    has_object.then_some(Format::Json)
}

/// Whether a line is one of the event log, of any version.
fn is_event(line: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Line {
        #[serde(rename = "v")]
        _v: u64,
        #[serde(rename = "seq")]
        _seq: u64,
    }
    // The line may be longer than the head.
    let line = line.trim();
    line.starts_with('{')
        && (line.starts_with("{\"v\":") || serde_json::from_str::<Line>(line).is_ok())
}

/// The program that compressed a file that begins so.
pub(super) fn compressed(head: &[u8]) -> Option<&'static str> {
    let found = COMPRESSED.iter().find(|(first, _)| head.starts_with(first));
    found.map(|(_, program)| *program)
}

/// A log of which the beginning was read: it is read from its beginning again.
pub(super) struct WithHead<'r> {
    head: Vec<u8>,
    taken: usize,
    /// An error in the beginning, which is reported after it.
    error: Option<io::Error>,
    rest: &'r mut dyn BufRead,
}

impl<'r> WithHead<'r> {
    /// Reads the beginning.
    pub(super) fn new(rest: &'r mut dyn BufRead) -> Self {
        let mut head = Vec::new();
        let error = (&mut *rest).take(HEAD as u64).read_to_end(&mut head).err();
        Self {
            head,
            taken: 0,
            error,
            rest,
        }
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the beginning is all of it.
    pub(super) fn is_whole(&self) -> bool {
        self.head.len() < HEAD
    }
}

impl Read for WithHead<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.head.len() && self.error.is_none() {
            return self.rest.read(into);
        }
        let length = self.fill_buf()?.read(into)?;
        self.consume(length);
        Ok(length)
    }
}

impl BufRead for WithHead<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken < self.head.len() {
            return Ok(&self.head[self.taken..]);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.rest.fill_buf(),
        }
    }

    fn consume(&mut self, amount: usize) {
        if self.taken < self.head.len() {
            self.taken += amount;
        } else {
            self.rest.consume(amount);
        }
    }
}
