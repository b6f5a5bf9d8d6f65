//! What keeps a program that is not trusted apart: namespaces and control groups of Linux, limits of processes, an output
//! that looks like a terminal.
//!
//! | | Linux | macOS, BSD | Windows |
//! | --- | --- | --- | --- |
//! | namespaces, control groups | yes | no | no |
//! | limits of a process | setrlimit(2) | setrlimit(2) | no |
//! | its output | a terminal | a terminal | a pipe |

mod group;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as system;
#[cfg(windows)]
use self::windows as system;

use std::{
    fs::File,
    io,
    path::Path,
    process::{Command, Stdio},
};

pub use self::group::{Group, has_refused};

pub use super::types::Limits;

/// Whether the output that [`output`] makes is a terminal, to which every language prints a line at once.
pub const OUTPUT_IS_TERMINAL: bool = cfg!(unix);

/// bubblewrap's words for a sandbox with a network of its own. To map its own root into the inner sandbox, it needs
/// CAP_SETFCAP (user_namespaces(7)).
pub const OUTER: [&str; 20] = [
    "bwrap",
    "--unshare-user",
    "--uid",
    "0",
    "--gid",
    "0",
    "--cap-add",
    "CAP_NET_ADMIN",
    "--cap-add",
    "CAP_SETFCAP",
    "--cap-add",
    "CAP_SYS_ADMIN",
    "--unshare-net",
    "--unshare-ipc",
    "--dev-bind",
    "/",
    "/",
    "--tmpfs",
    "/tmp",
    "--unshare-uts",
];

/// util-linux's words for processes apart from all others. The outer sandbox has them from unshare: where root asks,
/// bubblewrap covers parts of /proc, and then the kernel refuses the inner sandbox a /proc of its own.
pub const PROCESSES: [&str; 6] = [
    "unshare",
    "--pid",
    "--mount-proc",
    "--fork",
    "--kill-child",
    "--",
];

/// bubblewrap's words for a sandbox in the outer one, whose network it shares; the files can be read only.
pub const INNER: [&str; 14] = [
    "bwrap",
    "--unshare-user",
    "--unshare-pid",
    "--unshare-ipc",
    "--unshare-uts",
    "--hostname",
    "localhost",
    "--ro-bind",
    "/",
    "/",
    "--proc",
    "/proc",
    "--dev",
    "/dev",
];

impl Limits {
    /// Limits this process, as far as the system can; it leaves no core file.
    ///
    /// # Errors
    /// As setrlimit(2).
    pub fn apply(self) -> io::Result<()> {
        system::apply(self)
    }
}

/// Runs a command as a child and returns its exit code when it ends, 128 + its number for a signal; meanwhile it reaps what
/// has become its own, as the first process of a sandbox does: with it all others end.
///
/// # Errors
/// When the command cannot be started.
pub fn run_as_first(command: Command) -> io::Result<u8> {
    system::run_as_first(command)
}

/// Two ends of an output: what is written to the second is read from the first, which ends, or fails, when that is closed.
///
/// # Errors
/// When the system has none left.
pub fn output() -> io::Result<(File, Stdio)> {
    system::output()
}

/// Makes a symbolic link to a folder.
///
/// # Errors
/// As symlink(2).
pub fn link_folder(original: &Path, link: &Path) -> io::Result<()> {
    system::link_folder(original, link)
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use crate::sys::processes;

    #[test]
    fn an_output_is_read_to_its_end() {
        let (mut reader, writer) = output().unwrap();
        let mut command = processes::shell("echo hello");
        command.stdout(writer);
        assert!(command.status().unwrap().success());
        drop(command);
        let mut text = Vec::new();
        let mut chunk = [0; 64];
        // A terminal whose other side is closed gives EIO.
        while let Ok(length @ 1..) = reader.read(&mut chunk) {
            text.extend_from_slice(&chunk[..length]);
        }
        assert_eq!(text.trim_ascii_end(), b"hello");
    }
}
