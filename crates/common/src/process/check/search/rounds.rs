//! The search, round by round: threads expand chunks of a level, and then insert what they found.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use crate::parallel;

use super::{
    outcome::{Counts, End, Outcome},
    space::{Fingerprint, Space, Successor},
    visited::{Predecessor, SHARDS, Shard, shard},
    watch::{Grant, Watch},
};

/// How many chunks of a level are expanded at most before their successors are inserted.
const ROUND: usize = 256;

/// The most states of a chunk, which a thread expands at a time.
const CHUNK: usize = 256;

/// How many states a thread expands side by side: their successors stay in the fastest cache.
const BATCH: usize = 16;

/// How many successors a state has at about; for the memory of a round.
const SUCCESSORS: usize = 8;

/// After how many insertions a thread looks at the limits.
const LOOK: usize = 1024;

/// States to expand.
type Chunk<S> = Vec<(Fingerprint, S)>;

/// A state that was not visited in earlier levels.
struct New<S> {
    fingerprint: Fingerprint,
    predecessor: Predecessor,
    state: S,
    /// Its number among the successors of its chunk.
    number: u32,
}

/// The successors of a chunk.
struct Expanded<S> {
    new: [Vec<New<S>>; SHARDS],
    generated: u64,
    beyond: u64,
    violations: Vec<Option<Breach>>,
    /// The fingerprints of successors within the bounds, and whether their states are known.
    known: Vec<Option<(Fingerprint, bool)>>,
}

impl<S> Expanded<S> {
    fn bytes(&self) -> usize {
        self.new.iter().map(bytes).sum()
    }
}

/// The bytes that a vector has reserved.
fn bytes<T>(vector: &Vec<T>) -> usize {
    vector.capacity() * size_of::<T>()
}

/// A state that violates a property: its place in the order of the search, and how it was reached.
#[derive(Clone, Copy, Debug)]
struct Breach {
    place: (usize, u32),
    predecessor: Predecessor,
}

/// Adds the state's violations, keeping the first one of each property.
fn add(violations: &mut [Option<Breach>], violated: u32, breach: Breach) {
    if violated == 0 {
        return;
    }
    for (number, known) in violations.iter_mut().enumerate() {
        if violated >> number & 1 == 1 && known.is_none_or(|known| breach.place < known.place) {
            *known = Some(breach);
        }
    }
}

/// Keeps the first violation of each property.
fn first(violations: &mut [Option<Breach>], others: &[Option<Breach>]) {
    for (known, other) in violations.iter_mut().zip(others) {
        if let Some(other) = other
            && known.is_none_or(|known| other.place < known.place)
        {
            *known = Some(*other);
        }
    }
}

/// A search of a state space.
pub(super) struct Search<'s, S: Space> {
    space: &'s S,
    watch: &'s Watch<'s>,
    /// The chunks of a round.
    round: usize,
    /// Every visited state, and how it was reached.
    seen: Vec<Shard>,
    /// What the threads remember, for the next ones.
    scratch: Mutex<Vec<S::Scratch>>,
    counts: Counts,
    violations: Vec<Option<Breach>>,
}

impl<'s, S: Space> Search<'s, S> {
    pub(super) fn new(space: &'s S, watch: &'s Watch<'s>) -> Self {
        // The successors of a round take a quarter of the memory at most.
        let chunk = CHUNK * SUCCESSORS * size_of::<New<S::State>>();
        let chunks = watch.limits.memory / 4 / chunk as u64;
        Self {
            space,
            watch,
            round: (chunks as usize).clamp(1, ROUND),
            seen: (0..SHARDS).map(|_| Shard::default()).collect(),
            scratch: Mutex::default(),
            counts: Counts::default(),
            violations: vec![None; space.properties()],
        }
    }

    /// Searches until all states are visited, or a limit is reached.
    pub(super) fn run(&mut self) -> End {
        let mut level = self.begin();
        while !level.is_empty() {
            self.counts.depth += 1;
            let mut next = Vec::new();
            let mut violations = vec![None; self.violations.len()];
            let mut chunks = level.into_iter();
            for round in 0.. {
                let chunks: Vec<_> = chunks.by_ref().take(self.round).collect();
                if chunks.is_empty() {
                    break;
                }
                self.watch.show(&self.counts);
                let expanded = self.expand(round, chunks, &mut violations);
                next.extend(self.insert(round, expanded, &mut violations));
                if self.watch.end().is_some() {
                    break;
                }
            }
            for (known, found) in self.violations.iter_mut().zip(violations) {
                *known = known.or(found);
            }
            if let Some(end) = self.watch.end() {
                return end;
            }
            let mut violated = self.violations.iter().map(Option::is_some);
            let is_enough = match self.watch.limits.until_violation {
                true => violated.any(|violated| violated),
                false => violated.all(|violated| violated) && !self.violations.is_empty(),
            };
            if is_enough {
                return End::AllViolated;
            }
            level = next;
        }
        End::Complete
    }

