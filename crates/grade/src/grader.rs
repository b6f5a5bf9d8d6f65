//! One program of a submission, graded from outside its sandbox.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use common::{
    exit::{Failure, why},
    shutdown::Shutdown,
    text::visible,
};
use crossbeam::{
    channel::{self, Receiver, Sender},
    select,
};

use crate::{
    cgroup::Group,
    inside,
    job::{Job, Probe, Report, Subject},
    limits::Limits,
    requirement::{Finding, Requirement, Status},
    results::{Graded, Part},
    sandbox::{Isolation, Walls},
};

/// The longest line of a report, in bytes.
const LONGEST_LINE: u64 = 1 << 20;
/// A folder of at most so many bytes is copied for the submission.
const COPIED: u64 = 32 << 20;
/// And of at most so many files.
const COPIED_FILES: usize = 2_000;
/// How many processes and threads of a sandbox are the grader's.
const OWN_TASKS: u64 = 64;
/// What a probe may take in all, in times of one answer, before the grader gives it up.
const PATIENCE: u32 = 12;

/// What is graded, and how.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the submission is.
    pub subject: Subject,
    /// Its command.
    pub command: String,
    /// The folder in which it runs.
    pub folder: PathBuf,
    /// What it does not see.
    pub masks: Vec<PathBuf>,
    /// How it is kept apart.
    pub isolation: Isolation,
    /// What it may use.
    pub limits: Limits,
    /// How long an answer may take.
    pub timeout: Duration,
    /// What chance decides.
    pub seed: u64,
    /// How often each requirement is probed; it is met when all probes pass.
    pub repeat: u32,
    /// Where it listens or connects to.
    pub address: SocketAddr,
    /// The requirements; none are all.
    pub only: Vec<String>,
    /// Those whose details are kept from the student.
    pub hidden: Vec<String>,
    /// Points that are not the requirement's own: `idle`, or `threads-server/idle`.
    pub points: BTreeMap<String, u32>,
}

impl Plan {
    /// The requirements that are probed.
    pub fn requirements(&self) -> Vec<&'static Requirement> {
        let all = inside::requirements(self.subject).iter();
        let is_wanted = |requirement: &&Requirement| {
            self.only.is_empty() || names(&self.only, self.subject, requirement.id)
        };
        all.filter(is_wanted).collect()
    }

    fn worth(&self, requirement: &Requirement) -> u32 {
        let whole = format!("{}/{}", self.subject.word(), requirement.id);
        let own = self
            .points
            .get(&whole)
            .or_else(|| self.points.get(requirement.id));
        own.copied().unwrap_or(requirement.points)
    }

    /// A command that probes this requirement again.
    fn reproduce(&self, id: &str, run: u32) -> String {
        let (command, role) = match self.subject {
            Subject::ThreadsServer => ("threads", "server"),
            Subject::ThreadsClient => ("threads", "client"),
        };
        let quoted = self.command.replace('\'', r"'\''");
        let seed = self.seed.wrapping_add(run.into());
        format!(
            "grade {command} --role {role} --cmd '{quoted}' --only {id} --seed {seed} --timeout {}",
            common::config::Period(self.timeout)
        )
    }
}

/// Whether a list of requirements names this one, alone or with its part.
pub fn names(list: &[String], subject: Subject, id: &str) -> bool {
    let is_it = |name: &String| match name.split_once('/') {
        Some((part, name)) => part == subject.word() && name == id,
        None => name == id,
    };
    list.iter().any(is_it)
}

/// Grades; each requirement is reported when all its probes are done.
///
/// # Errors
/// When a stop was requested (exit code 2).
pub fn grade(
    plan: &Plan,
    shutdown: &Shutdown,
    mut report: impl FnMut(&Graded),
) -> Result<Part, Failure> {
    let requirements = plan.requirements();
    let mut probes: BTreeMap<&str, Vec<Probe>> = BTreeMap::new();
    let mut graded = Vec::new();
    for run in 0..plan.repeat {
        let is_last = run + 1 == plan.repeat;
        once(plan, &requirements, run, shutdown, |requirement, probe| {
            let probes = probes.entry(requirement.id).or_default();
            probes.push(probe);
            if is_last {
                let one = of_probes(plan, requirement, probes);
                report(&one);
                graded.push(one);
            }
        })?;
    }
    Ok(Part::new(plan.subject.word(), &plan.command, graded))
}

