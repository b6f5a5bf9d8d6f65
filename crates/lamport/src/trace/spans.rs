//! What lasts from one event of a process to another: critical sections and the terms of leaders.

use common::{event::Kind, process::words::CRASHED};
use hashbrown::HashMap;

use super::{Claim, EventId, Trace, words::Fields};

/// An entry to the critical section, with its exit if that is among the events.
pub type Section = (EventId, Option<EventId>);

/// A term of a leader: from the event by which it takes itself as the leader until that by which it takes another one or
/// crashes, if that is among the events; with the term's number.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// It takes itself as the leader.
    pub from: EventId,
    /// It takes another one as the leader, or crashes.
    pub until: Option<EventId>,
    /// The number of the term.
    pub number: String,
}

/// The critical sections of these events, which are in causal order.
pub fn sections(trace: &Trace, events: &[EventId]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open: HashMap<u32, usize> = HashMap::new();
    for id in events {
        let event = &trace.events[*id];
        if event.claim != Claim::Property {
            continue;
        }
        match Fields::of(trace, *id).get("meaning") {
            Some("enter") => {
                open.insert(event.process, sections.len());
                sections.push((*id, None));
            }
            Some("exit") => {
                if let Some(section) = open.remove(&event.process) {
                    sections[section].1 = Some(*id);
                }
            }
            _ => {}
        }
    }
    sections
}

/// The terms of leaders in these events, which are in causal order.
pub fn terms(trace: &Trace, events: &[EventId]) -> Vec<Term> {
    let mut terms: Vec<Term> = Vec::new();
    let mut open: HashMap<u32, usize> = HashMap::new();
    for id in events {
        let event = &trace.events[*id];
        if event.claim != Claim::Property && event.kind != Kind::Fault {
            continue;
        }
        let fields = Fields::of(trace, *id);
        let meaning = fields.get("meaning").unwrap_or_default();
        let leader = fields.get("timestamp").filter(|_| meaning == "leader");
        let (number, leader) = match leader.and_then(|leader| leader.split_once(',')) {
            Some(leader) => leader,
            None if meaning == CRASHED => ("", ""),
            None => continue,
        };
        let leads = trace.processes[event.process as usize].node == leader;
        let before = open.get(&event.process).copied();
        if let Some(before) = before
            && !(leads && terms[before].number == number)
        {
            terms[before].until = Some(*id);
            open.remove(&event.process);
        }
        if leads && !open.contains_key(&event.process) {
            open.insert(event.process, terms.len());
            terms.push(Term {
                from: *id,
                until: None,
                number: number.to_owned(),
            });
        }
    }
    terms
}
