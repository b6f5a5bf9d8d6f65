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
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::sys::{
    Feature,
    sandbox::{INNER, OUTER, PROCESSES},
};
use serde::{Deserialize, Serialize};

/// Where the outer sandbox shows the submission's folder as it was handed in.
pub const ORIGINAL: &str = "/tmp/original";

/// The names file that a resolver is given: of the outer sandbox, and shown in the inner one.
pub fn names_file(isolation: Isolation) -> PathBuf {
    match isolation {
        Isolation::Bubblewrap => PathBuf::from("/tmp/names.json"),
        _ => std::env::temp_dir().join(format!("names-{}.json", std::process::id())),
    }
}

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
            group: None,
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
        let kinds = [Self::Bubblewrap, Self::Unshare].into_iter();
        kinds
            .filter(|_| Feature::Namespaces.missing().is_none())
            .find(|isolation| works(*isolation))
            .unwrap_or(Self::None)
    }

    /// What is missing of the best, in one line; nothing where nothing is.
    pub fn lacks(self) -> Option<String> {
        let what = match self {
            Self::Bubblewrap => return None,
            Self::Unshare => {
                "bubblewrap not found (Debian: apt-get install bubblewrap): submissions have a network of their own, and can \
                 change files"
                    .to_owned()
            }
            Self::None => format!(
                "{}: submissions share this machine's network and files, and are graded one after another",
                Feature::Namespaces
                    .missing()
                    .unwrap_or("neither bubblewrap nor unshare works here")
            ),
        };
        Some(what)
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
    /// Its control group, where it has one.
    pub group: Option<PathBuf>,
}

impl Walls {
    /// A command that runs these words in an outer sandbox.
    pub fn outer(&self, words: &[OsString]) -> Command {
        let mut all: Vec<OsString> = Vec::new();
        if let Some(group) = &self.group {
            let enter = "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"";
            all.extend(["/bin/sh".into(), "-c".into(), enter.into(), group.into()]);
        }
        match self.isolation {
            Isolation::Bubblewrap => {
                all.extend(OUTER.map(OsString::from));
                for mask in &self.masks {
                    if mask.is_dir() {
                        all.extend(["--tmpfs".into(), mask.into()]);
                    } else {
                        all.extend(["--ro-bind".into(), "/dev/null".into(), mask.into()]);
                    }
                }
                if self.is_copied {
                    all.extend([
                        "--ro-bind".into(),
                        self.folder.clone().into(),
                        ORIGINAL.into(),
                    ]);
                    all.extend(["--size".into(), self.disk.to_string().into()]);
                    all.extend(["--tmpfs".into(), self.folder.clone().into()]);
                } else if self.folder != Path::new("/") {
                    all.extend(bind("--ro-bind", &self.folder));
                }
                all.extend(bind("--ro-bind", &self.grader));
                all.extend(["--die-with-parent", "--new-session", "--"].map(OsString::from));
                all.extend(PROCESSES.map(OsString::from));
            }
            Isolation::Unshare => {
                all.extend(
                    [
                        "unshare",
                        "--user",
                        "--map-root-user",
                        "--net",
                        "--ipc",
                        "--",
                    ]
                    .map(OsString::from),
                );
                all.extend(PROCESSES.map(OsString::from));
                let up = "ip link set lo up && exec \"$@\"";
                all.extend(["/bin/sh", "-c", up, "grade"].map(OsString::from));
            }
            Isolation::None => {}
        }
        all.extend(words.iter().cloned());
        let mut command = Command::new(&all[0]);
        command.args(&all[1..]);
        command
    }

    /// A command that runs these words in an inner sandbox, from within the outer one.
    pub fn inner(&self, words: &[OsString]) -> Command {
        let words = self.inner_words(words);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).current_dir(&self.folder);
        command
    }

    /// The same command as words.
    pub fn inner_words(&self, words: &[OsString]) -> Vec<OsString> {
        let mut all: Vec<OsString> = Vec::new();
        match self.isolation {
            Isolation::Bubblewrap => {
                all.extend(INNER.map(OsString::from));
                all.extend(["--size".into(), self.disk.to_string().into()]);
                all.extend(["--tmpfs", "/tmp"].map(OsString::from));
                if self.folder != Path::new("/") {
                    let how = if self.is_copied {
                        "--bind"
                    } else {
                        "--ro-bind"
                    };
                    all.extend(bind(how, &self.folder));
                }
                all.extend(bind("--ro-bind", &self.grader));
                let names = names_file(self.isolation);
                if names.exists() {
                    all.extend(bind("--ro-bind", &names));
                }
                all.extend(["--chdir".into(), self.folder.clone().into()]);
                all.extend(["--die-with-parent", "--new-session", "--"].map(OsString::from));
            }
            Isolation::Unshare => all.extend(PROCESSES.map(OsString::from)),
            Isolation::None => {}
        }
        all.extend(words.iter().cloned());
        all
    }
}

fn bind(how: &str, path: &Path) -> [OsString; 3] {
    [how.into(), path.into(), path.into()]
}
