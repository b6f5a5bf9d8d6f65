//! What happened before what: from messages, and from nothing else.

use crate::{
    happening::{Happening, What},
    process::ProcessId,
};

/// The messages that were sent, by sender and number.
#[derive(Debug)]
pub(super) struct Sent(Vec<Vec<(u64, usize)>>);

impl Sent {
    fn new(processes: usize) -> Self {
        Self(vec![Vec::new(); processes])
    }

    fn put(&mut self, from: ProcessId, number: u64, place: usize) {
        self.0[from.index()].push((number, place));
    }

    /// The how many-th of the sender's messages that are known it is, and where its sending stands. Numbers grow, and
    /// nearly always from 1 without a gap.
    fn find(&self, from: ProcessId, number: u64) -> Option<(usize, usize)> {
        let sent = self.0.get(from.index())?;
        let guess = number.checked_sub(1)? as usize;
        let index = match sent.get(guess) {
            Some((found, _)) if *found == number => guess,
            _ => sent.binary_search_by_key(&number, |sent| sent.0).ok()?,
        };
        Some((index, sent[index].1))
    }
}

/// What each process knows at a moment of the run.
#[derive(Debug)]
pub(super) struct Knowledge {
    processes: usize,
    sent: Sent,
    /// Of each process's events, how many each process knows of: vector clocks, one behind the other. Empty when nobody
    /// asks for them.
    now: Vec<u64>,
    /// The same of each process's messages, at their sending.
    at_sending: Vec<Vec<u64>>,
    /// Where the message that is received in the present event was sent.
    sending: Option<usize>,
}

impl Knowledge {
    pub(super) fn new(processes: usize, with_vectors: bool) -> Self {
        let entries = if with_vectors {
            processes * processes
        } else {
            0
        };
        Self {
            processes,
            sent: Sent::new(processes),
            now: vec![0; entries],
            at_sending: vec![Vec::new(); processes],
            sending: None,
        }
    }

    pub(super) fn see(&mut self, place: usize, happening: &Happening) {
        let me = happening.process.index();
        let own = me * self.processes..(me + 1) * self.processes;
        let vectors = !self.now.is_empty();
        if vectors {
            self.now[own.start + me] += 1;
        }
        self.sending = None;
        match happening.what {
            What::Send { number, .. } => {
                self.sent.put(happening.process, number, place);
                if vectors {
                    self.at_sending[me].extend_from_slice(&self.now[own]);
                }
            }
            What::Receive { from, number, .. } => {
                let Some((index, place)) = self.sent.find(from, number) else {
                    return;
                };
                self.sending = Some(place);
                if vectors {
                    let start = index * self.processes;
                    let theirs = &self.at_sending[from.index()][start..start + self.processes];
                    for (own, theirs) in self.now[own].iter_mut().zip(theirs) {
                        *own = (*own).max(*theirs);
                    }
                }
            }
            What::Local => {}
        }
    }

    /// Where the message was sent that is received in the present event.
    pub(super) fn sending(&self) -> Option<usize> {
        self.sending
    }

    /// How many of the other's events this process knows of, itself included.
    pub(super) fn of(&self, process: ProcessId, other: ProcessId) -> u64 {
        self.now[process.index() * self.processes + other.index()]
    }
}

/// Brings the events of all processes, each in its own order, into one order: that of time, but never an effect before
/// its cause. A receipt whose sending is nowhere stands where its time puts it.
pub fn in_causal_order(of_each: Vec<Vec<Happening>>) -> Vec<Happening> {
    let mut sent = Sent::new(of_each.len());
    for (process, own) in of_each.iter().enumerate() {
        for (place, happening) in own.iter().enumerate() {
            if let What::Send { number, .. } = happening.what {
                sent.put(ProcessId::at(process), number, place);
            }
        }
    }
    let mut done = vec![0; of_each.len()];
    let mut rest: Vec<_> = of_each
        .into_iter()
        .map(|own| own.into_iter().peekable())
        .collect();
    let mut ordered = Vec::new();
    loop {
        let waits = |happening: &Happening| match happening.what {
            What::Receive { from, number, .. } => {
                let sending = sent.find(from, number);
                sending.is_some_and(|(_, place)| done[from.index()] <= place)
            }
            _ => false,
        };
        let next = rest.iter_mut().enumerate().filter_map(|(process, own)| {
            let first = own.peek()?;
            // When all wait for one another, logs are wrong; the order of time is all there is then.
            Some((waits(first), first.at, process))
        });
        let Some((_, _, process)) = next.min() else {
            return ordered;
        };
        done[process] += 1;
        ordered.extend(rest[process].next());
    }
}
