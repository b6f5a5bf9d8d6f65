//! Supervises the processes of a run: they insert names, look them up and move them while some crash, and stop. Those of a ring join
//! one after another before.

use std::time::{Duration, Instant, SystemTime};

use common::{
    event::{Event, Kind, Time},
    exit::Failure,
    journal::Journal,
    process::{
        children::{Child, ChildOutput, Crash, group::Children},
        faults::{self, Partition},
        ids::ProcessId,
    },
    shutdown::Shutdown,
    text::plural,
};
use crossbeam::channel::Receiver;

use super::{
    console::{MOVED, NOT_HERE},
    ring::first_wrong,
    settings::RunSettings,
    state::State,
    workload::Workload,
};
use crate::location::verdict::RunFaults;

/// How long the processes may take for each phase: to start, to form a ring, to store the places of entities, to heal, to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the processes are asked for their state.
const POLL: Duration = Duration::from_millis(10);

/// What a run has come to, beside the logs.
#[derive(Debug)]
pub(super) struct Outcome {
    /// How many names were inserted.
    pub(super) names: usize,
    /// The processes that did not end by themselves.
    pub(super) crashed: Vec<ProcessId>,
    /// The faults, by the wall clock.
    pub(super) faults: RunFaults,
    /// How long after the last crash the ring was whole again; None where it was not, or nothing crashed.
    pub(super) healed: Option<Duration>,
    /// What was not as in a ring of the processes that are left when there was no more time.
    pub(super) broken: Option<String>,
}

/// The processes while they run.
pub(super) struct Supervisor<'a> {
    settings: &'a RunSettings,
    children: Children<'a>,
    journal: &'a Journal,
    shutdown: &'a Shutdown,
    workload: Workload,
    /// The latest state of each process, and whether it has answered the last poll.
    states: Vec<Option<State>>,
    answered: Vec<bool>,
    paused: Vec<bool>,
    /// When processes were killed, and paused, by the wall clock, which their logs have.
    crashes: Vec<faults::Crash>,
    polled: Instant,
    /// Whether the look-ups have begun, so that a signal ends them and not the run.
    is_ready: bool,
}

