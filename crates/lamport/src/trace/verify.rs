//! The properties of logs that depend on messages and their order: every receive has its send, and logical clocks increase
//! along happened-before. The others are checked in `sequence`, `dedup` and [`super::order`].

use common::{
    event::{Anomaly, Kind, Verdict},
    process::{
        property::Property,
        verdict::{
            clocks::{ClockCondition, Regression},
            exercise::Exercise,
        },
    },
    text::plural,
};
use hashbrown::{HashMap, HashSet};

use super::{
    EventId, Trace,
    findings::Severity,
    matching::{Links, Runs},
    words::{Fields, sentence},
};

/// Checks the receives without a send.
pub fn orphans(trace: &mut Trace, orphans: &[EventId]) {
    if orphans.is_empty() {
        return;
    }
    // The senders with each name or address: the process, and its highest number. For addresses each connection is counted
    // separately.
    let mut senders: HashMap<u32, Vec<(u32, u64)>> = HashMap::new();
    let mut connections: HashMap<(u32, u32), u64> = HashMap::new();
    for event in &trace.events {
        if let (Kind::Send, Some(message)) = (event.kind, trace.message(event)) {
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
    let mut checked = Vec::new();
    for orphan in orphans {
        let event = &trace.events[*orphan];
        let message = trace.message(event);
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
        // The process that existed then: others may have used the address or the name before or after.
        let existed = |(number, _): &&(u32, u64)| {
            let process = &trace.processes[*number as usize];
            let time = |event: EventId| trace.events[event].time;
            let (first, last) = (time(process.events.start), time(process.events.end - 1));
            let same_run = process.run == trace.process_of(*orphan).run;
            if !runs.may_communicate(*number, event.process) {
                return false;
            }
            same_run || first <= event.time && (event.time <= last || !process.stopped)
        };
        let truncated = fields.get("anomaly") == Some(Anomaly::Truncated.word());
        let sender = of_name
            .and_then(|all| all.iter().rev().find(existed))
            .copied();
        let has_logged_later = sender.is_some_and(|(_, highest)| {
            message.is_some_and(|message| {
                let connection = connections.get(&(message.from, message.to));
                let of_connection = connection.copied().unwrap_or(0);
                match trace.has_name(message.from) && message.is_numbered {
                    true => message.number <= highest,
                    false => message.stream && message.number <= of_connection,
                }
            })
        });
        checked.push((*orphan, sender.filter(|_| !truncated), has_logged_later));
    }
    drop(runs);
    for (orphan, sender, has_logged_later) in checked {
        let place = trace.place_of(orphan);
        let name = trace.process_of(orphan).name.clone();
        let Some((sender, _)) = sender else {
            trace.findings.add(Property::Sent, Severity::Open, || {
                format!(
                    "{place}: {name} receives a message whose sender has no log here, or one that ends too early"
                )
            });
            continue;
        };
        let sender = &trace.processes[sender as usize];
        let from = sender.name.clone();
        let last = trace.place_of(sender.events.end - 1);
        let words = |why: String| {
            format!(
                "{place}: {name} receives a message whose send is not in the log of {from}: {why}"
            )
        };
        let (severity, words) = if sender.suppressed {
            let why = "it does not log every datagram".to_owned();
            (Severity::Warn, words(why))
        } else if sender.gaps {
            let why = "events are missing there".to_owned();
            (Severity::Warn, words(why))
        } else if !sender.stopped && !has_logged_later {
            let why = format!(
                "it ends without a stop, at {last}: the process was killed, or is still running"
            );
            (Severity::Warn, words(why))
        } else {
            let words = format!(
                "{place}: {name} receives a message that {from} never sent; its log ends at {last}"
            );
            (Severity::Fail, words)
        };
        trace.findings.add(Property::Sent, severity, || words);
    }
}

/// Checks that each message is received by the process that it was sent to.
pub fn addressees(trace: &mut Trace) {
    let nodes: HashSet<&str> = trace
        .processes
        .iter()
        .map(|process| process.node.as_str())
        .collect();
    let is_node: Vec<bool> = trace
        .parties
        .iter()
        .map(|party| nodes.contains(party.as_str()))
        .collect();
    let mut violations = Vec::new();
    for (id, event) in trace.events.iter().enumerate() {
        let Some(message) = trace.message(event).filter(|_| event.kind == Kind::Receive) else {
            continue;
        };
        let process = &trace.processes[event.process as usize];
        let to = message.to as usize;
        if is_node[to] && trace.parties[to] != process.node && trace.parties[to] != process.name {
            violations.push((id, message.to));
        }
    }
    for (id, to) in violations {
        let (place, name) = (trace.place_of(id), &trace.process_of(id).name);
        let words = format!(
            "{place}: {name} receives a message that was sent to {}",
            trace.parties[to as usize]
        );
        trace.findings.add(Property::Sent, Severity::Fail, || words);
    }
}

/// Checks the logical clocks in the logs. Each thread is checked separately, because the order between the threads of a process
/// is only the order of logging.
#[derive(Debug)]
pub struct Clocks {
    condition: ClockCondition,
    violations: Vec<(EventId, Regression)>,
}

impl Clocks {
    /// Before the first event.
    pub fn new(trace: &Trace) -> Self {
        Self {
            condition: ClockCondition::new(trace.events.len(), trace.threads.len()),
            violations: Vec::new(),
        }
    }

    /// The next event in causal order.
    pub fn see(&mut self, trace: &Trace, links: &Links, id: EventId) {
        let event = &trace.events[id];
        let causes = links.to(id).iter().map(|link| link.from);
        let same = |before| trace.same_message(id, before);
        let thread = event.thread as usize;
        let found = self.condition.see(id, thread, event.clock, causes, same);
        self.violations.extend(found.map(|found| (id, found)));
    }

    /// Reports the violations. Returns what was compared.
    pub fn report(self, trace: &mut Trace) -> ClockCondition {
        for (event, Regression { cause, reason }) in self.violations {
            let (cause, here) = (sentence(trace, cause), sentence(trace, event));
            trace.findings.add(Property::Clocks, Severity::Fail, || {
                format!("{reason}; {cause}; {here}")
            });
        }
        self.condition
    }
}

/// How much was checked, for the properties that hold.
#[derive(Debug)]
pub struct CheckedCounts {
    /// Events.
    pub events: u64,
    /// Receives with their sends.
    pub links: u64,
    /// Sends, each copy counted.
    pub sent: u64,
    /// Receives.
    pub received: u64,
    /// The logical clocks that were compared.
    pub clocks: ClockCondition,
    /// Vector clocks.
    pub vectors: u64,
    /// Messages whose wall-clock times on both sides were compared.
    pub wall: u64,
}

impl CheckedCounts {
    /// The verdict on a property that nothing violates, and in what it holds; None if nothing was checked.
    pub fn held(&self, trace: &Trace, property: Property) -> Option<(Verdict, String)> {
        if property == Property::Order && self.links == 0 {
            // Then every event has its causes in its own process only, where none can come late.
            let why = match self.received {
                0 => "no message was received",
                _ => "no receive has its send in the logs",
            };
            return Some((Verdict::Open, why.to_owned()));
        }
        if property == Property::Clocks {
            let happened = |count: u64, exercise| match count {
                0 => Exercise::default(),
                _ => exercise,
            };
            let sent = happened(self.sent, Exercise::SENT);
            let exercise = sent | happened(self.received, Exercise::RECEIVED);
            let has_clocks = trace.processes.iter().any(|process| process.clocks);
            let lacks = exercise.lacks(property).filter(|_| has_clocks);
            let open = lacks.map(|why| (Verdict::Open, why.to_owned()));
            return self.clocks.held(exercise).or(open);
        }
        let held = self.words(trace, property)?;
        Some((Verdict::Ok, held))
    }

    fn words(&self, trace: &Trace, property: Property) -> Option<String> {
        let if_any = |count: u64, words: String| (count > 0).then_some(words);
        match property {
            Property::WellFormed => Some(format!(
                "{} of {} in {}",
                plural(self.events, "event"),
                plural(trace.processes.len() as u64, "process"),
                plural(trace.files.len() as u64, "file")
            )),
            Property::Names => Some(plural(trace.processes.len() as u64, "process")),
            Property::Sent => if_any(
                self.received,
                format!("each of {} has its send", plural(self.received, "receive")),
            ),
            Property::Order => Some("no event happened before itself".to_owned()),
            Property::Vectors => if_any(
                self.vectors,
                format!(
                    "each of {} is that of the events that happened before",
                    plural(self.vectors, "vector clock")
                ),
            ),
            Property::Wall => if_any(
                self.wall,
                format!(
                    "none of {} was received before it was sent",
                    plural(self.wall, "message")
                ),
            ),
            _ => None,
        }
    }
}
