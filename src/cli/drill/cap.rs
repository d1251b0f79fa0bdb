//! A memory cgroup with a hard limit for the server and its supervisor, where the system lets one be made: the kernel then kills for
//! what it would kill for in production.

use crate::client::random_id;
use crate::overload::budget::{Group, Version};
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

/// A group empties when its last process is gone, which the kernel does a little after it was reaped.
const EMPTIES_WITHIN: u32 = 100;
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Removed when dropped; its processes must have ended.
#[derive(Debug)]
pub(super) struct Cap(Group);

impl Cap {
    /// Beside or below this process's own group; nothing where none can be made. `root` is `/`.
    pub fn make(root: &Path, bytes: u64) -> Option<Self> {
        let name = format!("offhook-drill-{}", &random_id()[..12]);
        let own = Group::own(root);
        // In version 2 a group that holds processes, as this one's does, can have none with limits below it: the one above it can.
        let places = |version| own.iter().filter(move |group| group.version == version).take(2);
        places(Version::One).chain(places(Version::Two)).find_map(|parent| Self::below(parent, &name, bytes).ok())
    }

    fn below(parent: &Group, name: &str, bytes: u64) -> io::Result<Self> {
        let directory = parent.directory.join(name);
        fs::create_dir(&directory)?;
        let made = Self(Group { version: parent.version, directory });
        let (limit, swap) = match parent.version {
            Version::One => ("memory.limit_in_bytes", ("memory.memsw.limit_in_bytes", bytes)),
            Version::Two => ("memory.max", ("memory.swap.max", 0)),
        };
        // Only what the kernel has put there is written to: elsewhere there is no such limit.
        let write = |file: &str, value: u64| {
            let mut open = File::options().write(true).open(made.0.directory.join(file))?;
            io::Write::write_all(&mut open, value.to_string().as_bytes())
        };
        write(limit, bytes)?;
        // Not everywhere is swap counted, or there at all.
        let _ = write(swap.0, swap.1);
        Ok(made)
    }

    /// For people.
    pub fn name(&self) -> String {
        let version = match self.0.version {
            Version::One => 1,
            Version::Two => 2,
        };
        format!("cgroup version {version}, {}", self.0.directory.display())
    }

    /// A process that writes `0` here is in the group from then on, with all that it starts.
    pub fn door(&self) -> io::Result<File> {
        File::options().write(true).open(self.0.directory.join("cgroup.procs"))
    }

    /// Whether the process is held by it.
    pub fn holds(&self, pid: u32) -> bool {
        let inside = fs::read_to_string(self.0.directory.join("cgroup.procs")).unwrap_or_default();
        inside.lines().any(|line| line.parse() == Ok(pid))
    }

    /// What the kernel could not take back at once.
    pub fn held_bytes(&self) -> Option<u64> {
        self.0.held_bytes()
    }

    /// How many of its processes the kernel has killed for memory; nothing where it does not count them.
    pub fn killed(&self) -> Option<u64> {
        let file = match self.0.version {
            Version::One => "memory.oom_control",
            Version::Two => "memory.events",
        };
        let text = fs::read_to_string(self.0.directory.join(file)).ok()?;
        text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.trim().parse().ok())
    }
}

impl Drop for Cap {
    fn drop(&mut self) {
        let directory = &self.0.directory;
        for _ in 0..EMPTIES_WITHIN {
            match fs::remove_dir(directory) {
                Ok(()) => return,
                // The kernel tells nobody when the last of its processes has left.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => std::thread::sleep(LOOK_EVERY),
                Err(error) => return eprintln!("offhook: {} is left behind: {error}", directory.display()),
            }
        }
        eprintln!("offhook: {} is left behind: it still holds processes", directory.display());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_kernel_has_no_limits_nothing_is_made_and_nothing_is_left_behind() {
        let root = tempfile::tempdir().unwrap();
        let mount = "31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
        let own = root.path().join("sys/fs/cgroup/a/b");
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::create_dir_all(&own).unwrap();
        fs::write(root.path().join("proc/self/mountinfo"), mount).unwrap();
        fs::write(root.path().join("proc/self/cgroup"), "0::/a/b\n").unwrap();
        assert!(Cap::make(root.path(), 1 << 28).is_none());
        assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
        assert_eq!(fs::read_dir(own.parent().unwrap()).unwrap().count(), 1, "its own group alone");
    }
}
