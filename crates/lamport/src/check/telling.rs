//! What happens on a path that a search found, as events of the processes and deeds of the network.

use std::{borrow::Cow, time::Duration};

use stateright::Model;

use crate::{
    happening::{Happening, What},
    process::{Deed, Names, ProcessId, To},
};

/// From whom to whom; the copies of doubled messages are apart.
pub type Channel = (ProcessId, ProcessId, bool);

/// How long a step takes where it is told as simulated time.
pub const STEP: Duration = Duration::from_millis(1);

/// One thing that happens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Telling {
    /// An event of a process; the how many-th step it belongs to is its time in milliseconds.
    Event(Happening),
    /// Something that the network does, or that is done to a process, in this step.
    Fault(Duration, Fault),
}

/// What goes wrong by itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A message from one process to another is lost.
    Lost(ProcessId, ProcessId),
    /// The one that comes now comes once more.
    Doubled(ProcessId, ProcessId),
    /// A message from one that has stopped to another is lost with it.
    Forgotten(ProcessId, ProcessId),
    /// The one that comes now has overtaken others.
    Overtakes(ProcessId, ProcessId),
    /// The process stops for good.
    Crashed(ProcessId),
}

/// A model whose paths can be told.
pub trait Tells: Model<State: Clone, Action: Clone> {
    /// What its processes are called.
    fn names(&self) -> Names;

    /// What is on its way: from whom to whom, and whether it is a copy; each channel's in the order of sending.
    fn flying(&self, state: &Self::State) -> Vec<Channel>;

    /// Takes the step, and tells what happens.
    fn tell_step(&self, state: &mut Self::State, step: &Self::Action, teller: &mut Teller);

    /// What happens when these steps are taken from the initial state on.
    fn tell(&self, path: &[Self::Action]) -> Vec<Telling> {
        let mut teller = Teller::new(self.names().count());
        let mut states = self.init_states();
        for step in path {
            teller.step();
            self.tell_step(&mut states[0], step, &mut teller);
        }
        teller.told
    }

    /// What happens in this step, in words, a line for each event.
    fn words(&self, state: &Self::State, step: &Self::Action) -> String {
        let names = self.names();
        let mut teller = Teller::new(names.count());
        for channel in self.flying(state) {
            teller.flying.push((channel, 0, false));
        }
        self.tell_step(&mut state.clone(), step, &mut teller);
        let words = teller.told.iter().map(|told| told.words(&names));
        words.collect::<Vec<_>>().join("\n")
    }
}

impl Telling {
    /// In plain words.
    pub fn words(&self, names: &Names) -> String {
        match self {
            Self::Event(happening) => happening.sentence(names),
            Self::Fault(_, fault) => fault.words(names),
        }
    }
}

impl Fault {
    /// In plain words.
    pub fn words(self, names: &Names) -> String {
        let of = |process: ProcessId| names.of(process);
        match self {
            Self::Lost(from, to) => format!("a message from {} to {} is lost", of(from), of(to)),
            Self::Forgotten(from, to) => {
                format!(
                    "a message from {0} to {1} is lost with {0}",
                    of(from),
                    of(to)
                )
            }
            Self::Doubled(from, to) => format!(
                "the next message from {} comes to {} twice, now and later",
                of(from),
                of(to)
            ),
            Self::Overtakes(from, to) => format!(
                "the next message from {} to {} overtakes those before it",
                of(from),
                of(to)
            ),
            Self::Crashed(process) => format!("{} stops for good", of(process)),
        }
    }
}

/// Tells a path, and gives messages the numbers that the states do without.
#[derive(Debug)]
pub struct Teller {
    /// What was told.
    pub told: Vec<Telling>,
    at: Duration,
    /// How many messages each process has sent.
    sent: Vec<u64>,
    /// What is on its way: the channel, the message's number, and whether it is for all; in the order of sending.
    flying: Vec<(Channel, u64, bool)>,
}

impl Teller {
    /// Nothing has happened yet to so many processes.
    pub fn new(processes: usize) -> Self {
        Self {
            told: Vec::new(),
            at: Duration::ZERO,
            sent: vec![0; processes],
            flying: Vec::new(),
        }
    }

    /// The next step begins.
    pub fn step(&mut self) {
        self.at += STEP;
    }

    /// An event.
    pub fn happened(&mut self, process: ProcessId, time: u64, what: What, deed: Option<Deed>) {
        self.told.push(Telling::Event(Happening {
            process,
            at: self.at,
            time,
            what,
            deed,
        }));
    }

    /// A process sends a message.
    pub fn send(
        &mut self,
        from: ProcessId,
        time: u64,
        deed: Option<Deed>,
        to: To,
        word: &'static str,
        text: &str,
    ) {
        let number = &mut self.sent[from.index()];
        *number += 1;
        let number = *number;
        let receivers = to.receivers(from, self.sent.len());
        let flying = receivers.map(|other| ((from, other, false), number, to == To::All));
        self.flying.extend(flying);
        let what = What::Send {
            to,
            number,
            word: Cow::Borrowed(word),
            text: text.to_owned(),
        };
        self.happened(from, time, what, deed);
    }

    /// A process receives the message that is on its way at this place, and later once more, if it comes `again`.
    pub fn receive(
        &mut self,
        channel: Channel,
        place: usize,
        again: bool,
        time: u64,
        word: &'static str,
        text: &str,
    ) {
        let (from, to, _) = channel;
        let Some((number, to_all)) = self.take(channel, place) else {
            return;
        };
        if again {
            self.flying.push(((from, to, true), number, to_all));
        }
        let what = What::Receive {
            from,
            to: if to_all { To::All } else { To::One(to) },
            number,
            word: Cow::Borrowed(word),
            text: text.to_owned(),
        };
        self.happened(to, time, what, None);
    }

    /// Something goes wrong.
    pub fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Lost(from, to) => drop(self.take((from, to, false), 0)),
            Fault::Forgotten(from, to) => {
                let channel = (from, to, false);
                let there = self.flying.iter().filter(|flying| flying.0 == channel);
                let last = there.count().saturating_sub(1);
                self.take(channel, last);
            }
            _ => {}
        }
        self.told.push(Telling::Fault(self.at, fault));
    }

    fn take(&mut self, channel: Channel, place: usize) -> Option<(u64, bool)> {
        let there = self.flying.iter().enumerate();
        let mut there = there.filter(|(_, flying)| flying.0 == channel);
        let (index, _) = there.nth(place)?;
        let (_, number, to_all) = self.flying.remove(index);
        Some((number, to_all))
    }
}
