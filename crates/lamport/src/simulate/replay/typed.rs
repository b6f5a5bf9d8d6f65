//! The command that a person typed at a process, as the first event that follows from it says.

use common::process::{
    Command, Meaning, To,
    physical::ClockAction,
    run_event::{MessageAction, RunEvent},
};

/// The command; None if no command begins with such an event.
pub(super) fn command(event: &RunEvent) -> Option<Command> {
    match (&event.what, &event.meaning) {
        (_, Some(Meaning::Request)) => Some(Command::Lock),
        (_, Some(Meaning::Exit(_))) => Some(Command::Unlock),
        (_, Some(Meaning::Clock(clock))) if clock.action == ClockAction::Poll => {
            Some(Command::Synchronize)
        }
        (_, Some(Meaning::Elect)) => Some(Command::Elect),
        (_, Some(Meaning::Begin(_))) => Some(Command::Begin),
        (_, Some(Meaning::Vote(_, vote))) => Some(Command::Vote(*vote)),
        (
            MessageAction::Send {
                to: To::One(to), ..
            },
            Some(Meaning::Transfer(_, amount)),
        ) => Some(Command::Transfer(*to, *amount)),
        (_, Some(Meaning::Record(snapshot, _))) if snapshot.process == event.process => {
            Some(Command::Snapshot)
        }
        (_, Some(Meaning::Multicast(text))) => {
            // In the causal multicast the vector timestamp stands before the text, and is the process's own.
            let typed = match text.split_once("] ") {
                Some((vector, typed)) if vector.starts_with('[') => typed,
                _ => text,
            };
            Some(Command::Multicast(typed.to_owned()))
        }
        (MessageAction::Local, Some(Meaning::Local(_))) => Some(Command::Local),
        (
            MessageAction::Send {
                to: To::One(to),
                text,
                ..
            },
            None,
        ) => Some(Command::Send(*to, text.clone())),
        _ => None,
    }
}
