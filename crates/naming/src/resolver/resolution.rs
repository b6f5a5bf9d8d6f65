//! The resolution of one name: RFC 1034 section 5.3.3, as a state machine.
//!
//! ```text
//!            ┌── what the cache knows ── the closest zone ── its servers ──► query ──► reply ──┐
//!            │        │ the answer                              │ none left    ▲ time-out      │
//!            │        ▼                                         ▼              └── the next ◄──┤ no use
//!            │      Done                              from the zone above, once                │
//!            └────────────────── alias, referral, address of a name server ◄──────────────────┘
//! ```
//!
//! Each resolution ends: it sends a bounded number of queries, each waits for a bounded time, and all have a deadline.

mod known;

use std::{mem, net::SocketAddr, time::Duration};

use domain::base::iana::{Rcode, Rtype};

use super::{
    digest::{Digest, Digested, digest},
    fault::Fault,
    goal::{Goal, MOST_ALIASES, NoEnd},
    interface::{Ask, Outcome, Output, Roots, World},
    message::{Reply, query},
    note::Note,
    pending::Pending,
    rrset::RrSet,
    servers::{Next, Servers},
};
use crate::dns::{
    owner::Owner,
    request::{Transport, UDP_MAX},
};

/// How long the first query to a server waits; each further one to the same server waits twice as long.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(400);

/// How many queries one resolution sends at most.
pub(super) const MOST_QUERIES: u32 = 64;

/// How many name servers can wait for one another's addresses.
const MOST_GOALS: usize = 6;

/// How many wrong replies a query takes over UDP before it goes over TCP, where nobody can guess.
const MOST_WRONG: u32 = 16;

/// How many notes wait to be taken.
const MOST_NOTES: usize = 256;

/// The resolution of one name.
#[derive(Debug)]
pub struct Resolution {
    roots: Roots,
    deadline: Duration,
    /// The name, and the name servers whose addresses are needed for it; the last one is looked for now.
    goals: Vec<Goal>,
    pending: Option<Pending>,
    sent: u32,
    notes: Vec<Note>,
    last_fault: Option<String>,
}

/// What to do with the goal that is looked for now.
enum Step {
    Output(Output),
    End(Outcome),
    Again,
}

impl Resolution {
    /// The resolution of a name, which ends at this time at the latest.
    pub fn new(name: Owner, rtype: Rtype, roots: Roots, deadline: Duration) -> Self {
        Self {
            roots,
            deadline,
            goals: vec![Goal::new(name, rtype)],
            pending: None,
            sent: 0,
            notes: Vec::new(),
            last_fault: None,
        }
    }

    /// Begins.
    pub fn start(&mut self, world: &mut World<'_>) -> Output {
        self.proceed(world)
    }

    /// How many queries it has sent.
    pub fn sent(&self) -> u32 {
        self.sent
    }

    /// What has happened since it was last asked.
    pub fn take_notes(&mut self) -> Vec<Note> {
        mem::take(&mut self.notes)
    }

    /// The query was not answered: in time ([`Fault::NoReply`]), or as the network says.
    pub fn failed(&mut self, fault: Fault, world: &mut World<'_>) -> Output {
        let Some(pending) = self.pending.take() else {
            return Output::Wait;
        };
        let server = pending.ask.server;
        world.cache.health.silent(server, world.now);
        if !matches!(fault, Fault::NoReply)
            && let Some(servers) = self.servers()
        {
            // The next query meets the same network.
            servers.end(server);
        }
        self.fault(Some(server), fault);
        self.proceed(world)
    }

