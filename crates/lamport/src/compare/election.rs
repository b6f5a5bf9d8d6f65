//! The messages of an election, from the first that is sent to the last announcement of the leader: in the best and in the worst
//! case, and on average over the processes that may notice a crash first, or over rings that are arranged by chance.

mod group;

use common::process::ids::ProcessId;
use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;

use super::row::Row;
use crate::algorithms::{Algorithm, bully::Bully, ring::Ring, wireless::Wireless};

use group::Group;

/// The algorithms that elect a leader. Each has its cases in `measured`, and what is published of it in `published`.
pub const ALGORITHMS: [Algorithm; 3] = [Algorithm::Bully, Algorithm::Ring, Algorithm::Wireless];

/// The rings of an average.
const ARRANGEMENTS: usize = 1000;

/// Measures an algorithm: the best case, the average, the worst case.
pub fn measure(algorithm: Algorithm, processes: usize, seed: u64) -> Row {
    Row {
        processes,
        algorithm,
        measured: measured(algorithm, processes, seed).to_vec(),
        published: published(algorithm, processes).to_vec(),
    }
}

fn measured(algorithm: Algorithm, processes: usize, seed: u64) -> [f64; 3] {
    match algorithm {
        // At best the highest of the others notices it first, at worst the lowest; on average each of them as often.
        Algorithm::Bully => {
            let first = ProcessId::all(processes - 1);
            let cases: Vec<_> = first.map(|first| bully(processes, first)).collect();
            [cases[cases.len() - 1] as f64, mean(&cases), cases[0] as f64]
        }
        // In a grid. At best one process starts, on average each of them as often; at worst all start at once.
        Algorithm::Wireless => {
            let all = || ProcessId::all(processes);
            let cases: Vec<_> = all().map(|source| wireless(processes, [source])).collect();
            let best = cases.iter().min().copied().unwrap_or_default();
            [best as f64, mean(&cases), wireless(processes, all()) as f64]
        }
        // All start at once. At best each is followed by a greater one, at worst by a smaller one.
        _ => {
            let in_order: Vec<_> = ProcessId::all(processes).collect();
            let reversed: Vec<_> = in_order.iter().rev().copied().collect();
            [
                ring(&in_order) as f64,
                ring_on_average(in_order.clone(), seed),
                ring(&reversed) as f64,
            ]
        }
    }
}

/// The best case, the average and the worst case, as published.
fn published(algorithm: Algorithm, processes: usize) -> [Option<f64>; 3] {
    let n = processes as f64;
    match algorithm {
        // Garcia-Molina 1982. Best: the next one announces itself to the N−2 others. Worst: from the lowest on, with each of
        // the others an election and its answer, and the announcement, (N−1)²−1.
        Algorithm::Bully => [Some(n - 2.0), None, Some((n - 1.0) * (n - 1.0) - 1.0)],
        // Vasudevan, Kurose & Towsley 2004 measure, and give no formula.
        Algorithm::Wireless => [None; 3],
        // Chang & Roberts 1979, when all start: 2N−1, N(N+1)/2, and on average over all arrangements of the numbers N times
        // the harmonic number of N. To each, N messages of the announcement, which the paper does not count.
        _ => {
            let harmonic: f64 = (1..=processes).map(|k| 1.0 / k as f64).sum();
            [2.0 * n - 1.0, n * harmonic, n * (n + 1.0) / 2.0].map(|passes| Some(passes + n))
        }
    }
}

/// When the coordinator, the highest, has crashed, and this process notices it first: it asks the higher ones, who notice it then.
fn bully(processes: usize, first: ProcessId) -> u64 {
    let mut group = Group::<Bully>::new(processes);
    let coordinator = ProcessId::at(processes - 1);
    group.elect(coordinator);
    group.receive_all();
    group.crash(coordinator);
    let before = group.sent();
    let asked = ProcessId::all(processes - 1).filter(|process| *process >= first);
    asked.for_each(|process| group.suspect(process, coordinator));
    group.receive_all();
    group.sent() - before
}

