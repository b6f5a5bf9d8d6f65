//! The engine's driver in a real process: it sends frames over the transport, keeps the timer, and records events.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::{
    super::{
        Message, TimerKind,
        engine::{Driver, EngineWarning, Packet},
        faults::Faults,
        ids::ProcessId,
        physical::HardwareClock,
        reliable_link::Frame,
        run_event::RunEvent,
        simulation::event_queue::EventQueue,
        workload::Workload,
    },
    peers::Peers,
    transport::FrameTransport,
    wire::{Envelope, Named, VERSION},
};
use crate::{
    event::{Event, Level},
    journal::Journal,
};

/// The least time between two rounds of periodic work on which operations depend, when no operation starts any more: a
/// supervisor sees that nothing happens in between when all have finished.
const LAST_ROUNDS: Duration = Duration::from_millis(200);

/// The driver, without its peers.
#[derive(Debug)]
pub(super) struct NodeDriver<'a> {
    algorithm: &'static str,
    workload: Option<Workload>,
    pub(super) me: ProcessId,
    faults: &'a Faults,
    transport: &'a FrameTransport<'a>,
    pub(super) journal: &'a Journal,
    start: Instant,
    /// The hardware clock that the process has, or pretends to have.
    pub(super) clock: HardwareClock,
    /// When the times of partitions begin, after the start; None before that.
    partitions_from: Option<Duration>,
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
        me: ProcessId,
        faults: &'a Faults,
        transport: &'a FrameTransport<'a>,
        journal: &'a Journal,
    ) -> Self {
        let start = Instant::now();
        Self {
            algorithm,
            workload,
            me,
            faults,
            transport,
            journal,
            start,
            clock: faults.clocks.of(me, HardwareClock::true_time_at(start)),
            partitions_from: Some(Duration::ZERO),
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

    /// Partitions have no effect until their times begin.
    pub(super) fn hold_partitions(&mut self) {
        self.partitions_from = None;
    }

    /// The times of partitions begin now.
    pub(super) fn start_partitions(&mut self) {
        self.partitions_from = Some(self.now());
    }

    /// Sends the delayed frames that are due.
    pub(super) fn send_delayed(&mut self, now: Duration, peers: &Peers) {
        while self.delayed.due().is_some_and(|due| due <= now) {
            if let Some((_, (to, bytes))) = self.delayed.pop() {
                self.transport.send(to.index(), peers.address_of(to), bytes);
            }
        }
    }

    /// The driver with its peers.
    pub(super) fn with<'h>(&'h mut self, peers: &'h mut Peers) -> DriverHandle<'h, 'a> {
        DriverHandle {
            driver: self,
            peers,
        }
    }
}

/// A driver with its peers, as an engine needs it.
pub(super) struct DriverHandle<'h, 'a> {
    driver: &'h mut NodeDriver<'a>,
    peers: &'h mut Peers,
}

impl DriverHandle<'_, '_> {
    /// Sends an empty frame, from which the receiver learns this process's session.
    pub(super) fn announce_session<M: Message>(&mut self, to: ProcessId) {
        self.send_frame::<M>(to, empty());
    }

    /// Asks which process is at this address.
    pub(super) fn ask<M: Message>(&mut self, address: SocketAddr) {
        let bytes = self.envelope::<M>(("", 0), Vec::new(), empty()).write();
        self.driver.frames += 1;
        self.driver.transport.send_datagram(address, &bytes);
    }

    /// Answers a process of this name and session, which is there and may not be known, who is here; and tells it where it is, and
    /// where a process with its name is known to be.
    pub(super) fn answer<M: Message>(&mut self, to: (&str, u32), address: SocketAddr) {
        let names = &self.peers.table.names;
        let known = names.process(to.0);
        let known = known.and_then(|known| self.peers.address_of(known));
        let mut addresses = vec![address];
        addresses.extend(known.filter(|known| *known != address));
        let named = addresses.into_iter().map(|at| Named {
            name: to.0.into(),
            at: Some(at),
        });
        let bytes = self.envelope::<M>(to, named.collect(), empty()).write();
        self.driver.frames += 1;
        self.driver.transport.send_datagram(address, &bytes);
    }

