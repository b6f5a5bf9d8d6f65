//! The process of each event, and the order of each process's events.
//!
//! The order is that of the log, in which the events are numbered. Only sends are moved: a send happens when it begins and is
//! logged when it has succeeded, so another thread may log an effect first.

use common::{
    event::Kind,
    message::{Carrier, MessageId},
    text::{natural, visible},
};

use super::{
    Event, EventId, LoggedVector, Message, NONE, Place, Process, Text, Thread, Trace,
    block::{Block, Raw},
    dedup,
    findings::{Findings, Severity},
    log::Log,
    maelstrom,
    sequence::{check_clock_jumps, check_numbers, reorder_sends},
};
use crate::{property::Property, run_event::ALL_PROCESSES};
use hashbrown::HashMap;

/// Merges blocks into a trace; no messages are matched yet.
///
/// With `all`, all findings are listed.
pub fn merge(files: Vec<String>, mut blocks: Vec<Block>, all: bool) -> Trace {
    let mut trace = Trace {
        files,
        findings: Findings::new(all),
        ..Trace::default()
    };
    for block in &mut blocks {
        trace
            .findings
            .add_more(Property::WellFormed, block.problems_more);
        for (severity, line, words) in std::mem::take(&mut block.problems) {
            let place = Place {
                file: block.file,
                line,
            };
            let place = trace.place(place);
            trace.findings.add(Property::WellFormed, severity, || {
                format!("{place}: {words}")
            });
        }
    }
    let mut sorting = Sorting::default();
    let mut ids = Ids::default();
    let clocks: Vec<_> = blocks.iter_mut().map(|block| block.clocks.take()).collect();
    for (number, (block, clocks)) in blocks.iter().zip(clocks).enumerate() {
        sorting.block(number as u32, block, clocks, &mut ids, &mut trace);
    }
    let Sorting { logs, threads, .. } = sorting;
    drop(ids);
    trace.texts = blocks.into_iter().map(|block| block.text).collect();
    let logs = dedup::join(logs, &mut trace);
    let mut runs: Vec<&str> = logs.iter().map(|log| log.run.as_str()).collect();
    runs.dedup();
    let several = runs.iter().any(|run| *run != runs[0]);
    let processes = logs
        .into_iter()
        .flat_map(|log| in_order(log, several, &threads, &mut trace))
        .collect();
    arrange(processes, &threads, &mut trace);
    trace
}

/// Sorts events by log.
#[derive(Default)]
struct Sorting {
    logs: Vec<Log>,
    /// The present log of each writer of a file.
    present: HashMap<(u32, String, String), usize>,
    /// All threads: index of the log, and name.
    threads: Vec<(usize, String)>,
    by_name: HashMap<(usize, String), u32>,
}

