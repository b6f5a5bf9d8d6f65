//! A node of the ring as a process: what it does with each message, timer and command.

use std::collections::BTreeMap;

use common::process::{
    Command, Outbox, Process, Refusal, Stamped, TimerKind, To,
    clock::Overflow,
    ids::{Names, ProcessId},
};

use super::{
    fingers::Fingers,
    messages::{Payload, Route, Want},
    neighbours::Neighbours,
    node::{Chord, Membership},
    search::{Purpose, Search},
    settings::{Peer, Settings},
    suspicion::Suspicion,
};
use crate::location::{
    RingPlace, Role, Scheme,
    entities::{Entities, Request, asks, departs, finds, refuse_second},
    pending::Pending,
};

impl Process for Chord {
    type Message = Payload;
    type Settings = Settings;

    fn new(me: ProcessId, processes: usize, settings: &Settings) -> Self {
        let circle = settings.circle;
        let id = settings.ids.get(me.index()).copied().unwrap_or_default();
        let me = Peer { id, process: me };
        let mut neighbours = Neighbours::alone(me);
        let mut fingers = Fingers::default();
        let place = settings.ring.binary_search(&me);
        if let Ok(place) = place {
            let ring = &settings.ring;
            let after = ring[place + 1..].iter().chain(&ring[..place]);
            neighbours.successors = after.take(settings.successors).copied().collect();
            let before = (place + ring.len() - 1) % ring.len();
            neighbours.predecessor = (before != place).then(|| ring[before]);
            fingers = Fingers::converged(id, settings);
        }
        Self {
            neighbours,
            fingers,
            membership: match place {
                Ok(_) => Membership::Member,
                Err(_) => Membership::Outside,
            },
            circle,
            length: settings.successors,
            rules: settings.rules,
            look_ups: settings.look_ups,
            maintains: settings.maintain,
            processes,
            contact: settings.contact,
            entities: Entities::default(),
            records: BTreeMap::new(),
            copied_to: Vec::new(),
            unpublished: BTreeMap::new(),
            next_finger: 0,
            pending: Pending::default(),
            suspicion: Suspicion::default(),
        }
    }

    fn start(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        if let (Membership::Outside, Some(contact)) = (&self.membership, self.contact) {
            self.join(contact, out)?;
        }
        if self.maintains {
            out.set_timer(TimerKind::Maintain);
        }
        Ok(())
    }

    fn receive(
        &mut self,
        from: ProcessId,
        message: Stamped<Payload>,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        self.suspicion.heard(from);
        let message = match message.content {
            // Every node speaks for itself, and names only processes that there are.
            Payload::Neighbours(theirs, _) | Payload::Leaving(theirs)
                if theirs.me.process != from || !self.knows_all(&theirs) =>
            {
                return Ok(());
            }
            // A record of a process that there is not leads nowhere.
            Payload::Request(Want::Put(_, record), _)
            | Payload::Route(Route {
                want: Want::Put(_, record),
                ..
            }) if !self.knows_place(&record) => return Ok(()),
            Payload::Keep(mut records) => {
                records.retain(|(_, record)| self.knows_place(record));
                Payload::Keep(records)
            }
            message => message,
        };
        if !self.is_member() {
            return self.receive_outside(from, message, out);
        }
        let to = To::One(from);
        match message {
            Payload::Ask(id, number, avoided) => {
                let (peer, last) = self.refer(id, &avoided);
                out.send(to, Payload::Refer(peer, last, number)).map(drop)
            }
            Payload::Request(want, number) => {
                let answer = self.serve(want, number, out)?;
                out.send(to, answer).map(drop)
            }
            Payload::Route(route) => self.route(route, out),
            Payload::GetNeighbours(number) => {
                let neighbours = Payload::Neighbours(self.neighbours.clone(), number);
                out.send(to, neighbours).map(drop)
            }
            Payload::Neighbours(theirs, 0) => self.stabilise(from, &theirs, out),
            Payload::Notify(peer) => self.notified(peer, from, out),
            Payload::Ping => out.send(to, Payload::Pong).map(drop),
            Payload::Pong => Ok(()),
            Payload::Keep(records) => {
                self.keep(records);
                Ok(())
            }
            Payload::Leaving(theirs) => {
                self.left(from, &theirs);
                Ok(())
            }
            Payload::Transfer(name, moves) => {
                self.entities.arrive(&name, moves, self.me().process, out)?;
                self.publish(name, moves, true, out)
            }
            Payload::Refer(..)
            | Payload::Value(..)
            | Payload::Stored(_)
            | Payload::Node(..)
            | Payload::NotMine(..)
            | Payload::Neighbours(..) => self.answered(from, message, out),
        }
    }