    fn envelope<'e, M: Message>(
        &'e self,
        (to, knows): (&'e str, u32),
        processes: Vec<Named<'e>>,
        frame: Frame<Packet<M>>,
    ) -> Envelope<'e, M> {
        Envelope {
            v: VERSION,
            algorithm: self.driver.algorithm.into(),
            from: self.peers.table.names.of(self.driver.me).into(),
            to: to.into(),
            session: self.peers.session,
            knows,
            processes,
            frame,
        }
    }

    fn send_frame<M: Message>(&mut self, to: ProcessId, mut frame: Frame<Packet<M>>) {
        let names = &self.peers.table.names;
        let mut named: Vec<ProcessId> = Vec::new();
        if let Some(packet) = &mut frame.packet {
            packet.message.content.each_process(&mut |process| {
                let known = named.iter().position(|known| known == process);
                if known.is_none() {
                    named.push(*process);
                }
                *process = ProcessId::at(known.unwrap_or(named.len() - 1));
            });
        }
        let named = named.into_iter().map(|process| Named {
            name: names.of(process).into(),
            at: self.peers.address_of(process),
        });
        let to_whom = (names.of(to), self.peers.session_of(to));
        let bytes = self.envelope(to_whom, named.collect(), frame).write();
        let address = self.peers.address_of(to);
        let driver = &mut *self.driver;
        driver.frames += 1;
        let (now, transport, delayed) = (
            driver.start.elapsed(),
            driver.transport,
            &mut driver.delayed,
        );
        let ends = (driver.me, to);
        let of_partitions = driver.partitions_from.map(|from| now.saturating_sub(from));
        // At the end of time none lasts.
        let of_partitions = of_partitions.unwrap_or(Duration::MAX);
        let (faults, random) = (driver.faults, &mut driver.random);
        faults.carry(random, ends, of_partitions, |delay| {
            if delay.is_zero() {
                transport.send(to.index(), address, bytes.clone());
            } else {
                delayed.insert(now + delay, (to, bytes.clone()));
            }
        });
    }
}

impl<M: Message> Driver<M> for DriverHandle<'_, '_> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        self.send_frame(to, frame);
    }

    fn record(&mut self, event: RunEvent) {
        let driver = &mut *self.driver;
        driver.events += 1;
        driver
            .journal
            .record(event.event(&self.peers.table.names, driver.transport.carrier()));
    }

    fn set_timer(&mut self, kind: TimerKind) {
        let driver = &mut *self.driver;
        let duration = |workload: &Workload| {
            if driver.finishing && kind == TimerKind::Think {
                return None;
            }
            let duration = workload.duration(&mut driver.random, kind, driver.started);
            match driver.finishing && workload.maintains(kind) {
                true => duration.map(|duration| duration.max(LAST_ROUNDS)),
                false => duration,
            }
        };
        let duration = driver.workload.as_ref().and_then(duration);
        driver.timers[kind.index()] = duration.map(|duration| driver.start.elapsed() + duration);
    }

    fn clear_timer(&mut self, kind: TimerKind) {
        self.driver.timers[kind.index()] = None;
    }

    fn warn(&mut self, warning: EngineWarning) {
        let names = &self.peers.table.names;
        let text = warning.words(names);
        let event = match warning {
            EngineWarning::ClockOverflow(_) => Event::error(Level::Error, text),
            EngineWarning::Unresponsive(peer, _)
            | EngineWarning::Recovered(peer)
            | EngineWarning::ChannelBroken(peer)
            | EngineWarning::ClockJump(peer, _) => {
                Event::error(Level::Warn, text).peer(names.of(peer))
            }
        };
        self.driver.journal.record(event);
    }
}

/// A frame without a packet.
fn empty<M>() -> Frame<Packet<M>> {
    Frame {
        sequence: 0,
        acknowledged: 0,
        packet: None,
    }
}
