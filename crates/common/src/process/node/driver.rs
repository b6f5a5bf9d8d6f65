//! The engine's driver in a real process: it sends frames over the transport, keeps the timer, and records events.

use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    super::{
        TimerKind,
        engine::{Driver, EngineWarning, Packet},
        faults::Faults,
        ids::{Names, ProcessId},
        reliable_link::Frame,
        run_event::RunEvent,
        simulation::event_queue::EventQueue,
        workload::Workload,
    },
    peers::{PeerTable, Peers},
    transport::FrameTransport,
    wire::{Envelope, VERSION},
};
use crate::{
    event::{Event, Level},
    journal::Journal,
};

/// The driver, without its peers.
#[derive(Debug)]
pub(super) struct NodeDriver<'a> {
    algorithm: &'static str,
    workload: Option<Workload>,
    pub(super) names: &'a Names,
    pub(super) me: ProcessId,
    faults: &'a Faults,
    transport: &'a FrameTransport<'a>,
    pub(super) journal: &'a Journal,
    start: Instant,
    random: Pcg64Mcg,
    /// Frames that are delayed as in a slow network.
    delayed: EventQueue<(ProcessId, Vec<u8>)>,
    /// When the timer of each kind expires.
    timers: [Option<Duration>; TimerKind::COUNT],
    /// How many operations the process has started, and whether it starts no more.
    started: u64,
    finishing: bool,
    /// How many events were recorded.
    pub(super) events: u64,
    /// How many frames were sent.
    pub(super) frames: u64,
}

impl<'a> NodeDriver<'a> {
    pub(super) fn new(
        (algorithm, seed, workload): (&'static str, u64, Option<Workload>),
        table: &'a PeerTable,
        faults: &'a Faults,
        transport: &'a FrameTransport<'a>,
        journal: &'a Journal,
    ) -> Self {
        Self {
            algorithm,
            workload,
            names: &table.names,
            me: table.me,
            faults,
            transport,
            journal,
            start: Instant::now(),
            random: Pcg64Mcg::seed_from_u64(seed),
            delayed: EventQueue::new(),
            timers: [None; TimerKind::COUNT],
            started: 0,
            finishing: false,
            events: 0,
            frames: 0,
        }
    }

    /// The time since the start.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// When a timer expires or a delayed frame is due.
    pub(super) fn due(&self) -> Option<Duration> {
        let timers = self.timers.iter().copied();
        timers.chain([self.delayed.due()]).flatten().min()
    }

    /// The timer that has expired first, if one has; clears it.
    pub(super) fn expired(&mut self, now: Duration) -> Option<TimerKind> {
        let expired = TimerKind::ALL.into_iter().filter_map(|kind| {
            let at = self.timers[kind.index()].filter(|at| *at <= now)?;
            Some((at, kind))
        });
        let (_, kind) = expired.min_by_key(|(at, _)| *at)?;
        self.timers[kind.index()] = None;
        self.started += u64::from(kind == TimerKind::Think);
        Some(kind)
    }

    /// Whether a timer is set with which an operation starts or goes on; periodic work goes on for ever.
    pub(super) fn has_operation(&self) -> bool {
        let mut set = TimerKind::ALL.into_iter();
        set.any(|kind| kind != TimerKind::Maintain && self.timers[kind.index()].is_some())
    }

    /// Starts no further operation.
    pub(super) fn finish(&mut self) {
        self.finishing = true;
        self.timers[TimerKind::Think.index()] = None;
    }

    /// Sends the delayed frames that are due.
    pub(super) fn send_delayed(&mut self, now: Duration) {
        while self.delayed.due().is_some_and(|due| due <= now) {
            if let Some((_, (to, bytes))) = self.delayed.pop() {
                self.transport.send(to.index(), bytes);
            }
        }
    }

    /// The driver with its peers.
    pub(super) fn with<'h>(&'h mut self, peers: &'h mut Peers<'a>) -> DriverHandle<'h, 'a> {
        DriverHandle {
            driver: self,
            peers,
        }
    }
}

/// A driver with its peers, as an engine needs it.
pub(super) struct DriverHandle<'h, 'a> {
    driver: &'h mut NodeDriver<'a>,
    peers: &'h mut Peers<'a>,
}

impl DriverHandle<'_, '_> {
    /// Sends an empty frame, from which the receiver learns this process's session.
    pub(super) fn announce_session<M: Serialize + DeserializeOwned>(&mut self, to: ProcessId) {
        self.send_frame::<M>(
            to,
            Frame {
                sequence: 0,
                acknowledged: 0,
                packet: None,
            },
        );
    }

    fn send_frame<M: Serialize + DeserializeOwned>(
        &mut self,
        to: ProcessId,
        frame: Frame<Packet<M>>,
    ) {
        let driver = &mut *self.driver;
        let bytes = Envelope {
            v: VERSION,
            algorithm: driver.algorithm.into(),
            from: driver.names.of(driver.me).into(),
            to: driver.names.of(to).into(),
            session: self.peers.session,
            knows: self.peers.session_of(to),
            frame,
        }
        .write();
        driver.frames += 1;
        let (now, transport, delayed) = (
            driver.start.elapsed(),
            driver.transport,
            &mut driver.delayed,
        );
        let ends = (driver.me, to);
        driver.faults.carry(&mut driver.random, ends, now, |delay| {
            if delay.is_zero() {
                transport.send(to.index(), bytes.clone());
            } else {
                delayed.insert(now + delay, (to, bytes.clone()));
            }
        });
    }
}

impl<M: Serialize + DeserializeOwned> Driver<M> for DriverHandle<'_, '_> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        self.send_frame(to, frame);
    }

    fn record(&mut self, event: RunEvent) {
        let driver = &mut *self.driver;
        driver.events += 1;
        driver
            .journal
            .record(event.event(driver.names, driver.transport.carrier()));
    }

    fn set_timer(&mut self, kind: TimerKind) {
        let driver = &mut *self.driver;
        let duration = |workload: &Workload| {
            if driver.finishing && kind == TimerKind::Think {
                return None;
            }
            workload.duration(&mut driver.random, kind, driver.started)
        };
        let duration = driver.workload.as_ref().and_then(duration);
        driver.timers[kind.index()] = duration.map(|duration| driver.start.elapsed() + duration);
    }

    fn clear_timer(&mut self, kind: TimerKind) {
        self.driver.timers[kind.index()] = None;
    }

    fn warn(&mut self, warning: EngineWarning) {
        let text = warning.words(self.driver.names);
        let event = match warning {
            EngineWarning::ClockOverflow(_) => Event::error(Level::Error, text),
            EngineWarning::Unresponsive(peer, _)
            | EngineWarning::Recovered(peer)
            | EngineWarning::ChannelBroken(peer)
            | EngineWarning::ClockJump(peer, _) => {
                Event::error(Level::Warn, text).peer(self.driver.names.of(peer))
            }
        };
        self.driver.journal.record(event);
    }
}