    /// A message arrived from this address.
    pub fn received(&mut self, from: SocketAddr, message: &[u8], world: &mut World<'_>) -> Output {
        let Some(pending) = &mut self.pending else {
            return Output::Wait;
        };
        let server = pending.ask.server;
        let reply = match pending.check(from, message) {
            Ok(reply) => reply,
            Err(fault) => {
                pending.wrong += 1;
                let guessing = pending.wrong == MOST_WRONG;
                if pending.ask.transport == Transport::Tcp {
                    // Nobody else writes to a connection.
                    self.pending = None;
                    return self.useless(server, fault, world);
                }
                self.fault(Some(server), fault);
                if !guessing {
                    return Output::Wait;
                }
                self.fault(Some(server), Fault::Guessing);
                return self.same_server(Transport::Tcp, true, world);
            }
        };
        world.cache.health.answered(server);
        let Some(reply) = reply else {
            self.pending = None;
            return self.useless(server, Fault::Malformed, world);
        };
        let (edns, transport) = (pending.edns, pending.ask.transport);
        // FORMERR, NOTIMP and BADVERS are what servers say that do not know EDNS(0) (RFC 6891 section 7).
        if edns && matches!(reply.code, 1 | 4 | 16) {
            world.cache.health.plain(server, world.now);
            self.fault(Some(server), Fault::NoEdns);
            return self.same_server(transport, false, world);
        }
        if transport == Transport::Udp && message.len() > UDP_MAX.into() {
            self.fault(Some(server), Fault::TooLong(message.len()));
            return self.same_server(Transport::Tcp, edns, world);
        }
        if reply.truncated && transport == Transport::Udp {
            self.fault(Some(server), Fault::Truncated);
            return self.same_server(Transport::Tcp, edns, world);
        }
        self.pending = None;
        if reply.truncated {
            return self.useless(server, Fault::TruncatedOverTcp, world);
        }
        match self.digest(server, reply, world) {
            Some(output) => output,
            None => self.proceed(world),
        }
    }

    fn goal(&mut self) -> &mut Goal {
        self.goals.last_mut().expect("the name itself is the first")
    }

    fn servers(&mut self) -> Option<&mut Servers> {
        self.goal().servers.as_mut()
    }

    fn note(&mut self, note: Note) {
        if self.notes.len() < MOST_NOTES {
            self.notes.push(note);
        }
    }

    fn fault(&mut self, server: Option<SocketAddr>, fault: Fault) {
        if !fault.is_harmless() {
            self.last_fault = Some(match server {
                Some(server) => format!("{server}: {fault}"),
                None => fault.to_string(),
            });
        }
        self.note(Note::Fault(server, fault));
    }

    fn useless(&mut self, server: SocketAddr, fault: Fault, world: &mut World<'_>) -> Output {
        if let Some(servers) = self.servers() {
            servers.end(server);
        }
        self.fault(Some(server), fault);
        self.proceed(world)
    }

