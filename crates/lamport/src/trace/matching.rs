//! Which sending each receipt is of.
//!
//! By the message's identity, which both sides log. Where an identity was used again (a TCP connection between the same
//! addresses, a name server's number, a second run into the same log), by the run, and then by time. The receiver of a
//! plain datagram knows its sender's address and the text only: where that fits one sending it is that one; where it
//! fits several, they are taken in turn and the link is marked as inferred.

use std::ops::Range;

use common::event::Kind;

use super::{
    Event, EventId, Trace,
    findings::{Rule, Weight},
    words::Fields,
};
use hashbrown::{HashMap, HashSet};

/// An event follows from another one of another process, or of another thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// The cause: a sending.
    pub from: EventId,
    /// The effect: a receipt.
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
        // The receipts of a process stand side by side, in its order.
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
    /// Each receipt with its sending.
    pub links: Vec<Link>,
    /// The receipts that have none.
    pub orphans: Vec<EventId>,
}

/// Matches all receipts of the logs.
pub fn by_identity(trace: &mut Trace) -> Matched {
    let mut matched = Matched::default();
    let mut of_message: Vec<(u32, u32)> = Vec::new();
    let mut plain = Vec::new();
    for (id, event) in trace.events.iter().enumerate() {
        match (event.kind, event.message()) {
            (Kind::Send | Kind::Receive, Some(message)) => {
                of_message.push((message as u32, id as u32));
            }
            (Kind::Receive, None) => plain.push(id),
            _ => {}
        }
    }
    of_message.sort_unstable();
    let (mut sendings, mut receipts) = (Vec::new(), Vec::new());
    for same in of_message.chunk_by(|a, b| a.0 == b.0) {
        sendings.clear();
        receipts.clear();
        for (_, id) in same {
            let id = *id as usize;
            match trace.events[id].kind {
                Kind::Send => sendings.push(id),
                _ => receipts.push(id),
            }
        }
        uses(trace, &mut sendings, &mut receipts, &mut matched);
    }
    if !plain.is_empty() {
        plain_datagrams(trace, &plain, &mut matched);
    }
    let backward = |link: &Link| {
        let of = |id: EventId| trace.events[id].process;
        of(link.from) == of(link.to) && link.from > link.to
    };
    let (wrong, links): (Vec<_>, _) = matched.links.into_iter().partition(backward);
    matched.links = links;
    for link in wrong {
        let (here, there) = (trace.place_of(link.to), trace.place_of(link.from));
        let name = trace.process_of(link.to).name.clone();
        trace.findings.add(Rule::Order, Weight::Wrong, || {
            format!("{here}: {name} receives what it sends only later, at {there}")
        });
    }
    matched
}

/// The receipts of one identity, each with the sending that it is of.
fn uses(trace: &Trace, sendings: &mut [EventId], receipts: &mut [EventId], matched: &mut Matched) {
    let link = |from: EventId, to: EventId| Link {
        from,
        to,
        inferred: false,
    };
    match (&*sendings, &*receipts) {
        ([], _) => matched.orphans.extend(&*receipts),
        ([only], _) => matched
            .links
            .extend(receipts.iter().map(|to| link(*only, *to))),
        _ => {
            let event = |id: &EventId| &trace.events[*id];
            sendings.sort_by_key(|id| event(id).time);
            receipts.sort_by_key(|id| event(id).time);
            let in_turn = sendings.len() == receipts.len();
            for (turn, to) in receipts.iter().enumerate() {
                let receipt = event(to);
                let same_run =
                    |id: &&EventId| trace.process_of(**id).run == trace.process_of(*to).run;
                let mut of_run = sendings.iter().filter(same_run);
                let from = match (of_run.next(), of_run.next()) {
                    (Some(only), None) => only,
                    _ if in_turn => &sendings[turn],
                    _ => {
                        let before = sendings.partition_point(|id| event(id).time <= receipt.time);
                        &sendings[before.saturating_sub(1)]
                    }
                };
                matched.links.push(link(*from, *to));
            }
        }
    }
}

/// What a plain datagram can be told by on both sides: the sender's address, how it went, and its text.
type Looks<'t> = (&'t str, String, String, String);

fn looks<'t>(peer: &'t str, fields: &Fields) -> Looks<'t> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    (peer, field("technique"), field("bytes"), field("text"))
}

/// Receipts that say nothing of the message but who sent it and what it says.
fn plain_datagrams(trace: &Trace, receipts: &[EventId], matched: &mut Matched) {
    let fields: Vec<Fields> = receipts.iter().map(|id| Fields::of(trace, *id)).collect();
    let peers: HashSet<&str> = fields
        .iter()
        .filter_map(|fields| fields.get("peer"))
        .collect();
    let mut sent: HashMap<Looks<'_>, Vec<EventId>> = HashMap::new();
    for (id, event) in trace.events.iter().enumerate() {
        if let (Kind::Send, Some(message)) = (event.kind, event.message())
            && let Some(peer) = peers.get(&*trace.parties[trace.messages[message].from as usize])
        {
            let looks = looks(peer, &Fields::of(trace, id));
            sent.entry(looks).or_default().push(id);
        }
    }
    let time = |id: &EventId| trace.events[*id].time;
    sent.values_mut().for_each(|sent| sent.sort_by_key(time));
    // A datagram comes once to each process, and by unicast to one.
    let mut taken: HashSet<(Option<u32>, EventId)> = HashSet::new();
    let mut by_time: Vec<usize> = (0..receipts.len()).collect();
    by_time.sort_by_key(|index| time(&receipts[*index]));
    for index in by_time {
        let (to, fields) = (receipts[index], &fields[index]);
        let event: &Event = &trace.events[to];
        let Some(peer) = fields.get("peer") else {
            continue;
        };
        let candidates = sent.get(&looks(peer, fields)).map_or(&[][..], |sent| sent);
        let whose = (fields.get("technique") != Some("unicast")).then_some(event.process);
        let free = |from: &&EventId| !taken.contains(&(whose, **from));
        let from = candidates.iter().find(free).or(candidates.last());
        let Some(from) = from else {
            matched.orphans.push(to);
            continue;
        };
        taken.insert((whose, *from));
        matched.links.push(Link {
            from: *from,
            to,
            inferred: candidates.len() > 1,
        });
    }
}
