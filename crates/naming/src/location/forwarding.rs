//! Forwarding pointers: an entity that moves leaves a pointer to its next place behind (Fowler 1985, "The Complexity of Using
//! Forwarding Addresses for Decentralized Object Finding"). A look-up follows the chain, from the place where the entity
//! came into being, and may shorten it (van Steen & Tanenbaum, section "Forwarding pointers").

use std::collections::BTreeMap;

use common::process::{
    Command, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::{
    Role, Scheme,
    entities::{Entities, Moves, Request, asks, departs, finds, home, refuse_second},
    pending::{Number, Pending},
};
use crate::name::Name;

/// What a look-up does with the chain that it has followed.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Shortening {
    /// Nothing: chains grow with every move.
    None,
    /// Every process on the way learns the place where the entity is (path compression).
    #[default]
    Chain,
}

/// A process that keeps pointers.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Forwarding {
    me: ProcessId,
    processes: usize,
    shortening: Shortening,
    entities: Entities,
    /// Where entities were after this number of moves. A pointer leads to a place after more moves than any pointer that leads here,
    /// so that pointers never form a circle.
    pointers: BTreeMap<Name, (ProcessId, Moves)>,
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
    /// The processes on the way, where they are to learn the place.
    pub way: Vec<ProcessId>,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// Along the chain.
    Find(Search),
    /// The entity is here after this number of moves; with the request's number.
    IsHere(Number, Moves),
    /// The chain of this request ends without the entity.
    Unknown(Number),
    /// The entity is at the sender after this number of moves.
    Shorten(Name, Moves),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Find(_) => "find",
            Self::IsHere(..) => "is-here",
            Self::Unknown(_) => "unknown",
            Self::Shorten(..) => "shorten",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Find(Search { name, .. }) | Self::Shorten(name, _) | Self::Transfer(name, _) => {
                name.to_string()
            }
            Self::IsHere(..) | Self::Unknown(_) => String::new(),
        }
    }
}

impl Forwarding {
    /// Where the pointer of this process leads, or without one the place where the entity came into being.
    fn next(&self, name: &Name) -> Option<ProcessId> {
        let home = home(name, self.processes);
        match self.pointers.get(name) {
            Some((at, _)) => Some(*at),
            None => (home != self.me).then_some(home),
        }
    }

    /// Where the pointer of this process leads, if it has one.
    pub fn points_to(&self, name: &Name) -> Option<ProcessId> {
        self.pointers.get(name).map(|(at, _)| *at)
    }

    fn look_up(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        asks(&name, out)?;
        if self.entities.has(&name) {
            return finds(&name, Some(self.me), out);
        }
        if self.next(&name).is_none() {
            return finds(&name, None, out);
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
        let Some(next) = self.next(&name) else {
            return self.pending.found(number, None, out);
        };
        let search = Search {
            name,
            asker: self.me,
            number,
            way: Vec::new(),
        };
        out.send(To::One(next), Payload::Find(search)).map(drop)
    }

    fn find(
        &mut self,
        mut search: Search,
        from: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Search { asker, number, .. } = search;
        if let Some(moves) = self.entities.moves(&search.name) {
            // It may have come to the asker itself meanwhile.
            match asker == self.me {
                true => self.pending.found(number, Some(self.me), out)?,
                false => drop(out.send(To::One(asker), Payload::IsHere(number, moves))?),
            }
            // The last of the way has a pointer to this process already.
            let way = search.way.into_iter();
            for process in way.filter(|other| *other != from && *other != self.me) {
                let shorten = Payload::Shorten(search.name.clone(), moves);
                out.send(To::One(process), shorten)?;
            }
            return Ok(());
        }
        let Some((next, _)) = self.pointers.get(&search.name) else {
            return match asker == self.me {
                true => self.pending.found(number, None, out),
                false => out.send(To::One(asker), Payload::Unknown(number)).map(drop),
            };
        };
        let next = To::One(*next);
        if self.shortening == Shortening::Chain && self.me != search.asker {
            search.way.push(self.me);
        }
        out.send(next, Payload::Find(search)).map(drop)
    }

    /// Learns a place, unless a newer one is known.
    fn learn(&mut self, name: Name, at: ProcessId, moves: Moves) {
        if self.entities.has(&name) {
            return;
        }
        let pointer = self.pointers.entry(name).or_insert((at, moves));
        if pointer.1 < moves {
            *pointer = (at, moves);
        }
    }
}

impl Process for Forwarding {
    type Message = Payload;
    type Settings = Shortening;