    /// The counts, and the paths to the violations.
    pub(super) fn outcome(&self, end: End) -> Outcome<S::Step> {
        let path = |breach: &Option<Breach>| breach.map(|breach| self.path(breach.predecessor));
        Outcome {
            counts: self.counts,
            end,
            violations: self.violations.iter().map(path).collect(),
        }
    }

    /// The first level.
    fn begin(&mut self) -> Vec<Chunk<S::State>> {
        let mut expanded = self.nothing();
        for (choice, state) in (0..).zip(self.space.initial()) {
            let predecessor = Predecessor { from: None, choice };
            let known = self.known(&state);
            self.generate(&mut expanded, 0, predecessor, state, known);
        }
        let mut violations = vec![None; self.violations.len()];
        self.watch.reserve(expanded.bytes());
        let level = self.insert(0, vec![expanded], &mut violations);
        self.violations = violations;
        level
    }

    fn nothing(&self) -> Expanded<S::State> {
        Expanded {
            new: std::array::from_fn(|_| Vec::new()),
            generated: 0,
            beyond: 0,
            violations: vec![None; self.violations.len()],
            known: Vec::new(),
        }
    }

    /// Does the work with what a thread remembers.
    fn remembering<T>(&self, work: impl FnOnce(&mut S::Scratch) -> T) -> T {
        let lock = || self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        let known = lock().pop();
        let mut scratch = known.unwrap_or_else(|| self.space.scratch());
        let done = work(&mut scratch);
        lock().push(scratch);
        done
    }

    /// The successors of these states that were not visited in earlier levels.
    fn expand(
        &self,
        round: usize,
        chunks: Vec<Chunk<S::State>>,
        violations: &mut [Option<Breach>],
    ) -> Vec<Expanded<S::State>> {
        let (space, watch) = (self.space, self.watch);
        let chunks = chunks.into_iter().enumerate();
        // The thread that expands a state also frees it: freeing on a single thread would take as long as the search.
        let expanded = parallel::each("search", watch.limits.workers, chunks, |(chunk, states)| {
            let mut expanded = self.nothing();
            watch.release(bytes(&states));
            if !watch.goes_on(space.bytes()) {
                return expanded;
            }
            self.remembering(|scratch| {
                let (mut steps, mut found) = (Vec::new(), Vec::new());
                for states in states.chunks(BATCH) {
                    let chunk = round * ROUND + chunk;
                    if space.successors(states, scratch, &mut found) {
                        let from = |index: u32| states[index as usize].0;
                        self.generate_all(&mut expanded, chunk, &mut found, from);
                    } else {
                        for (from, state) in states {
                            space.steps(state, scratch, &mut steps);
                            for (choice, step) in (0..).zip(steps.drain(..)) {
                                if let Some(next) = space.next(state, &step, scratch) {
                                    let from = Some(*from);
                                    let predecessor = Predecessor { from, choice };
                                    let known = self.known(&next);
                                    self.generate(&mut expanded, chunk, predecessor, next, known);
                                }
                            }
                        }
                    }
                    if space.is_full() {
                        watch.end_by(End::NoMemory);
                        break;
                    }
                }
            });
            watch.reserve(expanded.bytes());
            expanded
        });
        for expanded in &expanded {
            first(violations, &expanded.violations);
        }
        expanded
    }

    /// The state's fingerprint if it is within the bounds, and whether it was visited in earlier levels.
    fn known(&self, state: &S::State) -> Option<(Fingerprint, bool)> {
        self.space.is_within(state).then(|| {
            let fingerprint = self.space.fingerprint(state);
            let is_known = self.seen[shard(fingerprint)].contains(fingerprint);
            (fingerprint, is_known)
        })
    }

    /// Adds successors, each from the state with this fingerprint.
    fn generate_all(
        &self,
        expanded: &mut Expanded<S::State>,
        chunk: usize,
        found: &mut Vec<Successor<S::State>>,
        from: impl Fn(u32) -> Fingerprint,
    ) {
        // None of these look-ups waits for another one.
        let mut known = mem::take(&mut expanded.known);
        known.extend(found.iter().map(|found| self.known(&found.state)));
        for (successor, known) in found.drain(..).zip(known.drain(..)) {
            let predecessor = Predecessor {
                from: Some(from(successor.from)),
                choice: successor.choice,
            };
            self.generate(expanded, chunk, predecessor, successor.state, known);
        }
        expanded.known = known;
    }

