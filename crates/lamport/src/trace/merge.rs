//! The process of each event, and the order of each process's events.
//!
//! The order is that of the log, in which the events are numbered. Only sends are moved: a send happens when it begins and is
//! logged when it has succeeded, so another thread may log an effect first.

use common::{
    event::Kind,
    message::Carrier,
    parallel,
    process::{property::Property, run_event::ALL_PROCESSES},
    text::{natural, visible},
};
use hashbrown::HashMap;

use super::{
    Channel, Event, EventId, LoggedVector, NONE, Place, Process, Text, Thread, Trace,
    block::{self, Block, Numbers},
    dedup,
    findings::Findings,
    log::Log,
    sequence::{check_clock_jumps, check_numbers, reorder_sends},
};

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
    let mut sorting = Sorting {
        events_left: vec![0; trace.files.len()],
        ..Sorting::default()
    };
    for block in &blocks {
        sorting.events_left[block.file as usize] += block.events.len();
    }
    let mut ids = Ids::default();
    let clocks: Vec<_> = blocks.iter_mut().map(|block| block.clocks.take()).collect();
    for (number, (block, clocks)) in blocks.iter().zip(clocks).enumerate() {
        sorting.block(number as u32, block, clocks, &mut ids, &mut trace);
    }
    let Sorting { logs, threads, .. } = sorting;
    trace.texts = blocks.into_iter().map(|block| block.text).collect();
    let logs = dedup::join(logs, &mut trace);
    let mut runs: Vec<&str> = logs.iter().map(|log| log.run.as_str()).collect();
    runs.dedup();
    let several = runs.iter().any(|run| *run != runs[0]);
    let processors = parallel::processors();
    let sorted = parallel::each("processes", processors, logs.into_iter(), |mut log| {
        let mut findings = Findings::new(all);
        in_order(&mut log, &threads, &trace, &mut findings);
        let node = ids.parties.get(&log.node).copied();
        (separate(log, node, several, &trace), findings)
    });
    let mut processes = Vec::new();
    for (mut parts, findings) in sorted {
        processes.append(&mut parts);
        trace.findings.append(findings);
    }
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
    /// Of a file whose first block is still to come, the number of events.
    events_left: Vec<usize>,
}

impl Sorting {
    fn block(
        &mut self,
        number: u32,
        block: &Block,
        mut clocks: Option<Vec<Vec<(String, u64)>>>,
        ids: &mut Ids,
        trace: &mut Trace,
    ) {
        let channels = block.channels.iter();
        let channels: Vec<u32> = channels
            .map(|channel| ids.channel(channel, trace))
            .collect();
        let mut logs: Vec<usize> = Vec::new();
        // Vectors that grow are copied: all writers of a file are nearly always in its first block.
        let events = std::mem::take(&mut self.events_left[block.file as usize]);
        for writer in &block.writers {
            let log = self.log_of(block, writer, clocks.is_some());
            self.logs[log].events.reserve(events / block.writers.len());
            logs.push(log);
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
            let (channel, message_number) = match raw.message {
                Some((channel, number)) => (channels[channel as usize], number),
                None => (NONE, 0),
            };
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
                channel,
                message_number,
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

/// The indices of channels and of their parties.
#[derive(Default)]
struct Ids {
    channels: HashMap<block::Channel, u32>,
    parties: HashMap<String, u32>,
}

impl Ids {
    fn channel(&mut self, channel: &block::Channel, trace: &mut Trace) -> u32 {
        if let Some(known) = self.channels.get(channel) {
            return *known;
        }
        trace.channels.push(Channel {
            from: self.party(&channel.from, &mut trace.parties),
            to: self.party(&channel.to, &mut trace.parties),
            is_numbered: channel.numbers == Numbers::Sent,
            // A multicast is sent over as many connections as it has receivers.
            stream: channel.over == Carrier::Tcp && channel.to != ALL_PROCESSES,
            within: channel.over == Carrier::Memory,
        });
        let number = trace.channels.len() as u32 - 1;
        self.channels.insert(channel.clone(), number);
        number
    }

    fn party(&mut self, party: &str, parties: &mut Vec<String>) -> u32 {
        let party = visible(party.as_bytes());
        *self.parties.entry(party).or_insert_with_key(|party| {
            parties.push(party.clone());
            parties.len() as u32 - 1
        })
    }
}

/// Brings the events of a log into the order of its process.
fn in_order(log: &mut Log, threads: &[(usize, String)], trace: &Trace, findings: &mut Findings) {
    check_numbers(log, trace, findings);
    log.stopped = log.events.iter().any(|event| event.kind == Kind::Stop);
    log.suppressed = log.events.iter().any(|event| event.suppressed);
    // Output and summaries are not part of the computation.
    log.events
        .retain(|event| !matches!(event.kind, Kind::Output | Kind::Report | Kind::Write));
    if !log.vectors {
        reorder_sends(&mut log.events);
        check_clock_jumps(log, threads, trace, findings);
    }
}

/// Separates several processes in one program. In logs with clocks the names of several executions distinguish the processes.
/// `node` is the log's own name among the parties.
fn separate(
    mut log: Log,
    node: Option<u32>,
    several_runs: bool,
    trace: &Trace,
) -> Vec<(String, Log)> {
    if log.events.is_empty() {
        return Vec::new();
    }
    let name = visible(log.node.as_bytes());
    let name = if log.vectors && several_runs && !log.run.is_empty() {
        format!("{}/{name}", visible(log.run.as_bytes()))
    } else {
        name
    };
    // A program that is itself a party is one process, regardless of other parties in its log.
    let is_party =
        |channel: &Channel| node.is_some_and(|node| channel.from == node || channel.to == node);
    let within = |event: &Event| {
        let channel = &trace.channels[event.message()?.0];
        channel.within.then_some(channel)
    };
    let mut inside = log.events.iter().filter_map(within).peekable();
    if inside.peek().is_none() || inside.any(is_party) {
        return vec![(name, log)];
    }
    let mut parts: Vec<(String, Log)> = Vec::new();
    for event in std::mem::take(&mut log.events) {
        let party = match (event.kind, within(&event)) {
            (Kind::Send, Some(channel)) => Some(channel.from),
            (Kind::Receive, Some(channel)) => Some(channel.to),
            _ => None,
        };
        let party = party.map(|party| &trace.parties[party as usize]);
        let party = party.filter(|party| *party != ALL_PROCESSES);
        let party = party.unwrap_or(&name);
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
        let mut present = NONE;
        for event in &log.events {
            if std::mem::replace(&mut present, event.thread) != event.thread
                && renumbered.insert(event.thread, 0).is_none()
            {
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
        let events = log.events.into_iter().map(|mut event| {
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
            event
        });
        trace.events.extend(events);
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
