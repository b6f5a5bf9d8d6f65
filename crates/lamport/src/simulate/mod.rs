//! A network and its processes in simulated time: a discrete-event simulation, in which the seed decides everything.

pub mod command;
mod replay;

use std::time::Duration;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use crate::{
    agenda::Agenda,
    algorithms::Bug,
    channel::Frame,
    engine::{Driver, Engine, Packet, Trouble},
    faults::Faults,
    happening::Happening,
    process::{Pause, Process, ProcessId},
    workload::Workload,
};

/// How long nothing may happen, beside what frames take, before a run is given up: whoever still waits then waits for ever.
const STILL: Duration = Duration::from_secs(30);

/// How many events a run may have: all are kept until it is judged.
const MOST_EVENTS: usize = 5_000_000;

/// How many frames may be on their way at once.
const MOST_FRAMES: usize = 1_000_000;

/// What is simulated.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// How many processes there are.
    pub processes: usize,
    /// What decides the rest.
    pub seed: u64,
    /// What their applications want.
    pub workload: Workload,
    /// Until when they want it.
    pub lasting: Duration,
    /// What the network does.
    pub faults: Faults,
    /// The mistake that is put in.
    pub bug: Option<Bug>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// Every event, in the order of time.
    pub happenings: Vec<Happening>,
    /// What was not as it should be, who found it, and when.
    pub troubles: Vec<(Duration, ProcessId, Trouble)>,
    /// What the network was given to carry, and what it took to the other side.
    pub frames: (u64, u64),
    /// When the last event happened.
    pub end: Duration,
    /// Whether there were more events than there is room for.
    pub cut_short: bool,
}

/// What can happen next.
#[derive(Debug)]
enum Next<M> {
    /// A frame arrives.
    Frame {
        from: ProcessId,
        to: ProcessId,
        frame: Frame<Packet<M>>,
    },
    /// A process's timer goes off, if this is still its latest wish.
    Timer { process: ProcessId, wish: u64 },
    /// Something may be due to be sent again.
    Poll(ProcessId),
}

/// All but the processes.
struct World<'a, M> {
    settings: &'a Settings,
    random: Pcg64Mcg,
    now: Duration,
    agenda: Agenda<Next<M>>,
    /// The number of each process's latest wish for its timer, and what it is.
    wishes: Vec<(u64, Pause)>,
    /// How many things each process has begun.
    begun: Vec<u64>,
    /// When each process will look what is due.
    polls: Vec<Option<Duration>>,
    run: Run,
}

/// The world as one process sees it.
struct Place<'w, 'a, M> {
    world: &'w mut World<'a, M>,
    me: ProcessId,
}

impl<M: Clone> Driver<M> for Place<'_, '_, M> {
    fn send(&mut self, to: ProcessId, frame: Frame<Packet<M>>) {
        let World {
            settings,
            random,
            now,
            agenda,
            run,
            ..
        } = self.world;
        run.frames.0 += 1;
        let from = self.me;
        settings.faults.carry(random, (from, to), *now, |delay| {
            let frame = frame.clone();
            agenda.put(*now + delay, Next::Frame { from, to, frame });
        });
    }

    fn happened(&mut self, happening: Happening) {
        self.world.run.end = happening.at;
        self.world.run.happenings.push(happening);
    }

    fn pause(&mut self, pause: Pause) {
        let (world, process) = (&mut *self.world, self.me);
        let begun = world.begun[process.index()];
        let (wish, state) = &mut world.wishes[process.index()];
        *wish += 1;
        *state = pause;
        let length = world
            .settings
            .workload
            .pause(&mut world.random, pause, begun);
        let at = length.map(|length| world.now + length);
        if let Some(at) = at
            && (pause == Pause::Work || at < world.settings.lasting)
        {
            let wish = *wish;
            world.agenda.put(at, Next::Timer { process, wish });
        }
    }

    fn trouble(&mut self, trouble: Trouble) {
        let entry = (self.world.now, self.me, trouble);
        self.world.run.troubles.push(entry);
    }
}

/// Runs it to its end: until nobody has anything left to do, or nothing happens any more.
pub fn run<P: Process>(settings: &Settings) -> Run {
    let processes = settings.processes;
    let mut engines: Vec<Engine<P>> = ProcessId::all(processes)
        .map(|process| Engine::new(process, processes, settings.bug))
        .collect();
    let mut world = World {
        settings,
        random: Pcg64Mcg::seed_from_u64(settings.seed),
        now: Duration::ZERO,
        agenda: Agenda::new(),
        wishes: vec![(0, Pause::Think); processes],
        begun: vec![0; processes],
        polls: vec![None; processes],
        run: Run {
            happenings: Vec::new(),
            troubles: Vec::new(),
            frames: (0, 0),
            end: Duration::ZERO,
            cut_short: false,
        },
    };
    for me in ProcessId::all(processes) {
        let engine = &mut engines[me.index()];
        engine.start(world.now, &mut world.place(me));
        world.plan_poll(me, engine);
    }
    // A frame, its acknowledgement, and each of them once more, held up.
    let still = STILL + 16 * settings.faults.delay.long();
    while let Some((at, next)) = world.agenda.take() {
        if at > world.run.end.max(settings.faults.end()) + still {
            break;
        }
        if world.run.happenings.len() > MOST_EVENTS || world.agenda.len() > MOST_FRAMES {
            world.run.cut_short = true;
            break;
        }
        world.now = at;
        let me = match next {
            Next::Frame { to, .. } => to,
            Next::Timer { process, .. } | Next::Poll(process) => process,
        };
        if let Some(until) = world.stands_still(me) {
            // What comes meanwhile is lost; what it had planned itself it does later, unless that is never.
            if !matches!(next, Next::Frame { .. }) && until < Duration::MAX {
                if matches!(next, Next::Poll(_)) {
                    world.polls[me.index()] = Some(until);
                }
                world.agenda.put(until, next);
            }
            continue;
        }
        let engine = &mut engines[me.index()];
        match next {
            Next::Frame { from, frame, .. } => {
                world.run.frames.1 += 1;
                engine.receive(at, from, frame, &mut world.place(me));
            }
            Next::Timer { wish, .. } => {
                let (latest, pause) = world.wishes[me.index()];
                if latest != wish {
                    continue;
                }
                if pause == Pause::Think {
                    world.begun[me.index()] += 1;
                }
                engine.timer(at, &mut world.place(me));
            }
            Next::Poll(_) => {
                if world.polls[me.index()] != Some(at) {
                    continue;
                }
                world.polls[me.index()] = None;
                engine.poll(at, &mut world.place(me));
            }
        }
        world.plan_poll(me, engine);
    }
    world.run
}

impl<'a, M> World<'a, M> {
    fn place<'w>(&'w mut self, me: ProcessId) -> Place<'w, 'a, M> {
        Place { world: self, me }
    }

    /// Until when the process stands still, if it does.
    fn stands_still(&self, process: ProcessId) -> Option<Duration> {
        let mut crashes = self.settings.faults.crashes.iter();
        let crash = crashes.find(|crash| {
            crash.process == process && crash.from <= self.now && self.now < crash.until
        })?;
        Some(crash.until)
    }

    fn plan_poll<P: Process>(&mut self, me: ProcessId, engine: &Engine<P>) {
        let planned = &mut self.polls[me.index()];
        if let Some(due) = engine.due()
            && planned.is_none_or(|planned| due < planned)
        {
            *planned = Some(due);
            self.agenda.put(due, Next::Poll(me));
        }
    }
}
