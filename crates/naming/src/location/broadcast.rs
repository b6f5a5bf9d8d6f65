//! Location by broadcast: who looks for an entity asks all processes, and the one where it is answers, as ARP does in a local
//! network (RFC 826).

use common::process::{
    Command, Message, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};
use serde::{Deserialize, Serialize};

use super::{
    Role, Scheme,
    entities::{Entities, Moves, Request, asks, departs, finds, refuse_second},
    pending::{Number, Pending},
};
use crate::name::Name;

/// A process that asks all others. Nobody has to know anything, and a move costs nothing; but every process reads every
/// request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Broadcast {
    me: ProcessId,
    processes: usize,
    entities: Entities,
    pending: Pending<Name>,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// Who has the entity with this name?
    WhoHas(Name, Number),
    /// The entity that the request with this number is about is here.
    IsHere(Number),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::WhoHas(..) => "who-has",
            Self::IsHere(_) => "is-here",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::WhoHas(name, _) | Self::Transfer(name, _) => name.to_string(),
            Self::IsHere(_) => String::new(),
        }
    }
}

impl Broadcast {
    fn look_up(&mut self, name: Name, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        asks(&name, out)?;
        if self.entities.has(&name) || self.processes == 1 {
            let at = self.entities.has(&name).then_some(self.me);
            return finds(&name, at, out);
        }
        let number = self.pending.begin(name.clone(), out);
        out.send(To::All, Payload::WhoHas(name, number)).map(drop)
    }
}

impl Process for Broadcast {
    type Message = Payload;
    type Settings = ();

    fn new(me: ProcessId, processes: usize, (): &()) -> Self {
        Self {
            me,
            processes,
            entities: Entities::default(),
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
            Payload::WhoHas(name, number) if self.entities.has(&name) => {
                out.send(To::One(from), Payload::IsHere(number)).map(drop)
            }
            Payload::WhoHas(..) => Ok(()),
            Payload::IsHere(number) => self.pending.found(number, Some(from), out),
            Payload::Transfer(name, moves) => self.entities.arrive(&name, moves, self.me, out),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if kind != TimerKind::Timeout {
            return Ok(());
        }
        for number in self.pending.expired() {
            if let Some(name) = self.pending.retry(number, out)? {
                out.send(To::All, Payload::WhoHas(name, number))?;
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
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => drop(self.entities.delete(&name, out)?),
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.pending.is_empty()
    }

    fn queue(&self, _names: &Names) -> Vec<String> {
        let here = self.entities.names().map(|name| format!("{name}: here"));
        let asked = self.pending.iter();
        let asked = asked.map(|(_, open)| format!("{}: asked for", open.with));
        here.chain(asked).collect()
    }
}

impl Scheme for Broadcast {
    fn entries(&self) -> usize {
        self.entities.count()
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::WhoHas(..) => Role::Request,
            Payload::IsHere(_) => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}
