//! How much memory this process may use: what was set, or the tightest limit of its memory cgroup, or the machine's share.
//!
//! Reads a tree of files that is handed in, and nothing else: tests hand in trees of their own.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

const MIB: u64 = 1 << 20;
/// Kept free below a cgroup's limit, which is for all that the kernel charges to the group: page cache that is being written,
/// slabs, page tables, and what was allocated since the meter looked last.
const HEADROOM_SHARE: u64 = 8;
const HEADROOM_BYTES_MIN: u64 = 16 * MIB;
const HEADROOM_BYTES_MAX: u64 = 512 * MIB;
/// Without a limit: this part of the machine. The rest is for its page cache and for whoever else runs on it.
const MACHINE_SHARE: u64 = 2;
/// Where nothing at all can be read.
const FALLBACK_BYTES: u64 = 512 * MIB;
/// Limits from here on are the kernel's word for none.
const NO_LIMIT: u64 = 1 << 60;

/// What the process may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    pub bytes: u64,
    pub origin: Origin,
}

/// Where the budget comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `memory.budget_bytes`.
    Set,
    /// The limit of this group, less the headroom.
    Group { group: Group, limit_bytes: u64 },
    /// Half of the machine, which has so much.
    Machine { total_bytes: u64 },
    /// Nothing could be read.
    Unknown,
}

/// A memory cgroup, by its directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    pub version: Version,
    pub directory: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    One,
    Two,
}

impl Budget {
    /// `set_bytes`: 0 takes what the system says. `root` is `/`.
    #[must_use]
    pub fn find(set_bytes: u64, root: &Path) -> Self {
        if set_bytes > 0 {
            return Self { bytes: set_bytes, origin: Origin::Set };
        }
        let total_bytes = read(&root.join("proc/meminfo")).and_then(|text| total_in(&text));
        let tightest = own_groups(root).into_iter().filter_map(|group| Some((limit_of(&group)?, group)));
        // A limit above what the machine has is none.
        let tightest = tightest.filter(|(limit, _)| total_bytes.is_none_or(|total| *limit < total));
        if let Some((limit_bytes, group)) = tightest.min_by_key(|(limit, _)| *limit) {
            let bytes = below(limit_bytes);
            return Self { bytes, origin: Origin::Group { group, limit_bytes } };
        }
        match total_bytes {
            Some(total_bytes) => Self { bytes: total_bytes / MACHINE_SHARE, origin: Origin::Machine { total_bytes } },
            None => Self { bytes: FALLBACK_BYTES, origin: Origin::Unknown },
        }
    }

    /// The group whose limit it is.
    #[must_use]
    pub fn group(&self) -> Option<&Group> {
        match &self.origin {
            Origin::Group { group, .. } => Some(group),
            Origin::Set | Origin::Machine { .. } | Origin::Unknown => None,
        }
    }
}

impl fmt::Display for Budget {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes / MIB;
        write!(out, "{} MiB", mib(self.bytes))?;
        match &self.origin {
            Origin::Set => write!(out, ", as set"),
            Origin::Group { group, limit_bytes } => {
                let (limit, directory) = (mib(*limit_bytes), group.directory.display());
                write!(out, ", from the limit of {limit} MiB of the cgroup {directory}, less a headroom")
            }
            Origin::Machine { total_bytes } => {
                write!(out, ", half of the machine's {} MiB, as no cgroup limits it", mib(*total_bytes))
            }
            Origin::Unknown => write!(out, ", as neither a cgroup nor /proc/meminfo could be read"),
        }
    }
}

/// What fits under a limit with its headroom.
#[must_use]
pub fn below(limit_bytes: u64) -> u64 {
    limit_bytes.saturating_sub(headroom(limit_bytes)).max(limit_bytes / 2)
}

