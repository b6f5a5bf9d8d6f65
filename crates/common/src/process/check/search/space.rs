//! What is searched: a state space.

use std::num::NonZeroU64;

/// A 64-bit hash that identifies a state: among ten million states two collide with a probability of 1 in 400,000.
pub type Fingerprint = NonZeroU64;

/// A state to which a step leads.
#[derive(Clone, Copy, Debug)]
pub struct Successor<S> {
    /// The index of the state from which it leads, among those that are expanded.
    pub from: u32,
    /// The index of the step among those from this state.
    pub choice: u32,
    /// The state.
    pub state: S,
}

/// A state space to search.
pub trait Space: Sync {
    /// A state.
    type State: Send + Sync;
    /// A step from a state to another.
    type Step: Clone;
    /// What a thread remembers from state to state.
    type Scratch: Send;

    /// What a thread remembers at first.
    fn scratch(&self) -> Self::Scratch;

    /// The initial states.
    fn initial(&self) -> Vec<Self::State>;

    /// The steps from a state, in an order that depends on the state only.
    fn steps(&self, state: &Self::State, scratch: &mut Self::Scratch, steps: &mut Vec<Self::Step>);

    /// The state to which a step leads, if it leads to one.
    fn next(
        &self,
        state: &Self::State,
        step: &Self::Step,
        scratch: &mut Self::Scratch,
    ) -> Option<Self::State>;

    /// Takes the steps of these states side by side, and adds the successors in the order of the states and of their
    /// steps; or returns false if it takes them one by one.
    fn successors(
        &self,
        _states: &[(Fingerprint, Self::State)],
        _scratch: &mut Self::Scratch,
        _found: &mut Vec<Successor<Self::State>>,
    ) -> bool {
        false
    }

    /// Identifies a state; the same on every run.
    fn fingerprint(&self, state: &Self::State) -> Fingerprint;

    /// Whether the state is within the boundary; a state beyond it is checked, but neither counted nor expanded.
    fn is_within(&self, state: &Self::State) -> bool;

    /// The number of properties, at most 32.
    fn properties(&self) -> usize;

    /// The properties that the state violates, a bit for each.
    fn violated(&self, state: &Self::State) -> u32;

    /// The bytes that the space itself has reserved.
    fn bytes(&self) -> u64 {
        0
    }

    /// Whether the space has no room for further states.
    fn is_full(&self) -> bool {
        false
    }
}
