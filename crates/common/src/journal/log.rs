//! The event log's file: it ends with a whole line, whatever becomes of a write, of the disk, or of its name.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::sink::write_some;
use crate::{
    event::Record,
    exit::{Failure, why},
    sys::files::{cut, read_exact_at},
    text::visible_path,
};

/// How far back the end of the last whole line is searched; no event is so long.
const LONGEST_LINE: u64 = 4 << 20;

/// The event log, open for appending.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    /// Whether the file ends within a line that could not be cut away.
    unterminated: bool,
}

/// What could not be appended.
#[derive(Debug)]
pub(super) struct NotAppended {
    /// How many of the lines are not in the file.
    pub(super) lines: u64,
    pub(super) error: io::Error,
}

impl LogFile {
    /// Opens a log for appending, and repairs its end when an earlier run was killed, or its disk was full, within a
    /// line; what was repaired, in words. A fragment of an event is moved to `FILE.torn`, so that every line of the log is
    /// whole; any other end gets its line end.
    ///
    /// # Errors
    /// `--log FILE: why` when it cannot be opened (exit code 2).
    pub fn open(path: &Path) -> Result<(Self, Option<String>), Failure> {
        let named = || format!("--log {}", visible_path(path));
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|error| Failure::could_not_run(named(), why(&error)))?;
        let mut log = Self {
            path: path.to_owned(),
            file,
            unterminated: false,
        };
        let repaired = match log.repair() {
            Ok(repaired) => repaired,
            Err(error) => Some(format!("its end cannot be checked: {}", why(&error))),
        };
        Ok((log, repaired.map(|what| format!("{}: {what}", named()))))
    }

    /// Opens the path again, under which another file may be by now; what was repaired, in words.
    ///
    /// # Errors
    /// As [`Self::open`]; then the file that was open stays.
    pub(super) fn reopen(&mut self) -> Result<Option<String>, Failure> {
        let (log, repaired) = Self::open(&self.path)?;
        *self = log;
        Ok(repaired)
    }

    /// `--log FILE`, as it stands before an error.
    pub(super) fn name(&self) -> String {
        format!("--log {}", visible_path(&self.path))
    }

    /// Appends whole lines. When that fails, those that fit are in the file, and no part of the next one.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), NotAppended> {
        let mut done = 0;
        let failed = loop {
            if self.unterminated {
                match write_some(&self.file, b"\n") {
                    Ok(_) => self.unterminated = false,
                    Err(error) => break error,
                }
            }
            if done == lines.len() {
                return Ok(());
            }
            match write_some(&self.file, &lines[done..]) {
                Ok(length) => done += length,
                Err(error) => break error,
            }
        };
        let whole = end_of_last_line(&lines[..done]);
        self.cut_back((done - whole) as u64);
        let left = &lines[whole..];
        Err(NotAppended {
            lines: left.iter().filter(|byte| **byte == b'\n').count() as u64,
            error: failed,
        })
    }

    /// Takes these last bytes away again. Where that is impossible, or another process has appended to the file since, the
    /// next line begins with a line end.
    fn cut_back(&mut self, torn: u64) {
        if torn == 0 {
            return;
        }
        let cut_it = || {
            let end = (&self.file).stream_position()?;
            let metadata = self.file.metadata()?;
            if !metadata.is_file() || metadata.len() != end || end < torn {
                return Err(io::ErrorKind::Unsupported.into());
            }
            cut(&self.file, &self.path, end - torn)
        };
        self.unterminated = cut_it().is_err();
    }

    fn repair(&mut self) -> io::Result<Option<String>> {
        let metadata = self.file.metadata()?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(None);
        }
        let length = metadata.len();
        let reader = File::open(&self.path)?;
        let mut last = [0];
        read_exact_at(&reader, &mut last, length - 1)?;
        if last == *b"\n" {
            return Ok(None);
        }
        let begin = length.saturating_sub(LONGEST_LINE);
        let mut end = Vec::new();
        let mut tail = reader.take(length - begin);
        tail.get_mut().seek(SeekFrom::Start(begin))?;
        tail.read_to_end(&mut end)?;
        let whole = end_of_last_line(&end);
        let fragment = &end[whole..];
        // All bytes of a line may be there but its end; and what does not begin as an event is not ours to move.
        let event = std::str::from_utf8(fragment).is_ok_and(|line| Record::parse(line).is_ok());
        let torn = !event && (begin == 0 || whole > 0) && matches!(fragment[0], b'{' | 0);
        if torn && let Ok(aside) = self.move_aside(fragment) {
            let whole = length - fragment.len() as u64;
            cut(&self.file, &self.path, whole)?;
            return Ok(Some(format!(
                "ended within a line; its last {} bytes are now in {}",
                fragment.len(),
                visible_path(&aside)
            )));
        }
        // The disk may be full: then the first line that can be written begins with the line end.
        self.unterminated = true;
        let _ = self.append(b"");
        Ok(Some("its last line had no line end; it has one now".into()))
    }

    /// Appends the fragment to `FILE.torn`, as a line.
    fn move_aside(&self, fragment: &[u8]) -> io::Result<PathBuf> {
        let mut aside = self.path.clone().into_os_string();
        aside.push(".torn");
        let aside = PathBuf::from(aside);
        let mut file = OpenOptions::new().append(true).create(true).open(&aside)?;
        file.write_all(&[fragment, b"\n"].concat())?;
        Ok(aside)
    }
}

