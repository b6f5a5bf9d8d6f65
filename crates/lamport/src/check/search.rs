//! A search through all states of a model, breadth first, on all processors.
//!
//! stateright's threads each run ahead with the states that they have. Then the depth that is found, and the path to what is
//! wrong, are a matter of luck: on eight threads it finds 62 to 68 levels where there are 61. So this search goes
//! through stateright's models one level after the other. A level's states are expanded by whoever is free; each new
//! state belongs to one of a fixed number of shards by its fingerprint, and a shard is sorted by one thread at a time. So
//! no lock is taken for a state, and what is found does not depend on the number of threads.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher},
    num::{NonZeroU64, NonZeroUsize},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use stateright::{Model, Property};

/// How many chunks of a level are expanded before what comes of them is sorted: bounds what waits to be sorted.
const ROUND: usize = 256;

/// How many states a thread takes at a time, at the most.
const CHUNK: usize = 256;

/// States that are to be expanded.
type Chunk<S> = Vec<(Fingerprint, S)>;

/// Into how many parts the states that were seen are split.
const SHARDS: usize = 16;

/// How far a search may go, and who searches.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many threads.
    pub workers: usize,
    /// How many distinct states are found at the most (and a round's more).
    pub most: u64,
}

/// How far a search is, for whoever watches it.
#[derive(Debug, Default)]
pub struct Progress {
    generated: AtomicU64,
    distinct: AtomicU64,
    depth: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Different states within the bounds.
    pub distinct: u64,
    /// All states that steps led to, within the bounds, however often, and the first one.
    pub generated: u64,
    /// Steps that led beyond the bounds.
    pub beyond: u64,
    /// States on the longest of the shortest paths to each, the first one included, as TLC counts.
    pub depth: u64,
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum End {
    /// Every state was seen.
    Complete,
    /// Everything that is promised was found broken; more states were not looked at.
    AllBroken,
    /// It was asked to stop.
    Interrupted,
    /// There are more states than it may find.
    TooMany,
}

/// What a search found.
#[derive(Debug)]
pub struct Outcome<A> {
    /// How many states there are.
    pub counts: Counts,
    /// Why it ended.
    pub end: End,
    /// Of each property, in their order, the shortest way from the first state to one that breaks it.
    pub broken: Vec<Option<Vec<A>>>,
}

/// What a state is known by: 64 bits, of which two in ten million states are the same with a chance of one in 400,000.
type Fingerprint = NonZeroU64;

/// A hasher for what is one already.
#[derive(Default)]
struct Same(u64);

impl Hasher for Same {
    fn write(&mut self, _: &[u8]) {
        unreachable!("fingerprints are numbers");
    }
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

type Shard = HashMap<Fingerprint, Way, BuildHasherDefault<Same>>;

/// How a state was reached first.
#[derive(Clone, Copy, Debug)]
struct Way {
    /// From this state; None for an initial one.
    from: Option<Fingerprint>,
    /// By the how many-th of its actions; or which initial state it is.
    choice: u32,
}

/// A state that was not seen in the levels before.
struct New<S> {
    fingerprint: Fingerprint,
    way: Way,
    state: S,
    /// The how many-th state it is that its chunk led to.
    number: u32,
}

/// What one chunk of a level's states led to.
struct Expanded<S> {
    new: [Vec<New<S>>; SHARDS],
    generated: u64,
    beyond: u64,
    broken: Vec<Option<Breach>>,
}

/// A state that breaks a property: its place in the order of the search, and the way to it.
#[derive(Clone, Copy, Debug)]
struct Breach {
    place: (usize, u32),
    way: Way,
}

/// Of several for each property the first one.
fn first(broken: &mut [Option<Breach>], others: &[Option<Breach>]) {
    for (own, other) in broken.iter_mut().zip(others) {
        if let Some(other) = other
            && own.is_none_or(|own| other.place < own.place)
        {
            *own = Some(*other);
        }
    }
}

fn fingerprint<S: Hash>(state: &S) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    NonZeroU64::new(hasher.finish()).unwrap_or(NonZeroU64::MIN)
}

/// Its upper half: the lower one finds the place within the shard.
fn shard(fingerprint: Fingerprint) -> usize {
    (fingerprint.get() >> 32) as usize % SHARDS
}

/// How many threads there is a processor for.
pub fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Searches all states of the model that can be reached within its boundary. States beyond it are held against the
/// properties, and neither counted nor followed.
pub fn search<M>(
    model: &M,
    limits: Limits,
    progress: &Progress,
    stop: &(dyn Fn() -> bool + Sync),
) -> Outcome<M::Action>
where
    M: Model + Sync,
    M::State: Hash + Send + Sync,
    M::Action: Clone,
{
    let properties = model.properties();
    let mut search = Search {
        model,
        limits,
        broken: vec![None; properties.len()],
        properties,
        seen: (0..SHARDS).map(|_| Shard::default()).collect(),
        counts: Counts::default(),
    };
    let end = search.run(progress, stop);
    let path = |breach: &Option<Breach>| breach.map(|breach| search.path(breach.way));
    Outcome {
        counts: search.counts,
        end,
        broken: search.broken.iter().map(path).collect(),
    }
}

struct Search<'m, M: Model> {
    model: &'m M,
    limits: Limits,
    properties: Vec<Property<M>>,
    /// Every state that was seen, and the way to it.
    seen: Vec<Shard>,
    counts: Counts,
    broken: Vec<Option<Breach>>,
}

