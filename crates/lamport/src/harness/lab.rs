//! The lab around the nodes: it starts them, is the network between them and the clients that ask them, applies the faults,
//! and ends them.

mod lines;
mod nodes;
mod requests;

use std::{
    path::Path,
    thread::Scope,
    time::{Duration, Instant},
};

use common::{
    event::{Event, Kind},
    exit::Failure,
    journal::Journal,
    process::{faults::Faults, ids::ProcessId, simulation::event_queue::EventQueue},
    shutdown::Shutdown,
    text::plural,
};
use crossbeam::channel::{Receiver, Sender};
use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::{
    child::{Child, NodeOutput},
    clients::{Client, Purpose},
    history::History,
    network::Network,
    services::Services,
    settings::Settings,
    statistics::Statistics,
    task::{End, Task},
    tasks,
    workload::NodeWorkload,
};

/// How long a node may take to answer `init` and `topology`.
const START: Duration = Duration::from_secs(10);

/// The longest wait for an output.
const TICK: Duration = Duration::from_millis(50);

/// How often a node is read in the end.
const READ: Duration = Duration::from_millis(50);

/// How long nodes may take to end after their input has ended, together.
const GRACE: Duration = Duration::from_millis(500);

/// How long a run may go on after the load, whatever progress the nodes make, beside the time without progress.
const LONGEST_SETTLING: Duration = Duration::from_secs(60);

/// A breach of the protocol, which ends the run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Breach {
    /// The node, the line of its output, and what was expected and found.
    pub(super) words: String,
}

/// What a run came to.
pub(super) struct Outcome {
    pub(super) history: History,
    pub(super) task: Box<dyn Task>,
    pub(super) statistics: Statistics,
    pub(super) breach: Option<Breach>,
    /// The first error reply that the workload does not allow, in words.
    pub(super) refused: Option<String>,
    /// By node: how many requests were made, answered, and left without an answer though the node was there.
    pub(super) answers: Vec<Answers>,
    pub(super) is_whole: Vec<bool>,
    pub(super) is_up: Vec<bool>,
    /// The faults, with the times of partitions as they were.
    pub(super) faults: Faults,
    pub(super) end: Duration,
    /// The moment of its end.
    pub(super) ended: Instant,
    /// Whether a signal ended it.
    pub(super) interrupted: bool,
}

impl Outcome {
    /// Why the run ended before its end, if it did: what it lacks, it might have had later.
    pub(super) fn cut_short(&self) -> Option<&'static str> {
        match &self.breach {
            Some(_) => Some("the run ended at the breach of the protocol"),
            None if self.interrupted => Some("the run was interrupted"),
            None if !self.history.has_room() => Some("the run had more events than are kept"),
            None => None,
        }
    }
}

/// The requests of one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Answers {
    pub(super) asked: u64,
    pub(super) answered: u64,
    /// Of those that were answered: with what was asked, and not with an error.
    pub(super) served: u64,
    pub(super) unanswered: u64,
}

/// What a timer is for.
#[derive(Debug)]
enum Timer {
    /// The client of this node makes its next request.
    Think(usize),
    /// It makes the request that follows the last one.
    Follow(usize),
    /// The client of this number gives up its request with this id.
    Expire(usize, u64),
    /// A node is read.
    Read(usize),
    /// A fault of a node.
    Fault(usize, NodeFault),
}

#[derive(Clone, Copy, Debug)]
enum NodeFault {
    Pause,
    Resume,
    Kill,
    Restart,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Not there: killed.
    Down,
    /// It has not yet answered `init`, and `topology`.
    Starts,
    Up,
}

#[derive(Debug)]
struct Node {
    name: String,
    child: Option<Child>,
    /// The number of its start, from 0.
    start: u64,
    since: Instant,
    /// How many lines it has written since its start.
    lines: u64,
    state: State,
    /// Whether it has answered `init` since its start.
    initialised: bool,
    was_killed: bool,
}

/// The parts of the lab that threads share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surroundings<'a> {
    /// Where it is said what happens.
    pub(super) journal: Option<&'a Journal>,
    pub(super) outputs: &'a Sender<NodeOutput>,
    pub(super) closing: &'a Shutdown,
    /// By what the processes of this run are known.
    pub(super) mark: &'a str,
    /// The folder for what nodes write on standard error.
    pub(super) folder: Option<&'a Path>,
}