    /// Uses a reply. None when the resolution goes on.
    fn digest(
        &mut self,
        server: SocketAddr,
        reply: Reply,
        world: &mut World<'_>,
    ) -> Option<Output> {
        let goal = self.goal();
        let zone = goal.servers.as_ref()?.zone.clone();
        let (name, rtype) = (goal.name.clone(), goal.rtype);
        let Digested {
            passed,
            name,
            digest,
            faults,
        } = digest(reply, &zone, &name, rtype);
        for fault in faults {
            self.fault(Some(server), fault);
        }
        if let Digest::Useless(fault) = digest {
            return Some(self.useless(server, fault, world));
        }
        let (cache, now) = (&mut *world.cache, world.now);
        for alias in passed {
            if let Some(rank) = alias.rank {
                cache.add_records(alias.set.clone(), rank, now);
                // A CNAME record that a DNAME record makes is made again.
                if matches!(digest, Digest::LongAlias)
                    && alias.set.rtype == Rtype::DNAME
                    && super::digest::alias_of(&alias.set, &self.goal().name).is_none()
                {
                    self.goal().passed.push(alias.set);
                } else if let Err(no_end) = self.goal().follow(alias.set) {
                    return Some(self.end_of(Outcome::Failed(self.circle(no_end)), world));
                }
            }
        }
        let goal = self.goal();
        debug_assert!(matches!(digest, Digest::LongAlias) || goal.name == name);
        let outcome = match digest {
            Digest::Useless(_) => return None,
            Digest::Alias => {
                goal.servers = None;
                return None;
            }
            Digest::Referral(delegation, ttl) => {
                cache.add_delegation(delegation.clone(), ttl, now);
                self.ask_servers_of(delegation, false, world);
                return None;
            }
            Digest::MadeAlias => goal.clone().answer(Rcode::NOERROR, vec![], None),
            Digest::LongAlias => goal.clone().answer(Rcode::YXDOMAIN, vec![], None),
            Digest::Answer(sets, rank) => {
                for set in &sets {
                    cache.add_records(set.clone(), rank, now);
                }
                goal.clone().answer(Rcode::NOERROR, sets, None)
            }
            Digest::Negative { no_name, soa } => {
                let rtype = (!no_name).then_some(goal.rtype);
                let soa = soa.map(|soa| RrSet {
                    ttl: soa.negative_ttl().min(super::cache::LONGEST_NEGATIVE),
                    ..soa
                });
                if let Some(soa) = &soa {
                    cache.add_negative(&goal.name, rtype, soa.clone(), now);
                }
                let rcode = if no_name {
                    Rcode::NXDOMAIN
                } else {
                    Rcode::NOERROR
                };
                goal.clone().answer(rcode, vec![], soa)
            }
        };
        Some(self.end_of(Outcome::Answer(outcome), world))
    }

    /// The goal that is looked for now has ended; goes on with the one that needs it.
    fn end_of(&mut self, outcome: Outcome, world: &mut World<'_>) -> Output {
        match self.end(outcome) {
            Some(output) => output,
            None => self.proceed(world),
        }
    }

    fn end(&mut self, outcome: Outcome) -> Option<Output> {
        self.pending = None;
        if self.goals.len() < 2 {
            return Some(Output::Done(outcome));
        }
        let goal = self.goals.pop()?;
        let port = self.roots.port();
        let addresses: Vec<_> = match &outcome {
            Outcome::Answer(answer) => {
                let sets = answer.records.iter();
                let sets = sets.filter(|set| set.rtype == goal.rtype);
                sets.flat_map(RrSet::addresses).collect()
            }
            Outcome::Failed(_) => Vec::new(),
        };
        // A failure would repeat itself for the other type.
        let is_last = goal.rtype == Rtype::AAAA || matches!(outcome, Outcome::Failed(_));
        if addresses.is_empty() && is_last {
            self.fault(None, Fault::NoAddress(goal.asked.clone()));
        }
        let addresses = addresses.into_iter().map(|ip| SocketAddr::new(ip, port));
        if let Some(servers) = self.servers() {
            servers.found(&goal.asked, addresses, is_last);
        }
        None
    }

    fn circle(&self, no_end: NoEnd) -> String {
        let name = self.goals.last().map(|goal| &goal.asked);
        let name = name.map_or_else(String::new, ToString::to_string);
        match no_end {
            NoEnd::Circle => format!("the aliases of {name} form a circle"),
            NoEnd::TooMany => format!("more than {MOST_ALIASES} aliases lead on from {name}"),
        }
    }

    /// Goes on until there is something to send, or nothing more to do.
    fn proceed(&mut self, world: &mut World<'_>) -> Output {
        loop {
            match self.step(world) {
                Step::Again => {}
                Step::Output(output) => return output,
                Step::End(outcome) => {
                    if let Some(output) = self.end(outcome) {
                        return output;
                    }
                }
            }
        }
    }

