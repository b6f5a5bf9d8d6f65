//! The location schemes by name, each with its processes and their settings.

use std::fmt;

use clap::ValueEnum;

use super::{
    chord::settings::{LookUps, Rules, SUCCESSORS, Settings as Ring},
    forwarding::Shortening,
    hierarchy::Fanout,
};

/// A location scheme.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum LocationScheme {
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
}

impl LocationScheme {
    /// All of them.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Its name on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Broadcast => "broadcast",
            Self::Forwarding => "forwarding",
            Self::ForwardingShortened => "forwarding-shortened",
            Self::Home => "home",
            Self::Chord => "chord",
            Self::ChordIterative => "chord-iterative",
            Self::Hierarchical => "hierarchical",
        }
    }

    /// Its name on the network and in the logs: nodes of a ring understand one another, however they look names up.
    pub fn algorithm(self) -> &'static str {
        match self {
            Self::ChordIterative => Self::Chord.word(),
            scheme => scheme.word(),
        }
    }

    /// Whether its processes form a ring, which they maintain.
    pub fn is_ring(self) -> bool {
        matches!(self, Self::Chord | Self::ChordIterative)
    }
}

impl fmt::Display for LocationScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// A group of processes of any scheme, from which the settings of each scheme are made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Group {
    /// How many processes there are.
    pub processes: usize,
    /// How many subdomains a domain of the hierarchy has.
    pub fanout: u32,
    /// The length of the successor lists of a ring.
    pub successors: usize,
    /// The rules by which a ring is maintained.
    pub rules: Rules,
    /// Whether the ring is maintained: without it nothing changes but by look-ups.
    pub maintain: bool,
    /// Whether no process is in the ring from the start: each joins it.
    pub joins: bool,
}

impl Group {
    /// N processes with the usual settings; a ring of them does not change.
    pub fn of(processes: usize) -> Self {
        Self {
            processes,
            fanout: Fanout::default().0,
            successors: SUCCESSORS,
            rules: Rules::default(),
            maintain: false,
            joins: false,
        }
    }

    /// How look-ups follow chains of pointers.
    pub fn chains(&self, scheme: LocationScheme) -> Shortening {
        match scheme {
            LocationScheme::ForwardingShortened => Shortening::Chain,
            _ => Shortening::None,
        }
    }

    /// A ring of all processes.
    pub fn ring(&self, scheme: LocationScheme) -> Ring {
        Ring {
            successors: self.successors,
            rules: self.rules,
            maintain: self.maintain,
            look_ups: match scheme {
                LocationScheme::ChordIterative => LookUps::Iterative,
                _ => LookUps::Recursive,
            },
            ..match self.joins {
                true => Ring::whole(self.processes).members(&[]),
                false => Ring::whole(self.processes),
            }
        }
    }
}

/// Calls the expression with the type of a scheme's processes, and their settings in a [`Group`]:
/// `with_scheme!(scheme, &group, P, settings => run::<P>(settings))`.
macro_rules! with_scheme {
    ($scheme:expr, $group:expr, $P:ident, $settings:ident => $body:expr) => {
        match $scheme {
            $crate::location::schemes::LocationScheme::Broadcast => {
                type $P = $crate::location::broadcast::Broadcast;
                let $settings = ();
                $body
            }
            scheme @ ($crate::location::schemes::LocationScheme::Forwarding
            | $crate::location::schemes::LocationScheme::ForwardingShortened) => {
                type $P = $crate::location::forwarding::Forwarding;
                let $settings = $group.chains(scheme);
                $body
            }
            $crate::location::schemes::LocationScheme::Home => {
                type $P = $crate::location::home::HomeBased;
                let $settings = ();
                $body
            }
            scheme @ ($crate::location::schemes::LocationScheme::Chord
            | $crate::location::schemes::LocationScheme::ChordIterative) => {
                type $P = $crate::location::chord::Chord;
                let $settings = $group.ring(scheme);
                $body
            }
            $crate::location::schemes::LocationScheme::Hierarchical => {
                type $P = $crate::location::hierarchy::Hierarchy;
                let $settings = $crate::location::hierarchy::Fanout($group.fanout);
                $body
            }
        }
    };
}
pub(crate) use with_scheme;