/// Where the last whole line ends.
fn end_of_last_line(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    end.map_or(0, |end| end + 1)
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        event::{Event, Kind, VERSION},
        testing::Folder,
    };

    fn line(seq: u64) -> String {
        let record = Record {
            v: VERSION,
            run: "r".into(),
            node: "n".into(),
            thread: "t".into(),
            seq,
            event: Event::new(Kind::Receive).text("hello"),
        };
        let mut line = Vec::new();
        record.write_line(&mut line);
        String::from_utf8(line).unwrap()
    }

    /// Opens a log with this content, and appends a line; what was said, the log, and what was moved aside.
    fn reopened(content: &str) -> (Option<String>, String, Option<String>) {
        let folder = Folder::new();
        let path = folder.write("log", content);
        let (mut log, said) = LogFile::open(Path::new(&path)).unwrap();
        log.append(b"next\n").unwrap();
        let said = said.map(|said| said.replace(&path, "LOG"));
        let aside = fs::read_to_string(folder.path("log.torn")).ok();
        (said, fs::read_to_string(path).unwrap(), aside)
    }

    #[test]
    fn a_torn_end_is_moved_aside() {
        let whole = line(0);
        for torn in [r#"{"v":1,"run":"r","#, "{", "\0\0\0"] {
            let (said, log, aside) = reopened(&(whole.clone() + torn));
            let length = torn.len();
            assert_eq!(
                said.unwrap(),
                format!(
                    "--log LOG: ended within a line; its last {length} bytes are now in LOG.torn"
                )
            );
            assert_eq!(
                (log, aside),
                (whole.clone() + "next\n", Some(format!("{torn}\n")))
            );
        }
        // Nothing but the beginning of the first event.
        let (_, log, aside) = reopened("{\"v\":1");
        assert_eq!(
            (log.as_str(), aside.as_deref()),
            ("next\n", Some("{\"v\":1\n"))
        );
    }

    #[test]
    fn a_whole_event_and_a_strange_text_only_get_their_line_end() {
        for content in [line(0).trim_end(), &(line(0) + "my notes")] {
            let (said, log, aside) = reopened(content);
            let why = "--log LOG: its last line had no line end; it has one now";
            assert_eq!(said.as_deref(), Some(why));
            assert_eq!((log, aside), (format!("{content}\nnext\n"), None));
        }
    }

    #[test]
    fn a_sound_log_is_opened_in_silence() {
        for content in ["", &line(0)] {
            assert_eq!(reopened(content), (None, format!("{content}next\n"), None));
        }
        let (_, said) = LogFile::open(Path::new("/dev/null")).unwrap();
        assert_eq!(said, None);
    }

    #[test]
    fn a_fragment_that_cannot_be_moved_gets_a_line_end() {
        let folder = Folder::new();
        let path = folder.write("log", line(0) + "{\"v\"");
        fs::create_dir(folder.path("log.torn")).unwrap();
        let (mut log, said) = LogFile::open(Path::new(&path)).unwrap();
        log.append(b"next\n").unwrap();
        assert!(said.unwrap().ends_with("it has one now"));
        assert_eq!(
            fs::read_to_string(path).unwrap(),
            line_of(&folder) + "{\"v\"\nnext\n"
        );
    }

    fn line_of(folder: &Folder) -> String {
        let text = fs::read_to_string(folder.path("log")).unwrap();
        text.split_inclusive('\n').next().unwrap().to_owned()
    }
}
