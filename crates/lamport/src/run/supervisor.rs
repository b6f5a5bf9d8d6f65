//! Supervises the processes of a run: sends them their peers, watches them while they run, and stops them.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use common::{
    config::Period,
    event::{Event, Kind, Level},
    exit::Failure,
    journal::Journal,
    process::{
        children::{Child, ChildOutput, Crash},
        detector::SILENCE,
        ids::ProcessId,
    },
    shutdown::Shutdown,
    text::plural,
};
use crossbeam::{channel::Receiver, select};

use super::{settings::Settings, state::State};

/// How long the processes may take to start, and to stop.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How often the processes are asked for their state.
const POLL: Duration = Duration::from_millis(50);

/// How long processes that are to finish may make no progress, beside the delays of frames, before they are stopped.
const QUIESCENCE: Duration = Duration::from_secs(3);

/// The processes while they run.
pub(super) struct Supervisor<'a> {
    settings: &'a Settings,
    children: Vec<Child>,
    outputs: &'a Receiver<ChildOutput>,
    journal: &'a Journal,
    /// The state of each process that has answered the last poll.
    states: Vec<Option<State>>,
    /// How many events each process has had, for the report that a signal asks for.
    events: Arc<[AtomicU64]>,
    /// When the states last changed.
    progress: Instant,
}

impl<'a> Supervisor<'a> {
    /// A supervisor of these children, which receives their outputs.
    pub(super) fn new(
        settings: &'a Settings,
        children: Vec<Child>,
        outputs: &'a Receiver<ChildOutput>,
        journal: &'a Journal,
    ) -> Self {
        let events: Arc<[AtomicU64]> = children.iter().map(|_| AtomicU64::new(0)).collect();
        let so_far = Arc::clone(&events);
        journal.report_with(move || {
            let all: Vec<_> = so_far.iter().map(|events| events.load(Relaxed)).collect();
            let sum = all.iter().sum();
            let words: Vec<_> = all.iter().map(u64::to_string).collect();
            let text = format!(
                "so far: {} of the processes: {}",
                plural(sum, "event"),
                words.join(", ")
            );
            let counts = [("events", sum), ("processes", all.len() as u64)];
            Event::new(Kind::Report).text(text).counts(counts)
        });
        Self {
            events,
            settings,
            children,
            outputs,
            journal,
            states: Vec::new(),
            progress: Instant::now(),
        }
    }

    /// Supervises the whole run; returns the processes that did not end properly.
    pub(super) fn run(&mut self, shutdown: &Shutdown) -> Result<Vec<ProcessId>, Failure> {
        let addresses = self.addresses(shutdown)?;
        let Some(addresses) = addresses else {
            return Err(Failure::no("run", "interrupted before the start"));
        };
        let count = self.children.len();
        for me in 0..count {
            for (other, address) in addresses.iter().enumerate() {
                if other != me {
                    let line = format!("peer {}={address}", self.children[other].name);
                    self.children[me].write(&line);
                }
            }
        }
        self.write_all("start");
        let text = format!(
            "{count} processes of {} over {}, {}",
            self.settings.algorithm.word(),
            self.settings.transport.carrier().word(),
            Period(self.settings.lasting)
        );
        let ready = Event::new(Kind::Ready).text(text);
        self.journal.ready(ready, &addresses, false)?;
        self.watch(shutdown)?;
        self.write_all("stop");
        let until = Instant::now() + TIMEOUT;
        while self.children.iter().any(|child| child.ended.is_none()) && Instant::now() < until {
            if let Ok(output) = self.outputs.recv_deadline(until) {
                self.handle(output);
            }
        }
        let failed = |(number, child): (usize, &Child)| {
            let ended = child.ended.is_some() && child.unexpected().is_none();
            (!ended).then(|| ProcessId::at(number))
        };
        Ok(self
            .children
            .iter()
            .enumerate()
            .filter_map(failed)
            .collect())
    }

    fn write_all(&mut self, line: &str) {
        self.children.iter_mut().for_each(|child| child.write(line));
    }

