//! What the kernel says in `/proc` and of control groups.

mod cgroup;
mod kernel;

use std::{os::unix::process::CommandExt, process::Command};

use self::cgroup::Groups;
pub use self::kernel::{descriptors, processes_limit as processes, resident};
use crate::sys::types::{Left, Resource};

/// What is left of these resources, with some for everything else, by each limit that binds it.
pub fn left(wanted: &[Resource]) -> Vec<Left> {
    let groups = Groups::read();
    let of = |of: Resource| -> Vec<(u64, String)> {
        match of {
            Resource::Mappings => kernel::maps().into_iter().collect(),
            Resource::Tasks => kernel::tasks().into_iter().chain(groups.tasks()).collect(),
            Resource::AddressSpace => kernel::address_space(),
            Resource::Memory => kernel::memory()
                .into_iter()
                .chain(groups.memory())
                .collect(),
        }
    };
    let all = wanted.iter().flat_map(|wanted| {
        let lefts = of(*wanted).into_iter();
        lefts.map(|(left, limit)| Left {
            of: *wanted,
            left,
            limit,
        })
    });
    all.collect()
}

/// Starts this program anew with a single memory arena where its address space is limited: glibc reserves 64 MiB for
/// each thread's arena, up to eight a processor, which would leave nothing for the threads. To be called first.
pub fn save_address_space() {
    const ARENAS: &str = "MALLOC_ARENA_MAX";
    if kernel::address_space_limit().is_none() || std::env::var_os(ARENAS).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(name)) = (std::env::current_exe(), arguments.next()) {
        // Returns only if it fails; then the program goes on as it is.
        let _ = Command::new(program)
            .arg0(name)
            .args(arguments)
            .env(ARENAS, "1")
            .exec();
    }
}
