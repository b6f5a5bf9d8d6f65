//! The way to the node that is responsible for an identifier (`find_successor` of the paper): step by step with the asker, or
//! from node to node.

use common::process::{Outbox, To, clock::Overflow, ids::ProcessId};

use super::{
    messages::{Payload, Record, Route, Want},
    node::{Chord, Membership},
    search::{Purpose, Search},
    settings::{LookUps, Peer},
};
use crate::{
    location::{
        circle::Id,
        entities::finds,
        pending::{Number, TRIES},
    },
    name::Name,
};

impl Chord {
    /// Looks a name up.
    pub(super) fn get(
        &mut self,
        name: Name,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let id = self.circle.id(&name);
        self.search(id, Purpose::Get(name), out)
    }

    /// Has a record kept.
    pub(super) fn put(
        &mut self,
        name: Name,
        record: Record,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let id = self.circle.id(&name);
        self.search(id, Purpose::Put(name, record), out)
    }

    /// Looks for the node that is responsible for the identifier.
    pub(super) fn search(
        &mut self,
        id: Id,
        purpose: Purpose,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let search = Search {
            id,
            purpose,
            asked: None,
            avoided: Vec::new(),
        };
        let number = self.pending.begin(search, out);
        match self.look_ups {
            LookUps::Recursive if self.is_member() => self.send_off(number, out),
            _ => self.begin(number, out),
        }
    }

    /// The node to ask next, and whether that is responsible for the identifier.
    pub(super) fn refer(&self, id: Id, avoided: &[ProcessId]) -> (Peer, bool) {
        let neighbours = &self.neighbours;
        let me = neighbours.me;
        if neighbours.is_mine(self.circle, id) == Some(true) {
            return (me, true);
        }
        let is_avoided = |peer: Peer| avoided.contains(&peer.process);
        let mut successors = neighbours.successors.iter().copied();
        let successor = successors.find(|peer| !is_avoided(*peer)).unwrap_or(me);
        if self.circle.up_to(me.id, id, successor.id) {
            return (successor, true);
        }
        let closest = self.fingers.closest(self.circle, me.id, id, is_avoided);
        (closest.unwrap_or(successor), false)
    }

    /// Starts a look-up at this node, or where that is no member at its contact.
    fn begin(&mut self, number: Number, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let Some(open) = self.pending.get(number) else {
            return Ok(());
        };
        let (id, avoided) = (open.with.id, open.with.avoided.clone());
        match self.membership {
            Membership::Member => {
                let (peer, last) = self.refer(id, &avoided);
                self.go_on(number, self.me(), peer, last, out)
            }
            Membership::Joining(contact) => {
                open.with.asked = None;
                out.send(To::One(contact), Payload::Ask(id, number, avoided))
                    .map(drop)
            }
            _ => self.give_up(number, out),
        }
    }

    /// Goes on to a node that another one has named.
    fn go_on(
        &mut self,
        number: Number,
        by: Peer,
        peer: Peer,
        last: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let me = self.me();
        let Some(open) = self.pending.step(number) else {
            return self.give_up(number, out);
        };
        let search = &mut open.with;
        let want = match &search.purpose {
            Purpose::Get(name) => Want::Get(name.clone()),
            Purpose::Put(name, record) => Want::Put(name.clone(), *record),
            Purpose::Join if last => return self.find_place(number, by, peer, out),
            Purpose::Finger(_) if last => {
                return self.done(number, Payload::Node(peer, number), out);
            }
            Purpose::Join | Purpose::Finger(_) => Want::Node,
        };
        if !last {
            search.asked = Some(peer);
            let ask = Payload::Ask(search.id, number, search.avoided.clone());
            return out.send(To::One(peer.process), ask).map(drop);
        }
        if peer.process == me.process {
            let answer = self.serve(want, number, out)?;
            return self.answered(me.process, answer, out);
        }
        search.asked = Some(peer);
        out.send(To::One(peer.process), Payload::Request(want, number))
            .map(drop)
    }

    /// Lets nodes pass a look-up on, this one first.
    fn send_off(&mut self, number: Number, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let asker = self.me().process;
        let Some(open) = self.pending.get(number) else {
            return Ok(());
        };
        let want = match &open.with.purpose {
            Purpose::Get(name) => Want::Get(name.clone()),
            Purpose::Put(name, record) => Want::Put(name.clone(), *record),
            Purpose::Join | Purpose::Finger(_) => Want::Node,
        };
        let route = Route {
            id: open.with.id,
            want,
            asker,
            number,
            last: false,
        };
        self.route(route, out)
    }

