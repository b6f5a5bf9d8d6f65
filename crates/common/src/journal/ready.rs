//! The file that says where a program listens, for scripts that start it.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::{
    exit::{Failure, why},
    files,
    shutdown::Shutdown,
    sys::files::{Identity, has_no_reader, is_pipe, real_path, without_waiting},
    text::visible_path,
};

/// How long a pipe may have no reader.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is tried meanwhile.
const RETRY: Duration = Duration::from_millis(5);

/// The flag of every program that listens.
pub(crate) const FLAG: &str = "--ready-file";

/// The file of `--ready-file`: written once the program listens, removed when it ends.
#[derive(Debug)]
pub(super) struct ReadyFile {
    path: PathBuf,
    /// The file that was written: another one under the path is not ours.
    written: Mutex<Option<Identity>>,
}

impl ReadyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            written: Mutex::default(),
        }
    }

    /// Writes the addresses, a line each. A file comes into being whole, under its name; a pipe is waited for until it has
    /// a reader.
    ///
    /// # Errors
    /// `--ready-file FILE: why` (exit code 2).
    pub(super) fn write(&self, addresses: &[SocketAddr], stop: &Shutdown) -> Result<(), Failure> {
        let mut lines = String::new();
        for address in addresses {
            writeln!(lines, "{address}").expect("a String takes all that is written");
        }
        if files::is_standard(&self.path) {
            return files::write(FLAG, &self.path, |out| out.write_all(lines.as_bytes()));
        }
        let written = match fs::metadata(&self.path) {
            Ok(there) if !there.is_file() => self.write_into(lines.as_bytes(), stop),
            _ => self.replace(lines.as_bytes()),
        };
        written.map_err(|error| {
            Failure::could_not_run(format!("{FLAG} {}", visible_path(&self.path)), why(&error))
        })
    }

    fn replace(&self, lines: &[u8]) -> io::Result<()> {
        // What a symbolic link stands for is replaced, and not the link.
        let path = real_path(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut name = path
            .file_name()
            .ok_or(io::ErrorKind::InvalidFilename)?
            .to_owned();
        name.push(format!(".{}", std::process::id()));
        let new = path.with_file_name(name);
        let replaced = File::create(&new).and_then(|mut file| {
            file.write_all(lines)?;
            let written = Identity::of(&file)?;
            fs::rename(&new, &path)?;
            Ok(written)
        });
        let written = replaced.inspect_err(|_| drop(fs::remove_file(&new)))?;
        if let Ok(mut ours) = self.written.lock() {
            *ours = Some(written);
        }
        Ok(())
    }

    /// Writes into a pipe or a device.
    fn write_into(&self, lines: &[u8], stop: &Shutdown) -> io::Result<()> {
        let is_pipe = is_pipe(&fs::metadata(&self.path)?);
        let begun = Instant::now();
        loop {
            let mut options = OpenOptions::new();
            options.write(true);
            if is_pipe {
                without_waiting(&mut options);
            }
            let opened = options.open(&self.path);
            match opened.and_then(|mut file| file.write_all(lines)) {
                Err(error) if is_pipe && has_no_reader(&error) => {
                    if begun.elapsed() > PATIENCE {
                        return Err(io::Error::other("a pipe that no process reads"));
                    }
                    if stop.sleep(RETRY) {
                        return Ok(());
                    }
                }
                written => return written,
            }
        }
    }

    /// Removes the file, if it is still the one that was written.
    pub(super) fn remove(&self) {
        let Ok(mut ours) = self.written.lock() else {
            return;
        };
        if let Some(written) = ours.take()
            && let path = real_path(&self.path).unwrap_or_else(|_| self.path.clone())
            && Identity::at(&path).is_ok_and(|there| there == written)
        {
            let _ = fs::remove_file(path);
        }
    }
}
