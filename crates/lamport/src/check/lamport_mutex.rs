//! The TLA+ module LamportMutex (Stephan Merz; tlaplus/Examples, specifications/lamport_mutex): Lamport's mutual exclusion
//! (1978) as it is specified there, action by action.
//!
//! Its clocks start at 1 and advance only at the receipt of a request; a request carries the clock as it is, the other
//! messages carry 0. That keeps the number of states small. Bounds, initial state, actions and their names are the
//! module's, so that a search reproduces its published counts.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use common::process::{
    Meaning, To,
    check::{
        model::Model,
        path_event::{self, ExplainPath, PathRenderer},
    },
    clock::Timestamp,
    ids::{Names, ProcessId},
    property::Property,
    run_event::MessageAction,
};

use crate::bug::Bug;

/// The largest bound for clocks: a message is a byte.
pub const MOST_CLOCK: u8 = 200;

/// The most processes.
pub const MOST_PROCESSES: usize = 5;

/// The properties, in the order of their bits.
pub const PROPERTIES: [Property; 3] = [
    Property::MutualExclusion,
    Property::TypeCorrect,
    Property::BoundedChannels,
];

/// The module.
#[derive(Clone, Copy, Debug)]
pub struct LamportMutex {
    /// N: the number of processes, at most [`MOST_PROCESSES`].
    pub processes: usize,
    /// States with a clock beyond this are not followed (ClockConstraint).
    pub max_clock: u8,
    /// The injected bug.
    pub bug: Option<Bug>,
}

/// The capacity of a state, in processes.
const CAPACITY: usize = MOST_PROCESSES;

/// The module's variables; 0 beyond the number of processes.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct State {
    /// The number of processes.
    processes: u8,
    /// Each process's clock.
    clock: [u8; CAPACITY],
    /// `req[p][q]`: the clock of q's request as p knows it; 0 when there is none.
    req: [[u8; CAPACITY]; CAPACITY],
    /// The processes that have acknowledged each process's request, a bit for each.
    ack: [u8; CAPACITY],
    /// The processes in the critical section, a bit for each.
    crit: u8,
    /// `network[p][q]`: the messages in flight from p to q.
    network: [[ModuleChannel; CAPACITY]; CAPACITY],
}

/// Without the unused capacity, and with few writes.
impl Hash for State {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let n = self.n();
        hasher.write(&self.clock[..n]);
        hasher.write(&self.ack[..n]);
        hasher.write_u8(self.crit);
        for p in 0..n {
            hasher.write(&self.req[p][..n]);
            for channel in &self.network[p][..n] {
                hasher.write_u32(channel.0);
            }
        }
    }
}

/// Up to four messages, the first one in the lowest byte; a message is never 0.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct ModuleChannel(u32);

const ACK: u8 = 254;
const REL: u8 = 255;

fn word(message: u8) -> &'static str {
    match message {
        ACK => "acknowledgement",
        REL => "release",
        _ => "request",
    }
}

impl ModuleChannel {
    fn len(self) -> u32 {
        (u32::BITS - self.0.leading_zeros()).div_ceil(8)
    }

    fn head(self) -> Option<u8> {
        Some(self.0 as u8).filter(|message| *message != 0)
    }

    fn messages(self) -> impl Iterator<Item = u8> {
        self.0.to_le_bytes().into_iter().take(self.len() as usize)
    }

    #[must_use]
    fn append(self, message: u8) -> Self {
        Self(self.0 | u32::from(message) << (8 * self.len()))
    }

    #[must_use]
    fn tail(self) -> Self {
        Self(self.0 >> 8)
    }
}

/// The module's actions; its three receive actions are one here, because the first message determines which applies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// The process requests the critical section.
    Request(ProcessId),
    /// The process enters it.
    Enter(ProcessId),
    /// The process exits it, and sends its release to all others.
    Exit(ProcessId),
    /// The process receives the first message from another.
    Receive(ProcessId, ProcessId),
}

impl LamportMutex {
    /// Whether p's request precedes q's, as far as p knows.
    fn beats(&self, state: &State, p: usize, q: usize) -> bool {
        let (mine, other) = (state.req[p][p], state.req[p][q]);
        let tie = mine == other && (p < q || self.bug == Some(Bug::NoTieBreak));
        other == 0 || mine < other || tie
    }

