//! Supervises the processes of a ring: they join one after another, put names, look them up while some are killed, and stop.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime},
};

use common::{
    event::{Event, Kind, Level, Time},
    exit::Failure,
    journal::Journal,
    process::{
        children::{Child, ChildOutput, Crash},
        faults,
        ids::ProcessId,
    },
    shutdown::Shutdown,
    text::plural,
};
use crossbeam::channel::Receiver;

use super::{processes, settings::RunSettings, state::State, workload::Workload};
use crate::location::{circle, verdict::RunFaults};

/// How long the processes may take for each phase: to start, to form a ring, to replicate records, to heal, to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often the processes are asked for their state.
const POLL: Duration = Duration::from_millis(10);

/// What a run has come to, beside the logs.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The names that were replicated before the look-ups.
    pub(super) names: Vec<String>,
    /// The processes that did not end by themselves.
    pub(super) crashed: Vec<ProcessId>,
    /// The crashes and pauses, by the wall clock.
    pub(super) faults: RunFaults,
    /// How long after the last crash the ring was whole again; None where it was not, or nothing crashed.
    pub(super) healed: Option<Duration>,
    /// What was not as in a ring of the processes that are left when there was no more time.
    pub(super) broken: Option<String>,
}

/// The processes while they run.
pub(super) struct Supervisor<'a> {
    settings: &'a RunSettings,
    children: Vec<Child>,
    outputs: &'a Receiver<ChildOutput>,
    journal: &'a Journal,
    shutdown: &'a Shutdown,
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
            children,
            outputs,
            journal,
            shutdown,
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
        let addresses = self.addresses()?;
        let count = self.children.len();
        for me in 0..count {
            for (other, address) in addresses
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != me)
            {
                let line = format!("peer {}={address}", self.children[other].name);
                self.children[me].write(&line);
            }
            self.children[me].write("start");
        }
        let mut workload = Workload::new(self.settings);
        let start = Instant::now();
        self.form()?;
        self.put(&workload.names)?;
        let records = plural(workload.names.len() as u64, "name");
        let copies = self.settings.successors.min(count);
        let text = format!(
            "a ring of {} over UDP, {records} in {copies} copies each, after {} ms",
            processes(count),
            start.elapsed().as_millis()
        );
        self.journal
            .ready(Event::new(Kind::Ready).text(text), &addresses, false)?;
        self.is_ready = true;
        let copied = Time::new(SystemTime::now()).since_1970();
        let (crashed, mut healed) = self.look_up(&mut workload);
        let broken = match self.until(Self::is_whole)? {
            true => None,
            false => self.first_wrong(),
        };
        if let (Some(crashed), None) = (crashed, &broken) {
            healed = healed.or(Some(crashed.elapsed()));
        }
        self.look_up_all(&workload.names)?;
        let crashed = self.stop();
        Ok(Outcome {
            names: workload.names,
            faults: RunFaults {
                crashes: std::mem::take(&mut self.crashes),
                recovery: self.settings.recovery(),
                copied,
                ..RunFaults::default()
            },
            crashed,
            healed,
            broken,
        })
    }

    /// The processes join one after another by the first one.
    fn form(&mut self) -> Result<(), Failure> {
        let first = self.children[0].name.clone();
        for number in 0..self.children.len() {
            self.children[number].write(&format!("join {first}"));
            let is_member = |supervisor: &Self| {
                let state = supervisor.states[number].as_ref();
                state.is_some_and(|state| state.is_member)
            };
            if !self.until(is_member)? {
                let name = &self.children[number].name;
                return Err(Failure::no("ring", format!("{name} has not joined")));
            }
        }
        match self.until(Self::is_whole)? {
            true => Ok(()),
            false => Err(Failure::no("ring", self.first_wrong().unwrap_or_default())),
        }
    }

    /// The names are put at the processes in turn, until the nodes that are responsible have them and their copies.
    fn put(&mut self, names: &[String]) -> Result<(), Failure> {
        let count = self.children.len();
        for (number, name) in names.iter().enumerate() {
            self.children[number % count].write(&format!("put {name}"));
        }
        let stored = |supervisor: &Self| supervisor.known().all(|state| state.open == 0);
        // The copies are sent before the answer to a request to keep the record.
        let mut were_quiet = vec![false; count];
        let done = self.until(stored)?
            && self.until(|supervisor| {
                for (was_quiet, state) in were_quiet.iter_mut().zip(&supervisor.states) {
                    *was_quiet |= state.as_ref().is_none_or(|state| state.is_quiet);
                }
                were_quiet.iter().all(|was_quiet| *was_quiet)
            })?;
        match done {
            true => Ok(()),
            false => Err(Failure::no("ring", "not all records were replicated")),
        }
    }

    /// Look-ups go on at all processes while some crash; returns when the last one did, and how long after that the ring was
    /// whole again, if it was.
    fn look_up(&mut self, workload: &mut Workload) -> (Option<Instant>, Option<Duration>) {
        let start = Instant::now();
        let (mut crashed, mut healed) = (None, None);
        loop {
            let now = start.elapsed();
            let over = now >= self.settings.lasting;
            while let Some((process, crash)) = workload.crash(now) {
                self.crash(process.index(), crash);
                (crashed, healed) = (Some(Instant::now()), None);
            }
            if self.shutdown.requested() || over && !workload.has_crashes() {
                return (crashed, healed);
            }
            for number in (0..self.children.len()).filter(|_| !over) {
                if self.is_up(number)
                    && let Some(name) = workload.look_up(number, now)
                {
                    self.children[number].write(&format!("look {name}"));
                }
            }
            if self.has_polled() {
                if let Some(crashed) = crashed.filter(|_| healed.is_none() && self.is_whole()) {
                    healed = Some(crashed.elapsed());
                }
                self.poll();
            }
            self.handle_for(POLL / 2);
        }
    }

    /// In the end every name is looked up once more, and all look-ups end.
    fn look_up_all(&mut self, names: &[String]) -> Result<(), Failure> {
        let up: Vec<_> = (0..self.children.len())
            .filter(|number| self.is_up(*number))
            .collect();
        for (name, number) in names.iter().zip(up.iter().cycle()) {
            self.children[*number].write(&format!("look {name}"));
        }
        // One that does not end is in the logs.
        self.until(|supervisor| supervisor.known().all(|state| state.open == 0))
            .map(drop)
    }

    fn stop(&mut self) -> Vec<ProcessId> {
        self.children
            .iter_mut()
            .for_each(|child| child.write("stop"));
        let until = Instant::now() + PATIENCE;
        while self.children.iter().any(|child| child.ended.is_none()) && Instant::now() < until {
            if let Ok(output) = self.outputs.recv_deadline(until) {
                self.handle(output);
            }
        }
        let ended = |child: &Child| child.ended.is_some() && child.unexpected().is_none();
        let crashed = self
            .children
            .iter()
            .enumerate()
            .filter(|(_, child)| !ended(child));
        crashed.map(|(number, _)| ProcessId::at(number)).collect()
    }

    /// Waits for the addresses on which the processes listen.
    fn addresses(&mut self) -> Result<Vec<SocketAddr>, Failure> {
        let until = Instant::now() + PATIENCE;
        let mut addresses = vec![None; self.children.len()];
        while let Some(missing) = addresses.iter().position(Option::is_none) {
            self.check_shutdown()?;
            match self.outputs.recv_timeout(POLL) {
                Ok(ChildOutput::Listening(number, address)) => addresses[number] = Some(address),
                Ok(output) => self.handle(output),
                Err(_) => {}
            }
            let child = &self.children[missing];
            if addresses[missing].is_none() && (child.ended.is_some() || Instant::now() >= until) {
                let why = child.unexpected().unwrap_or_else(|| "no ready line".into());
                return Err(Failure::could_not_run(format!("start {}", child.name), why));
            }
        }
        Ok(addresses.into_iter().flatten().collect())
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
            if !self.is_ready {
                self.check_shutdown()?;
            }
            self.handle_for(POLL / 2);
        }
    }

    fn check_shutdown(&self) -> Result<(), Failure> {
        match self.shutdown.requested() {
            true => Err(Failure::no("ring", "interrupted before the look-ups")),
            false => Ok(()),
        }
    }

    fn is_up(&self, number: usize) -> bool {
        let child = &self.children[number];
        child.ended.is_none() && !child.killed && !self.paused[number]
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
        for number in 0..self.children.len() {
            if self.is_up(number) {
                self.answered[number] = false;
                self.children[number].write("state");
            }
        }
    }

    fn has_polled(&self) -> bool {
        (0..self.children.len()).all(|number| self.answered[number] || !self.is_up(number))
    }

    fn is_whole(&self) -> bool {
        self.first_wrong().is_none()
    }

    /// The first process whose neighbours are not those of a ring of all that are up.
    fn first_wrong(&self) -> Option<String> {
        let up = (0..self.children.len()).filter(|number| self.is_up(*number));
        let mut ring: Vec<_> = up
            .map(|number| (circle::hash(&self.children[number].name), number))
            .collect();
        ring.sort_unstable();
        let name = |place: usize| &self.children[ring[place % ring.len()].1].name;
        for (place, (_, number)) in ring.iter().enumerate() {
            let me = name(place);
            let Some(state) = &self.states[*number] else {
                return Some(format!("{me} has not answered"));
            };
            let length = self.settings.successors.min(ring.len() - 1);
            let successors: Vec<_> = (1..=length).map(|next| name(place + next)).collect();
            let before = Some(name(place + ring.len() - 1)).filter(|before| *before != me);
            if !state.successors.iter().eq(successors.iter().copied())
                || state.predecessor.as_ref() != before
            {
                let list = |names: &[&String]| match names {
                    [] => "none".to_owned(),
                    names => names
                        .iter()
                        .map(|name| name.as_str())
                        .collect::<Vec<_>>()
                        .join(" "),
                };
                let (has, should): (Vec<_>, Vec<_>) =
                    (state.successors.iter().collect(), successors);
                let predecessor =
                    |name: Option<&String>| name.map_or("none", String::as_str).to_owned();
                return Some(format!(
                    "{me} has successors {}, predecessor {}; in a ring of all they are {} and {}",
                    list(&has),
                    predecessor(state.predecessor.as_ref()),
                    list(&should),
                    predecessor(before)
                ));
            }
        }
        None
    }

    fn crash(&mut self, number: usize, crash: Crash) {
        self.paused[number] = crash == Crash::Pause;
        let process = ProcessId::at(number);
        let now = Time::new(SystemTime::now()).since_1970();
        match crash {
            Crash::Kill | Crash::Pause => self.crashes.push(faults::Crash {
                process,
                from: now,
                until: Duration::MAX,
            }),
            Crash::Resume => {
                let paused = self.crashes.iter_mut().rev();
                let mut paused = paused.filter(|crash| crash.process == process);
                if let Some(crash) = paused.next() {
                    crash.until = now;
                }
            }
        }
        self.children[number].crash(crash);
        // What it answers when it goes on is no answer to a poll of now.
        self.answered[number] = true;
    }

    fn handle_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(output) = self.outputs.recv_deadline(until) {
            self.handle(output);
        }
    }

    /// Whether a warning is about a process that was killed.
    fn is_of_killed(&self, warning: &str) -> bool {
        let about = warning.split_once(": ").map_or("", |(name, _)| name);
        let mut children = self.children.iter();
        children.any(|child| child.killed && child.name == about)
    }

    fn handle(&mut self, output: ChildOutput) {
        match output {
            ChildOutput::Listening(..) => {}
            ChildOutput::Line(number, line) => {
                if let Some(state) = State::read(&line) {
                    self.states[number] = Some(state);
                    self.answered[number] = true;
                }
            }
            // That a process which was killed does not respond is no news.
            ChildOutput::Warning(_, text) if self.is_of_killed(&text) => {}
            ChildOutput::Warning(number, text) => {
                let text = format!("{} reports: {text}", self.children[number].name);
                self.journal.record(Event::error(Level::Warn, text));
            }
            ChildOutput::Ended(number) => {
                let child = &mut self.children[number];
                child.reap();
                if let Some(how) = child.unexpected() {
                    let killed = if child.killed { ", as requested" } else { "" };
                    let text = format!("{}: {how}{killed}", child.name);
                    self.journal.record(Event::error(Level::Warn, text));
                }
            }
        }
    }
}
