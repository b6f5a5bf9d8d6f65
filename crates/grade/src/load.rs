//! How busy this machine is.

use common::{parallel::processors, sys::process_table};

/// How many processes that run or wait to run there may be for each processor until the machine is busy: then a program that
/// is late may have had no turn.
const BUSY: usize = 8;

/// Whether more run than this machine has room for: now, or in the last minute.
pub fn is_busy() -> bool {
    is_above(process_table::load(), BUSY * processors())
}

fn is_above(numbers: [Option<usize>; 2], most: usize) -> bool {
    numbers.into_iter().flatten().any(|number| number >= most)
}

#[cfg(test)]
mod tests {
    use super::is_above;

    #[test]
    fn the_last_minute_and_now_are_looked_at() {
        assert!(is_above([Some(16), Some(2)], 16));
        assert!(is_above([Some(0), Some(17)], 16));
        assert!(!is_above([Some(15), Some(3)], 16));
        assert!(!is_above([None, None], 16));
    }
}