    fn may_enter(&self, state: &State, p: usize) -> bool {
        let all = (1 << state.n()) - 1;
        let acknowledged = match self.bug {
            Some(Bug::NoAcknowledgement) => state.ack[p] != 0,
            _ => state.ack[p] == all,
        };
        acknowledged && (0..state.n()).all(|q| q == p || self.beats(state, p, q))
    }
}

impl State {
    fn n(&self) -> usize {
        self.processes.into()
    }

    #[cfg(test)]
    pub(super) fn set_clock(&mut self, process: ProcessId, time: u8) {
        self.clock[process.index()] = time;
    }

    fn broadcast(&mut self, from: usize, message: u8) {
        for to in (0..self.n()).filter(|to| *to != from) {
            self.send(from, to, message);
        }
    }

    fn send(&mut self, from: usize, to: usize, message: u8) {
        let channel = &mut self.network[from][to];
        *channel = channel.append(message);
    }

    fn channels(&self) -> impl Iterator<Item = (ProcessId, ProcessId, ModuleChannel)> {
        let n = self.n();
        let from_to =
            ProcessId::all(n).flat_map(move |from| from.others(n).map(move |to| (from, to)));
        from_to.map(|(from, to)| (from, to, self.network[from.index()][to.index()]))
    }

    fn bounded_network(&self) -> bool {
        let mut channels = self.network.as_flattened().iter();
        channels.all(|channel| channel.len() <= 3)
    }

    fn type_ok(&self, max_clock: u8) -> bool {
        let clocks = 1..=max_clock + 1;
        let subset = |of: &u8| u32::from(*of) < 1 << self.n();
        let message = |message: u8| matches!(message, ACK | REL) || clocks.contains(&message);
        let sent = self.network.as_flattened().iter();
        let mut req = self.req.as_flattened().iter();
        let mut clock = self.clock[..self.n()].iter();
        clock.all(|clock| clocks.contains(clock))
            && req.all(|req| *req <= max_clock + 1)
            && self.ack.iter().all(subset)
            && subset(&self.crit)
            && sent.flat_map(|channel| channel.messages()).all(message)
    }
}

impl Model for LamportMutex {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let n = self.processes;
        vec![State {
            processes: n as u8,
            clock: std::array::from_fn(|p| u8::from(p < n)),
            req: [[0; CAPACITY]; CAPACITY],
            ack: [0; CAPACITY],
            crit: 0,
            network: [[ModuleChannel::default(); CAPACITY]; CAPACITY],
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // With an injected bug a channel may overflow; the violation is found before.
        if !state.bounded_network() {
            return;
        }
        for p in 0..state.n() {
            let process = ProcessId::at(p);
            if state.req[p][p] == 0 {
                actions.push(Action::Request(process));
            }
            if self.may_enter(state, p) {
                actions.push(Action::Enter(process));
            }
            if state.crit >> p & 1 == 1 {
                actions.push(Action::Exit(process));
            }
            for q in 0..state.n() {
                if state.network[q][p].head().is_some() {
                    actions.push(Action::Receive(process, ProcessId::at(q)));
                }
            }
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = *state;
        match action {
            Action::Request(process) => {
                let p = process.index();
                state.req[p][p] = state.clock[p];
                state.ack[p] = 1 << p;
                state.broadcast(p, state.clock[p]);
            }
            Action::Enter(process) => state.crit |= 1 << process.index(),
            Action::Exit(process) => {
                let p = process.index();
                state.crit &= !(1 << p);
                state.req[p][p] = 0;
                state.ack[p] = 0;
                state.broadcast(p, REL);
            }
            Action::Receive(process, from) => {
                let (p, q) = (process.index(), from.index());
                let message = state.network[q][p].head()?;
                state.network[q][p] = state.network[q][p].tail();
                match message {
                    ACK => state.ack[p] |= 1 << q,
                    REL => state.req[p][q] = 0,
                    clock => {
                        state.req[p][q] = clock;
                        let latest = match self.bug {
                            Some(Bug::NoAdvance) => state.clock[p],
                            _ => state.clock[p].max(clock),
                        };
                        state.clock[p] = latest + 1;
                        state.send(p, q, ACK);
                    }
                }
            }
        }
        Some(state)
    }

    /// ClockConstraint.
    fn within_boundary(&self, state: &State) -> bool {
        state.clock.iter().all(|clock| *clock <= self.max_clock)
    }

    fn format_action(&self, action: &Action) -> String {
        match *action {
            Action::Request(process) => format!("Request({process})"),
            Action::Enter(process) => format!("Enter({process})"),
            Action::Exit(process) => format!("Exit({process})"),
            Action::Receive(process, from) => format!("Receive…({process}, {from})"),
        }
    }

    fn format_step(&self, state: &State, action: Action) -> Option<String> {
        Some(self.words(state, &action))
    }

    fn properties(&self) -> Vec<&'static str> {
        PROPERTIES.map(Property::name).to_vec()
    }

    fn violated(&self, state: &State) -> u32 {
        let holds = [
            state.crit.count_ones() <= 1,
            state.type_ok(self.max_clock),
            state.bounded_network(),
        ];
        let violated = holds.iter().enumerate().filter(|(_, holds)| !**holds);
        violated.fold(0, |violated, (number, _)| violated | 1 << number)
    }
}

impl ExplainPath for LamportMutex {
    fn names(&self) -> Names {
        Names::numbered(self.processes)
    }

