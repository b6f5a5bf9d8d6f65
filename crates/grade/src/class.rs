//! The submissions of a class: each folder of a folder, graded side by side.

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{
    exit::{Failure, why},
    parallel,
    shutdown::Shutdown,
    text::{natural, visible_path},
};

use crate::{
    grader, inside,
    job::Subject,
    plan::{self, Plan},
    requirement::Status,
    results::{Graded, Part, Submission},
    sandbox::Isolation,
    suite::Suite,
};

/// The most submissions of one run.
const MOST: usize = 10_000;

/// A class, and how its submissions are graded.
#[derive(Debug)]
pub struct Class {
    /// The folders of the submissions, by name.
    pub folders: Vec<PathBuf>,
    /// What is graded of each.
    pub suite: Suite,
    /// The plan of every part, but for what is the part's own.
    pub plan: Plan,
    /// How many submissions are graded at once.
    pub jobs: usize,
}

/// The folders in a folder.
///
/// # Errors
/// When it cannot be read, or has none (exit code 2).
pub fn folders(of: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed =
        |why: String| Failure::could_not_run(format!("--submissions {}", visible_path(of)), why);
    let entries = fs::read_dir(of).map_err(|error| failed(why(&error)))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(why(&error)))?.path();
        let is_hidden = path
            .file_name()
            .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if path.is_dir() && !is_hidden {
            folders.push(path);
        }
        if folders.len() > MOST {
            return Err(failed(format!("more than {MOST} submissions")));
        }
    }
    if folders.is_empty() {
        return Err(failed(
            "no folder in it: each submission is a folder".into(),
        ));
    }
    folders.sort_by(|a, b| natural(&name(a), &name(b)));
    Ok(folders)
}

fn name(folder: &Path) -> String {
    folder
        .file_name()
        .map(|name| visible_path(Path::new(name)))
        .unwrap_or_default()
}

impl Class {
    /// Grades all of them; each is reported when it is done. They are in the order of their folders.
    ///
    /// # Errors
    /// When a stop was requested, or a sandbox cannot be started (exit code 2).
    pub fn grade(
        &self,
        shutdown: &Shutdown,
        report: &(dyn Fn(&Submission) + Sync),
    ) -> Result<Vec<Submission>, Failure> {
        let jobs = if self.plan.isolation == Isolation::None {
            1
        } else {
            self.jobs
        };
        let graded = parallel::each("grade", jobs, self.folders.iter(), |folder| {
            let submission = self.submission(folder, shutdown)?;
            report(&submission);
            Ok(submission)
        });
        graded.into_iter().collect()
    }

    fn submission(&self, folder: &Path, shutdown: &Shutdown) -> Result<Submission, Failure> {
        let own = folder.canonicalize();
        let own = own.map_err(|error| Failure::could_not_run(visible_path(folder), why(&error)))?;
        let mut parts = Vec::new();
        for subject in self.suite.subjects() {
            if let Some(part) = self.part(subject, &own, shutdown)? {
                parts.push(part);
            }
        }
        Ok(Submission::new(&name(folder), parts))
    }

    /// Grades the program of this kind, where the submission has one or has to have one.
    fn part(
        &self,
        subject: Subject,
        folder: &Path,
        shutdown: &Shutdown,
    ) -> Result<Option<Part>, Failure> {
        let ways = || {
            self.suite
                .parts
                .iter()
                .filter(|part| part.subject() == Ok(subject))
        };
        let found = ways().find(|part| part.missing(folder).is_empty());
        let (part, is_there) = match found {
            Some(part) => (part, true),
            None if ways().all(|part| part.optional) => return Ok(None),
            None => match ways().find(|part| !part.optional) {
                Some(part) => (part, false),
                None => return Ok(None),
            },
        };
        let plan = Plan {
            subject,
            command: part.command.clone(),
            workload: part.workload.clone(),
            build: part.build.clone(),
            folder: folder.to_owned(),
            within: Some(folder.to_owned()),
            address: part.address.unwrap_or_else(|| subject.address()),
            timeout: part.timeout.map_or(self.plan.timeout, |timeout| timeout.0),
            ..self.plan.clone()
        };
        if is_there {
            return grader::grade(&plan, shutdown, |_| {}).map(Some);
        }
        let missing: Vec<String> = part.missing(folder).into_iter().map(visible_path).collect();
        let what = format!("not handed in: {}", missing.join(", "));
        Ok(Some(nothing(&plan, &what)))
    }
}

/// The part of a submission that is not there.
fn nothing(plan: &Plan, what: &str) -> Part {
    let graded = plan.requirements().into_iter().map(|requirement| Graded {
        status: Status::NotStarted,
        what: Some(what.to_owned()),
        ..plan::ungraded(plan, requirement)
    });
    Part::new(plan.subject.word(), &plan.command, graded.collect())
}

/// Whether a requirement of one of these has this name.
pub fn is_known(subjects: &[Subject], name: &str) -> bool {
    let (part, id) = match name.split_once('/') {
        Some((part, id)) => (Some(part), id),
        None => (None, name),
    };
    let is_part = |subject: &&Subject| part.is_none_or(|part| part == subject.word());
    let mut all = subjects
        .iter()
        .filter(is_part)
        .flat_map(|subject| inside::requirements(*subject));
    all.any(|requirement| requirement.id == id)
}
