//! A model with its type erased, so that stateright's explorer is compiled once and not for each model, which would take
//! longer than the rest of this crate.

use std::{
    any::Any,
    fmt::{self, Debug},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use common::process::check::model::Model;
use stateright::{Model as Explored, Property};

use super::bounds::Bounds;

/// A type-erased model.
pub struct AnyModel {
    model: Box<dyn Erased>,
    bounds: Arc<Bounds>,
}

/// A type-erased state; states are equal if their hashes are.
#[derive(Clone)]
pub struct AnyState {
    state: Arc<dyn Shown>,
    hash: u64,
}

/// A type-erased action.
#[derive(Clone, Eq, PartialEq)]
pub struct AnyAction {
    /// Its index among the state's actions.
    choice: usize,
    words: String,
}

impl AnyModel {
    /// Erases the type of a model, and bounds its states.
    pub fn new<M>(model: M, bounds: Arc<Bounds>) -> Self
    where
        M: Model<State: 'static> + Send + 'static,
    {
        Self {
            model: Box::new(Typed(model)),
            bounds,
        }
    }
}

trait Shown: Any + Debug + Send + Sync {}

impl<S: Any + Debug + Send + Sync> Shown for S {}

trait Erased: Send + Sync {
    fn init_states(&self) -> Vec<AnyState>;
    fn actions(&self, state: &AnyState) -> Vec<AnyAction>;
    fn next_state(&self, state: &AnyState, choice: usize) -> Option<AnyState>;
    fn within_boundary(&self, state: &AnyState) -> bool;
    fn words(&self, state: &AnyState, choice: usize) -> Option<String>;
    fn properties(&self) -> Vec<&'static str>;
    fn holds(&self, property: usize, state: &AnyState) -> bool;
}

struct Typed<M>(M);

impl<M: Model<State: 'static>> Typed<M> {
    fn erased(state: M::State) -> AnyState {
        let mut hasher = DefaultHasher::new();
        state.hash(&mut hasher);
        AnyState {
            state: Arc::new(state),
            hash: hasher.finish(),
        }
    }

    fn typed(state: &AnyState) -> &M::State {
        let state: &dyn Any = &*state.state;
        state.downcast_ref().expect("a state of this model")
    }

    fn action(&self, state: &M::State, choice: usize) -> M::Action {
        let mut actions = Vec::new();
        self.0.actions(state, &mut actions);
        actions.swap_remove(choice)
    }
}

impl<M: Model<State: 'static> + Send> Erased for Typed<M> {
    fn init_states(&self) -> Vec<AnyState> {
        let states = self.0.init_states().into_iter();
        states.map(Self::erased).collect()
    }

    fn actions(&self, state: &AnyState) -> Vec<AnyAction> {
        let mut actions = Vec::new();
        self.0.actions(Self::typed(state), &mut actions);
        let actions = actions
            .iter()
            .enumerate()
            .map(|(choice, action)| AnyAction {
                choice,
                words: self.0.format_action(action),
            });
        actions.collect()
    }

    fn next_state(&self, state: &AnyState, choice: usize) -> Option<AnyState> {
        let state = Self::typed(state);
        let next = self.0.next_state(state, self.action(state, choice));
        next.map(Self::erased)
    }

    fn within_boundary(&self, state: &AnyState) -> bool {
        self.0.within_boundary(Self::typed(state))
    }

    fn words(&self, state: &AnyState, choice: usize) -> Option<String> {
        let state = Self::typed(state);
        self.0.format_step(state, self.action(state, choice))
    }

    fn properties(&self) -> Vec<&'static str> {
        self.0.properties()
    }

    fn holds(&self, property: usize, state: &AnyState) -> bool {
        self.0.violated(Self::typed(state)) >> property & 1 == 0
    }
}

/// A property's condition is a function pointer without captures, so there is one function for each property's index.
fn holds<const NUMBER: usize>(model: &AnyModel, state: &AnyState) -> bool {
    model.model.holds(NUMBER, state)
}

/// As many conditions as a model has properties at most.
const HOLDS: [fn(&AnyModel, &AnyState) -> bool; 4] =
    [holds::<0>, holds::<1>, holds::<2>, holds::<3>];

impl Explored for AnyModel {
    type State = AnyState;
    type Action = AnyAction;

    fn init_states(&self) -> Vec<AnyState> {
        self.model.init_states()
    }

    fn actions(&self, state: &AnyState, actions: &mut Vec<AnyAction>) {
        actions.extend(self.model.actions(state));
    }

    fn next_state(&self, state: &AnyState, action: AnyAction) -> Option<AnyState> {
        self.model.next_state(state, action.choice)
    }

    fn format_action(&self, action: &AnyAction) -> String {
        action.words.clone()
    }

    fn format_step(&self, state: &AnyState, action: AnyAction) -> Option<String> {
        self.model.words(state, action.choice)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let named = self.model.properties().into_iter().zip(HOLDS);
        named
            .map(|(name, holds)| Property::always(name, holds))
            .collect()
    }

    fn within_boundary(&self, state: &AnyState) -> bool {
        self.model.within_boundary(state) && self.bounds.admit(state.hash)
    }
}

impl PartialEq for AnyState {
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Eq for AnyState {}

impl Hash for AnyState {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u64(self.hash);
    }
}

impl Debug for AnyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.fmt(f)
    }
}

impl Debug for AnyAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Debug for AnyModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AnyModel")
    }
}
