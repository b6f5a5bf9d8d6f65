//! What the processes are told to do, decided by the seed.

use std::time::Duration;

use common::process::{Command, ids::ProcessId};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::Settings;
use crate::location::entities::home;

/// When the names are there, and look-ups begin.
const BEGIN: Duration = Duration::from_secs(1);

/// How long the processes go on after the last command, in timeouts: a look-up is given up earlier.
const AFTER: u32 = 10;

/// The commands to the processes, each at its time.
pub type Commands = Vec<(Duration, ProcessId, Command)>;

/// Every entity comes into being at home; after a second names are looked up and moved, in a random order. Returns when the
/// processes end their periodic work, too.
pub fn commands(settings: &Settings, seed: u64) -> (Commands, Duration) {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let processes = settings.group.processes;
    let names = (1..=settings.names).map(|number| format!("server{number}"));
    let names: Vec<String> = names.collect();
    let mut places: Vec<_> = names.iter().map(|name| home(name, processes)).collect();
    let mut commands: Commands = names
        .iter()
        .zip(&places)
        .map(|(name, place)| {
            let insert = Command::Insert(name.clone(), String::new());
            (Duration::ZERO, *place, insert)
        })
        .collect();
    let look_ups = (0..settings.look_ups).map(|_| false);
    let mut are_moves: Vec<bool> = look_ups.chain((0..settings.moves).map(|_| true)).collect();
    are_moves.shuffle(&mut random);
    let mut now = BEGIN;
    for is_move in are_moves {
        // Exponentially distributed intervals: a Poisson process.
        let interval = -(1.0 - random.random::<f64>()).ln() / settings.rate;
        now += Duration::from_secs_f64(interval);
        let name = random.random_range(0..names.len());
        let place = places[name];
        // Another process than that where the entity is, if there is one: the others have to find it.
        let step = random.random_range(1..processes.max(2));
        let other = ProcessId::at((place.index() + step) % processes);
        let text = names[name].clone();
        match is_move && other != place {
            true => {
                commands.push((now, place, Command::Move(text, other)));
                places[name] = other;
            }
            false => commands.push((now, other, Command::LookUp(text))),
        }
    }
    (commands, now + AFTER * settings.timers.timeout)
}
