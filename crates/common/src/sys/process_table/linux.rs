//! The processes of Linux, by /proc: proc(5).

use std::{collections::BTreeMap, fs};

use crate::sys::types::Process;

/// The size of a page of memory in bytes, on the machines whose processes are looked at so.
const PAGE: u64 = 4096;

fn numbers() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub(super) fn count() -> usize {
    numbers().count()
}

pub(super) fn read() -> BTreeMap<u32, Process> {
    let all = numbers().filter_map(|number| Some((number, process(number)?)));
    all.collect()
}

/// Reads /proc/NUMBER/stat: proc_pid_stat(5).
fn process(number: u32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // The name, in brackets, may have anything in it.
    let (_, after) = text.rsplit_once(')')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let pages: u64 = fields.get(21)?.parse().ok()?;
    Some(Process {
        parent: fields.get(1)?.parse().ok()?,
        tasks: fields.get(17)?.parse().ok()?,
        resident: pages * PAGE,
    })
}

/// The proportional set size.
pub(super) fn proportional(number: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{number}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}

pub(super) fn load() -> [Option<usize>; 2] {
    numbers_of(&fs::read_to_string("/proc/loadavg").unwrap_or_default())
}

/// `0.20 3.00 1.00 17/400 123`: the average of the last minute, and of all tasks those that run or wait (proc_loadavg(5)).
fn numbers_of(text: &str) -> [Option<usize>; 2] {
    let fields: Vec<&str> = text.split_whitespace().collect();
    [0, 3].map(|at| fields.get(at)?.split(['.', '/']).next()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::numbers_of;

    #[test]
    fn the_last_minute_and_now_are_read() {
        let numbers = numbers_of("16.20 3.00 1.00 2/400 123");
        assert_eq!(numbers, [Some(16), Some(2)]);
        assert_eq!(numbers_of("0.99 3.00"), [Some(0), None]);
        assert_eq!(numbers_of(""), [None, None]);
    }
}
