//! A hierarchical location service: each domain of a tree has a directory node, which knows for every entity in its domain in
//! which of its subdomains it is (van Steen, Hauck, Homburg & Tanenbaum 1998, "Locating Objects in Wide-Area Systems"). A
//! look-up goes up until a directory node knows the entity, and from there down.

use std::collections::BTreeMap;

use common::process::{
    Command, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    Role, Scheme,
    domains::{Domains, Level},
    entities::{Entities, Moves, Request, asks, departs, finds, refuse_second, stores},
    pending::{Number, Pending},
};
use crate::name::Name;

/// The tree of domains: how many subdomains a domain has.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Fanout(pub u32);

/// Four: 2^14 processes have seven levels above them.
impl Default for Fanout {
    fn default() -> Self {
        Self(4)
    }
}

/// A process: a leaf domain of its own, and host of the directory nodes of some domains that it is in.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Hierarchy {
    me: ProcessId,
    processes: usize,
    domains: Domains,
    /// The contact records: what the directory node of the leaf domain knows.
    entities: Entities,
    /// The location records of the directory nodes that this process hosts: for an entity the subdomains in which it is, the
    /// newest last. There are two while it moves.
    records: BTreeMap<(Level, Name), SmallVec<[u32; 2]>>,
    pending: Pending<Name>,
}

/// A look-up under way.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Search {
    /// The name.
    pub name: Name,
    /// Who looks for it.
    pub asker: ProcessId,
    /// The asker's number of the request.
    pub number: Number,
    /// The level of the directory node that is asked.
    pub level: Level,
    /// Whether it follows pointers already.
    pub down: bool,
}

/// An entity that has come into a domain.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Arrival {
    /// Where it is.
    pub at: ProcessId,
    /// Where it was before; None when it has come into being.
    pub from: Option<ProcessId>,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// A look-up, up or down the tree.
    Find(Search),
    /// The entity that the request with this number is about is here.
    IsHere(Number),
    /// No directory node knows the entity of this request.
    Unknown(Number),
    /// To the directory node of this level: the entity is in this subdomain, where it has arrived.
    Insert(Name, Level, u32, Arrival),
    /// To the directory node of this level: the entity is not in this subdomain any more.
    Delete(Name, Level, u32),
    /// To where the entity was: its new place is known now, so forget it there.
    Release(Name),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Find(Search { down: false, .. }) => "find",
            Self::Find(Search { down: true, .. }) => "follow",
            Self::IsHere(_) => "is-here",
            Self::Unknown(_) => "unknown",
            Self::Insert(..) => "insert",
            Self::Delete(..) => "delete",
            Self::Release(_) => "release",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Find(Search { name, level, .. })
            | Self::Insert(name, level, ..)
            | Self::Delete(name, level, _) => format!("{name} at level {level}"),
            Self::Release(name) | Self::Transfer(name, _) => name.to_string(),
            Self::IsHere(_) | Self::Unknown(_) => String::new(),
        }
    }
}

/// A change of the location records.
#[derive(Clone, Copy, PartialEq)]
enum Change {
    Insert(Arrival),
    Delete,
}

impl Hierarchy {
    /// The host of the directory node of this level that is responsible for this process.
    fn directory(&self, level: Level) -> ProcessId {
        self.domains
            .host(level, self.domains.domain(level, self.me))
    }

    fn look_up(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        asks(&name, out)?;
        if self.entities.has(&name) || self.domains.root() == 0 {
            let at = self.entities.has(&name).then_some(self.me);
            return finds(&name, at, out);
        }
        let number = self.pending.begin(name.clone(), out);
        self.ask(name, number, out)
    }

    fn ask(
        &mut self,
        name: Name,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let search = Search {
            name,
            asker: self.me,
            number,
            level: 1,
            down: false,
        };
        match self.directory(1) {
            host if host == self.me => self.find(search, out),
            host => out.send(To::One(host), Payload::Find(search)).map(drop),
        }
    }

    /// Looks at the directory nodes that this process hosts, one after another, and passes the look-up on.
    fn find(&mut self, mut search: Search, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        loop {
            let (level, host) = if search.level == 0 {
                return match self.entities.has(&search.name) {
                    true => self.answer(&search, true, out),
                    // It has just left: the asker asks again.
                    false => Ok(()),
                };
            } else if let Some(known) = self.records.get(&(search.level, search.name.clone())) {
                search.down = true;
                let below = search.level - 1;
                let newest = known.last().copied().unwrap_or_default();
                (below, self.domains.host(below, newest))
            } else if search.down {
                // A pointer that is just being removed.
                return Ok(());
            } else if search.level == self.domains.root() {
                return self.answer(&search, false, out);
            } else {
                (search.level + 1, self.directory(search.level + 1))
            };
            search.level = level;
            if host != self.me {
                return out.send(To::One(host), Payload::Find(search)).map(drop);
            }
        }
    }

    fn answer(
        &mut self,
        search: &Search,
        is_here: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if search.asker == self.me {
            return self
                .pending
                .found(search.number, is_here.then_some(self.me), out);
        }
        let answer = match is_here {
            true => Payload::IsHere(search.number),
            false => Payload::Unknown(search.number),
        };
        out.send(To::One(search.asker), answer).map(drop)
    }

    /// Tells the directory nodes above, from the leaf domain on, that an entity has come or gone.
    fn changes(
        &mut self,
        change: Change,
        name: Name,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let child = self.domains.domain(0, self.me);
        self.pass_up(change, name, 1, child, out)
    }

