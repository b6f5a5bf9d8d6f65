//! Processes of Windows: job objects, `cmd`.

use std::{
    ffi::OsStr,
    io,
    os::windows::process::CommandExt,
    process::{self, Command, ExitStatus},
    thread,
    time::Duration,
};

use process_wrap::std::{ChildWrapper, CommandWrap, CommandWrapper, JobObject};

use crate::sys::{
    Feature, quoting,
    types::{End, Streams},
};

pub(super) const NO_MARKS: Option<&str> =
    Some("Windows does not show the environment of processes");
pub(super) const INSTEAD: &str = "";
pub(super) const REPORTS_SIGNALS: bool = false;
/// Without the first two no socket opens and no command is found.
pub(super) const NEEDED_VARIABLES: &[&str] = &[
    "SYSTEMROOT",
    "PATHEXT",
    "COMSPEC",
    "SYSTEMDRIVE",
    "WINDIR",
    "TEMP",
    "TMP",
    "USERPROFILE",
    "APPDATA",
    "LOCALAPPDATA",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "PROGRAMFILES(X86)",
];
/// As `cmd` has it in `ERRORLEVEL`. Where it ends with 1, that is any program's code too.
pub(super) const NO_COMMAND: &[i32] = &[9009];
pub(super) const FILE_TOO_LONG: Option<End> = None;

/// Out of the terminal's reach: Ctrl-C is not delivered to a new process group.
const CREATE_NEW_PROCESS_GROUP: u32 = 0x200;
/// As [`JobObject`] has it: the process enters its job before it runs.
const CREATE_SUSPENDED: u32 = 0x4;

/// How often it is asked whether a process has ended.
const POLL: Duration = Duration::from_millis(5);

pub(super) fn shell(line: &str) -> Command {
    let mut shell = Command::new("cmd");
    // Without the commands of the registry; with /S the outer quotation marks are removed, and nothing else.
    shell
        .args(["/D", "/S", "/C"])
        .raw_arg(format!("\"{line}\""));
    shell
}

pub(super) fn quoted(word: &str) -> String {
    // As the C library of Windows reads them, where a quotation mark in a word stands behind a backslash.
    quoting::quoted(word, r"\/._-:", '"', "\\\"")
}

/// Windows has no exec: the command is a child, whose end is this program's. Its name is that of its file.
#[expect(
    clippy::exit,
    reason = "another program runs in the place of this one, and has ended"
)]
pub(super) fn replace_this(command: &mut Command, _: Option<&OsStr>) -> io::Error {
    match command.status() {
        Ok(status) => process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}

#[derive(Debug)]
struct NewGroup;

impl CommandWrapper for NewGroup {
    fn pre_spawn(&mut self, command: &mut Command, _: &CommandWrap) -> io::Result<()> {
        command.creation_flags(CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED);
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Group(Box<dyn ChildWrapper>);

impl Group {
    pub(super) fn start(command: Command) -> io::Result<(Self, Streams)> {
        let mut command = CommandWrap::from(command);
        // In this order: the flags of the last one hold.
        let mut child = command.wrap(JobObject).wrap(NewGroup).spawn()?;
        let streams = Streams {
            stdin: child.stdin().take(),
            stdout: child.stdout().take(),
            stderr: child.stderr().take(),
        };
        Ok((Self(child), streams))
    }

    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.0.start_kill()
    }

    pub(super) fn pause(&mut self) -> io::Result<()> {
        Err(no_pause())
    }

    pub(super) fn resume(&mut self) -> io::Result<()> {
        Err(no_pause())
    }

    // Of the process itself: the job waits for messages that may have been taken.
    pub(super) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.inner_mut().try_wait()
    }

    pub(super) fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.inner_mut().wait()
    }
}

fn no_pause() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        Feature::Pause.missing().unwrap_or_default(),
    )
}

pub(super) fn signal(_: ExitStatus) -> Option<i32> {
    None
}

pub(super) fn signal_name(_: i32) -> Option<&'static str> {
    None
}

/// A code by which the system ended the process is a number of NTSTATUS, with its two highest bits set.
pub(super) fn code_words(code: i32) -> String {
    let number = code.cast_unsigned();
    if number >> 30 != 3 {
        return code.to_string();
    }
    let name = match number {
        0xC000_0005 => " (access violation)",
        0xC000_0017 => " (no memory)",
        0xC000_00FD => " (stack overflow)",
        0xC000_0135 => " (a library is missing)",
        0xC000_0139 => " (a function of a library is missing)",
        0xC000_013A => " (Ctrl-C)",
        0xC000_0374 => " (heap corrupted)",
        0xC000_0409 => " (abort)",
        _ => "",
    };
    format!("0x{number:08X}{name}")
}

pub(super) fn kill(_: u32) {}

/// A wait would need the process's handle, which its group has.
pub(super) fn wait_for_end(_: u32) {
    thread::sleep(POLL);
}

pub(super) fn marked(_: &str) -> Vec<u32> {
    Vec::new()
}
