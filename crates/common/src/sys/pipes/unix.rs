//! poll(2) before each read and write.

use std::{
    io::{self, IsTerminal, Read, Write},
    os::fd::AsFd,
    time::Duration,
};

use crate::sys::{
    sockets::{Interest, Woken, wait},
    terminal::in_background,
    wake_up::WakeUp,
};

/// How often a program in the background looks whether it has come to the front.
const BACKGROUND: Duration = Duration::from_millis(200);

/// How many bytes a pipe takes without waiting once it takes any (PIPE_BUF of Linux, pipe(7); 512 at least by POSIX).
const PIECE: usize = 512;

/// What can be read from: a pipe, a terminal, a file.
pub trait Input: Read + AsFd + Send + 'static {}

impl<T: Read + AsFd + Send + 'static> Input for T {}

/// What can be written to.
pub trait Output: Write + AsFd {}

impl<T: Write + AsFd> Output for T {}

/// The reading end.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    is_terminal: bool,
}

impl<R: Input> Reader<R> {
    /// Reads from this input.
    pub fn new(input: R) -> Self {
        let is_terminal = input.as_fd().is_terminal();
        Self { input, is_terminal }
    }

    /// Waits for some bytes, and reads them; 0 at the end of the input, None once `stop` wakes (None: it is ignored). A terminal at
    /// which a person types for another program is not read before this program is in front.
    ///
    /// # Errors
    /// As read(2) and poll(2).
    pub fn read(&mut self, buffer: &mut [u8], stop: Option<&WakeUp>) -> io::Result<Option<usize>> {
        loop {
            if wait(&self.input, Interest::Read, None, stop)? != Woken::Ready {
                return Ok(None);
            }
            if self.is_terminal && in_background(&self.input) {
                match stop {
                    Some(stop) => drop(stop.channel().recv_timeout(BACKGROUND)),
                    None => std::thread::sleep(BACKGROUND),
                }
                continue;
            }
            match self.input.read(buffer) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
                    ) => {}
                read => return read.map(Some),
            }
        }
    }
}

/// The writing end.
#[derive(Debug)]
pub struct Writer<W>(W);

impl<W: Output> Writer<W> {
    /// Writes to this output.
    pub fn new(output: W) -> Self {
        Self(output)
    }

    /// Writes all bytes, as fast as they are read; false once `stop` wakes.
    ///
    /// # Errors
    /// As write(2) and poll(2).
    pub fn write_all(&mut self, bytes: &[u8], stop: &WakeUp) -> io::Result<bool> {
        for piece in bytes.chunks(PIECE) {
            if wait(&self.0, Interest::Write, None, Some(stop))? != Woken::Ready {
                return Ok(false);
            }
            self.0.write_all(piece)?;
        }
        Ok(true)
    }
}