fn of_probes(plan: &Plan, requirement: &Requirement, probes: &[Probe]) -> Graded {
    let passed = probes
        .iter()
        .filter(|probe| probe.status() == Status::Pass)
        .count();
    let failed = probes.iter().position(|probe| probe.finding.is_some());
    let run = failed.unwrap_or_default();
    let finding = failed.and_then(|at| probes[at].finding.clone());
    let of = plan.worth(requirement);
    let elapsed: Duration = probes.iter().map(|probe| probe.elapsed).sum();
    let of_finding = |field: fn(&Finding) -> &Option<Box<str>>| {
        finding
            .as_ref()
            .and_then(|finding| field(finding).as_deref().map(str::to_owned))
    };
    Graded {
        id: requirement.id.to_owned(),
        sentence: requirement.sentence.to_owned(),
        source: requirement.source.to_owned(),
        status: finding
            .as_ref()
            .map_or(Status::Pass, |finding| finding.status),
        points: if finding.is_none() { of } else { 0 },
        of,
        passed: u32::try_from(passed).unwrap_or(u32::MAX),
        runs: u32::try_from(probes.len()).unwrap_or(u32::MAX),
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        hidden: names(&plan.hidden, plan.subject, requirement.id),
        what: finding.as_ref().map(|finding| finding.what.clone()),
        sent: of_finding(|finding| &finding.sent),
        received: of_finding(|finding| &finding.received),
        expected: of_finding(|finding| &finding.expected),
        stderr: of_finding(|finding| &finding.stderr),
        limit: finding.as_ref().and_then(|finding| finding.limit),
        reproduce: plan.reproduce(requirement.id, u32::try_from(run).unwrap_or_default()),
    }
}

