//! The maintenance of the ring: joining, stabilisation, failures, leaving.

use common::process::{Meaning, Outbox, TimerKind, To, clock::Overflow, ids::ProcessId};

use super::{
    messages::Payload,
    neighbours::Neighbours,
    node::{Chord, Membership},
    search::Purpose,
    settings::{Peer, Rules},
};
use crate::location::pending::Number;

impl Chord {
    /// Joins the ring that the contact is a member of; with itself as contact it starts one.
    pub(super) fn join(
        &mut self,
        contact: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let me = self.me();
        self.neighbours = Neighbours::alone(me);
        if contact == me.process {
            return self.becomes_member(out);
        }
        self.membership = Membership::Joining(contact);
        self.search(me.id, Purpose::Join, out)
    }

    fn becomes_member(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        self.membership = Membership::Member;
        self.copied_to.clear();
        out.local(Meaning::Join)?;
        let here: Vec<_> = self
            .entities
            .iter()
            .map(|(name, moves)| (name.clone(), moves))
            .collect();
        for (name, moves) in here {
            self.publish(name, moves, true, out)?;
        }
        Ok(())
    }

    /// A node names the successor of the one that joins: unless it has the same identifier, its neighbours are asked for.
    pub(super) fn find_place(
        &mut self,
        number: Number,
        by: Peer,
        successor: Peer,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let me = self.me();
        if successor.id == me.id && successor.process != me.process {
            self.pending.finish(number);
            self.membership = Membership::Taken(successor.process);
            let why = format!("identifier {} is taken", me.id);
            return out.local(Meaning::Local(why)).map(drop);
        }
        self.ask_neighbours(number, by.process, out)
    }

    fn ask_neighbours(
        &mut self,
        number: Number,
        process: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        out.send(To::One(process), Payload::GetNeighbours(number))
            .map(drop)
    }

    /// The neighbours of the node that should be before the one that joins.
    pub(super) fn place(
        &mut self,
        number: Number,
        before: &Neighbours,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let me = self.me();
        if !matches!(self.membership, Membership::Joining(_)) || self.pending.step(number).is_none()
        {
            return Ok(());
        }
        if !self
            .circle
            .up_to(before.me.id, me.id, before.successor().id)
        {
            return match before.predecessor {
                Some(peer) if peer.process != me.process => {
                    self.ask_neighbours(number, peer.process, out)
                }
                _ => self.avoid(number, me.process, out),
            };
        }
        let after = before
            .successors
            .iter()
            .filter(|peer| peer.process != me.process);
        let after: Vec<Peer> = after.copied().collect();
        self.neighbours =
            Neighbours::joined(me, before.me, &after, self.circle, self.rules, self.length);
        self.pending.finish(number);
        self.becomes_member(out)?;
        let successor = To::One(self.neighbours.successor().process);
        out.send(successor, Payload::Notify(me)).map(drop)
    }

    /// One round of maintenance.
    pub(super) fn maintain(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.set_timer(TimerKind::Maintain);
        if !self.is_member() {
            return match (&self.membership, self.contact) {
                (Membership::Outside, Some(contact)) => self.join(contact, out),
                _ => Ok(()),
            };
        }
        for process in self.suspicion.failed() {
            self.lost(process);
        }
        self.close_ring();
        let (me, successor) = (self.me().process, self.neighbours.successor().process);
        if successor != me {
            self.suspicion.expects(successor);
            out.send(To::One(successor), Payload::GetNeighbours(0))?;
        }
        if let Some(predecessor) = self.neighbours.predecessor
            && predecessor.process != successor
        {
            self.suspicion.expects(predecessor.process);
            out.send(To::One(predecessor.process), Payload::Ping)?;
        }
        self.copy(out)?;
        for (name, record) in std::mem::take(&mut self.unpublished) {
            self.put(name, record, out)?;
        }
        self.fix_finger(out)
    }

    /// A node without a successor takes its predecessor: with two nodes that is the same one.
    fn close_ring(&mut self) {
        if let (true, Some(predecessor)) = (
            self.neighbours.successors.is_empty(),
            self.neighbours.predecessor,
        ) {
            self.neighbours
                .adopt(self.circle, predecessor, &[], self.length);
        }
    }

