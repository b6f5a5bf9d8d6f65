//! What every probe has at hand: the submission's command, its folder, the time that an answer may take, and chance.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use common::{
    exit::why,
    sys::{processes::line_of, sandbox::link_folder, socket_table::no_route},
};

use crate::{
    job::{Job, NameServer},
    program::{Ended, Program, words},
    requirement::{Finding, Limit, Probed, Status},
    sandbox::{Isolation, ORIGINAL},
    start::Start,
};

/// How long a submission may take at least until it has done what it does first: a busy machine starts an interpreter slowly,
/// and what is asked of the submission is how soon it answers.
const START: Duration = Duration::from_secs(10);

/// How long a build may take.
const BUILD: Duration = Duration::from_secs(120);

/// What every probe has at hand.
#[derive(Debug)]
pub struct Bench<'a> {
    job: &'a Job,
    /// The submission's files as they were handed in: path below its folder, content.
    files: Vec<(PathBuf, Vec<u8>)>,
    /// Those of them that it has changed or removed.
    changed: RefCell<BTreeSet<PathBuf>>,
    /// How many times the usual time an answer may take.
    patience: Cell<u32>,
    /// How many packets had no route when the sandbox was new.
    no_route: u64,
}

impl<'a> Bench<'a> {
    /// Lays the submission's files out.
    ///
    /// # Errors
    /// When they cannot be copied.
    pub fn new(job: &'a Job) -> io::Result<Self> {
        let files = if job.walls.is_copied && job.walls.isolation == Isolation::Bubblewrap {
            copy(Path::new(ORIGINAL), &job.walls.folder)?
        } else {
            Vec::new()
        };
        Ok(Self {
            job,
            files,
            changed: RefCell::default(),
            patience: Cell::new(job.patience.max(1)),
            no_route: no_route().unwrap_or(0),
        })
    }

    /// The submission's command; empty for a server that runs already.
    pub fn command(&self) -> &str {
        &self.job.command
    }

    /// What nodes are asked.
    pub fn workload(&self) -> &str {
        self.job.workload.as_deref().unwrap_or_default()
    }

    /// The file of this very program.
    pub fn grader(&self) -> &Path {
        &self.job.walls.grader
    }

    /// A command for a shell that starts the submission in an inner sandbox.
    ///
    /// # Errors
    /// When its files cannot be laid out.
    pub fn inner_command(&self) -> Result<String, Finding> {
        self.lay_out()?;
        let (walls, limits) = (&self.job.walls, self.job.limits);
        let start = Start::of(&self.job.command, walls, limits).words(walls);
        let words = walls.inner_words(&start.map_err(|error| Finding::grader(why(&error)))?);
        Ok(line_of(&words))
    }

    /// How the submission is kept apart.
    pub fn isolation(&self) -> Isolation {
        self.job.walls.isolation
    }

    /// Runs the submission's compiler, where it has one.
    ///
    /// # Errors
    /// When it fails.
    pub fn build(&self) -> Probed {
        let Some(build) = &self.job.build else {
            return Ok(());
        };
        let mut program = Program::start(&self.job.walls, self.job.limits, build)?;
        program.close_stdin();
        let ended = program.wait_ended(Instant::now() + BUILD);
        if ended == Some(Ended::Code(0)) {
            return Ok(());
        }
        let what = match ended {
            None => format!("its build does not end within {} s", BUILD.as_secs()),
            Some(ended) => format!("its build fails: {}", words(ended)),
        };
        let complaint = program.complained() + &program.printed();
        let first: Vec<&str> = complaint
            .lines()
            .filter(|line| !line.trim().is_empty())
            .take(5)
            .collect();
        let received = common::text::visible(first.join(" / ").as_bytes());
        let finding = Finding::new(Status::NotStarted, what).sent(build.as_str());
        Err(finding.received(received).expected("exit code 0"))
    }

    /// Where the submission listens or connects to.
    pub fn address(&self) -> SocketAddr {
        self.job.address
    }

    /// How long an answer may take.
    pub fn timeout(&self) -> Duration {
        self.job.timeout * self.patience.get()
    }

    /// Sets how many times the usual time an answer may take.
    pub fn set_patience(&self, times: u32) {
        self.patience.set(times);
    }

    /// How many times the usual time an answer may take.
    pub fn patience(&self) -> u32 {
        self.patience.get()
    }

