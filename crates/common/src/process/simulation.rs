//! A discrete-event simulation of processes and their network; the seed determines the run. Memory grows with the processes,
//! the channels that are used, and the events.
//!
//! | module | job |
//! | --- | --- |
//! | [`event_queue`] | future events in the order of time |
//! | [`series`] | simulated runs as a command: their output |

pub mod event_queue;
pub mod series;
#[cfg(all(test, feature = "check"))]
mod tests;

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use self::event_queue::EventQueue;
use super::{
    Command, Process, Refusal, TimerKind,
    detector::Detection,
    engine::{Driver, Engine, EngineWarning, Packet},
    faults::{Crash, Faults},
    ids::ProcessId,
    physical::nanos,
    reliable_link::{ChannelOrder, Frame},
    run_event::RunEvent,
    workload::Workload,
};

/// How long a run continues without an event, beside the delays of frames: a process that still waits then waits for ever.
const QUIESCENCE: Duration = Duration::from_secs(30);

/// How many times the time without an event messages may go on after the last operation, and once more for each process, as a
/// message may pass all of them one after the other: a run in which they still go on then has no end.
const WITHOUT_OPERATION: u32 = 4;

/// The most events of a run; all are kept until the verdict.
pub const MOST_EVENTS: usize = 5_000_000;

/// The most frames in flight.
pub const MOST_FRAMES: usize = 1_000_000;

/// When a simulation begins, since 1970, for clocks that are not right: a day later, so that none of them shows an earlier time.
pub const MIDNIGHT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long after a crash a perfect failure detector suspects the process, at most.
const DETECTED_WITHIN: Duration = Duration::from_millis(20);

/// The failure detector of the processes that have one; see [`detector`](super::detector).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Detector {
    /// It suspects the processes that have crashed, some time after it, and no others.
    #[default]
    Perfect,
    /// It is eventually perfect, by heartbeats over the network.
    Heartbeats,
}

/// The settings of a simulation; `S` are those of the processes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings<S> {
    /// The number of processes.
    pub processes: usize,
    /// The random seed.
    pub seed: u64,
    /// The workload.
    pub workload: Workload,
    /// When the applications start no further operation, and periodic work ends. Processes that have periodic work need an
    /// end: otherwise only [`MOST_EVENTS`] ends the run.
    pub lasting: Duration,
    /// The faults.
    pub faults: Faults,
    /// The settings of the processes.
    pub process: S,
    /// Whether messages are sent as bare frames, without reliable channels.
    pub unreliable: bool,
    /// In which order reliable channels deliver.
    pub order: ChannelOrder,
    /// The failure detector, if the algorithm has one.
    pub detector: Detector,
    /// Commands to processes, each at its time. A process that has crashed gets those of that time when it recovers, if it
    /// does.
    pub commands: Vec<(Duration, ProcessId, Command)>,
}

impl<S> Settings<S> {
    /// A run of N processes with this workload over a network without faults, until nothing is left to happen.
    pub fn new(processes: usize, seed: u64, workload: Workload, process: S) -> Self {
        Self {
            processes,
            seed,
            workload,
            lasting: Duration::MAX,
            faults: Faults::default(),
            process,
            unreliable: false,
            order: ChannelOrder::Fifo,
            detector: Detector::Perfect,
            commands: Vec::new(),
        }
    }
}

/// A simulated run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// All events, in the order of time.
    pub events: Vec<RunEvent>,
    /// The warnings: when, by which process, and what.
    pub warnings: Vec<(Duration, ProcessId, EngineWarning)>,
    /// The commands that a process refused: when, which process, and why.
    pub refusals: Vec<(Duration, ProcessId, Refusal)>,
    /// How many frames were sent, and how many arrived.
    pub frames: (u64, u64),
    /// The time of the last event.
    pub end: Duration,
    /// Whether the run exceeded its limits and was cut short.
    pub cut_short: bool,
}

/// An event of the simulation.
#[derive(Debug)]
enum Next<M> {
    /// A frame arrives.
    Frame {
        from: ProcessId,
        to: ProcessId,
        frame: Frame<Packet<M>>,
    },
    /// A process's timer expires, unless it has been set again or cleared.
    Timer {
        process: ProcessId,
        kind: TimerKind,
        setting: u32,
    },
    /// A process's retransmissions may be due.
    Poll(ProcessId),
    /// The process gets the command with this index.
    Command { process: ProcessId, index: usize },
    /// The process's failure detector suspects another process, or trusts it again.
    Detection {
        process: ProcessId,
        detection: Detection,
    },
}

