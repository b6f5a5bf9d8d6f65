//! The workload: the same names, the same look-ups and the same moves for every scheme.

use std::sync::Arc;

use common::process::ids::ProcessId;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::{location::entities::home, name::Name};

/// Names by their popularity: the n-th name is looked up in proportion to 1/n (Zipf's law).
#[derive(Clone, Debug)]
pub struct Names {
    names: Vec<Name>,
    /// For each name the share of the look-ups that it and all before it have, times their sum.
    cumulative: Vec<f64>,
}

impl Names {
    /// This many names: server1, server2, …
    ///
    /// # Panics
    /// Without a name.
    pub fn new(count: usize) -> Self {
        assert!(count > 0, "no name");
        let name = |number| Name::new(&format!("server{number}")).expect("a name");
        let mut sum = 0.0;
        let share = |number: usize| {
            sum += 1.0 / number as f64;
            sum
        };
        Self {
            names: (1..=count).map(name).collect(),
            cumulative: (1..=count).map(share).collect(),
        }
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The name at this index.
    pub fn name(&self, index: usize) -> &Name {
        &self.names[index]
    }

    /// The index of a name, by popularity.
    pub fn draw(&self, random: &mut Pcg64Mcg) -> usize {
        let sum = self.cumulative.last().copied().unwrap_or_default();
        let at = random.random_range(0.0..sum);
        let index = self.cumulative.partition_point(|until| *until <= at);
        index.min(self.names.len() - 1)
    }
}

/// One step of the workload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// This process looks the name with this index up.
    LookUp(ProcessId, usize),
    /// The entity with this name moves to this process.
    Move(usize, ProcessId),
}

/// Look-ups, with moves spread among them.
#[derive(Clone, Debug)]
pub struct Workload {
    names: Arc<Names>,
    random: Pcg64Mcg,
    nodes: usize,
    lookups: u64,
    moves: u64,
    done: (u64, u64),
    /// Where each entity is.
    places: Vec<ProcessId>,
}

impl Workload {
    /// The workload for this many nodes, from this seed.
    pub fn new(names: &Arc<Names>, nodes: usize, lookups: u64, moves: u64, seed: u64) -> Self {
        let homes = names.names.iter().map(|name| home(name, nodes));
        Self {
            places: homes.collect(),
            names: Arc::clone(names),
            random: Pcg64Mcg::seed_from_u64(seed ^ (nodes as u64) << 32),
            nodes,
            lookups,
            moves: if nodes > 1 { moves } else { 0 },
            done: (0, 0),
        }
    }

    /// The names.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Where the entity with this name is.
    pub fn place(&self, name: usize) -> ProcessId {
        self.places[name]
    }

    /// A random process.
    pub fn process(&mut self) -> ProcessId {
        ProcessId::at(self.random.random_range(0..self.nodes))
    }

    /// The next step; a move changes the place of its entity when it is returned.
    pub fn step(&mut self) -> Option<(Step, ProcessId)> {
        let (lookups, moves) = self.done;
        if lookups == self.lookups {
            return None;
        }
        let name = self.names.draw(&mut self.random);
        let process = self.process();
        // As many moves behind the others as look-ups.
        let is_move = u128::from(moves + 1) * u128::from(self.lookups)
            <= u128::from(lookups) * u128::from(self.moves);
        if !is_move {
            self.done.0 += 1;
            return Some((Step::LookUp(process, name), self.places[name]));
        }
        self.done.1 += 1;
        let from = self.places[name];
        let to = match process == from {
            true => ProcessId::at((process.index() + 1) % self.nodes),
            false => process,
        };
        self.places[name] = to;
        Some((Step::Move(name, to), from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_name_is_looked_up_half_as_often_as_the_first() {
        let names = Names::new(1000);
        let mut random = Pcg64Mcg::seed_from_u64(1);
        let mut counts = vec![0_u32; 1000];
        for _ in 0..200_000 {
            counts[names.draw(&mut random)] += 1;
        }
        let ratio = f64::from(counts[0]) / f64::from(counts[1]);
        assert!((1.9..2.1).contains(&ratio), "{ratio}");
        let ratio = f64::from(counts[0]) / f64::from(counts[9]);
        assert!((9.0..11.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn moves_are_spread_among_look_ups() {
        let names = Arc::new(Names::new(10));
        let mut workload = Workload::new(&names, 8, 100, 20, 7);
        let mut steps = Vec::new();
        while let Some((step, from)) = workload.step() {
            if let Step::Move(name, to) = step {
                assert!(from != to && workload.place(name) == to);
            }
            steps.push(matches!(step, Step::Move(..)));
        }
        assert_eq!(
            (
                steps.len(),
                steps.iter().filter(|is_move| **is_move).count()
            ),
            (119, 19)
        );
        assert_eq!(steps[..60].iter().filter(|is_move| **is_move).count(), 10);
    }
}
