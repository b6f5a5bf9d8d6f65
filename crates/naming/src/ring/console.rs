//! The lines that a person types.

use std::time::Duration;

use common::{
    exit::Failure,
    process::{
        Command, Refusal,
        node::{Console, Node},
    },
};

use super::{
    join::JoinBy,
    prompt::{self, HELP, Typed},
};
use crate::location::{
    chord::{Chord, Membership},
    circle::Id,
};

/// The lines of a person.
pub(super) struct Person {
    name: String,
    id: Id,
    /// The member to join by, and how long the process tries.
    join: Option<JoinBy>,
    limit: Duration,
    was_member: bool,
    /// Whether it was said that another process has the name.
    has_warned: bool,
    /// Why the process could not join.
    pub(super) failure: Option<Failure>,
}

impl Person {
    pub(super) fn new((name, id): (String, Id), join: Option<JoinBy>, limit: Duration) -> Self {
        Self {
            name,
            id,
            join,
            limit,
            was_member: false,
            has_warned: false,
            failure: None,
        }
    }

    /// Joins by the member at an address as soon as it is known who that is.
    fn join_by_address(&mut self, node: &mut Node<'_, Chord>) {
        let (Some(JoinBy::Address(_, address)), Membership::Outside) =
            (&self.join, node.process().membership())
        else {
            return;
        };
        match node.process_at(*address) {
            None => node.ask(*address),
            Some(contact) => drop(obey(Command::Join(contact), node)),
        }
    }

    /// Warns of another process with this one's name, once.
    fn warn_of_namesake(&mut self, node: &Node<'_, Chord>) {
        if let Some(other) = node.namesake()
            && !std::mem::replace(&mut self.has_warned, true)
        {
            let name = &self.name;
            node.print_error(format!(
                "a node at {other} has the name {name}, too: neither reaches all others"
            ));
        }
    }

    /// Why the process cannot join, as far as is known.
    fn cannot_join(&self, node: &Node<'_, Chord>) -> Option<Failure> {
        if let (Some(other), false) = (node.namesake(), self.was_member) {
            let why = format!("the node at {other} has this name; take another");
            return Some(Failure::no(format!("--name {}", self.name), why));
        }
        match node.process().membership() {
            Membership::Taken(other) => {
                let other = node.names().of(*other);
                let why = format!("{other} has this identifier; take another");
                Some(Failure::no(format!("--id {}", self.id), why))
            }
            Membership::Outside | Membership::Joining(_)
                if !self.was_member && node.elapsed() >= self.limit =>
            {
                let join = self.join.as_ref()?;
                let millis = self.limit.as_millis();
                let why = format!("no answer of a member within {millis} ms");
                Some(Failure::no(format!("--join {join}"), why))
            }
            _ => None,
        }
    }
}

impl Console<Chord> for Person {
    fn line(&mut self, line: &str, node: &mut Node<'_, Chord>) {
        match prompt::parse(line, node.names(), node.me()) {
            Err(why) => node.print_error(why),
            Ok(Typed::Command(command)) => {
                let leaves = command == Command::Leave;
                if obey(command, node) && leaves {
                    node.end();
                }
            }
            Ok(Typed::State) => {
                let lines = node.queue();
                lines.into_iter().for_each(|line| node.print(line));
            }
            Ok(Typed::Help) => HELP.lines().for_each(|line| node.print(line)),
            Ok(Typed::Quit) => node.end(),
            Ok(Typed::Nothing) => {}
        }
    }

    fn after(&mut self, node: &mut Node<'_, Chord>) {
        self.was_member |= *node.process().membership() == Membership::Member;
        if self.failure.is_some() {
            return;
        }
        match self.cannot_join(node) {
            Some(failure) => {
                self.failure = Some(failure);
                node.end();
            }
            None => {
                self.join_by_address(node);
                self.warn_of_namesake(node);
            }
        }
    }

    fn ends_with_input(&self) -> bool {
        false
    }
}

/// Gives the process a command, and prints why it is rejected if it is.
fn obey(command: Command, node: &mut Node<'_, Chord>) -> bool {
    match node.command(command) {
        Ok(()) => true,
        Err(Refusal::Invalid(why)) => {
            node.print_error(why);
            false
        }
        Err(Refusal::Unknown | Refusal::Overflow(_)) => false,
    }
}