/// The simulation without its processes.
struct World<'a, M> {
    workload: &'a Workload,
    faults: &'a Faults,
    lasting: Duration,
    /// The time of the last command.
    commands_end: Duration,
    /// The crashes, sorted by process.
    crashes: Vec<Crash>,
    random: Pcg64Mcg,
    now: Duration,
    event_queue: EventQueue<Next<M>>,
    /// The number of the latest setting of each timer.
    timers: Vec<[u32; TimerKind::COUNT]>,
    /// How many operations each process has started.
    started: Vec<u64>,
    /// When an operation started or went on last, by a timer or from outside.
    operated: Duration,
    /// When each process polls its retransmissions.
    polls: Vec<Option<Duration>>,
    run: Run,
}

/// The simulation as the driver of one process.
struct ProcessView<'w, 'a, M> {
    world: &'w mut World<'a, M>,
    me: ProcessId,
}

impl<M: Clone> Driver<M> for ProcessView<'_, '_, M> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        let World {
            faults,
            random,
            now,
            event_queue,
            run,
            ..
        } = self.world;
        run.frames.0 += 1;
        let from = self.me;
        faults.carry(random, (from, to), *now, |delay| {
            let frame = frame.clone();
            event_queue.insert(*now + delay, Next::Frame { from, to, frame });
        });
    }

    fn record(&mut self, event: RunEvent) {
        self.world.run.end = event.at;
        self.world.run.events.push(event);
    }

    fn set_timer(&mut self, kind: TimerKind) {
        self.clear_timer(kind);
        let (world, process) = (&mut *self.world, self.me);
        let started = world.started[process.index()];
        let duration = world.workload.duration(&mut world.random, kind, started);
        let at = duration.map(|duration| world.now + duration);
        if let Some(at) = at
            && (kind.goes_on() || at < world.lasting || world.workload.maintains(kind))
        {
            let setting = world.timers[process.index()][kind.index()];
            let expires = Next::Timer {
                process,
                kind,
                setting,
            };
            world.event_queue.insert(at, expires);
        }
    }

    fn clear_timer(&mut self, kind: TimerKind) {
        let setting = &mut self.world.timers[self.me.index()][kind.index()];
        *setting = setting.wrapping_add(1);
    }

    fn warn(&mut self, warning: EngineWarning) {
        let entry = (self.world.now, self.me, warning);
        self.world.run.warnings.push(entry);
    }
}