    /// Adds the successor to which a step leads.
    fn generate(
        &self,
        expanded: &mut Expanded<S::State>,
        chunk: usize,
        predecessor: Predecessor,
        state: S::State,
        known: Option<(Fingerprint, bool)>,
    ) {
        let number = (expanded.generated + expanded.beyond) as u32;
        let Some((fingerprint, is_known)) = known else {
            expanded.beyond += 1;
            let place = (chunk, number);
            let breach = Breach { place, predecessor };
            let violated = self.space.violated(&state);
            add(&mut expanded.violations, violated, breach);
            return;
        };
        expanded.generated += 1;
        if is_known {
            return;
        }
        let new = &mut expanded.new[shard(fingerprint)];
        if new.try_reserve(1).is_err() {
            self.watch.end_by(End::NoMemory);
            return;
        }
        new.push(New {
            fingerprint,
            predecessor,
            state,
            number,
        });
    }

    /// Inserts the new states, each once; returns them in an order that does not depend on the number of threads.
    fn insert(
        &mut self,
        round: usize,
        expanded: Vec<Expanded<S::State>>,
        violations: &mut [Option<Breach>],
    ) -> Vec<Chunk<S::State>> {
        let mut of_each: Vec<Vec<Vec<New<S::State>>>> = (0..SHARDS).map(|_| Vec::new()).collect();
        for expanded in expanded {
            self.counts.generated += expanded.generated;
            self.counts.beyond += expanded.beyond;
            for (shard, new) in of_each.iter_mut().zip(expanded.new) {
                shard.push(new);
            }
        }
        let (space, watch, properties) = (self.space, self.watch, self.violations.len());
        let shards = self.seen.iter_mut().zip(of_each);
        let inserted = parallel::each("search", watch.limits.workers, shards, |(seen, chunks)| {
            let mut fresh = Fresh {
                chunks: Vec::new(),
                last: Vec::new(),
            };
            let mut violations = vec![None; properties];
            let mut grant = Grant::default();
            let mut since = 0;
            let mut known = Vec::new();
            for (chunk, new) in chunks.into_iter().enumerate() {
                watch.release(bytes(&new));
                // None of these look-ups waits for another one.
                known.clear();
                known.extend(new.iter().map(|new| seen.contains(new.fingerprint)));
                for (new, known) in new.into_iter().zip(&known) {
                    since += 1;
                    if since % LOOK == 0 && !watch.goes_on(space.bytes()) || watch.end().is_some() {
                        break;
                    }
                    if *known {
                        continue;
                    }
                    let may_insert = || watch.may_insert(&mut grant);
                    if !seen.make_room(watch)
                        || !seen.insert_new(new.fingerprint, new.predecessor, may_insert)
                    {
                        continue;
                    }
                    let place = (round * ROUND + chunk, new.number);
                    let predecessor = new.predecessor;
                    let breach = Breach { place, predecessor };
                    add(&mut violations, space.violated(&new.state), breach);
                    fresh.push(watch, (new.fingerprint, new.state));
                }
            }
            watch.give_back(grant);
            (fresh.finished(), violations)
        });
        let mut level = Vec::new();
        for (fresh, found) in inserted {
            self.counts.distinct += fresh.iter().map(Vec::len).sum::<usize>() as u64;
            first(violations, &found);
            level.extend(fresh);
        }
        level
    }

    /// The steps from the initial state to a state, given how it was reached.
    fn path(&self, last: Predecessor) -> Vec<S::Step> {
        let mut choices = vec![last.choice as usize];
        let mut from = last.from;
        while let Some(fingerprint) = from {
            let predecessor = self.seen[shard(fingerprint)].predecessor(fingerprint);
            let predecessor = predecessor.expect("a state from which a step led was visited");
            choices.push(predecessor.choice as usize);
            from = predecessor.from;
        }
        let mut choices = choices.into_iter().rev();
        let initial = choices.next().unwrap_or_default();
        let mut state = self.space.initial().swap_remove(initial);
        let mut scratch = self.space.scratch();
        let mut path = Vec::new();
        for choice in choices {
            let mut steps = Vec::new();
            self.space.steps(&state, &mut scratch, &mut steps);
            let step = steps.swap_remove(choice);
            if let Some(next) = self.space.next(&state, &step, &mut scratch) {
                state = next;
            }
            path.push(step);
        }
        path
    }
}

/// The new states of a shard.
struct Fresh<S> {
    chunks: Vec<Chunk<S>>,
    last: Chunk<S>,
}

impl<S> Fresh<S> {
    fn push(&mut self, watch: &Watch<'_>, state: (Fingerprint, S)) {
        if self.last.len() == CHUNK {
            self.chunks.push(mem::take(&mut self.last));
        }
        if self.last.len() == self.last.capacity() {
            let before = bytes(&self.last);
            if self.last.try_reserve(1).is_err() {
                return watch.end_by(End::NoMemory);
            }
            watch.reserve(bytes(&self.last) - before);
        }
        self.last.push(state);
    }

    fn finished(mut self) -> Vec<Chunk<S>> {
        if !self.last.is_empty() {
            self.chunks.push(self.last);
        }
        self.chunks
    }
}
