//! A model with fairness and obligations.

use crate::process::check::model::Model;

/// The most constraints of fairness.
pub const MOST_CONSTRAINTS: u8 = 128;

/// A model in which a scheduler is fair, and obligations are to be fulfilled.
pub trait Fair: Model {
    /// The constraint of fairness that this step takes, less than [`MOST_CONSTRAINTS`]; None for a step that never needs to be
    /// taken. A constraint is possible in a state if a step from it takes it.
    fn constraint(&self, step: &Self::Action) -> Option<u8>;

    /// The obligations that are not fulfilled in this state, a bit for each. It is fulfilled on a path if after each state in
    /// which it is not fulfilled there is one in which it is.
    fn unfulfilled(&self, state: &Self::State) -> u64;

    /// Which of these steps, all that are possible in the state, may be taken alone: it stays possible until it is taken, and
    /// makes the same difference whatever else happens first. Fairness and obligations must depend on the order of each process's
    /// events only.
    fn alone(&self, _state: &Self::State, _steps: &[Self::Action]) -> Option<usize> {
        None
    }

    /// The bytes of a state, about.
    fn bytes(&self, _state: &Self::State) -> usize {
        size_of::<Self::State>()
    }
}
