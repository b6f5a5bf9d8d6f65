//! What Windows has instead of limits and terminals.

use std::{
    fs::File,
    io,
    os::windows::io::OwnedHandle,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::Limits;

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

/// `C:\labs` for `\\?\C:\labs`, in which `cmd` does not run.
pub(super) fn real_path(path: &Path) -> io::Result<PathBuf> {
    let path = path.canonicalize()?;
    let text = path.to_str().and_then(|text| text.strip_prefix(r"\\?\"));
    let plain = text.filter(|text| text.as_bytes().get(1) == Some(&b':'));
    Ok(plain.map(PathBuf::from).unwrap_or(path))
}
