//! The thread `terminal`: writes standard output; and standard error too where both are the same file, so that the lines
//! stand there in the order in which they were recorded.

use std::io::Write;

use super::{queue::Progress, sink::write_all, stderr::ErrorSender};
use crate::{
    exit::{Exit, Failure, why},
    shutdown::Shutdown,
    sys::errors::is_closed_pipe,
    threads::channel::Receiver,
};

/// How many chunks may wait for the terminal; a chunk is a batch of lines.
pub(super) const QUEUE: usize = if cfg!(shuttle) { 1 } else { 64 };

/// Lines for people.
#[derive(Debug)]
pub(super) enum Chunk {
    /// For standard output.
    Answer(Vec<u8>),
    /// For a standard error that is the same file.
    Status(Vec<u8>),
    /// For standard output, until there is something else to show.
    Prompt(Vec<u8>),
}

/// The terminal's standard error.
pub(super) enum ErrorOutput {
    /// The same file as standard output.
    Same(Box<dyn Write + Send>),
    /// Another one, which has a thread of its own.
    Own(ErrorSender),
}

pub(super) struct Terminal {
    /// None once it is closed.
    out: Option<Box<dyn Write + Send>>,
    err: ErrorOutput,
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
        err: ErrorOutput,
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
                Chunk::Status(line) => self.status(line, progress),
            }
            progress.made();
        }
        self.exit
    }

    fn status(&mut self, line: Vec<u8>, progress: &Progress) {
        match &mut self.err {
            // Should standard error be closed, no output is left.
            ErrorOutput::Same(err) => drop(write_all(err, &line, || progress.made())),
            ErrorOutput::Own(err) => err.put(line, || progress.made()),
        }
    }

    fn answer(&mut self, lines: &[u8], progress: &Progress) {
        let Some(out) = &mut self.out else { return };
        let Err(error) = write_all(out, lines, || progress.made()) else {
            return;
        };
        // Nobody is left to give an answer to. A closed pipe (`| head`) is no fault and ends quietly.
        self.out = None;
        self.shutdown.request();
        if !is_closed_pipe(&error) {
            let failure = Failure::could_not_run("standard output", why(&error));
            self.exit = failure.exit;
            let line = format!("{}: {failure}\n", self.program);
            self.status(line.into_bytes(), progress);
        }
    }
}
