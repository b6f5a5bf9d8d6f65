//! The script of a replay: the events of a log in causal order, and the faults between them. A line that would be passed over is
//! refused.

use std::{collections::BTreeSet, path::Path, time::Duration};

use common::{
    event::{Event, Kind, Record},
    exit::Failure,
    process::{
        Meaning,
        fault_event::Fault,
        ids::{Names, ProcessId},
        run_event::{ALL_PROCESSES, MessageAction, RunEvent},
    },
    text::{visible, visible_path},
};

use super::{
    beginning::{Beginning, beginnings},
    difference::difference,
};
use crate::{
    algorithms::Algorithm,
    config::{Cli, MOST},
    trace::{Claim, EventId, Trace, computation::Computation, runs::LoggedRun},
};

/// The events of a log, as a replay takes them.
#[derive(Debug)]
pub struct Script {
    /// The names of the processes.
    pub names: Names,
    /// How each process begins.
    pub beginnings: Vec<Beginning>,
    /// The steps in causal order.
    pub steps: Vec<Step>,
    /// The processes that did not end by themselves, as far as the log says.
    pub unfinished: Vec<ProcessId>,
    /// The largest clock, if it is a path of the TLA+ module LamportMutex.
    pub max_clock: Option<u8>,
    trace: Trace,
}

/// A step of a log.
#[derive(Debug)]
pub struct Step {
    /// Its line.
    pub id: EventId,
    /// When it was, since the start of the run.
    pub at: Duration,
    /// What it says.
    pub what: Scripted,
}

/// What a line of a log says.
#[derive(Debug)]
pub enum Scripted {
    /// A process has this event.
    Event(RunEvent),
    /// A fault, at the time of the event.
    Fault(Fault),
}

impl Script {
    /// Reads the log. The processes are those of `--processes`, if it stands on the command line, or those in the log.
    ///
    /// # Errors
    /// When it cannot be read, is not well formed, or has a line that is not of the run (exit code 2).
    pub fn read(cli: &Cli, algorithm: Algorithm, log: &Path) -> Result<Self, Failure> {
        let given = match cli.options.given.has("--processes") {
            true => Some(cli.processes(MOST.0)?),
            false => None,
        };
        Self::of_processes(given, algorithm, log)
    }

    /// The same for this number of processes; None for those in the log.
    ///
    /// # Errors
    /// The same.
    pub fn of_processes(
        processes: Option<usize>,
        algorithm: Algorithm,
        log: &Path,
    ) -> Result<Self, Failure> {
        let paths = [log.to_owned()];
        let mut chosen = Names::numbered(0);
        let (computation, run) = LoggedRun::read_as(&paths, algorithm, |trace| {
            chosen = names(trace, processes, log)?;
            Ok(chosen.clone())
        })?;
        if run.events.is_empty() {
            let why = "no event of p1, p2, … with a logical clock is in it";
            return Err(Failure::could_not_run(visible_path(log), why));
        }
        check_timestamps(&computation.trace, &run, &chosen)?;
        let LoggedRun {
            events,
            origin,
            unfinished,
            ..
        } = run;
        let names = chosen;
        let steps = steps(&computation, &names, events, &origin, algorithm)?;
        let trace = computation.trace;
        let (beginnings, max_clock) = beginnings(&trace, &names);
        Ok(Self {
            names,
            beginnings,
            steps,
            unfinished,
            max_clock,
            trace,
        })
    }

    /// The line of a step as an event.
    ///
    /// # Errors
    /// When a field has no meaning (exit code 2).
    pub fn logged(&self, step: &Step) -> Result<Event, Failure> {
        parsed(&self.trace, step.id)
    }

    /// The next message that the process receives, after a step.
    pub fn next_receive(&self, step: &Step, process: ProcessId) -> Option<(&Step, &RunEvent)> {
        let after = self.steps.iter().skip_while(|other| other.id != step.id);
        let mut events = after.filter_map(|step| match &step.what {
            Scripted::Event(event) => Some((step, event)),
            Scripted::Fault(_) => None,
        });
        events.find(|(_, event)| {
            event.process == process && matches!(event.what, MessageAction::Receive { .. })
        })
    }

