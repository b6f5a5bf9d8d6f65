//! A process as a member of the others' quorums: it is locked for one request at a time.

use std::{collections::BTreeSet, mem};

use common::process::{
    check::relevance::{Use, Visit},
    clock::Timestamp,
    ids::{Names, ProcessId},
};

use super::message::Payload;
use crate::bug::Bug;

/// The lock of a member, and the requests that wait for it.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct Member {
    bug: Option<Bug>,
    /// The request for which it is locked.
    locked: Option<Timestamp>,
    /// Whether it has inquired about that request.
    has_inquired: bool,
    /// The other requests.
    queue: BTreeSet<Timestamp>,
}

/// What it sends, in this order.
pub(super) type Sends = Vec<(ProcessId, Payload)>;

impl Member {
    pub(super) fn new(bug: Option<Bug>) -> Self {
        Self {
            bug,
            ..Self::default()
        }
    }

    /// Whether it is locked for no request.
    pub(super) fn is_free(&self) -> bool {
        self.locked.is_none()
    }

    fn precedes(&self, one: Timestamp, other: Timestamp) -> bool {
        match self.bug {
            Some(Bug::NoTieBreak) => one.time < other.time,
            _ => one < other,
        }
    }

    /// A process requests the critical section.
    pub(super) fn request(&mut self, request: Timestamp) -> Sends {
        let Some(locked) = self.locked else {
            return self.lock(request);
        };
        let first = self.queue.first().copied();
        self.queue.insert(request);
        if self.bug == Some(Bug::NoRelinquish) {
            return Sends::new();
        }
        let waiting = first.filter(|first| self.precedes(*first, locked));
        if !self.precedes(request, waiting.unwrap_or(locked)) {
            return vec![(request.process, Payload::Failed)];
        }
        // Sanders's correction: the request before which this one comes was the first until now.
        let failed = waiting.map(|waiting| (waiting.process, Payload::Failed));
        let is_new = !mem::replace(&mut self.has_inquired, true);
        let inquire = is_new.then_some((locked.process, Payload::Inquire));
        failed.into_iter().chain(inquire).collect()
    }

    /// A process relinquishes the lock.
    pub(super) fn relinquish(&mut self, from: ProcessId) -> Sends {
        match self.locked {
            Some(locked) if locked.process == from => {
                self.queue.insert(locked);
                self.next()
            }
            _ => Sends::new(),
        }
    }

    /// A process has exited the critical section.
    pub(super) fn release(&mut self, from: ProcessId) -> Sends {
        match self.locked {
            Some(locked) if locked.process == from => self.next(),
            _ => {
                // With the bug no-acknowledgement a process exits without the lock.
                self.queue.retain(|request| request.process != from);
                Sends::new()
            }
        }
    }

    fn next(&mut self) -> Sends {
        self.locked = None;
        let next = self.queue.pop_first();
        next.map_or_else(Sends::new, |next| self.lock(next))
    }

    fn lock(&mut self, request: Timestamp) -> Sends {
        self.locked = Some(request);
        self.has_inquired = false;
        vec![(request.process, Payload::Locked)]
    }

    /// Its requests in words, the one for which it is locked first.
    pub(super) fn words<'n>(&'n self, names: &'n Names) -> impl Iterator<Item = String> + 'n {
        let locked = self.locked.iter().map(|request| (request, "locked for it"));
        let queue = self.queue.iter().map(|request| (request, "queued"));
        locked.chain(queue).map(|(request, state)| {
            let name = names.of(request.process);
            format!("{name}: request of {}, {state}", request.time)
        })
    }

    /// Visits the times of the requests.
    pub(super) fn times(&mut self, visit: Visit<'_>) {
        let mut visited = |mut request: Timestamp| {
            visit(&mut request.time, Use::Compared);
            request
        };
        self.locked = self.locked.map(&mut visited);
        let queue = mem::take(&mut self.queue);
        self.queue = queue.into_iter().map(visited).collect();
    }
}
