//! What every scheme has in common: the entities that are at a process, which come and go, and the events of a look-up.

use std::collections::BTreeMap;

use common::process::{
    Command, Meaning, Outbox, Refusal, To, Value, clock::Overflow, ids::ProcessId,
};

use super::circle;
use crate::name::Name;

/// How often an entity has moved. Of two places of an entity, the one after more moves is the newer one.
pub type Moves = u32;

/// The entities that are at a process.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Entities(BTreeMap<Name, Moves>);

impl Entities {
    /// Whether the entity with this name is here.
    pub fn has(&self, name: &Name) -> bool {
        self.0.contains_key(name)
    }

    /// How often the entity with this name has moved, if it is here.
    pub fn moves(&self, name: &Name) -> Option<Moves> {
        self.0.get(name).copied()
    }

    /// How many are here.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }

    /// Each with the number of its moves.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, Moves)> {
        self.0.iter().map(|(name, moves)| (name, *moves))
    }

    /// An entity is here from now on.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn arrive<M>(
        &mut self,
        name: &Name,
        moves: Moves,
        me: ProcessId,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        self.0.insert(name.clone(), moves);
        let meaning = Meaning::Insert(name.to_string(), Value::Place(me));
        out.local(meaning).map(drop)
    }

    /// An entity goes to another process with this message; returns the number of its moves, this one included.
    ///
    /// # Errors
    /// When it is not here.
    pub fn depart(&mut self, name: &Name) -> Result<Moves, Refusal> {
        let moves = self.0.remove(name).ok_or_else(|| absent(name))?;
        Ok(moves + 1)
    }

    /// An entity does not exist any more.
    ///
    /// # Errors
    /// When it is not here, or at the end of the clock's range.
    pub fn delete<M>(&mut self, name: &Name, out: &mut Outbox<'_, M>) -> Result<Moves, Refusal> {
        let moves = self.0.remove(name).ok_or_else(|| absent(name))?;
        out.local(Meaning::Delete(name.to_string()))?;
        Ok(moves)
    }
}

/// Where entities are, each after a number of moves: what their homes know. The newest place counts.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Places(BTreeMap<Name, (ProcessId, Moves)>);

impl Places {
    /// Where the entity with this name is.
    pub fn get(&self, name: &Name) -> Option<ProcessId> {
        self.0.get(name).map(|(at, _)| *at)
    }

    /// The entity is there after this number of moves.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn learn<M>(
        &mut self,
        name: Name,
        at: ProcessId,
        moves: Moves,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        if self.0.get(&name).is_some_and(|(_, known)| *known > moves) {
            return Ok(());
        }
        stores(&name, Some(at), out)?;
        self.0.insert(name, (at, moves));
        Ok(())
    }

    /// After this number of moves the entity does not exist any more.
    ///
    /// # Errors
    /// At the end of the clock's range.
    pub fn forget<M>(
        &mut self,
        name: &Name,
        moves: Moves,
        out: &mut Outbox<'_, M>,
    ) -> Result<(), Overflow> {
        if self.0.get(name).is_some_and(|(_, known)| *known <= moves) {
            self.0.remove(name);
            stores(name, None, out)?;
        }
        Ok(())
    }

    /// How many are known.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Each entity with its place.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, ProcessId)> {
        self.0.iter().map(|(name, (at, _))| (name, *at))
    }
}

/// What a command asks of a scheme.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Request {
    /// Find out where the entity with this name is.
    LookUp(Name),
    /// The entity with this name is here from now on.
    Insert(Name),
    /// The entity with this name goes to another process.
    Move(Name, ProcessId),
    /// The entity with this name does not exist any more.
    Delete(Name),
}

impl Request {
    /// What the command asks of this process in a group of N.
    ///
    /// # Errors
    /// When it is invalid, or no command of a location scheme.
    pub fn of(command: Command, me: ProcessId, processes: usize) -> Result<Self, Refusal> {
        let invalid = |why: &str| Refusal::Invalid(why.to_owned());
        let name = |text: String| Name::new(&text).map_err(|why| Refusal::Invalid(why.to_string()));
        Ok(match command {
            Command::LookUp(text) => Self::LookUp(name(text)?),
            Command::Delete(text) => Self::Delete(name(text)?),
            Command::Insert(_, value) if !value.is_empty() && value != me.to_string() => {
                return Err(invalid(
                    "an entity is inserted where it is: its value is this process",
                ));
            }
            Command::Insert(text, _) => Self::Insert(name(text)?),
            Command::Move(_, to) if to == me => return Err(invalid("it is here already")),
            Command::Move(_, to) if to.index() >= processes => {
                return Err(invalid("no such process"));
            }
            Command::Move(text, to) => Self::Move(name(text)?, to),
            _ => return Err(Refusal::Unknown),
        })
    }
}

fn absent(name: &Name) -> Refusal {
    Refusal::Invalid(format!("{name} is not here"))
}

/// Refuses to insert an entity that is here.
///
/// # Errors
/// When it is.
pub fn refuse_second(entities: &Entities, name: &Name) -> Result<(), Refusal> {
    match entities.has(name) {
        true => Err(Refusal::Invalid(format!("{name} is here already"))),
        false => Ok(()),
    }
}

/// A look-up starts.
///
/// # Errors
/// At the end of the clock's range.
pub fn asks<M>(name: &Name, out: &mut Outbox<'_, M>) -> Result<(), Overflow> {
    out.local(Meaning::LookUp(name.to_string())).map(drop)
}

/// A look-up ends: the entity is at this process, or is not found.
///
/// # Errors
/// At the end of the clock's range.
pub fn finds<M>(
    name: &Name,
    at: Option<ProcessId>,
    out: &mut Outbox<'_, M>,
) -> Result<(), Overflow> {
    let meaning = Meaning::Found(name.to_string(), at.into());
    out.local(meaning).map(drop)
}

/// From now on look-ups go by what this process keeps: the entity is at that process, or does not exist any more.
///
/// # Errors
/// At the end of the clock's range.
pub fn stores<M>(
    name: &Name,
    at: Option<ProcessId>,
    out: &mut Outbox<'_, M>,
) -> Result<(), Overflow> {
    let meaning = Meaning::Store(name.to_string(), at.into());
    out.local(meaning).map(drop)
}

/// Sends an entity to another process.
///
/// # Errors
/// At the end of the clock's range.
pub fn departs<M>(
    name: &Name,
    to: ProcessId,
    transfer: M,
    out: &mut Outbox<'_, M>,
) -> Result<(), Overflow> {
    let meaning = Meaning::Move(name.to_string(), to);
    out.send_as(meaning, To::One(to), transfer).map(drop)
}

/// The process that every process can compute from a name: where an entity is at home.
pub fn home(name: &str, processes: usize) -> ProcessId {
    ProcessId((circle::hash(name) % processes.max(1) as u64) as u32)
}
