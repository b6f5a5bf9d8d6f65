//! Which send each receive is of.
//!
//! By the message's identity, which both sides log. Where an identity was used again (a TCP connection between the same
//! addresses, a name server's number, a second run into the same log), by the run, and then by time. The receiver of a
//! plain datagram knows its sender's address and the text only: where that fits one send it is that one; where it
//! fits several, they are taken in turn and the link is marked as inferred.

use std::ops::Range;

use common::event::Kind;

use super::{EventId, Trace, findings::Severity, words::Fields};
use crate::property::Property;
use hashbrown::{HashMap, HashSet};

/// An event follows from another one of another process, or of another thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// The cause: a send.
    pub from: EventId,
    /// The effect: a receive.
    pub to: EventId,
    /// Whether the logs do not say so themselves.
    pub inferred: bool,
}

/// All links, by cause and by effect.
#[derive(Debug, Default)]
pub struct Links {
    /// By effect.
    links: Vec<Link>,
    /// Where each event's causes begin in it.
    causes: Vec<u32>,
    /// Effects by cause.
    effects: Vec<u32>,
    /// Where each event's effects begin in it.
    effects_of: Vec<u32>,
}

impl Links {
    /// Of so many events.
    pub fn new(events: usize, mut links: Vec<Link>) -> Self {
        links.sort_unstable_by_key(|link| (link.to, link.from));
        let mut effects: Vec<_> = links.iter().map(|link| (link.from, link.to)).collect();
        effects.sort_unstable();
        let causes = starts(events, links.iter().map(|link| link.to));
        let effects_of = starts(events, effects.iter().map(|(from, _)| *from));
        Self {
            links,
            causes,
            effects: effects.into_iter().map(|(_, to)| to as u32).collect(),
            effects_of,
        }
    }

    /// All of them, by effect.
    pub fn all(&self) -> &[Link] {
        &self.links
    }

    /// Those that lead to this event.
    pub fn to(&self, event: EventId) -> &[Link] {
        &self.links[range(&self.causes, event)]
    }

    /// The events that this one leads to.
    pub fn from(&self, event: EventId) -> impl ExactSizeIterator<Item = EventId> {
        let effects = &self.effects[range(&self.effects_of, event)];
        effects.iter().map(|effect| *effect as usize)
    }

    /// Whether the same process had received the same before.
    pub fn came_before(&self, trace: &Trace, link: &Link) -> bool {
        // The receives of a process stand side by side, in its order.
        let effects = &self.effects[range(&self.effects_of, link.from)];
        let before = effects.partition_point(|effect| (*effect as usize) < link.to);
        let process = |effect: u32| trace.events[effect as usize].process;
        before > 0 && process(effects[before - 1]) == trace.events[link.to].process
    }

    /// Leaves some out.
    #[must_use]
    pub fn without(self, out: &HashSet<(EventId, EventId)>) -> Self {
        let events = self.causes.len() - 1;
        let mut links = self.links;
        links.retain(|link| !out.contains(&(link.from, link.to)));
        Self::new(events, links)
    }
}

fn range(starts: &[u32], event: EventId) -> Range<usize> {
    starts[event] as usize..starts[event + 1] as usize
}

