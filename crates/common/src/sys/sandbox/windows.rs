//! What Windows has instead of limits and terminals.

use std::{
    fs::File,
    io,
    os::windows::io::OwnedHandle,
    path::Path,
    process::{Command, Stdio},
};

use crate::sys::types::Limits;

pub(super) fn apply(_: Limits) -> io::Result<()> {
    Ok(())
}

/// There is no such process without a namespace.
pub(super) fn run_as_first(mut command: Command) -> io::Result<u8> {
    let status = command.status()?;
    Ok(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1))
}

pub(super) fn output() -> io::Result<(File, Stdio)> {
    let (reader, writer) = io::pipe()?;
    Ok((File::from(OwnedHandle::from(reader)), writer.into()))
}

pub(super) fn link_folder(original: &Path, link: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_dir(original, link)
}
