//! The attacking part of the grader: probes one requirement after another, and reports each.

use std::{
    io::{self, BufRead, Write},
    time::Instant,
};

use crate::{
    bench::Bench,
    job::{Job, Probe, Report, Subject},
    load,
    probes::{
        Role,
        client::ClientRole,
        clock::ClockRole,
        multicast::{ReceiverRole, SenderRole},
        name_server::NameServerRole,
        naming::NamingRole,
        node::NodeRole,
        server::ServerRole,
    },
    requirement::{Finding, NOT_TRIED, Requirement, Status},
};

/// The longest job, in bytes.
const LONGEST_JOB: u64 = 1 << 20;

/// The requirements of a submission of this kind.
pub fn requirements(subject: Subject) -> &'static [Requirement] {
    match subject {
        Subject::ThreadsServer => ServerRole::REQUIREMENTS,
        Subject::ThreadsClient => ClientRole::REQUIREMENTS,
        Subject::MulticastReceiver => ReceiverRole::REQUIREMENTS,
        Subject::MulticastSender => SenderRole::REQUIREMENTS,
        Subject::Naming => NamingRole::REQUIREMENTS,
        Subject::NamingServer => NameServerRole::REQUIREMENTS,
        Subject::Clock => ClockRole::REQUIREMENTS,
        Subject::Node => NodeRole::REQUIREMENTS,
    }
}

/// Reads a job, does it, and reports.
///
/// # Errors
/// When the job is none, or its reader has gone.
pub fn run(from: impl BufRead, to: impl Write) -> io::Result<()> {
    let mut line = String::new();
    from.take(LONGEST_JOB).read_line(&mut line)?;
    let job: Job = serde_json::from_str(&line)?;
    let bench = Bench::new(&job)?;
    match job.subject {
        Subject::ThreadsServer => probe(&job, &bench, ServerRole::new(&bench), to),
        Subject::ThreadsClient => probe(&job, &bench, ClientRole::new(&bench), to),
        Subject::MulticastReceiver => probe(&job, &bench, ReceiverRole::new(&bench), to),
        Subject::MulticastSender => probe(&job, &bench, SenderRole::new(&bench), to),
        Subject::Naming => probe(&job, &bench, NamingRole::new(&bench), to),
        Subject::NamingServer => probe(&job, &bench, NameServerRole::new(&bench)?, to),
        Subject::Clock => probe(&job, &bench, ClockRole::new(&bench), to),
        Subject::Node => probe(&job, &bench, NodeRole::new(&bench), to),
    }
}

fn probe<R: Role>(job: &Job, bench: &Bench, mut role: R, mut to: impl Write) -> io::Result<()> {
    let mut known = job.known.clone();
    let built = bench.build();
    let mut report = |report: &Report| {
        let line = serde_json::to_string(report)?;
        writeln!(to, "{line}").and_then(|()| to.flush())
    };
    for (number, id) in job.todo.iter().enumerate() {
        let begun = Instant::now();
        let mut requirements = R::REQUIREMENTS.iter();
        let finding = match requirements.find(|requirement| requirement.id == id) {
            None => Some(Finding::grader(format!("no requirement is called {id}"))),
            Some(requirement) => {
                let missing = requirement.needs.and_then(|needs| {
                    let status = *known.get(needs)?;
                    (status != Status::Pass).then_some((needs, status))
                });
                match missing {
                    Some((needs, status)) => {
                        let what = format!("{NOT_TRIED}: it needs {needs}, which is not met");
                        Some(Finding::new(status, what))
                    }
                    None => match &built {
                        Ok(()) => role.probe(requirement.id).err(),
                        Err(finding) => Some(finding.clone()),
                    },
                }
            }
        };
        let is_late = begun.elapsed() >= job.timeout
            && finding.as_ref().is_some_and(|finding| {
                matches!(finding.status, Status::Timeout | Status::NotStarted)
            });
        if is_late && bench.patience() == 1 && load::is_busy() {
            return report(&Report::Late);
        }
        bench.set_patience(1);
        let probe = Probe {
            id: id.clone(),
            finding,
            elapsed: begun.elapsed(),
        };
        known.insert(id.clone(), probe.status());
        report(&Report::Probe(probe))?;
        // What cannot be laid out again, the next start says.
        let _ = bench.restore();
        if role.is_spent() && number + 1 < job.todo.len() {
            return report(&Report::Again);
        }
    }
    report(&Report::Done)
}
