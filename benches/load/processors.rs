//! Which processors the server and its load run on: what the load costs is then not taken from the server.

/// Who is started, or goes on, from here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first processor.
    Server,
    /// All others.
    Load,
}

/// The calling thread, and all that it starts from now on. False where there is only one processor, or the system does not
/// allow it: then nothing is changed.
pub fn only_on(part: Part) -> bool {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let own = match part {
        // Asked when nothing is pinned yet.
        Part::Server if count < 2 => return false,
        Part::Server => 0..1,
        Part::Load => 1..libc::CPU_SETSIZE as usize,
    };
    // SAFETY: a set of zeros is an empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    for processor in own {
        // SAFETY: every number is below CPU_SETSIZE.
        unsafe { libc::CPU_SET(processor, &mut set) };
    }
    // SAFETY: the set is read for as many bytes as it has; 0 names the calling thread.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) == 0 }
}
