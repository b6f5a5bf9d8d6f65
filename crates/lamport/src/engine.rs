//! A process, its clock and its channels: all of it that a driver does not do.
//!
//! The simulator and the real sockets tell an [`Engine`] what comes and what time it is, and do what it asks of a
//! [`Driver`]: send frames, wake it, and tell what happened.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    algorithms::Bug,
    channel::{Channel, Frame},
    clock::{LamportClock, Overflow},
    happening::{Happening, What},
    process::{
        Act, Clocked, Command, Message, Names, Pause, Process, ProcessId, Refusal, Stamped, To,
    },
};

/// How far another process's clock may be ahead of one's own: no process has had so many events, and one that says so
/// would take everybody's clock to its end.
pub const LEAP: u64 = 1 << 48;

/// How long another process may leave what it is sent unacknowledged before it is reported.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A message in a channel.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Packet<M> {
    /// The sender's how many-th message it is, from 1.
    pub message: u64,
    /// Whether it is for all.
    pub to_all: bool,
    /// The message.
    pub said: Stamped<M>,
}

/// What is not as it should be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Trouble {
    /// A process leaves what it is sent unacknowledged; whether it has ever been heard.
    Silent(ProcessId, bool),
    /// It is heard again.
    Back(ProcessId),
    /// So much waits for it that what it is sent from now on is lost.
    Lost(ProcessId),
    /// A message's time is that far ahead that it is refused.
    Leap(ProcessId, u64),
    /// The process's own clock is at the end of its range: it can do nothing more.
    Ended(Overflow),
}

/// What an engine asks of whoever drives it.
pub trait Driver<M> {
    /// To send this, as well as the network does.
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>);
    /// To tell what happened; before the frames are sent that go with it.
    fn happened(&mut self, happening: Happening);
    /// To call [`Engine::timer`] in a while, in place of any earlier wish.
    fn pause(&mut self, pause: Pause);
    /// To tell what is not as it should be.
    fn trouble(&mut self, trouble: Trouble);
}

/// One process with its clock and its channels to all the others.
#[derive(Debug)]
pub struct Engine<P: Process> {
    node: Clocked<P>,
    channels: Vec<Channel<Packet<P::Message>>>,
    /// Whether the network's frames are all there is, and no channel makes up for what it does.
    bare: bool,
    /// Of each other process, whether it is reported silent, and whether what it is sent is lost.
    reported: Vec<(bool, bool)>,
    sent: u64,
    ended: bool,
    acts: Vec<Act<P::Message>>,
}

impl<P: Process> Engine<P> {
    /// The process `me` of so many.
    pub fn new(me: ProcessId, processes: usize, bug: Option<Bug>) -> Self {
        Self {
            node: Clocked::new(me, processes, bug),
            channels: (0..processes).map(|_| Channel::default()).collect(),
            bare: false,
            reported: vec![(false, false); processes],
            sent: 0,
            ended: false,
            acts: Vec::new(),
        }
    }

    /// The same, with its clock at this time.
    #[must_use]
    pub fn with_clock(mut self, time: u64) -> Self {
        self.node.clock = LamportClock::at(time);
        self
    }

    /// The same on the bare network: each message is a frame that is handed on as it comes, be it late, doubled, or never.
    #[must_use]
    pub fn without_channels(mut self) -> Self {
        self.bare = true;
        self
    }

    /// The process's clock.
    pub fn time(&self) -> u64 {
        self.node.clock.time()
    }

    /// What waits in the process, in words.
    pub fn queue(&self, names: &Names) -> Vec<String> {
        self.node.process.queue(names)
    }

    /// Whether nothing that it began is unfinished, and all that it sent has come to those who are there.
    pub fn is_idle(&self) -> bool {
        self.ended
            || self.node.process.idle()
                && (0..self.channels.len())
                    .all(|other| self.channels[other].is_quiet() || self.reported[other].0)
    }

    /// Whether its clock is at the end, and it with it.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// The run begins.
    pub fn start(&mut self, now: Duration, driver: &mut impl Driver<P::Message>) {
        let done = self.node.start(&mut self.acts);
        self.act(now, done, driver);
    }

    /// The timer has gone off.
    pub fn timer(&mut self, now: Duration, driver: &mut impl Driver<P::Message>) {
        if !self.ended {
            let done = self.node.timer(&mut self.acts);
            self.act(now, done, driver);
        }
    }

    /// Somebody asks something of the process.
    ///
    /// # Errors
    /// When it does not do it.
    pub fn command(
        &mut self,
        now: Duration,
        command: Command,
        driver: &mut impl Driver<P::Message>,
    ) -> Result<(), Refusal> {
        match self.node.command(command, &mut self.acts) {
            Err(Refusal::Overflow(overflow)) => {
                self.act(now, Err(overflow), driver);
                Ok(())
            }
            done => {
                self.act(now, Ok(()), driver);
                done
            }
        }
    }

    /// A frame has come.
    pub fn receive(
        &mut self,
        now: Duration,
        from: ProcessId,
        frame: Frame<Packet<P::Message>>,
        driver: &mut impl Driver<P::Message>,
    ) {
        if self.ended || from == self.node.me || from.index() >= self.channels.len() {
            return;
        }
        if std::mem::take(&mut self.reported[from.index()].0) {
            driver.trouble(Trouble::Back(from));
        }
        if self.bare {
            if let Some(packet) = frame.packet {
                self.hand_on(now, from, packet, driver);
            }
            return;
        }
        let mut packets = Vec::new();
        self.channels[from.index()].receive(now, frame, |packet| packets.push(packet));
        for packet in packets {
            self.hand_on(now, from, packet, driver);
        }
        self.flush(now, from, driver);
    }

