//! Structured names, to compare with: a tree of name servers, each of which knows those below it, and the servers of the leaves
//! know where the entities are. Resolution is iterative (the asker goes from server to server) or recursive (each server
//! asks the next), with or without caches, as van Steen & Tanenbaum compare them ("Implementation of name resolution"); in
//! DNS see RFC 1034, section 4.3.1.
//!
//! A name's place in the tree is computed from the name, so that the same names can be looked up as in the other schemes.
//! Copies in caches do not expire: between two look-ups no time passes here. A timer of the kind `Maintain` empties them.

mod messages;

pub use self::messages::Payload;
use super::{
    Role, Scheme,
    cache::Cache,
    domains::{Domains, Level},
    entities::{Entities, Moves, Places, Request, asks, departs, finds, home, refuse_second},
    pending::{Number, Pending},
};
use crate::name::Name;
use common::process::{
    Command, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};

/// How names are resolved.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Settings {
    /// Whether servers ask one another, and not the asker all of them.
    pub recursive: bool,
    /// How many answers, and how many servers, each process caches.
    pub cache: usize,
    /// How many servers are below each.
    pub fanout: u32,
}

/// An asker with its resolver, and a name server of some domains.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Resolution {
    me: ProcessId,
    processes: usize,
    recursive: bool,
    domains: Domains,
    entities: Entities,
    /// The addresses for which this process is the authoritative server.
    addresses: Places,
    answers: Cache<Name, ProcessId>,
    /// The domains whose servers are known.
    servers: Cache<(Level, u32), ()>,
    pending: Pending<Query>,
}

/// A request that waits for an answer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct Query {
    name: Name,
    waiting: Waiting,
}

/// Who waits for the answer to a request.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Waiting {
    /// The application of this process.
    Application,
    /// Another process, which has this number for it.
    Other(ProcessId, Number),
}

impl Resolution {
    /// The authoritative server of a name.
    fn home(&self, name: &Name) -> ProcessId {
        home(name, self.processes)
    }

    /// The domain of this level in which the name is.
    fn domain(&self, level: Level, name: &Name) -> (Level, u32) {
        (level, self.domains.domain(level, self.home(name)))
    }

    fn server(&self, level: Level, name: &Name) -> ProcessId {
        let (level, domain) = self.domain(level, name);
        self.domains.host(level, domain)
    }

    /// The lowest level at which the server for a name is known, from this one on.
    fn known(&self, level: Level, name: &Name) -> Level {
        let lower = (0..level).find(|lower| self.servers.get(&self.domain(*lower, name)).is_some());
        lower.unwrap_or(level)
    }

    /// The domains from this level down to the name are known from now on.
    fn learn_servers(&mut self, from: Level, name: &Name) {
        for level in 0..=from {
            let domain = self.domain(level, name);
            self.servers.insert(domain, ());
        }
    }

    fn look_up(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        asks(&name, out)?;
        if self.entities.has(&name) {
            return finds(&name, Some(self.me), out);
        }
        if let Some(at) = self.answers.get(&name) {
            return finds(&name, Some(*at), out);
        }
        let query = Query {
            name: name.clone(),
            waiting: Waiting::Application,
        };
        let number = self.pending.begin(query, out);
        self.begin(name, number, false, out)
    }

    /// Asks the root, or of the servers that are known the nearest to the name. With recursion the servers are what knows.
    fn begin(
        &mut self,
        name: Name,
        number: Number,
        uncached: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let root = self.domains.root();
        let level = match self.recursive || uncached {
            true => root,
            false => self.known(root, &name),
        };
        self.ask(level, name, number, out)
    }

    /// Asks the server of this level, which may be this process.
    fn ask(
        &mut self,
        level: Level,
        name: Name,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let server = self.server(level, &name);
        if server == self.me {
            return match self.below(level, &name) {
                None => {
                    let at = self.addresses.get(&name);
                    self.answered(number, at, out)
                }
                Some(level) => self.ask(level, name, number, out),
            };
        }
        let message = match self.recursive {
            true => Payload::Resolve(name, level, number),
            false => Payload::Ask(name, level, number),
        };
        out.send(To::One(server), message).map(drop)
    }

    /// The level to ask after this one, of which this process is the server; None when it has the addresses itself.
    fn below(&self, level: Level, name: &Name) -> Option<Level> {
        let mut level = level;
        while level > 0 && self.server(level, name) == self.me {
            level -= 1;
        }
        let is_last = level == 0 && self.home(name) == self.me;
        (!is_last).then_some(level)
    }

    fn answered(
        &mut self,
        number: Number,
        at: Option<ProcessId>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(open) = self.pending.finish(number) else {
            return Ok(());
        };
        let Query { name, waiting, .. } = open.with;
        if let Some(at) = at {
            self.answers.insert(name.clone(), at);
        }
        match waiting {
            Waiting::Application => finds(&name, at, out),
            Waiting::Other(asker, number) => out
                .send(To::One(asker), Payload::Address(at, number))
                .map(drop),
        }
    }

