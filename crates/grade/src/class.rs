//! The submissions of a class, graded side by side.

use common::{exit::Failure, parallel, shutdown::Shutdown, text::visible_path};

use crate::{
    grader, inside,
    job::Subject,
    plan::{self, Plan},
    requirement::Status,
    results::{Graded, Part, Submission},
    sandbox::Isolation,
    submissions::{Found, Submissions},
    suite::Suite,
};

/// A class, and how its submissions are graded.
#[derive(Debug)]
pub struct Class {
    /// The submissions, by name.
    pub submissions: Submissions,
    /// What is graded of each.
    pub suite: Suite,
    /// The plan of every part, but for what is the part's own.
    pub plan: Plan,
    /// How many submissions are graded at once.
    pub jobs: usize,
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
        let graded = parallel::each("grade", jobs, self.submissions.all.iter(), |found| {
            let submission = self.submission(found, shutdown)?;
            report(&submission);
            Ok(submission)
        });
        graded.into_iter().collect()
    }

    fn submission(&self, found: &Found, shutdown: &Shutdown) -> Result<Submission, Failure> {
        let mut parts = Vec::new();
        for subject in self.suite.subjects() {
            if let Some(part) = self.part(subject, found, shutdown)? {
                parts.push(part);
            }
        }
        Ok(Submission::new(&found.name, parts))
    }

    /// Grades the program of this kind, where the submission has one or has to have one.
    fn part(
        &self,
        subject: Subject,
        found: &Found,
        shutdown: &Shutdown,
    ) -> Result<Option<Part>, Failure> {
        let folder = found.folder.as_path();
        let ways = || {
            self.suite
                .parts
                .iter()
                .filter(|part| part.subject() == Ok(subject))
        };
        let whole = ways().find(|part| part.missing(folder).is_empty());
        let (part, is_there) = match whole {
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
            enter: Some(found.enter.clone()),
            address: part.address.unwrap_or_else(|| subject.address()),
            pictures: self.plan.pictures.as_ref().map(|all| all.join(&found.name)),
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
