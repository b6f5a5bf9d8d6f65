//! The schemes that are compared, and the settings of each.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

use crate::location::schemes::LocationScheme;

/// A scheme, or a variant of one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum SchemeName {
    /// Ask all nodes
    Broadcast,
    /// Follow forwarding pointers
    Forwarding,
    /// The same, and every look-up shortens the chain that it followed
    ForwardingShortened,
    /// Ask the entity's home
    Home,
    /// A distributed hash table: nodes pass the look-up on
    Chord,
    /// The same, but the asker goes from node to node
    ChordIterative,
    /// A tree of directory nodes
    Hierarchical,
    /// Structured names: the asker goes from name server to name server
    Iterative,
    /// Structured names: each name server asks the next
    Recursive,
    /// Iterative, with caches
    IterativeCached,
    /// Recursive, with caches
    RecursiveCached,
}

impl SchemeName {
    /// All of them, in the order of the table.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// The location scheme; None for name resolution.
    pub fn location(self) -> Option<LocationScheme> {
        Some(match self {
            Self::Broadcast => LocationScheme::Broadcast,
            Self::Forwarding => LocationScheme::Forwarding,
            Self::ForwardingShortened => LocationScheme::ForwardingShortened,
            Self::Home => LocationScheme::Home,
            Self::Chord => LocationScheme::Chord,
            Self::ChordIterative => LocationScheme::ChordIterative,
            Self::Hierarchical => LocationScheme::Hierarchical,
            Self::Iterative | Self::Recursive | Self::IterativeCached | Self::RecursiveCached => {
                return None;
            }
        })
    }

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Iterative => "iterative",
            Self::Recursive => "recursive",
            Self::IterativeCached => "iterative-cached",
            Self::RecursiveCached => "recursive-cached",
            _ => self.location().map_or("", LocationScheme::word),
        }
    }
}

impl fmt::Display for SchemeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
