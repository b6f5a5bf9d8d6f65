//! Lassos in models made by hand and by chance, held against an oracle that tries every set of states.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{explore::explore, fair::Fair, graph::Node, search};
use crate::process::check::{
    model::Model,
    search::{End, Limits, Progress},
};

/// A model by a table: the steps from each state, with the constraint of fairness that each takes.
#[derive(Clone, Debug)]
struct Table {
    steps: Vec<Vec<(u8, Option<u8>)>>,
    /// The obligations that are not fulfilled in each state.
    unfulfilled: Vec<u64>,
    /// The step that is taken alone in each state.
    alone: Vec<Option<usize>>,
}

/// A step: from a state, with an index.
type Choice = (u8, usize);

impl Table {
    fn new(steps: &[&[(u8, Option<u8>)]], unfulfilled: &[u64]) -> Self {
        Self {
            steps: steps.iter().map(|steps| steps.to_vec()).collect(),
            unfulfilled: unfulfilled.to_vec(),
            alone: vec![None; steps.len()],
        }
    }

    fn possible(&self, state: usize) -> u128 {
        let constraints = self.steps[state].iter().filter_map(|step| step.1);
        constraints.fold(0, |all, constraint| all | 1 << constraint)
    }
}

impl Model for Table {
    type State = u8;
    type Action = Choice;

    fn init_states(&self) -> Vec<u8> {
        vec![0]
    }

    fn actions(&self, state: &u8, actions: &mut Vec<Choice>) {
        let steps = 0..self.steps[usize::from(*state)].len();
        actions.extend(steps.map(|step| (*state, step)));
    }

    fn next_state(&self, state: &u8, (from, step): Choice) -> Option<u8> {
        assert_eq!(*state, from);
        Some(self.steps[usize::from(from)][step].0)
    }

    fn properties(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn violated(&self, _: &u8) -> u32 {
        0
    }
}

impl Fair for Table {
    fn constraint(&self, (from, step): &Choice) -> Option<u8> {
        self.steps[usize::from(*from)][*step].1
    }

    fn unfulfilled(&self, state: &u8) -> u64 {
        self.unfulfilled[usize::from(*state)]
    }