/// Probes each requirement once; in as many sandboxes as the submission uses up.
fn once(
    plan: &Plan,
    requirements: &[&'static Requirement],
    run: u32,
    shutdown: &Shutdown,
    mut done: impl FnMut(&'static Requirement, Probe),
) -> Result<(), Failure> {
    let mut left = requirements;
    let mut job = job(plan, run)?;
    while let [next, ..] = left {
        job.todo = left
            .iter()
            .map(|requirement| requirement.id.to_owned())
            .collect();
        let before = left.len();
        let mut take = |probe: Probe| job_known(&mut left, probe, &mut done);
        let ended = sandbox(&job, plan, shutdown, &mut |probe| {
            let (id, status) = (probe.id.clone(), probe.status());
            take(probe);
            (id, status)
        })?;
        job.known.extend(ended.known);
        match ended.fault {
            // What it was at is what failed.
            Some(fault) => {
                let probe = Probe {
                    id: left.first().unwrap_or(next).id.to_owned(),
                    finding: Some(Finding::grader(fault)),
                    elapsed: Duration::ZERO,
                };
                if !left.is_empty() {
                    job.known.insert(probe.id.clone(), Status::GraderFault);
                    job_known(&mut left, probe, &mut done);
                }
            }
            None if left.len() == before => {
                return Err(Failure::could_not_run(
                    "grade",
                    "the sandbox reports nothing",
                ));
            }
            None => {}
        }
    }
    Ok(())
}

fn job_known(
    left: &mut &[&'static Requirement],
    probe: Probe,
    done: &mut impl FnMut(&'static Requirement, Probe),
) {
    if let [first, rest @ ..] = *left
        && first.id == probe.id
    {
        *left = rest;
        done(first, probe);
    }
}

/// The file of this very program.
///
/// # Errors
/// When the system does not say (exit code 2).
pub fn own_file() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::could_not_run("this program's file", why(&error)))
}

fn job(plan: &Plan, run: u32) -> Result<Job, Failure> {
    let grader = own_file()?;
    let is_copied = plan.isolation == Isolation::Bubblewrap && is_small(&plan.folder);
    Ok(Job {
        subject: plan.subject,
        command: plan.command.clone(),
        walls: Walls {
            isolation: plan.isolation,
            grader,
            folder: plan.folder.clone(),
            is_copied,
            masks: plan.masks.clone(),
            disk: plan.limits.disk,
            group: None,
        },
        limits: plan.limits,
        timeout: plan.timeout,
        seed: plan.seed.wrapping_add(run.into()),
        address: plan.address,
        todo: Vec::new(),
        known: BTreeMap::new(),
    })
}

/// Whether a folder is small enough to be copied for each sandbox.
fn is_small(folder: &Path) -> bool {
    if folder == Path::new("/") || folder == Path::new("/tmp") {
        return false;
    }
    let (mut bytes, mut files) = (0, 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            return false;
        };
        for entry in entries.flatten() {
            files += 1;
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else {
                bytes += metadata.len();
            }
            if bytes > COPIED || files > COPIED_FILES {
                return false;
            }
        }
    }
    true
}

/// How the work in a sandbox ended.
struct EndOfSandbox {
    known: Vec<(String, Status)>,
    /// Why it ended before its time, if it did.
    fault: Option<String>,
}

/// Runs the attacking part in a sandbox until it has no more to report.
fn sandbox(
    job: &Job,
    plan: &Plan,
    shutdown: &Shutdown,
    take: &mut dyn FnMut(Probe) -> (String, Status),
) -> Result<EndOfSandbox, Failure> {
    // Those of the grader itself, and of the sandboxes.
    let group = Group::new(plan.limits.processes + OWN_TASKS);
    let mut job = job.clone();
    job.walls.group = group.as_ref().map(|group| group.path().to_owned());
    let words: [OsString; 2] = [job.walls.grader.clone().into(), "inside".into()];
    let mut command = job.walls.outer(&words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failed = |error: &std::io::Error| Failure::could_not_run("start a sandbox", why(error));
    let mut child = Guard(command.spawn().map_err(|error| failed(&error))?);
    let (reports, lines) = channel::bounded(16);
    let (stdout, stderr) = (child.0.stdout.take(), child.0.stderr.take());
    let text = serde_json::to_string(&job).map_err(|error| failed(&error.into()))?;
    if let Some(mut stdin) = child.0.stdin.take() {
        // A sandbox that does not take it says why on its standard error.
        let _ = writeln!(stdin, "{text}");
    }
    let mut end = EndOfSandbox {
        known: Vec::new(),
        fault: None,
    };
    thread::scope(|scope| {
        let reader = thread::Builder::new().name("reports".into());
        let reader = reader.spawn_scoped(scope, move || {
            if let Some(stdout) = stdout {
                read_reports(stdout, &reports);
            }
        });
        let complaints = thread::Builder::new().name("complaints".into());
        let complaints = complaints.spawn_scoped(scope, move || {
            let mut text = Vec::new();
            if let Some(stderr) = stderr {
                let _ = stderr.take(LONGEST_LINE).read_to_end(&mut text);
            }
            text
        });
        let (Ok(_), Ok(complaints)) = (reader, complaints) else {
            child.end();
            let why = "no room for a thread";
            return Err(Failure::could_not_run("start a sandbox", why));
        };
        let is_done = reports_of(&lines, plan, shutdown, take, &mut end);
        if is_done.is_err() || end.fault.is_some() {
            child.end();
        }
        drop(lines);
        let complaints = complaints.join().unwrap_or_default();
        if let Some(fault) = &mut end.fault {
            let text = visible(complaints.trim_ascii());
            let text: String = text.chars().take(300).collect();
            if !text.is_empty() {
                fault.push_str(": ");
                fault.push_str(&text);
            }
        }
        is_done
    })?;
    Ok(end)
}

fn reports_of(
    lines: &Receiver<Option<Report>>,
    plan: &Plan,
    shutdown: &Shutdown,
    take: &mut dyn FnMut(Probe) -> (String, Status),
    end: &mut EndOfSandbox,
) -> Result<(), Failure> {
    let patience = plan.timeout * PATIENCE + Duration::from_secs(20);
    loop {
        let report = select! {
            recv(lines) -> report => report.ok().flatten(),
            recv(shutdown.channel()) -> _ => {
                return Err(Failure::could_not_run("grade", "interrupted"));
            }
            default(patience) => {
                end.fault = Some("the probe did not end".into());
                return Ok(());
            }
        };
        match report {
            Some(Report::Probe(probe)) => end.known.push(take(probe)),
            Some(Report::Again | Report::Done) => return Ok(()),
            None => {
                end.fault = Some("the sandbox ended before its time".into());
                return Ok(());
            }
        }
    }
}

/// Reads reports to the end; what is none is the end.
fn read_reports(from: impl Read, to: &Sender<Option<Report>>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = String::new();
        let read = (&mut from).take(LONGEST_LINE).read_line(&mut line);
        let report = match read {
            Ok(1..) => serde_json::from_str(&line).ok(),
            _ => None,
        };
        let is_last = report.is_none();
        if to.send(report).is_err() || is_last {
            return;
        }
    }
}

/// A sandbox that ends, with all that is in it, when it is no longer needed.
struct Guard(Child);

impl Guard {
    fn end(&mut self) {
        // An error is that it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.end();
    }
}
