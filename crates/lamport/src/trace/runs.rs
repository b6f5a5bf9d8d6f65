//! The runs of distributed algorithms that logs hold: what [`verdict`](crate::verdict) checks of a run in memory, it checks
//! of these by the same code.
//!
//! A log holds a run where events say what they mean to an algorithm (`meaning`: request, enter, exit, multicast, deliver).
//! Which algorithm it is, `ready` events say; where none does, the kinds of messages tell.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::ValueEnum;
use common::{event::Kind, exit::Failure, text::plural};
use serde::Deserialize;

use super::{
    Claim, EventId, NONE, Trace, computation::Computation, executions::executions,
    findings::Severity, layouts::Layout,
};
use crate::{
    algorithms::Algorithm,
    clock::Timestamp,
    ids::{Names, ProcessId},
    process::{Meaning, To},
    property::Property,
    run_event::{ALL_PROCESSES, MessageAction, RunEvent},
    verdict::{Check, Places, RunUnderTest, Verdict},
};
use hashbrown::HashMap;

/// A run of an algorithm, as its processes logged it.
#[derive(Debug)]
pub struct LoggedRun {
    /// What it runs.
    pub algorithm: Algorithm,
    /// What its processes are called, those without a log too.
    pub names: Names,
    /// Its events in causal order; times from the first one on.
    pub events: Vec<RunEvent>,
    /// The same events in the trace.
    pub origin: Vec<EventId>,
    /// Of each event the place of the send that it receives, or [`NONE`].
    sends: Vec<u32>,
    /// The processes that did not come to their end.
    pub gone: Vec<ProcessId>,
    /// The processes that others name, and that have no log.
    pub missing: Vec<ProcessId>,
}

/// What a line says of an algorithm.
#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    message_type: String,
    #[serde(default)]
    meaning: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    text: String,
}

/// The runs of algorithms about which properties can be checked.
pub fn runs(computation: &Computation) -> Vec<LoggedRun> {
    let trace = &computation.trace;
    let mut groups: BTreeMap<u32, Group> = BTreeMap::new();
    for (process, execution) in (0..).zip(executions(trace, &computation.links)) {
        let it = &trace.processes[process as usize];
        let events = &trace.events[it.events.clone()];
        let claim = events
            .iter()
            .map(|event| event.claim)
            .max()
            .unwrap_or_default();
        if claim > Claim::None || it.algorithm.is_some() {
            let group = groups.entry(execution).or_default();
            group.processes.push(process);
            group.claim = group.claim.max(claim);
        }
    }
    let groups = groups.into_values();
    let checked = groups.filter(|group| group.claim == Claim::Property);
    let run = |group: Group| LoggedRun::of(computation, Members::of(trace, group.processes), None);
    checked.map(run).collect()
}

/// Checks the algorithms whose runs the logs hold.
pub fn check(computation: &mut Computation) {
    let runs = runs(computation);
    let several = runs.len() > 1;
    for run in &runs {
        let mut checks = run.checks(&computation.trace);
        for check in checks.iter_mut().filter(|_| several) {
            check.found = format!("{}: {}", run.title(), check.found);
        }
        computation.runs.append(&mut checks);
    }
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
        let mut types = Types::default();
        let mut first = None;
        for id in &computation.order.sequence {
            let (id, event) = (*id, &trace.events[*id]);
            let Some(process) = members.of_process.get(&event.process).copied() else {
                continue;
            };
            let micros = event.time.unwrap_or(0);
            let begun = *first.get_or_insert(micros);
            let step = Step {
                computation,
                id,
                process,
                time: computation.order.time[id],
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
                at: Duration::from_micros(micros.saturating_sub(begun).try_into().unwrap_or(0)),
                time: step.time,
                what,
                meaning,
            });
        }
        let said = members.of_process.keys();
        let said =
            said.filter_map(|process| trace.processes[*process as usize].algorithm.as_deref());
        let said = said
            .min()
            .and_then(|word| Algorithm::from_str(word, false).ok());
        let gone = |process: &u32| {
            let process = &trace.processes[*process as usize];
            !process.stopped || process.gaps || process.suppressed
        };
        let mut gone: Vec<_> = members
            .of_process
            .iter()
            .filter(|(process, _)| gone(process))
            .map(|(_, id)| *id)
            .collect();
        gone.sort_unstable();
        let mut missing: Vec<_> = ProcessId::all(members.names.len()).collect();
        missing.retain(|id| !members.of_process.values().any(|known| known == id));
        LoggedRun {
            algorithm: algorithm.or(said).unwrap_or_else(|| types.algorithm()),
            names: Names::of_all(members.names),
            events,
            origin,
            sends,
            gone,
            missing,
        }
    }
}

