//! The messages of resolution.

use common::process::{Message, ids::ProcessId};
use serde::{Deserialize, Serialize};

use crate::{
    location::{domains::Level, entities::Moves, pending::Number},
    name::Name,
};

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// To the server of a domain of this level: the address, or who knows more?
    Ask(Name, Level, Number),
    /// To the server of a domain of this level: the address, for which it asks others.
    Resolve(Name, Level, Number),
    /// A referral to the server of the domain of this level.
    Referral(Level, Number),
    /// The address; None when there is none.
    Address(Option<ProcessId>, Number),
    /// To the authoritative server: the entity is at the sender after this number of moves (as RFC 2136).
    Update(Name, Moves),
    /// The same, of an entity that does not exist any more.
    Remove(Name, Moves),
    /// The update is made.
    Updated(Name),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Ask(..) => "ask",
            Self::Resolve(..) => "resolve",
            Self::Referral(..) => "referral",
            Self::Address(..) => "address",
            Self::Update(..) => "update",
            Self::Remove(..) => "remove",
            Self::Updated(_) => "updated",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ask(name, level, _) | Self::Resolve(name, level, _) => {
                format!("{name} at level {level}")
            }
            Self::Referral(level, _) => format!("to level {level}"),
            Self::Address(at, _) => at.map_or_else(String::new, |at| at.to_string()),
            Self::Update(name, _)
            | Self::Remove(name, _)
            | Self::Updated(name)
            | Self::Transfer(name, _) => name.to_string(),
        }
    }
}
