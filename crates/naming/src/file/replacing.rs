//! How a file is changed: under a lock, with the old content or the new one in it, and as the file that it was, with its
//! owner, mode, hard links and symbolic links.
//!
//! The new content is written beside the file and takes its place by a rename. A file that has several hard links, is mounted
//! by itself, or is in a folder that cannot be written, is overwritten instead, while what was written beside it, where that
//! is possible, is kept: the next change finishes what a killed one began.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, fchown},
    path::{Path as FilePath, PathBuf},
    thread,
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    text::visible_path,
};
use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
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
    _file: Option<Flock<File>>,
    /// Its folder; None where it cannot be read.
    folder: Option<Flock<File>>,
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
        let folder = match File::open(folder_of(&target)) {
            Ok(folder) => lock(folder, FlockArg::LockExclusiveNonblock, until).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => None,
            Err(error) => return Err(failed(error)),
        };
        let old = loop {
            let file = match open(&target) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => break None,
                Err(error) => return Err(failed(error)),
            };
            is_regular(&file.metadata().map_err(failed)?)?;
            let file = lock(file, FlockArg::LockExclusiveNonblock, until).map_err(failed)?;
            // Meanwhile another process may have put another file in its place.
            let now = fs::metadata(&target).map(|now| (now.dev(), now.ino()));
            match (file, now) {
                (Some(file), Ok(now)) => {
                    let locked = file.metadata().map_err(failed)?;
                    if (locked.dev(), locked.ino()) == now {
                        break Some(file);
                    }
                }
                (None, Ok(_)) => break None,
                (_, Err(_)) => {}
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
            _file: old,
            folder,
            left,
        })
    }

    /// The content of the file; None when there is no file.
    pub(super) fn content(&self, longest: u64) -> Result<Option<Vec<u8>>, Failure> {
        match self.path.exists() {
            true => common::json::read_file(&self.path, longest).map(Some),
            false => Ok(None),
        }
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
        let before = match &old {
            Some(_) => fs::read(&path).map_err(failed)?,
            None => Vec::new(),
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(name);
        let written = write_beside(&beside, old.as_ref(), content);
        let is_linked = old.as_ref().is_some_and(|old| old.nlink() > 1);
        let replaced = match written {
            // A hard link would keep the old content.
            Ok(true) if is_linked => Err(Errno::EMLINK.into()),
            Ok(true) => fs::rename(&beside, &path),
            Ok(false) => Err(Errno::EPERM.into()),
            Err(error) => Err(error),
        };
        let done = match replaced {
            Err(error) if old.is_some() && overwrites(&error) => {
                overwrite(&path, &before, content).map_err(|second| {
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
            folder.sync_all().map_err(failed)?;
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

/// Whether a file that cannot be replaced is overwritten.
fn overwrites(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(Errno::from_raw);
    errno.is_some_and(|errno| {
        matches!(
            errno,
            Errno::EMLINK
                | Errno::EPERM
                | Errno::EACCES
                | Errno::EROFS
                | Errno::EBUSY
                | Errno::EXDEV
        )
    })
}

/// Writes a new file with the owner and the mode of the old one. False when it cannot have that owner.
fn write_beside(path: &FilePath, old: Option<&Metadata>, content: &[u8]) -> io::Result<bool> {
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if old.is_some() { 0o600 } else { 0o666 })
        .open(path)?;
    let mut has_owner = true;
    if let Some(old) = old {
        let new = file.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            has_owner = fchown(&file, Some(old.uid()), Some(old.gid())).is_ok();
        }
        if has_owner {
            file.set_permissions(old.permissions())?;
        }
    }
    file.write_all(content)?;
    file.sync_all()?;
    Ok(has_owner)
}

/// Overwrites a file. When that fails, it gets its old content back.
fn overwrite(path: &FilePath, before: &[u8], content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
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
    let mut file = File::open(path)?;
    let mut content = Vec::new();
    if file.metadata()?.is_file() {
        let until = Instant::now() + LOCK_TIMEOUT;
        let second = file.try_clone()?;
        // The lock of a duplicate is the same lock, and ends with it.
        let _lock = lock(second, FlockArg::LockSharedNonblock, until)?;
        (&file).take(longest + 1).read_to_end(&mut content)?;
    } else {
        (&mut file).take(longest + 1).read_to_end(&mut content)?;
    }
    Ok(content)
}

/// Opens a file without a wait, which a pipe without a writer would cause.
pub(super) fn open(path: &FilePath) -> io::Result<File> {
    let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Locks a file; None where the file system has no locks.
fn lock(file: File, how: FlockArg, until: Instant) -> io::Result<Option<Flock<File>>> {
    let mut file = file;
    loop {
        file = match Flock::lock(file, how) {
            Ok(locked) => return Ok(Some(locked)),
            Err((_, Errno::ENOLCK | Errno::EOPNOTSUPP | Errno::ENOSYS)) => return Ok(None),
            Err((file, Errno::EWOULDBLOCK | Errno::EINTR)) => file,
            Err((_, error)) => return Err(error.into()),
        };
        if Instant::now() > until {
            let text = "another process has locked this file, or its folder, for 10 s";
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn folder_of(path: &FilePath) -> &FilePath {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => FilePath::new("."),
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
    Err(Errno::ELOOP.into())
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