/// The processes of a run, by their logs and by the names that messages and timestamps call them.
struct Members {
    of_process: HashMap<u32, ProcessId>,
    by_name: HashMap<String, ProcessId>,
    names: Vec<String>,
}

impl Members {
    fn of(trace: &Trace, mut processes: Vec<u32>) -> Self {
        // As every process of a run sorts them, see `Names::sorted`.
        let node = |process: &u32| trace.processes[*process as usize].node.as_str();
        processes.sort_by_key(|process| (node(process).len(), node(process)));
        let mut members = Self {
            of_process: HashMap::new(),
            by_name: HashMap::new(),
            names: Vec::new(),
        };
        for process in processes {
            let id = ProcessId::at(members.names.len());
            members.of_process.insert(process, id);
            let (node, name) = {
                let process = &trace.processes[process as usize];
                (process.node.clone(), process.name.clone())
            };
            // A process that was started again has another name than its node's.
            members.by_name.entry(node).or_insert(id);
            members.names.push(name);
        }
        members
    }

    /// Those that are called so, in this order.
    fn named_so(trace: &Trace, names: &Names) -> Self {
        let mut members = Self {
            of_process: HashMap::new(),
            by_name: HashMap::new(),
            names: Vec::new(),
        };
        for name in names.all() {
            members.named(name);
        }
        for (process, it) in (0..).zip(&trace.processes) {
            if let Some(id) = members.by_name.get(it.node.as_str()) {
                members.of_process.insert(process, *id);
            }
        }
        members
    }

    /// The process of this name; one that has no log is missing, and gets a number behind all others.
    fn named(&mut self, name: &str) -> ProcessId {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let id = ProcessId::at(self.names.len());
        self.by_name.insert(name.to_owned(), id);
        self.names.push(name.to_owned());
        id
    }
}

/// The kinds of messages of a run.
#[derive(Default)]
struct Types {
    acknowledgement: bool,
    reply: bool,
    grant: bool,
    delivers: bool,
}

impl Types {
    fn see(&mut self, message_type: &str, meaning: &str) {
        match message_type {
            "acknowledgement" => self.acknowledgement = true,
            "reply" => self.reply = true,
            "grant" => self.grant = true,
            _ => {}
        }
        self.delivers |= matches!(meaning, "multicast" | "deliver");
    }

    /// The algorithm that has such messages.
    fn algorithm(&self) -> Algorithm {
        match self {
            Self {
                delivers: true,
                acknowledgement: true,
                ..
            } => Algorithm::Total,
            Self { delivers: true, .. } => Algorithm::Causal,
            Self { grant: true, .. } => Algorithm::Central,
            Self { reply: true, .. } => Algorithm::RicartAgrawala,
            _ => Algorithm::Mutex,
        }
    }
}

/// An event of a process that takes part.
struct Step<'c> {
    computation: &'c Computation,
    id: EventId,
    process: ProcessId,
    /// Its logical time.
    time: u64,
}

