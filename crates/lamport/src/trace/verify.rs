//! What must hold of a computation: every receipt has its sending, and clocks that were carried grow from cause to
//! effect. What needs no order of events is looked at where it is read, see [`super::merge`] and [`super::matching`].

use common::{event::Kind, text::plural};

use super::{
    EventId, NONE, Trace,
    findings::{Rule, Weight},
    matching::{Links, Runs},
    order::Order,
    words::Fields,
};
use hashbrown::{HashMap, HashSet};

/// Judges the receipts that have no sending.
pub fn orphans(trace: &mut Trace, orphans: &[EventId]) {
    if orphans.is_empty() {
        return;
    }
    // Who sent under each name or address: the process, and the highest number. At an address each connection counts
    // for itself.
    let mut senders: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    let mut connections: HashMap<(u32, u32), u64> = HashMap::new();
    for event in &trace.events {
        if let (Kind::Send, Some(message)) = (event.kind, event.message()) {
            let message = &trace.messages[message];
            let highest = connections.entry((message.from, message.to)).or_default();
            *highest = (*highest).max(message.number);
            let of_name = senders.entry(message.from).or_default();
            match of_name
                .last_mut()
                .filter(|sender| sender.0 == event.process)
            {
                Some(sender) => sender.1 = sender.1.max(message.number),
                None => of_name.push((event.process, message.number)),
            }
        }
    }
    let parties: HashMap<&str, u32> = (0..)
        .zip(&trace.parties)
        .map(|(number, party)| (party.as_str(), number))
        .collect();
    let mut nodes: HashMap<&str, Vec<(u32, u64)>> = HashMap::new();
    for (number, process) in trace.processes.iter().enumerate() {
        let of_name = nodes.entry(&process.node).or_default();
        of_name.push((number as u32, 0));
    }
    let runs = Runs::of(trace);
    let mut judged = Vec::new();
    for orphan in orphans {
        let event = &trace.events[*orphan];
        let message = event.message().map(|message| &trace.messages[message]);
        let fields = Fields::of(trace, *orphan);
        let from = match message {
            Some(message) => Some(message.from),
            None => fields
                .get("peer")
                .and_then(|peer| parties.get(peer).copied()),
        };
        let of_name = from.and_then(|from| {
            let party = trace.parties[from as usize].as_str();
            senders.get(&from).or_else(|| nodes.get(party))
        });
        // Whoever lived then: another process may have had the address, or the name, before or after.
        let lived = |(number, _): &&(u32, u64)| {
            let process = &trace.processes[*number as usize];
            let time = |event: EventId| trace.events[event].time;
            let (first, last) = (time(process.events.start), time(process.events.end - 1));
            let same_run = process.run == trace.process_of(*orphan).run;
            if !runs.may(*number, event.process) {
                return false;
            }
            same_run || first <= event.time && (event.time <= last || !process.stopped)
        };
        let cut_off = fields.get("value") == Some("cut off");
        let sender = of_name
            .and_then(|all| all.iter().rev().find(lived))
            .copied();
        let told_later = sender.is_some_and(|(_, highest)| {
            message.is_some_and(|message| {
                let connection = connections.get(&(message.from, message.to));
                let of_connection = connection.copied().unwrap_or(0);
                match trace.has_name(message.from) {
                    true => message.number <= highest,
                    false => message.stream && message.number <= of_connection,
                }
            })
        });
        judged.push((*orphan, sender.filter(|_| !cut_off), told_later));
    }
    drop(runs);
    for (orphan, sender, told_later) in judged {
        let place = trace.place_of(orphan);
        let name = trace.process_of(orphan).name.clone();
        let Some((sender, _)) = sender else {
            trace.findings.add(Rule::Sent, Weight::Open, || {
                format!(
                    "{place}: the log of whoever sent this to {name} is not here, or ends too early"
                )
            });
            continue;
        };
        let sender = &trace.processes[sender as usize];
        let from = sender.name.clone();
        let last = trace.place_of(sender.events.end - 1);
        let words = |why: String| {
            format!("{place}: {name} receives what is not in the log of {from}: {why}")
        };
        let (weight, words) = if sender.untold {
            let why = "it does not tell of every datagram".to_owned();
            (Weight::Warn, words(why))
        } else if sender.gaps {
            let why = "it may be among the events that are missing there".to_owned();
            (Weight::Warn, words(why))
        } else if !sender.stopped && !told_later {
            let why = format!("it ends without a stop, at {last}: killed, or still running");
            (Weight::Warn, words(why))
        } else {
            let words = format!(
                "{place}: {name} receives what was not sent: {from}, whose log ends at {last}, never sent it"
            );
            (Weight::Wrong, words)
        };
        trace.findings.add(Rule::Sent, weight, || words);
    }
}

