//! All children of a run, as their supervisor has them: they start, learn of one another, crash when they are to, and stop.

use std::{
    cmp::Reverse,
    net::SocketAddr,
    time::{Duration, Instant},
};

use crossbeam::channel::Receiver;

use super::{Child, ChildOutput, Crash};
use crate::{
    event::{Event, Level},
    exit::Failure,
    journal::Journal,
    process::{faults::Faults, ids::ProcessId},
    shutdown::Shutdown,
};

/// How often a wait for the children looks whether somebody wants the run to end.
const TICK: Duration = Duration::from_millis(50);

/// The children of a run.
#[derive(Debug)]
pub struct Children<'a> {
    /// The children, by the numbers of their processes.
    pub list: Vec<Child>,
    outputs: &'a Receiver<ChildOutput>,
    journal: &'a Journal,
    /// Whether it is no news that one does not respond which was killed.
    ignores_killed: bool,
}

impl<'a> Children<'a> {
    /// These children, of which all outputs come in this channel.
    pub fn new(list: Vec<Child>, outputs: &'a Receiver<ChildOutput>, journal: &'a Journal) -> Self {
        Self {
            list,
            outputs,
            journal,
            ignores_killed: false,
        }
    }

    /// The same; what others warn of one that was killed is not reported.
    #[must_use]
    pub fn ignoring_killed(self) -> Self {
        Self {
            ignores_killed: true,
            ..self
        }
    }

    /// Waits for the next output, at most until then: a line that a child prints. Warnings and ends are reported; None for those, and
    /// when the time is over.
    pub fn next_line(&mut self, until: Instant) -> Option<(usize, String)> {
        let output = self.outputs.recv_deadline(until).ok()?;
        self.handle(output)
    }

    fn handle(&mut self, output: ChildOutput) -> Option<(usize, String)> {
        match output {
            ChildOutput::Line(number, line) => return Some((number, line)),
            ChildOutput::Listening(..) => {}
            ChildOutput::Warning(number, text) => self.warn(number, &text),
            ChildOutput::Ended(number) => {
                let child = &mut self.list[number];
                child.reap();
                if let Some(how) = child.unexpected() {
                    let killed = if child.killed { ", as requested" } else { "" };
                    let text = format!("{}: {how}{killed}", child.name);
                    self.journal.record(Event::error(Level::Warn, text));
                }
            }
        }
        None
    }

    /// Reports a warning of a child.
    fn warn(&self, number: usize, warning: &str) {
        let about = warning.split_once(": ").map_or("", |(name, _)| name);
        let mut children = self.list.iter();
        let is_of_killed = children.any(|child| child.killed && child.name == about);
        if !(is_of_killed && self.ignores_killed) {
            let text = format!("{} reports: {warning}", self.list[number].name);
            self.journal.record(Event::error(Level::Warn, text));
        }
    }

    /// Writes a line to each.
    pub fn write_all(&mut self, line: &str) {
        self.list.iter_mut().for_each(|child| child.write(line));
    }

    /// Waits for the addresses on which they listen; None when somebody wants the run to end.
    ///
    /// # Errors
    /// When one ends, or there is no more time (exit code 2).
    pub fn addresses(
        &mut self,
        limit: Duration,
        shutdown: &Shutdown,
    ) -> Result<Option<Vec<SocketAddr>>, Failure> {
        let until = Instant::now() + limit;
        let mut addresses = vec![None; self.list.len()];
        while let Some(missing) = addresses.iter().position(Option::is_none) {
            if shutdown.requested() {
                return Ok(None);
            }
            match self.outputs.recv_timeout(TICK) {
                Ok(ChildOutput::Listening(number, address)) => addresses[number] = Some(address),
                Ok(output) => drop(self.handle(output)),
                Err(_) => {}
            }
            let child = &self.list[missing];
            if addresses[missing].is_none() && (child.ended.is_some() || Instant::now() >= until) {
                let why = child.unexpected().unwrap_or_else(|| "no ready line".into());
                return Err(Failure::could_not_run(format!("start {}", child.name), why));
            }
        }
        Ok(Some(addresses.into_iter().flatten().collect()))
    }

    /// Sends each the addresses of the others, and starts it.
    pub fn introduce(&mut self, addresses: &[SocketAddr]) {
        for me in 0..self.list.len() {
            for (other, address) in addresses.iter().enumerate() {
                if other != me {
                    let line = format!("peer {}={address}", self.list[other].name);
                    self.list[me].write(&line);
                }
            }
        }
        self.write_all("start");
    }

    /// Stops them; returns those that have not ended properly.
    pub fn stop(&mut self, limit: Duration) -> Vec<ProcessId> {
        self.write_all("stop");
        let until = Instant::now() + limit;
        while self.list.iter().any(|child| child.ended.is_none()) && Instant::now() < until {
            let _ = self.next_line(until);
        }
        let ended = |child: &Child| child.ended.is_some() && child.unexpected().is_none();
        let all = self.list.iter().enumerate();
        let failed = all.filter(|(_, child)| !ended(child));
        failed.map(|(number, _)| ProcessId::at(number)).collect()
    }
}

/// What `--crash` does to which process when, in descending order of time.
pub fn planned(faults: &Faults) -> Vec<(Duration, ProcessId, Crash)> {
    let crashes = faults.crashes.iter();
    let mut planned: Vec<_> = crashes
        .flat_map(|crash| match crash.until {
            Duration::MAX => vec![(crash.from, crash.process, Crash::Kill)],
            until => vec![
                (crash.from, crash.process, Crash::Pause),
                (until, crash.process, Crash::Resume),
            ],
        })
        .collect();
    planned.sort_by_key(|(at, ..)| Reverse(*at));
    planned
}
