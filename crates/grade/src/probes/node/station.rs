//! Wireless networks, another one for each seed, so that no node can know who leads in them.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

/// A wireless network, as the flags of `lamport run` have it.
#[derive(Debug)]
pub(super) struct Station {
    pub(super) links: String,
    pub(super) capacities: String,
    capacity: Vec<u64>,
}

/// The nodes in a random order.
fn shuffled(count: usize, random: &mut Pcg64Mcg) -> Vec<usize> {
    let mut nodes: Vec<usize> = (1..=count).collect();
    nodes.shuffle(random);
    nodes
}

/// A capacity for each node.
fn capacities(count: usize, random: &mut Pcg64Mcg) -> Vec<u64> {
    (0..count).map(|_| random.random_range(1..=6)).collect()
}

impl Station {
    fn new(links: &[(usize, usize)], capacity: Vec<u64>) -> Self {
        let links: Vec<_> = links
            .iter()
            .map(|(one, other)| format!("n{one}-n{other}"))
            .collect();
        let words: Vec<_> = capacity.iter().map(u64::to_string).collect();
        Self {
            links: links.join(","),
            capacities: words.join(","),
            capacity,
        }
    }

    /// Some network in which all nodes are connected.
    pub(super) fn connected(count: usize, seed: u64) -> Self {
        let random = &mut Pcg64Mcg::seed_from_u64(seed);
        let nodes = shuffled(count, random);
        let mut links: Vec<_> = (1..count)
            .map(|place| (nodes[random.random_range(0..place)], nodes[place]))
            .collect();
        // One more way: there is a circle, or a link is named twice.
        let (one, other) = (nodes[0], nodes[count - 1]);
        if count > 2 {
            links.push((one, other));
        }
        Self::new(&links, capacities(count, random))
    }

    /// Nodes in a row: those at its ends have the greatest capacity.
    pub(super) fn row(count: usize, seed: u64) -> Self {
        let random = &mut Pcg64Mcg::seed_from_u64(seed);
        let nodes = shuffled(count, random);
        let links: Vec<_> = nodes.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let mut capacity = capacities(count, random);
        for end in [nodes[0], nodes[count - 1]] {
            capacity[end - 1] = 9;
        }
        Self::new(&links, capacity)
    }

    /// The number of the best node.
    pub(super) fn best(&self) -> usize {
        let nodes = self.capacity.iter().zip(1..);
        nodes.max().map_or(1, |(_, node)| node)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn seeds_have_networks_with_different_leaders() {
        let all: Vec<_> = (1..=40).map(|seed| Station::connected(5, seed)).collect();
        let bests: BTreeSet<_> = all.iter().map(Station::best).collect();
        assert_eq!(bests.len(), 5, "{bests:?}");
        let links: BTreeSet<_> = all.iter().map(|it| it.links.as_str()).collect();
        assert!(links.len() > 30, "{links:?}");
        let row = Station::row(6, 3);
        let first: usize = row.links[1..2].parse().unwrap();
        assert_eq!(row.capacity[first - 1], 9);
        assert_eq!(row.capacity[row.best() - 1], 9);
    }
}
