//! One program of a submission, graded from outside its sandbox.

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use common::{exit::Failure, shutdown::Shutdown};

use crate::{
    job::{Job, Probe},
    outside::attack,
    own,
    plan::{Plan, ungraded},
    requirement::{Finding, Requirement, Status},
    results::{Graded, Part},
    sandbox::{Isolation, Walls},
};

/// How many times the usual time a program has that was late on a busy machine.
const LATER: u32 = 3;

/// A folder of at most so many bytes is copied for the submission.
const COPIED: u64 = 32 << 20;
/// And of at most so many files.
const COPIED_FILES: usize = 2_000;

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
    let mut unwritten = None;
    for run in 0..plan.repeat {
        let is_last = run + 1 == plan.repeat;
        once(plan, &requirements, run, shutdown, |requirement, probe| {
            let probes = probes.entry(requirement.id).or_default();
            probes.push(probe);
            if is_last {
                let mut one = of_probes(plan, requirement, probes);
                one.picture = picture(plan, requirement, probes).unwrap_or_else(|failure| {
                    unwritten.get_or_insert(failure);
                    None
                });
                report(&one);
                graded.push(one);
            }
        })?;
    }
    if let Some(failure) = unwritten {
        return Err(failure);
    }
    Ok(Part::new(plan.subject.word(), &plan.command, graded))
}

/// Writes the picture of the first probe that failed, where there is one; its path.
fn picture(
    plan: &Plan,
    requirement: &Requirement,
    probes: &[Probe],
) -> Result<Option<String>, Failure> {
    let mut failed = probes.iter().filter_map(|probe| probe.finding.as_ref());
    let picture = failed.next().and_then(|finding| finding.picture.as_ref());
    let (Some(picture), Some(folder)) = (picture, &plan.pictures) else {
        return Ok(None);
    };
    let name = format!("{}-{}", plan.subject.word(), requirement.id);
    picture.write(folder, &name).map(Some)
}

fn of_probes(plan: &Plan, requirement: &Requirement, probes: &[Probe]) -> Graded {
    let passed = probes
        .iter()
        .filter(|probe| probe.status() == Status::Pass)
        .count();
    let elapsed: Duration = probes.iter().map(|probe| probe.elapsed).sum();
    let graded = Graded {
        passed: u32::try_from(passed).unwrap_or(u32::MAX),
        runs: u32::try_from(probes.len()).unwrap_or(u32::MAX),
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        ..ungraded(plan, requirement)
    };
    let failed = probes.iter().enumerate();
    let mut failed = failed.filter_map(|(run, probe)| Some((run, probe.finding.as_ref()?)));
    let Some((run, finding)) = failed.next() else {
        return Graded {
            status: Status::Pass,
            points: graded.of,
            ..graded
        };
    };
    let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
    Graded {
        status: finding.status,
        what: Some(finding.what.clone()),
        sent: text(&finding.sent),
        received: text(&finding.received),
        expected: text(&finding.expected),
        stderr: text(&finding.stderr),
        limit: finding.limit,
        reproduce: plan.reproduce(requirement.id, u32::try_from(run).unwrap_or_default()),
        ..graded
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
        let ended = attack(&job, plan, shutdown, &mut |probe| {
            let (id, status) = (probe.id.clone(), probe.status());
            take(probe);
            (id, status)
        })?;
        job.known.extend(ended.known);
        job.patience = if ended.is_late { LATER } else { 1 };
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
            None if left.len() == before && !ended.is_late => {
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

fn job(plan: &Plan, run: u32) -> Result<Job, Failure> {
    let grader = own::file()?;
    let is_copied = plan.isolation == Isolation::Bubblewrap && is_small(&plan.folder);
    Ok(Job {
        subject: plan.subject,
        command: plan.command.clone(),
        workload: plan.workload.clone(),
        build: plan.build.clone(),
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
        name_server: plan.name_server(),
        draws: plan.pictures.is_some(),
        todo: Vec::new(),
        patience: 1,
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
