//! What the kernel says of this process and of the machine, in `/proc`: each number is what is left for more, beside
//! the limit that it comes from.

use std::{
    fs,
    io::{self, Read},
    str::FromStr,
};

pub(super) const KIB: u64 = 1024;
pub(super) const MIB: u64 = 1024 * KIB;

/// What is left, and the limit.
type Left = (u64, String);

/// The limits of this process.
const LIMITS: &str = "/proc/self/limits";

/// The memory of the machine.
const MEMORY: &str = "/proc/meminfo";

/// How much address space is left for everything that is not asked for here.
const SPARE_ADDRESS_SPACE: u64 = 4 * MIB;

/// How much memory is left to the machine.
const SPARE_MEMORY: u64 = 16 * MIB;

/// How many mappings are left for everything that is not asked for here, or an eighth of all.
const SPARE_MAPS: u64 = 512;

/// Memory mappings.
pub(super) fn maps() -> Option<Left> {
    let most: u64 = number("/proc/sys/vm/max_map_count")?;
    let spare = SPARE_MAPS.min(most / 8);
    let left = most.saturating_sub(lines("/proc/self/maps")? + spare);
    Some((left, format!("vm.max_map_count is {most}")))
}

/// Tasks of the whole machine.
pub(super) fn tasks() -> Vec<Left> {
    // `0.00 0.01 0.05 2/345 6789`: 345 tasks exist.
    let load = text("/proc/loadavg").unwrap_or_default();
    let Some(tasks) = load
        .split_whitespace()
        .nth(3)
        .and_then(|tasks| tasks.split_once('/')?.1.parse::<u64>().ok())
    else {
        return Vec::new();
    };
    ["threads-max", "pid_max"]
        .into_iter()
        .filter_map(|name| {
            let most: u64 = number(&format!("/proc/sys/kernel/{name}"))?;
            let limit = format!("kernel.{name} is {most}");
            Some((most.saturating_sub(tasks), limit))
        })
        .collect()
}

/// Address space, in bytes.
pub(super) fn address_space() -> Vec<Left> {
    let mut left = Vec::new();
    let limits = text(LIMITS).unwrap_or_default();
    for (limit, used, flag) in [
        ("Max address space", "VmSize:", "-v"),
        ("Max data size", "VmData:", "-d"),
    ] {
        if let Some(most) = soft_limit(&limits, limit)
            && let Some(used) = kilobytes(&text("/proc/self/status").unwrap_or_default(), used)
        {
            let free = most.saturating_sub(used * KIB + SPARE_ADDRESS_SPACE);
            left.push((free, format!("ulimit {flag} is {}", most / KIB)));
        }
    }
    // The kernel promises no more than it has.
    if number("/proc/sys/vm/overcommit_memory") == Some(2)
        && let Some(memory) = text(MEMORY)
        && let Some(most) = kilobytes(&memory, "CommitLimit:")
        && let Some(used) = kilobytes(&memory, "Committed_AS:")
    {
        let free = (most.saturating_sub(used) * KIB).saturating_sub(SPARE_MEMORY);
        let limit = "vm.overcommit_memory is 2, and so much is committed";
        left.push((free, limit.to_owned()));
    }
    left
}

/// The limit of this process's address space, in bytes.
pub(super) fn address_space_limit() -> Option<u64> {
    soft_limit(&text(LIMITS)?, "Max address space")
}

/// The limit of this user's threads and processes, which does not bind the administrator. How many there are, the kernel
/// does not say.
pub fn processes_limit() -> Option<String> {
    let status = text("/proc/self/status")?;
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    if user.split_whitespace().nth(1) == Some("0") {
        return None;
    }
    Some(format!(
        "ulimit -u is {}",
        soft_limit(&text(LIMITS)?, "Max processes")?
    ))
}

/// Memory of the machine, in bytes.
pub(super) fn memory() -> Option<Left> {
    let memory = text(MEMORY)?;
    let free =
        kilobytes(&memory, "MemAvailable:")? + kilobytes(&memory, "SwapFree:").unwrap_or_default();
    let limit = format!("{} MiB of memory are free", free / KIB);
    Some(((free * KIB).saturating_sub(SPARE_MEMORY), limit))
}

/// Memory of this process, in bytes.
pub fn resident() -> Option<u64> {
    Some(kilobytes(&text("/proc/self/status")?, "VmRSS:")? * KIB)
}

/// Descriptors.
pub fn descriptors() -> Option<Left> {
    // Where there is not even one to look with, none is left.
    const EMFILE: i32 = 24;
    let none = |error: &io::Error| error.raw_os_error() == Some(EMFILE);
    let limit = text(LIMITS).and_then(|limits| soft_limit(&limits, "Max open files"));
    let (most, open) = match (limit, fs::read_dir("/proc/self/fd")) {
        (Some(most), Ok(open)) => (most, open),
        (_, Err(error)) if none(&error) => return Some((0, "too many are open".to_owned())),
        _ => return None,
    };
    // The limit is one of numbers: a parent may have left one open beyond it. And one reads this very folder.
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let below = numbers.filter(|number| *number < most).count() as u64;
    let left = most.saturating_sub(below.saturating_sub(1));
    Some((left, format!("ulimit -n is {most}")))
}

/// A soft limit in [`LIMITS`]; None where it is unlimited.
fn soft_limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A line such as `VmSize:    1234 kB`.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// A file with one number.
pub(super) fn number<T: FromStr>(path: &str) -> Option<T> {
    text(path)?.trim().parse().ok()
}

pub(super) fn text(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

/// How many lines a file has, without memory of its size: a process with many threads has many mappings.
fn lines(path: &str) -> Option<u64> {
    let mut file = fs::File::open(path).ok()?;
    let mut chunk = [0; 16 * 1024];
    let mut lines = 0;
    loop {
        match file.read(&mut chunk).ok()? {
            0 => return Some(lines),
            length => {
                lines += chunk[..length]
                    .iter()
                    .filter(|byte| **byte == b'\n')
                    .count() as u64
            }
        }
    }
}
