//! Measures one scheme with one number of nodes.

use std::{sync::Arc, time::Duration};

use common::{
    process::{Command, ids::ProcessId},
    shutdown::Shutdown,
};

use super::{
    progress::Progress,
    schemes::SchemeName,
    workload::{Names, Step, Workload},
    world::{Delays, World},
};
use crate::location::{
    Scheme,
    chord::{
        Chord,
        settings::{LookUps, Settings as Ring},
    },
    circle::{Circle, MOST_BITS},
    resolution::{Resolution, Settings as Servers},
    schemes::{Group, LocationScheme, with_scheme},
};

/// How many messages the look-ups of a broadcast may cause. Each costs the same, so that fewer look-ups measure as well.
const MOST_BROADCAST: u64 = 2_000_000;

/// How many names are looked up while a node is down.
const NAMES_WHILE_DOWN: usize = 20_000;

/// How many look-ups measure the mean path in rings.
const PATHS: usize = 20_000;

/// The number of nodes of all these rings together, unless one alone has more.
const MOST_RINGS: usize = 4096;

/// Prime to every number of nodes that is smaller: its multiples go through all nodes.
const LARGE_PRIME: usize = 1_299_709;

/// How many answers and servers a node caches.
const CACHE: usize = 1_000;

/// How many name servers are below each.
const FANOUT_OF_SERVERS: u32 = 16;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Task {
    /// The scheme.
    pub scheme: SchemeName,
    /// The number of nodes.
    pub nodes: usize,
    /// The names.
    pub names: Arc<Names>,
    /// The number of look-ups.
    pub lookups: u64,
    /// The number of moves among them.
    pub moves: u64,
    /// The delay of a link across the whole network.
    pub delay: Duration,
    /// The seed.
    pub seed: u64,
}

/// The mean of some figures, and the value that 1 % of them exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The 99th percentile.
    pub p99: u64,
}

/// What a scheme costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The scheme.
    pub scheme: SchemeName,
    /// The number of nodes.
    pub nodes: usize,
    /// The number of look-ups that were measured.
    pub lookups: u64,
    /// Messages of a look-up.
    pub messages: Spread,
    /// Requests one after another until a look-up has its answer.
    pub hops: Spread,
    /// The number of look-ups with each number of hops.
    pub distribution: Vec<u64>,
    /// Chord's path length as its paper measures it: of names that are all as popular, the hops but for the last one, to the node
    /// that has the record, where neither the asker nor its successor has it.
    pub path: Option<f64>,
    /// Microseconds until a look-up has its answer.
    pub delay: Spread,
    /// Entries of a node: the mean, and those of the node with the most.
    pub entries: (f64, u64),
    /// Messages of a move, the transfer of the entity itself not included; None without moves.
    pub moves: Option<f64>,
    /// The share of look-ups whose answer is where the entity was before.
    pub stale: f64,
    /// The share of names elsewhere that are not found while a node is down: a random one, and the busiest, which has received the most requests.
    pub lost: Option<(f64, f64)>,
}

/// Measures a scheme; None when it is interrupted.
pub fn measure(task: &Task, progress: &Progress, shutdown: &Shutdown) -> Option<Row> {
    let nodes = task.nodes;
    let bench = Bench {
        task,
        progress,
        shutdown,
    };
    if let Some(scheme) = task.scheme.location() {
        let group = Group::of(nodes);
        return with_scheme!(scheme, &group, P, settings => bench.run::<P>(&settings));
    }
    let is_cached = matches!(
        task.scheme,
        SchemeName::IterativeCached | SchemeName::RecursiveCached
    );
    bench.run::<Resolution>(&Servers {
        recursive: matches!(
            task.scheme,
            SchemeName::Recursive | SchemeName::RecursiveCached
        ),
        cache: if is_cached { CACHE } else { 0 },
        fanout: FANOUT_OF_SERVERS,
    })
}

/// How many look-ups are measured.
fn lookups(task: &Task, wanted: u64) -> u64 {
    match task.scheme {
        SchemeName::Broadcast => wanted.min((MOST_BROADCAST / task.nodes.max(1) as u64).max(16)),
        _ => wanted,
    }
}

struct Bench<'a> {
    task: &'a Task,
    progress: &'a Progress,
    shutdown: &'a Shutdown,
}

