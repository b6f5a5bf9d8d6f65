//! Handles of their own, except at a console: only std writes UTF-8 to a console of any code page, and reads it from there.

use std::{
    fs::File,
    io::{self, IsTerminal, Read, Write},
    os::windows::io::{AsHandle, BorrowedHandle},
};

use crate::sys::{files::is_same, types::Stream};

/// Standard input.
#[derive(Debug)]
pub struct Input(Either);

#[derive(Debug)]
enum Either {
    Console(io::Stdin),
    File(File),
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Either::Console(console) => console.read(buffer),
            Either::File(file) => file.read(buffer),
        }
    }
}

/// Standard input.
///
/// # Errors
/// When it is not open.
pub fn input() -> io::Result<Input> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return Ok(Input(Either::Console(stdin)));
    }
    Ok(Input(Either::File(input_file()?)))
}

/// Standard input as a file.
///
/// # Errors
/// When it is not open.
pub fn input_file() -> io::Result<File> {
    io::stdin().as_handle().try_clone_to_owned().map(File::from)
}

/// A standard stream.
///
/// # Errors
/// When it is not open.
pub fn output(stream: Stream) -> io::Result<Box<dyn Write + Send>> {
    Ok(match stream {
        Stream::Out if io::stdout().is_terminal() => Box::new(io::stdout()),
        Stream::Err if io::stderr().is_terminal() => Box::new(io::stderr()),
        Stream::Out => Box::new(File::from(io::stdout().as_handle().try_clone_to_owned()?)),
        Stream::Err => Box::new(File::from(io::stderr().as_handle().try_clone_to_owned()?)),
    })
}

/// Whether standard output and standard error are the same console or file.
pub fn is_same_output() -> bool {
    if io::stdout().is_terminal() && io::stderr().is_terminal() {
        return true;
    }
    let file = |handle: BorrowedHandle<'_>| handle.try_clone_to_owned().map(File::from);
    let (out, err) = (io::stdout(), io::stderr());
    match (file(out.as_handle()), file(err.as_handle())) {
        (Ok(out), Ok(err)) => is_same(&out, &err),
        _ => false,
    }
}

/// Whether the console shows colours when it is sent their codes: since Windows 10, when it is told to.
pub fn enable_colour() -> bool {
    anstyle_query::windows::enable_ansi_colors().unwrap_or(false)
}

/// Whether a person types there for another program; a console of Windows gives each what is typed for it.
#[cfg(feature = "typed")]
pub fn in_background<T>(_input: &T) -> bool {
    false
}
