//! What the processes of a run insert, look up and move, and which of them are killed when.

use std::{cmp::Reverse, time::Duration};

use common::process::{
    children::{Crash, group::planned},
    ids::ProcessId,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::settings::RunSettings;
use crate::location::{entities::home, schemes::LocationScheme};

/// What the processes do, decided by the seed.
#[derive(Debug)]
pub(super) struct Workload {
    random: Pcg64Mcg,
    processes: usize,
    /// The names that are inserted.
    pub(super) names: Vec<String>,
    /// Where each entity is, as far as is known.
    at: Vec<ProcessId>,
    /// Where each is to go: the process that has it was asked, and has not answered.
    going: Vec<Option<ProcessId>>,
    /// When each process looks a name up next.
    next: Vec<Duration>,
    between: Duration,
    /// When a name moves next, and the time between two moves.
    next_move: Duration,
    between_moves: Option<Duration>,
    /// What is done to which process, the last first.
    crashes: Vec<(Duration, ProcessId, Crash)>,
}

impl Workload {
    pub(super) fn new(settings: &RunSettings) -> Self {
        let mut random = Pcg64Mcg::seed_from_u64(settings.seed);
        let between = Duration::from_secs_f64(1.0 / settings.rate);
        let processes = settings.names.count();
        let mut victims: Vec<_> = ProcessId::all(processes).collect();
        victims.shuffle(&mut random);
        let kill = |process| (settings.lasting / 4, process, Crash::Kill);
        let mut crashes = planned(&settings.faults);
        crashes.extend(victims.into_iter().take(settings.kill).map(kill));
        crashes.sort_by_key(|(at, ..)| Reverse(*at));
        let next = (0..processes).map(|_| between.mul_f64(random.random()));
        let next = next.collect();
        let names = 1..=settings.records;
        let names: Vec<_> = names.map(|number| format!("server{number}")).collect();
        let origin = |(number, name): (usize, &String)| match settings.scheme {
            // There every chain of pointers begins.
            LocationScheme::Forwarding | LocationScheme::ForwardingShortened => {
                home(name, processes)
            }
            _ => ProcessId::at(number % processes),
        };
        let moves = settings.moves;
        let between_moves = (moves > 0).then(|| Duration::from_secs_f64(1.0 / moves as f64));
        Self {
            at: names.iter().enumerate().map(origin).collect(),
            going: vec![None; names.len()],
            names,
            next,
            between,
            next_move: between_moves.unwrap_or_default(),
            between_moves,
            crashes,
            processes,
            random,
        }
    }

    /// Each name with the process that inserts it.
    pub(super) fn inserts(&self) -> impl Iterator<Item = (&str, ProcessId)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.at.iter().copied())
    }

    /// What is done to a process now.
    pub(super) fn crash(&mut self, now: Duration) -> Option<(ProcessId, Crash)> {
        let crash = self.crashes.pop_if(|(at, ..)| *at <= now);
        crash.map(|(_, process, crash)| (process, crash))
    }

    /// Whether something will be done to a process.
    pub(super) fn has_crashes(&self) -> bool {
        !self.crashes.is_empty()
    }

    /// The name that the process looks up now, if it is time. A process that lags behind does not make up for it.
    pub(super) fn look_up(&mut self, process: usize, now: Duration) -> Option<&str> {
        let next = self.next.get_mut(process).filter(|next| **next <= now)?;
        *next = now + self.between;
        let name = self.random.random_range(0..self.names.len());
        Some(&self.names[name])
    }

    /// The name that moves now, if it is time: where it is, and where it goes. Both processes are up.
    pub(super) fn next_move(
        &mut self,
        now: Duration,
        is_up: impl Fn(ProcessId) -> bool,
    ) -> Option<(ProcessId, &str, ProcessId)> {
        let between = self.between_moves.filter(|_| self.next_move <= now)?;
        self.next_move = now + between;
        let number = self.random.random_range(0..self.names.len());
        let from = self.at[number];
        let others = from.others(self.processes).filter(|other| is_up(*other));
        let others: Vec<_> = others.collect();
        if others.is_empty() || !is_up(from) || self.going[number].is_some() {
            return None;
        }
        let to = others[self.random.random_range(0..others.len())];
        self.going[number] = Some(to);
        Some((from, &self.names[number], to))
    }

    /// The process that was asked for an entity has handed it over, or has not got it: it is on its way there.
    pub(super) fn answered(&mut self, name: &str, has_moved: bool) {
        let number = self.names.iter().position(|known| known == name);
        if let Some(number) = number
            && let Some(to) = self.going[number].take()
            && has_moved
        {
            self.at[number] = to;
        }
    }
}
