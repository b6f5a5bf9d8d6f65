//! What can be compared, by name.

use clap::ValueEnum;

/// What is compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Topic {
    /// The messages of an entry to the critical section
    Mutex,
    /// The messages of an election
    Election,
}
