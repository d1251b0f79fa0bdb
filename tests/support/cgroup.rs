//! A memory cgroup of its own for a server, where the system lets us make one: the kernel then kills for what it would
//! kill for in production.

use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the group that this process is in; removed at the end.
#[derive(Debug)]
pub struct Cgroup {
    pub directory: PathBuf,
    pub is_version_two: bool,
}

impl Cgroup {
    /// `None`, with a word on why, where none can be made.
    pub fn with_limit(bytes: u64) -> Option<Self> {
        let made = Self::version_one(bytes).or_else(|| Self::version_two(bytes));
        if made.is_none() {
            eprintln!("no memory cgroup can be made here: only the budget is tried, not the kernel's limit");
        }
        made
    }

    fn version_one(bytes: u64) -> Option<Self> {
        let own = own_path(|controllers| controllers.split(',').any(|one| one == "memory"))?;
        Self::make(PathBuf::from("/sys/fs/cgroup/memory").join(own), "memory.limit_in_bytes", bytes, false)
    }

    fn version_two(bytes: u64) -> Option<Self> {
        Self::make(PathBuf::from("/sys/fs/cgroup").join(own_path(str::is_empty)?), "memory.max", bytes, true)
    }

    fn make(parent: PathBuf, limit: &str, bytes: u64, is_version_two: bool) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = parent.join(format!("offhook-test-{}-{number}", std::process::id()));
        fs::create_dir(&directory).ok()?;
        let made = Self { directory, is_version_two };
        fs::write(made.directory.join(limit), bytes.to_string()).ok()?;
        Some(made)
    }

    /// The command's process puts itself in before it becomes what it is to be.
    pub fn hold(&self, command: &mut Command) {
        let procs = fs::File::options().write(true).open(self.directory.join("cgroup.procs"));
        let procs = procs.expect("a group takes processes");
        // SAFETY: one write to a descriptor that is open; nothing is allocated and no lock is taken.
        unsafe { command.pre_exec(move || (&procs).write_all(b"0")) };
    }

    /// How many of its processes the kernel has killed for memory.
    pub fn killed(&self) -> u64 {
        let file = if self.is_version_two { "memory.events" } else { "memory.oom_control" };
        let text = fs::read_to_string(self.directory.join(file)).unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.trim().parse().ok()).expect("the kernel counts kills")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // A group can be removed when the last of its processes is reaped, which whoever started it has done.
        if let Err(error) = fs::remove_dir(&self.directory) {
            eprintln!("{}: {error}", self.directory.display());
        }
    }
}

/// From /proc/self/cgroup, without its first slash.
fn own_path(wanted: impl Fn(&str) -> bool) -> Option<String> {
    let text = fs::read_to_string("/proc/self/cgroup").ok()?;
    text.lines().find_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        wanted(controllers).then(|| path.trim_start_matches('/').to_owned())
    })
}