    /// Looks the next finger up. Those up to the successor are the successor.
    fn fix_finger(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let (me, circle) = (self.me(), self.circle);
        let successor = self.neighbours.successor();
        if successor.process == me.process {
            return Ok(());
        }
        let distance = circle.distance(me.id, successor.id);
        let least = (u64::BITS - distance.leading_zeros()) as u8;
        let next = self.next_finger.max(least);
        if next >= circle.bits() {
            self.next_finger = 0;
            return Ok(());
        }
        self.next_finger = next + 1;
        self.search(circle.start(me.id, next), Purpose::Finger(next), out)
    }

    /// The answer of the successor, or by the corrected rules of a node that may be the successor.
    pub(super) fn stabilise(
        &mut self,
        from: ProcessId,
        theirs: &Neighbours,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let (me, circle, length) = (self.me(), self.circle, self.length);
        let successor = self.neighbours.successor();
        if from == successor.process {
            self.neighbours
                .adopt(circle, successor, &theirs.successors, length);
        } else if self.neighbours.is_better(circle, theirs.me) {
            self.neighbours
                .adopt(circle, theirs.me, &theirs.successors, length);
        } else {
            return Ok(());
        }
        if let Some(candidate) = theirs.predecessor
            && self.neighbours.is_better(circle, candidate)
        {
            match self.rules {
                Rules::Corrected => {
                    out.send(To::One(candidate.process), Payload::GetNeighbours(0))?;
                }
                Rules::Published => {
                    let list = std::mem::take(&mut self.neighbours.successors);
                    self.neighbours.adopt(circle, candidate, &list, length);
                }
            }
        }
        let successor = self.neighbours.successor();
        if successor.process == me.process {
            return Ok(());
        }
        out.send(To::One(successor.process), Payload::Notify(me))
            .map(drop)
    }

    /// A node says that it may be the predecessor: then it gets the records that are its own now.
    pub(super) fn notified(
        &mut self,
        peer: Peer,
        from: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if peer.process != from || !self.neighbours.notified(self.circle, peer) {
            return Ok(());
        }
        self.close_ring();
        self.send_records(from, false, out)
    }

    /// A node has failed.
    fn lost(&mut self, process: ProcessId) {
        // Without a predecessor more records may be this node's own: all are copied again.
        if self
            .neighbours
            .predecessor
            .is_some_and(|peer| peer.process == process)
        {
            self.copied_to.clear();
        }
        self.neighbours.lost(process);
        self.fingers.lost(process);
    }

    /// Leaves the ring: the neighbours learn of one another, and the successor gets the records.
    pub(super) fn leave(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        out.local(Meaning::Leave)?;
        let me = self.me().process;
        let successor = self.neighbours.successor().process;
        let predecessor = self.neighbours.predecessor.map_or(me, |peer| peer.process);
        if successor != me {
            self.send_records(successor, true, out)?;
        }
        for (process, is_new) in [(successor, true), (predecessor, predecessor != successor)] {
            if process != me && is_new {
                out.send(To::One(process), Payload::Leaving(self.neighbours.clone()))?;
            }
        }
        self.membership = Membership::Left;
        Ok(())
    }

    /// A neighbour has left.
    pub(super) fn left(&mut self, from: ProcessId, theirs: &Neighbours) {
        let was_successor = self.neighbours.successor().process == from;
        let was_predecessor = self
            .neighbours
            .predecessor
            .is_some_and(|peer| peer.process == from);
        self.lost(from);
        let me = self.me().process;
        if was_successor && let Some((first, rest)) = theirs.successors.split_first() {
            match first.process == me {
                true => self.neighbours.successors.clear(),
                false => self
                    .neighbours
                    .adopt(self.circle, *first, rest, self.length),
            }
        }
        if was_predecessor {
            self.neighbours.predecessor = theirs.predecessor.filter(|peer| peer.process != me);
        }
    }

    /// A message to a node that is no member.
    pub(super) fn receive_outside(
        &mut self,
        from: ProcessId,
        message: Payload,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        match message {
            Payload::Ask(_, number, _) | Payload::Request(_, number) => out
                .send(To::One(from), Payload::NotMine(None, number))
                .map(drop),
            // Its record follows when the process has joined.
            Payload::Transfer(name, moves) => {
                self.entities.arrive(&name, moves, self.me().process, out)
            }
            answer => self.answered(from, answer, out),
        }
    }
}
