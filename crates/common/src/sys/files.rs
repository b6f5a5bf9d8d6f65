//! Files: what a file is whatever its name, reads and writes at a position, and names that are none of a file.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(feature = "net")]
use std::fs::OpenOptions;
use std::{
    fs::{File, Metadata},
    io,
    path::{Path, PathBuf},
};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// What a file is, whatever its name: the number of its device or volume, and its own on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Identity {
    volume: u64,
    number: u64,
}

impl Identity {
    /// Of an open file.
    ///
    /// # Errors
    /// When the system does not say; Windows does not of pipes and consoles.
    pub fn of(file: &File) -> io::Result<Self> {
        system::identity(file)
    }

    /// Of the file that has this path now; a symbolic link is followed.
    ///
    /// # Errors
    /// When there is none, or it cannot be looked at.
    pub fn at(path: &Path) -> io::Result<Self> {
        system::identity_at(path)
    }
}

/// Opens a file for reading.
///
/// # Errors
/// As open(2); also `IsADirectory` where the system opens no folder.
pub fn open(path: &Path) -> io::Result<File> {
    system::open(path)
}

/// Whether both are known to be the same file, terminal or pipe.
pub fn is_same(one: &File, other: &File) -> bool {
    system::is_same(one, other)
}

/// Reads at a position, in bytes from the start, and returns how many bytes. On Windows this moves the position of other reads.
///
/// # Errors
/// As a read.
pub fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    system::read_at(file, buffer, position)
}

/// Fills the buffer from a position on, in bytes from the start.
///
/// # Errors
/// As a read; `UnexpectedEof` when the file ends before.
pub fn read_exact_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read_at(file, &mut buffer[filled..], position + filled as u64) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => filled += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Writes all bytes at a position, in bytes from the start: in one call, if the system takes all at once.
///
/// # Errors
/// As a write.
pub fn write_all_at(file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
    let mut written = 0;
    while written < bytes.len() {
        match system::write_at(file, &bytes[written..], position + written as u64) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => written += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Cuts a file to `length` bytes; `file` may be open for appending alone, and has this path.
///
/// # Errors
/// As ftruncate(2). On Windows also when the path is that of another file by now.
pub fn cut(file: &File, path: &Path, length: u64) -> io::Result<()> {
    system::cut(file, path, length)
}

/// The path without symbolic links, as it is shown to people.
///
/// # Errors
/// As [`std::fs::canonicalize`].
pub fn real_path(path: &Path) -> io::Result<PathBuf> {
    system::real_path(path)
}

/// Whether this is a pipe with a name.
pub fn is_pipe(metadata: &Metadata) -> bool {
    system::is_pipe(metadata)
}

/// Has a pipe with a name be opened without waiting for a process at its other end; for other files nothing changes.
#[cfg(feature = "net")]
pub fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    system::without_waiting(options)
}

/// Whether a pipe was not opened because no process reads from it.
#[cfg(feature = "net")]
pub fn has_no_reader(error: &io::Error) -> bool {
    system::has_no_reader(error)
}

/// The device that this path names on this system, whatever its folder and its ending (`CON`, `nul.txt`): no file can be
/// called so.
pub fn device_of(path: &Path) -> Option<String> {
    system::HAS_DEVICE_NAMES.then(|| device(path)).flatten()
}

/// The device that Windows takes this name for
/// (<https://learn.microsoft.com/windows/win32/fileio/naming-a-file#naming-conventions>).
fn device(path: &Path) -> Option<String> {
    let path = path.as_os_str().to_string_lossy();
    if let Some(device) = path
        .strip_prefix(r"\\.\")
        .or_else(|| path.strip_prefix("//./"))
    {
        return Some(device.to_owned());
    }
    let name = path.rsplit(['\\', '/']).next()?;
    let name = name.split(['.', ':']).next()?.trim_end_matches(' ');
    let upper = name.to_uppercase();
    let is_numbered = |name: &str| {
        let mut number = name.chars();
        let digit = number.next();
        number.next().is_none() && digit.is_some_and(|digit| "123456789¹²³".contains(digit))
    };
    let is_device = match upper.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$" => true,
        name => ["COM", "LPT"]
            .iter()
            .any(|kind| name.strip_prefix(kind).is_some_and(is_numbered)),
    };
    is_device.then_some(upper)
}

#[cfg(test)]
mod tests {
    use std::{fs::OpenOptions, io::Write};

    use super::*;
    use crate::testing::Folder;

    #[test]
    fn names_of_devices_are_found_in_every_spelling() {
        let found = |path: &str| device(path.as_ref());
        for (path, name) in [
            ("NUL", "NUL"),
            ("con", "CON"),
            (r"C:\lab\aux.json", "AUX"),
            ("logs/Com1 .log", "COM1"),
            ("LPT²", "LPT²"),
            ("nul:", "NUL"),
            (r"\\.\COM12", "COM12"),
        ] {
            assert_eq!(found(path).as_deref(), Some(name), "{path}");
        }
        for path in [
            "console",
            "com",
            "com10",
            "com0",
            "c:\\nul\\x",
            "lab.con",
            "",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn a_file_is_known_by_what_it_is_and_read_and_written_at_a_position() {
        let folder = Folder::new();
        let path = folder.write("a", "0123456789");
        let (one, other) = (Path::new(&path), folder.path("b"));
        std::fs::hard_link(one, &other).unwrap();
        let file = OpenOptions::new().read(true).write(true).open(one).unwrap();
        assert_eq!(
            Identity::of(&file).unwrap(),
            Identity::at(other.as_ref()).unwrap()
        );
        assert!(is_same(&file, &File::open(&other).unwrap()));
        let strange = File::open(folder.write("c", "")).unwrap();
        assert_ne!(
            Identity::of(&file).unwrap(),
            Identity::of(&strange).unwrap()
        );
        assert!(!is_same(&file, &strange));

        write_all_at(&file, b"xy", 3).unwrap();
        let mut read = [0; 4];
        read_exact_at(&file, &mut read, 2).unwrap();
        assert_eq!(&read, b"2xy5");
        let short = read_exact_at(&file, &mut read, 8).unwrap_err();
        assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);

        let mut log = OpenOptions::new().append(true).open(one).unwrap();
        cut(&log, one, 2).unwrap();
        log.write_all(b"!").unwrap();
        assert_eq!(std::fs::read(one).unwrap(), b"01!");
    }
}
