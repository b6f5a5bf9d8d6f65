//! The processes as the leaves of a tree of domains, as networks are parts of larger ones: who hosts what a domain needs, and
//! how far two processes are apart.

use common::process::ids::ProcessId;

/// The level of a domain: a process is a domain of level 0.
pub type Level = u8;

/// A tree of domains over N processes. Each domain of level n + 1 consists of up to `fanout` domains of level n that are
/// numbered one after another.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Domains {
    processes: u64,
    fanout: u64,
    root: Level,
}

impl Domains {
    /// The tree over this many processes.
    ///
    /// # Panics
    /// When the fanout is below 2.
    pub fn new(processes: usize, fanout: u32) -> Self {
        assert!(fanout >= 2, "a fanout of {fanout}");
        let (processes, fanout) = (processes as u64, u64::from(fanout));
        let mut root = 0;
        let mut size = 1;
        while size < processes {
            size *= fanout;
            root += 1;
        }
        Self {
            processes,
            fanout,
            root,
        }
    }

    /// The level of the root, whose domain has all processes.
    pub fn root(self) -> Level {
        self.root
    }

    /// How many processes a whole domain of this level has.
    fn size(self, level: Level) -> u64 {
        self.fanout.pow(level.into())
    }

    /// The number of the domain of this level in which the process is.
    pub fn domain(self, level: Level, process: ProcessId) -> u32 {
        (u64::from(process.0) / self.size(level)) as u32
    }

    /// Whether there is such a domain: a message may say anything.
    pub fn has(self, level: Level, domain: u32) -> bool {
        let first = |size| u64::from(domain).checked_mul(size);
        level <= self.root && first(self.size(level)).is_some_and(|first| first < self.processes)
    }

    /// Whether there is such a process.
    pub fn has_process(self, process: ProcessId) -> bool {
        u64::from(process.0) < self.processes
    }

    /// The process that hosts what the domain needs: one of its own, which depends on the domain, so that the domains around a
    /// process do not all burden the same one.
    pub fn host(self, level: Level, domain: u32) -> ProcessId {
        let size = self.size(level);
        let first = u64::from(domain) * size;
        let members = size.min(self.processes.saturating_sub(first)).max(1);
        let mixed = mix(u64::from(domain) << 8 | u64::from(level));
        ProcessId((first + mixed % members) as u32)
    }

    /// The level of the smallest domain in which both processes are: how far they are apart.
    pub fn distance(self, one: ProcessId, other: ProcessId) -> Level {
        let (mut one, mut other) = (u64::from(one.0), u64::from(other.0));
        let mut level = 0;
        while one != other {
            one /= self.fanout;
            other /= self.fanout;
            level += 1;
        }
        level
    }
}

/// Spreads numbers that are close to one another: the finaliser of SplitMix64 (Steele, Lea & Flood 2014).
pub fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_in_its_domain() {
        for processes in [1, 2, 4, 5, 63, 64, 65] {
            let domains = Domains::new(processes, 4);
            for process in ProcessId::all(processes) {
                assert_eq!(domains.host(0, domains.domain(0, process)), process);
                for level in 0..=domains.root() {
                    let domain = domains.domain(level, process);
                    let host = domains.host(level, domain);
                    assert!(host.index() < processes);
                    assert_eq!(domains.domain(level, host), domain);
                }
            }
        }
    }

    #[test]
    fn the_distance_is_the_level_of_the_common_domain() {
        let domains = Domains::new(64, 4);
        assert_eq!(domains.root(), 3);
        let distance = |one, other| domains.distance(ProcessId(one), ProcessId(other));
        assert_eq!(
            [
                distance(5, 5),
                distance(4, 7),
                distance(0, 15),
                distance(0, 63)
            ],
            [0, 1, 2, 3]
        );
        assert_eq!(Domains::new(1, 4).root(), 0);
    }
}
