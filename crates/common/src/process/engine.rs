//! A process with its clock and its channels, without I/O.
//!
//! The simulator and the real sockets pass frames, timer expirations and the current time to an [`Engine`], and implement
//! its [`Driver`]: they send frames, set the timer, and record events.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::process::{
    Action, Command, Meaning, Message, Process, Refusal, Stamped, TimerKind, To,
    clock::{LamportClock, Overflow},
    clocked::Clocked,
    detector::{Detection, Heartbeats},
    ids::{Names, ProcessId},
    physical::HardwareClock,
    reliable_link::{ChannelOrder, Frame, ReliableLink},
    run_event::{MessageAction, RunEvent},
};

/// How far the time of a message may be ahead of the receiver's clock. No process has had so many events; a message with a
/// larger time would drive the clocks of all processes to the end of their range.
pub const MOST_AHEAD: u64 = 1 << 48;

/// How long another process may leave messages unacknowledged before a warning.
pub const UNRESPONSIVE_AFTER: Duration = Duration::from_secs(2);

/// A message in a channel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Packet<M> {
    /// The sender's number of the message, from 1.
    pub number: u64,
    /// Whether it is a multicast to all processes.
    pub to_all: bool,
    /// The message.
    pub message: Stamped<M>,
}

/// A warning of an engine.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EngineWarning {
    /// A process does not acknowledge messages; whether a frame from it has ever arrived.
    Unresponsive(ProcessId, bool),
    /// A frame from an unresponsive process has arrived.
    Recovered(ProcessId),
    /// The queue for a process is full: the channel to it is broken, and later messages are lost.
    ChannelBroken(ProcessId),
    /// A message is discarded because its time is too far ahead.
    ClockJump(ProcessId, u64),
    /// The process's clock is at the end of its range: the process can have no further event.
    ClockOverflow(Overflow),
}

/// The outputs of an engine, implemented by its driver.
pub trait Driver<M> {
    /// Sends a frame over the network, which may lose it.
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>);
    /// Records an event; called before the event's frames are sent.
    fn record(&mut self, event: RunEvent);
    /// Sets the timer of this kind, in place of an earlier setting of the same kind; at its expiration the driver calls
    /// [`Engine::timer`].
    fn set_timer(&mut self, kind: TimerKind);
    /// Clears the timer of this kind, if it is set.
    fn clear_timer(&mut self, kind: TimerKind);
    /// Reports a warning.
    fn warn(&mut self, warning: EngineWarning);
}

/// The channel to another process, and the warnings about it that are in force.
#[derive(Debug)]
struct Channel<M> {
    other: ProcessId,
    link: ReliableLink<Packet<M>>,
    is_unresponsive: bool,
    is_broken: bool,
}

impl<M> Channel<M> {
    fn new(other: ProcessId, order: ChannelOrder) -> Self {
        Self {
            other,
            link: ReliableLink::new(order),
            is_unresponsive: false,
            is_broken: false,
        }
    }
}

/// One process with its clock and its channels to the others.
#[derive(Debug)]
pub struct Engine<P: Process> {
    node: Clocked<P>,
    processes: usize,
    /// The hardware clock, of a process that reads one.
    hardware: HardwareClock,
    /// The channels that were used, sorted by the other process: with many processes most are never used.
    channels: Vec<Channel<P::Message>>,
    /// Whether messages are sent as bare frames, without reliable channels.
    unreliable: bool,
    /// In which order channels deliver.
    order: ChannelOrder,
    /// The failure detector, unless the driver has another one.
    heartbeats: Option<Heartbeats>,
    sent: u64,
    ended: bool,
    actions: Vec<Action<P::Message>>,
}

impl<P: Process> Engine<P> {
    /// The process `me` in a group of N.
    pub fn new(me: ProcessId, processes: usize, settings: &P::Settings) -> Self {
        Self {
            node: Clocked::new(me, processes, settings),
            processes,
            hardware: HardwareClock::default(),
            channels: Vec::new(),
            unreliable: false,
            order: ChannelOrder::Fifo,
            heartbeats: None,
            sent: 0,
            ended: false,
            actions: Vec::new(),
        }
    }

    /// The same engine with its clock at this time.
    #[must_use]
    pub fn with_clock(mut self, time: u64) -> Self {
        self.node.clock = LamportClock::at(time);
        self
    }

    /// The same engine with this hardware clock.
    #[must_use]
    pub fn with_hardware_clock(mut self, clock: HardwareClock) -> Self {
        self.hardware = clock;
        self
    }

