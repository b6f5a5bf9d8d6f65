//! How busy this machine is.

use std::fs;

use common::parallel::processors;

/// How many processes that run or wait to run there may be for each processor until the machine is busy: then a program that
/// is late may have had no turn.
const BUSY: usize = 8;

/// Whether more run than this machine has room for: now, or in the last minute (proc_loadavg(5)).
pub fn is_busy() -> bool {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    is_above(&text, BUSY * processors())
}

/// Whether the average of the last minute or the number of now is above this.
fn is_above(text: &str, most: usize) -> bool {
    let fields: Vec<&str> = text.split_whitespace().collect();
    let whole = |text: &str| text.split(['.', '/']).next()?.parse::<usize>().ok();
    let numbers = [fields.first(), fields.get(3)].into_iter().flatten();
    numbers
        .filter_map(|text| whole(text))
        .any(|number| number >= most)
}

#[cfg(test)]
mod tests {
    use super::is_above;

    #[test]
    fn the_last_minute_and_now_are_looked_at() {
        assert!(is_above("16.20 3.00 1.00 2/400 123", 16));
        assert!(is_above("0.20 3.00 1.00 17/400 123", 16));
        assert!(!is_above("15.99 30.00 40.00 3/400 123", 16));
        assert!(!is_above("", 16));
    }
}