/// Judges the receipts of what was sent to another process.
pub fn addressees(trace: &mut Trace) {
    let nodes: HashSet<&str> = trace.processes.iter().map(|it| it.node.as_str()).collect();
    let is_node: Vec<bool> = trace
        .parties
        .iter()
        .map(|party| nodes.contains(party.as_str()))
        .collect();
    let mut wrong = Vec::new();
    for (id, event) in trace.events.iter().enumerate() {
        let message = event.message().filter(|_| event.kind == Kind::Receive);
        let Some(message) = message.map(|message| &trace.messages[message]) else {
            continue;
        };
        let process = &trace.processes[event.process as usize];
        let to = message.to as usize;
        if is_node[to] && trace.parties[to] != process.node && trace.parties[to] != process.name {
            wrong.push((id, message.to));
        }
    }
    for (id, to) in wrong {
        let (place, name) = (trace.place_of(id), &trace.process_of(id).name);
        let words = format!(
            "{place}: {name} receives what was sent to {}",
            trace.parties[to as usize]
        );
        trace.findings.add(Rule::Sent, Weight::Wrong, || words);
    }
}

/// Judges the logical clocks that the logs carry: each must be greater than every one that its event follows from. On one
/// thread that is certain; between threads of a process the log's order is the order of logging. How many were compared.
pub fn clocks(trace: &mut Trace, links: &Links, order: &Order) -> u64 {
    // The greatest clock that an event follows from or has, and whose it is.
    let mut greatest: Vec<(u64, u32)> = vec![(0, NONE); trace.events.len()];
    let mut last_of_thread: Vec<u32> = vec![NONE; trace.threads.len()];
    let mut compared = 0;
    let mut broken = Vec::new();
    for event in &order.sequence {
        let event = *event;
        let it = &trace.events[event];
        let before = &mut last_of_thread[it.thread as usize];
        let on_thread = std::mem::replace(before, event as u32);
        let mut known = (0, NONE);
        let causes = links.to(event).iter().map(|link| link.from);
        let on_thread = (on_thread != NONE).then_some(on_thread as usize);
        for cause in causes.chain(on_thread) {
            if greatest[cause].1 != NONE && (known.1 == NONE || greatest[cause] > known) {
                known = greatest[cause];
            }
        }
        if let Some(clock) = it.clock {
            if known.1 != NONE {
                compared += 1;
                let same = clock == known.0 && trace.same_message(event, known.1 as usize);
                if clock <= known.0 && !same {
                    broken.push((event, known, clock));
                }
            }
            // After a clock that is wrong the next one is compared with it: one fault is told once.
            known = (clock, event as u32);
        }
        greatest[event] = known;
    }
    for (event, (before, witness), clock) in broken {
        let (here, there) = (trace.place_of(event), trace.place_of(witness as usize));
        let (name, other) = (
            &trace.process_of(event).name,
            &trace.process_of(witness as usize).name,
        );
        let words = format!(
            "{here}: the clock of {name} is {clock}, but this follows from {other}'s event at {there}, which has {before}"
        );
        trace.findings.add(Rule::Clocks, Weight::Wrong, || words);
    }
    compared
}

/// What was looked at, for the rules that hold.
#[derive(Debug)]
pub struct LookedAt {
    /// Events.
    pub events: u64,
    /// Receipts.
    pub received: u64,
    /// Clocks that were compared with another.
    pub clocks: u64,
    /// Vector clocks.
    pub vectors: u64,
    /// Messages whose clocks on both sides were compared.
    pub wall: u64,
}

impl LookedAt {
    /// Why a rule holds; None if there is nothing to say of it.
    pub fn words(&self, trace: &Trace, rule: Rule) -> Option<String> {
        let some = |count: u64, words: String| (count > 0).then_some(words);
        match rule {
            Rule::WellFormed => Some(format!(
                "{} of {} in {}",
                plural(self.events, "event"),
                plural(trace.processes.len() as u64, "process"),
                plural(trace.files.len() as u64, "file")
            )),
            Rule::Names => Some(plural(trace.processes.len() as u64, "process")),
            Rule::Sent => some(
                self.received,
                format!(
                    "each of {} has its sending",
                    plural(self.received, "receipt")
                ),
            ),
            Rule::Order => Some("nothing follows from itself".to_owned()),
            Rule::Clocks => some(
                self.clocks,
                format!(
                    "held for all {} clocks that follow from another",
                    self.clocks
                ),
            ),
            Rule::Vectors => some(
                self.vectors,
                format!(
                    "each of {} is what its event knows",
                    plural(self.vectors, "clock")
                ),
            ),
            Rule::Wall => some(
                self.wall,
                format!(
                    "none of {} was received before it was sent",
                    plural(self.wall, "message")
                ),
            ),
        }
    }
}
