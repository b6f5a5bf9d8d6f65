//! The quorums of processes by which Maekawa's algorithm excludes: any two share a process.
//!
//! Where a finite projective plane gives them, they are as small as can be, about √N (Maekawa 1985); otherwise those of a
//! grid, about 2√N.

use std::collections::BTreeSet;

use common::process::ids::ProcessId;

/// Perfect difference sets (Singer 1938): every other number modulo N is the difference of two of their numbers in one way. So
/// the sets that follow from one by shifting are the lines of a finite projective plane: each two share one number.
const DIFFERENCES: [(usize, &[usize]); 5] = [
    (3, &[0, 1]),
    (7, &[0, 1, 3]),
    (13, &[0, 1, 3, 9]),
    (21, &[0, 3, 4, 9, 11]),
    (31, &[0, 4, 10, 23, 24, 26]),
];

/// The quorum of a process in a group of N. Each process is in its own.
pub fn quorum(me: ProcessId, processes: usize) -> BTreeSet<ProcessId> {
    let plane = DIFFERENCES.iter().find(|(count, _)| *count == processes);
    match plane {
        Some((_, differences)) => differences
            .iter()
            .map(|difference| ProcessId::at((me.index() + difference) % processes))
            .collect(),
        None => grid(me, processes),
    }
}

/// A row and a column of the square in which the processes stand row by row. A last row that is not full shares a process
/// with every other quorum all the same: its columns go through all rows above.
fn grid(me: ProcessId, processes: usize) -> BTreeSet<ProcessId> {
    let side = (1..=processes).find(|side| side * side >= processes);
    let side = side.unwrap_or(1);
    let place = |process: ProcessId| (process.index() / side, process.index() % side);
    let (row, column) = place(me);
    let all = ProcessId::all(processes);
    all.filter(|other| place(*other).0 == row || place(*other).1 == column)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_two_quorums_share_a_process() {
        for processes in 1..=100 {
            let all: Vec<_> = ProcessId::all(processes)
                .map(|me| quorum(me, processes))
                .collect();
            let side = (processes as f64).sqrt().ceil() as usize;
            for (index, one) in all.iter().enumerate() {
                assert!(one.contains(&ProcessId::at(index)), "{processes} {index}");
                assert!(one.len() < 2 * side.max(1), "{processes}: {one:?}");
                for other in &all {
                    assert!(!one.is_disjoint(other), "{processes}: {one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn the_lines_of_a_plane_are_as_small_as_can_be() {
        for (processes, differences) in DIFFERENCES {
            let size = differences.len();
            // N = K(K - 1) + 1.
            assert_eq!(size * (size - 1) + 1, processes);
            let one = quorum(ProcessId(0), processes);
            for other in ProcessId::all(processes).skip(1) {
                let other = quorum(other, processes);
                assert_eq!((other.len(), one.intersection(&other).count()), (size, 1));
            }
        }
    }
}