    fn new(me: ProcessId, processes: usize, shortening: &Shortening) -> Self {
        Self {
            me,
            processes,
            shortening: *shortening,
            entities: Entities::default(),
            pointers: BTreeMap::new(),
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
            // No process of this group sends that.
            Payload::Find(Search { asker, ref way, .. })
                if asker.index() >= self.processes
                    || way.iter().any(|process| process.index() >= self.processes) =>
            {
                Ok(())
            }
            Payload::Find(search) => self.find(search, from, out),
            Payload::IsHere(number, moves) => {
                if self.shortening == Shortening::Chain
                    && let Some(open) = self.pending.get(number)
                {
                    let name = open.with.clone();
                    self.learn(name, from, moves);
                }
                self.pending.found(number, Some(from), out)
            }
            Payload::Unknown(number) => self.pending.found(number, None, out),
            Payload::Shorten(name, moves) => {
                self.learn(name, from, moves);
                Ok(())
            }
            Payload::Transfer(name, moves) => {
                self.pointers.remove(&name);
                self.entities.arrive(&name, moves, self.me, out)
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
                // It comes into being where every look-up starts.
                let home = home(&name, self.processes);
                if home != self.me {
                    let why =
                        format!("{name} comes into being at {home}: insert it there, and move it");
                    return Err(Refusal::Invalid(why));
                }
                self.entities.arrive(&name, 0, self.me, out)?;
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                self.pointers.insert(name.clone(), (to, moves));
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => drop(self.entities.delete(&name, out)?),
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let here = self.entities.names().map(|name| format!("{name}: here"));
        let pointers = self.pointers.iter();
        let pointers =
            pointers.map(|(name, (at, _))| format!("{name}: pointer to {}", names.of(*at)));
        let asked = self.pending.iter();
        let asked = asked.map(|(_, open)| format!("{}: asked for", open.with));
        here.chain(pointers).chain(asked).collect()
    }
}

impl Scheme for Forwarding {
    fn entries(&self) -> usize {
        self.entities.count() + self.pointers.len()
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::Find(_) => Role::Request,
            Payload::IsHere(..) | Payload::Unknown(_) | Payload::Shorten(..) => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}

#[cfg(test)]
mod tests {
    use common::process::{Action, Meaning, Value, clocked::Clocked};

    use super::*;

    #[test]
    fn an_entity_that_comes_to_its_asker_is_found_there() {
        let name = Name::new("server1").unwrap();
        let home = home(&name, 3);
        let (me, from) = (ProcessId((home.0 + 1) % 3), ProcessId((home.0 + 2) % 3));
        let mut asker = Clocked::<Forwarding>::new(me, 3, &Shortening::Chain);
        let mut actions = Vec::new();
        let look_up = Command::LookUp(name.to_string());
        asker.command(look_up, &mut actions).unwrap();
        let search = Search {
            name: name.clone(),
            asker: me,
            number: 1,
            way: vec![home, me],
        };
        // While its request follows the chain, the entity moves along it to the asker.
        for content in [Payload::Transfer(name.clone(), 2), Payload::Find(search)] {
            actions.clear();
            let message = Stamped { time: 1, content };
            asker.receive(from, message, &mut actions).unwrap();
        }
        let (mut found, mut receivers) = (None, Vec::new());
        for action in &actions {
            if let Action::Event { meaning, send, .. } = action {
                found = found.or(meaning.clone());
                receivers.extend(send.as_ref().map(|(to, _)| *to));
            }
        }
        let place = Value::Place(me);
        assert_eq!(found, Some(Meaning::Found(name.to_string(), place)));
        assert_eq!(receivers, [To::One(home)], "no message to itself");
    }
}