impl Sorting {
    fn block<'b>(
        &mut self,
        number: u32,
        block: &'b Block,
        mut clocks: Option<Vec<Vec<(String, u64)>>>,
        ids: &mut Ids<'b>,
        trace: &mut Trace,
    ) {
        let mut logs: Vec<usize> = Vec::new();
        for writer in &block.writers {
            logs.push(self.log_of(block, writer, clocks.is_some()));
        }
        for (writer, algorithm) in &block.algorithms {
            self.logs[logs[*writer as usize]].algorithm = Some(algorithm.clone());
        }
        let mut threads: Vec<Option<(usize, u32)>> = vec![None; block.threads.len()];
        for (index, raw) in block.events.iter().enumerate() {
            let (writer, name) = &block.threads[raw.thread as usize];
            let mut log = logs[*writer as usize];
            if raw.number == 0 && self.logs[log].began {
                // Another process with this name continues the file.
                log = self.another(block, &block.writers[*writer as usize], clocks.is_some());
                logs[*writer as usize] = log;
            }
            self.logs[log].began |= raw.number == 0;
            let thread = match threads[raw.thread as usize] {
                Some((of, thread)) if of == log => thread,
                _ => {
                    let thread = self.thread(log, name);
                    threads[raw.thread as usize] = Some((log, thread));
                    thread
                }
            };
            let message = raw.message.map_or(NONE, |place| {
                let (start, length) = place;
                let text = Text {
                    block: number,
                    start,
                    length,
                };
                ids.message(block, text, raw, trace)
            });
            let clock = clocks
                .as_mut()
                .map(|clocks| std::mem::take(&mut clocks[index]));
            let carried = clock.map_or(NONE, |clock| {
                // The names are resolved when all processes are known.
                trace.carried.push(LoggedVector {
                    entries: Vec::new(),
                    unknown: clock,
                });
                trace.carried.len() as u32 - 1
            });
            self.logs[log].events.push(Event {
                process: log as u32,
                thread,
                place: Place {
                    file: block.file,
                    line: raw.line,
                },
                number: raw.number,
                time: raw.time,
                kind: raw.kind,
                level: raw.level,
                clock: raw.clock,
                message,
                carried,
                suppressed: raw.suppressed,
                claim: raw.claim,
                entry: 0,
                text: Text {
                    block: number,
                    start: raw.start,
                    length: raw.length,
                },
            });
        }
    }

    fn key(block: &Block, (run, node): &(String, String)) -> (u32, String, String) {
        (block.file, run.clone(), node.clone())
    }

    fn log_of(&mut self, block: &Block, writer: &(String, String), vectors: bool) -> usize {
        match self.present.get(&Self::key(block, writer)) {
            Some(log) => *log,
            None => self.another(block, writer, vectors),
        }
    }

    fn another(&mut self, block: &Block, writer: &(String, String), vectors: bool) -> usize {
        let log = self.logs.len();
        self.logs.push(Log {
            run: writer.0.clone(),
            node: writer.1.clone(),
            algorithm: None,
            vectors,
            began: false,
            stopped: false,
            suppressed: false,
            gaps: false,
            events: Vec::new(),
        });
        self.present.insert(Self::key(block, writer), log);
        log
    }

    fn thread(&mut self, log: usize, name: &str) -> u32 {
        let key = (log, name.to_owned());
        *self.by_name.entry(key).or_insert_with_key(|key| {
            self.threads.push(key.clone());
            self.threads.len() as u32 - 1
        })
    }
}

/// The indices of message identities and of the parties in them.
#[derive(Default)]
struct Ids<'b> {
    messages: HashMap<&'b str, u32>,
    parties: HashMap<&'b str, u32>,
}

impl<'b> Ids<'b> {
    fn message(&mut self, block: &'b Block, text: Text, raw: &Raw, trace: &mut Trace) -> u32 {
        let id = &block.text[text.start as usize..(text.start + text.length) as usize];
        if let Some(known) = self.messages.get(id) {
            return *known;
        }
        // Addresses are compared as texts.
        let parts = match block.is_foreign {
            true => maelstrom::parts(id).map(|(from, to, number)| (Carrier::Udp, from, to, number)),
            false => MessageId::parts(id)
                .filter(|(_, from, to, _)| !from.is_empty() && !to.is_empty())
                .map(|(over, from, to, number)| (over, from, to, Some(number))),
        };
        let Some((over, from, to, number)) = parts else {
            let place = Place {
                file: block.file,
                line: raw.line,
            };
            let place = trace.place(place);
            trace
                .findings
                .add(Property::WellFormed, Severity::Fail, || {
                    let id = visible(id.as_bytes());
                    format!("{place}: message '{id}' is not written CARRIER:FROM>TO#NUMBER")
                });
            return NONE;
        };
        let message = Message {
            from: self.party(from, &mut trace.parties),
            to: self.party(to, &mut trace.parties),
            number: number.unwrap_or(0),
            is_numbered: number.is_some(),
            // A multicast is sent over as many connections as it has receivers.
            stream: over == Carrier::Tcp && to != ALL_PROCESSES,
            within: over == Carrier::Memory,
        };
        trace.messages.push(message);
        let number = trace.messages.len() as u32 - 1;
        self.messages.insert(id, number);
        number
    }

    fn party(&mut self, party: &'b str, parties: &mut Vec<String>) -> u32 {
        *self.parties.entry(party).or_insert_with(|| {
            parties.push(visible(party.as_bytes()));
            parties.len() as u32 - 1
        })
    }
}

