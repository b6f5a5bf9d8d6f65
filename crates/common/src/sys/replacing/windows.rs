//! Changing files on Windows: a lock on a file keeps every other process from reading and writing it, a file that is open
//! elsewhere is not always replaced, and folders are neither locked nor synced.

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io,
    os::windows::fs::OpenOptionsExt,
    path::Path,
};

use winapi_util::{Handle, file};

pub(super) const HAS_MODES: bool = false;

/// The file is not there for longer than it is open (`FILE_FLAG_DELETE_ON_CLOSE`).
const DELETE_ON_CLOSE: u32 = 0x0400_0000;

/// Errors of the system (winerror.h).
const ERROR_INVALID_FUNCTION: i32 = 1;
const ERROR_SHARING_VIOLATION: i32 = 32;
const ERROR_LOCK_VIOLATION: i32 = 33;
const ERROR_NOT_SUPPORTED: i32 = 50;
const ERROR_USER_MAPPED_FILE: i32 = 1224;

pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

pub(super) fn hard_links(path: &Path, _: &Metadata) -> io::Result<u64> {
    let information = file::information(Handle::from_path_any(path)?)?;
    Ok(information.number_of_links())
}

pub(super) fn take_over(new: &File, old: &Metadata) -> io::Result<bool> {
    let _ = new;
    Ok(!old.permissions().readonly())
}

pub(super) fn open_to_change(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => File::open(path),
        opened => opened,
    }
}

pub(super) fn open_to_overwrite(path: &Path, locked: Option<&File>) -> io::Result<File> {
    match locked {
        Some(locked) => locked.try_clone(),
        None => OpenOptions::new().write(true).open(path),
    }
}

pub(super) fn is_in_use(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION | ERROR_USER_MAPPED_FILE)
    )
}

pub(super) fn lacks_locks(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED)
    )
}

pub(super) fn lock_place(path: &Path) -> Result<Option<File>, TryLockError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(0)
        .custom_flags(DELETE_ON_CLOSE)
        .open(path.with_file_name(name));
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if is_in_use(&error) => Err(TryLockError::WouldBlock),
        Err(error) => Err(TryLockError::Error(error)),
    }
}

pub(super) fn sync_folder(_: &File) -> io::Result<()> {
    Ok(())
}
