//! The messages of a ring.

use common::process::{Message, ids::ProcessId};
use serde::{Deserialize, Serialize};

use super::{neighbours::Neighbours, settings::Peer};
use crate::{
    location::{circle::Id, entities::Moves, pending::Number},
    name::Name,
};

/// What the ring keeps for a name: where the entity is after this number of moves; None once it does not exist any more.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Record {
    /// The process that has the entity.
    pub at: Option<ProcessId>,
    /// How often the entity had moved. Of two records the one after more moves is kept.
    pub moves: Moves,
}

/// What the node is asked for that is responsible for an identifier.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Want {
    /// Its record of this name.
    Get(Name),
    /// To keep this record of this name.
    Put(Name, Record),
    /// Nothing: who it is.
    Node,
}

/// A request that nodes pass on.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct Route {
    /// The identifier.
    pub id: Id,
    /// What is wanted of the node that is responsible for it.
    pub want: Want,
    /// Who asks.
    pub asker: ProcessId,
    /// The asker's number of the request.
    pub number: Number,
    /// Whether the sender takes the receiver to be responsible.
    pub last: bool,
}

/// The messages.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// Who is nearer to this identifier, but for these nodes, which do not answer?
    Ask(Id, Number, Vec<ProcessId>),
    /// This node is nearer; true: it is responsible.
    Refer(Peer, bool, Number),
    /// To the node that is responsible: what is wanted.
    Request(Want, Number),
    /// The same, from node to node.
    Route(Route),
    /// The record of the name that was wanted.
    Value(Option<Record>, Number),
    /// The record is kept.
    Stored(Number),
    /// The node that is responsible.
    Node(Peer, Number),
    /// The identifier belongs to this node, which is before the sender; or the sender has left.
    NotMine(Option<Peer>, Number),
    /// Who are your neighbours? With the number of a request to join, or 0.
    GetNeighbours(Number),
    /// The sender's neighbours.
    Neighbours(Neighbours, Number),
    /// The sender may be the receiver's predecessor.
    Notify(Peer),
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// Records to keep: of a node before, as a copy; or of a range that is the receiver's now.
    Keep(Vec<(Name, Record)>),
    /// The sender leaves: its neighbours.
    Leaving(Neighbours),
    /// The entity itself, after this number of moves.
    Transfer(Name, Moves),
}

impl Message for Payload {
    fn word(&self) -> &'static str {
        match self {
            Self::Ask(..) => "ask",
            Self::Refer(..) => "refer",
            Self::Request(Want::Get(_), _) => "get",
            Self::Request(Want::Put(..), _) => "put",
            Self::Request(Want::Node, _) => "who",
            Self::Route(_) => "route",
            Self::Value(..) => "value",
            Self::Stored(_) => "stored",
            Self::Node(..) => "node",
            Self::NotMine(..) => "not-mine",
            Self::GetNeighbours(_) => "get-neighbours",
            Self::Neighbours(..) => "neighbours",
            Self::Notify(_) => "notify",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Keep(_) => "keep",
            Self::Leaving(..) => "leaving",
            Self::Transfer(..) => "transfer",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Ask(id, ..) => format!("for {id}"),
            Self::Refer(peer, false, _) => format!("to {}", peer.id),
            Self::Refer(peer, true, _) | Self::Node(peer, _) => format!("{} has it", peer.id),
            Self::Request(Want::Get(name) | Want::Put(name, _), _) | Self::Transfer(name, _) => {
                name.to_string()
            }
            Self::Route(route) => format!("to {}", route.id),
            Self::Value(Some(record), _) => format!("of {} moves", record.moves),
            Self::Keep(records) => format!("{} records", records.len()),
            Self::Notify(peer) => peer.id.to_string(),
            Self::NotMine(Some(peer), _) => format!("{} has it", peer.id),
            Self::Neighbours(neighbours, _) | Self::Leaving(neighbours) => neighbours.to_string(),
            _ => String::new(),
        }
    }

    fn each_process(&mut self, each: &mut dyn FnMut(&mut ProcessId)) {
        let of_neighbours = |neighbours: &mut Neighbours, each: &mut dyn FnMut(&mut ProcessId)| {
            let others = neighbours.predecessor.iter_mut();
            let others = others.chain(&mut neighbours.successors);
            each(&mut neighbours.me.process);
            others.for_each(|peer| each(&mut peer.process));
        };
        match self {
            Self::Ask(_, _, avoided) => avoided.iter_mut().for_each(each),
            Self::Refer(peer, ..)
            | Self::Node(peer, _)
            | Self::NotMine(Some(peer), _)
            | Self::Notify(peer) => each(&mut peer.process),
            Self::Request(want, _) => want.each_process(each),
            Self::Route(route) => {
                each(&mut route.asker);
                route.want.each_process(each);
            }
            Self::Value(Some(record), _) => record.at.iter_mut().for_each(each),
            Self::Neighbours(neighbours, _) | Self::Leaving(neighbours) => {
                of_neighbours(neighbours, each);
            }
            Self::Keep(records) => {
                let places = records
                    .iter_mut()
                    .filter_map(|(_, record)| record.at.as_mut());
                places.for_each(each);
            }
            Self::Value(None, _)
            | Self::NotMine(None, _)
            | Self::Stored(_)
            | Self::GetNeighbours(_)
            | Self::Ping
            | Self::Pong
            | Self::Transfer(..) => {}
        }
    }
}

impl Want {
    fn each_process(&mut self, each: &mut dyn FnMut(&mut ProcessId)) {
        match self {
            Self::Put(_, record) => record.at.iter_mut().for_each(each),
            Self::Get(_) | Self::Node => {}
        }
    }
}
