//! Files on Windows: their identity is that of an open file, and one that is open for appending cannot be cut.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, IsTerminal},
    os::windows::fs::FileExt,
    path::{Component, Path, PathBuf, Prefix},
};

use winapi_util::{Handle, file};

use super::Identity;

pub(super) const HAS_DEVICE_NAMES: bool = true;

fn identity_in(information: &file::Information) -> Identity {
    Identity {
        volume: information.volume_serial_number(),
        number: information.file_index(),
    }
}

pub(super) fn identity(file: &File) -> io::Result<Identity> {
    Ok(identity_in(&file::information(file)?))
}

pub(super) fn identity_at(path: &Path) -> io::Result<Identity> {
    Ok(identity_in(&file::information(Handle::from_path_any(
        path,
    )?)?))
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied if path.is_dir() => io::ErrorKind::IsADirectory.into(),
        _ => error,
    })
}

pub(super) fn is_same(one: &File, other: &File) -> bool {
    // A process has one console.
    if one.is_terminal() && other.is_terminal() {
        return true;
    }
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    file.seek_read(buffer, position)
}

pub(super) fn write_at(file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
    file.seek_write(bytes, position)
}

pub(super) fn cut(file: &File, path: &Path, length: u64) -> io::Result<()> {
    // A file that is open for appending alone cannot be cut.
    let second = OpenOptions::new().write(true).open(path)?;
    if identity(file)? != identity(&second)? {
        return Err(io::ErrorKind::Unsupported.into());
    }
    second.set_len(length)
}

pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    let real = fs::canonicalize(path)?;
    // As people write it: `C:\lab.json` for `\\?\C:\lab.json`, `\\server\share\lab.json` for `\\?\UNC\server\share\lab.json`.
    let mut parts = real.components();
    let start = match parts.next() {
        Some(Component::Prefix(prefix)) => match prefix.kind() {
            Prefix::VerbatimDisk(drive) => format!("{}:", char::from(drive)),
            Prefix::VerbatimUNC(server, share) => {
                let (server, share) = (server.to_str(), share.to_str());
                format!(
                    r"\\{}\{}",
                    server.unwrap_or_default(),
                    share.unwrap_or_default()
                )
            }
            _ => return Ok(real),
        },
        _ => return Ok(real),
    };
    let mut short = PathBuf::from(start);
    short.push(parts.as_path());
    // What is only a path in its long form stays so.
    let is_real = fs::canonicalize(&short).is_ok_and(|again| again == real);
    Ok(if is_real { short } else { real })
}

/// A pipe of Windows has no name in a folder.
pub(super) fn is_pipe(_: &Metadata) -> bool {
    false
}

#[cfg(feature = "net")]
pub(super) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(feature = "net")]
pub(super) fn has_no_reader(_: &io::Error) -> bool {
    false
}
