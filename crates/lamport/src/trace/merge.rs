//! Which process each event is of, and in which order its process had them.
//!
//! A process's order is that of its log: the events have numbers. One kind is put right: a sending happens when it
//! begins and is logged when it has gone well, so another thread may have logged what came of it first.

use std::cmp::Ordering;

use common::{
    event::Kind,
    text::{plural, visible},
};

use super::{
    Carried, Event, EventId, Message, NONE, Place, Process, Text, Thread, Trace,
    blocks::{Block, Raw},
    findings::{Rule, Weight},
};
use hashbrown::HashMap;

/// How far another thread's events may have been logged before a sending that came before them.
const LATE: usize = 4096;

/// The log of one process.
struct Log {
    run: String,
    node: String,
    vectors: bool,
    began: bool,
    events: Vec<Event>,
}

/// Makes of what was read the events of processes; nothing is matched yet.
pub fn merge(files: Vec<String>, mut blocks: Vec<Block>) -> Trace {
    let mut trace = Trace {
        files,
        ..Trace::default()
    };
    for block in &mut blocks {
        for (weight, line, words) in std::mem::take(&mut block.troubles) {
            let place = Place {
                file: block.file,
                line,
            };
            let place = trace.place(place);
            trace
                .findings
                .add(Rule::WellFormed, weight, || format!("{place}: {words}"));
        }
    }
    let mut sorting = Sorting::default();
    let mut ids = Ids::default();
    for (number, block) in blocks.iter().enumerate() {
        sorting.block(number as u32, block, &mut ids, &mut trace);
    }
    let Sorting { logs, threads, .. } = sorting;
    drop(ids);
    trace.texts = blocks.into_iter().map(|block| block.text).collect();
    let logs = without_copies(logs, &mut trace);
    let processes = logs
        .into_iter()
        .flat_map(|log| in_order(log, &threads, &mut trace))
        .collect();
    arrange(processes, &threads, &mut trace);
    trace
}

/// Sorts events by the log that they are of.
#[derive(Default)]
struct Sorting {
    logs: Vec<Log>,
    /// The present log of whoever writes; of those with vector clocks in any file.
    present: HashMap<(Option<u32>, String, String), usize>,
    /// All threads: whose, and the name.
    threads: Vec<(usize, String)>,
    by_name: HashMap<(usize, String), u32>,
}

