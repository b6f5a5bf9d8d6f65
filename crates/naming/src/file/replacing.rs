//! How a file is changed: under a lock, with the old content or the new one in it, and as the file that it was, with its
//! owner, mode, hard links and symbolic links.
//!
//! The new content is written beside the file and takes its place by a rename. A file that has several hard links, is mounted
//! by itself, or is in a folder that cannot be written, is overwritten instead, while what was written beside it, where that
//! is possible, is kept: the next change finishes what a killed one began.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path as FilePath, PathBuf},
    thread,
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    json,
    sys::{
        files::{Identity, open},
        replacing::{
            PlaceLock, can_be_overwritten, folder_of, hard_links, is_in_use, open_to_change,
            open_to_overwrite, private, take_over, try_lock,
        },
    },
    text::visible_path,
};

/// How long to wait for another process that changes the file.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How many symbolic links lead to a file at most.
const MOST_LINKS: usize = 40;

/// A file that this process alone changes, as long as it exists.
#[derive(Debug)]
pub(super) struct Changing {
    /// The file itself, no link to it.
    path: PathBuf,
    /// The file, when there is one, locked as long as this exists.
    file: Option<File>,
    /// Its folder; None where it cannot be read.
    folder: Option<PlaceLock>,
    /// What a killed process left beside it.
    left: Vec<PathBuf>,
}

impl Changing {
    /// Locks the file, or its place when there is none.
    pub(super) fn begin(path: &FilePath) -> Result<Self, Failure> {
        let failed = |error: io::Error| Failure::could_not_run(visible_path(path), why(&error));
        let target = followed(path).map_err(failed)?;
        let is_regular = |old: &Metadata| match (old.is_file(), old.is_dir()) {
            (true, _) => Ok(()),
            (_, true) => Err(Failure::could_not_run(visible_path(path), "is a directory")),
            _ => Err(Failure::could_not_run(
                visible_path(path),
                "not a regular file, and only those are changed",
            )),
        };
        if let Ok(old) = fs::metadata(&target) {
            is_regular(&old)?;
        }
        let until = Instant::now() + LOCK_TIMEOUT;
        // A folder that cannot be read can still have a file that can be changed.
        let folder = match locked(until, || PlaceLock::try_lock(&target)) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(error) => return Err(failed(error)),
        };
        let old = loop {
            let file = match open_to_change(&target) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break None,
                Err(error) => return Err(failed(error)),
            };
            is_regular(&file.metadata().map_err(failed)?)?;
            locked(until, || try_lock(&file, true)).map_err(failed)?;
            // Meanwhile another process may have put another file in its place.
            if let Ok(now) = Identity::at(&target)
                && Identity::of(&file).map_err(failed)? == now
            {
                break Some(file);
            }
            if Instant::now() > until {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
        };
        let left = if folder.is_some() {
            left_beside(&target)
        } else {
            Vec::new()
        };
        Ok(Self {
            path: target,
            file: old,
            folder,
            left,
        })
    }

    /// The content of the file; None when there is no file.
    pub(super) fn content(&self, longest: u64) -> Result<Option<Vec<u8>>, Failure> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        json::read_open(&self.path, file, longest).map(Some)
    }

    /// What killed processes meant to write.
    pub(super) fn left(&self) -> impl Iterator<Item = Vec<u8>> {
        self.left.iter().filter_map(|path| fs::read(path).ok())
    }

    /// Gives the file this content.
    pub(super) fn write(mut self, content: &[u8]) -> Result<(), Failure> {
        let path = std::mem::take(&mut self.path);
        let failed = |error: io::Error| Failure::could_not_run(visible_path(&path), why(&error));
        let old = fs::metadata(&path).ok();
        let mut before = Vec::new();
        if let Some(mut file) = self.file.as_ref() {
            let read = file.rewind().and_then(|()| file.read_to_end(&mut before));
            read.map_err(failed)?;
        }
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let written = write_beside(&beside, old.as_ref(), content);
        let links = old.as_ref().map_or(Ok(1), |old| hard_links(&path, old));
        let replaced = match written {
            // A hard link would keep the old content.
            Ok(true) if links.is_ok_and(|links| links > 1) => {
                Err(io::ErrorKind::TooManyLinks.into())
            }
            Ok(true) => fs::rename(&beside, &path),
            Ok(false) => Err(io::ErrorKind::PermissionDenied.into()),
            Err(error) => Err(error),
        };
        let done = match replaced {
            Err(error) if old.is_some() && can_be_overwritten(&error) => {
                overwrite(&path, self.file.as_ref(), &before, content).map_err(|second| {
                    let text = format!(
                        "can neither be replaced nor be written: {}; the file or its folder must be writable",
                        why(&second)
                    );
                    Failure::could_not_run(visible_path(&path), text)
                })
            }
            replaced => replaced.map_err(failed),
        };
        let _ = fs::remove_file(&beside);
        done?;
        self.remove_left();
        if let Some(folder) = &self.folder {
            folder.sync().map_err(failed)?;
        }
        Ok(())
    }

    /// Removes what killed processes left.
    pub(super) fn remove_left(&self) {
        for path in &self.left {
            let _ = fs::remove_file(path);
        }
    }
}