    /// Passes a look-up on, or answers it.
    pub(super) fn route(
        &mut self,
        mut route: Route,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        if !self.knows(route.asker) {
            return Ok(());
        }
        let (peer, last) =
            match route.last && self.neighbours.is_mine(self.circle, route.id) != Some(false) {
                true => (self.me(), true),
                false => self.refer(route.id, &[]),
            };
        let answer = if last && peer.process == self.me().process {
            self.serve(route.want, route.number, out)?
        } else if last && route.want == Want::Node {
            Payload::Node(peer, route.number)
        } else {
            route.last = last;
            return out
                .send(To::One(peer.process), Payload::Route(route))
                .map(drop);
        };
        match route.asker {
            asker if asker == self.me().process => self.answered(asker, answer, out),
            asker => out.send(To::One(asker), answer).map(drop),
        }
    }

    /// An answer to a look-up of this node.
    pub(super) fn answered(
        &mut self,
        from: ProcessId,
        answer: Payload,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let (Payload::Refer(.., number)
        | Payload::Value(_, number)
        | Payload::Stored(number)
        | Payload::Node(_, number)
        | Payload::NotMine(_, number)
        | Payload::Neighbours(_, number)) = answer
        else {
            return Ok(());
        };
        let (me, circle) = (self.me(), self.circle);
        let Some(open) = self.pending.get(number) else {
            return Ok(());
        };
        let (id, asked) = (open.with.id, open.with.asked);
        match answer {
            Payload::Refer(peer, last, _) => {
                // A node that names one which is not nearer, or no process at all, lies or is wrong.
                let by = asked.filter(|asked| asked.process == from);
                let is_nearer = match (by, last) {
                    (None, _) => true,
                    (Some(by), false) => circle.between(by.id, peer.id, id),
                    (Some(by), true) => {
                        peer.process == by.process || circle.up_to(by.id, id, peer.id)
                    }
                };
                match is_nearer && self.knows(peer.process) {
                    true => {
                        let by = by.unwrap_or(Peer {
                            process: from,
                            ..me
                        });
                        self.go_on(number, by, peer, last, out)
                    }
                    false => self.avoid(number, from, out),
                }
            }
            // The node before it is nearer to the identifier than it seemed.
            Payload::NotMine(Some(peer), _)
                if self.knows(peer.process) && peer.process != me.process =>
            {
                self.go_on(number, me, peer, false, out)
            }
            Payload::NotMine(..) => self.avoid(number, from, out),
            Payload::Neighbours(theirs, _) => self.place(number, &theirs, out),
            answer => self.done(number, answer, out),
        }
    }

    /// A look-up has come to its end.
    fn done(
        &mut self,
        number: Number,
        answer: Payload,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let Some(open) = self.pending.finish(number) else {
            return Ok(());
        };
        match (open.with.purpose, answer) {
            (Purpose::Get(name), Payload::Value(record, _)) => {
                let at = record.and_then(|record| record.at);
                finds(&name, at.filter(|at| self.knows(*at)), out)
            }
            (Purpose::Finger(index), Payload::Node(peer, _))
                if self.knows(peer.process) && peer.process != self.me().process =>
            {
                self.fingers.set(index, peer);
                Ok(())
            }
            (Purpose::Get(name), _) => finds(&name, None, out),
            _ => Ok(()),
        }
    }

    /// Asks again, but not this node, which does not answer, has left, or lies.
    pub(super) fn avoid(
        &mut self,
        number: Number,
        process: ProcessId,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        // All successors but one may have failed.
        let tries = TRIES.saturating_add(self.length.try_into().unwrap_or(u8::MAX));
        let again = self.pending.again_of(number, tries);
        let Some(open) = self.pending.get(number) else {
            return Ok(());
        };
        if !again {
            return self.give_up(number, out);
        }
        let search = &mut open.with;
        if process != self.neighbours.me.process && !search.avoided.contains(&process) {
            search.avoided.push(process);
        }
        self.begin(number, out)
    }

    /// Ends a look-up without an answer. A record that was to be kept waits for the next round of maintenance.
    fn give_up(&mut self, number: Number, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let Some(open) = self.pending.finish(number) else {
            return Ok(());
        };
        match open.with.purpose {
            Purpose::Get(name) => return finds(&name, None, out),
            Purpose::Put(name, record) => drop(self.unpublished.insert(name, record)),
            Purpose::Join => self.membership = Membership::Outside,
            Purpose::Finger(_) => {}
        }
        Ok(())
    }

    /// Requests have waited too long: the nodes that were asked do not answer.
    pub(super) fn timed_out(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        for number in self.pending.expired() {
            let Some(open) = self.pending.get(number) else {
                continue;
            };
            let asked = open.with.asked.take();
            if let Some(asked) = asked {
                self.fingers.lost(asked.process);
            }
            let process = asked.map_or(self.me().process, |asked| asked.process);
            self.avoid(number, process, out)?;
        }
        self.pending.wait(out);
        Ok(())
    }
}
