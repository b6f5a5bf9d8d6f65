//! The zones as they are answered from: every domain name with its records, in little memory.
//!
//! A hash table in shards. A shard holds its names and records in one piece of memory, so a name costs its bytes and a few
//! more, and no allocation of its own. Copies of a [`Zone`] share their shards; a change copies only the shards that it
//! concerns (copy on write). So a thread that answers keeps a copy for as long as it likes, and the registrar never waits.
//!
//! A name exists when it has records or stands above one that has (RFC 4592 section 2.2.2: an empty non-terminal).

mod batches;
mod builder;
mod records;
mod shard;
mod table;
#[cfg(test)]
mod tests;

pub use self::{
    batches::{FEW_NAMES, Push, build},
    records::{Records, first_records, push_record, push_timed},
    table::Zone,
};
