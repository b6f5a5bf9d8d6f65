//! The send of each receive.
//!
//! They are matched by the message's identity, which both sides log. If an identity was reused (a TCP connection between the same
//! addresses, a name server's number, a second run into the same log), they are matched by the run, and then by time. The
//! receiver of a plain datagram knows only the sender's address and the text: if one send fits, it is the match; if several fit,
//! they are matched in order, and the links are marked as inferred.

use std::ops::Range;

use common::{event::Kind, process::property::Property};
use hashbrown::{HashMap, HashSet};

use super::{EventId, Trace, findings::Severity, words::Fields};

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
    pub fn new(events: usize, links: Vec<Link>) -> Self {
        let (mut links, causes) = grouped(events, links, |link| link.to);
        for several in links.chunk_by_mut(|a, b| a.to == b.to) {
            several.sort_unstable_by_key(|link| link.from);
        }
        let effects = links.iter().map(|link| (link.from as u32, link.to as u32));
        let (effects, effects_of) = grouped(events, effects.collect(), |link| link.0 as usize);
        Self {
            links,
            causes,
            effects: effects.into_iter().map(|(_, to)| to).collect(),
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
        if effects.len() == 1 {
            return false;
        }
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

/// Groups by a number below `count`: those of one number stay in their order. With the start of each group, and the end.
fn grouped<T: Copy>(count: usize, all: Vec<T>, number: impl Fn(&T) -> usize) -> (Vec<T>, Vec<u32>) {
    let mut starts = vec![0; count + 1];
    for it in &all {
        starts[number(it) + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }
    // Where the next one of each number comes.
    let mut next: Vec<u32> = starts.clone();
    let mut grouped = all.clone();
    for it in all {
        let place = &mut next[number(&it)];
        grouped[*place as usize] = it;
        *place += 1;
    }
    (grouped, starts)
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
    let (communications, plain) = by_channel(trace);
    let runs = Runs::of(trace);
    matched.links.reserve(communications.len() / 2);
    let (mut sends, mut receives) = (Vec::new(), Vec::new());
    let same_message =
        |a: &Communication, b: &Communication| (a.channel(), a.number) == (b.channel(), b.number);
    for same in communications.chunk_by(same_message) {
        if let [one, other] = same
            && one.is_receive() != other.is_receive()
        {
            let (send, receive) = if one.is_receive() {
                (other, one)
            } else {
                (one, other)
            };
            runs.match_one(
                trace,
                send.event as usize,
                receive.event as usize,
                &mut matched,
            );
            continue;
        }
        sends.clear();
        receives.clear();
        for it in same {
            let into = if it.is_receive() {
                &mut receives
            } else {
                &mut sends
            };
            into.push(it.event as usize);
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
    let violations: Vec<Link> = matched
        .links
        .extract_if(.., |link| backward(link))
        .collect();
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

/// A send or a receive, with the identity of its message.
#[derive(Clone, Copy, Debug, Default)]
struct Communication {
    number: u64,
    /// Twice the channel, and 1 more if it is a receive.
    channel_and_kind: u32,
    event: u32,
}

impl Communication {
    fn channel(&self) -> u32 {
        self.channel_and_kind / 2
    }

    fn is_receive(&self) -> bool {
        self.channel_and_kind % 2 == 1
    }
}

/// All sends and receives of messages with an identity, those of one message together; and the receives without one, which are
/// those of plain datagrams.
fn by_channel(trace: &Trace) -> (Vec<Communication>, Vec<EventId>) {
    let mut plain = Vec::new();
    let mut all = Vec::new();
    for (id, event) in trace.events.iter().enumerate() {
        match (event.kind, event.message()) {
            (Kind::Send | Kind::Receive, Some((channel, number))) => all.push(Communication {
                number,
                channel_and_kind: channel as u32 * 2 + u32::from(event.kind == Kind::Receive),
                event: id as u32,
            }),
            (Kind::Receive, None) => plain.push(id),
            _ => {}
        }
    }
    let channels = trace.channels.len();
    let (mut sorted, starts) = grouped(channels, all, |it| it.channel() as usize);
    for channel in starts.windows(2) {
        // Those of each process are nearly always in this order already.
        sorted[channel[0] as usize..channel[1] as usize].sort_by_key(|it| (it.number, it.event));
    }
    (sorted, plain)
}

/// Which processes may communicate: those that share a run only with each other, and a process that is alone in its run with any
/// other.
pub(super) struct Runs {
    /// The run of each process, by the number of its first process.
    of_process: Vec<u32>,
    /// Whether several processes share the run.
    shared: Vec<bool>,
}

impl Runs {
    pub(super) fn of(trace: &Trace) -> Self {
        let mut firsts: HashMap<&str, u32> = HashMap::new();
        let mut shared = vec![false; trace.processes.len()];
        let mut of_process = Vec::with_capacity(shared.len());
        for (number, process) in (0..).zip(&trace.processes) {
            let first = *firsts.entry(&process.run).or_insert(number);
            shared[first as usize] |= trace.processes[first as usize].node != process.node;
            of_process.push(first);
        }
        Self { of_process, shared }
    }

    /// Whether one process can have sent a message to the other.
    pub(super) fn may_communicate(&self, from: u32, to: u32) -> bool {
        let (from, to) = (self.of_process[from as usize], self.of_process[to as usize]);
        from == to || !(self.is_shared(from) && self.is_shared(to))
    }

    fn is_shared(&self, run: u32) -> bool {
        self.shared[run as usize]
    }

    fn run(&self, trace: &Trace, event: EventId) -> u32 {
        self.of_process[trace.events[event].process as usize]
    }

    /// Matches the only receive of an identity with the only send.
    fn match_one(&self, trace: &Trace, from: EventId, to: EventId, matched: &mut Matched) {
        let process = |id: EventId| trace.events[id].process;
        match self.may_communicate(process(from), process(to)) {
            true => matched.links.push(Link {
                from,
                to,
                inferred: false,
            }),
            false => matched.orphans.push(to),
        }
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
        let message = trace.message(&trace.events[first]);
        let one_each = message.is_some_and(|message| message.stream);
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
        let mut by_run: HashMap<u32, (Vec<EventId>, Vec<EventId>)> = HashMap::new();
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
                other_sends.extend(sends.into_iter().map(|id| (id, self.is_shared(run))));
            } else {
                other_receives.extend(receives.into_iter().map(|id| (id, self.is_shared(run))));
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
        if let (Kind::Send, Some(message)) = (event.kind, trace.message(event))
            && let Some(peer) = senders.get(&*trace.parties[message.from as usize])
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
