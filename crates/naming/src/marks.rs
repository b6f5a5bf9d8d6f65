//! High-water marks in a file beside a names file: `lab.json.serial` beside `lab.json`.
//!
//! The file is written in place, in one call, so that it is whole after `kill -9`, and a disk that is full later does no
//! harm. Servers that share a names file share its marks: of two serials of a zone the later one stays.

use std::{
    cmp::Ordering,
    collections::BTreeMap,
    fs::{File, OpenOptions},
    path::Path as FilePath,
    thread,
    time::{Duration, Instant},
};

use common::{
    exit::{Failure, why},
    sys::files::{read_at, real_path, write_all_at},
    text::visible_path,
};
use serde::{Deserialize, Serialize};

use crate::dns::{
    difference::compare_serials,
    mark::{Content, KeptMarks, Mark, Marks},
    owner::Zones,
};

/// The longest file that is read, in bytes: a few zones have a few hundred.
const LONGEST_FILE: usize = 64 << 10;

/// How long to wait for another server that reads or writes the file, which takes it some microseconds.
const LOCK_TIMEOUT: Duration = Duration::from_millis(200);

/// The open file.
#[derive(Debug)]
pub struct MarksFile {
    file: File,
    what: String,
}

/// A mark as the file has it.
#[derive(Debug, Deserialize, Serialize)]
struct Line {
    serial: u32,
    content: String,
}

type Lines = BTreeMap<String, Line>;

impl MarksFile {
    /// Opens the file beside a names file, or creates it.
    ///
    /// # Errors
    /// `FILE.serial: why`: it cannot be written, or the names file is no regular file (exit code 2).
    pub fn beside(names: &FilePath) -> Result<Self, Failure> {
        let cannot = |path: &FilePath, error: &std::io::Error| {
            Failure::could_not_run(visible_path(path), why(error))
        };
        // Beside the target of a link, whatever name it is opened under.
        let names = real_path(names).map_err(|error| cannot(names, &error))?;
        let mut path = names.clone().into_os_string();
        path.push(".serial");
        let path = FilePath::new(&path);
        if !names.is_file() {
            let why = "there is none beside names that are in no regular file";
            return Err(Failure::could_not_run(visible_path(path), why));
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|error| cannot(path, &error))?;
        Ok(Self {
            file,
            what: visible_path(path),
        })
    }

    /// The marks that the file has; none in a new file.
    ///
    /// # Errors
    /// `FILE: why`: it cannot be read, or it has no marks (exit code 2).
    pub fn read(&self) -> Result<KeptMarks, Failure> {
        let lines = self.locked(Self::lines)?;
        let marks = lines.into_iter().map(|(zone, line)| {
            let content = bytes_of(&line.content).and_then(|bytes| Content::from_bytes(&bytes));
            let mark = Mark {
                serial: line.serial,
                // A content that cannot be read is another one.
                content: content.unwrap_or_default(),
            };
            zone.parse()
                .map(|zone| (zone, mark))
                .map_err(|_| self.not_marks())
        });
        marks.collect()
    }

    fn not_marks(&self) -> Failure {
        Failure::could_not_run(&self.what, "holds no serials; remove it to begin anew")
    }

    fn lines(&self) -> Result<Lines, Failure> {
        let mut text = vec![0; LONGEST_FILE];
        let mut length = 0;
        while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match read_at(&self.file, rest, length as u64) {
                Ok(0) => break,
                Ok(more) => length += more,
                Err(error) => return Err(Failure::could_not_run(&self.what, why(&error))),
            }
        }
        let text = &text[..length];
        if text.is_empty() {
            return Ok(Lines::new());
        }
        serde_json::from_slice(text).map_err(|_| self.not_marks())
    }

    /// Writes the marks of these zones; those of other zones, and later ones of the same, stay.
    ///
    /// # Errors
    /// `FILE: why`: it cannot be written (exit code 2).
    pub fn write(&self, zones: &Zones, marks: &Marks) -> Result<(), Failure> {
        self.locked(|_| self.write_locked(zones, marks))
    }

    fn write_locked(&self, zones: &Zones, marks: &Marks) -> Result<(), Failure> {
        let cannot = |error: std::io::Error| Failure::could_not_run(&self.what, why(&error));
        let mut lines = self.lines().unwrap_or_default();
        for (zone, mark) in zones.all().into_iter().zip(marks) {
            let later = lines.get(&zone.to_string()).is_some_and(|line| {
                compare_serials(line.serial, mark.serial) == Some(Ordering::Greater)
            });
            if !later {
                let content = mark.content.to_bytes();
                let content = content.iter().map(|byte| format!("{byte:02x}")).collect();
                let serial = mark.serial;
                lines.insert(zone.to_string(), Line { serial, content });
            }
        }
        let mut text = serde_json::to_string(&lines).map_err(|error| cannot(error.into()))?;
        let before = self.file.metadata().map_or(0, |data| data.len());
        // Blanks over the rest of a longer text.
        while text.len() as u64 + 1 < before {
            text.push(' ');
        }
        text.push('\n');
        write_all_at(&self.file, text.as_bytes(), 0).map_err(cannot)
    }

    /// Does something with the file while this process has it locked, where that is possible.
    fn locked<T>(&self, work: impl FnOnce(&Self) -> T) -> T {
        let locked = self.lock();
        let done = work(self);
        if locked {
            let _ = self.file.unlock();
        }
        done
    }

    /// Locks the file; whether that was possible. A process that holds it for longer is stopped, and is not waited for.
    fn lock(&self) -> bool {
        let until = Instant::now() + LOCK_TIMEOUT;
        while self.file.try_lock().is_err() {
            if Instant::now() > until {
                return false;
            }
            thread::sleep(Duration::from_micros(50));
        }
        true
    }

    /// Has what was written survive a crash of the machine.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn sync(&self) -> Result<(), Failure> {
        self.file
            .sync_data()
            .map_err(|error| Failure::could_not_run(&self.what, why(&error)))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use common::testing::Folder;

    use super::*;

    #[test]
    fn marks_are_kept_and_the_later_one_stays() {
        let folder = Folder::new();
        let names = folder.write("names.json", "{}");
        let zones = |name: &str| Zones::new(name).unwrap();
        let marks = |serial: u32| {
            [serial, serial + 1, serial + 2].map(|serial| Mark {
                serial,
                content: Content::from_bytes(&[serial as u8; 16]).unwrap(),
            })
        };
        let file = MarksFile::beside(names.as_ref()).unwrap();
        assert_eq!(file.read(), Ok(KeptMarks::new()));
        file.write(&zones("a.rather.long.name."), &marks(100))
            .unwrap();
        file.write(&zones("lab."), &marks(7)).unwrap();
        file.sync().unwrap();
        let again = MarksFile::beside(names.as_ref()).unwrap();
        let read = again.read().unwrap();
        let of = |zone: &str| read[&zone.parse().unwrap()];
        assert_eq!(of("lab."), marks(7)[0]);
        assert_eq!(of("a.rather.long.name."), marks(100)[0]);
        // The zones of the addresses are shared.
        assert_eq!(of("ip6.arpa."), marks(100)[2]);
        folder.write("names.json.serial", "not JSON");
        assert!(again.read().is_err());
        assert!(MarksFile::beside("/dev/null".as_ref()).is_err());
    }
}
