//! The lines that a process reads: a person's commands, or those of the supervisor that has started it.

use std::fmt::Write as _;

use common::{
    process::{
        Process, Refusal,
        node::{Console, Node},
    },
    text::visible,
};

use super::prompt::{self, Typed};
use crate::algorithms::Algorithm;

/// The lines of a person.
pub(super) struct Person(pub(super) Algorithm);

impl<P: Process> Console<P> for Person {
    fn line(&mut self, line: &str, node: &mut Node<'_, P>) {
        match prompt::parse(line, node.names(), node.me()) {
            Err(why) => node.print_error(why),
            Ok(Typed::Command(command)) => match node.command(command) {
                Ok(()) | Err(Refusal::Overflow(_)) => {}
                Err(Refusal::Invalid(why)) => node.print_error(why),
                Err(Refusal::Unknown) => {
                    let commands = self.0.commands().join(", ");
                    let word = self.0.word();
                    node.print_error(format!("not a command of {word}; its commands: {commands}"));
                }
            },
            Ok(Typed::Clock) => node.print(format!("clock: {}", node.time())),
            Ok(Typed::Queue) => {
                let queue = node.queue();
                if queue.is_empty() {
                    node.print("the queue is empty");
                }
                queue.into_iter().for_each(|line| node.print(line));
            }
            Ok(Typed::Help) => {
                let lines = prompt::help(self.0).into_iter();
                lines.for_each(|line| node.print(line));
            }
            Ok(Typed::Quit) => node.end(),
            Ok(Typed::Nothing) => node.print(""),
        }
    }

    fn ends_with_input(&self) -> bool {
        false
    }
}

/// The lines of a supervisor.
pub(super) struct Supervised;

impl<P: Process> Console<P> for Supervised {
    fn line(&mut self, line: &str, node: &mut Node<'_, P>) {
        match line.trim() {
            "finish" => node.finish(),
            "state" => {
                let mut state = String::from(if node.is_idle() { "idle" } else { "busy" });
                let _ = write!(state, " {}", node.events());
                for peer in node.unresponsive() {
                    let _ = write!(state, " {}", node.names().of(peer));
                }
                node.print(state);
            }
            "stop" => node.end(),
            line => node.print_error(format!("unknown line '{}'", visible(line.as_bytes()))),
        }
    }

    fn ends_with_input(&self) -> bool {
        true
    }
}
