//! Name resolution over several servers (RFC 1034 section 5.3.3), as a state machine without sockets, threads or time of
//! its own: who drives it sends its queries, and gives it replies, time-outs and the time.
//!
//! | module | job |
//! | --- | --- |
//! | `rrset` | the records of one name and type |
//! | `message` | queries as they are written, replies as they are read |
//! | `fault` | what is wrong with a reply or a server |
//! | `digest` | what a reply means to who asked for a name in a zone |
//! | `cache`, `table`, `health` | what is known: records, negative answers, delegations, servers that do not answer |
//! | `servers` | the servers of a zone, and which of them is asked next |
//! | `goal` | a name on its way through aliases |
//! | `interface` | what goes into a resolution, and what comes out |
//! | `pending` | a query that waits, and which messages are its reply |
//! | `note` | what happens on the way, in words |
//! | `resolution` | the state machine |

mod cache;
mod digest;
mod fault;
mod goal;
mod health;
mod interface;
mod message;
mod note;
mod pending;
mod resolution;
mod rrset;
mod servers;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    cache::{Cache, Delegation, NameServer, Rank},
    fault::Fault,
    interface::{Answer, Ask, Outcome, Output, Roots, World},
    message::{Reply, query},
    note::Note,
    resolution::Resolution,
    rrset::RrSet,
};
