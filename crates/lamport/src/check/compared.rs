//! A model as one of stateright's own, so that its search can be compared with ours.

use common::process::check::model::Model;
use stateright::Property;

/// A model for stateright's search, with at most 4 properties.
#[derive(Clone, Debug)]
pub struct Compared<M>(pub M);

/// A property's condition is a function pointer without captures, so there is one function for each property's index.
fn holds<M: Model, const NUMBER: usize>(model: &Compared<M>, state: &M::State) -> bool {
    model.0.violated(state) >> NUMBER & 1 == 0
}

impl<M: Model> stateright::Model for Compared<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<M::State> {
        self.0.init_states()
    }

    fn actions(&self, state: &M::State, actions: &mut Vec<M::Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &M::State, action: M::Action) -> Option<M::State> {
        self.0.next_state(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let conditions = [
            holds::<M, 0>,
            holds::<M, 1>,
            holds::<M, 2>,
            holds::<M, 3> as fn(&Self, &M::State) -> bool,
        ];
        let named = self.0.properties().into_iter().zip(conditions);
        named
            .map(|(name, holds)| Property::always(name, holds))
            .collect()
    }

    fn within_boundary(&self, state: &M::State) -> bool {
        self.0.within_boundary(state)
    }
}