    /// The number of events, without the faults.
    pub fn events(&self) -> usize {
        let events = self.steps.iter();
        events
            .filter(|step| matches!(step.what, Scripted::Event(_)))
            .count()
    }

    /// The last step of a process.
    pub fn last_of(&self, process: ProcessId) -> Option<&Step> {
        let mut steps = self.steps.iter().rev();
        steps.find(|step| match &step.what {
            Scripted::Event(event) => event.process == process,
            Scripted::Fault(fault) => fault.process() == process,
        })
    }

    /// The failure that there is something else where the events are repeated, the replay or the module, than what a step
    /// says (exit code 2).
    pub fn differs_in(&self, place: &str, step: &Step, expected: &RunEvent, why: &str) -> Failure {
        let sentence = expected.sentence(&self.names);
        self.differs(
            step,
            format!("in the log {sentence}, but in the {place} {why}"),
        )
    }

    /// The event that was found where the events are repeated, if it is the one that a step says.
    ///
    /// # Errors
    /// What differs (exit code 2).
    pub fn compared(
        &self,
        place: &str,
        step: &Step,
        expected: &RunEvent,
        found: Option<RunEvent>,
    ) -> Result<RunEvent, Failure> {
        let differs = |why: &str| self.differs_in(place, step, expected, why);
        let Some(event) = found else {
            return Err(differs("nothing happens"));
        };
        match difference(&self.logged(step)?, &event, &self.names) {
            None => Ok(event),
            Some(difference) => {
                let found = event.sentence(&self.names);
                Err(differs(&format!("{found}: {difference}")))
            }
        }
    }

    /// The failure that something at a step differs (exit code 2).
    pub fn differs(&self, step: &Step, why: impl Into<String>) -> Failure {
        Failure::could_not_run(self.trace.place_of(step.id), why.into())
    }
}

/// A line as an event.
fn parsed(trace: &Trace, id: EventId) -> Result<Event, Failure> {
    let event = &trace.events[id];
    match Record::parse(trace.text(event.text)) {
        Ok(record) => Ok(record.event),
        Err(error) => {
            let error = error.to_string();
            let why = error.split(" at line 1").next().unwrap_or_default();
            let why = visible(why.as_bytes());
            Err(Failure::could_not_run(trace.place_of(id), why))
        }
    }
}

/// The names of the processes: `p1`, `p2`, … as far as the log names one, or other names in the order in which processes sort
/// them.
fn names(trace: &Trace, given: Option<usize>, log: &Path) -> Result<Names, Failure> {
    let mut names = BTreeSet::new();
    for process in &trace.processes {
        let events = &trace.events[process.events.clone()];
        let takes_part =
            process.algorithm.is_some() || events.iter().any(|event| event.claim > Claim::None);
        if takes_part {
            names.insert(process.node.as_str());
        }
        for event in events.iter().filter(|event| event.claim > Claim::None) {
            let message = trace.message(event);
            let parties = message
                .into_iter()
                .flat_map(|message| [message.from, message.to]);
            let parties = parties.map(|party| trace.parties[party as usize].as_str());
            names.extend(parties.filter(|party| *party != ALL_PROCESSES));
        }
    }
    let shown = visible_path(log);
    let too_many = |what: &str| {
        let most = MOST.0;
        let why = format!(
            "{}: a replay has at most {most} processes",
            visible(what.as_bytes())
        );
        Failure::could_not_run(&shown, why)
    };
    let numbers: Option<Vec<usize>> = names.iter().map(|name| number(name)).collect();
    let numbers = numbers.unwrap_or_default();
    let numbered = !numbers.is_empty() || names.is_empty();
    let count = match numbered {
        true => numbers.into_iter().max().unwrap_or(0),
        false => names.len(),
    };
    if let Some(given) = given
        && given < count
    {
        let beyond = |name: &&&str| number(name).is_none_or(|number| number > given);
        let beyond = names.iter().find(beyond).copied().unwrap_or_default();
        let why = format!(
            "the log {shown} has {count} processes, {} among them; without --processes they are those of the log",
            visible(beyond.as_bytes())
        );
        return Err(Failure::could_not_run(format!("--processes {given}"), why));
    }
    if count > MOST.0 {
        return Err(too_many(names.last().copied().unwrap_or_default()));
    }
    if numbered {
        return Ok(Names::numbered(given.unwrap_or(count).max(count)));
    }
    let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
    Names::sorted(names).map_err(|name| too_many(&name))
}

