//! What the node that is responsible for a name keeps, and the copies of it at the nodes after that one.

use common::process::{Outbox, To, clock::Overflow, ids::ProcessId};

use super::{
    messages::{Payload, Record, Want},
    node::Chord,
};
use crate::{
    location::{
        entities::{Moves, stores},
        pending::Number,
    },
    name::Name,
};

/// How many records one message has at most: as many as fit into a datagram of an Ethernet frame.
const TOGETHER: usize = 8;

impl Chord {
    /// Does what is wanted of the node that is responsible, and makes the answer.
    pub(super) fn serve(
        &mut self,
        want: Want,
        number: Number,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<Payload, Overflow> {
        let predecessor = self.neighbours.predecessor;
        let is_of_other = |node: &Self, name: &Name| {
            node.neighbours.is_mine(node.circle, node.circle.id(name)) == Some(false)
        };
        Ok(match want {
            Want::Node => Payload::Node(self.me(), number),
            Want::Get(name) => match self.record(&name) {
                None if is_of_other(self, &name) => Payload::NotMine(predecessor, number),
                record => Payload::Value(record, number),
            },
            Want::Put(name, _) if is_of_other(self, &name) => Payload::NotMine(predecessor, number),
            Want::Put(name, record) => {
                let records = vec![(name.clone(), record)];
                for process in self.copies() {
                    out.send(To::One(process), Payload::Keep(records.clone()))?;
                }
                self.keep(records);
                if self.record(&name) == Some(record) {
                    stores(&name, record.at, out)?;
                }
                Payload::Stored(number)
            }
        })
    }

    /// An entity is here, or does not exist any more: the ring must know.
    pub(super) fn publish(
        &mut self,
        name: Name,
        moves: Moves,
        is_here: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let at = is_here.then_some(self.me().process);
        self.put(name, Record { at, moves }, out)
    }

    /// Keeps records, unless it has newer ones.
    pub(super) fn keep(&mut self, records: Vec<(Name, Record)>) {
        for (name, record) in records {
            let known = self.records.entry(name).or_insert(record);
            if known.moves <= record.moves {
                *known = record;
            }
        }
    }

    /// The nodes that are to have copies of this node's records.
    fn copies(&self) -> Vec<ProcessId> {
        let successors = self.neighbours.successors.iter();
        let copies = successors.take(self.length.saturating_sub(1));
        copies.map(|peer| peer.process).collect()
    }

    /// Copies this node's records to the nodes that do not have them yet.
    pub(super) fn copy(&mut self, out: &mut Outbox<'_, Payload>) -> Result<(), Overflow> {
        let copies = self.copies();
        for process in &copies {
            if !self.copied_to.contains(process) {
                self.send_records(*process, true, out)?;
            }
        }
        self.copied_to = copies;
        Ok(())
    }

    /// Sends the records for which this node is responsible, or those for which it is not.
    pub(super) fn send_records(
        &self,
        to: ProcessId,
        mine: bool,
        out: &mut Outbox<'_, Payload>,
    ) -> Result<(), Overflow> {
        let is_mine =
            |name: &Name| self.neighbours.is_mine(self.circle, self.circle.id(name)) != Some(false);
        let records = self
            .records
            .iter()
            .filter(|(name, _)| is_mine(name) == mine);
        let records: Vec<_> = records
            .map(|(name, record)| (name.clone(), *record))
            .collect();
        for some in records.chunks(TOGETHER) {
            out.send(To::One(to), Payload::Keep(some.to_vec()))?;
        }
        Ok(())
    }
}
