//! The clients of the lab, and their requests: which of them wait for a reply, and what became of the others.

use std::{collections::BTreeMap, time::Duration};

use super::message::Body;

/// What a request is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Purpose {
    /// It starts a node.
    Init,
    /// It tells a node its neighbours.
    Topology,
    /// It is one of the workload.
    Load,
    /// It reads a node in the end.
    Read,
}

/// A request that waits for its reply.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) node: usize,
    pub(super) purpose: Purpose,
    pub(super) body: Body,
    pub(super) at: Duration,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Status {
    Waiting,
    Answered,
    GivenUp,
}

/// Why a reply belongs to no request that waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum NoRequest {
    /// The client has made no such request of this node.
    Unknown,
    /// It is answered.
    Answered,
    /// The client has given it up.
    Late,
}

/// In place of a node: any node.
const ANY: usize = usize::MAX;

/// A client.
#[derive(Debug, Default)]
pub(super) struct Client {
    waiting: BTreeMap<u64, Request>,
    /// The status of each request, and its node; the first one has the id 1.
    statuses: Vec<(Status, usize)>,
    /// How many requests of the workload it has begun.
    pub(super) started: u64,
    /// Whether it has set a timer for its next request.
    pub(super) thinks: bool,
}

impl Client {
    /// The id of its next request.
    pub(super) fn next_id(&self) -> u64 {
        self.statuses.len() as u64 + 1
    }

    /// Makes a request; returns its id.
    pub(super) fn ask(&mut self, request: Request) -> u64 {
        let id = self.next_id();
        self.statuses.push((Status::Waiting, request.node));
        self.waiting.insert(id, request);
        id
    }

    /// A node hands a request on: another one may answer it.
    pub(super) fn forward(&mut self, id: u64) {
        let place = id
            .checked_sub(1)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(status) = place.and_then(|place| self.statuses.get_mut(place)) {
            status.1 = ANY;
        }
    }

    /// Takes the request that this node answers.
    pub(super) fn answer(&mut self, id: u64, node: usize) -> Result<Request, NoRequest> {
        let place = id
            .checked_sub(1)
            .and_then(|place| usize::try_from(place).ok());
        let status = place.and_then(|place| self.statuses.get_mut(place));
        match status {
            Some((status, asked)) if *asked == node || *asked == ANY => {
                let before = std::mem::replace(status, Status::Answered);
                match (before, self.waiting.remove(&id)) {
                    (Status::Waiting, Some(request)) => Ok(request),
                    (Status::GivenUp, _) => Err(NoRequest::Late),
                    _ => Err(NoRequest::Answered),
                }
            }
            _ => Err(NoRequest::Unknown),
        }
    }

    /// Gives a request up, if it waits.
    pub(super) fn give_up(&mut self, id: u64) -> Option<Request> {
        let request = self.waiting.remove(&id)?;
        self.statuses[id as usize - 1].0 = Status::GivenUp;
        Some(request)
    }

    /// The ids of the requests of a node that wait.
    pub(super) fn waits_for(&self, node: usize) -> Vec<u64> {
        let waiting = self
            .waiting
            .iter()
            .filter(|(_, request)| request.node == node);
        waiting.map(|(id, _)| *id).collect()
    }

    /// Whether a request for this purpose waits.
    pub(super) fn waits(&self, purpose: Purpose) -> bool {
        self.waiting
            .values()
            .any(|request| request.purpose == purpose)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_belongs_to_one_request_of_its_node() {
        let mut client = Client::default();
        let request = |node| Request {
            node,
            purpose: Purpose::Load,
            body: Body::new(),
            at: Duration::ZERO,
        };
        assert_eq!([client.ask(request(0)), client.ask(request(0))], [1, 2]);
        assert_eq!(client.answer(1, 1).unwrap_err(), NoRequest::Unknown);
        assert!(client.answer(1, 0).is_ok());
        assert_eq!(client.answer(1, 0).unwrap_err(), NoRequest::Answered);
        for id in [0, 3, u64::MAX] {
            assert_eq!(client.answer(id, 0).unwrap_err(), NoRequest::Unknown);
        }
        assert!(client.give_up(2).is_some() && client.give_up(2).is_none());
        assert_eq!(client.answer(2, 0).unwrap_err(), NoRequest::Late);
        client.ask(request(0));
        client.forward(3);
        client.forward(4);
        assert!(client.answer(3, 1).is_ok());
        assert_eq!(client.answer(2, 0).unwrap_err(), NoRequest::Answered);
    }
}