fn headroom(limit_bytes: u64) -> u64 {
    (limit_bytes / HEADROOM_SHARE).clamp(HEADROOM_BYTES_MIN, HEADROOM_BYTES_MAX)
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn total_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The process's own memory group and all above it that can be seen, in each version's tree.
fn own_groups(root: &Path) -> Vec<Group> {
    let (Some(own), Some(mounts)) = (read(&root.join("proc/self/cgroup")), read(&root.join("proc/self/mountinfo")))
    else {
        return Vec::new();
    };
    let mut groups = Vec::new();
    for mount in mounts.lines().filter_map(Mount::of_line) {
        let Some(path) = own.lines().find_map(|line| own_path(line, mount.version)) else { continue };
        // In a container the path may be the host's, and what is mounted begins at the container's own group.
        let below = Path::new(path).strip_prefix(mount.shows).unwrap_or(Path::new(""));
        let top = root.join(mount.at.trim_start_matches('/'));
        let mut directory = top.join(below);
        while directory.starts_with(&top) {
            groups.push(Group { version: mount.version, directory: directory.clone() });
            if !directory.pop() {
                break;
            }
        }
    }
    groups
}

/// A mounted tree of cgroups in which memory is limited.
struct Mount<'a> {
    version: Version,
    /// The group that is seen at its top.
    shows: &'a str,
    at: &'a str,
}

impl<'a> Mount<'a> {
    /// `25 20 0:22 /shows /at rw,relatime shared:8 - cgroup cgroup rw,memory` (proc(5)).
    fn of_line(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" - ")?;
        let mut before = before.split(' ').skip(3);
        let (shows, at) = (before.next()?, before.next()?);
        let mut after = after.split(' ');
        let version = match (after.next()?, after.nth(1)) {
            ("cgroup2", _) => Version::Two,
            ("cgroup", Some(options)) if options.split(',').any(|option| option == "memory") => Version::One,
            _ => return None,
        };
        Some(Self { version, shows, at })
    }
}

