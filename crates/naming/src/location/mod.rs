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

use common::process::Process;

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
}
