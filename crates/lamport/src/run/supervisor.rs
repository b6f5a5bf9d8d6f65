//! Supervises the processes of a run: sends them their peers, watches them while they run, and stops them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use common::{
    config::Period,
    event::{Event, Kind},
    exit::Failure,
    journal::Journal,
    process::{
        children::{
            Child, ChildOutput,
            group::{Children, planned},
        },
        detector::SILENCE,
        ids::ProcessId,
    },
    shutdown::Shutdown,
    text::plural,
};
use crossbeam::channel::Receiver;

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
    children: Children<'a>,
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
            children: Children::new(children, outputs, journal),
            journal,
            states: Vec::new(),
            progress: Instant::now(),
        }
    }

    /// Supervises the whole run; returns the processes that did not end properly.
    pub(super) fn run(&mut self, shutdown: &Shutdown) -> Result<Vec<ProcessId>, Failure> {
        let Some(addresses) = self.children.addresses(TIMEOUT, shutdown)? else {
            return Err(Failure::no("run", "interrupted before the start"));
        };
        self.children.introduce(&addresses);
        let count = addresses.len();
        let text = format!(
            "{count} processes of {} over {}, {}",
            self.settings.algorithm.word(),
            self.settings.transport.carrier().word(),
            Period(self.settings.lasting)
        );
        let ready = Event::new(Kind::Ready).text(text);
        self.journal.ready(ready, &addresses, false)?;
        self.watch(shutdown)?;
        Ok(self.children.stop(TIMEOUT))
    }

    /// Waits until the time is over and all processes are idle, or none makes progress.
    fn watch(&mut self, shutdown: &Shutdown) -> Result<(), Failure> {
        let start = Instant::now();
        let mut crashes = planned(&self.settings.faults);
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
        self.states = vec![None; self.children.list.len()];
        self.children.write_all("state");
        loop {
            let now = start.elapsed();
            while let Some((_, process, crash)) = crashes.pop_if(|(at, ..)| *at <= now) {
                self.children.list[process.index()].crash(crash);
                noticed = now + noticing;
            }
            if !finishing && (now >= self.settings.lasting || shutdown.requested()) {
                self.children.write_all("finish");
                finishing = true;
                self.progress = Instant::now();
            }
            let running = || {
                (0..self.children.list.len())
                    .filter(|number| self.children.list[*number].ended.is_none())
            };
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
                self.children.write_all("state");
            }
            let faults_last = now < self.settings.faults.end();
            if finishing && !faults_last && self.progress.elapsed() >= quiescence {
                return Ok(());
            }
            let next = crashes
                .last()
                .map_or(POLL, |(at, ..)| at.saturating_sub(now).min(POLL));
            if let Some((number, line)) = self.children.next_line(Instant::now() + next) {
                self.handle(number, &line);
            }
        }
    }

    /// Whether the process has nothing to do, and waits for none but processes that have ended.
    fn is_idle(&self, state: &State) -> bool {
        let ended = |name: &String| {
            let mut children = self.children.list.iter();
            children.any(|child| child.name == *name && child.ended.is_some())
        };
        state.idle && state.unresponsive.iter().all(ended)
    }

    fn handle(&mut self, number: usize, line: &str) {
        if let Some(state) = State::read(line) {
            self.events[number].store(state.events, Relaxed);
            self.states[number] = Some(state);
        }
    }
}
