//! The location schemes against the figures of the textbook and of the papers.

mod check;
mod chord;
mod faults;
mod maintenance;
mod model;
mod schemes;

use std::time::Duration;

use common::process::{Command, Refusal, ids::ProcessId};
use naming::{
    compare::world::{Cost, Delays, World},
    location::Scheme,
};

/// N processes; every link across the whole group has a delay of 64 ms.
fn world<P: Scheme>(nodes: usize, settings: &P::Settings) -> World<P> {
    World::new(
        nodes,
        settings,
        Delays::new(nodes, Duration::from_millis(64)),
    )
}

fn p(number: u32) -> ProcessId {
    ProcessId(number - 1)
}

fn insert<P: Scheme>(world: &mut World<P>, at: ProcessId, name: &str) -> Cost {
    let insert = Command::Insert(name.to_owned(), String::new());
    world.command(at, insert).unwrap()
}

fn look_up<P: Scheme>(world: &mut World<P>, asker: ProcessId, name: &str) -> Cost {
    world
        .command(asker, Command::LookUp(name.to_owned()))
        .unwrap()
}

fn moves<P: Scheme>(world: &mut World<P>, from: ProcessId, name: &str, to: ProcessId) -> Cost {
    world
        .command(from, Command::Move(name.to_owned(), to))
        .unwrap()
}

fn refused<P: Scheme>(world: &mut World<P>, process: ProcessId, command: Command) -> String {
    match world.command(process, command) {
        Err(Refusal::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}