    fn pass_up(
        &mut self,
        change: Change,
        name: Name,
        level: Level,
        child: u32,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if level > self.domains.root() {
            return self.is_known(change, name, out);
        }
        let message = match (self.directory(level), change) {
            (host, _) if host == self.me => return self.change(change, name, level, child, out),
            (host, Change::Insert(arrival)) => (host, Payload::Insert(name, level, child, arrival)),
            (host, Change::Delete) => (host, Payload::Delete(name, level, child)),
        };
        out.send(To::One(message.0), message.1).map(drop)
    }

    /// Changes a record here, and the one above if that does not know yet.
    fn change(
        &mut self,
        change: Change,
        name: Name,
        level: Level,
        child: u32,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let record = self.records.entry((level, name.clone())).or_default();
        let was_known = !record.is_empty();
        record.retain(|known| *known != child);
        if change != Change::Delete {
            record.push(child);
        }
        let is_known = !record.is_empty();
        if !is_known {
            self.records.remove(&(level, name.clone()));
        }
        if was_known == is_known {
            return self.is_known(change, name, out);
        }
        let domain = self.domains.domain(level, self.me);
        self.pass_up(change, name, level + 1, domain, out)
    }

    /// The directory nodes above know of the change already: look-ups from everywhere come to the new place. Only now the pointers
    /// to the old one are removed, so that there is a way to the entity at any time.
    fn is_known(
        &mut self,
        change: Change,
        name: Name,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Change::Insert(Arrival { at, from }) = change else {
            return Ok(());
        };
        stores(&name, Some(at), out)?;
        match from {
            Some(from) if from == self.me => self.release(name, out),
            Some(from) => out.send(To::One(from), Payload::Release(name)).map(drop),
            None => Ok(()),
        }
    }

    /// Removes the pointers to this process, unless the entity has come back.
    fn release(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match self.entities.has(&name) {
            true => Ok(()),
            false => self.changes(Change::Delete, name, out),
        }
    }
}

impl Process for Hierarchy {
    type Message = Payload;
    type Settings = Fanout;

    fn new(me: ProcessId, processes: usize, fanout: &Fanout) -> Self {
        Self {
            me,
            processes,
            domains: Domains::new(processes, fanout.0),
            entities: Entities::default(),
            records: BTreeMap::new(),
            pending: Pending::default(),
        }
    }

    fn start(&mut self, _out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message.content {
            // No process of this tree sends these.
            Payload::Find(Search { level, asker, .. })
                if level > self.domains.root() || !self.domains.has_process(asker) =>
            {
                Ok(())
            }
            Payload::Insert(_, level, child, _) | Payload::Delete(_, level, child)
                if level == 0 || !self.domains.has(level - 1, child) =>
            {
                Ok(())
            }
            Payload::Insert(.., Arrival { at, from })
                if [Some(at), from]
                    .into_iter()
                    .flatten()
                    .any(|process| !self.domains.has_process(process)) =>
            {
                Ok(())
            }
            Payload::Find(search) => self.find(search, out),
            Payload::IsHere(number) => self.pending.found(number, Some(from), out),
            Payload::Unknown(number) => self.pending.found(number, None, out),
            Payload::Insert(name, level, child, arrival) => {
                self.change(Change::Insert(arrival), name, level, child, out)
            }
            Payload::Delete(name, level, child) => {
                self.change(Change::Delete, name, level, child, out)
            }
            Payload::Release(name) => self.release(name, out),
            Payload::Transfer(name, moves) => {
                self.entities.arrive(&name, moves, self.me, out)?;
                let arrival = Arrival {
                    at: self.me,
                    from: Some(from),
                };
                self.changes(Change::Insert(arrival), name, out)
            }
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if kind != TimerKind::Timeout {
            return Ok(());
        }
        for number in self.pending.expired() {
            if let Some(name) = self.pending.retry(number, out)? {
                self.ask(name, number, out)?;
            }
        }
        self.pending.wait(out);
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match Request::of(command, self.me, self.processes)? {
            Request::LookUp(name) => self.look_up(name, out)?,
            Request::Insert(name) => {
                refuse_second(&self.entities, &name)?;
                self.entities.arrive(&name, 0, self.me, out)?;
                let arrival = Arrival {
                    at: self.me,
                    from: None,
                };
                self.changes(Change::Insert(arrival), name, out)?;
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => {
                self.entities.delete(&name, out)?;
                self.changes(Change::Delete, name, out)?;
            }
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn queue(&self, _names: &Names) -> Vec<String> {
        let here = self.entities.names().map(|name| format!("{name}: here"));
        let records = self.records.iter();
        let records = records.map(|((level, name), known)| {
            let known: Vec<_> = known.iter().map(u32::to_string).collect();
            format!(
                "{name}: at level {level} in subdomain {}",
                known.join(" and ")
            )
        });
        let asked = self.pending.iter();
        let asked = asked.map(|(_, open)| format!("{}: asked for", open.with));
        here.chain(records).chain(asked).collect()
    }
}

impl Scheme for Hierarchy {
    fn entries(&self) -> usize {
        self.entities.count() + self.records.len()
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::Find(_) | Payload::Insert(..) | Payload::Delete(..) | Payload::Release(_) => {
                Role::Request
            }
            Payload::IsHere(_) | Payload::Unknown(_) => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}