    /// The process gets another hardware clock.
    pub fn set_hardware_clock(&mut self, now: Duration, clock: HardwareClock) {
        self.hardware = clock;
        self.read_clock(now);
    }

    /// What the hardware clock shows, before an input.
    #[inline]
    fn read_clock(&mut self, now: Duration) {
        if P::READS_CLOCK {
            self.node.reading = self.hardware.reading(now);
        }
    }

    /// The same engine without reliable channels: each message is one frame, delivered to the process as it arrives, however
    /// the network loses, duplicates or reorders it.
    #[must_use]
    pub fn without_channels(mut self) -> Self {
        self.unreliable = true;
        self
    }

    /// The same engine with reliable channels that deliver in this order.
    #[must_use]
    pub fn with_order(mut self, order: ChannelOrder) -> Self {
        self.order = order;
        self
    }

    /// The same engine with a failure detector by heartbeats from now on, if the algorithm has one.
    #[must_use]
    pub fn with_heartbeats(mut self, now: Duration) -> Self {
        let heartbeats = || Heartbeats::new(self.node.me, self.processes, now);
        self.heartbeats = P::DETECTS.then(heartbeats);
        self
    }

    /// Ends the heartbeats: the process ends, and so may the others.
    pub fn end_heartbeats(&mut self) {
        self.heartbeats = None;
    }

    /// The process's clock.
    pub fn time(&self) -> u64 {
        self.node.clock.time()
    }

    /// The process.
    pub fn process(&self) -> &P {
        &self.node.process
    }

    /// The process with its clock.
    pub fn clocked(&self) -> &Clocked<P> {
        &self.node
    }

    /// The clock advances to this time, if it is not there yet: as by further local events.
    pub fn advance_clock(&mut self, time: u64) {
        if time > self.time() {
            self.node.clock = LamportClock::at(time);
        }
    }

    /// The process has a local event that is not its algorithm's.
    pub fn local(&mut self, now: Duration, text: String, driver: &mut dyn Driver<P::Message>) {
        let done = self.node.clock.tick().map(|time| {
            self.actions.push(Action::Event {
                time,
                meaning: Some(Meaning::Local(text)),
                send: None,
            });
        });
        self.perform(now, done, driver);
    }

    /// The process's queue, a line for each entry.
    pub fn queue(&self, names: &Names) -> Vec<String> {
        self.node.process.queue(names)
    }

    /// Whether the process is idle, and all processes that respond have acknowledged its messages. With heartbeats: and no
    /// process is about to be suspected.
    pub fn is_idle(&self) -> bool {
        let heartbeats = self.heartbeats.as_ref();
        self.ended
            || self.node.process.idle()
                && !heartbeats.is_some_and(Heartbeats::is_in_doubt)
                && self
                    .channels
                    .iter()
                    .all(|channel| channel.link.is_quiet() || channel.is_unresponsive)
    }

    /// The processes that have not acknowledged a message of this one and are reported as unresponsive.
    pub fn unresponsive(&self) -> impl Iterator<Item = ProcessId> {
        let channels = self.channels.iter();
        let unresponsive =
            channels.filter(|channel| channel.is_unresponsive && !channel.link.is_quiet());
        unresponsive.map(|channel| channel.other)
    }

    /// Whether the clock is at the end of its range, so that the process has ended.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Starts the process.
    pub fn start(&mut self, now: Duration, driver: &mut dyn Driver<P::Message>) {
        self.read_clock(now);
        let done = self.node.start(&mut self.actions);
        self.perform(now, done, driver);
    }

    /// The timer of this kind has expired.
    pub fn timer(&mut self, now: Duration, kind: TimerKind, driver: &mut dyn Driver<P::Message>) {
        if !self.ended {
            self.read_clock(now);
            let done = self.node.timer(kind, &mut self.actions);
            self.perform(now, done, driver);
        }
    }

    /// The failure detector of the driver suspects another process, or trusts it again.
    pub fn detect(
        &mut self,
        now: Duration,
        detection: Detection,
        driver: &mut dyn Driver<P::Message>,
    ) {
        if !self.ended {
            self.read_clock(now);
            let done = self.node.detect(detection, &mut self.actions);
            self.perform(now, done, driver);
        }
    }

