//! A path that a search found, as events of the processes and faults.

use std::{borrow::Cow, time::Duration};

use super::model::Model;
use crate::process::{
    Meaning, To,
    fault_event::{Fault, FaultyMessage, MessageFault, PathEvent},
    ids::{Names, ProcessId},
    run_event::{MessageAction, RunEvent},
};

/// A channel: the sender, the receiver, and whether it holds the copies of duplicated messages.
pub type ChannelId = (ProcessId, ProcessId, bool);

/// The duration of a step in simulated time.
pub const STEP: Duration = Duration::from_millis(1);

/// A model whose paths can be explained as events.
pub trait ExplainPath: Model {
    /// The names of its processes.
    fn names(&self) -> Names;

    /// Why the property with this name says nothing about the paths that were searched; None if they exercised it.
    fn lacks(&self, property: &str) -> Option<&'static str>;

    /// What is wrong at the end of a path that violates the property with this name, where the verdict on its events does not
    /// say it.
    fn finding(&self, _property: &str, _path: &[Self::Action]) -> Option<String> {
        None
    }

    /// The channels of the messages in flight, each channel's in the order of sending.
    fn in_flight(&self, state: &Self::State) -> Vec<ChannelId>;

    /// Takes a step, and passes its events to the renderer.
    fn explain_step(
        &self,
        state: &mut Self::State,
        step: &Self::Action,
        renderer: &mut PathRenderer,
    );

    /// The events of a path from the initial state.
    fn explain(&self, path: &[Self::Action]) -> Vec<PathEvent> {
        let mut renderer = PathRenderer::new(self.names().count());
        let mut states = self.init_states();
        for step in path {
            renderer.step();
            self.explain_step(&mut states[0], step, &mut renderer);
        }
        renderer.events
    }

    /// A step in words, a line for each event.
    fn words(&self, state: &Self::State, step: &Self::Action) -> String {
        let names = self.names();
        let mut renderer = PathRenderer::new(names.count());
        for channel in self.in_flight(state) {
            renderer.in_flight.push((channel, 0, false));
        }
        self.explain_step(&mut state.clone(), step, &mut renderer);
        let words = renderer.events.iter().map(|event| event.words(&names));
        words.collect::<Vec<_>>().join("\n")
    }
}

/// Collects the events of a path, and numbers the messages, which the states do not.
#[derive(Debug)]
pub struct PathRenderer {
    /// The events.
    pub events: Vec<PathEvent>,
    at: Duration,
    /// The number of messages that each process has sent.
    sent: Vec<u64>,
    /// The messages in flight: the channel, the message's number, and whether it is a multicast; in the order of sending.
    in_flight: Vec<(ChannelId, u64, bool)>,
}

impl PathRenderer {
    /// A renderer for N processes, without events.
    pub fn new(processes: usize) -> Self {
        Self {
            events: Vec::new(),
            at: Duration::ZERO,
            sent: vec![0; processes],
            in_flight: Vec::new(),
        }
    }

    /// Begins the next step.
    pub fn step(&mut self) {
        self.at += STEP;
    }

    /// A process has an event.
    pub fn event(
        &mut self,
        process: ProcessId,
        time: u64,
        what: MessageAction,
        meaning: Option<Meaning>,
    ) {
        self.events.push(PathEvent::Event(RunEvent {
            process,
            at: self.at,
            time,
            what,
            meaning,
        }));
    }

    /// A process sends a message.
    pub fn send(
        &mut self,
        from: ProcessId,
        time: u64,
        meaning: Option<Meaning>,
        to: To,
        word: &'static str,
        text: &str,
    ) {
        let number = &mut self.sent[from.index()];
        *number += 1;
        let number = *number;
        let receivers = to.receivers(from, self.sent.len());
        let in_flight = receivers.map(|other| ((from, other, false), number, to == To::All));
        self.in_flight.extend(in_flight);
        let what = MessageAction::Send {
            to,
            number,
            word: Cow::Borrowed(word),
            text: text.to_owned(),
        };
        self.event(from, time, what, meaning);
    }

    /// A process receives the message at this position of the channel; if `duplicated`, a copy of it stays in flight.
    pub fn receive(
        &mut self,
        channel: ChannelId,
        position: usize,
        duplicated: bool,
        time: u64,
        meaning: Option<Meaning>,
        (word, text): (&'static str, &str),
    ) {
        let (from, to, _) = channel;
        let Some((number, to_all)) = self.take(channel, position) else {
            return;
        };
        if duplicated {
            self.in_flight.push(((from, to, true), number, to_all));
        }
        let what = MessageAction::Receive {
            from,
            to: if to_all { To::All } else { To::One(to) },
            number,
            word: Cow::Borrowed(word),
            text: text.to_owned(),
        };
        self.event(to, time, what, meaning);
    }

    /// Something happens to the message at this position of the channel.
    pub fn fault(&mut self, fault: MessageFault, channel: ChannelId, position: usize) {
        let (from, to, _) = channel;
        let message = match fault {
            MessageFault::Lost | MessageFault::LostInCrash => self.take(channel, position),
            MessageFault::Duplicated | MessageFault::Reordered => {
                let found = self.place(channel, position);
                found.map(|index| (self.in_flight[index].1, self.in_flight[index].2))
            }
        };
        let Some((number, to_all)) = message else {
            return;
        };
        let message = FaultyMessage {
            from,
            to,
            number,
            to_all,
        };
        let fault = Fault::Message(fault, message);
        self.events.push(PathEvent::Fault(self.at, fault));
    }

    /// The process crashes: no process receives the messages to it.
    pub fn crash(&mut self, process: ProcessId) {
        self.in_flight.retain(|((_, to, _), ..)| *to != process);
        let fault = Fault::Crashed(process);
        self.events.push(PathEvent::Fault(self.at, fault));
    }

    /// The position of the channel's last message.
    pub fn last(&self, channel: ChannelId) -> usize {
        let messages = self.in_flight.iter();
        let messages = messages.filter(|in_flight| in_flight.0 == channel);
        messages.count().saturating_sub(1)
    }

    fn place(&self, channel: ChannelId, position: usize) -> Option<usize> {
        let messages = self.in_flight.iter().enumerate();
        let mut messages = messages.filter(|(_, in_flight)| in_flight.0 == channel);
        messages.nth(position).map(|(index, _)| index)
    }

    fn take(&mut self, channel: ChannelId, position: usize) -> Option<(u64, bool)> {
        let index = self.place(channel, position)?;
        let (_, number, to_all) = self.in_flight.remove(index);
        Some((number, to_all))
    }
}