    fn step(&mut self, world: &mut World<'_>) -> Step {
        if world.now >= self.deadline {
            return self.give_up("the time is over");
        }
        if self.goal().servers.is_none() {
            match self.ask_cache(world) {
                Some(step) => return step,
                None => self.closest(world),
            }
        }
        let mut faults = Vec::new();
        let servers = self.servers().expect("chosen above");
        let next = servers.next(&world.cache.health, world.now, &mut faults);
        for fault in faults {
            self.fault(None, fault);
        }
        match next {
            Next::Ask(server, tries) => {
                let edns = !world.cache.health.is_plain(server, world.now);
                Step::Output(self.ask(server, Transport::Udp, edns, tries, world))
            }
            Next::LookUp(server, rtype) => self.look_up(server, rtype),
            Next::None => self.no_server_left(world),
        }
    }

    fn look_up(&mut self, server: Owner, rtype: Rtype) -> Step {
        let is_needed = |goal: &Goal| goal.asked == server && goal.rtype == rtype;
        if self.goals.iter().any(is_needed) || self.goals.len() == MOST_GOALS {
            self.fault(None, Fault::Circle(server));
            return Step::Again;
        }
        let zone = self.servers().map(|servers| servers.zone.clone());
        if let Some(zone) = zone {
            let server = server.clone();
            self.note(Note::NeedsAddress { server, zone });
        }
        self.goals.push(Goal::new(server, rtype));
        Step::Again
    }

    /// The zone's servers are of no use. When they are those of the cache, the zone above may know others.
    fn no_server_left(&mut self, world: &mut World<'_>) -> Step {
        let is_first = self.goals.len() == 1;
        let goal = self.goal();
        let Some(servers) = goal.servers.take() else {
            return Step::Again;
        };
        if servers.from_cache && !goal.refreshed && is_first {
            goal.refreshed = true;
            world.cache.forget_delegation(&servers.zone);
            self.note(Note::OutOfDate(servers.zone));
            return Step::Again;
        }
        let zone = match servers.zone.as_slice() {
            [0] => "the root".to_owned(),
            _ => servers.zone.to_string(),
        };
        let why = match &self.last_fault {
            Some(fault) => format!("no server of {zone} answers ({fault})"),
            None => format!("no server of {zone} answers"),
        };
        Step::End(Outcome::Failed(why))
    }

    /// The whole resolution ends without an answer.
    fn give_up(&mut self, why: &str) -> Step {
        self.goals.truncate(1);
        self.pending = None;
        let why = match &self.last_fault {
            Some(fault) => format!("{why} ({fault})"),
            None => why.to_owned(),
        };
        Step::Output(Output::Done(Outcome::Failed(why)))
    }

    /// Asks the server that was asked last once more, in another way.
    fn same_server(&mut self, transport: Transport, edns: bool, world: &mut World<'_>) -> Output {
        match self.pending.take() {
            Some(pending) if world.now < self.deadline => {
                self.ask(pending.ask.server, transport, edns, 1, world)
            }
            _ => self.proceed(world),
        }
    }

    fn ask(
        &mut self,
        server: SocketAddr,
        transport: Transport,
        edns: bool,
        tries: u32,
        world: &mut World<'_>,
    ) -> Output {
        if self.sent == MOST_QUERIES {
            let why = format!("{MOST_QUERIES} queries did not find it");
            return match self.give_up(&why) {
                Step::Output(output) => output,
                _ => Output::Done(Outcome::Failed(why)),
            };
        }
        self.sent += 1;
        let id = (world.random)();
        let wait = FIRST_WAIT * (1 << tries.min(4));
        let until = self.deadline.min(world.now + wait);
        let goal = self.goal();
        let zone = match &mut goal.servers {
            Some(servers) => {
                servers.asked(server);
                servers.zone.clone()
            }
            None => Owner::from_wire(&[0]),
        };
        let ask = Ask {
            server,
            transport,
            message: query(id, &goal.name, goal.rtype, false, edns),
            zone,
            until,
        };
        self.pending = Some(Pending {
            ask: ask.clone(),
            id,
            edns,
            wrong: 0,
        });
        Output::Ask(ask)
    }
}
