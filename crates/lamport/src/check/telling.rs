//! What happens on a path that a search found, as events of the processes and deeds of the network.

use std::{borrow::Cow, time::Duration};

use stateright::Model;

use crate::{
    happening::{Happening, What},
    process::{Deed, Names, ProcessId, To},
};

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
    /// The one that comes now has overtaken others.
    Overtakes(ProcessId, ProcessId),
    /// The process stops for good.
    Crashed(ProcessId),
}

/// A model whose paths can be told.
pub trait Tells: Model<State: Clone, Action: Clone> {
    /// What its processes are called.
    fn names(&self) -> Names;

    /// What is on its way: from whom to whom, each channel's in the order of sending.
    fn flying(&self, state: &Self::State) -> Vec<(ProcessId, ProcessId)>;

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
        for (from, to) in self.flying(state) {
            teller.flying.push((from, to, 0, false));
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
    /// What is on its way: from, to, the message's number, and whether it is for all; in the order of sending.
    flying: Vec<(ProcessId, ProcessId, u64, bool)>,
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
        match to {
            To::One(to) => self.flying.push((from, to, number, false)),
            To::All => {
                let others = from.others(self.sent.len());
                self.flying
                    .extend(others.map(|to| (from, to, number, true)));
            }
        }
        let what = What::Send {
            to,
            number,
            word: Cow::Borrowed(word),
            text: text.to_owned(),
        };
        self.happened(from, time, what, deed);
    }

    /// A process receives the message that is on its way at this place, which then `stays` on its way or does not.
    pub fn receive(
        &mut self,
        (from, to): (ProcessId, ProcessId),
        place: usize,
        stays: bool,
        time: u64,
        word: &'static str,
        text: &str,
    ) {
        let Some((number, to_all)) = self.take((from, to), place, stays) else {
            return;
        };
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
        if let Fault::Lost(from, to) = fault {
            self.take((from, to), 0, false);
        }
        self.told.push(Telling::Fault(self.at, fault));
    }

    fn take(
        &mut self,
        channel: (ProcessId, ProcessId),
        place: usize,
        stays: bool,
    ) -> Option<(u64, bool)> {
        let on_it = |flying: &(usize, &(ProcessId, ProcessId, u64, bool))| {
            (flying.1.0, flying.1.1) == channel
        };
        let (index, _) = self.flying.iter().enumerate().filter(on_it).nth(place)?;
        let (_, _, number, to_all) = if stays {
            self.flying[index]
        } else {
            self.flying.remove(index)
        };
        Some((number, to_all))
    }
}
