//! The home-based approach: an entity has a home that every process can compute from its name, and which knows where the entity is.
//! So Mobile IP does (RFC 5944): the home agent keeps the care-of address of a host that is away, and passes on what arrives
//! for it.

use common::process::{
    Command, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::{
    Role, Scheme,
    entities::{Entities, Moves, Places, Request, asks, departs, finds, home, refuse_second},
    pending::{Number, Pending},
};
use crate::name::Name;

/// A process that is the home of the entities whose names say so, and hosts entities of other homes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct HomeBased {
    me: ProcessId,
    processes: usize,
    entities: Entities,
    /// Where the entities are whose home this process is, each after this number of moves: the mobility bindings (section 1.6).
    bindings: Places,
    pending: Pending<Name>,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// To the home, and from there to where the entity is: this process looks for it.
    Find(Name, ProcessId, Number),
    /// The entity that the request with this number is about is here.
    IsHere(Number),
    /// The home does not know the entity of this request.
    Unknown(Number),
    /// A registration request: the entity is at the sender, after this number of moves.
    Register(Name, Moves),
    /// The same, of an entity that does not exist any more.
    Deregister(Name, Moves),
    /// The registration reply.
    Registered(Name),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Find(..) => "find",
            Self::IsHere(_) => "is-here",
            Self::Unknown(_) => "unknown",
            Self::Register(..) => "register",
            Self::Deregister(..) => "deregister",
            Self::Registered(_) => "registered",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Find(name, ..)
            | Self::Register(name, _)
            | Self::Deregister(name, _)
            | Self::Registered(name)
            | Self::Transfer(name, _) => name.to_string(),
            Self::IsHere(_) | Self::Unknown(_) => String::new(),
        }
    }
}

impl HomeBased {
    fn home(&self, name: &Name) -> ProcessId {
        home(name, self.processes)
    }

    fn look_up(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        asks(&name, out)?;
        if self.entities.has(&name) {
            return finds(&name, Some(self.me), out);
        }
        let number = self.pending.begin(name.clone(), out);
        self.ask(name, number, out)
    }

    /// Asks the home.
    fn ask(
        &mut self,
        name: Name,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match self.home(&name) {
            home if home == self.me => self.find(name, self.me, number, out),
            home => out
                .send(To::One(home), Payload::Find(name, self.me, number))
                .map(drop),
        }
    }

    /// Answers a request, or passes it on.
    fn find(
        &mut self,
        name: Name,
        asker: ProcessId,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if self.entities.has(&name) {
            return self.answer(asker, Payload::IsHere(number), out);
        }
        match self.bindings.get(&name) {
            Some(at) if at != self.me => {
                let to = To::One(at);
                out.send(to, Payload::Find(name, asker, number)).map(drop)
            }
            // Its registration is on the way: the asker asks again.
            Some(_) => Ok(()),
            None if self.home(&name) == self.me => {
                self.answer(asker, Payload::Unknown(number), out)
            }
            // It has left, and its home will know.
            None => Ok(()),
        }
    }

    fn answer(
        &mut self,
        asker: ProcessId,
        answer: Payload,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if asker != self.me {
            return out.send(To::One(asker), answer).map(drop);
        }
        let (Payload::IsHere(number) | Payload::Unknown(number)) = answer else {
            return Ok(());
        };
        let at = matches!(answer, Payload::IsHere(_)).then_some(self.me);
        self.pending.found(number, at, out)
    }

    /// An entity is here: its home must know.
    fn arrive(
        &mut self,
        name: Name,
        moves: Moves,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.entities.arrive(&name, moves, self.me, out)?;
        match self.home(&name) {
            home if home == self.me => self.bindings.learn(name, self.me, moves, out),
            home => out
                .send(To::One(home), Payload::Register(name, moves))
                .map(drop),
        }
    }
}

impl Process for HomeBased {
    type Message = Payload;
    type Settings = ();

    fn new(me: ProcessId, processes: usize, (): &()) -> Self {
        Self {
            me,
            processes,
            entities: Entities::default(),
            bindings: Places::default(),
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
            Payload::Find(_, asker, _) if asker.index() >= self.processes => Ok(()),
            Payload::Find(name, asker, number) => self.find(name, asker, number, out),
            Payload::IsHere(number) => self.pending.found(number, Some(from), out),
            Payload::Unknown(number) => self.pending.found(number, None, out),
            Payload::Register(name, moves) => {
                self.bindings.learn(name.clone(), from, moves, out)?;
                out.send(To::One(from), Payload::Registered(name)).map(drop)
            }
            Payload::Deregister(name, moves) => {
                self.bindings.forget(&name, moves, out)?;
                out.send(To::One(from), Payload::Registered(name)).map(drop)
            }
            Payload::Registered(_) => Ok(()),
            Payload::Transfer(name, moves) => self.arrive(name, moves, out),
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
                self.arrive(name, 0, out)?;
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => {
                let moves = self.entities.delete(&name, out)?;
                match self.home(&name) {
                    home if home == self.me => self.bindings.forget(&name, moves, out)?,
                    home => drop(out.send(To::One(home), Payload::Deregister(name, moves))?),
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
        let bindings = self.bindings.iter();
        let bindings =
            bindings.map(|(name, at)| format!("{name}: at home here, now at {}", names.of(at)));
        let asked = self.pending.iter();
        let asked = asked.map(|(_, open)| format!("{}: asked for", open.with));
        here.chain(bindings).chain(asked).collect()
    }
}

impl Scheme for HomeBased {
    fn entries(&self) -> usize {
        self.entities.count() + self.bindings.count()
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::Find(..) | Payload::Register(..) | Payload::Deregister(..) => Role::Request,
            Payload::IsHere(_) | Payload::Unknown(_) | Payload::Registered(_) => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}