/// The number of a process that is named by it, from 1.
fn number(name: &str) -> Option<usize> {
    let digits = name
        .strip_prefix('p')
        .filter(|rest| !rest.starts_with('0'))?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too large is still one.
    is_number
        .then(|| digits.parse().unwrap_or(usize::MAX))
        .filter(|_| !digits.is_empty())
}

/// Refuses the timestamp of a process that is none of those that were chosen: its name has a number after theirs.
fn check_timestamps(trace: &Trace, run: &LoggedRun, chosen: &Names) -> Result<(), Failure> {
    for (event, id) in run.events.iter().zip(&run.origin) {
        let Some(
            Meaning::Enter(stamp)
            | Meaning::Exit(stamp)
            | Meaning::Deliver(stamp, _)
            | Meaning::Leader(stamp)
            | Meaning::Transfer(stamp, _)
            | Meaning::Credit(stamp, _)
            | Meaning::Record(stamp, _)
            | Meaning::RecordChannel(stamp, ..)
            | Meaning::Complete(stamp, _),
        ) = &event.meaning
        else {
            continue;
        };
        if stamp.process.index() >= chosen.count() {
            let name = visible(run.names.of(stamp.process).as_bytes());
            let why = format!(
                "timestamp {},{name}: the run has no process {name}",
                stamp.time
            );
            return Err(Failure::could_not_run(trace.place_of(*id), why));
        }
    }
    Ok(())
}

/// All steps of the log in causal order.
fn steps(
    computation: &Computation,
    names: &Names,
    events: Vec<RunEvent>,
    origin: &[EventId],
    algorithm: Algorithm,
) -> Result<Vec<Step>, Failure> {
    let trace = &computation.trace;
    let micros = |id: EventId| trace.events[id].time.unwrap_or(0);
    let first = origin.first().zip(events.first());
    let start = first.map_or(0, |(id, event)| micros(*id) - event.at.as_micros() as i64);
    let mut of_run = origin.iter().copied().zip(events).peekable();
    let mut steps = Vec::new();
    for id in &computation.order.sequence {
        let (id, event) = (*id, &trace.events[*id]);
        let what = match of_run.next_if(|(next, _)| *next == id) {
            Some((_, event)) => Scripted::Event(event),
            None if event.kind == Kind::Fault => {
                let process = names.process(&trace.process_of(id).node);
                let logged = parsed(trace, id)?;
                let fault = process.and_then(|process| Fault::of(&logged, process, names));
                let fault = fault.ok_or_else(|| {
                    let why = "a fault that a replay does not know: it knows lost, duplicated and reordered messages to this process, and its crash";
                    Failure::could_not_run(trace.place_of(id), why)
                })?;
                Scripted::Fault(fault)
            }
            None if event.kind.is_computation() => {
                let why = match event.claim {
                    Claim::None => "it has no message type and no meaning",
                    _ => "its fields do not fit together",
                };
                let why = format!("no event of {}: {why}", algorithm.word());
                return Err(Failure::could_not_run(trace.place_of(id), why));
            }
            None => continue,
        };
        let at = micros(id).saturating_sub(start).try_into().unwrap_or(0);
        let at = Duration::from_micros(at);
        steps.push(Step { id, at, what });
    }
    Ok(steps)
}