/// Simulates a run until no event is left, or no process makes progress.
pub fn run<P: Process>(settings: &Settings<P::Settings>) -> Run {
    let processes = settings.processes;
    let engine = |me| {
        let engine = Engine::<P>::new(me, processes, &settings.process);
        let engine = match P::READS_CLOCK {
            true => engine.with_hardware_clock(settings.faults.clocks.of(me, nanos(MIDNIGHT))),
            false => engine,
        };
        let engine = match settings.unreliable {
            true => engine.without_channels(),
            false => engine.with_order(settings.order),
        };
        match settings.detector {
            Detector::Perfect => engine,
            Detector::Heartbeats => engine.with_heartbeats(Duration::ZERO),
        }
    };
    let mut engines: Vec<_> = ProcessId::all(processes).map(engine).collect();
    let mut crashes = settings.faults.crashes.clone();
    crashes.sort_by_key(|crash| crash.process);
    let last_command = settings.commands.iter().map(|(at, ..)| *at).max();
    let mut world = World {
        workload: &settings.workload,
        faults: &settings.faults,
        lasting: settings.lasting,
        commands_end: last_command.unwrap_or_default(),
        crashes,
        random: Pcg64Mcg::seed_from_u64(settings.seed),
        now: Duration::ZERO,
        event_queue: EventQueue::new(),
        timers: vec![[0; TimerKind::COUNT]; processes],
        started: vec![0; processes],
        operated: Duration::ZERO,
        polls: vec![None; processes],
        run: Run {
            events: Vec::new(),
            warnings: Vec::new(),
            refusals: Vec::new(),
            frames: (0, 0),
            end: Duration::ZERO,
            cut_short: false,
        },
    };
    for me in ProcessId::all(processes) {
        let engine = &mut engines[me.index()];
        engine.start(world.now, &mut world.view(me));
        world.plan_poll(me, engine);
    }
    for (index, (at, process, _)) in settings.commands.iter().enumerate() {
        let process = *process;
        let command = Next::Command { process, index };
        world.event_queue.insert(*at, command);
    }
    if P::DETECTS && settings.detector == Detector::Perfect {
        world.plan_detections(processes);
    }
    let faults_end = settings.faults.end().max(last_command.unwrap_or_default());
    // A frame and its acknowledgement, each retransmitted once and reordered.
    let quiescence = QUIESCENCE + 16 * settings.faults.delay.long();
    let maintained = Some(settings.lasting).filter(|lasting| *lasting < Duration::MAX);
    world.operated = faults_end.max(maintained.unwrap_or_default());
    let without_operation = quiescence.saturating_mul(WITHOUT_OPERATION + processes as u32);
    while let Some((at, next)) = world.event_queue.pop() {
        if at > world.run.end.max(faults_end) + quiescence
            || at > world.operated.saturating_add(without_operation)
        {
            break;
        }
        if world.run.events.len() > MOST_EVENTS || world.event_queue.len() > MOST_FRAMES {
            world.run.cut_short = true;
            break;
        }
        world.now = at;
        let me = match next {
            Next::Frame { to, .. } => to,
            Next::Timer { process, .. }
            | Next::Poll(process)
            | Next::Command { process, .. }
            | Next::Detection { process, .. } => process,
        };
        if let Some(until) = world.crashed_until(me) {
            // Frames that arrive during a crash are lost; the process's own timers expire after its recovery, if any.
            if !matches!(next, Next::Frame { .. }) && until < Duration::MAX {
                if matches!(next, Next::Poll(_)) {
                    world.polls[me.index()] = Some(until);
                }
                world.event_queue.insert(until, next);
            }
            continue;
        }
        if let Next::Timer { kind, .. } = next
            && world.workload.maintains(kind)
            && world.have_finished(&engines)
        {
            continue;
        }
        let engine = &mut engines[me.index()];
        match next {
            Next::Frame { from, frame, .. } => {
                world.run.frames.1 += 1;
                engine.receive(at, from, frame, &mut world.view(me));
            }
            Next::Timer { kind, setting, .. } => {
                if world.timers[me.index()][kind.index()] != setting {
                    continue;
                }
                if kind == TimerKind::Think {
                    world.started[me.index()] += 1;
                }
                if kind != TimerKind::Maintain {
                    world.operated = world.operated.max(at);
                }
                engine.timer(at, kind, &mut world.view(me));
            }
            Next::Poll(_) => {
                if world.polls[me.index()] != Some(at) {
                    continue;
                }
                world.polls[me.index()] = None;
                engine.poll(at, &mut world.view(me));
            }
            Next::Detection { detection, .. } => {
                world.operated = world.operated.max(at);
                engine.detect(at, detection, &mut world.view(me));
            }
            Next::Command { index, .. } => {
                world.operated = world.operated.max(at);
                let command = settings.commands[index].2.clone();
                if let Err(refusal) = engine.command(at, command, &mut world.view(me)) {
                    world.run.refusals.push((at, me, refusal));
                }
            }
        }
        world.plan_poll(me, engine);
    }
    world.run
}

impl<'a, M> World<'a, M> {
    fn view<'w>(&'w mut self, me: ProcessId) -> ProcessView<'w, 'a, M> {
        ProcessView { world: self, me }
    }

    /// Whether every process has finished its operations, and starts none any more.
    fn have_finished<P: Process>(&self, engines: &[Engine<P>]) -> bool {
        let mut all = ProcessId::all(engines.len());
        self.now >= self.commands_end
            && all.all(|process| {
                let index = process.index();
                let starts_none =
                    self.started[index] >= self.workload.count || self.now >= self.lasting;
                starts_none && engines[index].process().idle()
                    || self.crashed_until(process) == Some(Duration::MAX)
            })
    }

    /// When the process recovers, if it is crashed.
    fn crashed_until(&self, process: ProcessId) -> Option<Duration> {
        let first = self
            .crashes
            .partition_point(|crash| crash.process < process);
        let crashes = self.crashes[first..].iter();
        let mut crashes = crashes.take_while(|crash| crash.process == process);
        let crash = crashes.find(|crash| crash.from <= self.now && self.now < crash.until)?;
        Some(crash.until)
    }

    /// Plans what a perfect failure detector says: of each crash, and of each recovery.
    fn plan_detections(&mut self, processes: usize) {
        for crash in self.crashes.clone() {
            for process in crash.process.others(processes) {
                let after = DETECTED_WITHIN.mul_f64(self.random.random());
                let suspect = (crash.from, Detection::Suspect(crash.process));
                let trust = (crash.until, Detection::Trust(crash.process));
                for (at, detection) in [suspect, trust] {
                    if let Some(at) = at.checked_add(after) {
                        let next = Next::Detection { process, detection };
                        self.event_queue.insert(at, next);
                    }
                }
            }
        }
    }

    fn plan_poll<P: Process>(&mut self, me: ProcessId, engine: &Engine<P>) {
        let planned = &mut self.polls[me.index()];
        if let Some(due) = engine.due()
            && planned.is_none_or(|planned| due < planned)
        {
            *planned = Some(due);
            self.event_queue.insert(due, Next::Poll(me));
        }
    }
}
