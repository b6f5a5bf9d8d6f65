//! What an engine asks of a real process: sending over the carrier, timers, and telling.

use std::time::{Duration, Instant};

use common::{
    event::{Event, Level},
    journal::Journal,
};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Settings,
    carrier::Carrier,
    peers::{Others, Peers},
    wire::{Envelope, VERSION},
};
use crate::{
    agenda::Agenda,
    channel::Frame,
    engine::{Driver, Packet, Trouble},
    faults::Faults,
    happening::Happening,
    process::{Names, Pause, ProcessId},
};

/// What a process does with.
#[derive(Debug)]
pub(super) struct Hands<'a> {
    settings: &'a Settings,
    pub(super) names: &'a Names,
    pub(super) me: ProcessId,
    faults: &'a Faults,
    carrier: &'a Carrier<'a>,
    pub(super) journal: &'a Journal,
    begun: Instant,
    random: Pcg64Mcg,
    /// Frames that the network would still have.
    delayed: Agenda<(ProcessId, Vec<u8>)>,
    /// When the timer goes off, and what for.
    timer: Option<(Duration, Pause)>,
    /// How many things it has begun, and whether it begins no more.
    rounds: u64,
    finishing: bool,
    /// How many events it has told.
    pub(super) happened: u64,
    /// How many frames it has sent.
    pub(super) frames: u64,
}

impl<'a> Hands<'a> {
    pub(super) fn new(
        settings: &'a Settings,
        others: &'a Others,
        faults: &'a Faults,
        carrier: &'a Carrier<'a>,
        journal: &'a Journal,
    ) -> Self {
        Self {
            settings,
            names: &others.names,
            me: others.me,
            faults,
            carrier,
            journal,
            begun: Instant::now(),
            random: Pcg64Mcg::seed_from_u64(settings.seed),
            delayed: Agenda::new(),
            timer: None,
            rounds: 0,
            finishing: false,
            happened: 0,
            frames: 0,
        }
    }

    /// The time since it began.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// When there is something to do by itself.
    pub(super) fn due(&self) -> Option<Duration> {
        let timer = self.timer.map(|timer| timer.0);
        [timer, self.delayed.due()].into_iter().flatten().min()
    }

    /// Whether the timer goes off now.
    pub(super) fn timer_is_due(&mut self, now: Duration) -> bool {
        let Some((_, pause)) = self.timer.take_if(|timer| timer.0 <= now) else {
            return false;
        };
        self.rounds += u64::from(pause == Pause::Think);
        true
    }

    /// Whether the timer will go off.
    pub(super) fn will_begin(&self) -> bool {
        self.timer.is_some()
    }

    /// Begins nothing more.
    pub(super) fn finish(&mut self) {
        self.finishing = true;
        self.timer.take_if(|timer| timer.1 == Pause::Think);
    }

    /// Sends the frames that the network has had for long enough.
    pub(super) fn send_delayed(&mut self, now: Duration) {
        while self.delayed.due().is_some_and(|due| due <= now) {
            if let Some((_, (to, bytes))) = self.delayed.take() {
                self.carrier.send(to.index(), bytes);
            }
        }
    }

    /// With who the others are, it can do what an engine asks.
    pub(super) fn with<'h>(&'h mut self, peers: &'h mut Peers<'a>) -> Able<'h, 'a> {
        Able { hands: self, peers }
    }
}

/// Hands that know whom they have to do with.
pub(super) struct Able<'h, 'a> {
    hands: &'h mut Hands<'a>,
    peers: &'h mut Peers<'a>,
}

impl Able<'_, '_> {
    /// Sends a frame with nothing in it, so that the other learns this process's session.
    pub(super) fn introduce<M: Serialize + DeserializeOwned>(&mut self, to: ProcessId) {
        self.put::<M>(
            to,
            Frame {
                number: 0,
                acknowledged: 0,
                packet: None,
            },
        );
    }

    fn put<M: Serialize + DeserializeOwned>(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        let hands = &mut *self.hands;
        let bytes = Envelope {
            v: VERSION,
            algorithm: hands.settings.algorithm.word().into(),
            from: hands.names.of(hands.me).into(),
            to: hands.names.of(to).into(),
            session: self.peers.session,
            knows: self.peers.session_of(to),
            frame,
        }
        .write();
        hands.frames += 1;
        let (now, carrier, delayed) = (hands.begun.elapsed(), hands.carrier, &mut hands.delayed);
        let ends = (hands.me, to);
        hands.faults.carry(&mut hands.random, ends, now, |delay| {
            if delay.is_zero() {
                carrier.send(to.index(), bytes.clone());
            } else {
                delayed.put(now + delay, (to, bytes.clone()));
            }
        });
    }
}

impl<M: Serialize + DeserializeOwned> Driver<M> for Able<'_, '_> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        self.put(to, frame);
    }

    fn happened(&mut self, happening: Happening) {
        let hands = &mut *self.hands;
        hands.happened += 1;
        hands
            .journal
            .record(happening.event(hands.names, hands.carrier.word()));
    }

    fn pause(&mut self, pause: Pause) {
        let hands = &mut *self.hands;
        let wanted = |workload: &crate::workload::Workload| {
            if hands.finishing && pause == Pause::Think {
                return None;
            }
            workload.pause(&mut hands.random, pause, hands.rounds)
        };
        let length = hands.settings.workload.as_ref().and_then(wanted);
        hands.timer = length.map(|length| (hands.begun.elapsed() + length, pause));
    }

    fn trouble(&mut self, trouble: Trouble) {
        let level = match trouble {
            Trouble::Ended(_) => Level::Error,
            Trouble::Silent(..) | Trouble::Back(_) | Trouble::Lost(_) | Trouble::Leap(..) => {
                Level::Warn
            }
        };
        let text = trouble.words(self.hands.names);
        self.hands.journal.record(Event::error(level, text));
    }
}
