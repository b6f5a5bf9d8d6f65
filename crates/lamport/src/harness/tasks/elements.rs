//! `broadcast` and `g-set`: an element that one node takes is in the end in what every node reads.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use common::{
    process::{ids::ProcessId, property::Property, verdict::check::Check},
    text::plural,
};
use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use serde_json::Value;

use crate::harness::{
    history::History,
    message::{Body, body, excerpt, is_definite, kind},
    task::{Answer, End, Exchange, Task},
};

/// What became of an element.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Added {
    /// The node has not answered, or its answer leaves it open.
    Perhaps,
    /// The node took it.
    Yes,
    /// The node refused it.
    No,
}

/// The workload.
#[derive(Debug)]
pub(super) struct Elements {
    /// The request that adds, its field, and the field of a read.
    add: (&'static str, &'static str),
    read: &'static str,
    next: u64,
    elements: BTreeMap<u64, Added>,
    /// What each node read last, in the end.
    last: Vec<Option<HashSet<u64>>>,
    /// The first element in a read that nobody added, or that is in it twice; in words.
    invented: Option<String>,
    reads: u64,
}

impl Elements {
    /// `broadcast`.
    pub(super) fn broadcast(nodes: usize) -> Self {
        Self::new(("broadcast", "message"), "messages", nodes)
    }

    /// `g-set`.
    pub(super) fn set(nodes: usize) -> Self {
        Self::new(("add", "element"), "value", nodes)
    }

    fn new(add: (&'static str, &'static str), read: &'static str, nodes: usize) -> Self {
        Self {
            add,
            read,
            next: 0,
            elements: BTreeMap::new(),
            last: vec![None; nodes],
            invented: None,
            reads: 0,
        }
    }

    fn element(&self, request: &Body) -> Option<u64> {
        request.get(self.add.1).and_then(Value::as_u64)
    }

    fn read_of(&mut self, node: &str, reply: &Body) -> Result<HashSet<u64>, String> {
        let Some(Value::Array(values)) = reply.get(self.read) else {
            let found = reply.get(self.read).map_or_else(
                || "none".to_owned(),
                |found| excerpt(found.to_string().as_bytes()),
            );
            return Err(format!(
                "expected a list as {} in read_ok, found {found}",
                self.read
            ));
        };
        self.reads += 1;
        let mut read = HashSet::new();
        for value in values {
            let known = value.as_u64().and_then(|element| {
                let added = self.elements.get(&element)?;
                (*added != Added::No).then_some(element)
            });
            let wrong = match known {
                None => "which no client added",
                Some(element) if !read.insert(element) => "twice in one reply",
                Some(_) => continue,
            };
            let value = excerpt(value.to_string().as_bytes());
            self.invented
                .get_or_insert_with(|| format!("{node} read {value}, {wrong}"));
        }
        Ok(read)
    }

    /// The elements that a node took and that another one does not have.
    fn missing<'s>(&'s self, read: &'s HashSet<u64>) -> impl Iterator<Item = u64> + 's {
        let added = self
            .elements
            .iter()
            .filter(|(_, added)| **added == Added::Yes);
        added
            .map(|(element, _)| *element)
            .filter(|element| !read.contains(element))
    }
}

impl Task for Elements {
    fn request(&mut self, _: usize, random: &mut Pcg64Mcg) -> Body {
        if random.random_bool(0.5) {
            return body("read", []);
        }
        let element = self.next;
        self.next += 1;
        body(self.add.0, [(self.add.1, element.into())])
    }

    fn invoked(&mut self, _: usize, _: u64, request: &Body) {
        if let Some(element) = self.element(request) {
            self.elements.insert(element, Added::Perhaps);
        }
    }

    fn answered(
        &mut self,
        history: &mut History,
        _: Duration,
        exchange: Exchange<'_>,
    ) -> Result<(), String> {
        let element = self.element(exchange.request);
        match (exchange.answer, element) {
            (Answer::Ok(..), Some(element)) => {
                self.elements.insert(element, Added::Yes);
            }
            (Answer::Error(code), Some(element)) if is_definite(code) => {
                self.elements.insert(element, Added::No);
            }
            (Answer::Ok(reply, _), None) if kind(exchange.request) == "read" => {
                let node = history.names.of(ProcessId::at(exchange.node)).to_owned();
                self.read_of(&node, reply)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn read(&self) -> Option<Body> {
        Some(body("read", []))
    }

    fn is_read(&mut self, node: usize, reply: &Body) -> Result<bool, String> {
        let read = self.read_of(&format!("n{}", node + 1), reply)?;
        let before = self.last[node].as_ref().map_or(0, HashSet::len);
        let differs = before != read.len();
        self.last[node] = Some(read);
        Ok(differs)
    }

    fn is_complete(&self, end: &End<'_>) -> bool {
        end.of_those_up(&self.last).all(|(_, read)| {
            let has_all = |read| self.missing(read).next().is_none();
            read.as_ref().is_some_and(has_all)
        })
    }

    fn conclude(&self, end: &End<'_>) -> Vec<Check> {
        let added = self
            .elements
            .values()
            .filter(|added| **added == Added::Yes)
            .count();
        let all = plural(added as u64, "element");
        let mut lost = Vec::new();
        for (node, read) in end.of_those_up(&self.last) {
            match read {
                None => lost.push(format!("{} answered no read in the end", end.name(node))),
                Some(read) => {
                    let mut missing = self.missing(read);
                    if let Some(first) = missing.next() {
                        let count = 1 + missing.count();
                        let name = end.name(node);
                        lost.push(format!("{name} lacks {count} of {all}, {first} among them"));
                    }
                }
            }
        }
        let (lost_property, invented_property) = (Property::NothingLost, Property::NothingInvented);
        let lost = match lost.as_slice() {
            [] if added == 0 => Check::open(lost_property, "no node took an element"),
            [] => Check::ok(
                lost_property,
                format!("every node has all {all} in the end"),
            ),
            lost => Check::unfulfilled(lost_property, lost.join("; ")),
        };
        let invented = match &self.invented {
            Some(invented) => Check::unfulfilled(invented_property, invented.clone()),
            None if self.reads == 0 => Check::open(invented_property, "no node was read"),
            None => Check::ok(
                invented_property,
                format!(
                    "{} have only what clients added, once",
                    plural(self.reads, "read")
                ),
            ),
        };
        vec![lost, invented]
    }
}
