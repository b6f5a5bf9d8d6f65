//! The order of the lanes: processes that exchange messages stand beside each other, and a server stands among its clients.
//!
//! Crossings are fewest where messages are short. The order is found by barycentres (Sugiyama, Tagawa and Toda 1981): a process
//! moves towards the mean place of those that it exchanges messages with, in a few passes, and the order with the least total
//! length stays. The cost is that of reading the messages once, and of sorting the processes in each pass.

use hashbrown::HashMap;

use super::{Trace, matching::Links};

/// The number of passes: more change nothing that one sees.
const PASSES: usize = 12;

/// The processes, by their numbers, in the order of their lanes.
pub fn lane_order(trace: &Trace, links: &Links) -> Vec<u32> {
    let mut pairs: HashMap<(u32, u32), u32> = HashMap::new();
    for link in links.all() {
        let process = |event: usize| trace.events[event].process;
        let (from, to) = (process(link.from), process(link.to));
        if from != to {
            let messages = pairs.entry((from.min(to), from.max(to))).or_default();
            *messages = messages.saturating_add(1);
        }
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    arranged(trace.processes.len(), &pairs)
}

/// So many processes, in their order by name, and the messages of each pair.
fn arranged(processes: usize, pairs: &[((u32, u32), u32)]) -> Vec<u32> {
    let components = components(processes, pairs);
    let mut order: Vec<u32> = (0..processes as u32).collect();
    order.sort_by_key(|process| components[*process as usize]);
    let mut best = (length(&order, pairs), order.clone());
    for _ in 0..PASSES {
        let place = places(&order);
        let mut sums = vec![(0.0, 0.0); processes];
        for ((one, other), messages) in pairs {
            let weight = f64::from(*messages);
            for (to, from) in [(*one, *other), (*other, *one)] {
                let sum = &mut sums[to as usize];
                sum.0 += weight * f64::from(place[from as usize]);
                sum.1 += weight;
            }
        }
        // Half of the way only: all clients of a server would move to its own place.
        let target = |process: u32| {
            let (sum, weight) = sums[process as usize];
            let here = f64::from(place[process as usize]);
            match weight {
                0.0 => here,
                weight => (here + sum / weight) / 2.0,
            }
        };
        order.sort_by(|a, b| {
            let component = |process: &u32| components[*process as usize];
            component(a)
                .cmp(&component(b))
                .then_with(|| target(*a).total_cmp(&target(*b)))
                .then_with(|| place[*a as usize].cmp(&place[*b as usize]))
        });
        let length = length(&order, pairs);
        if length < best.0 {
            best = (length, order.clone());
        }
    }
    best.1
}

fn places(order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, process) in (0..).zip(order) {
        places[*process as usize] = place;
    }
    places
}

/// How many lanes all messages cross together.
fn length(order: &[u32], pairs: &[((u32, u32), u32)]) -> u64 {
    let place = places(order);
    let length = |((one, other), messages): &((u32, u32), u32)| {
        let lanes = place[*one as usize].abs_diff(place[*other as usize]);
        u64::from(lanes) * u64::from(*messages)
    };
    pairs.iter().map(length).sum()
}

/// The first process of those that each exchanges messages with, also through others.
fn components(processes: usize, pairs: &[((u32, u32), u32)]) -> Vec<u32> {
    let mut first: Vec<u32> = (0..processes as u32).collect();
    fn of(first: &mut [u32], mut process: u32) -> u32 {
        while first[process as usize] != process {
            let next = first[process as usize];
            first[process as usize] = first[next as usize];
            process = next;
        }
        process
    }
    for ((one, other), _) in pairs {
        let (one, other) = (of(&mut first, *one), of(&mut first, *other));
        first[one.max(other) as usize] = one.min(other);
    }
    (0..processes as u32)
        .map(|process| of(&mut first, process))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn star(centre: u32, leaves: impl Iterator<Item = u32>) -> Vec<((u32, u32), u32)> {
        leaves
            .map(|leaf| ((centre.min(leaf), centre.max(leaf)), 2))
            .collect()
    }

    #[test]
    fn a_server_is_among_its_clients() {
        // Twelve clients, and the server after them by name.
        let order = arranged(13, &star(12, 0..12));
        let at = order.iter().position(|process| *process == 12).unwrap();
        assert!((5..=7).contains(&at), "{order:?}");
        // The clients keep their order.
        let clients: Vec<u32> = order.into_iter().filter(|process| *process != 12).collect();
        assert!(clients.is_sorted(), "{clients:?}");
    }

    #[test]
    fn separate_groups_stay_apart() {
        // By name the members of two groups alternate.
        let (even, odd) = (
            star(0, [2, 4, 6].into_iter()),
            star(1, [3, 5, 7].into_iter()),
        );
        let pairs = [even, odd].concat();
        let order = arranged(9, &pairs);
        let group = |place: usize| order[place] % 2;
        assert!(
            (0..3).all(|place| group(place) == group(place + 1)),
            "{order:?}"
        );
        assert!(
            (4..7).all(|place| group(place) == group(place + 1)),
            "{order:?}"
        );
        assert_eq!(order[8], 8, "alone");
    }

    #[test]
    fn a_chain_is_straightened() {
        let pairs = [((0, 3), 5), ((1, 3), 5), ((1, 4), 5), ((2, 4), 5)];
        let by_name = length(&[0, 1, 2, 3, 4], &pairs);
        let order = arranged(5, &pairs);
        assert!(length(&order, &pairs) < by_name, "{order:?}");
    }

    #[test]
    fn equals_keep_the_order_of_their_names() {
        let pairs: Vec<_> = (0..6)
            .flat_map(|one| (one + 1..6).map(move |other| ((one, other), 3)))
            .collect();
        assert_eq!(arranged(6, &pairs), [0, 1, 2, 3, 4, 5]);
        assert_eq!(arranged(0, &[]), [0_u32; 0]);
    }
}