    /// Time has passed: what is due is sent again, and whoever is silent is reported.
    pub fn poll(&mut self, now: Duration, driver: &mut impl Driver<P::Message>) {
        if self.ended {
            return;
        }
        for other in ProcessId::all(self.channels.len()) {
            self.flush(now, other, driver);
            let channel = &self.channels[other.index()];
            let silent = channel
                .silent_since()
                .is_some_and(|since| now.saturating_sub(since) >= PATIENCE);
            let reported = &mut self.reported[other.index()].0;
            if silent && !std::mem::replace(reported, true) {
                driver.trouble(Trouble::Silent(other, channel.was_heard()));
            }
        }
    }

    /// When [`Self::poll`] is to be called, if nothing else happens.
    pub fn due(&self) -> Option<Duration> {
        let due = self.channels.iter().filter_map(Channel::due);
        due.min().filter(|_| !self.ended)
    }

    /// The other process has begun anew: so does the channel to it, and what it was sent before is lost.
    pub fn restarted(&mut self, other: ProcessId) {
        self.channels[other.index()] = Channel::default();
        self.reported[other.index()] = (false, false);
    }

    fn hand_on(
        &mut self,
        now: Duration,
        from: ProcessId,
        packet: Packet<P::Message>,
        driver: &mut impl Driver<P::Message>,
    ) {
        let Packet {
            message,
            to_all,
            said,
        } = packet;
        if said.time.saturating_sub(self.time()) > LEAP {
            driver.trouble(Trouble::Leap(from, said.time));
            return;
        }
        let what = What::Receive {
            from,
            to: if to_all {
                To::All
            } else {
                To::One(self.node.me)
            },
            number: message,
            word: said.content.word().into(),
            text: said.content.text(),
        };
        // What it does about it comes after the receipt.
        let done = self.node.receive(from, said, &mut self.acts);
        if let Ok(time) = done {
            driver.happened(Happening {
                process: self.node.me,
                at: now,
                time,
                what,
                deed: None,
            });
        }
        self.act(now, done.map(drop), driver);
    }

    /// Does what the process does, as far as it came.
    fn act(
        &mut self,
        now: Duration,
        done: Result<(), Overflow>,
        driver: &mut impl Driver<P::Message>,
    ) {
        let mut acts = std::mem::take(&mut self.acts);
        for act in acts.drain(..) {
            match act {
                Act::Pause(pause) => driver.pause(pause),
                Act::Event { time, deed, send } => {
                    let what = match &send {
                        None => What::Local,
                        Some((to, message)) => What::Send {
                            to: *to,
                            number: self.sent + 1,
                            word: message.word().into(),
                            text: message.text(),
                        },
                    };
                    driver.happened(Happening {
                        process: self.node.me,
                        at: now,
                        time,
                        what,
                        deed,
                    });
                    if let Some((to, content)) = send {
                        self.send(now, to, Stamped { time, content }, driver);
                    }
                }
            }
        }
        self.acts = acts;
        if let Err(overflow) = done {
            self.ended = true;
            driver.trouble(Trouble::Ended(overflow));
        }
    }

    fn send(
        &mut self,
        now: Duration,
        to: To,
        said: Stamped<P::Message>,
        driver: &mut impl Driver<P::Message>,
    ) {
        self.sent += 1;
        let packet = Packet {
            message: self.sent,
            to_all: to == To::All,
            said,
        };
        match to {
            To::One(other) => self.send_to(now, other, packet, driver),
            To::All => {
                for other in self.node.me.others(self.channels.len()) {
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
        driver: &mut impl Driver<P::Message>,
    ) {
        if self.bare {
            let frame = Frame {
                number: 0,
                acknowledged: 0,
                packet: Some(packet),
            };
            return driver.send(other, frame);
        }
        if self.channels[other.index()].send(packet).is_err() {
            let lost = &mut self.reported[other.index()].1;
            if !std::mem::replace(lost, true) {
                driver.trouble(Trouble::Lost(other));
            }
        }
        self.flush(now, other, driver);
    }

    fn flush(&mut self, now: Duration, other: ProcessId, driver: &mut impl Driver<P::Message>) {
        self.channels[other.index()].frames(now, |frame| driver.send(other, frame));
    }
}

impl Trouble {
    /// In plain words.
    pub fn words(&self, names: &Names) -> String {
        match self {
            Self::Silent(other, true) => format!(
                "{}: nothing heard for {} s; it is gone, or cut off",
                names.of(*other),
                PATIENCE.as_secs()
            ),
            Self::Silent(other, false) => {
                format!(
                    "{}: not heard yet; it is not started, or elsewhere",
                    names.of(*other)
                )
            }
            Self::Back(other) => format!("{}: it is heard again", names.of(*other)),
            Self::Lost(other) => format!(
                "{}: too many messages wait for it; what it is sent from now on is lost",
                names.of(*other)
            ),
            Self::Leap(other, time) => format!(
                "{}: its clock says {time}, far beyond any that can be; its message is refused",
                names.of(*other)
            ),
            Self::Ended(overflow) => format!("clock: {overflow}"),
        }
    }
}
