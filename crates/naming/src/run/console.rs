//! The lines of a supervisor: commands, and what it asks for.

use common::{
    process::{
        Command, Refusal,
        node::{Console, Node},
    },
    text::visible,
};

use super::state::State;
use crate::{
    location::Scheme,
    ring::prompt::{self, Typed},
};

/// What a process prints that has handed an entity over, as it was told.
pub(super) const MOVED: &str = "moved";

/// What it prints when the entity is not there.
pub(super) const NOT_HERE: &str = "not-here";

/// The lines of a supervisor.
#[derive(Debug, Default)]
pub(super) struct Supervised {
    has_started: bool,
}

impl<P: Scheme> Console<P> for Supervised {
    fn line(&mut self, line: &str, node: &mut Node<'_, P>) {
        match line.trim() {
            "state" => return node.print(State::of(node).to_string()),
            "stop" => return node.end(),
            "go" => return node.start_partitions(),
            _ => {}
        }
        match prompt::parse(line, node.names(), node.me()) {
            Ok(Typed::Command(Command::Move(name, to))) => {
                let moved = node.command(Command::Move(name.clone(), to));
                let word = if moved.is_ok() { MOVED } else { NOT_HERE };
                node.print(format!("{word} {name}"));
            }
            Ok(Typed::Command(command)) => {
                if let Err(Refusal::Invalid(why)) = node.command(command) {
                    node.print_error(why);
                }
            }
            _ => node.print_error(format!("unknown line '{}'", visible(line.as_bytes()))),
        }
    }

    fn after(&mut self, node: &mut Node<'_, P>) {
        // Times of partitions are those of the look-ups.
        if !std::mem::replace(&mut self.has_started, true) {
            node.hold_partitions();
        }
    }

    fn ends_with_input(&self) -> bool {
        true
    }
}
