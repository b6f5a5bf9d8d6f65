//! Changing files that other processes read and change: locks, owners and modes, and files that cannot be replaced.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::{
    fs::{File, Metadata, OpenOptions, TryLockError},
    io,
    path::Path,
};

#[cfg(unix)]
use unix as system;
#[cfg(windows)]
use windows as system;

/// Whether the mode of a file can keep others from reading it. Where it cannot, a new file is open to those to whom its
/// folder is.
pub const HAS_MODES: bool = system::HAS_MODES;

/// Has a new file be readable for its owner only, where [`HAS_MODES`].
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    system::private(options)
}

/// The number of hard links to the file that has this path and this metadata.
///
/// # Errors
/// When it cannot be looked at.
pub fn hard_links(path: &Path, metadata: &Metadata) -> io::Result<u64> {
    system::hard_links(path, metadata)
}

/// Gives a new file the owner and the mode of the one that it replaces. False when it cannot have that owner. On Windows, a new
/// file has the access list of its folder; False for a file that is read-only, which is not to be replaced.
///
/// # Errors
/// When it cannot have the mode.
pub fn take_over(new: &File, old: &Metadata) -> io::Result<bool> {
    system::take_over(new, old)
}

/// Opens a file that is to be locked and then replaced or overwritten. Without waiting, which a pipe without a writer would
/// cause.
///
/// # Errors
/// As open(2).
pub fn open_to_change(path: &Path) -> io::Result<File> {
    system::open_to_change(path)
}

/// A file of [`open_to_change`] that has this path, for writing. On Windows, where nobody else may read or write a file that
/// is locked, it is the locked one.
///
/// # Errors
/// When it cannot be written.
pub fn open_to_overwrite(path: &Path, locked: Option<&File>) -> io::Result<File> {
    system::open_to_overwrite(path, locked)
}

/// Whether a file that could not be replaced, for this reason, can perhaps be overwritten: it has other names, is mounted by
/// itself, is open elsewhere, or its folder cannot be written.
pub fn can_be_overwritten(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TooManyLinks
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::ResourceBusy
            | io::ErrorKind::CrossesDevices
    ) || is_in_use(error)
}

/// Whether a file cannot be opened, read or written because another process has it open or locked: only Windows knows that.
pub fn is_in_use(error: &io::Error) -> bool {
    system::is_in_use(error)
}

/// Tries to lock a file for this process alone, or for all that only read it. False where the file system has no locks.
///
/// # Errors
/// `WouldBlock` while another process has it; [`io::Error`] as flock(2).
pub fn try_lock(file: &File, exclusive: bool) -> Result<bool, TryLockError> {
    let locked = match exclusive {
        true => file.try_lock(),
        false => file.try_lock_shared(),
    };
    match locked {
        Ok(()) => Ok(true),
        Err(TryLockError::Error(error)) => match error.kind() {
            io::ErrorKind::Interrupted => Err(TryLockError::WouldBlock),
            io::ErrorKind::Unsupported => Ok(false),
            _ if system::lacks_locks(&error) => Ok(false),
            _ => Err(TryLockError::Error(error)),
        },
        Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
    }
}

/// A lock on the place of a file, held by one process that changes, replaces or creates it: on its folder, or, where folders
/// cannot be locked, by a file `NAME.lock` beside it that is there as long as this is.
#[derive(Debug)]
pub struct PlaceLock(File);

impl PlaceLock {
    /// Tries to lock the place of this file; None where the file system has no locks.
    ///
    /// # Errors
    /// `WouldBlock` while another process has it; [`io::Error`] when the folder cannot be opened.
    pub fn try_lock(path: &Path) -> Result<Option<Self>, TryLockError> {
        Ok(system::lock_place(path)?.map(Self))
    }

    /// Has the names of the folder survive a crash of the machine, where this can be asked for.
    ///
    /// # Errors
    /// As fsync(2).
    pub fn sync(&self) -> io::Result<()> {
        system::sync_folder(&self.0)
    }
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    #[test]
    fn one_process_has_a_lock() {
        let folder = Folder::new();
        let path = folder.write("a", "");
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .open(&path)
                .unwrap()
        };
        let (one, other) = (open(), open());
        assert!(try_lock(&one, false).unwrap() && try_lock(&other, false).unwrap());
        assert!(matches!(
            try_lock(&one, true),
            Err(TryLockError::WouldBlock)
        ));
        drop(other);
        assert!(try_lock(&one, true).unwrap());
        assert_eq!(
            hard_links(path.as_ref(), &one.metadata().unwrap()).unwrap(),
            1
        );
        let place = PlaceLock::try_lock(path.as_ref()).unwrap();
        let second = PlaceLock::try_lock(path.as_ref());
        assert!(matches!(second, Err(TryLockError::WouldBlock)));
        place.unwrap().sync().unwrap();
        assert!(PlaceLock::try_lock(path.as_ref()).unwrap().is_some());
    }
}
