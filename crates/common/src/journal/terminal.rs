//! The thread `terminal`: writes standard output and standard error, in the order in which they were recorded.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::queue::Progress;
use crate::{
    exit::{Exit, Failure, why},
    shutdown::Shutdown,
    threads::{channel::Receiver, thread},
};

/// How many chunks may wait for the terminal; a chunk is a batch of lines.
pub(super) const QUEUE: usize = if cfg!(shuttle) { 1 } else { 64 };

/// The pause before a descriptor that another program made non-blocking is tried again.
const RETRY: Duration = Duration::from_millis(5);

/// Lines for people.
#[derive(Debug)]
pub(super) enum Chunk {
    /// For standard output.
    Answer(Vec<u8>),
    /// For standard error.
    Status(Vec<u8>),
    /// For standard output, until there is something else to show.
    Prompt(Vec<u8>),
}

pub(super) struct Terminal {
    /// None once it is closed.
    out: Option<Box<dyn Write + Send>>,
    err: Box<dyn Write + Send>,
    program: &'static str,
    shutdown: Shutdown,
    exit: Exit,
    /// Whether a prompt stands in the last line.
    prompted: bool,
}

/// Takes a prompt away: to the line's beginning, and erased from there (ECMA-48 CR, EL).
const NO_PROMPT: &[u8] = b"\r\x1b[K";

impl Terminal {
    pub(super) fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        program: &'static str,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            out: Some(out),
            err,
            program,
            shutdown,
            exit: Exit::Done,
            prompted: false,
        }
    }

    /// Writes until no sender is left; [`Exit::CouldNotRun`] when standard output failed.
    pub(super) fn run(mut self, chunks: &Receiver<Chunk>, progress: &Progress) -> Exit {
        for chunk in chunks {
            progress.made();
            if std::mem::take(&mut self.prompted) {
                self.answer(NO_PROMPT, progress);
            }
            match chunk {
                Chunk::Answer(lines) => self.answer(&lines, progress),
                Chunk::Prompt(prompt) => {
                    self.answer(&prompt, progress);
                    self.prompted = true;
                }
                // Should standard error be closed, no output is left.
                Chunk::Status(line) => drop(write_all(&mut self.err, &line, progress)),
            }
            progress.made();
        }
        self.exit
    }

    fn answer(&mut self, lines: &[u8], progress: &Progress) {
        let Some(out) = &mut self.out else { return };
        let Err(error) = write_all(out, lines, progress) else {
            return;
        };
        // Nobody is left to give an answer to. A closed pipe (`| head`) is no fault and ends quietly.
        self.out = None;
        self.shutdown.request();
        if error.kind() != io::ErrorKind::BrokenPipe {
            let failure = Failure::could_not_run("standard output", why(&error));
            self.exit = failure.exit;
            let line = format!("{}: {failure}\n", self.program);
            drop(write_all(&mut self.err, line.as_bytes(), progress));
        }
    }
}

fn write_all(
    sink: &mut Box<dyn Write + Send>,
    mut bytes: &[u8],
    progress: &Progress,
) -> io::Result<()> {
    while !bytes.is_empty() {
        match sink.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => {
                bytes = &bytes[length..];
                progress.made();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    sink.flush()
}