impl<M> Search<'_, M>
where
    M: Model + Sync,
    M::State: Hash + Send + Sync,
    M::Action: Clone,
{
    fn run(&mut self, progress: &Progress, stop: &(dyn Fn() -> bool + Sync)) -> End {
        let mut level = self.begin();
        while !level.is_empty() {
            self.counts.depth += 1;
            let mut next = Vec::new();
            let mut broken = vec![None; self.properties.len()];
            let mut chunks = level.into_iter();
            for round in 0.. {
                let chunks: Vec<_> = chunks.by_ref().take(ROUND).collect();
                if chunks.is_empty() {
                    break;
                }
                progress.show(&self.counts);
                if stop() {
                    return End::Interrupted;
                }
                if self.counts.distinct > self.limits.most {
                    return End::TooMany;
                }
                let expanded = self.expand(round, chunks, &mut broken);
                next.extend(self.sort_in(round, expanded, &mut broken));
            }
            for (own, found) in self.broken.iter_mut().zip(broken) {
                *own = own.or(found);
            }
            if self.broken.iter().all(Option::is_some) && !self.broken.is_empty() {
                return End::AllBroken;
            }
            level = next;
        }
        End::Complete
    }

    /// The first level.
    fn begin(&mut self) -> Vec<Chunk<M::State>> {
        let mut expanded = self.nothing();
        for (choice, state) in self.model.init_states().into_iter().enumerate() {
            let way = Way {
                from: None,
                choice: choice as u32,
            };
            self.generate(&mut expanded, 0, way, state);
        }
        let mut broken = vec![None; self.properties.len()];
        let level = self.sort_in(0, vec![expanded], &mut broken);
        self.broken = broken;
        level
    }

    fn nothing(&self) -> Expanded<M::State> {
        Expanded {
            new: std::array::from_fn(|_| Vec::new()),
            generated: 0,
            beyond: 0,
            broken: vec![None; self.properties.len()],
        }
    }

    /// All that follows from these states and was not seen in the levels before.
    fn expand(
        &self,
        round: usize,
        chunks: Vec<Chunk<M::State>>,
        broken: &mut [Option<Breach>],
    ) -> Vec<Expanded<M::State>> {
        let chunks = chunks.into_iter().enumerate();
        // Whoever expands states gives their memory back: one thread alone would take as long as all the rest.
        let expanded = in_parallel(self.limits.workers, chunks, |(chunk, states)| {
            let mut expanded = self.nothing();
            let mut actions = Vec::new();
            for (from, state) in states {
                self.model.actions(&state, &mut actions);
                for (choice, action) in actions.drain(..).enumerate() {
                    if let Some(next) = self.model.next_state(&state, action) {
                        let way = Way {
                            from: Some(from),
                            choice: choice as u32,
                        };
                        self.generate(&mut expanded, round * ROUND + chunk, way, next);
                    }
                }
            }
            expanded
        });
        for expanded in &expanded {
            first(broken, &expanded.broken);
        }
        expanded
    }

    /// A step leads to this state.
    fn generate(&self, expanded: &mut Expanded<M::State>, chunk: usize, way: Way, state: M::State) {
        let number = (expanded.generated + expanded.beyond) as u32;
        if !self.model.within_boundary(&state) {
            expanded.beyond += 1;
            let place = (chunk, number);
            let found = breaches(self.model, &self.properties, &state, Breach { place, way });
            first(&mut expanded.broken, &found);
            return;
        }
        expanded.generated += 1;
        let fingerprint = fingerprint(&state);
        let shard = shard(fingerprint);
        if !self.seen[shard].contains_key(&fingerprint) {
            expanded.new[shard].push(New {
                fingerprint,
                way,
                state,
                number,
            });
        }
    }

    /// Keeps what is new, each state once; returns it in an order that is the same however many threads there are.
    fn sort_in(
        &mut self,
        round: usize,
        expanded: Vec<Expanded<M::State>>,
        broken: &mut [Option<Breach>],
    ) -> Vec<Chunk<M::State>> {
        let mut of_each: Vec<Vec<Vec<New<M::State>>>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for expanded in expanded {
            self.counts.generated += expanded.generated;
            self.counts.beyond += expanded.beyond;
            for (shard, new) in of_each.iter_mut().zip(expanded.new) {
                shard.push(new);
            }
        }
        let (model, properties) = (self.model, &self.properties);
        let shards = self.seen.iter_mut().zip(of_each);
        let sorted = in_parallel(self.limits.workers, shards, |(seen, chunks)| {
            let mut fresh: Vec<Chunk<M::State>> = Vec::new();
            let mut broken = vec![None; properties.len()];
            for (chunk, new) in chunks.into_iter().enumerate() {
                for new in new {
                    if let Entry::Vacant(entry) = seen.entry(new.fingerprint) {
                        entry.insert(new.way);
                        let place = (round * ROUND + chunk, new.number);
                        let way = new.way;
                        let found = breaches(model, properties, &new.state, Breach { place, way });
                        first(&mut broken, &found);
                        let state = (new.fingerprint, new.state);
                        if let Some(last) = fresh.last_mut()
                            && last.len() < CHUNK
                        {
                            last.push(state);
                        } else {
                            fresh.push(vec![state]);
                        }
                    }
                }
            }
            (fresh, broken)
        });
        let mut level = Vec::new();
        for (fresh, found) in sorted {
            self.counts.distinct += fresh.iter().map(Vec::len).sum::<usize>() as u64;
            first(broken, &found);
            level.extend(fresh);
        }
        level
    }

    /// The actions that lead this way.
    fn path(&self, last: Way) -> Vec<M::Action> {
        let mut choices = vec![last.choice as usize];
        let mut from = last.from;
        while let Some(fingerprint) = from {
            let way = self.seen[shard(fingerprint)][&fingerprint];
            choices.push(way.choice as usize);
            from = way.from;
        }
        let mut choices = choices.into_iter().rev();
        let initial = choices.next().unwrap_or_default();
        let mut state = self.model.init_states().swap_remove(initial);
        let mut path = Vec::new();
        for choice in choices {
            let mut actions = Vec::new();
            self.model.actions(&state, &mut actions);
            let action = actions.swap_remove(choice);
            path.push(action.clone());
            if let Some(next) = self.model.next_state(&state, action) {
                state = next;
            }
        }
        path
    }
}

