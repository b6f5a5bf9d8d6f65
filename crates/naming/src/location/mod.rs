//! Location schemes for flat names: how a process finds out where the entity with a name is when no process knows all names
//! (van Steen & Tanenbaum, Distributed Systems, chapter "Naming", section "Flat naming").
//!
//! | module | scheme | after |
//! | --- | --- | --- |
//! | [`broadcast`] | ask all processes | ARP, RFC 826 |
//! | [`forwarding`] | follow the pointers that an entity left behind | Fowler 1985 |
//! | [`home`] | ask the entity's home | Mobile IP, RFC 5944 |
//! | [`chord`] | a distributed hash table: a ring with finger tables | Stoica et al. 2001, Zave 2017 |
//! | [`hierarchy`] | a tree of directory nodes | van Steen et al. 1998 |
//! | [`resolution`] | for comparison: structured names, by a tree of name servers | RFC 1034, section 5.3 |
//!
//! Each is a [`Process`]: a state machine without sockets, threads or time of its own. [`cache`], [`circle`], [`domains`], [`entities`]
//! and [`pending`] are what they have in common; [`schemes`] has them by name; [`verdict`] checks what they find.

use common::process::{Process, ids::ProcessId};

pub mod broadcast;
pub mod cache;
pub mod chord;
pub mod circle;
pub mod domains;
pub mod entities;
pub mod forwarding;
pub mod hierarchy;
pub mod home;
pub mod pending;
pub mod resolution;
pub mod schemes;
pub mod verdict;

/// What a message is for, where messages are counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// A step of a look-up, or of what a move causes: one more hop.
    Request,
    /// The answer to a request.
    Answer,
    /// The entity itself, which moves in every scheme alike.
    Transfer,
}

/// A location scheme, as it is measured.
pub trait Scheme: Process {
    /// The state that the process keeps for the scheme: entities, pointers, records, other processes, each one entry.
    fn entries(&self) -> usize;

    /// What the message is for.
    fn role(message: &Self::Message) -> Role;

    /// How many of its look-ups, and of the places that others have to store, wait for an answer.
    fn unanswered(&self) -> usize {
        usize::from(!self.idle())
    }

    /// Its place in the ring, where the processes form one.
    fn ring_place(&self) -> RingPlace {
        RingPlace {
            is_member: true,
            predecessor: None,
            successors: Vec::new(),
        }
    }
}

/// A process in a ring.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RingPlace {
    /// Whether it takes part.
    pub is_member: bool,
    /// The process before it.
    pub predecessor: Option<ProcessId>,
    /// The processes after it.
    pub successors: Vec<ProcessId>,
}