    fn timer(&mut self, kind: TimerKind, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        match kind {
            TimerKind::Maintain => self.maintain(out),
            TimerKind::Timeout => self.timed_out(out),
            TimerKind::Think | TimerKind::Work => Ok(()),
        }
    }

    fn command(&mut self, command: Command, out: &mut Outbox<'_, Payload>) -> Result<(), Refusal> {
        let outside = |why: &str| Err(Refusal::Invalid(why.to_owned()));
        match (&command, &self.membership) {
            (Command::Join(_), Membership::Member | Membership::Joining(_)) => {
                return outside("it has joined already");
            }
            (Command::Join(contact), _) if !self.knows(*contact) => {
                return outside("no such process");
            }
            (Command::Join(contact), _) => return Ok(self.join(*contact, out)?),
            (Command::Leave, Membership::Member) => return Ok(self.leave(out)?),
            (_, Membership::Member) => {}
            (_, Membership::Taken(_)) => {
                return outside("its identifier is taken: join with another");
            }
            _ => return outside("it is not in the ring: join it first"),
        }
        let me = self.me().process;
        match Request::of(command, me, self.processes)? {
            Request::LookUp(name) => {
                asks(&name, out)?;
                match self.entities.has(&name) {
                    true => finds(&name, Some(me), out)?,
                    false => self.get(name, out)?,
                }
            }
            Request::Insert(name) => {
                refuse_second(&self.entities, &name)?;
                self.entities.arrive(&name, 0, me, out)?;
                self.publish(name, 0, true, out)?;
            }
            Request::Move(name, to) => {
                let moves = self.entities.depart(&name)?;
                departs(&name, to, Payload::Transfer(name.clone(), moves), out)?;
            }
            Request::Delete(name) => {
                let moves = self.entities.delete(&name, out)?;
                self.publish(name, moves + 1, false, out)?;
            }
        }
        Ok(())
    }

    fn idle(&self) -> bool {
        self.pending.iter().all(|(_, open)| !open.with.is_look_up())
    }

    fn queue(&self, names: &Names) -> Vec<String> {
        let node = |peer: Peer| format!("{} ({})", peer.id, names.of(peer.process));
        let Neighbours {
            me,
            predecessor,
            ref successors,
        } = self.neighbours;
        let before = predecessor.map_or_else(|| "none".to_owned(), node);
        let after: Vec<_> = successors.iter().map(|peer| node(*peer)).collect();
        let mut lines = vec![
            format!("node {}: {:?}", me.id, self.membership),
            format!("predecessor: {before}"),
            format!("successors: {}", after.join(", ")),
        ];
        let records = self.records.iter().map(|(name, record)| {
            let at = record.at.map_or("nowhere", |at| names.of(at));
            format!("{name} ({}): at {at}", self.circle.id(name))
        });
        lines.extend(records);
        let asked = self
            .pending
            .iter()
            .map(|(_, open)| format!("{}: asked for", open.with));
        lines.extend(asked);
        lines
    }
}

impl Scheme for Chord {
    fn entries(&self) -> usize {
        let successors = &self.neighbours.successors;
        let fingers = self
            .fingers
            .peers()
            .filter(|peer| !successors.contains(peer));
        let predecessor = usize::from(self.neighbours.predecessor.is_some());
        self.entities.count()
            + self.records.len()
            + successors.len()
            + fingers.count()
            + predecessor
    }

    fn unanswered(&self) -> usize {
        let waits = |search: &Search| matches!(search.purpose, Purpose::Get(_) | Purpose::Put(..));
        let pending = self.pending.iter();
        pending.filter(|(_, open)| waits(&open.with)).count() + self.unpublished.len()
    }

    fn ring_place(&self) -> RingPlace {
        let neighbours = &self.neighbours;
        let successors = neighbours.successors.iter();
        RingPlace {
            is_member: self.is_member(),
            predecessor: neighbours.predecessor.map(|peer| peer.process),
            successors: successors.map(|peer| peer.process).collect(),
        }
    }

    fn role(message: &Payload) -> Role {
        match message {
            Payload::Ask(..)
            | Payload::Request(..)
            | Payload::Route(_)
            | Payload::GetNeighbours(_)
            | Payload::Notify(_)
            | Payload::Ping
            | Payload::Keep(_)
            | Payload::Leaving(..) => Role::Request,
            Payload::Refer(..)
            | Payload::Value(..)
            | Payload::Stored(_)
            | Payload::Node(..)
            | Payload::NotMine(..)
            | Payload::Neighbours(..)
            | Payload::Pong => Role::Answer,
            Payload::Transfer(..) => Role::Transfer,
        }
    }
}