impl Sorting {
    fn block<'b>(&mut self, number: u32, block: &'b Block, ids: &mut Ids<'b>, trace: &mut Trace) {
        let mut logs: Vec<usize> = Vec::new();
        for writer in &block.writers {
            logs.push(self.log_of(block, writer));
        }
        let mut threads: Vec<Option<(usize, u32)>> = vec![None; block.threads.len()];
        for (index, raw) in block.events.iter().enumerate() {
            let (writer, name) = &block.threads[raw.thread as usize];
            let mut log = logs[*writer as usize];
            if raw.number == 0 && self.logs[log].began {
                // The log is gone on with by another process of that name.
                log = self.another(block, &block.writers[*writer as usize]);
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
            let clock = block.clocks.as_ref().map(|clocks| &clocks[index]);
            let carried = clock.map_or(NONE, |clock| {
                // Whose entries they are is known when all processes are.
                trace.carried.push(Carried {
                    entries: Vec::new(),
                    strangers: clock.clone(),
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
                untold: raw.untold,
                text: Text {
                    block: number,
                    start: raw.start,
                    length: raw.length,
                },
            });
        }
    }

    fn key(block: &Block, (run, node): &(String, String)) -> (Option<u32>, String, String) {
        let file = block.clocks.is_none().then_some(block.file);
        (file, run.clone(), node.clone())
    }

    fn log_of(&mut self, block: &Block, writer: &(String, String)) -> usize {
        match self.present.get(&Self::key(block, writer)) {
            Some(log) => *log,
            None => self.another(block, writer),
        }
    }

    fn another(&mut self, block: &Block, writer: &(String, String)) -> usize {
        let log = self.logs.len();
        self.logs.push(Log {
            run: writer.0.clone(),
            node: writer.1.clone(),
            vectors: block.clocks.is_some(),
            began: false,
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

/// The identities of messages and the parties in them, by number.
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
        let Some((over, from, to, number)) = taken_apart(id) else {
            let place = Place {
                file: block.file,
                line: raw.line,
            };
            let place = trace.place(place);
            trace.findings.add(Rule::WellFormed, Weight::Wrong, || {
                let id = visible(id.as_bytes());
                format!("{place}: message '{id}' is not written CARRIER:FROM>TO#NUMBER")
            });
            return NONE;
        };
        let message = Message {
            from: self.party(from, &mut trace.parties),
            to: self.party(to, &mut trace.parties),
            number,
            within: over == "memory",
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

/// As [`common::message::MessageId`] does it, without the addresses' meaning: a text is the same address only when it
/// is the same text.
fn taken_apart(id: &str) -> Option<(&str, &str, &str, u64)> {
    let (over, rest) = id.split_once(':')?;
    let (rest, number) = rest.rsplit_once('#')?;
    let (from, to) = rest.split_once('>')?;
    let known = ["tcp", "udp", "memory"].contains(&over);
    (known && !from.is_empty() && !to.is_empty()).then_some(())?;
    Some((over, from, to, number.parse().ok()?))
}

/// Puts the logs of one process together again, and leaves out those that are there twice.
fn without_copies(logs: Vec<Log>, trace: &mut Trace) -> Vec<Log> {
    let mut kept: Vec<Log> = Vec::new();
    let mut by_name: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for mut log in logs {
        if log.events.is_empty() {
            continue;
        }
        let key = (log.run.clone(), log.node.clone());
        let alike = by_name.entry(key).or_default();
        let range = |log: &Log| {
            let numbers = log.events.iter().map(|event| event.number);
            (numbers.clone().min(), numbers.max())
        };
        let mut rest = None;
        for other in alike.iter() {
            let other = &mut kept[*other];
            let (a, b) = (&other.events[0], &log.events[0]);
            let (there, here) = (trace.place(a.place), trace.place(b.place));
            if a.number == b.number && trace.text(a.text) == trace.text(b.text) {
                trace.findings.add(Rule::WellFormed, Weight::Warn, || {
                    format!("{here}: the same log as {there}, and read once")
                });
                if log.events.len() > other.events.len() {
                    std::mem::swap(&mut other.events, &mut log.events);
                }
                rest = Some(());
                break;
            }
            let (mine, theirs) = (range(&log), range(other));
            if !log.vectors && (mine.0 > theirs.1 || theirs.0 > mine.1) {
                // One log in two files.
                other.events.append(&mut log.events);
                rest = Some(());
                break;
            }
        }
        if rest.is_some() {
            continue;
        }
        // One after the other they may share a log and a name.
        let at_once = |other: &&usize| overlap(&kept[**other].events, &log.events);
        if let Some(other) = alike.iter().find(at_once) {
            let (there, here) = (
                trace.place(kept[*other].events[0].place),
                trace.place(log.events[0].place),
            );
            trace.findings.add(Rule::Names, Weight::Warn, || {
                let node = visible(log.node.as_bytes());
                format!("{here}: another process is called {node} too, at {there}")
            });
        }
        alike.push(kept.len());
        kept.push(log);
    }
    kept
}

/// Whether two processes lived at the same time, as far as clocks tell.
fn overlap(a: &[Event], b: &[Event]) -> bool {
    let life = |events: &[Event]| Some((events.first()?.time, events.last()?.time));
    life(a)
        .zip(life(b))
        .is_none_or(|(a, b)| a.0 <= b.1 && b.0 <= a.1)
}

/// Brings the events of a log into the order of its process; those of several processes in one program apart.
fn in_order(mut log: Log, threads: &[(usize, String)], trace: &mut Trace) -> Vec<(String, Log)> {
    numbered(&mut log, trace);
    if !log.vectors {
        put_sendings_right(&mut log.events);
        look_for_jumps(&log, threads, trace);
    }
    let node = visible(log.node.as_bytes());
    let name = if log.vectors && !log.run.is_empty() {
        format!("{}/{node}", visible(log.run.as_bytes()))
    } else {
        node
    };
    let mut parts: Vec<(String, Log)> = Vec::new();
    for event in std::mem::take(&mut log.events) {
        let party = party_within(&event, trace).unwrap_or(&name);
        let part = match parts.iter().position(|(name, _)| name == party) {
            Some(part) => part,
            None => {
                let part = Log {
                    run: log.run.clone(),
                    node: log.node.clone(),
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

/// The process in its program that sends or receives through memory.
fn party_within<'t>(event: &Event, trace: &'t Trace) -> Option<&'t String> {
    let message = &trace.messages[event.message()?];
    let party = match event.kind {
        Kind::Send => message.from,
        Kind::Receive => message.to,
        _ => return None,
    };
    let party = &trace.parties[party as usize];
    (message.within && party != "*").then_some(party)
}

/// The numbers must run without a gap, in the order of the lines.
fn numbered(log: &mut Log, trace: &mut Trace) {
    let (rule, first, what) = match log.vectors {
        true => (Rule::Vectors, 1, "its own entry"),
        false => (Rule::WellFormed, 0, "seq"),
    };
    let events = &mut log.events;
    let same_file = |pair: &[Event]| pair[0].place.file == pair[1].place.file;
    for pair in events.windows(2) {
        if pair[0].number > pair[1].number && same_file(pair) {
            let (before, here) = (trace.place(pair[0].place), trace.place(pair[1].place));
            trace.findings.add(rule, Weight::Wrong, || {
                let (number, before_it) = (pair[1].number, pair[0].number);
                format!("{here}: out of order, {what} {number} after {before_it} at {before}")
            });
        }
    }
    events.sort_by_key(|event| event.number);
    let node = visible(log.node.as_bytes());
    if let Some(event) = events.first().filter(|event| event.number > first) {
        let place = trace.place(event.place);
        trace.findings.add(rule, Weight::Wrong, || {
            let number = event.number;
            format!("{place}: {node} begins with {what} {number}, not {first}: its first events are missing")
        });
    }
    let mut twice = Vec::new();
    for (index, pair) in events.windows(2).enumerate() {
        let (before, event) = (&pair[0], &pair[1]);
        if event.number - before.number == 1 {
            continue;
        }
        let (there, here) = (trace.place(before.place), trace.place(event.place));
        let (last, number) = (before.number, event.number);
        let same = trace.text(before.text) == trace.text(event.text);
        trace
            .findings
            .add(rule, Weight::Wrong, || match number - last {
                0 if same => format!("{here}: the same event as {there}"),
                0 => format!("{here}: {what} {number} of {node} is at {there} already"),
                gap => format!(
                    "{here}: {what} {number} of {node} follows {last} at {there}: {} missing",
                    plural(gap - 1, "event")
                ),
            });
        if last == number && same {
            twice.push(index + 1);
        }
    }
    let mut index = 0;
    events.retain(|_| {
        index += 1;
        twice.binary_search(&(index - 1)).is_err()
    });
}

fn put_sendings_right(events: &mut [Event]) {
    for index in 1..events.len() {
        if events[index].kind != Kind::Send {
            continue;
        }
        let sending = &events[index];
        let later = |other: &Event| match other.kind {
            Kind::Receive => other.time >= sending.time,
            _ => other.time > sending.time,
        };
        let before = events[..index].iter().rev().take(LATE);
        let late = before
            .take_while(|other| other.thread != sending.thread && later(other))
            .count();
        events[index - late..=index].rotate_right(1);
    }
}

/// The clock of a machine may be set while it is read.
fn look_for_jumps(log: &Log, threads: &[(usize, String)], trace: &mut Trace) {
    let mut last: HashMap<u32, &Event> = HashMap::new();
    let mut present: Option<&Event> = None;
    for event in &log.events {
        // Nearly always the thread of the event before.
        let before = match present {
            Some(before) if before.thread == event.thread => Some(before),
            _ => last.get(&event.thread).copied(),
        };
        if let Some((before, (then, now))) =
            before.and_then(|it| Some((it, it.time.zip(event.time)?)))
            && now < then
        {
            let (there, here) = (trace.place(before.place), trace.place(event.place));
            trace.findings.add(Rule::Wall, Weight::Warn, || {
                let thread = visible(threads[event.thread as usize].1.as_bytes());
                let back = super::skew::length(then - now);
                format!("{here}: the clock jumped back by {back} on thread {thread} since {there}")
            });
        }
        if present.is_none_or(|before| before.thread != event.thread) {
            last.extend(present.map(|before| (before.thread, before)));
        }
        present = Some(event);
    }
}

/// Puts the processes one after the other, by name.
fn arrange(mut parts: Vec<(String, Log)>, threads: &[(usize, String)], trace: &mut Trace) {
    let began = |log: &Log| log.events.first().and_then(|event| event.time);
    parts.sort_by(|a, b| by_name(&a.0, &b.0).then(began(&a.1).cmp(&began(&b.1))));
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
                .then_with(|| by_name(a.0, b.0))
        });
        for (name, thread) in own {
            renumbered.insert(thread, trace.threads.len() as u32);
            trace.threads.push(Thread {
                process,
                name: visible(name.as_bytes()),
            });
        }
        let mut present = (NONE, NONE);
        for mut event in log.events {
            if event.thread != present.0 {
                present = (event.thread, renumbered[&event.thread]);
            }
            event.thread = present.1;
            event.process = process;
            trace.events.push(event);
        }
        let own = &trace.events[start..];
        trace.processes.push(Process {
            stopped: own.iter().any(|event| event.kind == Kind::Stop),
            untold: own.iter().any(|event| event.untold),
            name: shown,
            node: log.node,
            run: log.run,
            events: start..trace.events.len(),
            vectors: log.vectors,
        });
    }
}

/// As people sort: p2 before p10.
fn by_name(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let digits = |text: &str| {
            let end = text.bytes().take_while(u8::is_ascii_digit).count();
            (end, text[..end].parse::<u64>().ok())
        };
        let ((of_a, number_a), (of_b, number_b)) = (digits(a), digits(b));
        let order = match (number_a, number_b) {
            (Some(x), Some(y)) => x.cmp(&y).then(of_a.cmp(&of_b)),
            _ => {
                let (x, y) = (a.chars().next(), b.chars().next());
                if x.is_none() && y.is_none() {
                    return Ordering::Equal;
                }
                if x != y {
                    return x.cmp(&y);
                }
                let length = x.map_or(0, char::len_utf8);
                (a, b) = (&a[length..], &b[length..]);
                continue;
            }
        };
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (&a[of_a..], &b[of_b..]);
    }
}
