//! Processes that a program starts: together with all that they start in turn, and how they ended.
//!
//! | | Linux | macOS, BSD | Windows |
//! | --- | --- | --- | --- |
//! | a group | process group | process group | job object |
//! | the command interpreter | `/bin/sh -c` | `/bin/sh -c` | `cmd /C` |
//! | pause and resume | SIGSTOP, SIGCONT | SIGSTOP, SIGCONT | no |
//! | found by their environment | `/proc` | no | no |
//! | another program in this one's place | exec | exec | a child that is waited for |

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

use std::{
    ffi::{OsStr, OsString},
    io,
    process::{Command, ExitStatus},
};

pub use super::types::{End, Streams};

/// Why a process cannot be found by its environment on this system; None where it can.
pub const NO_MARKS: Option<&str> = system::NO_MARKS;

/// A command line for the system's command interpreter.
pub fn shell(line: &str) -> Command {
    system::shell(line)
}

/// A word as the command interpreter takes it for one.
pub fn quoted(word: &str) -> String {
    system::quoted(word)
}

/// A command line that runs these words, in the interpreter's place where that can be.
pub fn line_of(words: &[OsString]) -> String {
    let words = words.iter().map(|word| quoted(&word.to_string_lossy()));
    system::INSTEAD.to_owned() + &words.collect::<Vec<_>>().join(" ")
}

/// Whether the command interpreter reports by this exit code that it cannot run the command.
pub fn is_no_command(code: i32) -> bool {
    system::NO_COMMAND.contains(&code)
}

/// The variables of an environment without which no program runs here.
pub const NEEDED_VARIABLES: &[&str] = system::NEEDED_VARIABLES;

/// Runs a command in the place of this program, which ends as the command does; returns only when that fails, with the
/// reason. `name` is what the command sees as its own name, where a system has that.
pub fn replace_this(command: &mut Command, name: Option<&OsStr>) -> io::Error {
    system::replace_this(command, name)
}

/// A process with all that it starts. Ctrl-C at the terminal does not reach it.
#[derive(Debug)]
pub struct Group(system::Group);

impl Group {
    /// Starts it.
    ///
    /// # Errors
    /// When the system cannot.
    pub fn start(command: Command) -> io::Result<(Self, Streams)> {
        let (group, streams) = system::Group::start(command)?;
        Ok((Self(group), streams))
    }

    /// The number of its first process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills all of it. Its first process is to be waited for then.
    ///
    /// # Errors
    /// When it has ended and was waited for.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()
    }

    /// Pauses all of it.
    ///
    /// # Errors
    /// As [`Self::kill`]; `Unsupported` on a system without [`Feature::Pause`](super::Feature::Pause).
    pub fn pause(&mut self) -> io::Result<()> {
        self.0.pause()
    }

    /// Lets all of it go on after a pause.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub fn resume(&mut self) -> io::Result<()> {
        self.0.resume()
    }

    /// How its first process has ended, if it has.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.0.try_wait()
    }

    /// Waits for the end of its first process.
    ///
    /// # Errors
    /// As waitpid(2).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        self.0.wait()
    }

    /// What waits for the end of its first process in another thread.
    pub fn ending(&self) -> Ending {
        Ending(self.id())
    }
}

/// Waits for the end of a process without taking note of it.
#[derive(Clone, Copy, Debug)]
pub struct Ending(u32);

impl Ending {
    /// Waits until it has ended; until [`Group::try_wait`] says so, its number remains its own. Where the system has no such
    /// wait it returns after some milliseconds.
    pub fn wait(self) {
        system::wait_for_end(self.0);
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), system::signal(status)) {
            (_, Some(signal)) => Self::Signal(signal),
            (code, None) => Self::Code(code.unwrap_or(-1)),
        }
    }
}

impl End {
    /// The end of a process that a shell or a sandbox reports, for which a signal is 128 + its number.
    pub fn reported(status: ExitStatus) -> Self {
        match Self::from(status) {
            Self::Code(code) if system::REPORTS_SIGNALS && code > 128 => Self::Signal(code - 128),
            end => end,
        }
    }

    /// The exit code.
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            Self::Signal(_) => None,
        }
    }
}

/// `exit code 1` or `signal 9`; on Windows a code by which the system ended it has a name: `exit code 0xC0000005 (access
/// violation)`.
impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Signal(number) => write!(f, "signal {number}"),
            Self::Code(code) => write!(f, "exit code {}", system::code_words(code)),
        }
    }
}

/// The name of a signal: `SIGKILL`.
pub fn signal_name(number: i32) -> Option<&'static str> {
    system::signal_name(number)
}

/// The signal that kills.
pub const KILLED: End = End::Signal(9);

/// The signal of a process that has written a file beyond its limit, where the system has one.
pub const FILE_TOO_LONG: Option<End> = system::FILE_TOO_LONG;

/// The processes that have this variable with this value, `NAME=VALUE`, in their environment; none with [`NO_MARKS`].
pub fn marked(variable: &str) -> Vec<u32> {
    system::marked(variable)
}

/// Kills the processes of [`marked`].
pub fn kill_marked(variable: &str) {
    for number in marked(variable) {
        system::kill(number);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Read,
        process::Stdio,
        time::{Duration, Instant},
    };

    use super::*;

    fn start(line: &str) -> (Group, Streams) {
        let mut command = shell(line);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Group::start(command).unwrap()
    }

    #[test]
    fn an_end_is_told_in_words() {
        for (line, code) in [("exit 3", 3), ("exit 0", 0)] {
            let (mut group, _streams) = start(line);
            let end = End::from(group.wait().unwrap());
            assert_eq!(end, End::Code(code));
            assert_eq!(end.to_string(), format!("exit code {code}"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_is_none_is_known_by_its_code() {
        let (mut group, _streams) = start("no-such-command-here");
        let code = End::from(group.wait().unwrap()).code().unwrap();
        assert!(is_no_command(code), "{code}");
    }

    #[cfg(unix)]
    #[test]
    fn a_group_is_paused_goes_on_and_is_killed_with_all_that_it_has_started() {
        // The child holds the output open until it is killed too.
        let (mut group, streams) = start("sleep 60 & cat; wait");
        let mut out = streams.stdout.unwrap();
        group.pause().unwrap();
        group.resume().unwrap();
        assert!(group.try_wait().unwrap().is_none());
        let begun = Instant::now();
        group.kill().unwrap();
        group.ending().wait();
        let end = End::from(group.try_wait().unwrap().expect("it has ended"));
        assert_eq!((end, end.to_string().as_str()), (KILLED, "signal 9"));
        assert_eq!(out.read(&mut [0]).unwrap(), 0);
        assert!(begun.elapsed() < Duration::from_secs(30));
        assert_eq!(signal_name(9), Some("SIGKILL"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_found_by_its_environment() {
        let variable = format!("LAB_TEST_MARK=of {}", std::process::id());
        let (name, value) = variable.split_once('=').unwrap();
        let mut command = shell("exec cat");
        command.env(name, value).stdin(Stdio::piped());
        let (mut group, _streams) = Group::start(command).unwrap();
        // Until exec has happened the child has the environment of this process.
        let until = Instant::now() + Duration::from_secs(30);
        while marked(&variable) != [group.id()] && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(marked(&variable), [group.id()]);
        assert!(marked("LAB_TEST_MARK=of").is_empty());
        kill_marked(&variable);
        assert_eq!(End::from(group.wait().unwrap()), KILLED);
    }
}
