//! What is checked: a model, whose states follow from one another by steps.

use std::{fmt::Debug, hash::Hash};

/// A model, and the properties of its states.
pub trait Model: Sync {
    /// A state.
    type State: Clone + Debug + Eq + Hash + Send + Sync;
    /// A step from a state to another.
    type Action: Clone + Debug + PartialEq + Send + Sync;

    /// The initial states.
    fn init_states(&self) -> Vec<Self::State>;

    /// Adds the steps from a state, in an order that depends on the state only.
    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>);

    /// The state to which a step leads, if it leads to one.
    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State>;

    /// Whether the state is within the boundary; a state beyond it is checked, but neither counted nor expanded.
    fn within_boundary(&self, _state: &Self::State) -> bool {
        true
    }

    /// The names of the properties, at most 32.
    fn properties(&self) -> Vec<&'static str>;

    /// The properties that the state violates, a bit for each.
    fn violated(&self, state: &Self::State) -> u32;

    /// A step in words.
    fn format_action(&self, action: &Self::Action) -> String {
        format!("{action:?}")
    }

    /// What happens in a step from this state, in words, if there are any.
    fn format_step(&self, _state: &Self::State, _action: Self::Action) -> Option<String> {
        None
    }
}
