//! The send of each receive.
//!
//! They are matched by the message's identity, which both sides log. If an identity was reused (a TCP connection between the same
//! addresses, a name server's number, a second run into the same log), they are matched by the run, and then by time. The
//! receiver of a plain datagram knows only the sender's address and the text: if one send fits, it is the match; if several fit,
//! they are matched in order, and the links are marked as inferred.

use std::ops::Range;

use common::event::Kind;

use super::{EventId, Trace, findings::Severity, words::Fields};
use crate::property::Property;
use hashbrown::{HashMap, HashSet};

/// A link of happened-before between two processes or threads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// The cause: a send.
    pub from: EventId,
    /// The effect: a receive.
    pub to: EventId,
    /// Whether it is inferred: the logs do not identify the send.
    pub inferred: bool,
}

/// All links, by cause and by effect.
#[derive(Debug, Default)]
pub struct Links {
    /// Sorted by effect.
    links: Vec<Link>,
    /// The start of each event's causes in `links`.
    causes: Vec<u32>,
    /// The effects, sorted by cause.
    effects: Vec<u32>,
    /// The start of each event's effects in `effects`.
    effects_of: Vec<u32>,
}

impl Links {
    /// The links of a trace with this number of events.
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

    /// All links, sorted by effect.
    pub fn all(&self) -> &[Link] {
        &self.links
    }

    /// The links to an event.
    pub fn to(&self, event: EventId) -> &[Link] {
        &self.links[range(&self.causes, event)]
    }

    /// The direct effects of an event.
    pub fn from(&self, event: EventId) -> impl ExactSizeIterator<Item = EventId> {
        let effects = &self.effects[range(&self.effects_of, event)];
        effects.iter().map(|effect| *effect as usize)
    }

    /// Whether the receive is a duplicate: its process had received the message before.
    pub fn is_duplicate(&self, trace: &Trace, link: &Link) -> bool {
        // The receives of a process are adjacent, in its order.
        let effects = &self.effects[range(&self.effects_of, link.from)];
        let before = effects.partition_point(|effect| (*effect as usize) < link.to);
        let process = |effect: u32| trace.events[effect as usize].process;
        before > 0 && process(effects[before - 1]) == trace.events[link.to].process
    }

    /// The links without some of them, and those.
    #[must_use]
    pub fn without(self, out: &HashSet<(EventId, EventId)>) -> (Self, Vec<Link>) {
        if out.is_empty() {
            return (self, Vec::new());
        }
        let events = self.causes.len() - 1;
        let is_out = |link: &Link| out.contains(&(link.from, link.to));
        let (out, links) = self.links.into_iter().partition(is_out);
        (Self::new(events, links), out)
    }

    /// These links and others.
    #[must_use]
    pub fn with(&self, others: &[Link]) -> Self {
        let events = self.causes.len() - 1;
        Self::new(events, [&self.links, others].concat())
    }
}

fn range(starts: &[u32], event: EventId) -> Range<usize> {
    starts[event] as usize..starts[event + 1] as usize
}

/// The start of each number's group in a sorted sequence.
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

/// The result of matching.
#[derive(Debug, Default)]
pub struct Matched {
    /// Each receive with its send.
    pub links: Vec<Link>,
    /// The receives without a send.
    pub orphans: Vec<EventId>,
    /// The receives of a message that their process sends later.
    pub backward: Vec<Link>,
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
            // A receive without an identity is that of a plain datagram.
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
        runs.match_identity(trace, &mut sends, &mut receives, &mut matched);
    }
    if !plain.is_empty() {
        plain_datagrams(trace, &plain, &mut matched);
    }
    // Hash tables have a random order, and the first findings are reported.
    matched.orphans.sort_unstable();
    let backward = |link: &Link| {
        let of = |id: EventId| trace.events[id].process;
        of(link.from) == of(link.to) && link.from > link.to
    };
    let (violations, links): (Vec<_>, _) = matched.links.into_iter().partition(backward);
    matched.links = links;
    drop(runs);
    for link in &violations {
        let (here, there) = (trace.place_of(link.to), trace.place_of(link.from));
        let name = trace.process_of(link.to).name.clone();
        trace.findings.add(Property::Order, Severity::Fail, || {
            format!("{here}: {name} receives a message that it sends later, at {there}")
        });
    }
    matched.backward = violations;
    matched
}

/// Which processes may communicate: those that share a run only with each other, and a process that is alone in its run with any
/// other.
pub(super) struct Runs<'t> {
    of_process: Vec<&'t str>,
    shared: HashSet<&'t str>,
}

impl<'t> Runs<'t> {
    pub(super) fn of(trace: &'t Trace) -> Self {
        let of_process: Vec<&str> = trace
            .processes
            .iter()
            .map(|process| process.run.as_str())
            .collect();
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

    /// Whether one process can have sent a message to the other.
    pub(super) fn may_communicate(&self, from: u32, to: u32) -> bool {
        let (from, to) = (self.of_process[from as usize], self.of_process[to as usize]);
        from == to || !(self.shared.contains(from) && self.shared.contains(to))
    }

    fn run(&self, trace: &Trace, event: EventId) -> &'t str {
        self.of_process[trace.events[event].process as usize]
    }