impl Step<'_> {
    /// What it does to messages and means; None when the algorithm has nothing to do with it.
    fn read(
        &self,
        members: &mut Members,
        types: &mut Types,
    ) -> Option<(MessageAction, Option<Meaning>)> {
        let trace = &self.computation.trace;
        let event = &trace.events[self.id];
        if event.claim == Claim::None {
            return None;
        }
        // It was read before, so it can be read again.
        let line: Line = serde_json::from_str(trace.text(event.text)).ok()?;
        types.see(&line.message_type, &line.meaning);
        let meaning = self.meaning(&line, members);
        let party = |party: u32| trace.parties[party as usize].as_str();
        let message = event.message().map(|message| &trace.messages[message]);
        let (word, text) = (line.message_type.into(), line.text);
        let what = match (event.kind, message) {
            (Kind::Send, Some(message)) => MessageAction::Send {
                to: match party(message.to) {
                    ALL_PROCESSES => To::All,
                    name => To::One(members.named(name)),
                },
                number: message.number,
                word,
                text,
            },
            (Kind::Receive, Some(message)) => {
                let send = self.computation.links.to(self.id).first();
                let sender = send.map(|link| trace.events[link.from].process);
                let sender = sender.and_then(|process| members.of_process.get(&process).copied());
                MessageAction::Receive {
                    from: sender.unwrap_or_else(|| members.named(party(message.from))),
                    to: match party(message.to) {
                        ALL_PROCESSES => To::All,
                        _ => To::One(self.process),
                    },
                    number: message.number,
                    word,
                    text,
                }
            }
            (Kind::Local, None) if meaning.is_some() => MessageAction::Local,
            _ => return None,
        };
        Some((what, meaning))
    }

    fn meaning(&self, line: &Line, members: &mut Members) -> Option<Meaning> {
        let mut stamp = || {
            let (time, process) = line.timestamp.split_once(',')?;
            Some(Timestamp {
                time: time.parse().ok()?,
                process: members.named(process),
            })
        };
        let own = Timestamp {
            time: self.time,
            process: self.process,
        };
        match line.meaning.as_str() {
            "request" => Some(Meaning::Request),
            // Without a timestamp there is nothing to say of the order.
            "enter" => Some(Meaning::Enter(stamp().unwrap_or(own))),
            "exit" => Some(Meaning::Exit(stamp().unwrap_or(own))),
            "multicast" => Some(Meaning::Multicast(line.text.clone())),
            "deliver" => Some(Meaning::Deliver(stamp()?, line.text.clone())),
            "local" => Some(Meaning::Local(line.text.clone())),
            _ => None,
        }
    }
}

/// Where the events of a run stand.
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
    /// Reads the one run of an algorithm that these logs are of; its processes are called so.
    ///
    /// # Errors
    /// When a log cannot be read, or a line of it is wrong (exit code 2). The last line of a process that was killed may be
    /// cut.
    pub fn read(
        paths: &[PathBuf],
        algorithm: Algorithm,
        names: &Names,
    ) -> Result<(Trace, Self), Failure> {
        let computation = Computation::read(paths, &Layout::default())?;
        let unreadable = computation.trace.findings.of(Property::WellFormed);
        if unreadable.worst == Some(Severity::Fail) {
            let words = unreadable.words();
            let (what, why) = words.split_once(": ").unwrap_or(("log", &words));
            return Err(Failure::could_not_run(what, why));
        }
        let members = Members::named_so(&computation.trace, names);
        let run = Self::of(&computation, members, Some(algorithm));
        Ok((computation.trace, run))
    }

    /// The run, as it is checked.
    pub fn under_test(&self) -> RunUnderTest<'_> {
        RunUnderTest {
            gone: &self.gone,
            missing: &self.missing,
            sends: Some(&self.sends),
            ..RunUnderTest::new(self.algorithm, &self.names, &self.events)
        }
    }

    /// The verdict on each property of the algorithm but the clock condition, which is checked for all logs at once; with
    /// file and line.
    pub fn checks(&self, trace: &Trace) -> Vec<Check> {
        let origin = Origin {
            trace,
            origin: &self.origin,
        };
        let run = RunUnderTest {
            places: Some(&origin),
            ..self.under_test()
        };
        Verdict::beside_clocks(&run).checks
    }

    /// What it is, to tell it from other runs in the same logs.
    pub fn title(&self) -> String {
        let processes = plural(self.names.count() as u64, "process");
        let first = self.names.all().next().unwrap_or_default();
        format!("{} of {processes} with {first}", self.algorithm.word())
    }
}