/// The lab.
pub(super) struct Lab<'scope, 'env, 'a> {
    settings: &'a Settings,
    around: Surroundings<'a>,
    scope: &'scope Scope<'scope, 'env>,
    nodes: Vec<Node>,
    /// The client that starts nodes, c0, and that of each node.
    clients: Vec<Client>,
    randoms: Vec<Pcg64Mcg>,
    network: Network,
    services: Services,
    history: History,
    task: Box<dyn Task>,
    statistics: Statistics,
    answers: Vec<Answers>,
    refused: Option<String>,
    timers: EventQueue<Timer>,
    /// When all nodes had started; the time of the run counts from then on.
    epoch: Option<Instant>,
    /// When the load was over, and when nodes made progress last.
    settling: Option<(Duration, Duration)>,
    interrupted: bool,
}

type Step = Result<(), Breach>;

impl<'scope, 'env, 'a> Lab<'scope, 'env, 'a> {
    pub(super) fn new(
        settings: &'a Settings,
        around: Surroundings<'a>,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Self {
        let nodes = settings.nodes;
        let stated = settings.workload == NodeWorkload::Clocks;
        let node = |number: usize| Node {
            name: format!("n{}", number + 1),
            child: None,
            start: 0,
            since: Instant::now(),
            lines: 0,
            state: State::Down,
            initialised: false,
            was_killed: false,
        };
        let random = |number: usize| {
            Pcg64Mcg::seed_from_u64(settings.seed.wrapping_add(number as u64).wrapping_mul(2) + 1)
        };
        Self {
            settings,
            around,
            scope,
            nodes: (0..nodes).map(node).collect(),
            clients: (0..=nodes).map(|_| Client::default()).collect(),
            randoms: (0..nodes).map(random).collect(),
            network: Network::new(&settings.faults, nodes, settings.seed),
            services: Services::new(settings.seed),
            history: History::new(nodes, &settings.faults.clocks, stated),
            task: tasks::of(settings.workload, nodes, &settings.faults),
            statistics: Statistics::default(),
            answers: vec![Answers::default(); nodes],
            refused: None,
            timers: EventQueue::new(),
            epoch: None,
            settling: None,
            interrupted: false,
        }
    }

    /// Runs the nodes from their start to their end.
    ///
    /// # Errors
    /// When they cannot be started (exit code 2).
    pub(super) fn run(
        mut self,
        outputs: &Receiver<NodeOutput>,
        shutdown: &Shutdown,
    ) -> Result<Outcome, Failure> {
        for node in 0..self.nodes.len() {
            self.start(node)?;
        }
        let ran = self.until_end(outputs, shutdown)?;
        let (end, ended) = (self.now(), Instant::now());
        self.end_nodes(outputs);
        let (is_whole, is_up) = self.standing();
        Ok(Outcome {
            end,
            ended,
            faults: self.network.faults().clone(),
            history: self.history,
            task: self.task,
            statistics: self.statistics,
            breach: ran.err(),
            refused: self.refused,
            answers: self.answers,
            is_whole,
            is_up,
            interrupted: self.interrupted,
        })
    }

    fn until_end(
        &mut self,
        outputs: &Receiver<NodeOutput>,
        shutdown: &Shutdown,
    ) -> Result<Step, Failure> {
        loop {
            if shutdown.requested() {
                self.interrupted = true;
                return Ok(Ok(()));
            }
            let now = self.now();
            let stepped = self.due(now)?;
            if stepped.is_err() || self.is_over(now) {
                return Ok(stepped);
            }
            let due = [self.network.due(), self.timers.due()];
            let due = due.into_iter().flatten().min();
            let due = due.filter(|_| self.epoch.is_some());
            let wait = due.map_or(TICK, |due| due.saturating_sub(self.now()).min(TICK));
            if let Ok(output) = outputs.recv_timeout(wait) {
                // What else is there, before the timers again.
                for output in [output].into_iter().chain(outputs.try_iter().take(64)) {
                    let stepped = self.output(output)?;
                    if stepped.is_err() {
                        return Ok(stepped);
                    }
                }
            }
        }
    }

    fn say(&self, event: Event) {
        if let Some(journal) = self.around.journal {
            journal.record(event);
        }
    }

    /// The time of the run.
    fn now(&self) -> Duration {
        self.epoch.map_or(Duration::ZERO, |epoch| epoch.elapsed())
    }

    /// Which nodes have run without a crash, and which are there.
    fn standing(&self) -> (Vec<bool>, Vec<bool>) {
        let nodes = self.nodes.iter();
        let whole = nodes.clone().map(|node| !node.was_killed);
        let up = nodes.map(|node| node.state == State::Up);
        (whole.collect(), up.collect())
    }

    fn client(&self, number: usize) -> ProcessId {
        match number {
            0 => self.history.starter(),
            number => self.history.client(number - 1),
        }
    }