/// Brings the events of a log into the order of its process, and separates several processes in one program. In logs with clocks the names
/// of several executions distinguish the processes.
fn in_order(
    mut log: Log,
    several_runs: bool,
    threads: &[(usize, String)],
    trace: &mut Trace,
) -> Vec<(String, Log)> {
    check_numbers(&mut log, trace);
    log.stopped = log.events.iter().any(|event| event.kind == Kind::Stop);
    log.suppressed = log.events.iter().any(|event| event.suppressed);
    // Output and summaries are not part of the computation.
    log.events
        .retain(|event| !matches!(event.kind, Kind::Output | Kind::Report | Kind::Write));
    if !log.vectors {
        reorder_sends(&mut log.events);
        check_clock_jumps(&log, threads, trace);
    }
    let node = visible(log.node.as_bytes());
    let name = if log.vectors && several_runs && !log.run.is_empty() {
        format!("{}/{node}", visible(log.run.as_bytes()))
    } else {
        node
    };
    // A program that is itself a party is one process, regardless of other parties in its log.
    let several = !log
        .events
        .iter()
        .any(|event| is_party(event, &log.node, trace));
    let mut parts: Vec<(String, Log)> = Vec::new();
    for event in std::mem::take(&mut log.events) {
        let within = party_within(&event, trace).filter(|_| several);
        let party = within.unwrap_or(&name);
        let part = match parts.iter().position(|(name, _)| name == party) {
            Some(part) => part,
            None => {
                let part = Log {
                    run: log.run.clone(),
                    node: log.node.clone(),
                    algorithm: log.algorithm.clone(),
                    events: Vec::new(),
                    ..log
                };
                parts.push((party.to_owned(), part));
                parts.len() - 1
            }
        };
        parts[part].1.events.push(event);
    }
    parts
}

/// Whether a message through memory names the process itself.
fn is_party(event: &Event, node: &str, trace: &Trace) -> bool {
    event.message().is_some_and(|message| {
        let message = &trace.messages[message];
        let named = |party: u32| trace.parties[party as usize] == node;
        message.within && (named(message.from) || named(message.to))
    })
}

/// The process, in a program with several, that sends or receives through memory.
fn party_within<'t>(event: &Event, trace: &'t Trace) -> Option<&'t String> {
    let message = &trace.messages[event.message()?];
    let party = match event.kind {
        Kind::Send => message.from,
        Kind::Receive => message.to,
        _ => return None,
    };
    let party = &trace.parties[party as usize];
    (message.within && party != ALL_PROCESSES).then_some(party)
}

/// Arranges the processes by name.
fn arrange(mut parts: Vec<(String, Log)>, threads: &[(usize, String)], trace: &mut Trace) {
    let began = |log: &Log| log.events.first().and_then(|event| event.time);
    parts.sort_by(|a, b| natural(&a.0, &b.0).then(began(&a.1).cmp(&began(&b.1))));
    let mut used: HashMap<String, u32> = HashMap::new();
    let mut renumbered: HashMap<u32, u32> = HashMap::new();
    trace
        .events
        .reserve(parts.iter().map(|(_, log)| log.events.len()).sum());
    for (name, log) in parts {
        let process = trace.processes.len() as u32;
        let before = used.entry(name.clone()).or_default();
        *before += 1;
        let shown = match *before {
            1 => name,
            number => format!("{name} ({number})"),
        };
        let start: EventId = trace.events.len();
        renumbered.clear();
        let mut own: Vec<(&str, u32)> = Vec::new();
        for event in &log.events {
            if renumbered.insert(event.thread, 0).is_none() {
                own.push((&threads[event.thread as usize].1, event.thread));
            }
        }
        own.sort_by(|a, b| {
            (a.0 != "main")
                .cmp(&(b.0 != "main"))
                .then_with(|| natural(a.0, b.0))
        });
        for (name, thread) in own {
            renumbered.insert(thread, trace.threads.len() as u32);
            trace.threads.push(Thread {
                process,
                name: visible(name.as_bytes()),
            });
        }
        let mut present = (NONE, NONE);
        let (mut entry, mut clocks) = (0, false);
        for mut event in log.events {
            clocks |= event.clock.is_some();
            entry = match log.vectors {
                true => event.number.try_into().unwrap_or(u32::MAX),
                false => entry + u32::from(event.kind.is_computation()),
            };
            event.entry = entry;
            if event.thread != present.0 {
                present = (event.thread, renumbered[&event.thread]);
            }
            event.thread = present.1;
            event.process = process;
            trace.events.push(event);
        }
        trace.processes.push(Process {
            stopped: log.stopped,
            suppressed: log.suppressed,
            gaps: log.gaps,
            name: shown,
            node: log.node,
            run: log.run,
            events: start..trace.events.len(),
            vectors: log.vectors,
            clocks,
            algorithm: log.algorithm,
        });
    }
}
