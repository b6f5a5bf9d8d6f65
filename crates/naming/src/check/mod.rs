//! The command `check`: every interleaving of a location scheme's processes, on the model checker [`common::process::check`].
//!
//! | module | job |
//! | --- | --- |
//! | [`watch`] | the monitor of look-ups |
//! | [`model`] | the states of the processes, and of a ring |
//! | [`subject`] | what is checked, in words |
//! | [`command`] | the search, its progress and its report |

pub mod command;
pub mod model;
pub mod subject;
pub mod watch;

use std::{marker::PhantomData, path::PathBuf, sync::Arc};

use common::process::{
    Command, Process,
    check::{
        search::Limits,
        system::{FaultBudget, System, TimerBounds},
    },
    ids::ProcessId,
    property::Property,
    reliable_link::ChannelOrder,
};

use self::{
    model::{Broken, SchemeModel},
    watch::Watch,
};
use crate::location::{
    chord::settings::Settings as Ring,
    circle::{Circle, Id},
    entities::home,
    pending::TRIES,
    schemes::{Group, LocationScheme},
    verdict::Promise,
};

/// The name that is looked up.
const NAME: &str = "server1";

/// The bits of an identifier, few so that they are read with ease.
const BITS: u8 = 7;

/// The process by which others join.
const CONTACT: ProcessId = ProcessId(0);

/// What is checked, with its bounds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The scheme.
    pub scheme: LocationScheme,
    /// The processes.
    pub group: Group,
    /// How many of them, the last ones, are outside a ring and join it.
    pub joins: usize,
    /// How many look-ups each process makes.
    pub look_ups: u16,
    /// How many times the entity moves.
    pub moves: u16,
    /// How many waits of each process may end while an answer is under way.
    pub early: u16,
    /// How many rounds of maintenance there are, of all processes together.
    pub rounds: u16,
    /// The faults that may occur.
    pub budget: FaultBudget,
    /// The limits of the search.
    pub limits: Limits,
    /// Where counterexamples are written.
    pub logs: Option<PathBuf>,
}

impl Settings {
    /// The processes that are there from the start.
    fn members(&self) -> usize {
        self.group.processes - self.joins
    }

    /// What the processes are told to do, each in this order: one entity comes into being and moves from process to process, all
    /// look it up, and the last processes join.
    pub fn commands(&self) -> Vec<(ProcessId, Command)> {
        let members = self.members();
        let name = || NAME.to_owned();
        let mut commands = Vec::new();
        if self.look_ups > 0 {
            let home = home(NAME, self.group.processes);
            let place = if home.index() < members {
                home
            } else {
                CONTACT
            };
            commands.push((place, Command::Insert(name(), String::new())));
            let at = |moves: u16| ProcessId::at((place.index() + usize::from(moves)) % members);
            let moves = (0..self.moves).map(|made| (at(made), Command::Move(name(), at(made + 1))));
            commands.extend(moves);
            for _ in 0..self.look_ups {
                let look_ups = ProcessId::all(members);
                commands.extend(look_ups.map(|process| (process, Command::LookUp(name()))));
            }
        }
        let outside = ProcessId::all(self.group.processes).skip(members);
        commands.extend(outside.map(|process| (process, Command::Join(CONTACT))));
        commands
    }

    /// What look-ups promise.
    pub fn promise(&self) -> Promise {
        Promise::new(self.scheme, self.group)
    }

    /// Whether a look-up must find an entity that does not move meanwhile: a request that gets lost is sent again.
    fn must_find(&self) -> bool {
        self.early == 0 && self.budget.lost < TRIES && self.budget.crashed == 0
    }

    /// Whether the ring itself is a property: it changes.
    pub fn looks_at_the_ring(&self) -> bool {
        self.scheme.is_ring() && (self.joins > 0 || self.rounds > 0)
    }

    fn properties(&self) -> &'static [Property] {
        match (self.look_ups > 0, self.looks_at_the_ring()) {
            (true, false) => &[Property::LookUpsRight, Property::LookUpsEnd],
            (true, true) => &[
                Property::LookUpsRight,
                Property::LookUpsEnd,
                Property::OneRing,
            ],
            (false, _) => &[Property::OneRing],
        }
    }

    /// The model of processes with these settings; `broken` says how their ring is broken.
    pub fn model<P: Process>(
        &self,
        settings: P::Settings,
        broken: Option<Broken<P>>,
    ) -> SchemeModel<P> {
        let system = System {
            monitor: Watch::new(self.promise().found_by(), self.must_find()),
            properties: self.properties(),
            processes: self.group.processes,
            bounds: TimerBounds {
                operations: 0,
                rounds: self.rounds,
                timeouts: u16::MAX,
                counts_anew: false,
            },
            commands: self.commands(),
            settings,
            budget: self.budget,
            order: ChannelOrder::Fifo,
            is_reduced: false,
            is_timeless: true,
            time: Default::default(),
            exercise: Arc::default(),
            process: PhantomData,
        };
        SchemeModel {
            system,
            early: self.early,
            rounds: self.rounds,
            broken: broken.filter(|_| self.looks_at_the_ring()),
        }
    }

    /// The ring: its members have the identifiers 10, 20, …, and those that join 15, 25, …
    pub fn ring(&self) -> Ring {
        let members = self.members();
        let id = |index: usize| match index.checked_sub(members) {
            None => 10 * (index as Id + 1),
            Some(joining) => 10 * (joining as Id + 1) + 5,
        };
        let ids = (0..self.group.processes).map(id);
        let ring = self.group.ring(self.scheme);
        let settings = Ring {
            circle: Circle::new(BITS),
            ids: ids.collect(),
            ..ring
        };
        let members: Vec<_> = ProcessId::all(members).collect();
        Ring {
            ring: Ring::with_ids(settings.circle, Arc::clone(&settings.ids))
                .members(&members)
                .ring,
            ..settings
        }
    }
}
