//! The processes of macOS, BSD and Windows.

use std::collections::BTreeMap;

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::sys::types::Process;

fn system(what: ProcessRefreshKind) -> System {
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, what);
    system
}

pub(super) fn count() -> usize {
    system(ProcessRefreshKind::nothing()).processes().len()
}

pub(super) fn read() -> BTreeMap<u32, Process> {
    let system = system(ProcessRefreshKind::nothing().with_memory());
    let all = system.processes().iter().map(|(number, process)| {
        let shown = Process {
            parent: process.parent().map_or(0, Pid::as_u32),
            tasks: 1,
            resident: process.memory(),
        };
        (number.as_u32(), shown)
    });
    all.collect()
}

pub(super) fn proportional(_: u32) -> Option<u64> {
    None
}

/// Windows has no such average; the crate takes one of its own, which is 0 at first.
pub(super) fn load() -> [Option<usize>; 2] {
    [Some(System::load_average().one as usize), None]
}
