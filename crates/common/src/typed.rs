//! Lines from standard input: read as they come, bounded, and interruptible.

use std::io;

use crate::{
    shutdown::Shutdown,
    sys::pipes::{Input, Reader},
};

/// The lines of an input that may be a terminal, a pipe or a file.
#[derive(Debug)]
pub struct Lines<R> {
    input: Reader<R>,
    /// How many bytes a line may have.
    longest: usize,
    /// Read, and not yet handed out.
    pending: Vec<u8>,
    ended: bool,
    /// Within a line that is too long: it is passed over to its end.
    skipping: bool,
}

/// A line, or why there is none.
#[derive(Debug, Eq, PartialEq)]
pub enum Line {
    /// A line without its end (`\n` or `\r\n`).
    Text(Vec<u8>),
    /// A line that is too long; it is not kept.
    TooLong,
}

impl<R: Input> Lines<R> {
    /// The lines of this input, of at most so many bytes.
    pub fn new(input: R, longest: usize) -> Self {
        Self {
            input: Reader::new(input),
            longest,
            pending: Vec::new(),
            ended: false,
            skipping: false,
        }
    }

    /// The next line; None at the end of the input or when a shutdown is requested.
    ///
    /// # Errors
    /// As read(2) and poll(2).
    pub fn next(&mut self, shutdown: &Shutdown) -> io::Result<Option<Line>> {
        loop {
            if shutdown.requested() {
                return Ok(None);
            }
            if let Some(line) = self.take() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            let mut chunk = [0; 4096];
            match self.input.read(&mut chunk, Some(shutdown.wake_up()))? {
                None => return Ok(None),
                Some(0) => {
                    self.ended = true;
                    // A last line without an end is a line.
                    if !self.pending.is_empty() || self.skipping {
                        self.pending.push(b'\n');
                    }
                }
                Some(length) => self.pending.extend_from_slice(&chunk[..length]),
            }
        }
    }

    fn take(&mut self) -> Option<Line> {
        let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') else {
            // Room for a carriage return that does not count.
            if self.pending.len() > self.longest + 1 {
                self.skipping = true;
                self.pending.clear();
            }
            return None;
        };
        let mut line: Vec<u8> = self.pending.drain(..=end).collect();
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let too_long = std::mem::take(&mut self.skipping) || line.len() > self.longest;
        Some(if too_long {
            Line::TooLong
        } else {
            Line::Text(line)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write, os::unix::net::UnixStream, thread};

    use super::*;

    const LONGEST: usize = 70_000;

    #[test]
    fn lines_come_whole_and_long_ones_are_passed_over() {
        let shutdown = Shutdown::new().unwrap();
        let (input, mut typing) = UnixStream::pair().unwrap();
        let typed = thread::spawn(move || {
            let longest = "x".repeat(LONGEST);
            let too_long = "y".repeat(3 * LONGEST);
            write!(typing, "hello\r\n\n{longest}\n{too_long}\n{longest}z\nlast").unwrap();
        });
        let mut lines = Lines::new(input, LONGEST);
        let mut next = || lines.next(&shutdown).unwrap();
        let text = |text: &str| Some(Line::Text(text.as_bytes().to_vec()));
        assert_eq!(next(), text("hello"));
        assert_eq!(next(), text(""));
        assert!(next() == text(&"x".repeat(LONGEST)));
        assert_eq!(next(), Some(Line::TooLong));
        assert_eq!(next(), Some(Line::TooLong));
        assert_eq!(next(), text("last"));
        assert_eq!(next(), None);
        typed.join().unwrap();
    }

    #[test]
    fn a_shutdown_ends_the_wait_for_a_line() {
        let shutdown = Shutdown::new().unwrap();
        let (input, _typing) = UnixStream::pair().unwrap();
        let waiting = shutdown.clone();
        let waiting = thread::spawn(move || Lines::new(input, LONGEST).next(&waiting).unwrap());
        shutdown.request();
        assert_eq!(waiting.join().unwrap(), None);
    }
}