/// When these processes of a wireless network start an election.
fn wireless(processes: usize, sources: impl IntoIterator<Item = ProcessId>) -> u64 {
    let mut group = Group::<Wireless>::new(processes);
    sources.into_iter().for_each(|source| group.elect(source));
    group.receive_all();
    group.sent()
}

fn mean(cases: &[u64]) -> f64 {
    cases.iter().sum::<u64>() as f64 / cases.len() as f64
}

/// When all processes of a ring in this order start an election at once.
fn ring(order: &[ProcessId]) -> u64 {
    let mut group = Group::<Ring>::in_a_ring(order);
    ProcessId::all(order.len()).for_each(|process| group.elect(process));
    group.receive_all();
    group.sent()
}

/// In rings that are arranged by chance.
fn ring_on_average(mut order: Vec<ProcessId>, seed: u64) -> f64 {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let mut arranged = || {
        order.shuffle(&mut random);
        ring(&order) as f64
    };
    (0..ARRANGEMENTS).map(|_| arranged()).sum::<f64>() / ARRANGEMENTS as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::wireless::network::Network;

    #[test]
    fn elections_need_the_messages_that_were_published() {
        for processes in [3, 5, 9, 17, 33] {
            for algorithm in ALGORITHMS {
                let [best, average, worst] = measured(algorithm, processes, 1);
                let published = published(algorithm, processes);
                let case = format!("{algorithm:?} {processes}: {average} {published:?}");
                assert!((best..=worst).contains(&average), "{case}");
                let n = processes as f64;
                if algorithm == Algorithm::Wireless {
                    // Each process asks its neighbours but its parent; each is answered; the leader is announced in the same way.
                    let network = Network::of(processes);
                    let ends = ProcessId::all(processes).map(|me| network.neighbours(me).len());
                    let asked = ends.sum::<usize>() as f64 - (n - 1.0);
                    assert_eq!((best, average), (3.0 * asked, 3.0 * asked), "{case}");
                    continue;
                }
                assert_eq!(
                    [Some(best), Some(worst)],
                    [published[0], published[2]],
                    "{case}"
                );
                match published[1] {
                    // A thousand arrangements: the standard error is below 1%.
                    Some(expected) => assert!((average / expected - 1.0).abs() < 0.02, "{case}"),
                    // m(m−1) elections and answers of the m highest, and N−2 announcements: their mean.
                    None => assert!(
                        (average - (n - 2.0) * (n + 3.0) / 3.0).abs() < 1e-9,
                        "{case}"
                    ),
                }
            }
        }
    }

    #[test]
    fn the_table_of_five_processes() {
        let of = |algorithm| published(algorithm, 5);
        assert_eq!(of(Algorithm::Bully), [Some(3.0), None, Some(15.0)]);
        let [best, average, worst] = of(Algorithm::Ring).map(Option::unwrap);
        assert_eq!((best, worst), (14.0, 20.0));
        // 5 (1 + 1/2 + 1/3 + 1/4 + 1/5) + 5.
        assert!((average - (137.0 / 12.0 + 5.0)).abs() < 1e-9);
    }

    #[test]
    fn over_all_arrangements_the_average_is_that_of_the_theorem() {
        // Heap's algorithm.
        fn all(order: &mut Vec<ProcessId>, first: usize, sums: &mut (u64, u64)) {
            if first == 1 {
                *sums = (sums.0 + ring(order), sums.1 + 1);
                return;
            }
            for at in 0..first {
                all(order, first - 1, sums);
                let other = if first.is_multiple_of(2) { at } else { 0 };
                order.swap(other, first - 1);
            }
        }
        for processes in 2..=6 {
            let mut sums = (0, 0);
            all(
                &mut ProcessId::all(processes).collect(),
                processes,
                &mut sums,
            );
            let average = sums.0 as f64 / sums.1 as f64;
            let [_, expected, _] = published(Algorithm::Ring, processes);
            assert!(
                (average - expected.unwrap()).abs() < 1e-9,
                "{processes}: {average}"
            );
        }
    }
}
