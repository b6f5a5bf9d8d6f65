//! The two name spaces, what names resolve to, and the changes that can be made.
//!
//! The structured name space is a naming graph (van Steen & Tanenbaum, chapter "Naming"): **directory nodes** hold names,
//! **leaf nodes** hold values. A **hard link** is a second name for a leaf node; a **symbolic link** is a name that
//! stands for another name. A **delegation** says which servers have the subtree below a name. A directory exists as long as it
//! holds a name. The flat name space is a single directory.
//!
//! | module | job |
//! | --- | --- |
//! | `graph` | the nodes, and what reads them |
//! | [`resolve`] | from a name to the node that it stands for |
//! | `transaction` | one entry replaced, and several changes rolled back or committed together |
//! | `changes` | register, unregister, rename, link, mount |
//! | `cuts` | subtrees that other servers have |

mod changes;
mod cuts;
mod graph;
pub mod resolve;
mod transaction;

pub use self::cuts::HandedOver;
pub use self::graph::{Directory, Entry, Meaning, NodeId, Reason, Refusal, Space, Symlink};
