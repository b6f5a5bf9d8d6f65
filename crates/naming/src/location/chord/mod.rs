//! Chord, a distributed hash table (Stoica et al. 2001, "Chord: A Scalable Peer-to-peer Lookup Service for Internet
//! Applications"): names and processes have identifiers on a circle, and the record of a name is at the first process at or
//! after its identifier, the name's successor. A finger table halves the way to it with every step.
//!
//! | module | job |
//! | --- | --- |
//! | [`settings`] | the circle, the lists, the rules; the members from the start |
//! | [`messages`] | the messages |
//! | [`neighbours`] | predecessor and successor list, and the rules by which they change |
//! | [`fingers`] | the finger table |
//! | [`invariant`] | what must hold of a ring at every time |
//! | [`model`] | a model that tries every order of the steps of maintenance |
//! | `node`, `search`, `suspicion` | the state of a node |
//! | `process` | what it does with messages, timers and commands |
//! | `look_up` | the way to the node that is responsible |
//! | `records` | what that node keeps, and copies of it |
//! | `maintain` | joining, stabilisation, failures, leaving |

pub mod fingers;
pub mod invariant;
mod look_up;
mod maintain;
pub mod messages;
pub mod model;
pub mod neighbours;
mod node;
mod process;
mod records;
mod search;
pub mod settings;
mod suspicion;

pub use self::node::{Chord, Membership};