/// Which properties the state breaks.
fn breaches<M: Model>(
    model: &M,
    properties: &[Property<M>],
    state: &M::State,
    breach: Breach,
) -> Vec<Option<Breach>> {
    let holds = |property: &Property<M>| (property.condition)(model, state);
    if properties.iter().all(holds) {
        return Vec::new();
    }
    let found = properties
        .iter()
        .map(|property| (!holds(property)).then_some(breach));
    found.collect()
}

/// Does the work for each item on so many threads; the results in the order of the items.
pub(super) fn in_parallel<T: Send, R: Send>(
    workers: usize,
    items: impl ExactSizeIterator<Item = T> + Send,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let workers = workers.min(items.len());
    let mut done = Vec::new();
    done.resize_with(items.len(), || None);
    let done = Mutex::new(done);
    let items = Mutex::new(items.enumerate());
    // In a function of its own, so that nobody holds the lock while working.
    let take = || lock(&items).next();
    on_threads(workers, &|| {
        while let Some((number, item)) = take() {
            let result = work(item);
            lock(&done)[number] = Some(result);
        }
    });
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.into_iter().flatten().collect()
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does it on so many threads at once, this one among them. (Not generic: starting a thread is much to compile.)
fn on_threads(workers: usize, work: &(dyn Fn() + Sync)) {
    thread::scope(|scope| {
        let mut threads = Vec::new();
        for number in 1..workers {
            let thread = thread::Builder::new().name(format!("search-{number}"));
            // Where the system has no thread left the others do more.
            let Ok(thread) = thread.spawn_scoped(scope, work) else {
                break;
            };
            threads.push(thread);
        }
        work();
        for thread in threads {
            if let Err(panic) = thread.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

impl Progress {
    fn show(&self, counts: &Counts) {
        self.generated.store(counts.generated, Ordering::Relaxed);
        self.distinct.store(counts.distinct, Ordering::Relaxed);
        self.depth.store(counts.depth, Ordering::Relaxed);
    }

    /// What was counted so far, but for the steps that led beyond the bounds.
    pub fn counts(&self) -> Counts {
        Counts {
            distinct: self.distinct.load(Ordering::Relaxed),
            generated: self.generated.load(Ordering::Relaxed),
            beyond: 0,
            depth: self.depth.load(Ordering::Relaxed),
        }
    }
}