impl Bench<'_> {
    fn run<P: Scheme>(&self, settings: &P::Settings) -> Option<Row> {
        let task = self.task;
        let lookups = lookups(task, task.lookups);
        let names = &task.names;
        let mut workload = Workload::new(names, task.nodes, lookups, task.moves, task.seed);
        let delays = Delays::new(task.nodes, task.delay);
        let mut world = World::<P>::new(task.nodes, settings, delays);
        for index in 0..names.count() {
            let insert = Command::Insert(names.name(index).to_string(), String::new());
            let inserted = world.command(workload.place(index), insert);
            inserted.expect("a name is inserted once, at home");
            if !self.goes_on(index as u64, names.count() as u64, 0) {
                return None;
            }
        }
        let mut costs = Costs::default();
        while let Some((step, place)) = workload.step() {
            match step {
                Step::LookUp(asker, index) => {
                    let look_up = Command::LookUp(names.name(index).to_string());
                    let cost = world.command(asker, look_up).expect("a look-up");
                    costs.messages.push(cost.messages);
                    costs.hops.push(cost.hops.into());
                    costs.delays.push(cost.delay);
                    costs.stale += u64::from(cost.found != Some(place));
                }
                Step::Move(index, to) => {
                    let moves = Command::Move(names.name(index).to_string(), to);
                    let cost = world
                        .command(place, moves)
                        .expect("an entity that is there");
                    costs.moves.push(cost.messages);
                }
            }
            if !self.goes_on(costs.messages.len() as u64, lookups, 1) {
                return None;
            }
        }
        let entries: Vec<u64> = world
            .processes()
            .map(|process| process.entries() as u64)
            .collect();
        let is_ring = task.scheme.location().is_some_and(LocationScheme::is_ring);
        let path = match is_ring {
            true => Some(self.path()?),
            false => None,
        };
        let lost = match world.busiest() {
            Some(busiest) if task.nodes > 1 => {
                let random = workload.process();
                let random = self.lost(&mut world, &mut workload, random)?;
                Some((random, self.lost(&mut world, &mut workload, busiest)?))
            }
            _ => None,
        };
        self.progress.part(1.0, 3);
        Some(Row {
            scheme: task.scheme,
            path,
            nodes: task.nodes,
            lookups,
            messages: spread(&mut costs.messages),
            distribution: distribution(&costs.hops),
            hops: spread(&mut costs.hops),
            delay: spread(&mut costs.delays),
            entries: (
                mean(&entries),
                entries.iter().copied().max().unwrap_or_default(),
            ),
            moves: (!costs.moves.is_empty()).then(|| mean(&costs.moves)),
            stale: costs.stale as f64 / lookups as f64,
            lost,
        })
    }

    /// The mean path in rings of other nodes: several small ones, as one is not like the other.
    fn path(&self) -> Option<f64> {
        let nodes = self.task.nodes;
        let rings = (MOST_RINGS / nodes).clamp(1, MOST_RINGS / 64);
        let circle = Circle::new(MOST_BITS);
        let mut paths = Vec::new();
        for ring in 0..rings {
            let ids = (0..nodes).map(|node| circle.id(&format!("node{node} of ring{ring}")));
            let settings = Ring {
                look_ups: LookUps::Recursive,
                ..Ring::with_ids(circle, ids.collect())
            };
            let mut world =
                World::<Chord>::new(nodes, &settings, Delays::new(nodes, Duration::ZERO));
            for number in 0..PATHS / rings {
                let asker = ProcessId::at(number * LARGE_PRIME % nodes);
                let name = format!("server{number}");
                let cost = world
                    .command(asker, Command::LookUp(name))
                    .expect("a look-up");
                paths.extend(
                    cost.hops
                        .checked_sub(1)
                        .filter(|path| *path > 0)
                        .map(u64::from),
                );
            }
            if self.shutdown.requested() {
                return None;
            }
        }
        Some(mean(&paths))
    }

    /// The share of the names elsewhere that cannot be found while the node is down.
    fn lost<P: Scheme>(
        &self,
        world: &mut World<P>,
        workload: &mut Workload,
        down: ProcessId,
    ) -> Option<f64> {
        let names = &self.task.names;
        let most = lookups(self.task, NAMES_WHILE_DOWN as u64) as usize;
        let step = names.count().div_ceil(most).max(1);
        world.fail(down);
        let (mut asked, mut lost) = (0_u64, 0_u64);
        for index in (0..names.count()).step_by(step) {
            let asker = workload.process();
            let place = workload.place(index);
            if asker == down || place == down {
                continue;
            }
            let look_up = Command::LookUp(names.name(index).to_string());
            let cost = world.command(asker, look_up).expect("a look-up");
            asked += 1;
            lost += u64::from(cost.found.is_none());
            if asked % 256 == 0 && self.shutdown.requested() {
                return None;
            }
        }
        world.recover();
        Some(lost as f64 / asked.max(1) as f64)
    }

    /// Shows how far this part is; returns whether to go on.
    fn goes_on(&self, done: u64, of: u64, part: u8) -> bool {
        if done.is_multiple_of(1024) {
            self.progress.part(done as f64 / of as f64, part);
            return !self.shutdown.requested();
        }
        true
    }
}

#[derive(Default)]
struct Costs {
    messages: Vec<u64>,
    hops: Vec<u64>,
    delays: Vec<u64>,
    moves: Vec<u64>,
    stale: u64,
}

fn mean(figures: &[u64]) -> f64 {
    figures.iter().sum::<u64>() as f64 / figures.len().max(1) as f64
}

fn spread(figures: &mut [u64]) -> Spread {
    figures.sort_unstable();
    // The smallest value that 99 % do not exceed.
    let rank = (figures.len() * 99).div_ceil(100).max(1) - 1;
    Spread {
        mean: mean(figures),
        p99: figures.get(rank).copied().unwrap_or_default(),
    }
}

fn distribution(hops: &[u64]) -> Vec<u64> {
    let most = hops.iter().copied().max().unwrap_or_default() as usize;
    let mut counts = vec![0; most + 1];
    for count in hops {
        counts[*count as usize] += 1;
    }
    counts
}
