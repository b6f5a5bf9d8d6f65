//! The runs of distributed algorithms in the logs: the code of [`verdict`], which checks runs in memory, checks
//! them too.
//!
//! The logs contain a run where events state their meaning to an algorithm (`meaning`: request, enter, exit, multicast,
//! deliver). The events `ready` name the algorithm; where none does, the message types identify it.

mod members;
mod step;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::ValueEnum;
use common::{
    event::Kind,
    exit::Failure,
    process::{
        ids::{Names, ProcessId},
        property::Property,
        reliable_link::ChannelOrder,
        run_event::RunEvent,
        verdict::{
            check::Check,
            run::{Places, RunUnderTest},
        },
    },
    text::plural,
};

use self::{
    members::Members,
    step::{MessageTypes, Step, is_crash},
};
use super::{
    Claim, EventId, NONE, Trace, computation::Computation, findings::Severity, layouts::Layout,
};
use crate::{
    algorithms::Algorithm,
    harness::workload::{NodeWorkload, OUTSIDE},
    verdict,
};

/// A run of an algorithm, as its processes logged it.
#[derive(Debug)]
pub struct LoggedRun {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The names of its processes, including those without a log.
    pub names: Names,
    /// Its events in causal order; times since the first one.
    pub events: Vec<RunEvent>,
    /// The same events in the trace.
    pub origin: Vec<EventId>,
    /// For each event the index of the send that it receives, or [`NONE`].
    sends: Vec<u32>,
    /// The processes that did not end by themselves.
    pub unfinished: Vec<ProcessId>,
    /// The processes that crashed, as their logs say.
    pub crashed: Vec<ProcessId>,
    /// The processes without a log, whose names are in the logs of others.
    pub missing: Vec<ProcessId>,
    /// In which order channels deliver.
    order: ChannelOrder,
    /// Whether the processes are nodes, between which the network is unreliable.
    of_nodes: bool,
}

/// Checks the runs of algorithms in the logs: those with events on which properties are defined.
pub fn check(computation: &Computation) -> Vec<Check> {
    let runs = runs(computation);
    let several = runs.len() > 1;
    let mut all = Vec::new();
    for run in &runs {
        let mut checks = run.checks(&computation.trace);
        for check in checks.iter_mut().filter(|_| several) {
            check.found = format!("{}: {}", run.title(), check.found);
        }
        all.append(&mut checks);
    }
    all
}

fn runs(computation: &Computation) -> Vec<LoggedRun> {
    let trace = &computation.trace;
    let mut groups: BTreeMap<u32, Group> = BTreeMap::new();
    for (process, execution) in (0..).zip(&computation.executions) {
        let logged = &trace.processes[process as usize];
        if logged.algorithm.as_deref() == Some(OUTSIDE) {
            continue;
        }
        let events = &trace.events[logged.events.clone()];
        let claim = events
            .iter()
            .map(|event| event.claim)
            .max()
            .unwrap_or_default();
        if claim > Claim::None || logged.algorithm.is_some() {
            let group = groups.entry(*execution).or_default();
            group.processes.push(process);
            group.claim = group.claim.max(claim);
        }
    }
    let groups = groups.into_values();
    let checked = groups.filter(|group| group.claim == Claim::Property);
    let run = |group: Group| LoggedRun::of(computation, Members::of(trace, group.processes), None);
    checked.map(run).collect()
}

/// The processes of one execution that run an algorithm.
#[derive(Default)]
struct Group {
    processes: Vec<u32>,
    claim: Claim,
}