    /// A request is received by all others, each of which adds 1 to its clock, so an entry needs clocks of 2. Of three
    /// processes one receives the requests of two others that enter, and its clock gets to 3.
    fn lacks(&self, property: &str) -> Option<&'static str> {
        if property != Property::MutualExclusion.name() {
            return None;
        }
        match usize::from(self.max_clock) {
            0 | 1 => Some("no process entered the critical section"),
            most if most < self.processes.min(3) => {
                Some("only one process entered the critical section")
            }
            _ => None,
        }
    }

    fn in_flight(&self, state: &State) -> Vec<path_event::ChannelId> {
        state
            .channels()
            .flat_map(|(from, to, channel)| channel.messages().map(move |_| (from, to, false)))
            .collect()
    }

    fn explain_step(&self, state: &mut State, action: &Action, renderer: &mut PathRenderer) {
        let next = self.next_state(state, *action).unwrap_or(*state);
        let time = |process: ProcessId| next.clock[process.index()].into();
        let request = |state: &State, process: ProcessId| Timestamp {
            time: state.req[process.index()][process.index()].into(),
            process,
        };
        match *action {
            Action::Request(process) => {
                let meaning = Some(Meaning::Request);
                renderer.send(process, time(process), meaning, To::All, "request", "");
            }
            Action::Enter(process) => {
                let meaning = Some(Meaning::Enter(request(state, process)));
                renderer.event(process, time(process), MessageAction::Local, meaning);
            }
            Action::Exit(process) => {
                let meaning = Some(Meaning::Exit(request(state, process)));
                renderer.send(process, time(process), meaning, To::All, "release", "");
            }
            Action::Receive(process, from) => {
                let message = state.network[from.index()][process.index()].head();
                let word = word(message.unwrap_or_default());
                let channel = (from, process, false);
                renderer.receive(channel, 0, false, time(process), None, (word, ""));
                if word == "request" {
                    let to = To::One(from);
                    renderer.send(process, time(process), None, to, "acknowledgement", "");
                }
            }
        }
        *state = next;
    }
}

/// In words, for the explorer.
impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = || ProcessId::all(self.n());
        for process in all() {
            let p = process.index();
            let inside = if self.crit >> p & 1 == 1 {
                ", in the critical section"
            } else {
                ""
            };
            writeln!(f, "{process}: clock {}{inside}", self.clock[p])?;
            for other in all().filter(|other| self.req[p][other.index()] > 0) {
                writeln!(f, "    {other}: request of {}", self.req[p][other.index()])?;
            }
            let by = all().filter(|by| self.ack[p] >> by.index() & 1 == 1);
            let by: Vec<_> = by.map(|by| by.to_string()).collect();
            if !by.is_empty() {
                writeln!(f, "    acknowledged by {}", by.join(", "))?;
            }
        }
        for (from, to, channel) in self.channels() {
            for message in channel.messages() {
                let of = if word(message) == "request" {
                    format!(" of {message}")
                } else {
                    String::new()
                };
                writeln!(f, "{from} > {to}: {}{of}", word(message))?;
            }
        }
        Ok(())
    }
}