    fn alone(&self, state: &u8, _: &[Choice]) -> Option<usize> {
        self.alone[usize::from(*state)]
    }
}

fn found(table: &Table, workers: usize) -> super::Outcome<Choice> {
    search(table, Limits::none(workers), &Progress::default(), &|| {
        false
    })
}

/// The states of a lasso's path and loop; checks that it is one.
fn walked(table: &Table, lasso: &super::Lasso<Choice>) -> (Vec<u8>, Vec<u8>) {
    let mut state = 0;
    let mut walk = |steps: &[Choice]| {
        let states = steps.iter().map(|(from, step)| {
            assert_eq!(*from, state, "{table:?} {lasso:?}");
            state = table.steps[usize::from(*from)][*step].0;
            state
        });
        states.collect::<Vec<_>>()
    };
    let (path, cycle) = (walk(&lasso.path), walk(&lasso.cycle));
    let start = path.last().copied().unwrap_or(0);
    assert_eq!(
        cycle.last().copied().unwrap_or(start),
        start,
        "{table:?} {lasso:?}"
    );
    let all: Vec<u8> = if cycle.is_empty() {
        assert!(table.steps[usize::from(start)].is_empty());
        vec![start]
    } else {
        cycle.clone()
    };
    let taken = lasso.cycle.iter().filter_map(|step| table.constraint(step));
    let taken: u128 = taken.fold(0, |all, constraint| all | 1 << constraint);
    let mut always = u128::MAX;
    for state in &all {
        let state = usize::from(*state);
        assert!(
            table.unfulfilled[state] >> lasso.obligation & 1 == 1,
            "{table:?} {lasso:?}"
        );
        always &= table.possible(state);
    }
    assert_eq!(always & !taken, 0, "an unfair loop: {table:?} {lasso:?}");
    (path, cycle)
}

const A: Option<u8> = Some(0);
const B: Option<u8> = Some(127);

#[test]
fn a_loop_that_leaves_out_what_is_possible_all_round_is_unfair() {
    // From 0 a step to 1, where the obligation arises; there `A` goes round, and `B` fulfils it.
    let table = Table::new(&[&[(1, A)], &[(1, A), (2, B)], &[(2, A)]], &[0, 1, 0]);
    let outcome = found(&table, 1);
    assert_eq!(outcome.lasso, None, "{outcome:?}");
    assert_eq!((outcome.components, outcome.fair), (1, 0));

    // Without fairness of that step nothing forces it.
    let unforced = Table::new(&[&[(1, A)], &[(1, A), (2, None)], &[(2, A)]], &[0, 1, 0]);
    let lasso = found(&unforced, 1).lasso.unwrap();
    assert_eq!(walked(&unforced, &lasso), (vec![1], vec![1]));

    // Weak fairness: what is impossible in one state of the loop, again and again, needs not happen.
    let again = Table::new(
        &[&[(1, A)], &[(2, A), (3, B)], &[(1, A)], &[(3, A)]],
        &[0, 1, 1, 0],
    );
    let lasso = found(&again, 1).lasso.unwrap();
    assert_eq!(walked(&again, &lasso), (vec![1], vec![2, 1]));
}

#[test]
fn a_state_without_a_step_fulfils_no_obligation() {
    let table = Table::new(&[&[(1, A)], &[(2, A), (0, B)], &[]], &[0, 2, 2]);
    let lasso = found(&table, 1).lasso.unwrap();
    assert_eq!((lasso.obligation, lasso.cycle.len()), (1, 0));
    assert_eq!(walked(&table, &lasso), (vec![1, 2], vec![]));
    let kept = Table::new(&[&[(1, A)], &[(2, A), (0, B)], &[]], &[0, 2, 0]);
    assert_eq!(found(&kept, 1).lasso, None);
}

#[test]
fn a_loop_goes_by_all_that_fairness_asks_for() {
    // A ring of four states; both constraints are possible everywhere, and each is taken at one place only.
    let ring = Table::new(
        &[
            &[(1, A), (0, None)],
            &[(2, None), (1, None)],
            &[(3, B), (0, None)],
            &[(0, None), (3, None)],
        ],
        &[1, 1, 1, 1],
    );
    let mut everywhere = ring;
    // Possible, and out of what never comes back.
    everywhere.steps.push(vec![]);
    everywhere.unfulfilled.push(0);
    everywhere.alone.push(None);
    for state in 0..4 {
        everywhere.steps[state].push((4, A));
        everywhere.steps[state].push((4, B));
    }
    let lasso = found(&everywhere, 1).lasso.unwrap();
    assert_eq!(walked(&everywhere, &lasso), (vec![], vec![1, 2, 3, 0]));
}

#[test]
fn a_step_that_is_taken_alone_puts_off_no_other_for_ever() {
    // `A` goes round between 0 and 1; it would be taken alone in both, and `B` never.
    let mut table = Table::new(&[&[(1, A), (2, B)], &[(0, A), (2, B)], &[]], &[0, 0, 1]);
    table.alone = vec![Some(0), Some(0), None];
    let lasso = found(&table, 1).lasso.unwrap();
    assert_eq!(*walked(&table, &lasso).0.last().unwrap(), 2);
}

/// Whether there is a set of states, all connected, in which an obligation is never fulfilled and the scheduler is fair.
fn is_broken(table: &Table) -> bool {
    let n = table.steps.len();
    let reached = |from: usize, within: usize| {
        let mut reached = 0_usize;
        let mut waiting = vec![from];
        while let Some(state) = waiting.pop() {
            for (to, _) in &table.steps[state] {
                let to = usize::from(*to);
                if within >> to & 1 == 1 && reached >> to & 1 == 0 {
                    reached |= 1 << to;
                    waiting.push(to);
                }
            }
        }
        reached
    };
    let reachable = 1 | reached(0, (1 << n) - 1);
    (1..1_usize << n).any(|set| {
        let states: Vec<_> = (0..n).filter(|state| set >> state & 1 == 1).collect();
        let obligations = states
            .iter()
            .fold(u64::MAX, |all, state| all & table.unfulfilled[*state]);
        let is_final = states.len() == 1 && table.steps[states[0]].is_empty();
        let is_connected = states.iter().all(|state| reached(*state, set) == set);
        let always = states
            .iter()
            .fold(u128::MAX, |all, state| all & table.possible(*state));
        let within = states.iter().flat_map(|state| &table.steps[*state]);
        let within = within.filter(|(to, _)| set >> to & 1 == 1);
        let taken: u128 = within
            .filter_map(|step| step.1)
            .fold(0, |all, step| all | 1 << step);
        obligations != 0
            && set & !reachable == 0
            && (is_final || is_connected)
            && always & !taken == 0
    })
}

#[test]
fn lassos_are_found_exactly_where_a_set_of_states_is_fair() {
    let mut chance = Pcg64Mcg::seed_from_u64(7);
    let mut broken = 0;
    const TABLES: usize = 4_000;
    for number in 0..TABLES {
        let n = chance.random_range(1..=6);
        let steps = (0..n).map(|_| {
            let count = chance.random_range(0..=3);
            let step = |_| {
                let constraint = chance.random_range(0..5);
                (
                    chance.random_range(0..n) as u8,
                    (constraint < 3).then_some(constraint),
                )
            };
            (0..count).map(step).collect()
        });
        let table = Table {
            steps: steps.collect(),
            unfulfilled: (0..n).map(|_| chance.random_range(0..4)).collect(),
            alone: vec![None; n],
        };
        let outcome = found(&table, 1 + number % 3);
        assert_eq!(outcome.end, End::Complete);
        assert_eq!(
            outcome.lasso.is_some(),
            is_broken(&table),
            "{table:?} {outcome:?}"
        );
        assert_eq!(
            outcome.lasso.is_some(),
            outcome.fair > 0,
            "{table:?} {outcome:?}"
        );
        if let Some(lasso) = &outcome.lasso {
            walked(&table, lasso);
            broken += 1;
        }
    }
    assert!((TABLES / 10..TABLES * 9 / 10).contains(&broken), "{broken}");
}

#[test]
fn components_are_the_states_that_reach_one_another() {
    let mut chance = Pcg64Mcg::seed_from_u64(8);
    for _ in 0..500 {
        let n = chance.random_range(1..=8);
        let steps = (0..n).map(|_| {
            let count = chance.random_range(0..=3);
            (0..count)
                .map(|_| (chance.random_range(0..n) as u8, None))
                .collect()
        });
        let table = Table {
            steps: steps.collect(),
            unfulfilled: (0..n).map(|_| chance.random_range(0..2)).collect(),
            alone: vec![None; n],
        };
        let graph = explore(
            &table,
            Limits::none(1),
            &Progress::default(),
            &|| false,
            &mut |_| false,
        )
        .graph;
        let keep = |node: Node| graph.unfulfilled(node) == 1;
        let components = super::components::Components::new(&graph, keep);
        let mut reaches: Vec<u128> = graph.nodes().map(|node| 1 << node).collect();
        for _ in graph.nodes() {
            for node in graph.nodes().filter(|node| keep(*node)) {
                let next = graph.edges(node).iter().filter(|edge| keep(edge.to));
                let next = next.fold(0, |all, edge| all | reaches[edge.to as usize]);
                reaches[node as usize] |= next;
            }
        }
        let mut members = 0;
        for states in components.iter() {
            members += states.len();
            for one in states {
                let mutual = graph.nodes().filter(|other| {
                    let there = reaches[*one as usize] >> other & 1 == 1;
                    let back = reaches[*other as usize] >> one & 1 == 1;
                    keep(*other) && there && back
                });
                let mut states = states.to_vec();
                states.sort_unstable();
                assert_eq!(mutual.collect::<Vec<_>>(), states, "{table:?}");
            }
        }
        assert_eq!(members, graph.nodes().filter(|node| keep(*node)).count());
    }
}

#[test]
fn a_deep_graph_needs_no_deep_stack_and_a_limit_ends_the_search() {
    /// A ring of states.
    #[derive(Debug)]
    struct Ring(u32);
    impl Model for Ring {
        type State = u32;
        type Action = ();
        fn init_states(&self) -> Vec<u32> {
            vec![0]
        }
        fn actions(&self, _: &u32, actions: &mut Vec<()>) {
            actions.push(());
        }
        fn next_state(&self, state: &u32, (): ()) -> Option<u32> {
            Some((state + 1) % self.0)
        }
        fn properties(&self) -> Vec<&'static str> {
            Vec::new()
        }
        fn violated(&self, _: &u32) -> u32 {
            0
        }
    }
    impl Fair for Ring {
        fn constraint(&self, (): &()) -> Option<u8> {
            Some(3)
        }
        fn unfulfilled(&self, _: &u32) -> u64 {
            1
        }
    }
    let run = |limits| search(&Ring(20_000), limits, &Progress::default(), &|| false);
    let whole = run(Limits::none(2));
    assert_eq!((whole.end, whole.counts.distinct), (End::Complete, 20_000));
    assert_eq!(whole.lasso.unwrap().cycle.len(), 20_000);
    let many = run(Limits {
        most: 10_000,
        ..Limits::none(1)
    });
    assert_eq!((many.end, many.lasso), (End::TooMany, None));
    let most = run(Limits {
        most: 100,
        ..Limits::none(1)
    });
    assert_eq!((most.end, most.lasso), (End::TooMany, None));
    let memory = run(Limits {
        memory: 1 << 10,
        ..Limits::none(1)
    });
    assert_eq!(memory.end, End::NoMemory);
    let stopped = search(
        &Ring(20_000),
        Limits::none(1),
        &Progress::default(),
        &|| true,
    );
    assert_eq!(stopped.end, End::Interrupted);
}
