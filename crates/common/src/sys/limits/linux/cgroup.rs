//! The limits of this process's control groups (cgroups(7)), of both versions, on each level up to the root.

use std::path::{Path, PathBuf};

use super::kernel::{MIB, number, text};

/// How much memory is left to the others of a control group, in bytes.
const SPARE_MEMORY: u64 = 8 * MIB;

/// From here on a limit of version 1 is none: it writes the greatest number of whole pages.
const UNLIMITED: u64 = 1 << 62;

/// The control groups of this process.
pub(super) struct Groups {
    groups: String,
    mounts: String,
}

impl Groups {
    pub(super) fn read() -> Self {
        Self {
            groups: text("/proc/self/cgroup").unwrap_or_default(),
            mounts: text("/proc/self/mountinfo").unwrap_or_default(),
        }
    }

    /// Tasks.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (u64, String)> + use<> {
        self.levels("pids").into_iter().filter_map(|level| {
            let most = read(&level, "pids.max")?;
            let used = read(&level, "pids.current")?;
            let limit = format!("pids.max of its control group is {most}");
            Some((most.saturating_sub(used), limit))
        })
    }

    /// Memory, in bytes.
    pub(super) fn memory(&self) -> impl Iterator<Item = (u64, String)> + use<> {
        self.levels("memory").into_iter().filter_map(|level| {
            let (name, most, current) = [
                ("memory.max", "memory.current"),
                ("memory.limit_in_bytes", "memory.usage_in_bytes"),
            ]
            .into_iter()
            .find_map(|(max, current)| Some((max, read(&level, max)?, current)))
            .filter(|(_, most, _)| *most < UNLIMITED)?;
            let used = read(&level, current)?;
            let cached = reclaimable(&text(level.join("memory.stat").to_str()?)?);
            let free = most.saturating_sub(used.saturating_sub(cached) + SPARE_MEMORY);
            let limit = format!("{name} of its control group is {} MiB", most / MIB);
            Some((free, limit))
        })
    }

    /// The folders of the group with this controller, up to the highest that can be seen.
    fn levels(&self, controller: &str) -> Vec<PathBuf> {
        let Some((top, below)) = folder(controller, &self.groups, &self.mounts) else {
            return Vec::new();
        };
        let all = below.ancestors().map(|level| top.join(level));
        all.collect()
    }
}

/// The file cache, which the kernel takes back when memory is short.
fn reclaimable(stat: &str) -> u64 {
    let field = |name: &str| {
        let line = stat.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().parse::<u64>().ok()
    };
    // Of version 1 the sum over all levels below, where there is one.
    field("total_inactive_file ")
        .or_else(|| field("inactive_file "))
        .unwrap_or_default()
}

fn read(level: &Path, name: &str) -> Option<u64> {
    number(level.join(name).to_str()?)
}

/// Where the controller's tree is mounted, and the path of the group below that.
fn folder(controller: &str, groups: &str, mounts: &str) -> Option<(PathBuf, PathBuf)> {
    // `4:memory:/a/b`, and of version 2 `0::/a/b`.
    let group = |wanted: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            wanted(controllers).then(|| path.to_owned())
        })
    };
    // `31 23 0:28 /root /mounted/at rw - cgroup cgroup rw,memory`
    let mount = |kind: &str, option: &str| {
        mounts.lines().find_map(|line| {
            let (mount, system) = line.split_once(" - ")?;
            let mut system = system.split(' ');
            let is_it = system.next()? == kind
                && (option.is_empty() || system.nth(1)?.split(',').any(|part| part == option));
            let mut fields = mount.split(' ').skip(3);
            is_it.then(|| Some((fields.next()?.to_owned(), fields.next()?.to_owned())))?
        })
    };
    let (path, (root, top)) = match group(&|all| all.split(',').any(|one| one == controller)) {
        Some(path) => (path, mount("cgroup", controller)?),
        None => (group(&str::is_empty)?, mount("cgroup2", "")?),
    };
    // In a container the mount may show a part of the tree only.
    let below = path.strip_prefix(root.trim_end_matches('/')).unwrap_or("");
    Some((top.into(), below.trim_start_matches('/').into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(controller: &str, groups: &str, mounts: &str) -> Option<(String, String)> {
        let (top, below) = folder(controller, groups, mounts)?;
        Some((top.to_str()?.to_owned(), below.to_str()?.to_owned()))
    }

    fn pair(top: &str, below: &str) -> Option<(String, String)> {
        Some((top.to_owned(), below.to_owned()))
    }

    #[test]
    fn the_folder_of_either_version_is_found() {
        let mounts = "\
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
        let groups = "8:pids:/\n4:memory:/lab/one\n0::/x\n";
        assert_eq!(
            found("memory", groups, mounts),
            pair("/sys/fs/cgroup/memory", "lab/one")
        );
        assert_eq!(
            found("pids", groups, mounts),
            pair("/sys/fs/cgroup/pids", "")
        );
        let mounts =
            "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        assert_eq!(
            found("memory", "0::/user.slice/a.scope\n", mounts),
            pair("/sys/fs/cgroup", "user.slice/a.scope")
        );
        // The container's part of the tree.
        let mounts = "9 8 0:26 /docker/5f /sys/fs/cgroup/memory ro - cgroup memory rw,memory\n";
        assert_eq!(
            found("memory", "4:memory:/docker/5f/sub\n", mounts),
            pair("/sys/fs/cgroup/memory", "sub")
        );
        assert_eq!(found("memory", "", ""), None);
    }

    #[test]
    fn the_file_cache_can_be_taken_back() {
        assert_eq!(reclaimable("anon 4\ninactive_file 8192\nslab 1\n"), 8192);
        assert_eq!(
            reclaimable("inactive_file 1\ntotal_inactive_file 4096\n"),
            4096
        );
        assert_eq!(reclaimable(""), 0);
    }
}
