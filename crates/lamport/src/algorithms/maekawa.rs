//! Mutual exclusion by quorums (Maekawa 1985, "A √N Algorithm for Mutual Exclusion in Decentralized Systems"): a process
//! enters when every member of its quorum has locked itself for it. Any two quorums share a member, which is locked
//! for one process at a time.
//!
//! Locks alone can deadlock. So a member inquires of the process for which it is locked when an earlier request arrives, and
//! that one relinquishes the lock if another member has told it that its request has failed. A member tells it also if an
//! earlier request comes in between (Sanders 1987, "The Information Structure of Distributed Mutual Exclusion Algorithms"):
//! without that the paper's algorithm can still deadlock.

mod member;
mod message;
pub mod quorum;
mod relevance;
mod words;

use std::{collections::BTreeSet, mem};

use common::process::{
    Command, Meaning, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::{Overflow, Timestamp},
    ids::{Names, ProcessId},
};

use self::{member::Member, quorum::quorum};
use super::critical_section::{CriticalSection, CriticalSectionUser};
use crate::bug::{self, Bug};

pub use self::message::Payload;

type Out<'o> = Outbox<'o, Payload>;

/// A process that requests the critical section, and is a member of the others' quorums.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Maekawa {
    me: ProcessId,
    bug: Option<Bug>,
    quorum: BTreeSet<ProcessId>,
    /// This process's state with respect to the critical section.
    state: CriticalSection,
    /// The members that are locked for its request.
    locked: BTreeSet<ProcessId>,
    /// The members that are locked for an earlier request.
    failed: BTreeSet<ProcessId>,
    /// The members that have inquired, and have no answer yet.
    inquiries: BTreeSet<ProcessId>,
    /// The process as a member of quorums.
    member: Member,
}

impl Maekawa {
    fn handle(&mut self, from: ProcessId, payload: Payload, out: &mut Out<'_>) -> Done {
        let is_waiting = matches!(self.state, CriticalSection::Waiting(_));
        let sends = match payload {
            Payload::Request(time) => {
                let process = from;
                self.member.request(Timestamp { time, process })
            }
            Payload::Relinquish => self.member.relinquish(from),
            Payload::Release => self.member.release(from),
            // A process that is inside has all locks; its release answers what was inquired.
            _ if !is_waiting => return Ok(()),
            Payload::Locked => {
                self.failed.remove(&from);
                self.locked.insert(from);
                return match self.locked == self.quorum {
                    true => self.enter(out),
                    false => Ok(()),
                };
            }
            Payload::Failed => {
                self.failed.insert(from);
                let inquiries = mem::take(&mut self.inquiries);
                inquiries
                    .into_iter()
                    .map(|from| self.relinquish(from))
                    .collect()
            }
            Payload::Inquire if self.failed.is_empty() => {
                self.inquiries.insert(from);
                return Ok(());
            }
            Payload::Inquire => vec![self.relinquish(from)],
        };
        sends
            .into_iter()
            .try_for_each(|(to, payload)| self.send(to, payload, out))
    }

    /// Sends a message; to itself, as a member of its own quorum, without the network.
    fn send(&mut self, to: ProcessId, payload: Payload, out: &mut Out<'_>) -> Done {
        match to == self.me {
            true => self.handle(to, payload, out),
            false => out.send(To::One(to), payload).map(drop),
        }
    }

    fn send_all(&mut self, payload: Payload, out: &mut Out<'_>) -> Done {
        let mut quorum = self.quorum.clone().into_iter();
        quorum.try_for_each(|member| self.send(member, payload, out))
    }

    /// Lets the member lock itself for the earlier request.
    fn relinquish(&mut self, member: ProcessId) -> (ProcessId, Payload) {
        self.locked.remove(&member);
        self.failed.insert(member);
        (member, Payload::Relinquish)
    }

    fn enter(&mut self, out: &mut Out<'_>) -> Done {
        self.inquiries.clear();
        self.state.enter(out)
    }
}

type Done = Result<(), Overflow>;

impl CriticalSectionUser for Maekawa {
    type Message = Payload;

    fn critical_section(&self) -> CriticalSection {
        self.state
    }

    fn request(&mut self, out: &mut Out<'_>) -> Done {
        let request = out.local(Meaning::Request)?;
        self.state = CriticalSection::Waiting(request);
        self.send_all(Payload::Request(request.time), out)?;
        match self.bug {
            Some(Bug::NoAcknowledgement) => self.enter(out),
            _ => Ok(()),
        }
    }

    fn release(&mut self, request: Timestamp, out: &mut Out<'_>) -> Done {
        self.state = CriticalSection::Outside;
        out.local(Meaning::Exit(request))?;
        self.locked.clear();
        self.failed.clear();
        self.send_all(Payload::Release, out)?;
        out.set_timer(TimerKind::Think);
        Ok(())
    }
}

impl Process for Maekawa {
    type Message = Payload;
    type Settings = Option<Bug>;

    fn new(me: ProcessId, processes: usize, bug: &Option<Bug>) -> Self {
        Self {
            me,
            bug: *bug,
            quorum: quorum(me, processes),
            state: CriticalSection::Outside,
            locked: BTreeSet::new(),
            failed: BTreeSet::new(),
            inquiries: BTreeSet::new(),
            member: Member::new(*bug),
        }
    }

    fn advances_past_messages(bug: &Option<Bug>) -> bool {
        bug::advances(*bug)
    }

    fn start(&mut self, out: &mut Out<'_>) -> Done {
        out.set_timer(TimerKind::Think);
        Ok(())
    }

    fn receive(&mut self, from: ProcessId, message: Stamped<Payload>, out: &mut Out<'_>) -> Done {
        self.handle(from, message.content, out)
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Out<'_>) -> Done {
        self.next(kind, out)
    }

    fn command(&mut self, command: Command, out: &mut Out<'_>) -> Result<(), Refusal> {
        self.handle_command(command, out)
    }

    fn idle(&self) -> bool {
        self.state == CriticalSection::Outside && self.member.is_free()
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        self.words(names)
    }
}