    /// Answers another process's recursive request.
    fn resolve(
        &mut self,
        from: ProcessId,
        name: Name,
        level: Level,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let known = match self.below(level, &name) {
            None => Some(self.addresses.get(&name)),
            Some(_) => self.answers.get(&name).map(|at| Some(*at)),
        };
        if let Some(at) = known {
            return out
                .send(To::One(from), Payload::Address(at, number))
                .map(drop);
        }
        let below = self.below(level, &name).unwrap_or_default();
        let below = self.known(below, &name);
        let query = Query {
            name: name.clone(),
            waiting: Waiting::Other(from, number),
        };
        let number = self.pending.begin(query, out);
        self.ask(below, name, number, out)
    }

    /// An entity is here: the authoritative server must know.
    fn arrive(
        &mut self,
        name: Name,
        moves: Moves,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.entities.arrive(&name, moves, self.me, out)?;
        match self.home(&name) {
            home if home == self.me => self.addresses.learn(name, self.me, moves, out),
            home => out
                .send(To::One(home), Payload::Update(name, moves))
                .map(drop),
        }
    }
}

impl Process for Resolution {
    type Message = Payload;
    type Settings = Settings;

    fn new(me: ProcessId, processes: usize, settings: &Settings) -> Self {
        Self {
            me,
            processes,
            recursive: settings.recursive,
            domains: Domains::new(processes, settings.fanout),
            entities: Entities::default(),
            addresses: Places::default(),
            answers: Cache::new(settings.cache),
            servers: Cache::new(settings.cache),
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
            // No process of this tree sends that.
            Payload::Ask(_, level, _) | Payload::Resolve(_, level, _)
                if level > self.domains.root() =>
            {
                Ok(())
            }
            Payload::Ask(name, level, number) => {
                let answer = match self.below(level, &name) {
                    None => Payload::Address(self.addresses.get(&name), number),
                    Some(level) => Payload::Referral(level, number),
                };
                out.send(To::One(from), answer).map(drop)
            }
            Payload::Resolve(name, level, number) => self.resolve(from, name, level, number, out),
            Payload::Referral(level, number) => {
                let Some(open) = self.pending.step(number) else {
                    return Ok(());
                };
                let name = open.with.name.clone();
                // A referral leads down, or it is none.
                if level >= self.domains.root() {
                    return self.answered(number, None, out);
                }
                let domain = self.domain(level, &name);
                self.servers.insert(domain, ());
                self.ask(level, name, number, out)
            }
            Payload::Address(at, number) => {
                if self.recursive
                    && let Some(open) = self.pending.get(number)
                    && open.with.waiting != Waiting::Application
                {
                    let name = open.with.name.clone();
                    self.learn_servers(self.domains.root(), &name);
                }
                self.answered(number, at, out)
            }
            Payload::Update(name, moves) => {
                self.addresses.learn(name.clone(), from, moves, out)?;
                out.send(To::One(from), Payload::Updated(name)).map(drop)
            }
            Payload::Remove(name, moves) => {
                self.addresses.forget(&name, moves, out)?;
                out.send(To::One(from), Payload::Updated(name)).map(drop)
            }
            Payload::Updated(_) => Ok(()),
            Payload::Transfer(name, moves) => self.arrive(name, moves, out),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
            TimerKind::Maintain => {
                self.answers.clear();
                self.servers.clear();
            }
            TimerKind::Timeout => {
                for number in self.pending.expired() {
                    let again = self.pending.again(number);
                    let Some(open) = self.pending.get(number) else {
                        continue;
                    };
                    let name = open.with.name.clone();
                    match (open.with.waiting, again) {
                        (Waiting::Application, true) => self.begin(name, number, true, out)?,
                        (Waiting::Application, false) => self.answered(number, None, out)?,
                        // Who waits for another asks again by itself.
                        (Waiting::Other(..), _) => drop(self.pending.finish(number)),
                    }
                }
                self.pending.wait(out);
            }
            TimerKind::Think | TimerKind::Work => {}
        }
        Ok(())
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        match Request::of(command, self.me, self.processes)? {
            Request::LookUp(name) => self.look_up(name, out)?,
            Request::Insert(name) => {
                refuse_second(&self.entities, &name)?;
                self.arrive(name, 0, out)?;
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                self.answers.insert(name.clone(), to);
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => {
                let moves = self.entities.delete(&name, out)?;
                match self.home(&name) {
                    home if home == self.me => self.addresses.forget(&name, moves, out)?,
                    home => drop(out.send(To::One(home), Payload::Remove(name, moves))?),
                }
            }
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let here = self.entities.names().map(|name| format!("{name}: here"));
        let addresses = self.addresses.iter();
        let addresses = addresses.map(|(name, at)| format!("{name}: address {}", names.of(at)));
        let asked = self.pending.iter();
        let asked = asked.map(|(_, open)| format!("{}: asked for", open.with.name));
        here.chain(addresses).chain(asked).collect()
    }
}

impl Scheme for Resolution {
    fn entries(&self) -> usize {
        self.entities.count() + self.addresses.count() + self.answers.len() + self.servers.len()
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::Ask(..) | Payload::Resolve(..) | Payload::Update(..) | Payload::Remove(..) => {
                Role::Request
            }
            Payload::Referral(..) | Payload::Address(..) | Payload::Updated(_) => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}
