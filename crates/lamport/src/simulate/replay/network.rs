//! What the log says of the network: which messages are in flight, and which faults there were.

use std::collections::{HashMap, HashSet, VecDeque};

use common::process::{
    fault_event::{Fault, FaultyMessage, MessageFault},
    ids::{Names, ProcessId},
    run_event::{MessageAction, RunEvent},
};

/// The sender and the receiver.
pub(super) type Channel = (ProcessId, ProcessId);

/// The network of a replay. Its faults are not determined by the run; but what the log says of them must fit together.
#[derive(Debug)]
pub(super) struct Network {
    processes: usize,
    /// The numbers of the messages in flight, in the order of sending.
    in_flight: HashMap<Channel, VecDeque<u64>>,
    lost: HashSet<(Channel, u64)>,
    crashed: HashSet<ProcessId>,
    /// Whether every channel delivered its messages in order, each once, with none missing before a delivered one.
    pub(super) in_order: bool,
}

impl Network {
    /// A network between N processes.
    pub(super) fn new(processes: usize) -> Self {
        Self {
            processes,
            in_flight: HashMap::new(),
            lost: HashSet::new(),
            crashed: HashSet::new(),
            in_order: true,
        }
    }

    /// The next event of the log.
    ///
    /// # Errors
    /// Why it does not fit what the log said before.
    pub(super) fn event(&mut self, event: &RunEvent, names: &Names) -> Result<(), String> {
        let me = event.process;
        if self.crashed.contains(&me) {
            return Err(format!("{} had crashed before", names.of(me)));
        }
        match event.what {
            MessageAction::Send { to, number, .. } => {
                for other in to.receivers(me, self.processes) {
                    let channel = self.in_flight.entry((me, other)).or_default();
                    channel.push_back(number);
                }
            }
            MessageAction::Receive { from, number, .. } => {
                let channel = (from, me);
                if self.lost.contains(&(channel, number)) {
                    let words = words(channel, number, names);
                    return Err(format!("{words} was lost before"));
                }
                let in_flight = self.in_flight.entry(channel).or_default();
                let place = in_flight.iter().position(|sent| *sent == number);
                self.in_order &= place == Some(0);
                if let Some(place) = place {
                    in_flight.remove(place);
                }
            }
            MessageAction::Local => {}
        }
        Ok(())
    }

    /// The messages in flight by their numbers, channel by channel and in the order of sending.
    pub(super) fn in_flight(&self) -> Vec<(Channel, u64)> {
        let channels = self.in_flight.iter();
        let mut all: Vec<_> = channels
            .flat_map(|(channel, numbers)| numbers.iter().map(|number| (*channel, *number)))
            .collect();
        all.sort_by_key(|(channel, _)| *channel);
        all
    }

    /// The next fault of the log; returns it with what is known of its cause.
    ///
    /// # Errors
    /// Why it does not fit what the log said before.
    pub(super) fn fault(&mut self, fault: Fault, names: &Names) -> Result<Fault, String> {
        let (kind, message) = match fault {
            Fault::Message(kind, message) => (kind, message),
            Fault::Crashed(process) => {
                return match self.crashed.insert(process) {
                    true => Ok(fault),
                    false => Err(format!("{} had crashed before", names.of(process))),
                };
            }
        };
        let FaultyMessage {
            from, to, number, ..
        } = message;
        let channel = (from, to);
        let in_flight = self.in_flight.entry(channel).or_default();
        let Some(place) = in_flight.iter().position(|sent| *sent == number) else {
            let words = words(channel, number, names);
            return Err(format!("{words} is not in flight"));
        };
        self.in_order = false;
        match kind {
            MessageFault::Duplicated => Ok(fault),
            MessageFault::Lost | MessageFault::LostInCrash => {
                in_flight.remove(place);
                self.lost.insert((channel, number));
                let kind = match self.crashed.contains(&from) {
                    true => MessageFault::LostInCrash,
                    false => MessageFault::Lost,
                };
                Ok(Fault::Message(kind, message))
            }
            MessageFault::Reordered if place > 0 => Ok(fault),
            MessageFault::Reordered => {
                let words = words(channel, number, names);
                Err(format!("{words} is the next one in order"))
            }
        }
    }
}

/// A message in words.
pub(super) fn words((from, to): Channel, number: u64, names: &Names) -> String {
    format!(
        "message {number} from {} to {}",
        names.of(from),
        names.of(to)
    )
}