/// From a line of /proc/self/cgroup: `4:memory:/path` or `0::/path`.
fn own_path(line: &str, version: Version) -> Option<&str> {
    let mut parts = line.splitn(3, ':');
    let (hierarchy, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
    let its = match version {
        Version::One => controllers.split(',').any(|one| one == "memory"),
        Version::Two => hierarchy == "0" && controllers.is_empty(),
    };
    its.then_some(path)
}

/// The least that any file of the group says.
fn limit_of(group: &Group) -> Option<u64> {
    let number = |file: &str| read(&group.directory.join(file))?.trim().parse::<u64>().ok();
    let limits = match group.version {
        // What is above the top of what is mounted is only told here.
        Version::One => {
            let stat = read(&group.directory.join("memory.stat"));
            [number("memory.limit_in_bytes"), stat.and_then(|text| field(&text, "hierarchical_memory_limit"))]
        }
        // Above `high` a process is slowed down until it is as good as dead.
        Version::Two => [number("memory.max"), number("memory.high")],
    };
    limits.into_iter().flatten().filter(|limit| *limit < NO_LIMIT).min()
}

/// A line `name number` of a group's statistics.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

impl Group {
    /// The process's own memory groups, each with those above it that can be seen: the nearest first in each version's tree.
    #[must_use]
    pub fn own(root: &Path) -> Vec<Self> {
        own_groups(root)
    }

    /// What the group holds and the kernel could not take back at once: all that is charged to it but file pages.
    #[must_use]
    pub fn held_bytes(&self) -> Option<u64> {
        let (usage, prefix) = match self.version {
            Version::One => ("memory.usage_in_bytes", "total_"),
            Version::Two => ("memory.current", ""),
        };
        let usage: u64 = read(&self.directory.join(usage))?.trim().parse().ok()?;
        let stat = read(&self.directory.join("memory.stat"))?;
        let files = ["active_file", "inactive_file"].map(|name| field(&stat, &format!("{prefix}{name}")).unwrap_or(0));
        Some(usage.saturating_sub(files.iter().sum()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16384000 kB\nMemFree: 1 kB\n");
    const V2_MOUNT: &str = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    fn limit_found(files: &[(&str, &str)]) -> Option<(u64, PathBuf)> {
        let root = tree(files);
        match Budget::find(0, root.path()).origin {
            Origin::Group { group, limit_bytes } => {
                Some((limit_bytes, group.directory.strip_prefix(root.path()).unwrap().to_owned()))
            }
            _ => None,
        }
    }

    #[test]
    fn what_was_set_wins() {
        let root = tree(&[MEMINFO]);
        assert_eq!(Budget::find(64 * MIB, root.path()), Budget { bytes: 64 * MIB, origin: Origin::Set });
    }

    #[test]
    fn the_tightest_group_of_version_two_is_found_on_the_way_up() {
        let files = [
            MEMINFO,
            ("proc/self/mountinfo", V2_MOUNT),
            ("proc/self/cgroup", "0::/system.slice/offhook.service\n"),
            ("sys/fs/cgroup/system.slice/offhook.service/memory.max", "1073741824\n"),
            ("sys/fs/cgroup/system.slice/memory.max", "max\n"),
            ("sys/fs/cgroup/system.slice/memory.high", "268435456\n"),
        ];
        assert_eq!(limit_found(&files), Some((256 * MIB, "sys/fs/cgroup/system.slice".into())));
        let root = tree(&files);
        assert_eq!(Budget::find(0, root.path()).bytes, 224 * MIB, "an eighth is kept free");
    }

    #[test]
    fn a_group_of_version_one_is_found_where_it_is_mounted() {
        let files = [
            MEMINFO,
            (
                "proc/self/mountinfo",
                "25 20 0:22 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                 26 20 0:23 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n",
            ),
            ("proc/self/cgroup", "5:memory:/docker/ab\n4:cpu:/\n0::/\n"),
            ("sys/fs/cgroup/memory/docker/ab/memory.limit_in_bytes", "134217728\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(limit_found(&files), Some((128 * MIB, "sys/fs/cgroup/memory/docker/ab".into())));
    }

    #[test]
    fn a_container_that_sees_only_its_own_group_finds_its_limit_and_those_above_it() {
        let mount = "26 20 0:23 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n";
        let files = [
            MEMINFO,
            ("proc/self/mountinfo", mount),
            ("proc/self/cgroup", "5:memory:/docker/ab\n"),
            ("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("sys/fs/cgroup/memory/memory.stat", "cache 5\nhierarchical_memory_limit 201326592\n"),
        ];
        assert_eq!(limit_found(&files), Some((192 * MIB, "sys/fs/cgroup/memory".into())));
    }

    #[test]
    fn without_a_limit_it_is_half_of_the_machine() {
        let none = [
            MEMINFO,
            ("proc/self/mountinfo", V2_MOUNT),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "max\n"),
        ];
        let root = tree(&none);
        let origin = Origin::Machine { total_bytes: 16_384_000 << 10 };
        assert_eq!(Budget::find(0, root.path()), Budget { bytes: 8_192_000 << 10, origin });
        let more_than_there_is = [none[0], none[1], none[2], ("sys/fs/cgroup/memory.max", "99999999999999")];
        assert_eq!(limit_found(&more_than_there_is), None);
    }

    #[test]
    fn files_that_are_missing_or_say_nonsense_are_no_limit() {
        let nothing = tree(&[]);
        assert_eq!(Budget::find(0, nothing.path()).origin, Origin::Unknown);
        let nonsense = [
            ("proc/meminfo", "MemTotal: much\n"),
            ("proc/self/mountinfo", "1 - \n - - -\n26 20 0:23 / /cg rw - cgroup2\n"),
            ("proc/self/cgroup", "::\n0::/../../up\nmemory\n"),
            ("cg/memory.max", "-5\n"),
        ];
        let root = tree(&nonsense);
        assert_eq!(Budget::find(0, root.path()).origin, Origin::Unknown);
    }

    #[test]
    fn file_pages_do_not_count_as_held() {
        let root = tree(&[
            ("two/memory.current", "1000\n"),
            ("two/memory.stat", "anon 600\nfile 300\nactive_file 100\ninactive_file 150\n"),
            ("one/memory.usage_in_bytes", "1000\n"),
            ("one/memory.stat", "active_file 1\ntotal_inactive_file 200\ntotal_active_file 50\n"),
        ]);
        let held = |version, name: &str| Group { version, directory: root.path().join(name) }.held_bytes();
        assert_eq!(held(Version::Two, "two"), Some(750));
        assert_eq!(held(Version::One, "one"), Some(750));
        assert_eq!(held(Version::One, "three"), None);
    }
}
