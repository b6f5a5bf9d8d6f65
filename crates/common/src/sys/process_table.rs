//! The processes of this machine: whose children they are, and what they take.
//!
//! | | Linux | macOS, BSD, Windows |
//! | --- | --- | --- |
//! | source | `/proc` (proc(5)) | the crate sysinfo |
//! | tasks | processes and threads | processes |
//! | memory that processes share | once in all, on request | once for each |

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod other;

#[cfg(target_os = "linux")]
use self::linux as system;
#[cfg(not(target_os = "linux"))]
use self::other as system;

use std::collections::BTreeMap;

pub use super::types::Process;

/// How many processes the system shows.
pub fn count() -> usize {
    system::count()
}

/// All of them, by number. One that ends meanwhile is left out.
pub fn read() -> BTreeMap<u32, Process> {
    system::read()
}

/// The memory of a process in bytes, of which a page that N processes share counts 1/N for each; None when it has ended,
/// or the system does not say.
pub fn proportional(number: u32) -> Option<u64> {
    system::proportional(number)
}

/// How many processes run or wait for a processor: on average in the last minute, and now where the system says that.
/// Rounded down.
pub fn load() -> [Option<usize>; 2] {
    system::load()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_in_the_table() {
        let all = read();
        let own = all[&std::process::id()];
        assert!(own.tasks >= 1 && own.resident > 1 << 20, "{own:?}");
        assert!(count() > 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn shared_memory_counts_in_part_and_the_load_is_known() {
        let own = std::process::id();
        let part = proportional(own).unwrap();
        assert!(part > 1 << 18, "{part}");
        assert_eq!(proportional(u32::MAX), None);
        assert!(load().iter().all(Option::is_some));
    }
}
