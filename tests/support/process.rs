//! What the kernel says of a process: its memory and its time on the processors.

use std::fs;

/// Anonymous memory in bytes: what a memory limit kills for.
pub fn rss_anon_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("the kernel says so");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number of kB") * 1024
}

/// Time on the processors so far, user and system, in milliseconds.
pub fn cpu_ms(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name, in brackets, may hold anything.
    let after_name = stat.rsplit_once(')').expect("a name").1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    ticks * 10
}

/// The same for each of its threads, with the thread's name; largest first.
pub fn threads_cpu_ms(pid: u32) -> Vec<(String, u64)> {
    let mut threads = std::collections::BTreeMap::<String, u64>::new();
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    for task in tasks.flatten() {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else { continue };
        let Some((before, after)) = stat.rsplit_once(')') else { continue };
        let name = before.split_once('(').map_or("", |(_, name)| name);
        let fields: Vec<&str> = after.split_whitespace().collect();
        let ticks: u64 = fields[11..13].iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        *threads.entry(name.to_owned()).or_default() += ticks * 10;
    }
    let mut threads: Vec<_> = threads.into_iter().collect();
    threads.sort_by_key(|(_, ms)| std::cmp::Reverse(*ms));
    threads
}

/// Asks a process to end (SIGTERM).
pub fn terminate(pid: i32) {
    // SAFETY: sends a signal to a process that a test started.
    unsafe { libc::kill(pid, libc::SIGTERM) };
}

/// Lets a process that was stopped go on (SIGCONT).
pub fn thaw(pid: i32) {
    // SAFETY: sends a signal to a process that a test started.
    unsafe { libc::kill(pid, libc::SIGCONT) };
}

/// Stops a process (SIGSTOP), and returns when all its threads stand still: the signal alone takes a moment.
pub fn freeze(pid: i32) {
    // SAFETY: sends a signal to a process that a test started.
    unsafe { libc::kill(pid, libc::SIGSTOP) };
    let stands = |stat: String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'));
    let all_stand = || {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("the process is there").flatten();
        let mut stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
        stats.all(stands)
    };
    while !all_stand() {
        std::thread::yield_now();
    }
}
