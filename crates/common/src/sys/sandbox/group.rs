//! A control group of Linux that keeps a program from starting processes without end: the kernel refuses them. Where it
//! cannot be made, which takes root and Linux, others count them.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::Duration,
};

use crate::sys::Feature;

/// Where control groups of the controller `pids` are: version 1, and version 2 (cgroups(7)).
const ROOTS: [&str; 2] = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"];
/// Between two tries to remove a group whose processes are still ending.
const AGAIN: Duration = Duration::from_millis(10);
/// How often that is tried.
const TRIES: u32 = 200;

/// A control group, removed when it is dropped.
#[derive(Debug)]
pub struct Group(PathBuf);

impl Group {
    /// A group of at most so many processes and threads, where one can be made.
    pub fn new(tasks: u64) -> Option<Self> {
        // Under Wine, Linux's folder of groups is there.
        if !Feature::Namespaces.is_there() {
            return None;
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("grade-{}-{number}", std::process::id());
        ROOTS.iter().find_map(|root| {
            if *root == ROOTS[1] {
                // Without the controller there, the group has no limit to write below.
                let _ = fs::write(Path::new(root).join("cgroup.subtree_control"), "+pids");
            }
            let group = Path::new(root).join(&name);
            fs::create_dir(&group).ok()?;
            let group = Self(group);
            fs::write(group.0.join("pids.max"), tasks.to_string()).ok()?;
            Some(group)
        })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..TRIES {
            if fs::remove_dir(&self.0).is_ok() {
                return;
            }
            thread::sleep(AGAIN);
        }
    }
}

/// Whether the kernel has refused a process in this group.
pub fn has_refused(group: &Path) -> bool {
    let events = fs::read_to_string(group.join("pids.events")).unwrap_or_default();
    let refused = events.lines().find_map(|line| line.strip_prefix("max "));
    refused.is_some_and(|count| count.trim() != "0")
}