    /// What the process would do first if the timer of this kind expired, at most so often in a row as it sets it again and
    /// has no event; and how often.
    pub fn foresee(&self, kind: TimerKind, most: usize) -> Option<(usize, Action<P::Message>)> {
        let mut node = self.node.clone();
        for times in 1..=most {
            let mut actions = Vec::new();
            node.timer(kind, &mut actions).ok()?;
            let is_set = actions.contains(&Action::SetTimer(kind));
            let mut actions = actions.into_iter();
            if let Some(event) = actions.find(|action| matches!(action, Action::Event { .. })) {
                return Some((times, event));
            }
            if !is_set {
                return None;
            }
        }
        None
    }

    /// Handles a command.
    ///
    /// # Errors
    /// When the process rejects it.
    pub fn command(
        &mut self,
        now: Duration,
        command: Command,
        driver: &mut dyn Driver<P::Message>,
    ) -> Result<(), Refusal> {
        self.read_clock(now);
        match self.node.command(command, &mut self.actions) {
            Err(Refusal::Overflow(overflow)) => {
                self.perform(now, Err(overflow), driver);
                Ok(())
            }
            done => {
                self.perform(now, Ok(()), driver);
                done
            }
        }
    }

    /// Receives a frame.
    pub fn receive(
        &mut self,
        now: Duration,
        from: ProcessId,
        frame: Frame<Packet<P::Message>>,
        driver: &mut dyn Driver<P::Message>,
    ) {
        if self.ended || from == self.node.me || from.index() >= self.processes {
            return;
        }
        let heartbeats = self.heartbeats.as_mut();
        if let Some(trusted) = heartbeats.and_then(|heartbeats| heartbeats.heard(now, from)) {
            self.detect(now, trusted, driver);
        }
        if self.unreliable {
            if let Some(packet) = frame.packet {
                self.deliver(now, from, packet, driver);
            }
            return;
        }
        let channel = self.channel(from);
        if std::mem::take(&mut channel.is_unresponsive) {
            driver.warn(EngineWarning::Recovered(from));
        }
        let mut packets = Vec::new();
        channel
            .link
            .receive(now, frame, |packet| packets.push(packet));
        for packet in packets {
            self.deliver(now, from, packet, driver);
        }
        self.channel(from).flush(now, driver);
    }

    /// Sends the heartbeats that are due, and lets the process know whom they suspect.
    fn beat(&mut self, now: Duration, driver: &mut dyn Driver<P::Message>) {
        let Some((sends, suspected)) = self.heartbeats.as_mut().map(|it| it.look(now)) else {
            return;
        };
        if sends {
            for other in self.node.me.others(self.processes) {
                let heartbeat = Frame {
                    sequence: 0,
                    acknowledged: 0,
                    packet: None,
                };
                driver.send(other, heartbeat);
            }
        }
        for detection in suspected {
            self.detect(now, detection, driver);
        }
    }

    /// Retransmits the frames that are due, and reports processes that have become unresponsive. Sends heartbeats.
    pub fn poll(&mut self, now: Duration, driver: &mut dyn Driver<P::Message>) {
        if self.ended {
            return;
        }
        self.beat(now, driver);
        for channel in &mut self.channels {
            channel.flush(now, driver);
            let unresponsive = channel
                .link
                .unanswered_since()
                .is_some_and(|since| now.saturating_sub(since) >= UNRESPONSIVE_AFTER);
            if unresponsive && !std::mem::replace(&mut channel.is_unresponsive, true) {
                let was_heard = channel.link.was_heard();
                driver.warn(EngineWarning::Unresponsive(channel.other, was_heard));
            }
        }
    }

    /// When [`Self::poll`] must be called next, without further input.
    pub fn due(&self) -> Option<Duration> {
        let due = self
            .channels
            .iter()
            .filter_map(|channel| channel.link.due())
            .chain(self.heartbeats.as_ref().map(Heartbeats::due));
        due.min().filter(|_| !self.ended)
    }

    /// The other process has restarted: the channel to it starts again, and earlier messages to it are lost.
    pub fn restarted(&mut self, other: ProcessId) {
        *self.channel(other) = Channel::new(other, self.order);
    }

    /// The channel to another process, which begins with its first use.
    fn channel(&mut self, other: ProcessId) -> &mut Channel<P::Message> {
        let found = self
            .channels
            .binary_search_by_key(&other, |channel| channel.other);
        let place = found.unwrap_or_else(|place| {
            self.channels.insert(place, Channel::new(other, self.order));
            place
        });
        &mut self.channels[place]
    }