impl LoggedRun {
    fn of(computation: &Computation, mut members: Members, algorithm: Option<Algorithm>) -> Self {
        let trace = &computation.trace;
        let (mut events, mut origin, mut sends) = (Vec::new(), Vec::new(), Vec::new());
        let mut place_of = vec![NONE; trace.events.len()];
        let mut types = MessageTypes::default();
        let (mut first, mut crashed) = (None, Vec::new());
        let mut order = ChannelOrder::Fifo;
        let outside = trace.processes.iter();
        let outside = outside.filter(|process| process.algorithm.as_deref() == Some(OUTSIDE));
        let outside = outside.map(|process| process.node.as_str()).collect();
        for id in &computation.order.sequence {
            let (id, event) = (*id, &trace.events[*id]);
            let Some(process) = members.of_process.get(&event.process).copied() else {
                continue;
            };
            if event.kind == Kind::Ready && step::order(trace.text(event.text)) != order {
                order = ChannelOrder::Unordered;
            }
            if event.kind == Kind::Fault && is_crash(trace.text(event.text)) {
                crashed.push(process);
            }
            let micros = event.time.unwrap_or(0);
            let start = *first.get_or_insert(micros);
            let step = Step {
                computation,
                id,
                process,
                time: computation.order.time[id],
                outside: &outside,
            };
            let Some((what, meaning)) = step.read(&mut members, &mut types) else {
                continue;
            };
            let send = computation.links.to(id).first();
            sends.push(send.map_or(NONE, |link| place_of[link.from]));
            place_of[id] = events.len() as u32;
            origin.push(id);
            events.push(RunEvent {
                process,
                at: Duration::from_micros(micros.saturating_sub(start).try_into().unwrap_or(0)),
                time: step.time,
                what,
                meaning,
            });
        }
        let processes = members.of_process.keys();
        let word = processes
            .filter_map(|process| trace.processes[*process as usize].algorithm.as_deref())
            .min();
        let workload = word.and_then(NodeWorkload::logged);
        let claimed = word.and_then(|word| Algorithm::from_str(word, false).ok());
        let claimed = claimed.or(workload.and_then(NodeWorkload::algorithm));
        let is_unfinished = |process: &u32| {
            let process = &trace.processes[*process as usize];
            !process.stopped || process.gaps || process.suppressed
        };
        crashed.sort_unstable();
        crashed.dedup();
        let mut unfinished: Vec<_> = members
            .of_process
            .iter()
            .filter(|(process, id)| is_unfinished(process) && !crashed.contains(id))
            .map(|(_, id)| *id)
            .collect();
        unfinished.sort_unstable();
        let mut missing: Vec<_> = ProcessId::all(members.names.len()).collect();
        missing.retain(|id| !members.of_process.values().any(|known| known == id));
        LoggedRun {
            algorithm: algorithm.or(claimed).unwrap_or_else(|| types.algorithm()),
            names: Names::of_all(members.names),
            events,
            origin,
            sends,
            unfinished,
            crashed,
            missing,
            order,
            of_nodes: workload.is_some(),
        }
    }
}

/// The places of the events of a run in the logs.
#[derive(Debug)]
struct Origin<'c> {
    trace: &'c Trace,
    origin: &'c [EventId],
}

impl Places for Origin<'_> {
    fn place(&self, event: usize) -> String {
        self.trace.place_of(self.origin[event])
    }
}

impl LoggedRun {
    /// Reads the run of an algorithm from its logs; its processes have these names.
    ///
    /// # Errors
    /// When a log cannot be read, or is not well formed (exit code 2). The last line of a process that was killed may be cut off.
    pub fn read(
        paths: &[PathBuf],
        algorithm: Algorithm,
        names: &Names,
    ) -> Result<(Trace, Self), Failure> {
        let (computation, run) = Self::read_as(paths, algorithm, |_| Ok(names.clone()))?;
        Ok((computation.trace, run))
    }

    /// The same, with the whole computation; the names of the processes are chosen when it is read.
    ///
    /// # Errors
    /// The same, and those of the choice.
    pub fn read_as(
        paths: &[PathBuf],
        algorithm: Algorithm,
        names: impl FnOnce(&Trace) -> Result<Names, Failure>,
    ) -> Result<(Computation, Self), Failure> {
        let computation = Computation::read(paths, &Layout::default())?;
        let unreadable = computation.trace.findings.of(Property::WellFormed);
        if unreadable.worst == Some(Severity::Fail) {
            let words = computation.trace.findings.words(Property::WellFormed);
            let (what, why) = words.split_once(": ").unwrap_or(("log", &words));
            return Err(Failure::could_not_run(what, why));
        }
        let names = names(&computation.trace)?;
        let members = Members::with_names(&computation.trace, &names);
        let run = Self::of(&computation, members, Some(algorithm));
        Ok((computation, run))
    }

    /// The run, as it is checked.
    pub fn under_test(&self) -> RunUnderTest<'_> {
        RunUnderTest {
            unfinished: &self.unfinished,
            crashed: &self.crashed,
            missing: &self.missing,
            order: self.order,
            sends: Some(&self.sends),
            ..RunUnderTest::new(&self.names, &self.events)
        }
    }

    /// The result for each property of the algorithm except the clock condition, which is checked for all logs at once. Findings
    /// name file and line.
    pub fn checks(&self, trace: &Trace) -> Vec<Check> {
        let origin = Origin {
            trace,
            origin: &self.origin,
        };
        let run = RunUnderTest {
            places: Some(&origin),
            ..self.under_test()
        };
        match self.of_nodes {
            true => verdict::of_nodes(self.algorithm, &run, false).checks,
            false => verdict::without_clocks(self.algorithm, &run).checks,
        }
    }

    /// A title that distinguishes it from other runs in the same logs.
    pub fn title(&self) -> String {
        let processes = plural(self.names.count() as u64, "process");
        let first = self.names.all().next().unwrap_or_default();
        format!("{} of {processes} with {first}", self.algorithm.word())
    }
}