    /// Matches the sends and receives of one identity.
    fn match_identity(
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
            if !self.may_communicate(process(&first), process(&receives[0])) {
                return matched.orphans.extend(&*receives);
            }
            return in_order(trace, sends, receives, one_each, matched);
        }
        // Each shared run separately, and then the others.
        let mut by_run: HashMap<&str, (Vec<EventId>, Vec<EventId>)> = HashMap::new();
        for id in sends.iter() {
            by_run.entry(run(id)).or_default().0.push(*id);
        }
        for id in receives.iter() {
            by_run.entry(run(id)).or_default().1.push(*id);
        }
        let (mut other_sends, mut other_receives) = (Vec::new(), Vec::new());
        for (run, (mut sends, mut receives)) in by_run {
            if !sends.is_empty() && !receives.is_empty() {
                in_order(trace, &mut sends, &mut receives, one_each, matched);
            } else if receives.is_empty() {
                other_sends.extend(sends.into_iter().map(|id| (id, self.shared.contains(run))));
            } else {
                other_receives.extend(
                    receives
                        .into_iter()
                        .map(|id| (id, self.shared.contains(run))),
                );
            }
        }
        for shared in [true, false] {
            let of = |all: &[(EventId, bool)]| -> Vec<EventId> {
                all.iter()
                    .filter(|(_, is_shared)| *is_shared == shared)
                    .map(|(id, _)| *id)
                    .collect()
            };
            let mut receives = of(&other_receives);
            let mut sends: Vec<EventId> = other_sends
                .iter()
                // The receives of a shared run have no send in another shared run.
                .filter(|(_, is_shared)| !(shared && *is_shared))
                .map(|(id, _)| *id)
                .collect();
            in_order(trace, &mut sends, &mut receives, one_each, matched);
        }
    }
}

/// Matches sends and receives in the order of time; those of one process are in its order, regardless of its clock.
fn in_order(
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
    let all_matched = sends.len() == receives.len();
    let mut next = 0;
    for (turn, to) in receives.iter().enumerate() {
        let from = if sends.is_empty() {
            None
        } else if all_matched {
            Some(sends[turn])
        } else if one_each {
            // The log of one connection is missing: the next send, if it is not later than the receive.
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

/// What identifies a plain datagram on both sides: the sender's address, the addressing mode, the length and the text.
type Features<'t> = (&'t str, String, String, String);

fn features<'t>(peer: &'t str, fields: &Fields) -> Features<'t> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    (peer, field("mode"), field("bytes"), field("text"))
}

/// Matches the receives of plain datagrams.
fn plain_datagrams(trace: &Trace, receives: &[EventId], matched: &mut Matched) {
    let mut parties: HashMap<&str, &str> = HashMap::new();
    parties.extend(
        trace
            .parties
            .iter()
            .map(|party| (party.as_str(), party.as_str())),
    );
    let mut received: HashMap<Features<'_>, Vec<EventId>> = HashMap::new();
    for to in receives {
        let fields = Fields::of(trace, *to);
        match fields.get("peer").and_then(|peer| parties.get(peer)) {
            Some(peer) => received
                .entry(features(peer, &fields))
                .or_default()
                .push(*to),
            // The sender has no log.
            None => matched.orphans.push(*to),
        }
    }
    let senders: HashSet<&str> = received.keys().map(|features| features.0).collect();
    let mut sent: HashMap<Features<'_>, Vec<EventId>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, event.message())
            && let Some(peer) = senders.get(&*trace.parties[trace.messages[message].from as usize])
        {
            let features = features(peer, &Fields::of(trace, id));
            sent.entry(features).or_default().push(id);
        }
    }
    for (features, mut receives) in received {
        match sent.get_mut(&features) {
            Some(sends) => match_features(trace, &features, sends, &mut receives, matched),
            None => matched.orphans.append(&mut receives),
        }
    }
}

/// Matches sends and receives with equal features. A datagram is received once by each process, and a unicast by one; so each
/// receive takes the next earlier send, and if there is none it is a duplicate.
fn match_features(
    trace: &Trace,
    features: &Features<'_>,
    sends: &mut [EventId],
    receives: &mut [EventId],
    matched: &mut Matched,
) {
    let time = |id: &EventId| trace.events[*id].time;
    sends.sort_by_key(time);
    receives.sort_by_key(time);
    let mut next: HashMap<Option<u32>, usize> = HashMap::new();
    for to in receives.iter() {
        let receiver = (features.1 != "unicast").then_some(trace.events[*to].process);
        let next = next.entry(receiver).or_default();
        let from = match sends.get(*next) {
            // The first one also if the clocks disagree.
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