/// Writes a new file with the owner and the mode of the old one. False when it cannot have that owner.
fn write_beside(path: &FilePath, old: Option<&Metadata>, content: &[u8]) -> io::Result<bool> {
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if old.is_some() {
        private(&mut options);
    }
    let mut file = options.open(path)?;
    let has_owner = old.map_or(Ok(true), |old| take_over(&file, old))?;
    file.write_all(content)?;
    file.sync_all()?;
    Ok(has_owner)
}

/// Overwrites a file. When that fails, it gets its old content back.
fn overwrite(
    path: &FilePath,
    locked: Option<&File>,
    before: &[u8],
    content: &[u8],
) -> io::Result<()> {
    let mut file = open_to_overwrite(path, locked)?;
    let mut put = |content: &[u8]| {
        file.rewind()?;
        file.write_all(content)?;
        file.set_len(content.len() as u64)?;
        file.sync_all()
    };
    put(content).inspect_err(|_| drop(put(before)))
}

/// Reads a whole file that is not being overwritten; one that is no regular file is read as it is.
pub(super) fn read_unchanging(path: &FilePath, longest: u64) -> io::Result<Vec<u8>> {
    let until = Instant::now() + LOCK_TIMEOUT;
    let file = locked(until, || match open(path) {
        Err(error) if is_in_use(&error) => Err(TryLockError::WouldBlock),
        opened => opened.map_err(TryLockError::Error),
    })?;
    if file.metadata()?.is_file() {
        // Until the file is closed.
        locked(until, || try_lock(&file, false))?;
    }
    let mut content = Vec::new();
    file.take(longest + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// Tries to lock until that is done, or the time is over.
fn locked<T>(until: Instant, mut lock: impl FnMut() -> Result<T, TryLockError>) -> io::Result<T> {
    loop {
        match lock() {
            Ok(locked) => return Ok(locked),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {}
        }
        if Instant::now() > until {
            let text = "another process has locked this file, or its folder, for 10 s";
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Where the symbolic links end that begin at this path; nothing need be there.
fn followed(path: &FilePath) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                path = folder_of(&path).join(fs::read_link(&path)?);
            }
            Ok(_) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// The files `NAME.NUMBER.new` beside a file: those of killed processes, because this one holds the lock.
fn left_beside(path: &FilePath) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default();
    let is_left = |other: &OsString| {
        let (other, name) = (other.as_encoded_bytes(), name.as_encoded_bytes());
        let number = other
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(b"."))
            .and_then(|rest| rest.strip_suffix(b".new"));
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    };
    let Ok(entries) = fs::read_dir(folder_of(path)) else {
        return Vec::new();
    };
    let left = entries
        .flatten()
        .filter(|entry| is_left(&entry.file_name()));
    left.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .map(|entry| entry.path())
        .collect()
}