/// Where the run of each number begins in what is sorted by it.
fn starts(count: usize, sorted: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut starts = vec![0; count + 1];
    for number in sorted {
        starts[number + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    starts
}

/// What comes of it.
#[derive(Debug, Default)]
pub struct Matched {
    /// Each receive with its send.
    pub links: Vec<Link>,
    /// The receives that have none.
    pub orphans: Vec<EventId>,
}

/// Matches all receives of the logs.
pub fn by_identity(trace: &mut Trace) -> Matched {
    let mut matched = Matched::default();
    let mut of_message: Vec<(u32, u32)> = Vec::new();
    let mut plain = Vec::new();
    for (id, event) in trace.events.iter().enumerate() {
        match (event.kind, event.message()) {
            (Kind::Send | Kind::Receive, Some(message)) => {
                of_message.push((message as u32, id as u32));
            }
            // Without an identity it is a plain datagram.
            (Kind::Receive, None) => plain.push(id),
            _ => {}
        }
    }
    of_message.sort_unstable();
    let runs = Runs::of(trace);
    let (mut sends, mut receives) = (Vec::new(), Vec::new());
    for same in of_message.chunk_by(|a, b| a.0 == b.0) {
        sends.clear();
        receives.clear();
        for (_, id) in same {
            let id = *id as usize;
            match trace.events[id].kind {
                Kind::Send => sends.push(id),
                _ => receives.push(id),
            }
        }
        runs.uses(trace, &mut sends, &mut receives, &mut matched);
    }
    if !plain.is_empty() {
        plain_datagrams(trace, &plain, &mut matched);
    }
    // The tables above have another order each time, and the first ones are reported.
    matched.orphans.sort_unstable();
    let backward = |link: &Link| {
        let of = |id: EventId| trace.events[id].process;
        of(link.from) == of(link.to) && link.from > link.to
    };
    let (wrong, links): (Vec<_>, _) = matched.links.into_iter().partition(backward);
    matched.links = links;
    drop(runs);
    for link in wrong {
        let (here, there) = (trace.place_of(link.to), trace.place_of(link.from));
        let name = trace.process_of(link.to).name.clone();
        trace.findings.add(Property::Order, Severity::Fail, || {
            format!("{here}: {name} receives a message that it sends later, at {there}")
        });
    }
    matched
}

/// Which runs may have to do with one another: processes that share a run only with each other, and a process that is alone in
/// its run with anybody.
pub(super) struct Runs<'t> {
    of_process: Vec<&'t str>,
    shared: HashSet<&'t str>,
}

impl<'t> Runs<'t> {
    pub(super) fn of(trace: &'t Trace) -> Self {
        let of_process: Vec<&str> = trace.processes.iter().map(|it| it.run.as_str()).collect();
        let mut nodes: HashMap<&str, &str> = HashMap::new();
        let mut shared = HashSet::new();
        for process in &trace.processes {
            let first = *nodes.entry(&process.run).or_insert(&process.node);
            if first != process.node {
                shared.insert(process.run.as_str());
            }
        }
        Self { of_process, shared }
    }

    /// Whether a message can have gone from the one to the other.
    pub(super) fn may(&self, from: u32, to: u32) -> bool {
        let (from, to) = (self.of_process[from as usize], self.of_process[to as usize]);
        from == to || !(self.shared.contains(from) && self.shared.contains(to))
    }

    fn run(&self, trace: &Trace, event: EventId) -> &'t str {
        self.of_process[trace.events[event].process as usize]
    }

    /// The receives of one identity, each with the send that it is of.
    fn uses(
        &self,
        trace: &Trace,
        sends: &mut [EventId],
        receives: &mut [EventId],
        matched: &mut Matched,
    ) {
        let [first, ..] = *sends else {
            return matched.orphans.extend(&*receives);
        };
        let message = trace.events[first].message();
        let one_each = message.is_some_and(|message| trace.messages[message].stream);
        let run = |id: &EventId| self.run(trace, *id);
        let in_one_run = |all: &[EventId]| all.iter().all(|id| run(id) == run(&all[0]));
        if receives.is_empty() {
            return;
        }
        if in_one_run(sends) && in_one_run(receives) {
            let process = |id: &EventId| trace.events[*id].process;
            if !self.may(process(&first), process(&receives[0])) {
                return matched.orphans.extend(&*receives);
            }
            return in_turn(trace, sends, receives, one_each, matched);
        }
        // Each shared run by itself, and then the others.
        let mut by_run: HashMap<&str, (Vec<EventId>, Vec<EventId>)> = HashMap::new();
        for id in sends.iter() {
            by_run.entry(run(id)).or_default().0.push(*id);
        }
        for id in receives.iter() {
            by_run.entry(run(id)).or_default().1.push(*id);
        }
        let (mut other_sendings, mut other_receipts) = (Vec::new(), Vec::new());
        for (run, (mut sends, mut receives)) in by_run {
            if !sends.is_empty() && !receives.is_empty() {
                in_turn(trace, &mut sends, &mut receives, one_each, matched);
            } else if receives.is_empty() {
                other_sendings.extend(sends.into_iter().map(|id| (id, self.shared.contains(run))));
            } else {
                other_receipts.extend(
                    receives
                        .into_iter()
                        .map(|id| (id, self.shared.contains(run))),
                );
            }
        }
        for shared in [true, false] {
            let of = |all: &[(EventId, bool)]| -> Vec<EventId> {
                all.iter()
                    .filter(|(_, it)| *it == shared)
                    .map(|(id, _)| *id)
                    .collect()
            };
            let mut receives = of(&other_receipts);
            let mut sends: Vec<EventId> = other_sendings
                .iter()
                // A run that is shared has its own.
                .filter(|(_, it)| !(shared && *it))
                .map(|(id, _)| *id)
                .collect();
            in_turn(trace, &mut sends, &mut receives, one_each, matched);
        }
    }
}