    /// When an answer that is asked for now is late.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.timeout()
    }

    /// When a submission that is started now is late with what it does first.
    pub fn start_deadline(&self) -> Instant {
        Instant::now() + self.job.timeout.max(START) * self.patience.get()
    }

    /// Whether pictures are drawn of what is not met.
    pub fn draws(&self) -> bool {
        self.job.draws
    }

    /// What a name server is asked.
    pub fn named(&self) -> Option<&NameServer> {
        self.job.name_server.as_ref()
    }

    /// What chance decides: the same for the same seed.
    pub fn seed(&self) -> u64 {
        self.job.seed
    }

    /// Starts the submission.
    ///
    /// # Errors
    /// When the grader cannot start it.
    pub fn start(&self) -> Result<Program, Finding> {
        self.start_with(&[])
    }

    /// Starts the submission with these words in the place of those in braces.
    ///
    /// # Errors
    /// When the grader cannot start it.
    pub fn start_with(&self, words: &[(&str, &str)]) -> Result<Program, Finding> {
        let mut command = self.job.command.clone();
        for (name, value) in words {
            command = command.replace(&format!("{{{name}}}"), value);
        }
        self.lay_out()?;
        Program::start(&self.job.walls, self.job.limits, &command)
    }

    /// Lays out its files before a start; a submission that has left no room for its own files is told so.
    fn lay_out(&self) -> Probed {
        self.restore().map_err(|error| {
            if error.kind() != io::ErrorKind::StorageFull {
                return Finding::grader(format!("its files cannot be laid out: {}", why(&error)));
            }
            let what = format!("it was ended: {}", self.job.limits.words(Limit::Disk));
            Finding {
                limit: Some(Limit::Disk),
                ..Finding::new(Status::Crash, what)
            }
        })
    }

    /// Lays out again the files that the submission has changed or removed, and takes note of them.
    ///
    /// # Errors
    /// When that fails.
    pub fn restore(&self) -> io::Result<()> {
        for name in self.changed_now() {
            self.changed.borrow_mut().insert(name.clone());
            let path = self.job.walls.folder.join(&name);
            let content = self.files.iter().find(|(path, _)| *path == name);
            if let Some((_, content)) = content {
                clear(&self.job.walls.folder, &name);
                if let Some(folder) = path.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(&path, content)?;
                let mode = fs::metadata(Path::new(ORIGINAL).join(&name))?.permissions();
                fs::set_permissions(&path, mode)?;
            }
        }
        Ok(())
    }

    /// The files that the submission has changed or removed in this sandbox.
    pub fn changed(&self) -> BTreeSet<PathBuf> {
        let mut all = self.changed.borrow().clone();
        all.extend(self.changed_now());
        all
    }

    fn changed_now(&self) -> Vec<PathBuf> {
        let is_changed = |(name, content): &&(PathBuf, Vec<u8>)| {
            let path = self.job.walls.folder.join(name);
            let is_as_long =
                |path: &Path| fs::metadata(path).is_ok_and(|now| now.len() == content.len() as u64);
            !is_as_long(&path) || fs::read(&path).ok().as_ref() != Some(content)
        };
        self.files
            .iter()
            .filter(is_changed)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// How often something in the sandbox tried to reach an address outside of it.
    pub fn tried_network(&self) -> u64 {
        if self.job.walls.isolation == Isolation::None {
            return 0;
        }
        no_route().unwrap_or(0).saturating_sub(self.no_route)
    }
}

/// Removes what a submission has put in the place of its file, or of a folder above it. It may have made that read-only.
fn clear(folder: &Path, name: &Path) {
    for part in name.ancestors() {
        let path = folder.join(part);
        let is_folder = fs::symlink_metadata(&path).is_ok_and(|now| now.is_dir());
        // An error is that nothing is there, or that it is in the way of what is laid out then, which says so.
        let _ = match (is_folder, part == name) {
            (true, true) => fs::remove_dir_all(&path),
            (true, false) => Ok(()),
            (false, _) => fs::remove_file(&path),
        };
    }
}

/// A file of at most so many bytes is copied: a link may lead to any.
const COPIED: u64 = 32 << 20;

/// Copies the files of a folder; returns them.
fn copy(from: &Path, to: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(from.join(&folder))? {
            let entry = entry?;
            let name = folder.join(entry.file_name());
            // A link to a file is followed, and a link to nowhere left out.
            let Ok(metadata) = fs::metadata(entry.path()) else {
                continue;
            };
            if metadata.is_dir() {
                if entry.file_type()?.is_symlink() {
                    // What it leads to may be large, or lead back.
                    link_folder(&fs::read_link(entry.path())?, &to.join(&name))?;
                } else {
                    fs::create_dir_all(to.join(&name))?;
                    folders.push(name);
                }
            } else if metadata.is_file() && metadata.len() <= COPIED {
                let content = fs::read(entry.path())?;
                fs::write(to.join(&name), &content)?;
                fs::set_permissions(to.join(&name), metadata.permissions())?;
                files.push((name, content));
            }
        }
    }
    Ok(files)
}