/// The time of the wall clock, since 1970.
fn wall_clock() -> Duration {
    Time::new(SystemTime::now()).since_1970()
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        settings: &'a RunSettings,
        children: Vec<Child>,
        outputs: &'a Receiver<ChildOutput>,
        journal: &'a Journal,
        shutdown: &'a Shutdown,
    ) -> Self {
        let count = children.len();
        Self {
            settings,
            children: Children::new(children, outputs, journal).ignoring_killed(),
            journal,
            shutdown,
            workload: Workload::new(settings),
            states: vec![None; count],
            answered: vec![true; count],
            paused: vec![false; count],
            crashes: Vec::new(),
            polled: Instant::now(),
            is_ready: false,
        }
    }

    /// The whole run.
    ///
    /// # Errors
    /// When the processes do not start (exit code 2), or form no ring (exit code 1).
    pub(super) fn run(&mut self) -> Result<Outcome, Failure> {
        let addresses = self.children.addresses(PATIENCE, self.shutdown)?;
        let addresses = addresses.ok_or_else(interrupted)?;
        self.children.introduce(&addresses);
        let start = Instant::now();
        let is_ring = self.settings.scheme.is_ring();
        if is_ring {
            self.form()?;
        }
        self.insert()?;
        let text = format!("{}, after {} ms", self.title(), start.elapsed().as_millis());
        let ready = Event::new(Kind::Ready).text(text);
        self.journal.ready(ready, &addresses, false)?;
        self.is_ready = true;
        let began = wall_clock();
        self.children.write_all("go");
        let (crashed, mut healed) = self.look_up();
        let broken = match is_ring && !self.until(Self::is_whole)? {
            true => self.first_wrong(),
            false => None,
        };
        if let (Some(crashed), None) = (crashed, &broken) {
            healed = healed.or(Some(crashed.elapsed()));
        }
        // A move that does not end is in the logs, and so is a look-up.
        self.settle()?;
        self.look_up_all()?;
        let crashed = self.children.stop(PATIENCE);
        Ok(Outcome {
            names: self.workload.names.len(),
            crashed,
            faults: self.faults(began),
            healed,
            broken,
        })
    }

    /// What runs, in words.
    fn title(&self) -> String {
        let settings = self.settings;
        let records = plural(settings.records as u64, "name");
        let count = self.children.list.len();
        if settings.scheme.is_ring() {
            let copies = settings.group.successors.min(count);
            let ring = plural(count as u64, "process");
            return format!("a ring of {ring} over UDP, {records} in {copies} copies each");
        }
        format!(
            "{} of {} over UDP, {records}",
            plural(count as u64, "process"),
            settings.scheme
        )
    }

    /// The faults, in the time of the logs; the times of partitions are those since the look-ups began.
    fn faults(&mut self, began: Duration) -> RunFaults {
        let partitions = self.settings.faults.partitions.iter();
        let partitions = partitions.map(|partition| Partition {
            from: began + partition.from,
            until: partition.until.saturating_add(began),
            ..*partition
        });
        RunFaults {
            crashes: std::mem::take(&mut self.crashes),
            partitions: partitions.collect(),
            recovery: self.settings.recovery(),
            copied: began,
        }
    }

    /// The processes of a ring join one after another by the first one.
    fn form(&mut self) -> Result<(), Failure> {
        let first = self.children.list[0].name.clone();
        for number in 0..self.children.list.len() {
            self.children.list[number].write(&format!("join {first}"));
            let is_member = |supervisor: &Self| {
                let state = supervisor.states[number].as_ref();
                state.is_some_and(|state| state.is_member)
            };
            if !self.until(is_member)? {
                let name = &self.children.list[number].name;
                return Err(Failure::no("ring", format!("{name} has not joined")));
            }
        }
        match self.until(Self::is_whole)? {
            true => Ok(()),
            false => Err(Failure::no("ring", self.first_wrong().unwrap_or_default())),
        }
    }

    /// The names are inserted, until all processes know what they have to know of them.
    fn insert(&mut self) -> Result<(), Failure> {
        for (name, process) in self.workload.inserts() {
            self.children.list[process.index()].write(&format!("put {name}"));
        }
        match self.settle()? {
            true => Ok(()),
            false => Err(Failure::no("run", "not all names were stored")),
        }
    }

    /// Waits until what has been inserted and moved is stored; false when there is no more time.
    fn settle(&mut self) -> Result<bool, Failure> {
        if self.settings.scheme.is_ring() {
            let stored = |supervisor: &Self| supervisor.known().all(|state| state.open == 0);
            // The copies are sent before the answer to a request to keep the record.
            let mut were_quiet = vec![false; self.states.len()];
            return Ok(self.until(stored)?
                && self.until(|supervisor| {
                    for (number, was_quiet) in were_quiet.iter_mut().enumerate() {
                        let state = supervisor.states[number].as_ref();
                        let is_quiet = state.is_none_or(|state| state.is_quiet);
                        *was_quiet |= is_quiet || !supervisor.is_up(number);
                    }
                    were_quiet.iter().all(|was_quiet| *was_quiet)
                })?);
        }
        // All are quiet in two polls without an event between them: no message is under way. (Mattern 1987: the second poll begins
        // after the first has been answered by all.)
        let mut before = None;
        self.until(|supervisor| {
            let known = || supervisor.known();
            let is_quiet = known().all(|state| state.open == 0 && state.is_quiet);
            let events: u64 = known().map(|state| state.events).sum();
            let now = is_quiet.then_some(events);
            now.is_some() && std::mem::replace(&mut before, now) == now
        })
    }

    /// Look-ups and moves go on at all processes while some crash; returns when the last one did, and how long after that the ring was
    /// whole again, if it was.
    fn look_up(&mut self) -> (Option<Instant>, Option<Duration>) {
        let start = Instant::now();
        let (mut crashed, mut healed) = (None, None);
        let is_ring = self.settings.scheme.is_ring();
        loop {
            let now = start.elapsed();
            let over = now >= self.settings.lasting;
            while let Some((process, crash)) = self.workload.crash(now) {
                self.crash(process.index(), crash);
                (crashed, healed) = (Some(Instant::now()), None);
            }
            let has_faults = self.workload.has_crashes() || now < self.settings.faults.end();
            if self.shutdown.requested() || over && !has_faults {
                self.resume_all();
                return (crashed, healed);
            }
            if !over {
                self.operate(now);
            }
            if is_ring && self.has_polled() {
                if let Some(crashed) = crashed.filter(|_| healed.is_none() && self.is_whole()) {
                    healed = Some(crashed.elapsed());
                }
                self.poll();
            }
            self.handle_for(POLL / 2);
        }
    }

    /// The operations for which it is time now.
    fn operate(&mut self, now: Duration) {
        for number in 0..self.children.list.len() {
            if self.is_up(number)
                && let Some(name) = self.workload.look_up(number, now)
            {
                self.children.list[number].write(&format!("look {name}"));
            }
        }
        let (children, paused) = (&self.children.list, &self.paused);
        let is_up = |process: ProcessId| is_up(children, paused, process.index());
        if let Some((from, name, to)) = self.workload.next_move(now, is_up) {
            let line = format!("move {name} {}", self.settings.names.of(to));
            self.children.list[from.index()].write(&line);
        }
    }

    /// In the end every name is looked up once more, and all look-ups end.
    fn look_up_all(&mut self) -> Result<(), Failure> {
        let up = (0..self.children.list.len()).filter(|number| self.is_up(*number));
        let up: Vec<_> = up.collect();
        // Another process than the one that inserted it, where each still has its own.
        let askers = up.iter().cycle().skip(1);
        for (name, number) in self.workload.names.iter().zip(askers) {
            self.children.list[*number].write(&format!("look {name}"));
        }
        self.until(|supervisor| supervisor.known().all(|state| state.open == 0))
            .map(drop)
    }

    /// Waits until something holds of fresh states of all processes that are up; false when there is no more time.
    fn until(&mut self, mut holds: impl FnMut(&Self) -> bool) -> Result<bool, Failure> {
        let until = Instant::now() + PATIENCE;
        self.answered.fill(true);
        self.poll();
        loop {
            if self.has_polled() {
                if holds(self) {
                    return Ok(true);
                }
                if self.polled.elapsed() >= POLL {
                    self.poll();
                }
            }
            if Instant::now() >= until {
                return Ok(false);
            }
            if !self.is_ready && self.shutdown.requested() {
                return Err(interrupted());
            }
            self.handle_for(POLL / 2);
        }
    }

    fn is_up(&self, number: usize) -> bool {
        is_up(&self.children.list, &self.paused, number)
    }

    /// The states of the processes that are up, as far as they are known.
    fn known(&self) -> impl Iterator<Item = &State> {
        let states = self.states.iter().enumerate();
        let up = states.filter(|(number, _)| self.is_up(*number));
        up.filter_map(|(_, state)| state.as_ref())
    }

    /// Asks all processes that are up for their state.
    fn poll(&mut self) {
        self.polled = Instant::now();
        for number in 0..self.children.list.len() {
            if self.is_up(number) {
                self.answered[number] = false;
                self.children.list[number].write("state");
            }
        }
    }

    fn has_polled(&self) -> bool {
        (0..self.answered.len()).all(|number| self.answered[number] || !self.is_up(number))
    }

    fn is_whole(&self) -> bool {
        self.first_wrong().is_none()
    }

    /// The first process whose neighbours are not those of a ring of all that are up.
    fn first_wrong(&self) -> Option<String> {
        let up = (0..self.children.list.len()).filter(|number| self.is_up(*number));
        let member = |number: usize| {
            let name = self.children.list[number].name.as_str();
            (name, self.states[number].as_ref())
        };
        first_wrong(up.map(member), self.settings.group.successors)
    }

    fn crash(&mut self, number: usize, crash: Crash) {
        self.paused[number] = crash == Crash::Pause;
        let (process, now) = (ProcessId::at(number), wall_clock());
        match crash {
            Crash::Kill | Crash::Pause => self.crashes.push(faults::Crash {
                process,
                from: now,
                until: Duration::MAX,
            }),
            Crash::Resume => {
                let mut paused = self.crashes.iter_mut().rev();
                if let Some(paused) = paused.find(|crash| crash.process == process) {
                    paused.until = now;
                }
            }
        }
        self.children.list[number].crash(crash);
        // What it answers when it goes on is no answer to a poll of now.
        self.answered[number] = true;
    }

    /// A run that is interrupted ends with all processes that it has not killed.
    fn resume_all(&mut self) {
        for number in 0..self.paused.len() {
            if self.paused[number] {
                self.crash(number, Crash::Resume);
            }
        }
    }

    fn handle_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            let Some((number, line)) = self.children.next_line(until) else {
                continue;
            };
            match line.split_once(' ') {
                Some((MOVED, name)) => self.workload.answered(name, true),
                Some((NOT_HERE, name)) => self.workload.answered(name, false),
                _ => {
                    if let Some(state) = State::read(&line) {
                        self.states[number] = Some(state);
                        self.answered[number] = true;
                    }
                }
            }
        }
    }
}

fn interrupted() -> Failure {
    Failure::no("run", "interrupted before the look-ups")
}

fn is_up(children: &[Child], paused: &[bool], number: usize) -> bool {
    let child = &children[number];
    child.ended.is_none() && !child.killed && !paused[number]
}
