//! The sandbox of a submission: an outer one with a network of its own, in which the attacking part of the grader runs, and
//! in it an inner one for each start of the submission, which sees no process but its own.
//!
//! | kind | outer | inner |
//! | --- | --- | --- |
//! | bubblewrap | network, processes, users, a copy of its folder | processes, users, a read-only file system |
//! | unshare | network, processes, users | processes |
//! | none | a process | a process |

use std::{
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::{Deserialize, Serialize};

/// Where the outer sandbox shows the submission's folder as it was handed in.
pub const ORIGINAL: &str = "/tmp/original";

/// How submissions are kept apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// By bubblewrap.
    Bubblewrap,
    /// By util-linux's unshare.
    Unshare,
    /// Not at all.
    None,
}

impl Isolation {
    /// The best that works here for this user.
    pub fn best(grader: &Path) -> Self {
        let walls = |isolation| Walls {
            isolation,
            grader: grader.to_owned(),
            folder: PathBuf::from("/"),
            is_copied: false,
            masks: Vec::new(),
            disk: 1 << 20,
        };
        let works = |isolation| {
            let walls = walls(isolation);
            // An inner sandbox inside of an outer one, as it is used.
            let inner = walls.inner_words(&["/bin/sh".into(), "-c".into(), "exit 0".into()]);
            let mut outer = walls.outer(&inner);
            outer.stdout(Stdio::null()).stderr(Stdio::null());
            outer.stdin(Stdio::null());
            outer.status().is_ok_and(|status| status.success())
        };
        [Self::Bubblewrap, Self::Unshare]
            .into_iter()
            .find(|isolation| works(*isolation))
            .unwrap_or(Self::None)
    }

    /// What is missing of the best, in one line; nothing where nothing is.
    pub fn lacks(self) -> Option<&'static str> {
        match self {
            Self::Bubblewrap => None,
            Self::Unshare => Some(
                "bubblewrap not found (Debian: apt-get install bubblewrap): submissions have a network of their own, and can \
                 change files",
            ),
            Self::None => Some(
                "neither bubblewrap nor unshare works here: submissions share this machine's network and files, and are \
                 graded one after another",
            ),
        }
    }
}

/// A submission's sandbox.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Walls {
    /// By what.
    pub isolation: Isolation,
    /// This very program.
    pub grader: PathBuf,
    /// The submission's folder, in which it runs.
    pub folder: PathBuf,
    /// Whether it runs in a copy of its folder, which it may change.
    pub is_copied: bool,
    /// Folders and files that it does not see: the other submissions.
    pub masks: Vec<PathBuf>,
    /// How much it may write, in bytes.
    pub disk: u64,
}

impl Walls {
    /// A command that runs these words in an outer sandbox.
    pub fn outer(&self, words: &[OsString]) -> Command {
        let mut command = match self.isolation {
            Isolation::Bubblewrap => {
                let mut command = Command::new("bwrap");
                // To map its own root into the inner sandbox, the outer one needs CAP_SETFCAP (user_namespaces(7)).
                // Its processes are kept apart by unshare: where root asks, bubblewrap covers parts of /proc, and the kernel
                // refuses the inner sandbox a /proc of its own then.
                command.args([
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
                    "--unshare-uts",
                    "--hostname",
                    "localhost",
                    "--dev-bind",
                    "/",
                    "/",
                    "--tmpfs",
                    "/tmp",
                ]);
                for mask in &self.masks {
                    if mask.is_dir() {
                        command.arg("--tmpfs").arg(mask);
                    } else {
                        command.args(["--ro-bind", "/dev/null"]).arg(mask);
                    }
                }
                if self.is_copied {
                    command.arg("--ro-bind").arg(&self.folder).arg(ORIGINAL);
                    let size = self.disk.to_string();
                    command.args(["--size", &size, "--tmpfs"]).arg(&self.folder);
                } else if self.folder != Path::new("/") {
                    command.arg("--ro-bind").args([&self.folder, &self.folder]);
                }
                command.arg("--ro-bind").args([&self.grader, &self.grader]);
                command.args(["--die-with-parent", "--new-session", "--", "unshare"]);
                command.args(["--pid", "--mount-proc", "--fork", "--kill-child", "--"]);
                command.args(words);
                command
            }
            Isolation::Unshare => {
                let mut command = Command::new("unshare");
                command.args([
                    "--user",
                    "--map-root-user",
                    "--net",
                    "--ipc",
                    "--pid",
                    "--mount-proc",
                    "--fork",
                    "--kill-child",
                    "--",
                    "/bin/sh",
                    "-c",
                    "ip link set lo up && exec \"$@\"",
                    "grade",
                ]);
                command.args(words);
                command
            }
            Isolation::None => {
                let mut command = Command::new(&words[0]);
                command.args(&words[1..]);
                command
            }
        };
        command.process_group(0);
        command
    }

    /// A command that runs these words in an inner sandbox, from within the outer one.
    pub fn inner(&self, words: &[OsString]) -> Command {
        let words = self.inner_words(words);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder);
        command.process_group(0);
        command
    }

    fn inner_words(&self, words: &[OsString]) -> Vec<OsString> {
        let mut all: Vec<OsString> = Vec::new();
        let mut add = |words: &[&str]| all.extend(words.iter().map(OsString::from));
        match self.isolation {
            Isolation::Bubblewrap => {
                add(&[
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
                    "--size",
                    &self.disk.to_string(),
                    "--tmpfs",
                    "/tmp",
                    "--proc",
                    "/proc",
                    "--dev",
                    "/dev",
                ]);
                if self.folder != Path::new("/") {
                    add(&[if self.is_copied { "--bind" } else { "--ro-bind" }]);
                    all.extend([self.folder.clone().into(), self.folder.clone().into()]);
                }
                all.extend(["--ro-bind".into(), self.grader.clone().into()]);
                all.push(self.grader.clone().into());
                all.extend(["--chdir".into(), self.folder.clone().into()]);
                let end = ["--die-with-parent", "--new-session", "--"];
                all.extend(end.map(OsString::from));
            }
            Isolation::Unshare => add(&[
                "unshare",
                "--pid",
                "--mount-proc",
                "--fork",
                "--kill-child",
                "--",
            ]),
            Isolation::None => {}
        }
        all.extend(words.iter().cloned());
        all
    }
}