/// Matches what belongs together in the order of time; those of one process are in its order, whatever its clock says.
fn in_turn(
    trace: &Trace,
    sends: &mut [EventId],
    receives: &mut [EventId],
    one_each: bool,
    matched: &mut Matched,
) {
    let time = |id: &EventId| trace.events[*id].time;
    for ids in [&mut *sends, &mut *receives] {
        ids.sort_unstable();
        let process = |id: &EventId| trace.events[*id].process;
        if ids.iter().any(|id| process(id) != process(&ids[0])) {
            ids.sort_by_key(time);
        }
    }
    let all_have_one = sends.len() == receives.len();
    let mut next = 0;
    for (turn, to) in receives.iter().enumerate() {
        let from = if sends.is_empty() {
            None
        } else if all_have_one {
            Some(sends[turn])
        } else if one_each {
            // One connection's log is missing: the next send, if it is not later than this.
            let from = sends.get(next).filter(|from| time(from) <= time(to));
            next += usize::from(from.is_some());
            from.copied()
        } else {
            let before = sends.partition_point(|id| time(id) <= time(to));
            Some(sends[before.saturating_sub(1)])
        };
        match from {
            Some(from) => matched.links.push(Link {
                from,
                to: *to,
                inferred: false,
            }),
            None => matched.orphans.push(*to),
        }
    }
}

/// What identifies a plain datagram on both sides: the sender's address, how it went, and its text.
type Looks<'t> = (&'t str, String, String, String);

fn looks<'t>(peer: &'t str, fields: &Fields) -> Looks<'t> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    (peer, field("mode"), field("bytes"), field("text"))
}

/// Receives that say nothing of the message but who sent it and what it says.
fn plain_datagrams(trace: &Trace, receives: &[EventId], matched: &mut Matched) {
    let mut parties: HashMap<&str, &str> = HashMap::new();
    parties.extend(
        trace
            .parties
            .iter()
            .map(|party| (party.as_str(), party.as_str())),
    );
    let mut looked_for: HashMap<Looks<'_>, Vec<EventId>> = HashMap::new();
    for to in receives {
        let fields = Fields::of(trace, *to);
        match fields.get("peer").and_then(|peer| parties.get(peer)) {
            Some(peer) => looked_for
                .entry(looks(peer, &fields))
                .or_default()
                .push(*to),
            // Nobody who sends in these logs.
            None => matched.orphans.push(*to),
        }
    }
    let senders: HashSet<&str> = looked_for.keys().map(|looks| looks.0).collect();
    let mut sent: HashMap<Looks<'_>, Vec<EventId>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, event.message())
            && let Some(peer) = senders.get(&*trace.parties[trace.messages[message].from as usize])
        {
            let looks = looks(peer, &Fields::of(trace, id));
            sent.entry(looks).or_default().push(id);
        }
    }
    for (looks, mut receives) in looked_for {
        match sent.get_mut(&looks) {
            Some(sends) => alike(trace, &looks, sends, &mut receives, matched),
            None => matched.orphans.append(&mut receives),
        }
    }
}

/// Sends and receives that look alike. A datagram comes once to each process, and by unicast to one; so each takes the
/// next one that was sent before, and where there is none it came twice.
fn alike(
    trace: &Trace,
    looks: &Looks<'_>,
    sends: &mut [EventId],
    receives: &mut [EventId],
    matched: &mut Matched,
) {
    let time = |id: &EventId| trace.events[*id].time;
    sends.sort_by_key(time);
    receives.sort_by_key(time);
    let mut next: HashMap<Option<u32>, usize> = HashMap::new();
    for to in receives.iter() {
        let whose = (looks.1 != "unicast").then_some(trace.events[*to].process);
        let next = next.entry(whose).or_default();
        let from = match sends.get(*next) {
            // The first one also against the clocks, which may disagree.
            Some(from) if *next == 0 || time(from) <= time(to) => {
                *next += 1;
                *from
            }
            _ => sends[*next - 1],
        };
        matched.links.push(Link {
            from,
            to: *to,
            inferred: sends.len() > 1,
        });
    }
}
