//! A thread that reads: Windows cannot wait for a pipe or a console beside something else. The thread ends with its input, or
//! with the process.

use std::{
    io::{self, Read, Write},
    thread,
};

use crossbeam::{
    channel::{self, Receiver},
    select,
};

use crate::sys::wake_up::WakeUp;

/// How much is read at once, in bytes, and how often ahead of what is taken.
const CHUNK: usize = 1 << 16;
const AHEAD: usize = 2;

/// ERROR_BROKEN_PIPE: how the end of a pipe is reported.
const BROKEN_PIPE: i32 = 109;

/// What can be read from: a pipe, a console, a file.
pub trait Input: Read + Send + 'static {}

impl<T: Read + Send + 'static> Input for T {}

/// What can be written to.
pub trait Output: Write {}

impl<T: Write> Output for T {}

/// The reading end.
#[derive(Debug)]
pub struct Reader<R> {
    state: State<R>,
    /// Read, and not yet taken.
    pending: Vec<u8>,
}

#[derive(Debug)]
enum State<R> {
    /// Nothing was read yet.
    New(R),
    Reading(Receiver<io::Result<Vec<u8>>>),
    Ended,
}

impl<R: Input> Reader<R> {
    /// Reads from this input.
    pub fn new(input: R) -> Self {
        Self {
            state: State::New(input),
            pending: Vec::new(),
        }
    }

    /// Waits for some bytes, and reads them; 0 at the end of the input, None once `stop` wakes (None: it is ignored).
    ///
    /// # Errors
    /// As the read, or when there is no thread for it.
    pub fn read(&mut self, buffer: &mut [u8], stop: Option<&WakeUp>) -> io::Result<Option<usize>> {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::New(input) => State::Reading(start(input)?),
            state => state,
        };
        if self.pending.is_empty() {
            let State::Reading(chunks) = &self.state else {
                return Ok(Some(0));
            };
            let never = channel::never();
            let stop = stop.map_or(&never, WakeUp::channel);
            let chunk = select! {
                recv(chunks) -> chunk => chunk,
                recv(stop) -> _ => return Ok(None),
            };
            match chunk {
                Ok(chunk) => self.pending = chunk?,
                Err(_) => {
                    self.state = State::Ended;
                    return Ok(Some(0));
                }
            }
        }
        let length = buffer.len().min(self.pending.len());
        buffer[..length].copy_from_slice(&self.pending[..length]);
        self.pending.drain(..length);
        Ok(Some(length))
    }
}

/// Starts the thread, which hands over what it reads, and ends at the end of the input.
fn start(mut input: impl Input) -> io::Result<Receiver<io::Result<Vec<u8>>>> {
    let (chunks, read) = channel::bounded(AHEAD);
    let reading = move || {
        let mut buffer = vec![0; CHUNK];
        loop {
            let chunk = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => Ok(buffer[..length].to_vec()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.raw_os_error() == Some(BROKEN_PIPE) => return,
                Err(error) => Err(error),
            };
            let failed = chunk.is_err();
            if chunks.send(chunk).is_err() || failed {
                return;
            }
        }
    };
    thread::Builder::new().name("input".into()).spawn(reading)?;
    Ok(read)
}

/// The writing end.
#[derive(Debug)]
pub struct Writer<W>(W);

impl<W: Output> Writer<W> {
    /// Writes to this output.
    pub fn new(output: W) -> Self {
        Self(output)
    }

    /// Writes all bytes, and waits until they are read or the other end is closed: a wake-up ends it only between two calls; false then.
    ///
    /// # Errors
    /// As the write.
    pub fn write_all(&mut self, bytes: &[u8], stop: &WakeUp) -> io::Result<bool> {
        if stop.channel().try_recv() == Err(channel::TryRecvError::Disconnected) {
            return Ok(false);
        }
        self.0.write_all(bytes)?;
        self.0.flush()?;
        Ok(true)
    }
}
