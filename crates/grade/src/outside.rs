//! One sandbox, from outside: starts the attacking part in it and takes its reports.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read, Write},
    process::Stdio,
    thread,
    time::Duration,
};

use common::{
    exit::{Failure, why},
    shutdown::Shutdown,
    sys::{processes::Group, sandbox::Group as ControlGroup},
    text::visible,
};
use crossbeam::{
    channel::{self, Receiver, Sender},
    select,
};

use crate::{
    job::{Job, Probe, Report},
    picture,
    plan::Plan,
    requirement::Status,
};

/// The longest line of a report, in bytes.
const LONGEST_LINE: u64 = 2 * picture::LONGEST;
/// How many processes and threads of a sandbox are the grader's.
const OWN_TASKS: u64 = 64;
/// What a probe may take in all, in times of one answer, before the grader gives it up.
const PATIENCE: u32 = 36;
/// And how long beside that: a build comes before the first.
const GRACE: Duration = Duration::from_secs(150);

/// How the work in a sandbox ended.
#[derive(Debug)]
pub struct EndOfSandbox {
    /// What was probed.
    pub known: Vec<(String, Status)>,
    /// Why it ended before its time, if it did.
    pub fault: Option<String>,
    /// Whether the next requirement was late on a busy machine.
    pub is_late: bool,
}

/// Runs the attacking part in a sandbox until it has no more to report; `take` takes what came of each probe.
///
/// # Errors
/// When a stop was requested, or the sandbox cannot be started (exit code 2).
pub fn attack(
    job: &Job,
    plan: &Plan,
    shutdown: &Shutdown,
    take: &mut dyn FnMut(Probe) -> (String, Status),
) -> Result<EndOfSandbox, Failure> {
    // Those of the grader itself, and of the sandboxes.
    let group = ControlGroup::new(plan.limits.processes + OWN_TASKS);
    let mut job = job.clone();
    job.walls.group = group.as_ref().map(|group| group.path().to_owned());
    let words: [OsString; 2] = [job.walls.grader.clone().into(), "inside".into()];
    let mut command = job.walls.outer(&words);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failed = |error: &std::io::Error| Failure::could_not_run("start a sandbox", why(error));
    let (child, streams) = Group::start(command).map_err(|error| failed(&error))?;
    let mut child = Guard(child);
    let (reports, lines) = channel::bounded(16);
    let (stdout, stderr) = (streams.stdout, streams.stderr);
    let text = serde_json::to_string(&job).map_err(|error| failed(&error.into()))?;
    if let Some(mut stdin) = streams.stdin {
        // A sandbox that does not take it says why on its standard error.
        let _ = writeln!(stdin, "{text}");
    }
    let mut end = EndOfSandbox {
        known: Vec::new(),
        fault: None,
        is_late: false,
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
    let patience = plan.timeout * PATIENCE + GRACE;
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
            Some(Report::Late) => {
                end.is_late = true;
                return Ok(());
            }
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
struct Guard(Group);

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