    /// Waits for the addresses on which the processes listen.
    fn addresses(&mut self, shutdown: &Shutdown) -> Result<Option<Vec<SocketAddr>>, Failure> {
        let until = Instant::now() + TIMEOUT;
        let mut addresses = vec![None; self.children.len()];
        while addresses.iter().any(Option::is_none) {
            select! {
                recv(self.outputs) -> output => match output {
                    Ok(ChildOutput::Listening(number, address)) => addresses[number] = Some(address),
                    Ok(output) => self.handle(output),
                    Err(_) => {}
                },
                recv(shutdown.channel()) -> _ => return Ok(None),
                default(POLL) => {}
            }
            let missing = (0..addresses.len()).find(|number| addresses[*number].is_none());
            if let Some(number) = missing
                && (Instant::now() >= until || self.children[number].ended.is_some())
            {
                let child = &self.children[number];
                let why = child.unexpected().unwrap_or_else(|| "no ready line".into());
                return Err(Failure::could_not_run(format!("start {}", child.name), why));
            }
        }
        Ok(Some(addresses.into_iter().flatten().collect()))
    }

    /// Waits until the time is over and all processes are idle, or none makes progress.
    fn watch(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let start = Instant::now();
        let mut crashes = self.crashes();
        // A failure detector has been silent for longer, or is in doubt, when a process has noticed nothing.
        let noticing = match self.settings.algorithm.has_detector() {
            true => 2 * SILENCE,
            false => Duration::ZERO,
        };
        let mut noticed = Duration::ZERO;
        let quiescence = QUIESCENCE + 16 * self.settings.faults.delay.long();
        let mut finishing = false;
        let mut before = Vec::new();
        let mut polled = start;
        self.states = vec![None; self.children.len()];
        self.write_all("state");
        loop {
            let now = start.elapsed();
            while let Some((_, process, crash)) = crashes.pop_if(|(at, ..)| *at <= now) {
                self.children[process.index()].crash(crash);
                noticed = now + noticing;
            }
            if !finishing && (now >= self.settings.lasting || shutdown.requested()) {
                self.write_all("finish");
                finishing = true;
                self.progress = Instant::now();
            }
            let running =
                || (0..self.children.len()).filter(|number| self.children[*number].ended.is_none());
            if running().next().is_none() {
                return Ok(());
            }
            // All processes are idle in two polls without an event between them: no message is in flight. (Mattern 1987:
            // the second poll begins after the first has been answered by all.)
            let answered = running().all(|number| self.states[number].is_some());
            if answered && polled.elapsed() >= POLL {
                let states: Vec<_> = running().map(|number| self.states[number].take()).collect();
                let idle = states.iter().flatten().all(|state| self.is_idle(state));
                if states == before && idle && crashes.is_empty() && now >= noticed {
                    return Ok(());
                }
                let events = |states: &[Option<State>]| -> u64 {
                    states.iter().flatten().map(|state| state.events).sum()
                };
                if events(&states) != events(&before) {
                    self.progress = Instant::now();
                }
                before = states;
                polled = Instant::now();
                self.write_all("state");
            }
            let faults_last = now < self.settings.faults.end();
            if finishing && !faults_last && self.progress.elapsed() >= quiescence {
                return Ok(());
            }
            let next = crashes
                .last()
                .map_or(POLL, |(at, ..)| at.saturating_sub(now).min(POLL));
            if let Ok(output) = self.outputs.recv_timeout(next) {
                self.handle(output);
            }
        }
    }

    /// Whether the process has nothing to do, and waits for none but processes that have ended.
    fn is_idle(&self, state: &State) -> bool {
        let ended = |name: &String| {
            let mut children = self.children.iter();
            children.any(|child| child.name == *name && child.ended.is_some())
        };
        state.idle && state.unresponsive.iter().all(ended)
    }

    /// What `--crash` requests, in descending order of time.
    fn crashes(&self) -> Vec<(Duration, ProcessId, Crash)> {
        let crashes = self.settings.faults.crashes.iter();
        let mut crashes: Vec<_> = crashes
            .flat_map(|crash| match crash.until {
                Duration::MAX => vec![(crash.from, crash.process, Crash::Kill)],
                until => vec![
                    (crash.from, crash.process, Crash::Pause),
                    (until, crash.process, Crash::Resume),
                ],
            })
            .collect();
        crashes.sort_by_key(|(at, ..)| std::cmp::Reverse(*at));
        crashes
    }

    fn handle(&mut self, output: ChildOutput) {
        match output {
            ChildOutput::Listening(..) => {}
            ChildOutput::Line(number, line) => {
                if let Some(state) = State::read(&line) {
                    self.events[number].store(state.events, Relaxed);
                    self.states[number] = Some(state);
                }
            }
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
