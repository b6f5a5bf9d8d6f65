//! The file that says where a program listens, for scripts that start it.

use std::{
    fmt::Write as _,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Mutex,
    time::{Duration, Instant},
};

use nix::libc::{ENXIO, O_NONBLOCK};

use crate::{
    exit::{Failure, why},
    files,
    shutdown::Shutdown,
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
    /// The file that was written, by its device and number: another one under the path is not ours.
    written: Mutex<Option<(u64, u64)>>,
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
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let mut name = path
            .file_name()
            .ok_or(io::ErrorKind::InvalidFilename)?
            .to_owned();
        name.push(format!(".{}", std::process::id()));
        let new = path.with_file_name(name);
        let replaced = File::create(&new).and_then(|mut file| {
            file.write_all(lines)?;
            let metadata = file.metadata()?;
            fs::rename(&new, &path)?;
            Ok((metadata.dev(), metadata.ino()))
        });
        let written = replaced.inspect_err(|_| drop(fs::remove_file(&new)))?;
        if let Ok(mut ours) = self.written.lock() {
            *ours = Some(written);
        }
        Ok(())
    }

    /// Writes into a pipe or a device.
    fn write_into(&self, lines: &[u8], stop: &Shutdown) -> io::Result<()> {
        let is_pipe = fs::metadata(&self.path)?.file_type().is_fifo();
        let begun = Instant::now();
        loop {
            let mut options = OpenOptions::new();
            options.write(true);
            if is_pipe {
                options.custom_flags(O_NONBLOCK);
            }
            let opened = options.open(&self.path);
            match opened.and_then(|mut file| file.write_all(lines)) {
                Err(error) if error.raw_os_error() == Some(ENXIO) && is_pipe => {
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
        let is_ours = |ours: (u64, u64), path: &Path| {
            fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == ours)
        };
        if let Some(written) = ours.take()
            && let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
            && is_ours(written, &path)
        {
            let _ = fs::remove_file(path);
        }
    }
}
