//! The state space of a model.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{
    super::model::Model,
    space::{Fingerprint, Space},
};

/// A model.
pub(super) struct OfModel<'m, M> {
    model: &'m M,
    properties: usize,
}

impl<'m, M: Model> OfModel<'m, M> {
    pub(super) fn new(model: &'m M) -> Self {
        Self {
            model,
            properties: model.properties().len(),
        }
    }
}

/// The hash of anything as a fingerprint.
pub fn fingerprint<S: Hash>(state: &S) -> Fingerprint {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    Fingerprint::new(hasher.finish()).unwrap_or(Fingerprint::MIN)
}

impl<M: Model> Space for OfModel<'_, M> {
    type State = M::State;
    type Step = M::Action;
    type Scratch = ();

    fn scratch(&self) {}

    fn initial(&self) -> Vec<M::State> {
        self.model.init_states()
    }

    fn steps(&self, state: &M::State, (): &mut (), steps: &mut Vec<M::Action>) {
        self.model.actions(state, steps);
    }

    fn next(&self, state: &M::State, step: &M::Action, (): &mut ()) -> Option<M::State> {
        self.model.next_state(state, step.clone())
    }

    fn fingerprint(&self, state: &M::State) -> Fingerprint {
        fingerprint(state)
    }

    fn is_within(&self, state: &M::State) -> bool {
        self.model.within_boundary(state)
    }

    fn properties(&self) -> usize {
        self.properties
    }

    fn violated(&self, state: &M::State) -> u32 {
        self.model.violated(state)
    }
}