    /// Does what is due.
    fn due(&mut self, now: Duration) -> Result<Step, Failure> {
        // What the first nodes send waits until the last one knows who it is.
        let waits = self.epoch.is_none() && self.nodes.iter().any(|node| !node.initialised);
        while let Some((flight, is_late)) = (!waits).then(|| self.network.arrived(now)).flatten() {
            let node = flight.sent.to.index();
            if !self.nodes[node].initialised {
                self.statistics.undeliverable += 1;
            } else if self.hand(node, flight.line) {
                self.statistics.arrived += 1;
                self.statistics.reordered += u64::from(is_late);
                self.history.receive(now, &flight.sent, |_| None);
                self.task.arrived(&flight.sent);
            }
        }
        while self.epoch.is_some() && self.timers.due().is_some_and(|due| due <= now) {
            if let Some((_, timer)) = self.timers.pop() {
                let stepped = self.timer(now, timer)?;
                if stepped.is_err() {
                    return Ok(stepped);
                }
            }
        }
        let starting = self.nodes.iter();
        let mut starting = starting.filter(|node| node.state == State::Starts);
        if let Some(node) = starting.find(|node| node.since.elapsed() >= START) {
            let what = if self.clients[0].waits(Purpose::Init) {
                "init_ok"
            } else {
                "topology_ok"
            };
            let words = format!(
                "{}: no {what} within {} s: expected a line {{\"src\": \"{}\", \"dest\": \"c0\", \"body\": {{\"type\": \
                 \"{what}\", \"in_reply_to\": …}}}}; it has written {} so far, and must flush each",
                node.name,
                START.as_secs(),
                node.name,
                plural(node.lines, "line"),
            );
            return Ok(Err(Breach { words }));
        }
        if self.epoch.is_none() && self.nodes.iter().all(|node| node.state == State::Up) {
            self.begin();
        }
        Ok(Ok(()))
    }

    /// All nodes have started: the time, the load and the faults begin.
    fn begin(&mut self) {
        self.epoch = Some(Instant::now());
        let count = self.nodes.len();
        let text = format!(
            "{} of {}, {}",
            plural(count as u64, "node"),
            self.settings.workload.word(),
            common::config::Period(self.settings.lasting)
        );
        self.say(Event::new(Kind::Ready).text(text));
        for crash in &self.settings.faults.crashes {
            let node = crash.process.index();
            let mut fault = |at, fault| self.timers.insert(at, Timer::Fault(node, fault));
            if crash.until == Duration::MAX {
                fault(crash.from, NodeFault::Kill);
            } else {
                fault(crash.from, NodeFault::Pause);
                fault(crash.until, NodeFault::Resume);
            }
        }
        for restart in &self.settings.faults.restarts {
            let node = restart.process.index();
            self.timers
                .insert(restart.from, Timer::Fault(node, NodeFault::Kill));
            if restart.until < Duration::MAX {
                self.timers
                    .insert(restart.until, Timer::Fault(node, NodeFault::Restart));
            }
        }
        (0..count).for_each(|node| self.think(node));
    }

    /// Whether the run is over; begins to settle once the load is.
    fn is_over(&mut self, now: Duration) -> bool {
        if self.epoch.is_none() {
            return false;
        }
        let busy = self
            .clients
            .iter()
            .any(|client| client.thinks || client.waits(Purpose::Load));
        let Some((since, progress)) = self.settling else {
            if now >= self.settings.lasting || !busy || !self.history.has_room() {
                self.network.heal(now);
                self.settling = Some((now, now));
                if self.task.read().is_some() {
                    (0..self.nodes.len())
                        .for_each(|node| self.timers.insert(now, Timer::Read(node)));
                }
            }
            return false;
        };
        let kills = self.settings.faults.crashes_for_good().map(|crash| crash.1);
        if now < kills.fold(self.network.faults().end(), Duration::max) {
            self.settling = Some((since, now));
            return false;
        }
        let starts = self.nodes.iter().any(|node| node.state == State::Starts);
        let (is_whole, is_up) = self.standing();
        let end = End {
            history: &self.history,
            is_whole: &is_whole,
            is_up: &is_up,
        };
        let reads = self
            .clients
            .iter()
            .any(|client| client.waits(Purpose::Read));
        let complete = !busy && !starts && !reads && self.task.is_complete(&end);
        let patience = self.settings.settle.unwrap_or_else(|| {
            self.settings.workload.settle() + 16 * self.settings.faults.delay.long()
        });
        complete || now - progress >= patience || now - since >= LONGEST_SETTLING + patience
    }

    fn progress(&mut self) {
        let now = self.now();
        if let Some((_, progress)) = &mut self.settling {
            *progress = now;
        }
    }
}
