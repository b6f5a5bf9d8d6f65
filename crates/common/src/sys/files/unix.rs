//! Files on Linux, macOS and BSD.

#[cfg(feature = "net")]
use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt};
use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, FileTypeExt, MetadataExt},
    path::{Path, PathBuf},
};

#[cfg(feature = "net")]
use nix::libc::{ENXIO, O_NONBLOCK};

use super::Identity;

pub(super) const HAS_DEVICE_NAMES: bool = false;

fn identity_in(metadata: &Metadata) -> Identity {
    Identity {
        volume: metadata.dev(),
        number: metadata.ino(),
    }
}

pub(super) fn identity(file: &File) -> io::Result<Identity> {
    Ok(identity_in(&file.metadata()?))
}

pub(super) fn identity_at(path: &Path) -> io::Result<Identity> {
    Ok(identity_in(&fs::metadata(path)?))
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

pub(super) fn is_same(one: &File, other: &File) -> bool {
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}

pub(super) fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    file.read_at(buffer, position)
}

pub(super) fn write_at(file: &File, bytes: &[u8], position: u64) -> io::Result<usize> {
    file.write_at(bytes, position)
}

pub(super) fn cut(file: &File, _: &Path, length: u64) -> io::Result<()> {
    file.set_len(length)
}

pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

pub(super) fn is_pipe(metadata: &Metadata) -> bool {
    metadata.file_type().is_fifo()
}

#[cfg(feature = "net")]
pub(super) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(O_NONBLOCK)
}

#[cfg(feature = "net")]
pub(super) fn has_no_reader(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ENXIO)
}
