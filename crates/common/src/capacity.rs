//! What the system can still give this process: threads, memory, descriptors.
//!
//! A thread whose stack could be mapped may still abort the process: std maps an alternative signal stack in the new
//! thread and panics when that fails, and an allocation that fails aborts. So a program asks before it starts a thread,
//! and starts none that could end so. Where the system does not say, there is no limit.

use std::{
    fmt::Display,
    io,
    sync::Arc,
    thread::{self, Scope, ScopedJoinHandle},
};

pub use crate::sys::limits::{resident, save_address_space, stack};
use crate::{
    exit::{Failure, why},
    sys::limits::{self, Resource},
};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// What one of something takes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Tasks: threads and processes.
    pub tasks: u64,
    /// Memory mappings.
    pub maps: u64,
    /// Address space, in bytes.
    pub address_space: u64,
    /// Memory, with the kernel's, in bytes.
    pub memory: u64,
}

impl Cost {
    /// A thread with a stack of this many bytes: two mappings for the stack and two for the alternative signal stack,
    /// as each has a guard page.
    pub const fn thread(stack: usize) -> Self {
        Self {
            tasks: 1,
            maps: 4,
            address_space: stack as u64 + 64 * KIB,
            memory: 48 * KIB,
        }
    }
}

/// For how many more of something there is room, and why for no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Room {
    /// How many.
    pub number: u64,
    /// The limit: `vm.max_map_count is 65530`.
    pub limit: String,
}

impl Room {
    /// The narrowest of these, each what is left, what one takes, and the limit.
    fn narrowest(limits: impl IntoIterator<Item = (u64, u64, String)>) -> Self {
        let rooms = limits.into_iter().filter(|(_, each, _)| *each > 0);
        rooms
            .map(|(left, each, limit)| Self {
                number: left / each,
                limit,
            })
            .min_by_key(|room| room.number)
            .unwrap_or(Self {
                number: u64::MAX,
                limit: String::new(),
            })
    }

    /// Refuses what there is no room for.
    ///
    /// # Errors
    /// `WHAT: room for N more: LIMIT` (exit code 2).
    pub fn require(&self, number: usize, what: impl Display) -> Result<(), Failure> {
        if number as u64 <= self.number {
            return Ok(());
        }
        let why = format!("there is room for {}: {}", self.number, self.limit);
        Err(Failure::could_not_run(what, why))
    }
}

/// For how many more of this cost there is room now, with some left for everything else.
pub fn room(cost: &Cost) -> Room {
    let each = |resource| match resource {
        Resource::Mappings => cost.maps,
        Resource::Tasks => cost.tasks,
        Resource::AddressSpace => cost.address_space,
        Resource::Memory => cost.memory,
    };
    let all = [
        Resource::Mappings,
        Resource::Tasks,
        Resource::AddressSpace,
        Resource::Memory,
    ];
    let wanted: Vec<_> = all.into_iter().filter(|of| each(*of) > 0).collect();
    let lefts = limits::left(&wanted).into_iter();
    Room::narrowest(lefts.map(|left| (left.left, each(left.of), left.limit)))
}

/// How many bytes of memory this process can still take, and the limit: the machine's free memory, its control group,
/// `ulimit -v` and `ulimit -d`.
pub fn memory() -> Room {
    room(&Cost {
        address_space: 1,
        memory: 1,
        ..Cost::default()
    })
}

/// How many more descriptors this process can open.
pub fn descriptors() -> Room {
    Room::narrowest(limits::descriptors().map(|(left, limit)| (left, 1, limit)))
}

/// Why a thread or a process could not be started, with the limit that is the most likely cause.
pub fn no_task(error: &io::Error) -> String {
    let why = why(error);
    if error.kind() != io::ErrorKind::WouldBlock {
        return why;
    }
    let room = room(&Cost {
        tasks: 1,
        ..Cost::default()
    });
    let limit = if room.number < 8 {
        Some(room.limit)
    } else {
        limits::processes()
    };
    limit.map_or(why.clone(), |limit| format!("{why}: {limit}"))
}

/// The failure when a thread could not be started for one of what a flag asks for: `--workers 8: no thread for worker 3: why`
/// (exit code 2).
pub fn no_thread(flag: impl Display, one: impl Display, error: &io::Error) -> Failure {
    Failure::could_not_run(flag, format!("no thread for {one}: {}", no_task(error)))
}

/// How many may be started before the room is measured again.
const AHEAD: u64 = 4096;

/// Allows something to be started one by one, as long as there is room. The room is measured once for many: for half
/// of those that it was sufficient for.
#[derive(Debug)]
pub struct Budget {
    cost: Cost,
    ahead: u64,
    /// Shared with each that was allowed and has not begun: it has yet to take a part of its cost.
    pending: Arc<()>,
}

