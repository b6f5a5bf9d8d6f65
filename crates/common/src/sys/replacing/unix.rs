//! Changing files on Linux, macOS and BSD: a lock is kept by those that ask for it, and folders are locked and synced.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::Path,
};

use nix::libc::{ENOLCK, O_NONBLOCK};

use super::{folder_of, try_lock};

pub(super) const HAS_MODES: bool = true;

pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

pub(super) fn hard_links(_: &Path, metadata: &Metadata) -> io::Result<u64> {
    Ok(metadata.nlink())
}

pub(super) fn take_over(new: &File, old: &Metadata) -> io::Result<bool> {
    let owner = |metadata: &Metadata| (metadata.uid(), metadata.gid());
    let has_owner = owner(&new.metadata()?) == owner(old)
        || fchown(new, Some(old.uid()), Some(old.gid())).is_ok();
    if has_owner {
        new.set_permissions(old.permissions())?;
    }
    Ok(has_owner)
}

pub(super) fn open_to_change(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(O_NONBLOCK)
        .open(path)
}

pub(super) fn open_to_overwrite(path: &Path, _: Option<&File>) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// Files that are open can be replaced and removed.
pub(super) fn is_in_use(_: &io::Error) -> bool {
    false
}

pub(super) fn lacks_locks(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ENOLCK)
}

pub(super) fn lock_place(path: &Path) -> Result<Option<File>, TryLockError> {
    let folder = File::open(folder_of(path)).map_err(TryLockError::Error)?;
    Ok(try_lock(&folder, true)?.then_some(folder))
}

pub(super) fn sync_folder(folder: &File) -> io::Result<()> {
    folder.sync_all()
}