    fn deliver(
        &mut self,
        now: Duration,
        from: ProcessId,
        packet: Packet<P::Message>,
        driver: &mut dyn Driver<P::Message>,
    ) {
        let Packet {
            number,
            to_all,
            message,
        } = packet;
        if message.time.saturating_sub(self.time()) > MOST_AHEAD {
            driver.warn(EngineWarning::ClockJump(from, message.time));
            return;
        }
        let what = MessageAction::Receive {
            from,
            to: if to_all {
                To::All
            } else {
                To::One(self.node.me)
            },
            number,
            word: message.content.word().into(),
            text: message.content.text(),
        };
        let before = self
            .node
            .before_receiving(from, &message, &mut self.actions);
        let meaning = match before {
            Ok(meaning) => meaning,
            Err(overflow) => return self.perform(now, Err(overflow), driver),
        };
        if P::ACTS_BEFORE_RECEIVING {
            self.perform(now, Ok(()), driver);
        }
        // The actions follow the receive event.
        self.read_clock(now);
        let done = self.node.receive(from, message, &mut self.actions);
        if let Ok(time) = done {
            driver.record(RunEvent {
                process: self.node.me,
                at: now,
                time,
                what,
                meaning,
            });
        }
        self.perform(now, done.map(drop), driver);
    }

    /// Performs the process's actions, and ends the process when its clock has overflowed.
    fn perform(
        &mut self,
        now: Duration,
        done: Result<(), Overflow>,
        driver: &mut dyn Driver<P::Message>,
    ) {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.drain(..) {
            match action {
                Action::SetTimer(kind) => driver.set_timer(kind),
                Action::ClearTimer(kind) => driver.clear_timer(kind),
                Action::Event {
                    time,
                    meaning,
                    send,
                } => {
                    let what = match &send {
                        None => MessageAction::Local,
                        Some((to, message)) => MessageAction::Send {
                            to: *to,
                            number: self.sent + 1,
                            word: message.word().into(),
                            text: message.text(),
                        },
                    };
                    driver.record(RunEvent {
                        process: self.node.me,
                        at: now,
                        time,
                        what,
                        meaning,
                    });
                    if let Some((to, content)) = send {
                        self.send(now, to, Stamped { time, content }, driver);
                    }
                }
            }
        }
        self.actions = actions;
        if let Err(overflow) = done {
            self.ended = true;
            driver.warn(EngineWarning::ClockOverflow(overflow));
        }
    }

    fn send(
        &mut self,
        now: Duration,
        to: To,
        message: Stamped<P::Message>,
        driver: &mut dyn Driver<P::Message>,
    ) {
        self.sent += 1;
        let packet = Packet {
            number: self.sent,
            to_all: to == To::All,
            message,
        };
        match to {
            To::One(other) => self.send_to(now, other, packet, driver),
            To::All => {
                for other in self.node.me.others(self.processes) {
                    self.send_to(now, other, packet.clone(), driver);
                }
            }
        }
    }

    fn send_to(
        &mut self,
        now: Duration,
        other: ProcessId,
        packet: Packet<P::Message>,
        driver: &mut dyn Driver<P::Message>,
    ) {
        if self.unreliable {
            let frame = Frame {
                sequence: 0,
                acknowledged: 0,
                packet: Some(packet),
            };
            return driver.send(other, frame);
        }
        let channel = self.channel(other);
        if channel.link.send(packet).is_err() && !std::mem::replace(&mut channel.is_broken, true) {
            driver.warn(EngineWarning::ChannelBroken(other));
        }
        channel.flush(now, driver);
    }
}

impl<M: Clone> Channel<M> {
    fn flush(&mut self, now: Duration, driver: &mut dyn Driver<M>) {
        let other = self.other;
        self.link.frames(now, |frame| driver.send(other, frame));
    }
}

impl EngineWarning {
    /// The warning in words.
    pub fn words(&self, names: &Names) -> String {
        match self {
            Self::Unresponsive(other, true) => format!(
                "{}: no message for {} s; suspected failed or partitioned",
                names.of(*other),
                UNRESPONSIVE_AFTER.as_secs()
            ),
            Self::Unresponsive(other, false) => format!(
                "{}: no message yet; not started, or not reachable at its address",
                names.of(*other)
            ),
            Self::Recovered(other) => format!("{}: responds again", names.of(*other)),
            Self::ChannelBroken(other) => format!(
                "{}: its queue of unacknowledged messages is full; later messages to it are lost",
                names.of(*other)
            ),
            Self::ClockJump(other, time) => format!(
                "{}: message discarded: its time {time} is more than 2^48 ahead of this clock",
                names.of(*other)
            ),
            Self::ClockOverflow(overflow) => format!("clock: {overflow}"),
        }
    }
}