/// One that was allowed; to be dropped once it has begun, by a thread as the first thing that it does.
#[derive(Debug)]
pub struct Allowed(#[allow(dead_code)] Arc<()>);

impl Budget {
    /// A budget for any number of this cost. The room is measured at once, as there may be no descriptor for that later.
    pub fn new(cost: Cost) -> Self {
        let mut budget = Self {
            cost,
            ahead: 0,
            pending: Arc::default(),
        };
        budget.measure();
        budget
    }

    /// Allows one more.
    ///
    /// # Errors
    /// When there is no room now: `no room for another: LIMIT`.
    pub fn allow(&mut self) -> io::Result<Allowed> {
        if self.ahead == 0 {
            let limit = self.measure();
            if self.ahead == 0 {
                return Err(io::Error::other(format!("no room for another: {limit}")));
            }
        }
        self.ahead -= 1;
        Ok(Allowed(Arc::clone(&self.pending)))
    }

    /// Starts a thread, if there is room for it.
    ///
    /// # Errors
    /// As [`Self::allow`], or when the system has no thread.
    pub fn spawn<'scope, T: Send + 'scope>(
        &mut self,
        scope: &'scope Scope<'scope, '_>,
        name: String,
        stack: usize,
        work: impl FnOnce() -> T + Send + 'scope,
    ) -> io::Result<ScopedJoinHandle<'scope, T>> {
        let allowed = self.allow()?;
        let thread = thread::Builder::new().name(name).stack_size(stack);
        thread.spawn_scoped(scope, move || {
            drop(allowed);
            work()
        })
    }

    /// Measures the room for those that are allowed next; the limit.
    fn measure(&mut self) -> String {
        let pending = Arc::strong_count(&self.pending) as u64 - 1;
        let room = room(&self.cost);
        let half = room.number.saturating_sub(pending).div_ceil(2);
        // Out of descriptors, nothing can be measured for more.
        let most = if room.limit.is_empty() { 1 } else { AHEAD };
        self.ahead = half.min(most);
        room.limit
    }
}

/// Checks that there is room for the threads of the journal and what else every program needs.
///
/// # Errors
/// `start: LIMIT; …` (exit code 2).
pub fn check_start() -> Result<(), Failure> {
    // Three threads with std's stack.
    let usual = Cost {
        tasks: 3,
        maps: 12,
        address_space: 8 * MIB,
        memory: MIB,
    };
    let room = room(&usual);
    if room.number > 0 {
        return Ok(());
    }
    let why = format!("{}; there is no room for its threads", room.limit);
    Err(Failure::could_not_run("start", why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_limit_is_named() {
        let limits = [
            (1000, 4, "maps".to_owned()),
            (90, 1, "tasks".to_owned()),
            (5, 0, "not taken".to_owned()),
        ];
        let room = Room::narrowest(limits);
        assert_eq!((room.number, room.limit.as_str()), (90, "tasks"));
        assert!(room.require(90, "--clients 90").is_ok());
        assert_eq!(
            room.require(91, "--clients 91").unwrap_err().to_string(),
            "--clients 91: there is room for 90: tasks"
        );
        assert_eq!(Room::narrowest([]).number, u64::MAX);
    }

    #[test]
    fn this_machine_has_room_and_the_room_shrinks_by_what_is_taken() {
        let cost = Cost::thread(64 * 1024);
        let before = room(&cost);
        assert!(before.number > 10, "{before:?}");
        assert!(!before.limit.is_empty());
        assert!(memory().number > MIB);
        let before = descriptors();
        let _files: Vec<_> = (0..10)
            .map(|_| std::fs::File::open("/dev/null").unwrap())
            .collect();
        // Other tests of this process open and close files too.
        assert!(descriptors().number < before.number + 5);
    }

    #[test]
    fn what_was_allowed_and_has_not_begun_counts() {
        // More than a few at once would not fit into the memory.
        let free = memory().number;
        let cost = Cost {
            memory: free / 3,
            ..Cost::default()
        };
        let mut budget = Budget::new(cost);
        let allowed: Vec<_> = (0..10).map_while(|_| budget.allow().ok()).collect();
        assert!((1..=4).contains(&allowed.len()), "{}", allowed.len());
        let refused = budget.allow().unwrap_err().to_string();
        assert!(refused.starts_with("no room for another: "), "{refused}");
        // What has begun has taken its part, and here that was nothing.
        drop(allowed);
        assert!(budget.allow().is_ok());
    }
}
