//! The requests of the application, as commands to the process.

use std::time::Duration;

use common::process::{Command, Outcome, Process, Refusal};
use serde_json::Value;

use super::Stdio;
use crate::{
    algorithms::Algorithm,
    bug::Bug,
    harness::message::{ABORT, MALFORMED_REQUEST, Message, NOT_SUPPORTED, kind, number},
};

impl<P: Process<Settings = Option<Bug>>> Stdio<'_, P> {
    /// Votes as its client wants, if it is asked for its vote.
    pub(super) fn vote(&mut self) {
        if let Some(engine) = &mut self.engine
            && self.out.is_voting
            && let Some(vote) = self.out.votes.pop_front()
        {
            self.out.is_voting = false;
            // It is not refused: the vote is asked for.
            let _ = engine.command(self.start.elapsed(), Command::Vote(vote), &mut self.out);
        }
    }

    /// A request of the application.
    pub(super) fn request(&mut self, now: Duration, message: &Message) {
        let body = &message.body;
        let node = |name: &str| {
            let to = body.get(name).and_then(Value::as_str);
            let to = to.and_then(|to| self.out.names.process(to));
            to.filter(|to| *to != self.out.me)
        };
        let command = match kind(body) {
            "now" => return self.out.show(message),
            "local" => Some(Command::Local),
            "send" => {
                let text = body.get("text").and_then(Value::as_str).unwrap_or_default();
                node("to").map(|to| Command::Send(to, text.to_owned()))
            }
            "transfer" => {
                let amount = number(body, "amount").and_then(|amount| u32::try_from(amount).ok());
                node("to").and_then(|to| Some(Command::Transfer(to, amount?)))
            }
            "snapshot" => Some(Command::Snapshot),
            "sync" => Some(Command::Synchronize),
            "lock" => Some(Command::Lock),
            "unlock" => Some(Command::Unlock),
            "elect" => Some(Command::Elect),
            "begin" => Some(Command::Begin),
            "vote" => {
                let vote = body.get("vote").and_then(Value::as_str);
                vote.and_then(Outcome::of_word).map(Command::Vote)
            }
            "multicast" => body
                .get("message")
                .and_then(|payload| match self.algorithm {
                    // A deposit of this amount.
                    Algorithm::Total => {
                        Some(format!("+{}", i32::try_from(payload.as_i64()?).ok()?))
                    }
                    _ => Some(payload.to_string()),
                })
                .map(Command::Multicast),
            other => {
                let text = format!("{} has no request of type {other}", self.algorithm.word());
                return self.out.refuse(message, NOT_SUPPORTED, text);
            }
        };
        let (Some(command), Some(engine)) = (command, &mut self.engine) else {
            let text = format!("not the form of {}", kind(body));
            return self.out.refuse(message, MALFORMED_REQUEST, text);
        };
        if let Command::Vote(vote) = command {
            self.out.votes.push_back(vote);
            return self.out.reply(message, "vote_ok", []);
        }
        let elects = command == Command::Elect;
        let waits = matches!(
            command,
            Command::Lock | Command::Begin | Command::Snapshot | Command::Synchronize
        );
        let before = self.out.waiting.clone();
        if waits {
            self.out.waiting = number(body, "msg_id").map(|id| (message.src.clone(), id));
        }
        match engine.command(now, command, &mut self.out) {
            // It is answered in its time.
            Ok(()) if waits => {}
            Ok(()) => {
                let clock = self.out.time;
                self.out.reply(
                    message,
                    &format!("{}_ok", kind(body)),
                    [("clock", clock.into())],
                );
            }
            // An election is going on already.
            Err(Refusal::Invalid(_)) if elects => self.out.reply(message, "elect_ok", []),
            Err(why) => {
                self.out.waiting = before;
                let (code, text) = match why {
                    Refusal::Unknown => (
                        NOT_SUPPORTED,
                        format!("{} has no {}", self.algorithm.word(), kind(body)),
                    ),
                    Refusal::Invalid(why) => (ABORT, why),
                    Refusal::Overflow(overflow) => (ABORT, overflow.to_string()),
                };
                self.out.refuse(message, code, text);
            }
        }
    }
}
